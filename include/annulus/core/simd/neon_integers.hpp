#pragma once

/// \file
/// The integer operations of integers.hpp in NEON, for 64-bit ARM. Bytes are multiplied four a lane where the build has
/// dot products (armv8.2-a+dotprod), else as pairs of 16 bits.

#include <annulus/core/simd/batch.hpp>

#include <concepts>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

#if defined(__aarch64__)

struct neon_integers {
  static constexpr std::size_t bytes = 16;
  using bytes_type = uint8x16_t;
  using shorts_type = uint8x16_t;
  using sums_type = int32x4_t;

  static uint8x16_t load(const void* p) noexcept { return vld1q_u8(static_cast<const std::uint8_t*>(p)); }
  static uint8x16_t load_partial(const void* p, std::size_t n) noexcept {
    alignas(16) std::uint8_t padded[bytes] = {};
    std::memcpy(padded, p, n);
    return load(padded);
  }
  static uint8x16_t load_shorts(const std::int16_t* p) noexcept { return load(p); }
  static uint8x16_t broadcast_word(std::int32_t word) noexcept { return vreinterpretq_u8_s32(vdupq_n_s32(word)); }
  static uint8x16_t zero_bytes() noexcept { return vdupq_n_u8(0); }
  static int32x4_t zero() noexcept { return vdupq_n_s32(0); }
  static int32x4_t broadcast_sum(std::int32_t sum) noexcept { return vdupq_n_s32(sum); }
  static uint8x16_t load_words(const std::int32_t* p) noexcept { return load(p); }
  static void store(std::int32_t* p, int32x4_t sums) noexcept { vst1q_s32(p, sums); }
  static uint8x16_t flip_sign(uint8x16_t v) noexcept { return veorq_u8(v, vdupq_n_u8(128)); }
  static uint8x16_t absolute_difference(uint8x16_t a, uint8x16_t b) noexcept { return vabdq_u8(a, b); }
  /// Of signed bytes; the result is unsigned.
  static uint8x16_t signed_difference(uint8x16_t a, uint8x16_t b) noexcept {
    return vreinterpretq_u8_s8(vabdq_s8(vreinterpretq_s8_u8(a), vreinterpretq_s8_u8(b)));
  }
  static uint8x16_t maximum(uint8x16_t a, uint8x16_t b) noexcept { return vmaxq_u8(a, b); }
  template <class Byte>
  static uint8x16_t widen_low(uint8x16_t v) noexcept {
    if constexpr (std::is_signed_v<Byte>) return vreinterpretq_u8_s16(vmovl_s8(vget_low_s8(vreinterpretq_s8_u8(v))));
    else return vreinterpretq_u8_u16(vmovl_u8(vget_low_u8(v)));
  }
  template <class Byte>
  static uint8x16_t widen_high(uint8x16_t v) noexcept {
    if constexpr (std::is_signed_v<Byte>) return vreinterpretq_u8_s16(vmovl_high_s8(vreinterpretq_s8_u8(v)));
    else return vreinterpretq_u8_u16(vmovl_high_u8(v));
  }
  static int32x4_t multiply_add(int32x4_t sum, uint8x16_t a, uint8x16_t b) noexcept {
    const int16x8_t x = vreinterpretq_s16_u8(a), y = vreinterpretq_s16_u8(b);
    return vaddq_s32(sum, vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y)));
  }
#if defined(__ARM_FEATURE_DOTPROD)
  /// sum_i += the products of four signed bytes and four signed ones, exact.
  static int32x4_t multiply_add_bytes(int32x4_t sum, uint8x16_t a, uint8x16_t b) noexcept {
    return add_byte_products<std::int8_t, std::int8_t>(sum, a, b);
  }
  /// The same where the second four are those of one lane, which needs no broadcast.
  template <int Lane>
  static int32x4_t multiply_add_lane(int32x4_t sum, uint8x16_t a, uint8x16_t b) noexcept {
    return vdotq_laneq_s32(sum, vreinterpretq_s8_u8(a), vreinterpretq_s8_u8(b), Lane);
  }
#endif
  /// Adds the products of bytes, each to an unspecified lane.
  template <class A, std::same_as<A> B>
  static int32x4_t add_byte_products(int32x4_t sum, uint8x16_t a, uint8x16_t b) noexcept {
    if constexpr (std::is_signed_v<A>) {
      const int8x16_t x = vreinterpretq_s8_u8(a), y = vreinterpretq_s8_u8(b);
#if defined(__ARM_FEATURE_DOTPROD)
      return vdotq_s32(sum, x, y);
#else
      return vpadalq_s16(vpadalq_s16(sum, vmull_s8(vget_low_s8(x), vget_low_s8(y))), vmull_high_s8(x, y));
#endif
    } else {
      const uint32x4_t from = vreinterpretq_u32_s32(sum);
#if defined(__ARM_FEATURE_DOTPROD)
      return vreinterpretq_s32_u32(vdotq_u32(from, a, b));
#else
      const uint32x4_t half = vpadalq_u16(from, vmull_u8(vget_low_u8(a), vget_low_u8(b)));
      return vreinterpretq_s32_u32(vpadalq_u16(half, vmull_high_u8(a, b)));
#endif
    }
  }
