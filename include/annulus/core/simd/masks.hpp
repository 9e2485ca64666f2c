#pragma once

/// \file
/// The bits of a mask, as comparisons of vectors return it. The only header, beside xsimd.hpp, that depends on xsimd's
/// version (8.1 to 14).

#include <annulus/core/simd/batch.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

/// What a comparison of vectors returned: bit i is lane i.
template <class T>
[[gnu::always_inline]] inline std::uint64_t mask(const batch_bool<T>& b) noexcept {
#if XSIMD_VERSION_MAJOR >= 9
  return b.mask();
#elif defined(__AVX512F__)
  return static_cast<std::uint64_t>(b.data);
#else
#if defined(__SSE2__)  // xsimd 8 has no mask(), and by bools it takes many instructions
  const auto v = b.data;
  if constexpr (sizeof(v) == 16 && sizeof(T) == 4)
    return static_cast<std::uint32_t>(_mm_movemask_ps(std::bit_cast<__m128>(v)));
  if constexpr (sizeof(v) == 16 && sizeof(T) == 8)
    return static_cast<std::uint32_t>(_mm_movemask_pd(std::bit_cast<__m128d>(v)));
  if constexpr (sizeof(v) == 16 && sizeof(T) == 1)
    return static_cast<std::uint32_t>(_mm_movemask_epi8(std::bit_cast<__m128i>(v)));
#endif
#if defined(__AVX__)
  if constexpr (sizeof(v) == 32 && sizeof(T) == 4)
    return static_cast<std::uint32_t>(_mm256_movemask_ps(std::bit_cast<__m256>(v)));
  if constexpr (sizeof(v) == 32 && sizeof(T) == 8)
    return static_cast<std::uint32_t>(_mm256_movemask_pd(std::bit_cast<__m256d>(v)));
#endif
#if defined(__AVX2__)
  if constexpr (sizeof(v) == 32 && sizeof(T) == 1)
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(std::bit_cast<__m256i>(v)));
#endif
  alignas(64) bool lane[lanes<T>];
  b.store_aligned(lane);
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < lanes<T>; ++i) result |= std::uint64_t{lane[i]} << i;
  return result;
#endif
}

/// Bit i tells whether values[i] >= 0, for i < count <= 64. Reads no more than `count` values.
template <class T>
std::uint64_t sign_bits(const T* values, std::size_t count) noexcept {
  constexpr std::size_t width = lanes<T>;
  std::uint64_t signs = 0;
  for (std::size_t i = 0; i < count; i += width) {
    const std::size_t n = std::min(width, count - i);
    const auto x = n == width ? load(values + i) : load_partial(values + i, n);
    const std::uint64_t used = n == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
    signs |= (mask(x >= batch<T>(T(0))) & used) << i;
  }
  return signs;
}

/// Writes the lanes of `values` whose bit of `chosen` is set to `out`, and `first` plus their positions to `positions`.
/// Both have room for all lanes. Returns how many bits are set. Without branches where the instruction set can.
inline std::size_t append_lanes(const batch<float>& values, std::uint64_t chosen, std::uint32_t first, float* out,
                                std::uint32_t* positions) noexcept {
#if defined(__AVX512F__)
  // Compressed in a register and then stored: the instruction that does both is slow on some processors.
  const auto chosen_lanes = static_cast<__mmask16>(chosen);
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i position = _mm512_add_epi32(lane, _mm512_set1_epi32(static_cast<int>(first)));
  _mm512_storeu_ps(out, _mm512_maskz_compress_ps(chosen_lanes, values));
  _mm512_storeu_si512(positions, _mm512_maskz_compress_epi32(chosen_lanes, position));
  return static_cast<std::size_t>(std::popcount(chosen));
#else
  alignas(64) float value[lanes<float>];
  values.store_aligned(value);
  std::size_t count = 0;
  for (; chosen != 0; chosen &= chosen - 1) {
    const auto lane = static_cast<std::uint32_t>(std::countr_zero(chosen));
    out[count] = value[lane];
    positions[count++] = first + lane;
  }
  return count;
#endif
}

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
