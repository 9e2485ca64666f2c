#include <annulus/core/simd/masks.hpp>

#include "catch.hpp"
#include "core/rows.hpp"

#include <tuple>

using namespace annulus;

namespace {

/// Lanes of 1, 2, 4 and 8 bytes.
using all_lanes = std::tuple<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t,
                             std::int64_t, std::uint64_t, float, double>;

template <class T>
constexpr std::uint64_t every_lane = ~std::uint64_t{0} >> (64 - simd::lanes<T>);

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

TEST_CASE("append_lanes writes the chosen lanes and their positions in order", "[simd]") {
  constexpr std::size_t width = simd::lanes<float>;
  std::mt19937_64 generator(5);
  for (int repetition = 0; repetition < 300; ++repetition) {
    const std::uint64_t all = every_lane<float>, bits = repetition == 0 ? 0 : repetition == 1 ? all : generator() & all;
    const auto values = rows::random_values<float>(width, generator);
    std::vector<float> expected_values, out(width);
    std::vector<std::uint32_t> expected_positions, positions(width);
    for (std::uint32_t i = 0; i < width; ++i)
      if ((bits >> i & 1) != 0) {
        expected_values.push_back(values[i]);
        expected_positions.push_back(4000000000u + i);
      }
    const std::size_t count =
        simd::append_lanes(simd::load(values.data()), bits, 4000000000u, out.data(), positions.data());
    out.resize(count);
    positions.resize(count);
    REQUIRE(out == expected_values);
    REQUIRE(positions == expected_positions);
  }
}
