#include <annulus/knn/tiles.hpp>

#include "catch.hpp"
#include "core/rows.hpp"

#include <numeric>

using namespace annulus;
using namespace annulus::detail;

namespace {

template <class Coordinate>
using coordinates = std::vector<Coordinate>;

/// Rows of words, `count` of them, each of `d` coordinates and zeros up to a whole word.
template <class Coordinate>
std::vector<coordinate_word> packed(const std::vector<coordinates<Coordinate>>& rows, std::size_t words,
                                    coordinate_word bias = 0) {
  std::vector<coordinate_word> result(rows.size() * words);
  for (std::size_t r = 0; r < rows.size(); ++r)
    std::memcpy(result.data() + r * words, rows[r].data(), rows[r].size() * sizeof(Coordinate));
  for (auto& word : result) word ^= bias;
  return result;
}

template <std::size_t Width>
std::vector<coordinate_word> interleaved(const std::vector<coordinate_word>& rows, std::size_t count, unsigned words) {
  std::vector<coordinate_word> result(Width * words, 77);
  simd::interleave<Width>(rows.data(), count, words, result.data());
  return result;
}

/// How many products of a tile are not those of 64-bit scalars, of coordinates that make() draws.
template <class Coordinate, class Integers, class Make>
std::size_t wrong_products(unsigned words, std::size_t query_count, std::size_t row_count, Make make) {
  const std::size_t d = words * coordinates_a_word<Coordinate>;
  const auto draw = [&](std::size_t count) {
    std::vector<coordinates<Coordinate>> rows(count, coordinates<Coordinate>(d));
    for (auto& row : rows)
      for (auto& x : row) x = static_cast<Coordinate>(make());
    return rows;
  };
  const auto queries = draw(query_count), rows = draw(row_count);
  const auto left = interleaved<tile_queries>(packed(queries, words), query_count, words);
  const auto right = interleaved<tile_rows>(packed(rows, words, row_bias<Coordinate>), row_count, words);
  std::int32_t start[tile_queries] = {}, out[tile_queries * tile_rows];
  for (std::size_t q = 0; q < query_count; ++q) {
    start[q] = static_cast<std::int32_t>(q);
    if (row_bias<Coordinate> != 0)
      for (const auto x : queries[q]) start[q] -= 128 * x;
  }
  multiply_tile<Coordinate, Integers>(left.data(), right.data(), words, start, out);
  std::size_t wrong = 0;
  for (std::size_t q = 0; q < query_count; ++q)
    for (std::size_t r = 0; r < row_count; ++r) {
      auto product = static_cast<std::int64_t>(q);
      for (std::size_t i = 0; i < d; ++i) product += std::int64_t{queries[q][i]} * rows[r][i];
      wrong += out[q * tile_rows + r] != product;
    }
  return wrong;
}

}  // namespace

TEMPLATE_TEST_CASE("a tile holds the products of its queries and rows, on top of where each query starts", "[tiles]",
                   simd::integers, simd::scalar_integers) {
  if constexpr (simd::integers::bytes == TestType::bytes) {  // tiles are as wide as the build's registers
    std::mt19937_64 generator(1);
    for (const unsigned words : {1u, 2u, 3u, 4u, 5u, 64u, 99u})
      for (const std::size_t rows : {std::size_t{1}, tile_rows - 1, tile_rows}) {
        CAPTURE(words, rows);
        CHECK(wrong_products<std::int16_t, TestType>(words, 1 + words % tile_queries, rows,
                                                     [&] { return static_cast<int>(generator() % 6001) - 3000; }) == 0);
      }
  }
}

TEST_CASE("a tile of extreme coordinates is exact as long as products fit 32 bits", "[tiles]") {
  std::mt19937_64 generator(2);
  const auto either = [&] { return generator() % 2 == 0 ? 32767 : -32767; };
  CHECK(wrong_products<std::int16_t, simd::integers>(1, tile_queries, tile_rows, either) == 0);
  const auto large = [&] { return generator() % 2 == 0 ? 1023 : -1024; };  // 2,047 squares of at most 2^20
  CHECK(wrong_products<std::int16_t, simd::integers>(1023, tile_queries, tile_rows, large) == 0);
}

TEST_CASE("rows of bytes are multiplied as exactly", "[tiles]") {
  if constexpr (simd::has_byte_products) {
    std::mt19937_64 generator(3);
    for (const unsigned words : {1u, 2u, 3u, 5u, 64u, 99u})
      CHECK(wrong_products<std::int8_t, simd::integers>(words, 1 + words % tile_queries, tile_rows, [&] {
              return static_cast<int>(generator() % 255) - 127;
            }) == 0);
    // The longest rows that searches give to bytes, at the extremes.
    CHECK(wrong_products<std::int8_t, simd::integers>(16384, tile_queries, 3, [] { return 127; }) == 0);
    CHECK(wrong_products<std::int8_t, simd::integers>(16384, tile_queries, 3, [] { return -127; }) == 0);
  } else {
    CHECK(row_bias<std::int8_t> == static_cast<coordinate_word>(0x80808080u));  // there is no such tile to test
  }
}

TEST_CASE("interleaving puts word w of row r at w * width + r, and zeros where no row is", "[tiles]") {
  for (unsigned words = 1; words < 12; ++words)
    for (std::size_t count = 0; count <= tile_rows; ++count) {
      std::vector<coordinate_word> rows(count * words), out(tile_rows * words, 77);
      std::iota(rows.begin(), rows.end(), 1);
      simd::interleave<tile_rows>(rows.data(), count, words, out.data());
      std::size_t wrong = 0;
      for (std::size_t w = 0; w < words; ++w)
        for (std::size_t r = 0; r < tile_rows; ++r)
          wrong += out[w * tile_rows + r] != (r < count ? rows[r * words + w] : 0);
      CAPTURE(words, count);
      CHECK(wrong == 0);
    }
}
