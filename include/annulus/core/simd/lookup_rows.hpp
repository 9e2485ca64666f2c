#pragma once

/// \file
/// Bytes of 32 rows side by side in vectors: how they lie, how they look up tables of 16 bytes, and their sums.

#include <annulus/core/simd/batch.hpp>

#include <cstddef>
#include <cstdint>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

/// The rows of a block, and the columns whose sums a byte holds.
inline constexpr std::size_t rows_a_block = 32, columns_a_sum = 3;

/// Where in a column a row's byte is: sums of every second byte, widened to 16 and 32 bits in place, are then those of
/// rows side by side.
constexpr std::size_t byte_of_row(std::size_t row) noexcept { return 4 * (row % 8) + row / 8; }

/// Columns up to which 16 bits hold the sums of a row.
inline constexpr std::size_t columns_a_short = 256 * columns_a_sum;

#if defined(__SSE2__)

/// 16 rows in a register.
struct xmm_rows {
  using type = __m128i;
  static constexpr std::size_t rows = 16;
  /// 16-bit words of all bytes, modulo 2^16, and of the odd ones.
  struct total {
    type all = _mm_setzero_si128(), odd = _mm_setzero_si128();
  };
  static type load(const std::uint8_t* p) noexcept { return _mm_loadu_si128(reinterpret_cast<const type*>(p)); }
  static type table(const std::uint8_t* p) noexcept { return _mm_load_si128(reinterpret_cast<const type*>(p)); }
#if defined(__SSSE3__)
  static type look_up_low(type table, type v) noexcept {
    return _mm_shuffle_epi8(table, _mm_and_si128(v, _mm_set1_epi8(15)));
  }
  static type look_up_high(type table, type v) noexcept { return look_up_low(table, _mm_srli_epi16(v, 4)); }
#endif
  static type add(type a, type b) noexcept { return _mm_add_epi8(a, b); }
  static void add(total& sum, type v) noexcept {
    sum.all = _mm_add_epi16(sum.all, v);
    sum.odd = _mm_add_epi16(sum.odd, _mm_srli_epi16(v, 8));
  }
  /// The sums of bytes 0, 1, 2 and 3 of each 32 bits, each rows_a_block / 4 apart.
  static void store(const total& sum, std::int32_t* sums) noexcept {
    const type even = _mm_sub_epi16(sum.all, _mm_slli_epi16(sum.odd, 8)), low = _mm_set1_epi32(0xFFFF);
    const auto put = [&](std::size_t byte, type v) {
      _mm_store_si128(reinterpret_cast<type*>(sums + byte * rows_a_block / 4), v);
    };
    put(0, _mm_and_si128(even, low));
    put(1, _mm_and_si128(sum.odd, low));
    put(2, _mm_srli_epi32(even, 16));
    put(3, _mm_srli_epi32(sum.odd, 16));
  }
};

#elif defined(__aarch64__) && defined(__ARM_NEON)

/// 16 rows in a register.
struct neon_rows {
  using type = uint8x16_t;
  static constexpr std::size_t rows = 16;
  /// 16-bit words of all bytes, modulo 2^16, and of the odd ones.
  struct total {
    uint16x8_t all = vdupq_n_u16(0), odd = vdupq_n_u16(0);
  };
  static type load(const std::uint8_t* p) noexcept { return vld1q_u8(p); }
  static type table(const std::uint8_t* p) noexcept { return vld1q_u8(p); }
  static type look_up_low(type table, type v) noexcept { return vqtbl1q_u8(table, vandq_u8(v, vdupq_n_u8(15))); }
  static type look_up_high(type table, type v) noexcept { return vqtbl1q_u8(table, vshrq_n_u8(v, 4)); }
  static type add(type a, type b) noexcept { return vaddq_u8(a, b); }
  static void add(total& sum, type v) noexcept {
    sum.all = vaddq_u16(sum.all, vreinterpretq_u16_u8(v));
    sum.odd = vsraq_n_u16(sum.odd, vreinterpretq_u16_u8(v), 8);
  }
  /// The sums of bytes 0, 1, 2 and 3 of each 32 bits, each rows_a_block / 4 apart.
  static void store(const total& sum, std::int32_t* sums) noexcept {
    const uint32x4_t even = vreinterpretq_u32_u16(vsubq_u16(sum.all, vshlq_n_u16(sum.odd, 8))),
                     odd = vreinterpretq_u32_u16(sum.odd), low = vdupq_n_u32(0xFFFF);
    const auto put = [&](std::size_t byte, uint32x4_t v) {
      vst1q_s32(sums + byte * rows_a_block / 4, vreinterpretq_s32_u32(v));
    };
    put(0, vandq_u32(even, low));
    put(1, vandq_u32(odd, low));
    put(2, vshrq_n_u32(even, 16));
    put(3, vshrq_n_u32(odd, 16));
  }
};

#endif

#if defined(__AVX2__)

/// 32 rows in a register.
struct ymm_rows {
  using type = __m256i;
  static constexpr std::size_t rows = 32;
  struct total {
    type all = _mm256_setzero_si256(), odd = _mm256_setzero_si256();
  };
  static type load(const std::uint8_t* p) noexcept { return _mm256_loadu_si256(reinterpret_cast<const type*>(p)); }
  static type table(const std::uint8_t* p) noexcept { return _mm256_broadcastsi128_si256(xmm_rows::table(p)); }
  static type look_up_low(type table, type v) noexcept {
    return _mm256_shuffle_epi8(table, _mm256_and_si256(v, _mm256_set1_epi8(15)));
  }
  static type look_up_high(type table, type v) noexcept { return look_up_low(table, _mm256_srli_epi16(v, 4)); }
  static type add(type a, type b) noexcept { return _mm256_add_epi8(a, b); }
  static void add(total& sum, type v) noexcept {
    sum.all = _mm256_add_epi16(sum.all, v);
    sum.odd = _mm256_add_epi16(sum.odd, _mm256_srli_epi16(v, 8));
  }
  static void store(const total& sum, std::int32_t* sums) noexcept {
    const type even = _mm256_sub_epi16(sum.all, _mm256_slli_epi16(sum.odd, 8)), low = _mm256_set1_epi32(0xFFFF);
    const auto put = [&](std::size_t byte, type v) {
      _mm256_store_si256(reinterpret_cast<type*>(sums + byte * rows_a_block / 4), v);
    };
    put(0, _mm256_and_si256(even, low));
    put(1, _mm256_and_si256(sum.odd, low));
    put(2, _mm256_srli_epi32(even, 16));
    put(3, _mm256_srli_epi32(sum.odd, 16));
  }
};

#endif

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
