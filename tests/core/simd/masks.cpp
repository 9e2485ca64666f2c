#include <annulus/core/simd/masks.hpp>

#include "catch.hpp"
#include "core/rows.hpp"

#include <algorithm>
#include <tuple>

using namespace annulus;

namespace {

/// Lanes of 1, 2, 4 and 8 bytes.
using all_lanes = std::tuple<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t,
                             std::int64_t, std::uint64_t, float, double>;

template <class T>
constexpr std::uint64_t every_lane = ~std::uint64_t{0} >> (64 - simd::lanes<T>);

/// Those that store_chosen and append_lanes take.
using wide_lanes = std::tuple<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, float, double>;

/// A different number in each lane, with bits in each of its bytes.
template <class T>
std::vector<T> distinct_lanes() {
  std::vector<T> values;
  for (std::size_t i = 0; i < simd::lanes<T>; ++i)
    if constexpr (std::is_floating_point_v<T>) values.push_back(T(0.1) + static_cast<T>(i));
    else values.push_back(static_cast<T>(0xF1E2D3C4B5A69788u + i * 0x0101010101010101u));
  return values;
}

/// Random choices, all lanes and none.
template <class T, class Position>
void check_append_lanes(Position first) {
  constexpr std::size_t width = simd::lanes<T>;
  std::mt19937_64 generator(5);
  const auto values = distinct_lanes<T>();
  for (int repetition = 0; repetition < 300; ++repetition) {
    const std::uint64_t all = every_lane<T>, bits = repetition == 0 ? 0 : repetition == 1 ? all : generator() & all;
    std::vector<T> expected_values, out(width);
    std::vector<Position> expected_positions, positions(width);
    for (std::size_t i = 0; i < width; ++i)
      if ((bits >> i & 1) != 0) {
        expected_values.push_back(values[i]);
        expected_positions.push_back(first + static_cast<Position>(i));
      }
    const std::size_t count = simd::append_lanes(simd::load(values.data()), bits, first, out.data(), positions.data());
    out.resize(count);
    positions.resize(count);
    REQUIRE(out == expected_values);
    REQUIRE(positions == expected_positions);
  }
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("bit i of a mask is lane i", "[simd]", all_lanes) {
  const simd::batch<TestType> five(TestType(5));
  for (std::size_t i = 0; i < simd::lanes<TestType>; ++i) {
    std::vector<TestType> lanes(simd::lanes<TestType>, TestType(7));
    lanes[i] = TestType(3);
    CHECK(simd::mask(simd::load(lanes.data()) < five) == std::uint64_t{1} << i);
  }
}

TEMPLATE_LIST_TEST_CASE("a mask has no bits beyond the lanes", "[simd]", all_lanes) {
  const simd::batch<TestType> zero(TestType(0));
  CHECK(simd::mask(zero == zero) == every_lane<TestType>);
  CHECK(simd::mask(zero != zero) == 0);
}

TEMPLATE_LIST_TEST_CASE("a mask has the bits of a plain loop over the lanes", "[simd]", all_lanes) {
  std::mt19937_64 generator(1);
  for (int repetition = 0; repetition < 300; ++repetition) {
    std::vector<TestType> a(simd::lanes<TestType>), b(simd::lanes<TestType>);
    for (TestType& x : a) x = static_cast<TestType>(generator() % 4);
    for (TestType& x : b) x = static_cast<TestType>(generator() % 4);
    std::uint64_t equal = 0, less = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      equal |= std::uint64_t{a[i] == b[i]} << i;
      less |= std::uint64_t{a[i] < b[i]} << i;
    }
    REQUIRE(simd::mask(simd::load(a.data()) == simd::load(b.data())) == equal);
    REQUIRE(simd::mask(simd::load(a.data()) < simd::load(b.data())) == less);
  }
}

TEMPLATE_TEST_CASE("sign bits are those of a plain loop for every count", "[simd]", float, double) {
  std::mt19937_64 generator(2);
  auto values = rows::random_values<TestType>(65, generator);
  values[3] = 0;
  values[17] = -values[3];
  for (std::size_t count = 0; count <= 64; ++count) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < count; ++i) bits |= std::uint64_t{values[i] >= 0} << i;
    CHECK(simd::sign_bits(values.data(), count) == bits);
  }
}

TEMPLATE_LIST_TEST_CASE("store_chosen writes the chosen lanes in order, whatever the choice, and within a vector",
                        "[simd]", wide_lanes) {
  constexpr std::size_t width = simd::lanes<TestType>;
  const auto values = distinct_lanes<TestType>();
  const auto v = simd::load(values.data());
  std::size_t wrong = 0, beside = 0;
  std::vector<TestType> found(width + 2), expected;
  for (std::uint64_t chosen = 0; chosen <= every_lane<TestType>; ++chosen) {
    std::fill(found.begin(), found.end(), TestType(77));
    simd::store_chosen(found.data() + 1, v, chosen);
    expected.clear();
    for (std::size_t i = 0; i < width; ++i)
      if ((chosen >> i & 1) != 0) expected.push_back(values[i]);
    wrong += !std::equal(expected.begin(), expected.end(), found.begin() + 1);
    beside += found.front() != TestType(77) || found.back() != TestType(77);
  }
  CHECK(wrong == 0);
  CHECK(beside == 0);
}

TEMPLATE_LIST_TEST_CASE("append_lanes writes the chosen lanes and positions of 4 and 8 bytes", "[simd]", wide_lanes) {
  check_append_lanes<TestType, std::uint32_t>(0);
  check_append_lanes<TestType, std::uint32_t>(4000000000u);
  check_append_lanes<TestType, std::uint64_t>(0xFFFFFFFDu);  // positions that go beyond 32 bits
  check_append_lanes<TestType, std::uint64_t>(std::uint64_t{1} << 63);
}
