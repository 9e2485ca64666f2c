#include <Eigen/Core>
#include <annulus/core/simd/batch.hpp>

#include "catch.hpp"
#include "core/rows.hpp"
#include "core/simd/lanes.hpp"

using namespace annulus;

namespace {

/// The 16-bit patterns, other than those of NaN, that a vector load takes for another number than Eigen does.
template <class Half>
std::vector<unsigned> misread_patterns() {
  std::vector<unsigned> misread;
  for (unsigned first = 0; first < 65536; first += simd::lanes<float>) {
    Half packed[simd::lanes<float>];
    for (unsigned i = 0; i < simd::lanes<float>; ++i)
      packed[i] = Eigen::numext::bit_cast<Half>(static_cast<std::uint16_t>(first + i));
    const auto wide = lanes_of(simd::load(packed));
    for (unsigned i = 0; i < simd::lanes<float>; ++i) {
      const auto expected = static_cast<float>(packed[i]);
      if (expected == expected && std::bit_cast<std::uint32_t>(wide[i]) != std::bit_cast<std::uint32_t>(expected))
        misread.push_back(first + i);
    }
  }
  return misread;
}

}  // namespace

TEMPLATE_TEST_CASE("load_partial takes the first n elements and zeroes the rest", "[simd]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  using lane = typename decltype(simd::load(std::declval<const TestType*>()))::value_type;
  std::mt19937_64 generator(1);
  for (std::size_t n = 0; n < simd::lanes<lane>; ++n) {
    const auto values = rows::random_values<TestType>(n, generator);
    std::vector<lane> expected(simd::lanes<lane>);
    std::transform(values.begin(), values.end(), expected.begin(), [](TestType x) { return static_cast<lane>(x); });
    CHECK(lanes_of(simd::load_partial(values.data(), n)) == expected);
  }
}

TEST_CASE("half loads are exact for every bit pattern", "[simd]") {
  CHECK(misread_patterns<Eigen::half>() == std::vector<unsigned>{});
}

TEST_CASE("bfloat16 loads are exact for every bit pattern", "[simd]") {
  CHECK(misread_patterns<Eigen::bfloat16>() == std::vector<unsigned>{});
}

