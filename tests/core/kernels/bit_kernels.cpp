#include <annulus/core/base/random.hpp>
#include <annulus/core/kernels/bit_kernels.hpp>

#include "catch.hpp"

#include <vector>

using namespace annulus;
using detail::common_bits;
using detail::count_bits;
using detail::differing_bits;
using detail::second_bits;

namespace {

using bytes = std::vector<std::uint8_t>;
using lengths = std::vector<std::size_t>;

/// Of exactly this size, so that a sanitizer sees any read past the end.
bytes random_bytes(std::size_t n, std::uint64_t seed) {
  const counter_random random(seed);
  bytes row(n);
  for (std::size_t i = 0; i < n; ++i) row[i] = static_cast<std::uint8_t>(random.bits(i));
  return row;
}

template <class Combine>
std::uint32_t counted_one_by_one(const std::uint8_t* a, const std::uint8_t* b, std::size_t n) {
  const auto combined = [](std::uint8_t x, std::uint8_t y) {
    if constexpr (std::same_as<Combine, differing_bits>) return static_cast<std::uint8_t>(x ^ y);
    else if constexpr (std::same_as<Combine, common_bits>) return static_cast<std::uint8_t>(x & y);
    else return y;
  };
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (unsigned bit = 0; bit < 8; ++bit) count += combined(a[i], b[i]) >> bit & 1u;
  return count;
}

/// The lengths at which two rows that start anywhere are counted wrongly.
template <class Combine, class Bits>
lengths wrong_pairs() {
  lengths wrong;
  for (std::size_t n = 0; n <= 300; ++n)
    for (const std::size_t offset : {0u, 1u, 7u}) {
      const auto a = random_bytes(offset + n, 1 + n), b = random_bytes(1 + n, 1000 + n);
      const auto found = count_bits<Combine, Bits>(a.data() + offset, b.data() + 1, n);
      if (found != counted_one_by_one<Combine>(a.data() + offset, b.data() + 1, n)) wrong.push_back(n);
    }
  return wrong;
}

/// The lengths at which any of so many rows, packed or apart, is counted other than it is alone.
template <class Combine, class Bits>
lengths wrong_rows() {
  lengths wrong;
  const auto try_shape = [&](std::size_t n, std::size_t gap, std::size_t count) {
    const std::size_t stride = n + gap;
    const auto query = random_bytes(n, 2 + n),
               rows = random_bytes(count == 0 ? 0 : (count - 1) * stride + n, n + count);
    std::vector<std::uint32_t> found(count);
    count_bits<Combine, Bits>(query.data(), n, rows.data(), stride, count, found.data());
    for (std::size_t i = 0; i < count; ++i)
      if (found[i] != counted_one_by_one<Combine>(query.data(), rows.data() + i * stride, n)) {
        wrong.push_back(n);
        break;
      }
  };
  for (std::size_t n = 0; n <= 130; ++n)
    for (const std::size_t gap : {0u, 3u}) try_shape(n, gap, 35);
  for (const std::size_t n : {255u, 256u, 257u, 320u}) try_shape(n, 0, 9);
  for (const std::size_t n : {8u, 16u, 32u, 20u, 64u})
    for (std::size_t count = 0; count < 35; ++count) try_shape(n, 0, count);
  return wrong;
}

template <class Bits>
void counts_rightly() {
  const lengths none;
  CHECK(wrong_pairs<differing_bits, Bits>() == none);
  CHECK(wrong_pairs<common_bits, Bits>() == none);
  CHECK(wrong_pairs<second_bits, Bits>() == none);
  CHECK(wrong_rows<differing_bits, Bits>() == none);
  CHECK(wrong_rows<common_bits, Bits>() == none);
  CHECK(wrong_rows<second_bits, Bits>() == none);
}

}  // namespace

TEST_CASE("bits are counted right for every length of rows, by SIMD", "[bit_rows]") { counts_rightly<simd::bits>(); }

TEST_CASE("bits are counted right for every length of rows, without SIMD", "[bit_rows]") {
  counts_rightly<simd::scalar_bits>();
}

TEST_CASE("rows of which every bit differs are counted to the last, however long", "[bit_rows]") {
  for (const std::size_t n : {1u, 8u, 16u, 32u, 64u, 100u, 256u, 5000u, 100000u}) {
    const bytes zeros(n, 0), ones(20 * n, 255);
    std::vector<std::uint32_t> found(20);
    count_bits<differing_bits>(zeros.data(), n, ones.data(), n, 20, found.data());
    CHECK(found == std::vector<std::uint32_t>(20, static_cast<std::uint32_t>(8 * n)));
    CHECK(count_bits<differing_bits>(zeros.data(), ones.data(), n) == 8 * n);
    CHECK(count_bits<common_bits>(zeros.data(), ones.data(), n) == 0);
  }
}

TEST_CASE("each byte of a vector is told to be zero or not by its own bit", "[bit_rows]") {
  using bits = simd::bits;
  for (std::size_t at = 0; at < bits::bytes; ++at)
    for (const std::uint8_t value : {std::uint8_t{1}, std::uint8_t{128}, std::uint8_t{255}}) {
      bytes row(bits::bytes);
      row[at] = value;
      REQUIRE(bits::nonzero_bytes(bits::load(row.data())) == std::uint64_t{1} << at);
      row.assign(bits::bytes, value);
      row[at] = 0;
      const std::uint64_t all = ~std::uint64_t{0} >> (64 - bits::bytes);
      REQUIRE(bits::nonzero_bytes(bits::load(row.data())) == (all ^ std::uint64_t{1} << at));
    }
}

TEST_CASE("the scalar vector tells its zero bytes as the wide ones do", "[bit_rows]") {
  const bytes row{0, 1, 0, 128, 255, 0, 0, 3};
  CHECK(simd::scalar_bits::nonzero_bytes(simd::scalar_bits::load(row.data())) == 0b10011010);
}
