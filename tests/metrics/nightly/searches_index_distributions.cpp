#include <annulus/metrics/distributions.hpp>
#include <annulus/metrics/wasserstein.hpp>

#include "metrics/index_searches.hpp"

using namespace annulus;
using metric_searches::check_index;
using metric_searches::n_indexed;
using metric_searches::n_queries;

namespace {

template <class Metric>
void check(const Metric& metric) {
  const auto rows = metric_searches::masses(n_indexed), queries = metric_searches::masses(n_queries);
  check_index(rows, matrix_view<float>(queries), metric);
}

}  // namespace

TEST_CASE("an index by a metric that is the euclidean one of other rows finds nearly all neighbours",
          "[metrics][nndescent_index]") {
  check(hellinger{});
}

TEST_CASE("an index by a metric that is a norm of other rows finds nearly all neighbours",
          "[metrics][nndescent_index]") {
  check(wasserstein_1d{});
}
