#include "approx_top_k/accumulators.hpp"

TEMPLATE_TEST_CASE("cuts, orders and merges change no bit of the result", "[accumulator]", std::uint32_t, std::uint64_t,
                   std::int64_t) {
  accumulators::check_cuts<TestType>();
}

TEST_CASE("an accumulator of doubles gives what a sort gives", "[accumulator]") {
  std::mt19937_64 generator(3);
  for (const std::size_t n : {1u, 2u, 50u, 2000u})
    for (const std::size_t k : {std::size_t{1}, (n + 3) / 4, n})
      accumulators::check_exact(operands::tied_values<double>(n, generator), k);
}

TEST_CASE("indices of doubles are good up to the largest and refused from there", "[accumulator]") {
  accumulators::check_last_indices<double>();
}
