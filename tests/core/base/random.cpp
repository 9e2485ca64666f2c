#include <annulus/core/base/float_bits.hpp>
#include <annulus/core/base/random.hpp>

#include "catch.hpp"

#include <array>
#include <set>
#include <vector>

using namespace annulus;

namespace {

std::vector<std::uint64_t> first_bits(const counter_random& random) {
  std::vector<std::uint64_t> bits;
  for (std::uint64_t i = 0; i < 100; ++i) bits.push_back(random.bits(i));
  return bits;
}

/// Pearson's statistic of 32,000 draws below n, against a uniform distribution.
double chi_square(std::uint64_t n) {
  constexpr std::uint64_t draws = 32000;
  std::vector<double> counts(n);
  for (std::uint64_t i = 0; i < draws; ++i) ++counts[counter_random(7, n).below(i, n)];
  const double expected = static_cast<double>(draws) / static_cast<double>(n);
  double sum = 0;
  for (const double count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

}  // namespace

TEST_CASE("a number is a function of seed, stream and counter", "[random]") {
  CHECK(first_bits(counter_random(42, 3)) == first_bits(counter_random(42, 3)));
  STATIC_REQUIRE(counter_random(42, 3).bits(9) == counter_random(42, 3).bits(9));
}

TEST_CASE("a seed gives the same bits on every machine and in every release", "[random]") {
  CHECK(counter_random(42).bits(0) == 0xA16CA2AC33BF0777u);
  CHECK(counter_random(42, 1).bits(2) == 0x15FC054B8D36B99Bu);
}

TEST_CASE("without a stream it is stream 0", "[random]") {
  CHECK(first_bits(counter_random(42)) == first_bits(counter_random(42, 0)));
}

TEST_CASE("the numbers of different seeds, streams and counters differ", "[random]") {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (std::uint64_t stream = 0; stream < 10; ++stream)
      for (const auto bits : first_bits(counter_random(seed, stream))) seen.insert(bits);
  CHECK(seen.size() == 10 * 10 * 100);
}

TEST_CASE("every bit is set in about half of the numbers, also of neighbouring seeds and streams", "[random]") {
  std::array<int, 64> by_counter{}, by_seed{}, by_stream{};
  const auto count = [](std::array<int, 64>& ones, std::uint64_t bits) {
    for (std::size_t i = 0; i < 64; ++i) ones[i] += static_cast<int>(bits >> i & 1);
  };
  for (std::uint64_t i = 0; i < 10000; ++i) {
    count(by_counter, counter_random(1, 2).bits(i));
    count(by_seed, counter_random(i, 2).bits(0));
    count(by_stream, counter_random(1, i).bits(0));
  }
  for (const auto& ones : {by_counter, by_seed, by_stream}) {  // the standard deviation is 50
    CHECK(*std::min_element(ones.begin(), ones.end()) > 4700);
    CHECK(*std::max_element(ones.begin(), ones.end()) < 5300);
  }
}

TEST_CASE("uniform numbers fill the interval from 0 to 1", "[random]") {
  const counter_random random(5);
  double least = 1, greatest = 0, sum = 0;
  for (std::uint64_t i = 0; i < 10000; ++i) {
    const double x = random.uniform(i);
    least = std::min(least, x);
    greatest = std::max(greatest, x);
    sum += x;
  }
  CHECK(least >= 0);
  CHECK(least < 0.001);
  CHECK(greatest < 1);
  CHECK(greatest > 0.999);
  CHECK(sum / 10000 == Approx(0.5).margin(0.015));  // 5 standard deviations
}

TEST_CASE("below(n) stays below n", "[random]") {
  const counter_random random(6);
  for (const std::uint64_t n : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{1000},
                                (std::uint64_t{1} << 32) - 1, std::uint64_t{1} << 32}) {
    std::uint64_t greatest = 0;
    for (std::uint64_t i = 0; i < 5000; ++i) greatest = std::max(greatest, random.below(i, n));
    CAPTURE(n);
    CHECK(greatest < n);
    CHECK(static_cast<double>(greatest) >= 0.99 * static_cast<double>(n - 1));
  }
}

TEST_CASE("below(n) is uniform", "[random]") {
  // Mean n - 1, standard deviation sqrt(2 (n - 1)): six of them are allowed.
  for (const std::uint64_t n : {2u, 3u, 10u, 16u, 100u}) {
    const auto freedom = static_cast<double>(n - 1);
    CAPTURE(n);
    CHECK(chi_square(n) < freedom + 6 * std::sqrt(2 * freedom));
  }
}

TEST_CASE("normal numbers have the moments of the standard normal distribution", "[random]") {
  const counter_random random(8);
  constexpr int n = 40000;
  double sum = 0, squares = 0, cubes = 0, fourths = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    const double x = random.normal(i);
    sum += x;
    squares += x * x;
    cubes += x * x * x;
    fourths += x * x * x * x;
  }
  // Five standard deviations of each estimate: sqrt of 1, 2, 15 and 96 over n.
  CHECK(sum / n == Approx(0).margin(0.025));
  CHECK(squares / n == Approx(1).margin(0.036));
  CHECK(cubes / n == Approx(0).margin(0.1));
  CHECK(fourths / n == Approx(3).margin(0.25));
}

TEST_CASE("normal numbers are finite", "[random]") {
  std::size_t infinite = 0;
  for (std::uint64_t seed = 0; seed < 20000; ++seed)
    infinite += !annulus::detail::is_finite(counter_random(seed).normal(seed));
  CHECK(infinite == 0);
}

TEST_CASE("a sample has a place of each part, and of few all", "[random]") {
  for (const std::size_t n : {0u, 1u, 5u, 64u, 65u, 100u, 1000u}) {
    std::vector<std::size_t> places;
    annulus::detail::visit_sample(n, 64, [&](std::size_t i) { places.push_back(i); });
    CAPTURE(n);
    REQUIRE(places.size() == std::min<std::size_t>(n, 64));
    for (std::size_t i = 0; i < places.size(); ++i) {
      CHECK(places[i] < n);
      if (i > 0) CHECK(places[i] > places[i - 1]);
    }
    if (n <= 64) continue;
    // Of any eighth of the places, taken at regular steps, it has about an eighth.
    const auto of_step = std::ranges::count_if(places, [](std::size_t i) { return i % 8 == 0; });
    CHECK((of_step > 0 && of_step < 24));
  }
}
