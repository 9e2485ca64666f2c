#include <annulus/core/simd/transpose.hpp>

#include "catch.hpp"
#include "core/rows.hpp"

using annulus::simd::transpose_square;
using annulus::simd::word_lanes;

namespace {

using square_rows = std::array<const std::uint8_t*, word_lanes>;

/// The transposed words by plain loops.
std::vector<std::int32_t> naive(const square_rows& rows, std::size_t first, std::int32_t flip) {
  std::vector<std::int32_t> out(word_lanes * word_lanes);
  for (std::size_t i = 0; i < word_lanes; ++i)
    for (std::size_t j = 0; j < word_lanes; ++j) {
      std::int32_t word;
      std::memcpy(&word, rows[i] + first + 4 * j, 4);
      out[j * word_lanes + i] = word ^ flip;
    }
  return out;
}

}  // namespace

TEST_CASE("transpose_4x4 takes rows of any stride", "[simd_transpose]") {
  for (const std::size_t stride : {4u, 5u, 19u})
    for (const std::size_t out_stride : {4u, 7u, 16u}) {
      std::vector<std::int32_t> rows(3 * stride + 4), found(3 * out_stride + 4, -1), expected = found;
      for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int32_t>(i * i);
      for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 4; ++j) expected[j * out_stride + i] = rows[i * stride + j];
      annulus::simd::transpose_4x4(rows.data(), stride, found.data(), out_stride);
      CHECK(found == expected);
    }
}

TEST_CASE("a square of words is transposed, wherever its rows begin", "[simd_transpose]") {
  std::mt19937_64 generator(1);
  for (std::size_t first = 0; first < 70; ++first)
    for (const std::int32_t flip : {0, -1, 1, static_cast<std::int32_t>(0x80808080u)}) {
      // Rows of their own, each at another misalignment, that end where they may no longer be read.
      std::vector<std::vector<std::uint8_t>> values;
      square_rows rows;
      for (std::size_t i = 0; i < word_lanes; ++i) {
        const std::size_t misaligned = (3 * i + first) % 7;
        values.push_back(rows::random_values<std::uint8_t>(misaligned + first + 4 * word_lanes, generator));
        rows[i] = values.back().data() + misaligned;
      }
      std::vector<std::int32_t> found(word_lanes * word_lanes);
      transpose_square(rows, first, flip, found.data());
      CAPTURE(first, flip);
      REQUIRE(found == naive(rows, first, flip));
    }
}

TEST_CASE("transposing writes a square and no more, at any alignment", "[simd_transpose]") {
  std::mt19937_64 generator(2);
  const auto values = rows::random_values<std::uint8_t>(4 * word_lanes, generator);
  square_rows rows;
  rows.fill(values.data());  // the same row may come again
  for (std::size_t before = 0; before < 5; ++before) {
    std::vector<std::int32_t> found(before + word_lanes * word_lanes + 3, 77);
    transpose_square(rows, 0, 0, found.data() + before);
    const auto begin = found.begin() + static_cast<std::ptrdiff_t>(before);
    CHECK(std::equal(begin, begin + word_lanes * word_lanes, naive(rows, 0, 0).begin()));
    CHECK(std::all_of(found.begin(), begin, [](auto x) { return x == 77; }));
    CHECK(std::all_of(begin + word_lanes * word_lanes, found.end(), [](auto x) { return x == 77; }));
  }
}

TEST_CASE("a square transposed twice is itself", "[simd_transpose]") {
  std::mt19937_64 generator(3);
  const auto values = rows::random_values<std::uint8_t>(4 * word_lanes * word_lanes, generator);
  square_rows rows;
  for (std::size_t i = 0; i < word_lanes; ++i) rows[i] = values.data() + 4 * word_lanes * i;
  std::vector<std::int32_t> once(word_lanes * word_lanes), twice(word_lanes * word_lanes);
  transpose_square(rows, 0, 12345, once.data());
  for (std::size_t i = 0; i < word_lanes; ++i)
    rows[i] = reinterpret_cast<const std::uint8_t*>(once.data() + word_lanes * i);
  transpose_square(rows, 0, 12345, twice.data());
  CHECK(std::memcmp(twice.data(), values.data(), values.size()) == 0);
}
