#include <annulus/quantization/scan/byte_tables.hpp>

#include "catch.hpp"

#include <numeric>
#include <random>

#include "precise.hpp"

using namespace annulus;
using namespace annulus::detail;

namespace {

struct quantized {
  byte_table table;
  matrix<std::uint8_t> bytes;
};

quantized quantize(const matrix<float>& table, std::size_t stride = 0, bool mirrored = false) {
  quantized result{{}, matrix<std::uint8_t>(table.rows(), stride == 0 ? table.cols() : stride)};
  std::vector<float> origins(table.rows());
  result.table = quantize_table(table, result.bytes.cols(), result.bytes.data(), origins, mirrored);
  return result;
}

matrix<float> random_table(std::size_t m, std::size_t ks, float low, float high, std::mt19937& generator) {
  std::uniform_real_distribution<float> any(low, high);
  matrix<float> table(m, ks);
  for (std::size_t i = 0; i < m; ++i)
    for (float& x : table.row(i)) x = any(generator);
  return table;
}

/// Random codes' sums of bytes and of floats, in the order of the sub-spaces.
struct sums {
  std::uint32_t of_bytes = 0;
  float of_floats = 0;
};
sums random_code(const matrix<float>& table, const matrix<std::uint8_t>& bytes, std::mt19937& generator) {
  sums result;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const std::size_t code = generator() % table.cols();
    result.of_bytes += bytes(i, code);
    result.of_floats += table(i, code);
  }
  return result;
}

const std::vector<std::pair<float, float>> ranges = {{0.0f, 1.0f},        {-5.0f, 3.0f},    {1000.0f, 1000.5f},
                                                     {1e6f, 1e6f + 1.0f}, {0.0f, 1e-38f},   {-1e35f, 1e35f},
                                                     {0.0f, 1e-44f},      {-1e-3f, -1e-4f}, {7.0f, 7.0f}};

}  // namespace

TEST_CASE("a byte is its entry less the least of its sub-space, scaled and rounded to nearest", "[quantized_tables]") {
  std::mt19937 generator(1);
  for (std::size_t ks = 1; ks <= 70; ++ks)
    for (const std::size_t m : {1u, 5u}) {
      CAPTURE(ks, m);
      const auto table = random_table(m, ks, -2, 9, generator);
      const auto [quantized, bytes] = quantize(table, ks + 3);
      float widest = 0, offset = 0;
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < m; ++i) {
        const auto [least, greatest] = std::ranges::minmax(table.row(i));
        widest = std::max(widest, greatest - least);
        offset += least;
      }
      REQUIRE(quantized.is_finite);
      CHECK(quantized.offset == offset);
      CHECK(quantized.scale == (widest > 0 ? 255 / widest : 1));
      for (std::size_t i = 0; i < m; ++i) {
        const float least = std::ranges::min(table.row(i));
        for (std::size_t j = 0; j < ks; ++j) {
          const volatile float product = (table(i, j) - least) * quantized.scale;
          wrong += bytes(i, j) != std::floor(static_cast<double>(product) + 0.5);
        }
        for (std::size_t j = ks; j < ks + 3; ++j) wrong += bytes(i, j) != 0;
      }
      CHECK(wrong == 0);
    }
}

TEST_CASE("halves of a unit are rounded up", "[quantized_tables]") {
  for (const std::size_t ks : {7u, 16u, 70u}) {
    matrix<float> table(1, ks);
    table(0, 0) = -1;
    table(0, 1) = 254;
    for (std::size_t j = 2; j < ks; ++j) table(0, j) = static_cast<float>(j) - 0.5f;
    const auto [quantized, bytes] = quantize(table);
    REQUIRE(quantized.scale == 1);
    for (std::size_t j = 2; j < ks; ++j) CHECK(bytes(0, j) == j + 1);
  }
}

