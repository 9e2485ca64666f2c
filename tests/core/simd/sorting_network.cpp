#include <annulus/core/simd/sorting_network.hpp>

#include "catch.hpp"

#include <algorithm>
#include <numeric>
#include <random>

using namespace annulus;

namespace {

constexpr std::size_t width = simd::lanes<std::int64_t>;

using integers = std::vector<std::int64_t>;

bool sorts(const integers& items) {
  auto expected = items, found = items;
  std::sort(expected.begin(), expected.end());
  simd::sort_by_network(found.data(), found.size() / width);
  return found == expected;
}

}  // namespace

TEST_CASE("lanes are exchanged with those whose number differs in the bits given", "[simd]") {
  integers lanes(width);
  std::iota(lanes.begin(), lanes.end(), 100);
  simd::unroll<width - 1>([&](auto i) {
    constexpr std::size_t flip = decltype(i)::value + 1;
    integers found(width), expected(width);
    simd::exchange_lanes<flip>(simd::load(lanes.data())).store_unaligned(found.data());
    for (std::size_t lane = 0; lane < width; ++lane) expected[lane] = lanes[lane ^ flip];
    CHECK(found == expected);
  });
}

// What sorts all sequences of two values sorts all sequences, where no comparison depends on another's outcome (Knuth,
// "The art of computer programming", volume 3, 5.3.4).
TEST_CASE("the network sorts all sequences of two values", "[simd]") {
  for (std::size_t registers = 1; registers * width <= 16; registers *= 2) {
    const std::size_t n = registers * width;
    std::size_t wrong = 0;
    integers items(n);
    for (std::size_t ones = 0; ones < std::size_t{1} << n; ++ones) {
      for (std::size_t i = 0; i < n; ++i) items[i] = static_cast<std::int64_t>(ones >> i & 1);
      simd::sort_by_network(items.data(), registers);
      wrong += !std::is_sorted(items.begin(), items.end()) ||
               std::accumulate(items.begin(), items.end(), 0) != std::popcount(ones);
    }
    CAPTURE(registers);
    CHECK(wrong == 0);
  }
}

// The ones in a row, wherever they begin: long runs that meet at every place of the larger networks.
TEST_CASE("larger networks sort runs of ones", "[simd]") {
  for (std::size_t registers = 1; registers <= 64; registers *= 2) {
    const std::size_t n = registers * width;
    std::size_t wrong = 0;
    for (std::size_t begin = 0; begin < n; begin += 1 + n / 64)
      for (std::size_t end = begin; end <= n; end += 1 + n / 64) {
        integers items(n);
        std::fill(items.begin() + static_cast<std::ptrdiff_t>(begin), items.begin() + static_cast<std::ptrdiff_t>(end),
                  1);
        simd::sort_by_network(items.data(), registers);
        wrong += !std::is_sorted(items.begin(), items.end());
      }
    CAPTURE(registers);
    CHECK(wrong == 0);
  }
}

TEST_CASE("the network sorts random, tied, ascending, descending and extreme integers", "[simd]") {
  std::mt19937_64 generator(1);
  for (std::size_t registers = 1; registers <= 128; registers *= 2)
    for (int repetition = 0; repetition < 10; ++repetition) {
      integers items(registers * width);
      for (auto& x : items) x = static_cast<std::int64_t>(generator());
      CAPTURE(registers, repetition);
      CHECK(sorts(items));
      std::sort(items.begin(), items.end());
      CHECK(sorts(items));
      std::reverse(items.begin(), items.end());
      CHECK(sorts(items));
      for (auto& x : items) x = static_cast<std::int64_t>(generator() % 4) - 2;
      CHECK(sorts(items));
      for (auto& x : items)
        x = generator() % 2 == 0 ? std::numeric_limits<std::int64_t>::lowest()
                                 : std::numeric_limits<std::int64_t>::max();
      CHECK(sorts(items));
      for (auto& x : items) x = static_cast<std::int64_t>(generator() % 8) << 32;  // equal in their lower halves
      CHECK(sorts(items));
    }
}

TEST_CASE("the network touches nothing beside its items, at any alignment", "[simd]") {
  std::mt19937_64 generator(2);
  for (std::size_t before = 1; before < 9; ++before)
    for (const std::size_t registers : {1u, 4u}) {
      integers items(before + registers * width + 1, -77), expected = items;
      for (std::size_t i = before; i + 1 < items.size(); ++i)
        expected[i] = items[i] = static_cast<std::int64_t>(generator() % 1000);
      std::sort(expected.begin() + static_cast<std::ptrdiff_t>(before), expected.end() - 1);
      simd::sort_by_network(items.data() + before, registers);
      CHECK(items == expected);
    }
}
