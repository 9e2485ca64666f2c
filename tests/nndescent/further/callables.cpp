#include <bit>

#include "nndescent/callable_searches.hpp"

using namespace annulus;
using callables::share_wrong;

TEST_CASE("graphs and indexes take callables of two pointers and of two spans", "[nndescent][callables]") {
  CHECK(share_wrong(callables::without_default(1)) <= 0.01);
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
