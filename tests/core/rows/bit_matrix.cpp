#include <annulus/core/rows/bit_matrix.hpp>

#include "catch.hpp"

using namespace annulus;

TEST_CASE("bits are zero on construction", "[points]") {
  const bit_matrix bits(3, 13);
  CHECK(bits.size() == 3);
  CHECK(bits.bits() == 13);
  CHECK(bits.dim() == 2);
  CHECK(std::count(bits.data(), bits.data() + 6, 0) == 6);
}

TEST_CASE("a bit that is set is the only one", "[points]") {
  for (std::size_t row = 0; row < 2; ++row)
    for (std::size_t bit = 0; bit < 19; ++bit) {
      bit_matrix bits(2, 19);
      bits.set(row, bit);
      std::vector<std::pair<std::size_t, std::size_t>> found;
      for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t j = 0; j < 19; ++j)
          if (bits.test(i, j)) found.push_back({i, j});
      REQUIRE(found == std::vector{std::pair{row, bit}});
    }
}

TEST_CASE("a bit that is cleared leaves the others", "[points]") {
  bit_matrix bits(1, 8);
  for (std::size_t bit = 0; bit < 8; ++bit) bits.set(0, bit);
  bits.set(0, 3, false);
  CHECK(bits(0, 0) == 0b11110111);
}

TEST_CASE("the first bit is the lowest of the first byte", "[points]") {
  bit_matrix bits(1, 16);
  bits.set(0, 0);
  bits.set(0, 9);
  CHECK(bits(0, 0) == 1);
  CHECK(bits(0, 1) == 2);
}

TEST_CASE("bits that a row does not have are neither read nor written", "[points]") {
  bit_matrix bits(2, 13);
  CHECK_THROWS_WITH(bits.set(0, 13), ContainsSubstring("bit = 13: must be below bits() = 13"));
  CHECK_THROWS_AS(bits.set(0, 16, false), std::invalid_argument);
  CHECK_THROWS_AS(bits.test(1, 15), std::invalid_argument);
  CHECK_THROWS_AS(bit_matrix(1, 0).test(0, 0), std::invalid_argument);
  STATIC_REQUIRE(std::same_as<decltype(bits.data()), const std::uint8_t*>);
  STATIC_REQUIRE(std::same_as<decltype(bits.row(0)), std::span<const std::uint8_t>>);
  STATIC_REQUIRE(!std::convertible_to<bit_matrix&, matrix<std::uint8_t>&>);
}

TEST_CASE("rows of bytes are rows of bits where nothing is set behind the last bit", "[points]") {
  matrix<std::uint8_t> bytes(2, 2, std::uint8_t{0xFF});
  CHECK(bit_matrix(bytes, 16).test(1, 15));
  CHECK_THROWS_WITH(bit_matrix(bytes, 13), ContainsSubstring("row 0 has a bit set behind the last of its 13 bits"));
  bytes(0, 1) = bytes(1, 1) = 0x1F;
  const bit_matrix bits(bytes, 13);
  CHECK(bits.bytes() == bytes);
  CHECK(bits.test(1, 12));
  CHECK_THROWS_AS(bit_matrix(bytes, 12), std::invalid_argument);
  CHECK_THROWS_AS(bit_matrix(bytes, 8), std::invalid_argument);
  CHECK_THROWS_AS(bit_matrix(bytes, 17), std::invalid_argument);
  CHECK(bit_matrix(matrix<std::uint8_t>(3, 0), 0).bits() == 0);
}

TEST_CASE("a row of bits is assigned from a value a bit", "[points]") {
  for (const std::size_t n : {0u, 1u, 7u, 8u, 9u, 19u}) {
    bit_matrix bits(2, n);
    for (std::size_t j = 0; j < n; ++j) bits.set(1, j);
    std::vector<std::uint8_t> values(n);
    for (std::size_t j = 0; j < n; ++j) values[j] = static_cast<std::uint8_t>(j % 3 * 100);
    bits.assign(1, values);
    for (std::size_t j = 0; j < n; ++j) REQUIRE(bits.test(1, j) == (values[j] != 0));
    CHECK_NOTHROW(bit_matrix(bits.bytes(), n));
    values.push_back(1);
    CHECK_THROWS_AS(bits.assign(1, values), std::invalid_argument);
  }
}
