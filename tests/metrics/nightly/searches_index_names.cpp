#include <functional>

#include "metrics/index_searches.hpp"
#include "metrics/parameters.hpp"

using namespace annulus;
using metric_searches::check_index;
using metric_searches::masses;

namespace {

constexpr std::size_t dim = 10, n_queries = 20;

/// A metric of whatever type, as a program holds it that learns its name at run time.
struct dense_metric_by_name {
  std::function<float(const float*, const float*, std::size_t)> distance;
  float operator()(const float* a, const float* b, std::size_t d) const { return distance(a, b, d); }
};
struct sparse_metric_by_name {
  std::function<float(const sparse_row<float>&, const sparse_row<float>&)> distance;
  float operator()(const sparse_row<float>& a, const sparse_row<float>& b) const { return distance(a, b); }
};

/// Solvers are slow.
std::size_t n_rows(const metric_info& info) { return info.simd == "-" ? 25 : 200; }

}  // namespace

TEST_CASE("an index of dense rows finds nearly all neighbours by every metric that has a name", "[metrics][index]") {
  std::size_t metrics = 0;
  for (const metric_info& info : known_metrics) {
    if (!info.dense) continue;
    CAPTURE(info.name);
    const std::size_t d = info.name == "haversine" ? 2 : dim;
    const auto rows = info.simd == "popcount" ? metric_searches::binary(n_rows(info), d) : masses(n_rows(info), d);
    const auto queries = info.simd == "popcount" ? metric_searches::binary(n_queries, d) : masses(n_queries, d);
    const auto metric = with_metric(
        info.name, parameters::some(info, d), []<class M>(const M& m) requires metric_for<M, matrix_view<float>> {
          return dense_metric_by_name{
              [m](const float* a, const float* b, std::size_t n) { return static_cast<float>(m(a, b, n)); }};
        });
    check_index(rows, matrix_view<float>(queries), metric, 0.9);
    ++metrics;
  }
  CHECK(metrics == 35);
}

TEST_CASE("an index of sparse rows finds nearly all neighbours by every metric that takes them", "[metrics][index]") {
  std::size_t metrics = 0;
  for (const metric_info& info : known_metrics) {
    if (!info.sparse) continue;
    CAPTURE(info.name);
    const auto rows = metric_searches::sparse_rows(masses(n_rows(info), dim), 0.6f);
    const auto queries = metric_searches::sparse_rows(masses(n_queries, dim), 0.6f);
    const auto metric = with_metric(
        info.name, parameters::some(info, dim), []<class M>(const M& m) requires metric_for<M, csr_view<float>> {
          return sparse_metric_by_name{
              [m](const sparse_row<float>& a, const sparse_row<float>& b) { return static_cast<float>(m(a, b)); }};
        });
    // Empty rows are at 0 from all others there: every list is theirs.
    if (info.name != "tsss") check_index(rows, csr_view<float>(queries), metric, 0.9);
    ++metrics;
  }
  CHECK(metrics == 33);
}
