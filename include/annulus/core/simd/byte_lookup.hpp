#pragma once

/// \file
/// Sums of weights chosen by bits, for 32 rows of bits side by side, by byte shuffles of tables (after André, Kermarrec
/// and Le Scouarnec, "Cache locality is not enough", VLDB 2015), or by masks where a build has no such shuffles.
///
/// The rows lie in columns: byte 32 c + byte_of_row(r) holds the bits 8c, ..., 8c + 7 of row r, the first as the
/// lowest. Each bit i has a weight z_i; what is summed is |z_i| for each bit that is set where z_i > 0, or not set
/// where z_i < 0: the sum of the weights of the bits that are set, and a constant. The magnitudes of 24 weights in a
/// row, from a multiple of 24 on, sum to at most 255, so that bytes hold the sum of three columns. All kernels give the
/// same sums.

#include <annulus/core/simd/lookup_rows.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

static_assert(std::endian::native == std::endian::little, "annulus: tables are written as words");

/// Writes the 2^N entries, 8 or more bytes, of the table of N weights: entry j is the sum for the bits of j.
template <std::size_t N>
inline void fill_table(const std::int16_t (&weights)[N], std::uint8_t* table) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101u;
  constexpr std::uint64_t set[3] = {0x0100010001000100u, 0x0101000001010000u, 0x0101010100000000u};
  constexpr std::size_t words = N > 3 ? std::size_t{1} << (N - 3) : 1;
  std::uint64_t entries[words] = {};  // eight bytes each, none of which ever exceeds 255
  unroll<N>([&](auto i) {             // signs are as good as random: no branches
    const std::int32_t weight = weights[i], sign = weight >> 31;
    const auto magnitude = static_cast<std::uint64_t>((weight ^ sign) - sign);
    const std::uint64_t negative = static_cast<std::uint64_t>(std::int64_t{sign});
    if constexpr (i < 3) {
      entries[0] += magnitude * (set[i] ^ (ones & negative));
    } else {
      constexpr std::size_t half = std::size_t{1} << (i - 3);
      const std::uint64_t without = magnitude * ones & negative, with = magnitude * ones & ~negative;
      for (std::size_t j = 0; j < half; ++j) {
        entries[j + half] = entries[j] + with;
        entries[j] += without;
      }
    }
  });
  std::memcpy(table, entries, sizeof entries);
}

// A kernel is a struct with
//   table_bytes(columns)                      the memory of its tables, aligned to 64
//   fill(weights, columns, tables)            the tables of 8 * columns weights
//   sum(block, columns, tables, sums)         sums[r] = the sum of row r, for 32 rows and at most columns_a_short
//   columns

/// Two tables a column, of four bits each.
struct nibble_tables {
  static constexpr std::size_t table_bytes(std::size_t columns) noexcept { return 32 * columns; }
  static void fill(const std::int16_t* weights, std::size_t columns, std::uint8_t* tables) noexcept {
    for (std::size_t i = 0; i < 2 * columns; ++i) {
      std::int16_t four[4];
      std::memcpy(four, weights + 4 * i, sizeof four);
      fill_table(four, tables + 16 * i);
    }
  }
};

/// The reference, and what builds without SIMD use.
struct scalar_lookup : nibble_tables {
  static void sum(const std::uint8_t* block, std::size_t columns, const std::uint8_t* tables,
                  std::int32_t* sums) noexcept {
    std::fill_n(sums, rows_a_block, 0);
    for (std::size_t c = 0; c < columns; ++c, block += rows_a_block, tables += 32)
      for (std::size_t r = 0; r < rows_a_block; ++r) {
        const std::uint8_t byte = block[byte_of_row(r)];
        sums[r] += tables[byte & 15u] + tables[16 + (byte >> 4)];
      }
  }
};

#if defined(__SSE2__)

/// Without a byte shuffle: comparisons make a mask of each bit, which keeps the bit's weight. Three times as slow as
/// shuffles, and five times as fast as look-ups one by one.
struct masked_lookup {
  /// Of a column: each of its weights in a vector, and a vector of the bits that count where they are not set.
  static constexpr std::size_t column_bytes = 9 * sizeof(__m128i);
  static constexpr std::size_t table_bytes(std::size_t columns) noexcept { return column_bytes * columns; }

  static void fill(const std::int16_t* weights, std::size_t columns, std::uint8_t* tables) noexcept {
    for (std::size_t c = 0; c < columns; ++c, weights += 8, tables += column_bytes) {
      int flipped = 0;
      for (int i = 0; i < 8; ++i) {
        flipped |= (weights[i] < 0 ? 1 : 0) << i;
        put(weights[i] < 0 ? -weights[i] : weights[i], tables, i);
      }
      put(flipped, tables, 8);
    }
  }

  static void sum(const std::uint8_t* block, std::size_t columns, const std::uint8_t* tables,
                  std::int32_t* sums) noexcept {
    xmm_rows::total totals[2];
    for (std::size_t c = 0; c < columns;) {
      __m128i entries[2] = {_mm_setzero_si128(), _mm_setzero_si128()};
      for (const std::size_t end = std::min(c + columns_a_sum, columns); c < end; ++c) {
        add_column(block, tables, entries);
        block += rows_a_block;
        tables += column_bytes;
      }
      for (std::size_t h = 0; h < 2; ++h) xmm_rows::add(totals[h], entries[h]);
    }
    for (std::size_t h = 0; h < 2; ++h) xmm_rows::store(totals[h], sums + h * xmm_rows::rows / 4);
  }

