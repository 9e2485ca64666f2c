#pragma once

/// \file
/// Masks: what comparisons of vectors return, as bits, and the lanes that such bits choose. The only header, beside
/// xsimd.hpp, that depends on xsimd's version (8.1 to 14).

#include <annulus/core/simd/batch.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

#if defined(__aarch64__)
/// The mask of lanes of so many bytes, each of which has all bits set or none: each keeps the bit of its place, and
/// their sum has all of these.
template <std::size_t Bytes>
std::uint64_t neon_mask(uint8x16_t v) noexcept {
  if constexpr (Bytes == 8) {
    const uint64x2_t words = vreinterpretq_u64_u8(v);
    return (vgetq_lane_u64(words, 0) & 1) | (vgetq_lane_u64(words, 1) & 2);
  } else if constexpr (Bytes == 4) {
    constexpr std::uint32_t bits[4] = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(vreinterpretq_u32_u8(v), vld1q_u32(bits)));
  } else if constexpr (Bytes == 2) {
    constexpr std::uint16_t bits[8] = {1, 2, 4, 8, 16, 32, 64, 128};
    return vaddvq_u16(vandq_u16(vreinterpretq_u16_u8(v), vld1q_u16(bits)));
  } else {
    constexpr std::uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t kept = vandq_u8(v, vld1q_u8(bits));
    return vaddv_u8(vget_low_u8(kept)) | std::uint64_t{vaddv_u8(vget_high_u8(kept))} << 8;
  }
}
#endif

/// What a comparison of vectors returned: bit i is lane i.
template <class T>
[[gnu::always_inline]] inline std::uint64_t mask(const batch_bool<T>& b) noexcept {
#if XSIMD_VERSION_MAJOR >= 9
  return b.mask();
#elif defined(__AVX512F__)
  return static_cast<std::uint64_t>(b.data);
#else
  [[maybe_unused]] const auto v = b.data;
#if defined(__SSE2__)  // xsimd 8 has no mask(), and by bools it takes many instructions
  if constexpr (sizeof(v) == 16 && sizeof(T) == 4)
    return static_cast<std::uint32_t>(_mm_movemask_ps(std::bit_cast<__m128>(v)));
  if constexpr (sizeof(v) == 16 && sizeof(T) == 8)
    return static_cast<std::uint32_t>(_mm_movemask_pd(std::bit_cast<__m128d>(v)));
  if constexpr (sizeof(v) == 16 && sizeof(T) == 2)
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(std::bit_cast<__m128i>(v), __m128i{})));
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
  if constexpr (sizeof(v) == 32 && sizeof(T) == 2) {
    const auto both = std::bit_cast<__m256i>(v);
    const __m128i bytes = _mm_packs_epi16(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(bytes));
  }
  if constexpr (sizeof(v) == 32 && sizeof(T) == 1)
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(std::bit_cast<__m256i>(v)));
#endif
#if defined(__aarch64__)
  if constexpr (sizeof(v) == 16) return neon_mask<sizeof(T)>(std::bit_cast<uint8x16_t>(v));
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

#if defined(__AVX2__) && !defined(__AVX512F__)
/// For every choice of eight lanes the numbers of those chosen, as bytes.
inline constexpr auto chosen_of_eight = [] {
  std::array<std::uint64_t, 256> numbers{};
  for (std::size_t chosen = 0; chosen < numbers.size(); ++chosen)
    for (std::uint64_t lane = 0, shift = 0; lane < 8; ++lane)
      if ((chosen >> lane & 1) != 0) numbers[chosen] |= lane << (8 * std::exchange(shift, shift + 1));
  return numbers;
}();
#endif

#if defined(__aarch64__) || defined(__SSSE3__)
/// For every choice of four lanes of 4 bytes the numbers of the bytes of those chosen.
alignas(64) inline constexpr auto chosen_of_four = [] {
  std::array<std::array<std::uint8_t, 16>, 16> numbers{};
  for (std::size_t chosen = 0; chosen < numbers.size(); ++chosen)
    for (std::size_t lane = 0, to = 0; lane < 4; ++lane)
      if ((chosen >> lane & 1) != 0)
        for (std::size_t byte = 0; byte < 4; ++byte) numbers[chosen][to++] = static_cast<std::uint8_t>(4 * lane + byte);
  return numbers;
}();
#endif