#if defined(__ARM_FEATURE_DOTPROD) && defined(__ARM_FEATURE_MATMUL_INT8)
  static constexpr bool multiplies_equal_types_only = false;
  template <std::same_as<std::uint8_t> A, std::same_as<std::int8_t> B>
  static int32x4_t add_byte_products(int32x4_t sum, uint8x16_t a, uint8x16_t b) noexcept {
    return vusdotq_s32(sum, a, vreinterpretq_s8_u8(b));
  }
#else
  static constexpr bool multiplies_equal_types_only = true;
#endif

  /// sums[q][v] lane i += the products of word q of the queries and word 4 v + i of the rows. Queries' coordinates are
  /// operands by lane, so that none has to be broadcast.
  template <class Coordinate, std::size_t Queries>
  [[gnu::always_inline]] static void multiply_add_words(int32x4_t (&sums)[Queries][2], const std::int32_t* queries,
                                                        const std::int32_t* rows) noexcept {
    static_assert(Queries % 4 == 0);
    const uint8x16_t front = load_words(rows), back = load_words(rows + 4);
#if defined(__ARM_FEATURE_DOTPROD)
    if constexpr (sizeof(Coordinate) == 1) {
      unroll<Queries>([&](auto q) ANNULUS_INLINED {
        constexpr int lane = decltype(q)::value % 4;
        const uint8x16_t query = load_words(queries + (q - lane));
        sums[q][0] = multiply_add_lane<lane>(sums[q][0], front, query);
        sums[q][1] = multiply_add_lane<lane>(sums[q][1], back, query);
      });
      return;
    }
#endif
    const int16x8_t low = vreinterpretq_s16_u8(front), high = vreinterpretq_s16_u8(back);
    const int16x8_t row[2] = {vuzp1q_s16(low, high), vuzp2q_s16(low, high)};  // one coordinate of all rows each
    unroll<2 * Queries>([&](auto c) ANNULUS_INLINED {
      constexpr std::size_t q = decltype(c)::value / 2, which = decltype(c)::value % 2;
      constexpr int lane = decltype(c)::value % 8;
      const int16x8_t query = vreinterpretq_s16_u8(load_words(queries + q / 4 * 4));
      sums[q][0] = vmlal_laneq_s16(sums[q][0], vget_low_s16(row[which]), query, lane);
      sums[q][1] = vmlal_high_laneq_s16(sums[q][1], row[which], query, lane);
    });
  }

  static int32x4_t add(int32x4_t a, int32x4_t b) noexcept { return vaddq_s32(a, b); }
  static int32x4_t subtract(int32x4_t a, int32x4_t b) noexcept { return vsubq_s32(a, b); }
  static int32x4_t least(int32x4_t a, int32x4_t b) noexcept { return vminq_s32(a, b); }
  static int32x4_t greatest(int32x4_t a, int32x4_t b) noexcept { return vmaxq_s32(a, b); }
  static int32x4_t where_less(int32x4_t a, int32x4_t b, int32x4_t x, int32x4_t y) noexcept {
    return vbslq_s32(vcltq_s32(a, b), x, y);
  }
  static int32x4_t add_bytes(int32x4_t sum, uint8x16_t v) noexcept {
#if defined(__ARM_FEATURE_DOTPROD)
    return vreinterpretq_s32_u32(vdotq_u32(vreinterpretq_u32_s32(sum), v, vdupq_n_u8(1)));
#else
    return vreinterpretq_s32_u32(vpadalq_u16(vreinterpretq_u32_s32(sum), vpaddlq_u8(v)));
#endif
  }
  static uint8x16_t popcount(uint8x16_t v) noexcept { return vcntq_u8(v); }
  static uint8x16_t exclusive_or(uint8x16_t a, uint8x16_t b) noexcept { return veorq_u8(a, b); }
  static std::uint32_t reduce(int32x4_t sum) noexcept { return vaddvq_u32(vreinterpretq_u32_s32(sum)); }
  static void reduce(const int32x4_t (&sums)[4], std::int32_t* out) noexcept {
    vst1q_s32(out, vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3])));
  }
};

#endif

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