TEST_CASE("sums of bytes keep within their bound of the sums of floats", "[quantized_tables]") {
  std::mt19937 generator(2);
  for (const auto& [low, high] : ranges)
    for (const std::size_t m : {1u, 2u, 16u, 96u, 300u, 1000u})
      for (const std::size_t ks : {1u, 16u, 37u}) {
        const bool mirrored = generator() % 2 == 0;
        CAPTURE(low, high, m, ks, mirrored);
        const auto table = random_table(m, ks, low, high, generator);
        const auto [quantized, bytes] = quantize(table, 0, mirrored);
        REQUIRE(quantized.is_finite);
        std::size_t beyond = 0, left_out = 0;
        for (int times = 0; times < 50; ++times) {
          const auto code = random_code(table, bytes, generator);
          const double expected = static_cast<double>(quantized.scale) *
                                  (static_cast<double>(code.of_floats) - static_cast<double>(quantized.offset));
          beyond += !(std::abs(code.of_bytes - expected) <= quantized.bound);
          left_out += code.of_bytes >= quantized.limit(code.of_floats);
        }
        CHECK(beyond == 0);
        CHECK(left_out == 0);
      }
}

TEST_CASE("a mirrored table is the complement of the table of its negatives", "[quantized_tables]") {
  std::mt19937 generator(12);
  for (const auto& [low, high] : ranges)
    for (const std::size_t ks : {1u, 16u, 37u}) {
      CAPTURE(low, high, ks);
      const auto table = random_table(6, ks, low, high, generator);
      matrix<float> negative = table;
      for (std::size_t i = 0; i < table.rows(); ++i)
        for (float& x : negative.row(i)) x = -x;
      const auto bytes = quantize(table).bytes, mirrored = quantize(negative, 0, true).bytes;
      for (std::size_t i = 0; i < table.rows(); ++i) {
        const int top = *std::ranges::max_element(bytes.row(i));
        std::size_t different = 0;
        for (std::size_t c = 0; c < ks; ++c) different += mirrored(i, c) != top - bytes(i, c);
        CHECK(different == 0);
      }
    }
}

TEST_CASE("the bound is half a unit a sub-space and little more where entries are near their spans",
          "[quantized_tables]") {
  std::mt19937 generator(3);
  for (const std::size_t m : {1u, 8u, 64u, 256u}) {
    const auto table = random_table(m, 16, 0, 4, generator);
    const double bound = quantize(table).table.bound;
    CHECK(bound >= static_cast<double>(m) / 2);
    CHECK(bound <= 1.02 * static_cast<double>(m) / 2 + 0.1);
  }
}

TEST_CASE("no sum of bytes exceeds the largest, whatever the number of sub-spaces", "[quantized_tables]") {
  for (std::size_t m = 1; m <= 700; ++m)
    for (const float span : {1.0f, 0.3f, 12345.678f}) {
      matrix<float> table(m, 2);
      for (std::size_t i = 0; i < m; ++i) table(i, 1) = span;
      const auto [quantized, bytes] = quantize(table);
      std::uint32_t sum = 0;
      for (std::size_t i = 0; i < m; ++i) sum += bytes(i, 1);
      CAPTURE(m, span, quantized.scale);
      REQUIRE(sum <= byte_table::largest_sum);
      REQUIRE(sum + m >= std::min<std::size_t>(255 * m, byte_table::largest_sum - m));  // what there is is used
    }
}

TEST_CASE("a table without spans has bytes of zero and the offset for a distance", "[quantized_tables]") {
  const auto [quantized, bytes] = quantize(matrix<float>(3, 16, 2.5f));
  CHECK(quantized.scale == 1);
  CHECK(quantized.distance(0) == 7.5f);
  CHECK(bytes == matrix<std::uint8_t>(3, 16));
}