/// Writes those of the four lanes at p, of 4 bytes each, that are chosen, to `out`, which has room for four; returns
/// the end of them.
template <class T>
T* store_chosen_of_four(T* out, const T* p, std::uint64_t chosen) noexcept {
#if defined(__aarch64__)
  const auto bytes = [](const void* from) { return vld1q_u8(static_cast<const std::uint8_t*>(from)); };
  vst1q_u8(reinterpret_cast<std::uint8_t*>(out), vqtbl1q_u8(bytes(p), bytes(chosen_of_four[chosen].data())));
  return out + std::popcount(chosen);
#elif defined(__SSSE3__)
  const auto bytes = [](const void* from) { return _mm_load_si128(static_cast<const __m128i*>(from)); };
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_shuffle_epi8(bytes(p), bytes(chosen_of_four[chosen].data())));
  return out + std::popcount(chosen);
#else
  for (std::size_t i = 0; i < 4; ++i) {  // the next one is written over what was not chosen
    *out = p[i];
    out += chosen >> i & 1;
  }
  return out;
#endif
}

/// Writes the lanes of `values` whose bit of `chosen` is set, in order, to `out`, which has room for all lanes. Without
/// branches where the instruction set can.
template <class T>
[[gnu::always_inline]] inline void store_chosen(T* out, const batch<T>& values, std::uint64_t chosen) noexcept {
#if defined(__AVX512F__)
  // Compressed in a register and then stored: the instruction that does both is slow on some processors.
  const auto v = std::bit_cast<__m512i>(static_cast<typename batch<T>::register_type>(values));
  if constexpr (sizeof(T) == 4) {  // mostly few lanes: half a vector crosses fewer cache lines
    const __m512i compressed = _mm512_maskz_compress_epi32(static_cast<__mmask16>(chosen), v);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_castsi512_si256(compressed));
    if (std::popcount(chosen) > 8) _mm512_storeu_si512(out, compressed);
    return;
  }
  if constexpr (sizeof(T) == 8)
    return _mm512_storeu_si512(out, _mm512_maskz_compress_epi64(static_cast<__mmask8>(chosen), v));
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    const auto v = std::bit_cast<__m256i>(static_cast<typename batch<T>::register_type>(values));
    const __m256i from = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(chosen_of_eight[chosen])));
    return _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_permutevar8x32_epi32(v, from));
  }
#elif defined(__aarch64__)
  if constexpr (sizeof(T) == 4) {
    const auto v = std::bit_cast<uint8x16_t>(static_cast<typename batch<T>::register_type>(values));
    return vst1q_u8(reinterpret_cast<std::uint8_t*>(out), vqtbl1q_u8(v, vld1q_u8(chosen_of_four[chosen].data())));
  }
#endif
  alignas(64) T lane[lanes<T>];
  values.store_aligned(lane);
  if constexpr (sizeof(T) == 4) {
    for (std::size_t i = 0; i < lanes<T>; i += 4) out = store_chosen_of_four(out, lane + i, chosen >> i & 15);
  } else {
    for (; chosen != 0; chosen &= chosen - 1) *out++ = lane[std::countr_zero(chosen)];
  }
}

/// 0, 1, 2, ... in the lanes of a vector of integers.
template <class Integer>
alignas(64) inline constexpr auto lane_numbers = [] {
  std::array<Integer, lanes<Integer>> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<Integer>(i);
  return numbers;
}();

/// Writes the lanes of `values` whose bit of `chosen` is set to `out`, and `first` plus their numbers to `positions`.
/// Both have room for all lanes. Returns how many bits are set.
template <class T, class Position>
[[gnu::always_inline]] inline std::size_t append_lanes(const batch<T>& values, std::uint64_t chosen, Position first,
                                                       T* out, Position* positions) noexcept {
  store_chosen(out, values, chosen);
  if constexpr (sizeof(Position) == sizeof(T)) {
    const auto at = batch<Position>::load_aligned(lane_numbers<Position>.data()) + batch<Position>(first);
    store_chosen(positions, at, chosen);
  } else {
    for (std::uint64_t rest = chosen; rest != 0; rest &= rest - 1)
      *positions++ = first + static_cast<Position>(std::countr_zero(rest));
  }
  return static_cast<std::size_t>(std::popcount(chosen));
}

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
