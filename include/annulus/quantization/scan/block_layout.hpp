#pragma once

/// \file
/// Shared by blocks of 4-bit and of 8-bit codes: the comparison of 32 sums with a limit, and unpacking.

#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/simd/integers.hpp>
#include <annulus/core/simd/masks.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The number of codes whose sums are compared together.
inline constexpr std::size_t sums_at_once = 32;

/// Bit i is set where sums[i] < limit, i < sums_at_once.
inline std::uint32_t sums_below(const std::uint16_t* sums, std::uint16_t limit) noexcept {
#if defined(__AVX512F__)
  return _mm512_cmplt_epu16_mask(_mm512_loadu_si512(sums), _mm512_set1_epi16(static_cast<std::int16_t>(limit)));
#elif defined(__SSE2__)
  const __m128i bound = _mm_set1_epi16(static_cast<std::int16_t>(limit)), zero = _mm_setzero_si128();
  const auto not_below = [&](std::size_t i) {
    const __m128i sum = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sums + i));
    return _mm_cmpeq_epi16(_mm_subs_epu16(bound, sum), zero);
  };
  const auto bits = [&](std::size_t i) {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(not_below(i), not_below(i + 8))));
  };
  return ~(bits(0) | bits(16) << 16);
#elif defined(__aarch64__)
  const uint16x8_t bound = vdupq_n_u16(limit);
  const auto below = [&](std::size_t i) { return vreinterpretq_u8_u16(vcltq_u16(vld1q_u16(sums + i), bound)); };
  const auto bits = [&](std::size_t i) {
    return static_cast<std::uint32_t>(simd::neon_mask<1>(vuzp1q_u8(below(i), below(i + 8))));
  };
  return bits(0) | bits(16) << 16;
#else
  std::uint32_t below = 0;
  for (std::size_t i = 0; i < sums_at_once; ++i) below |= std::uint32_t{sums[i] < limit} << i;
  return below;
#endif
}

/// Whether the build looks up the tables of such blocks in registers.
template <class Blocks>
inline constexpr bool has_register_tables = false;

/// The codes of all vectors, a byte each: n x m.
template <class Blocks>
matrix<std::uint8_t> unpack_codes(const Blocks& blocks) {
  matrix<std::uint8_t> codes(blocks.size(), blocks.m());
  for (std::size_t i = 0; i < codes.rows(); ++i)
    for (std::size_t j = 0; j < codes.cols(); ++j) codes(i, j) = blocks.code(i, j);
  return codes;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