TEMPLATE_TEST_CASE("reduce_add adds halves until one lane is left", "[simd]", float, double) {
  std::mt19937_64 generator(2);
  for (int repetition = 0; repetition < 100; ++repetition) {
    auto lanes = rows::random_values<TestType>(simd::lanes<TestType>, generator);
    const TestType sum = simd::reduce_add(simd::load(lanes.data()));
    for (std::size_t half = lanes.size() / 2; half > 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    REQUIRE(sum == lanes[0]);
  }
}

TEMPLATE_TEST_CASE("reduce_add of four vectors at once has the bits of four reductions", "[simd]", float, double) {
  std::mt19937_64 generator(3);
  for (int repetition = 0; repetition < 100; ++repetition) {
    simd::batch<TestType> vectors[4];
    std::vector<TestType> sums(4), expected;
    for (auto& v : vectors) {
      v = simd::load(rows::random_values<TestType>(simd::lanes<TestType>, generator).data());
      expected.push_back(simd::reduce_add(v));
    }
    simd::reduce_add(vectors, sums.data());
    REQUIRE(sums == expected);
  }
}

TEMPLATE_TEST_CASE("reduce_max finds the greatest lane wherever it is", "[simd]", float, double) {
  for (std::size_t i = 0; i < simd::lanes<TestType>; ++i) {
    std::vector<TestType> lanes(simd::lanes<TestType>, TestType(-2));
    lanes[i] = TestType(-1);
    CHECK(simd::reduce_max(simd::load(lanes.data())) == TestType(-1));
  }
}

TEMPLATE_TEST_CASE("integers are summed and their greatest found over all lanes", "[simd]", std::int32_t,
                   std::int64_t) {
  std::mt19937_64 generator(5);
  for (int repetition = 0; repetition < 100; ++repetition) {
    std::vector<TestType> lanes(simd::lanes<TestType>);
    TestType sum = 0;
    for (TestType& x : lanes) sum += x = static_cast<TestType>(generator() % 2000001) - 1000000;
    REQUIRE(simd::reduce_add(simd::load(lanes.data())) == sum);
    REQUIRE(simd::reduce_max(simd::load(lanes.data())) == *std::max_element(lanes.begin(), lanes.end()));
  }
  for (std::size_t i = 0; i < simd::lanes<TestType>; ++i) {
    std::vector<TestType> lanes(simd::lanes<TestType>, std::numeric_limits<TestType>::lowest());
    CHECK(simd::reduce_max(simd::load(lanes.data())) == lanes[0]);
    lanes[i] = std::numeric_limits<TestType>::max();
    CHECK(simd::reduce_max(simd::load(lanes.data())) == lanes[i]);
  }
}

TEMPLATE_TEST_CASE("min_skip_nan takes the smaller of two lanes", "[simd]", float, double) {
  std::mt19937_64 generator(4);
  const auto a = rows::random_values<TestType>(simd::lanes<TestType>, generator);
  const auto b = rows::random_values<TestType>(simd::lanes<TestType>, generator);
  std::vector<TestType> expected;
  for (std::size_t i = 0; i < a.size(); ++i) expected.push_back(std::min(a[i], b[i]));
  CHECK(lanes_of(simd::min_skip_nan(simd::load(a.data()), simd::load(b.data()))) == expected);
}

TEMPLATE_TEST_CASE("min_skip_nan takes the smaller of two integers of any sign", "[simd]", std::int8_t, std::int16_t,
                   std::int32_t, std::int64_t) {
  std::mt19937_64 generator(6);
  constexpr std::size_t width = simd::lanes<TestType>;
  for (int repetition = 0; repetition < 100; ++repetition) {
    std::vector<TestType> a(width), b(width), expected(width);
    for (std::size_t i = 0; i < width; ++i) {
      a[i] = static_cast<TestType>(generator());
      b[i] = generator() % 4 == 0 ? a[i] : static_cast<TestType>(generator());
    }
    a[0] = std::numeric_limits<TestType>::max();
    b[0] = std::numeric_limits<TestType>::lowest();
    std::transform(a.begin(), a.end(), b.begin(), expected.begin(),
                   [](TestType x, TestType y) { return std::min(x, y); });
    REQUIRE(lanes_of(simd::min_skip_nan(simd::load(a.data()), simd::load(b.data()))) == expected);
    REQUIRE(lanes_of(simd::min_skip_nan(simd::load(b.data()), simd::load(a.data()))) == expected);
  }
}

TEMPLATE_TEST_CASE("min_skip_nan keeps what it has where the candidate is NaN", "[simd]", float, double) {
  const simd::batch<TestType> nan(std::numeric_limits<TestType>::quiet_NaN());
  for (const TestType kept : {TestType(-1), TestType(0), std::numeric_limits<TestType>::infinity()}) {
    const std::vector<TestType> expected(simd::lanes<TestType>, kept);
    CHECK(lanes_of(simd::min_skip_nan(nan, simd::batch<TestType>(kept))) == expected);
  }
}

TEST_CASE("unroll calls with each constant, in order", "[simd]") {
  std::vector<std::size_t> seen;
  simd::unroll<4>([&](auto i) { seen.push_back(decltype(i)::value); });
  CHECK(seen == std::vector<std::size_t>{0, 1, 2, 3});
}

TEMPLATE_TEST_CASE("narrow integers are loaded as those of 32 bits", "[simd]", std::int8_t, std::uint8_t, std::int16_t,
                   std::uint16_t, char) {
  constexpr std::size_t width = simd::lanes<std::int32_t>;
  std::vector<TestType> narrow(width);  // of exactly this size, so that a sanitizer sees any read past the end
  for (int first = 0; first < 65536; first += 97) {
    for (std::size_t i = 0; i < width; ++i) narrow[i] = static_cast<TestType>(first + static_cast<int>(i) * 4099);
    alignas(64) std::int32_t wide[width];
    simd::load_widened(narrow.data()).store_aligned(wide);
    REQUIRE(std::equal(narrow.begin(), narrow.end(), wide));
  }
}

TEMPLATE_TEST_CASE("quotients and square roots are rounded correctly, to the ends of the range", "[batch]", float,
                   double) {
  using limits = std::numeric_limits<TestType>;
  using batch = annulus::simd::batch<TestType>;
  const std::vector<TestType> values{0,
                                     1,
                                     2,
                                     3,
                                     TestType(0.1),
                                     70,
                                     255,
                                     TestType(1e-20),
                                     TestType(1e20),
                                     7,
                                     10,
                                     128,
                                     1e-3f,
                                     limits::min(),
                                     limits::max(),
                                     limits::infinity()};
  for (const TestType a : values) {
    REQUIRE(lanes_of(annulus::simd::sqrt(batch(a)))[0] == std::sqrt(a));
    for (const TestType b : values)
      if (b != 0 && (a <= limits::max() || b <= limits::max()))
        REQUIRE(lanes_of(annulus::simd::divide(batch(a), batch(b)))[0] == a / b);
  }
}
