#pragma once

/// \file
/// Numbers as signed integers in the same order, by lanes: what selections count, compare and sort.

#include <annulus/core/simd/batch.hpp>

#include <cstring>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

/// The signed integer as wide as a number.
template <class Number>
using ordered_int = std::conditional_t<sizeof(Number) == 8, std::int64_t, std::int32_t>;

/// The same bits as lanes of another type of the same size.
template <class To, class From>
[[gnu::always_inline]] inline batch<To> same_bits(const batch<From>& v) noexcept {
  static_assert(sizeof(To) == sizeof(From));
  if constexpr (std::is_same_v<To, From>) return v;
  else return std::bit_cast<typename batch<To>::register_type>(static_cast<typename batch<From>::register_type>(v));
}

/// The bits at p, whatever type they are of, as lanes of integers.
template <class Lane>
[[gnu::always_inline]] inline batch<Lane> load_bits(const void* p) noexcept {
#if defined(__SSE2__)  // intrinsics may read any type
#if defined(__AVX512F__)
  if constexpr (sizeof(batch<Lane>) == 64) return batch<Lane>(_mm512_loadu_si512(p));
#endif
#if defined(__AVX__)
  if constexpr (sizeof(batch<Lane>) == 32) return batch<Lane>(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
#endif
  if constexpr (sizeof(batch<Lane>) == 16) return batch<Lane>(_mm_loadu_si128(static_cast<const __m128i*>(p)));
#elif defined(__aarch64__)
  return std::bit_cast<typename batch<Lane>::register_type>(vld1q_u8(static_cast<const std::uint8_t*>(p)));
#else
  alignas(64) Lane lane[lanes<Lane>];
  std::memcpy(lane, p, sizeof lane);
  return batch<Lane>::load_aligned(lane);
#endif
}

/// ordered_bits (core/select/candidate.hpp) of each lane with the highest bit flipped: smaller numbers have smaller
/// integers, -0 and +0 the same one, and NaN the largest.
template <class Number>
[[gnu::always_inline]] inline batch<ordered_int<Number>> ordered_lanes(const batch<Number>& v) noexcept {
  using integer = ordered_int<Number>;
  using ints = batch<integer>;
  constexpr integer lowest = std::numeric_limits<integer>::lowest(), highest = std::numeric_limits<integer>::max();
  const ints raw = same_bits<integer>(v);
  if constexpr (std::is_floating_point_v<Number>) {
    constexpr auto infinity = std::bit_cast<integer>(std::numeric_limits<Number>::infinity());
    const ints magnitude = raw & ints(highest);
    const ints turned = xsimd::select(raw < ints(0), raw ^ ints(highest), raw);
    const ints zeros_alike = xsimd::select(raw == ints(lowest), ints(0), turned);
    return xsimd::select(magnitude > ints(infinity), ints(highest), zeros_alike);
  } else if constexpr (std::is_unsigned_v<Number>) {
    return raw ^ ints(lowest);
  } else {
    return raw;
  }
}

/// Writes upper[i] << 32 | lower[i].
inline void store_pairs(std::int64_t* out, const batch<std::int32_t>& upper,
                        const batch<std::uint32_t>& lower) noexcept {
#if defined(__AVX512F__)
  const __m512i high = upper, low = lower;
  const auto pairs = [](__m256i a, __m256i b) {
    return _mm512_or_si512(_mm512_slli_epi64(_mm512_cvtepi32_epi64(a), 32), _mm512_cvtepu32_epi64(b));
  };
  _mm512_storeu_si512(out, pairs(_mm512_castsi512_si256(high), _mm512_castsi512_si256(low)));
  _mm512_storeu_si512(out + 8, pairs(_mm512_extracti64x4_epi64(high, 1), _mm512_extracti64x4_epi64(low, 1)));
#elif defined(__aarch64__)
  const int32x4_t low = vreinterpretq_s32_u32(lower);
  vst1q_s64(out, vreinterpretq_s64_s32(vzip1q_s32(low, upper)));
  vst1q_s64(out + 2, vreinterpretq_s64_s32(vzip2q_s32(low, upper)));
#else
  alignas(64) std::int32_t high[lanes<std::int32_t>];
  alignas(64) std::uint32_t low[lanes<std::int32_t>];
  upper.store_aligned(high);
  lower.store_aligned(low);
  for (std::size_t i = 0; i < lanes<std::int32_t>; ++i)
    out[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(static_cast<std::uint32_t>(high[i])) << 32 | low[i]);
#endif
}

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
