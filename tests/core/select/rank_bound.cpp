#include <annulus/core/select/rank_bound.hpp>

#include "catch.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <tuple>

#include "precise.hpp"

using namespace annulus;

namespace {

using numbers = std::tuple<float, double, std::int32_t, std::int64_t>;

template <class Number>
using integer = simd::ordered_int<Number>;
template <class Number>
using limits = std::numeric_limits<Number>;

template <class Number>
std::size_t vectors(std::size_t n) {
  return n * simd::lanes<integer<Number>>;
}

/// In [-1000, 1000], or any that an integer has.
template <class Number>
std::vector<Number> random_numbers(std::size_t n, std::mt19937_64& generator) {
  std::vector<Number> values(n);
  std::uniform_real_distribution<double> real(-1000, 1000);
  for (auto& x : values)
    if constexpr (std::is_floating_point_v<Number>) x = static_cast<Number>(real(generator));
    else x = static_cast<Number>(generator());
  return values;
}

/// The extremes among a few others: infinities, denormal numbers, -0 and NaN.
template <class Number>
std::vector<Number> extreme_numbers(std::size_t n, std::mt19937_64& generator) {
  std::vector<Number> few{limits<Number>::max(), limits<Number>::lowest(), Number(0), Number(1), Number(2)};
  if constexpr (std::is_floating_point_v<Number>)
    few.insert(few.end(),
               {limits<Number>::infinity(), -limits<Number>::infinity(), -Number(0), limits<Number>::denorm_min(),
                -limits<Number>::denorm_min(), limits<Number>::min(), limits<Number>::quiet_NaN()});
  std::vector<Number> values(n);
  for (auto& x : values) x = few[generator() % few.size()];
  return values;
}

/// 2^-100 to 2^100, of either sign.
template <class Number>
std::vector<Number> numbers_of_all_magnitudes(std::size_t n, std::mt19937_64& generator) {
  std::vector<Number> values(n);
  for (auto& x : values) {
    const double magnitude =
        std::exp2(static_cast<double>(generator() % 201) - 100 + static_cast<double>(generator() % 8) / 8);
    x = static_cast<Number>(generator() % 2 == 0 ? magnitude : -magnitude);
  }
  return values;
}

template <class Number>
std::vector<Number> tied_numbers(std::size_t n, std::mt19937_64& generator) {
  std::vector<Number> values(n);
  for (auto& x : values) x = static_cast<Number>(generator() % 20);
  return values;
}

/// Numbers of which every `step`-th vector holds the least, or, `Greatest`, the greatest ones.
template <class Number>
std::vector<Number> numbers_with_outstanding_vectors(std::size_t n, std::size_t step, bool greatest) {
  std::vector<Number> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    const bool stands_out = i / vectors<Number>(1) % step == 0;
    values[i] = static_cast<Number>(i % 30011) + (stands_out == greatest ? Number(40000) : Number(0));
  }
  return values;
}

template <class Number>
std::vector<integer<Number>> ordered(const std::vector<Number>& values) {
  std::vector<integer<Number>> integers;
  for (const Number x : values) integers.push_back(detail::to_ordered_int(x));
  return integers;
}

/// How many bounds are wrong, for k of all sizes.
template <class Number>
std::size_t wrong_bounds(const std::vector<Number>& values) {
  const auto integers = ordered(values);
  auto sorted = integers;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t n = sorted.size();
  std::size_t wrong = 0;
  for (const std::size_t k : {std::size_t{1}, std::size_t{2}, n / 50 + 1, n / 4 + 1, n / 2 + 1, n - 1, n})
    for (const std::size_t enough : {k, k + k / 8}) {
      const integer<Number> bound = detail::rank_bound<Number>(integers.data(), n, k, enough);
      const auto count =
          static_cast<std::size_t>(std::upper_bound(sorted.begin(), sorted.end(), bound) - sorted.begin());
      wrong += count < k || (count > enough && bound != sorted[k - 1]);
    }
  return wrong;
}

/// From one vector to so many that a sample of them is taken first.
const std::vector<std::size_t> sizes{1, 2, 3, 4, 5, 8, 33, 255, 256, 257, 1000, 3000};

}  // namespace

TEMPLATE_LIST_TEST_CASE("as many integers as are at most a bound are counted", "[rank_bound]", numbers) {
  std::mt19937_64 generator(1);
  for (const std::size_t size : sizes) {
    const auto integers = ordered(extreme_numbers<TestType>(vectors<TestType>(size), generator));
    for (const auto bound : {integers[0], integers.back(), limits<integer<TestType>>::lowest(),
                             limits<integer<TestType>>::max(), integer<TestType>{0}, integer<TestType>{-1}}) {
      const auto expected = std::count_if(integers.begin(), integers.end(), [&](auto x) { return x <= bound; });
      CHECK(detail::count_at_most(integers.data(), integers.size(), bound) == static_cast<std::size_t>(expected));
    }
  }
}

