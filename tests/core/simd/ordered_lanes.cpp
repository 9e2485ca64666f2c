#include <annulus/core/select/candidate.hpp>
#include <annulus/core/simd/ordered_lanes.hpp>

#include "catch.hpp"
#include "core/simd/lanes.hpp"

#include <algorithm>
#include <random>
#include <tuple>

#include "precise.hpp"

using namespace annulus;

namespace {

using numbers = std::tuple<float, double, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>;

/// The ordered integers of numbers, a vector at a time.
template <class Number>
std::vector<simd::ordered_int<Number>> ordered(std::vector<Number> values) {
  std::vector<simd::ordered_int<Number>> result;
  const std::size_t n = values.size();
  values.resize(n + simd::lanes<Number>);
  for (std::size_t i = 0; i < n; i += simd::lanes<Number>)
    for (const auto x : lanes_of(simd::ordered_lanes(simd::load(values.data() + i)))) result.push_back(x);
  result.resize(n);
  return result;
}

/// Ascending, each another number.
template <class Number>
std::vector<Number> ascending_numbers() {
  using limits = std::numeric_limits<Number>;
  if constexpr (std::is_floating_point_v<Number>) {
    const Number inf = limits::infinity(), one(1);
    return {-inf,
            limits::lowest(),
            -one,
            -limits::min(),
            -limits::denorm_min(),
            Number(0),
            limits::denorm_min(),
            limits::min(),
            one,
            Number(1.5),
            limits::max(),
            inf,
            limits::quiet_NaN()};
  } else {
    std::vector<Number> values{limits::min(), limits::min() + 1, limits::max() / 2, limits::max() - 1, limits::max()};
    if constexpr (std::is_signed_v<Number>) values.insert(values.begin() + 2, {-256, -1, 0, 1});
    return values;
  }
}

/// Bit patterns at random: numbers of every magnitude, and NaN of many kinds.
template <class Number>
std::vector<Number> random_numbers(std::size_t n) {
  std::mt19937_64 generator(1);
  using bits = std::conditional_t<sizeof(Number) == 8, std::uint64_t, std::uint32_t>;
  std::vector<Number> values;
  while (values.size() < n) values.push_back(std::bit_cast<Number>(static_cast<bits>(generator())));
  return values;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("ordered lanes are in the order of the numbers, with NaN last", "[simd]", numbers) {
  const auto integers = ordered(ascending_numbers<TestType>());
  CHECK(std::is_sorted(integers.begin(), integers.end()));
  CHECK(std::adjacent_find(integers.begin(), integers.end()) == integers.end());
}

TEMPLATE_LIST_TEST_CASE("ordered lanes are ordered bits with the highest bit flipped", "[simd]", numbers) {
  using integer = simd::ordered_int<TestType>;
  auto values = random_numbers<TestType>(5000);
  for (const TestType x : ascending_numbers<TestType>()) values.push_back(x);
  if constexpr (std::is_floating_point_v<TestType>) {
    values.push_back(-TestType(0));
    values.push_back(-std::numeric_limits<TestType>::quiet_NaN());
    if (denormals_are_zero()) std::erase_if(values, is_denormal<TestType>);
  }
  std::vector<integer> expected;
  for (const TestType x : values)
    expected.push_back(static_cast<integer>(ordered_bits(x)) ^ std::numeric_limits<integer>::lowest());
  CHECK(ordered(values) == expected);
}

TEMPLATE_TEST_CASE("ordered lanes of -0 and +0 are 0, and those of NaN of either sign the largest", "[simd]", float,
                   double) {
  const TestType nan = std::numeric_limits<TestType>::quiet_NaN();
  const auto largest = std::numeric_limits<simd::ordered_int<TestType>>::max();
  CHECK(ordered<TestType>({TestType(0), -TestType(0), nan, -nan}) ==
        std::vector<simd::ordered_int<TestType>>{0, 0, largest, largest});
}

TEMPLATE_TEST_CASE("lanes taken as another type keep their bits", "[simd]", float, std::int32_t, std::uint32_t) {
  const auto values = random_numbers<std::uint32_t>(simd::lanes<std::uint32_t>);
  const auto there = simd::same_bits<TestType>(simd::load(values.data()));
  CHECK(lanes_of(simd::same_bits<std::uint32_t>(there)) == values);
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(std::bit_cast<std::uint32_t>(lanes_of(there)[i]) == values[i]);
}

TEST_CASE("pairs of 32-bit integers are stored as integers of 64 bits, and no more than these", "[simd]") {
  constexpr std::size_t width = simd::lanes<std::int32_t>;
  std::mt19937_64 generator(2);
  for (int repetition = 0; repetition < 100; ++repetition) {
    std::vector<std::int32_t> upper(width);
    std::vector<std::uint32_t> lower(width);
    std::vector<std::int64_t> found(width + 2, 77), expected(width + 2, 77);
    for (std::size_t i = 0; i < width; ++i) {
      upper[i] = repetition == 0 ? -1 : repetition == 1 ? 0 : static_cast<std::int32_t>(generator());
      lower[i] = repetition == 0 ? 0 : repetition == 1 ? ~0u : static_cast<std::uint32_t>(generator());
      expected[i + 1] = std::int64_t{upper[i]} * (std::int64_t{1} << 32) + lower[i];
    }
    simd::store_pairs(found.data() + 1, simd::load(upper.data()), simd::load(lower.data()));
    REQUIRE(found == expected);
  }
}
