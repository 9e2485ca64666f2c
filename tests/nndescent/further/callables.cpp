#include "callables.hpp"

#include <annulus/nndescent/index.hpp>

#include <bit>
#include <functional>

#include "catch.hpp"

using namespace annulus;

namespace {

/// The share of the distances of a graph and of an index that are not those of brute force by manhattan.
template <class Metric>
double share_wrong(Metric metric) {
  STATIC_REQUIRE(metric_for<Metric, matrix<float>>);
  const matrix<float> rows = callables::rows<float>();
  const neighbors expected = knn(rows, rows, 4, manhattan{});
  nndescent_index index(rows, metric);
  const neighbors listed = build_knn_graph(rows, metric, {.n_neighbors = 4, .include_self = true});
  std::size_t n =
      callables::n_different(listed, expected) + callables::n_different(index.search(rows, 4, {.beam = 50}), expected);
  index.insert(callables::rows<float>(10));
  index.erase(0);
  index.consolidate();
  nndescent_index copy = index;
  CHECK(copy.size() == 209);
  CHECK(copy.radius_search(rows, 1.0f).indptr.size() == 201);
  return static_cast<double>(n) / (2 * 4 * 200);
}

}  // namespace

TEST_CASE("graphs and indexes take whatever is a metric", "[nndescent][callables]") {
  const int factor = 1;
  CHECK(share_wrong(&callables::of_pointers<float>) <= 0.01);
  CHECK(share_wrong(callables::of_spans{}) <= 0.01);
  CHECK(share_wrong([&factor](auto a, auto b) { return factor * callables::distance<float>(a, b); }) <= 0.01);
  CHECK(share_wrong(std::function<float(const float*, const float*, std::size_t)>(&callables::of_pointers<float>)) <=
        0.01);
  CHECK(share_wrong(callables::without_default(1)) <= 0.01);
  CHECK(share_wrong(callables::returning<int>{}) <= 0.01);
  CHECK(share_wrong(callables::returning<short>{}) <= 0.01);
  CHECK(share_wrong(callables::returning<std::size_t>{}) <= 0.01);
  CHECK(share_wrong(callables::ranked_spans{}) <= 0.01);
}

TEST_CASE("a row at a distance of NaN is no neighbour in an index", "[nndescent][callables]") {
  const auto metric = [](const float* a, const float* b, std::size_t d) {
    const float distance = manhattan{}(a, b, d);
    return *a * *b > 0 ? std::bit_cast<float>(0x7fc00000u) : distance;
  };
  const matrix<float> rows = callables::rows<float>();
  const nndescent_index index(rows, metric);
  CHECK(callables::n_different(index.search(rows, 4, {.beam = 50}), knn(rows, rows, 4, metric)) == 0);
}
