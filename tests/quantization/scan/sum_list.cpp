#include <annulus/quantization/scan/sum_list.hpp>

#include "catch.hpp"

#include <random>

using namespace annulus;
using namespace annulus::detail;

TEST_CASE("a list keeps the k smallest sums, ties by id, whatever their order", "[sum_list]") {
  std::mt19937 generator(1);
  for (const std::uint32_t values : {1u, 3u, 100u, 65535u})
    for (const std::size_t k : {1u, 2u, 7u, 16u, 32u, 33u, 100u, 400u})
      for (const std::size_t n : {0u, 1u, 20u, 399u, 2000u}) {
        CAPTURE(values, k, n);
        sum_list list(k);
        std::vector<candidate<std::uint32_t>> expected;
        for (std::size_t i = 0; i < n; ++i) {
          const auto id = static_cast<id_type>(3 * i);
          const auto sum = static_cast<std::uint16_t>(generator() % values);
          expected.push_back({sum, id});
          if (sum < list.limit()) list.push(sum, id);
        }
        std::ranges::sort(expected, std::less<>());
        expected.resize(std::min(k, n));
        const auto found = list.sorted();
        REQUIRE(std::vector(found.begin(), found.end()) == expected);
      }
}

TEST_CASE("a limit falls to the k-th smallest sum and never below", "[sum_list]") {
  sum_list list(4);
  CHECK(list.limit() == sum_list::no_limit);
  for (std::uint16_t i = 0; i < 1000; ++i)
    if (const auto sum = static_cast<std::uint16_t>(65534 - i); sum < list.limit()) {
      list.push(sum, i);
      REQUIRE(list.limit() >= (i < 3 ? 0 : sum + 3));
    }
  CHECK(list.limit() <= 65534 - 1000 + 20);
}

TEST_CASE("a list that is reset forgets what it had", "[sum_list]") {
  sum_list list(2);
  for (id_type i = 0; i < 50; ++i) list.push(0, i);
  list.reset(3);
  CHECK(list.limit() == sum_list::no_limit);
  CHECK(list.sorted().empty());
  list.reset(3);
  list.push(9, 1);
  CHECK(list.sorted().size() == 1);
}