TEST_CASE("a distance is the sum over the scale and the offset", "[quantized_tables]") {
  matrix<float> table(2, 2);
  table(0, 0) = 3;
  table(0, 1) = 1;
  table(1, 1) = 0.5f;
  const auto [quantized, bytes] = quantize(table);
  CHECK(quantized.scale == 127.5f);
  CHECK(bytes(0, 0) == 255);
  CHECK(bytes(1, 1) == 64);  // 63.75
  CHECK(quantized.distance(255 + 64) == 319 / 127.5f + 1);
}

TEST_CASE("a table with an entry, a span or an offset that is not finite is named so", "[quantized_tables]") {
  constexpr float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float most = std::numeric_limits<float>::max();
  for (const std::size_t ks : {1u, 2u, 15u, 16u, 17u, 33u})
    for (std::size_t at = 0; at < 3 * ks; ++at)
      for (const float bad : {infinity, -infinity, nan}) {
        matrix<float> table(3, ks, 1.0f);
        table.data()[at] = bad;
        CAPTURE(ks, at, bad);
        REQUIRE_FALSE(quantize(table).table.is_finite);
      }
  matrix<float> wide(1, 2, most);
  wide(0, 1) = -most;
  CHECK_FALSE(quantize(wide).table.is_finite);
  CHECK_FALSE(quantize(matrix<float>(2, 1, most)).table.is_finite);
}

TEST_CASE("limits reach from none to all", "[quantized_tables]") {
  std::mt19937 generator(4);
  const auto quantized = quantize(random_table(8, 16, 0, 1, generator)).table;
  CHECK(quantized.limit(-100) == 0);
  CHECK(quantized.limit(1e30f) == byte_table::largest_sum + 1);
  CHECK(quantized.limit(std::numeric_limits<float>::infinity()) == byte_table::largest_sum + 1);
  CHECK(quantized.limit(quantized.offset) <= 6);
}

TEST_CASE("bytes are coarse where few sub-spaces, or few codewords, take most of the range", "[quantized_tables]") {
  std::mt19937 generator(5);
  const auto is_coarse = [](const matrix<float>& table, bool mirrored = false) {
    return quantize(table, 0, mirrored).table.is_coarse;
  };
  for (const std::size_t m : {1u, 2u, 3u, 4u, 5u, 8u, 16u, 56u, 98u, 300u})
    for (const std::size_t ks : {16u, 256u}) {
      const auto table = random_table(m, ks, 3, 4, generator);
      CAPTURE(m, ks);
      CHECK_FALSE(is_coarse(table));
      CHECK_FALSE(is_coarse(table, true));
      // The share of sub-spaces that are as wide as the widest, where all others are a thousandth as wide.
      for (std::size_t n_wide = 1; n_wide < m; ++n_wide) {
        auto uneven = table;
        for (std::size_t i = n_wide; i < m; ++i)
          for (float& x : uneven.row(i)) x *= 1e-3f;
        const bool expected = 3 * n_wide < m || (n_wide < 4 && 4 * n_wide < 3 * m);
        CAPTURE(n_wide);
        CHECK(is_coarse(uneven) == expected);
        CHECK(is_coarse(uneven, true) == expected);
      }
      // A codeword far from all others in each sub-space.
      auto outlying = table;
      for (std::size_t i = 0; i < m; ++i) outlying(i, i % ks) = 1e4f;
      CHECK(is_coarse(outlying));
    }
}

TEST_CASE("bytes that have nothing to tell apart are not coarse, and those that cannot tell are",
          "[quantized_tables]") {
  CHECK_FALSE(quantize(matrix<float>(5, 16, 2.5f)).table.is_coarse);
  std::mt19937 generator(6);
  const auto narrow = random_table(5, 16, 0, 1e-41f, generator);
  CHECK(quantize(narrow).table.is_coarse != denormals_are_zero());
  auto constant_but_four = random_table(30, 16, 0, 1, generator);
  for (std::size_t i = 4; i < 30; ++i) std::ranges::fill(constant_but_four.row(i), 7.0f);
  CHECK_FALSE(quantize(constant_but_four).table.is_coarse);
}