 private:
  static void put(int byte, std::uint8_t* tables, int i) noexcept {
    _mm_store_si128(reinterpret_cast<__m128i*>(tables) + i, _mm_set1_epi8(static_cast<char>(byte)));
  }
  static void add_column(const std::uint8_t* column, const std::uint8_t* tables, __m128i (&entries)[2]) noexcept {
    const auto part = [&](std::size_t i) { return xmm_rows::table(tables + i * sizeof(__m128i)); };
    const __m128i bytes[2] = {_mm_xor_si128(xmm_rows::load(column), part(8)),
                              _mm_xor_si128(xmm_rows::load(column + xmm_rows::rows), part(8))};
    unroll<8>([&](auto i) {
      const __m128i bit = _mm_set1_epi8(static_cast<char>(1u << i)), weight = part(i);
      unroll<2>([&](auto h) {
        const __m128i is_set = _mm_cmpeq_epi8(_mm_and_si128(bytes[h], bit), bit);
        entries[h] = xmm_rows::add(entries[h], _mm_and_si128(is_set, weight));
      });
    });
  }
};

#endif

/// By shuffles of tables of 16 bytes.
template <class Rows>
struct shuffle_lookup : nibble_tables {
  using type = typename Rows::type;

  static void sum(const std::uint8_t* block, std::size_t columns, const std::uint8_t* tables,
                  std::int32_t* sums) noexcept {
    for (std::size_t r = 0; r < rows_a_block; r += Rows::rows) {
      typename Rows::total total;
      const std::uint8_t *codes = block + r, *table = tables;
      std::size_t c = columns;
      for (; c >= columns_a_sum; c -= columns_a_sum, codes += columns_a_sum * rows_a_block, table += 32 * columns_a_sum)
        Rows::add(total, Rows::add(Rows::add(entries(codes, table), entries(codes + rows_a_block, table + 32)),
                                   entries(codes + 2 * rows_a_block, table + 64)));
      for (; c > 0; --c, codes += rows_a_block, table += 32) Rows::add(total, entries(codes, table));
      Rows::store(total, sums + r / 4);  // half of the bytes hold every second four rows
    }
  }

 private:
  static type entries(const std::uint8_t* codes, const std::uint8_t* table) noexcept {
    const type v = Rows::load(codes);
    return Rows::add(Rows::look_up_low(Rows::table(table), v), Rows::look_up_high(Rows::table(table + 16), v));
  }
};

#if defined(__AVX512VBMI__)

/// By vpermi2b, whose table of 64 bytes is that of six bits: four look-ups for three columns. The fourth is by the two
/// bits of each column that the other three leave over.
struct permute_lookup {
  static constexpr std::size_t table_bytes(std::size_t columns) noexcept {
    return 256 * ((columns + columns_a_sum - 1) / columns_a_sum);
  }
  static void fill(const std::int16_t* weights, std::size_t columns, std::uint8_t* tables) noexcept {
    for (std::size_t c = 0; c < columns; c += columns_a_sum, weights += 24, tables += 256) {
      std::int16_t last[6] = {};
      for (std::size_t i = 0; i < columns_a_sum; ++i) {
        std::int16_t six[6] = {};
        if (c + i < columns) {
          std::memcpy(six, weights + 8 * i, sizeof six);
          std::memcpy(last + 2 * i, weights + 8 * i + 6, 2 * sizeof *last);
        }
        fill_table(six, tables + 64 * i);
      }
      fill_table(last, tables + 192);
    }
  }

  static void sum(const std::uint8_t* block, std::size_t columns, const std::uint8_t* tables,
                  std::int32_t* sums) noexcept {
    ymm_rows::total total;
    const auto column = [&](std::size_t c) { return ymm_rows::load(block + c * rows_a_block); };
    std::size_t c = 0;
    for (; c + columns_a_sum <= columns; c += columns_a_sum, tables += 256)
      ymm_rows::add(total, entries(column(c), column(c + 1), column(c + 2), tables));
    if (c < columns) {
      const type none = _mm256_setzero_si256();
      ymm_rows::add(total, entries(column(c), c + 1 < columns ? column(c + 1) : none, none, tables));
    }
    ymm_rows::store(total, sums);
  }

 private:
  using type = __m256i;

  static type look_up(const std::uint8_t* table, type v) noexcept {
    const type* const halves = reinterpret_cast<const type*>(table);
    return _mm256_permutex2var_epi8(_mm256_load_si256(halves), v, _mm256_load_si256(halves + 1));
  }

  static type entries(type a, type b, type c, const std::uint8_t* tables) noexcept {
    constexpr int choose = 0xCA;  // bits of the second operand where the first is set, else of the third
    const type low =
        _mm256_ternarylogic_epi32(_mm256_set1_epi8(12), _mm256_srli_epi16(b, 4), _mm256_srli_epi16(a, 6), choose);
    const type rest = _mm256_ternarylogic_epi32(_mm256_set1_epi8(48), _mm256_srli_epi16(c, 2), low, choose);
    return _mm256_add_epi8(_mm256_add_epi8(look_up(tables, a), look_up(tables + 64, b)),
                           _mm256_add_epi8(look_up(tables + 128, c), look_up(tables + 192, rest)));
  }
};
using byte_lookup = permute_lookup;

#elif defined(__AVX2__)
using byte_lookup = shuffle_lookup<ymm_rows>;
#elif defined(__SSSE3__)
using byte_lookup = shuffle_lookup<xmm_rows>;
#elif defined(__aarch64__) && defined(__ARM_NEON)
using byte_lookup = shuffle_lookup<neon_rows>;
#elif defined(__SSE2__)
using byte_lookup = masked_lookup;
#else
using byte_lookup = scalar_lookup;
#endif

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