TEMPLATE_TEST_CASE("ordered integers of numbers are those of lanes, and give the numbers back", "[rank_bound]", float,
                   double, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t) {
  std::mt19937_64 generator(2);
  auto values = random_numbers<TestType>(64, generator);
  values.insert(values.end(), {TestType(0), TestType(1), limits<TestType>::max(), limits<TestType>::lowest()});
  if constexpr (std::is_floating_point_v<TestType>)
    values.insert(values.end(), {limits<TestType>::infinity(), -limits<TestType>::infinity(), limits<TestType>::min()});
  for (const TestType x : values) {
    const auto ordered = detail::to_ordered_int(x);
    const std::vector<TestType> lanes(simd::lanes<TestType>, x);
    std::vector<integer<TestType>> by_lanes(simd::lanes<TestType>);
    simd::ordered_lanes(simd::load(lanes.data())).store_unaligned(by_lanes.data());
    CHECK(ordered == by_lanes[0]);
    CHECK(ordered_bits(detail::from_ordered_int<TestType>(ordered)) == ordered_bits(x));
  }
}

TEMPLATE_LIST_TEST_CASE("the bound of random numbers has k of them, and not many more", "[rank_bound]", numbers) {
  std::mt19937_64 generator(3);
  for (const std::size_t size : sizes) {
    CAPTURE(size);
    CHECK(wrong_bounds(random_numbers<TestType>(vectors<TestType>(size), generator)) == 0);
  }
}

TEMPLATE_LIST_TEST_CASE("the bound of tied numbers is the k-th of them", "[rank_bound]", numbers) {
  std::mt19937_64 generator(4);
  for (const std::size_t size : sizes) {
    CAPTURE(size);
    CHECK(wrong_bounds(tied_numbers<TestType>(vectors<TestType>(size), generator)) == 0);
    CHECK(wrong_bounds(std::vector<TestType>(vectors<TestType>(size), TestType(7))) == 0);
  }
}

TEMPLATE_LIST_TEST_CASE("a bound is found among the extremes of the type", "[rank_bound]", numbers) {
  std::mt19937_64 generator(5);
  for (const std::size_t size : sizes) {
    CAPTURE(size);
    CHECK(wrong_bounds(extreme_numbers<TestType>(vectors<TestType>(size), generator)) == 0);
  }
  CHECK(wrong_bounds(std::vector<TestType>(vectors<TestType>(300), limits<TestType>::max())) == 0);
  CHECK(wrong_bounds(std::vector<TestType>(vectors<TestType>(300), limits<TestType>::lowest())) == 0);
}

TEMPLATE_LIST_TEST_CASE("a bound is found among numbers in order", "[rank_bound]", numbers) {
  std::mt19937_64 generator(6);
  for (const std::size_t size : {1u, 33u, 256u, 1000u}) {
    auto values = random_numbers<TestType>(vectors<TestType>(size), generator);
    std::sort(values.begin(), values.end());
    CAPTURE(size);
    CHECK(wrong_bounds(values) == 0);
    std::reverse(values.begin(), values.end());
    CHECK(wrong_bounds(values) == 0);
  }
}

TEMPLATE_TEST_CASE("a bound is found among numbers of all magnitudes", "[rank_bound]", float, double) {
  std::mt19937_64 generator(7);
  for (const std::size_t size : {1u, 8u, 33u, 256u, 1000u}) {
    CAPTURE(size);
    CHECK(wrong_bounds(numbers_of_all_magnitudes<TestType>(vectors<TestType>(size), generator)) == 0);
  }
}

TEMPLATE_LIST_TEST_CASE("a bound is found whatever the sampled vectors hold", "[rank_bound]", numbers) {
  for (const std::size_t size : {256u, 300u, 1024u})
    for (const std::size_t step : {size / 32, std::size_t{2}, std::size_t{3}}) {  // of 32 sampled vectors, and others
      CAPTURE(size, step);
      CHECK(wrong_bounds(numbers_with_outstanding_vectors<TestType>(vectors<TestType>(size), step, false)) == 0);
      CHECK(wrong_bounds(numbers_with_outstanding_vectors<TestType>(vectors<TestType>(size), step, true)) == 0);
    }
}
