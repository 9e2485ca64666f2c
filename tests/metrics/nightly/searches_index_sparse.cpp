#include <annulus/metrics/bits.hpp>

#include "metrics/index_searches.hpp"

using namespace annulus;
using metric_searches::check_index;
using metric_searches::n_indexed;
using metric_searches::n_queries;

namespace {

template <class Metric>
void check(const Metric& metric) {
  const auto rows = metric_searches::sparse_rows(metric_searches::masses(n_indexed, 20), 0.9f),
             queries = metric_searches::sparse_rows(metric_searches::masses(n_queries, 20), 0.9f);
  check_index(rows, csr_view<float>(queries), metric);
}

}  // namespace

TEST_CASE("an index of sparse rows by their values finds nearly all neighbours", "[metrics][nndescent_index]") {
  check(cosine{});
}

TEST_CASE("an index of sparse rows as sets finds nearly all neighbours", "[metrics][nndescent_index]") {
  check(jaccard{});
}
