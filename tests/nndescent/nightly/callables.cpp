#include <functional>

#include "nndescent/callable_searches.hpp"

using callables::share_wrong;

TEST_CASE("graphs and indexes take whatever is a metric", "[nndescent][callables]") {
  const int factor = 1;
  CHECK(share_wrong(&callables::of_pointers<float>) <= 0.01);
  CHECK(share_wrong(callables::of_spans{}) <= 0.01);
  CHECK(share_wrong([&factor](auto a, auto b) { return factor * callables::distance<float>(a, b); }) <= 0.01);
  CHECK(share_wrong(std::function<float(const float*, const float*, std::size_t)>(&callables::of_pointers<float>)) <=
        0.01);
  CHECK(share_wrong(callables::returning<int>{}) <= 0.01);
  CHECK(share_wrong(callables::returning<short>{}) <= 0.01);
  CHECK(share_wrong(callables::returning<std::size_t>{}) <= 0.01);
}
