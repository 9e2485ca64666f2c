#include "approx_top_k/operands.hpp"
#include "catch.hpp"
#include "failing_allocations.hpp"

using namespace annulus;

namespace {

/// Of both halves, so that they compare.
auto best_of(const std::vector<float>& values, std::size_t rows, std::size_t threads) {
  const auto found = approx_min_k(matrix_view<float>(values.data(), rows, values.size() / rows), 10,
                                  {.recall_target = 0.9, .threads = threads});
  return std::pair(found.values, found.indices);
}

}  // namespace

TEST_CASE("approx_min_k throws wherever an allocation fails and is as good as before", "[approx_top_k][allocations]") {
  std::mt19937_64 generator(1);
  const auto values = operands::random_values<float>(20000, generator);
  const auto result = allocations::fail_call([&] { return best_of(values, 4, 1); });
  CAPTURE(result);
  CHECK(result.is_clean());
}
