#include <annulus/metrics/angular.hpp>
#include <annulus/metrics/dense.hpp>

#include "metrics/index_searches.hpp"

using namespace annulus;
using metric_searches::check_index;
using metric_searches::n_indexed;
using metric_searches::n_queries;

namespace {

template <class Metric>
void check(const Metric& metric) {
  const auto rows = metric_searches::vectors(n_indexed), queries = metric_searches::vectors(n_queries);
  check_index(rows, matrix_view<float>(queries), metric);
}

}  // namespace

TEST_CASE("an index by a metric of one kernel finds nearly all neighbours", "[metrics][nndescent_index]") {
  check(canberra{});
}

TEST_CASE("an index by a metric that is the cosine of other rows finds nearly all neighbours",
          "[metrics][nndescent_index]") {
  check(correlation{});
}

TEST_CASE("an index by a metric without a kernel finds nearly all neighbours", "[metrics][nndescent_index]") {
  check(tsss{});
}
