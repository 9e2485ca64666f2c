#pragma once

/// \file
/// Vectors of numbers, and loads of numbers of any type as lanes that are computed with: halves, brain floats and bytes
/// become floats.

#include <annulus/core/base/eigen_types.hpp>
#include <annulus/core/simd/xsimd.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

template <class T>
using batch = xsimd::batch<T>;
template <class T>
using batch_bool = xsimd::batch_bool<T>;
template <class T>
inline constexpr std::size_t lanes = batch<T>::size;

/// The vector registers that kernels may count on.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr std::size_t n_registers = 32;
#else
inline constexpr std::size_t n_registers = 16;
#endif

template <class T>
batch<T> load(const T* p) noexcept {
  return batch<T>::load_unaligned(p);
}

template <class T>
batch<float> load_each(const T* p) noexcept {
  alignas(64) float wide[lanes<float>];
  for (std::size_t i = 0; i < lanes<float>; ++i) wide[i] = static_cast<float>(p[i]);
  return batch<float>::load_aligned(wide);
}

/// The value of a half, given its bits.
inline float half_from_bits(std::uint16_t bits) noexcept {
  const std::uint32_t magnitude = bits & 0x7FFFu, exponent = magnitude >> 10;
  const auto sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  if (exponent == 0) {  // from an integer: builds that flush subnormal numbers to zero would flush it
    const float small_number = static_cast<float>(magnitude) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(small_number) | sign);
  }
  const std::uint32_t rebias = exponent == 31 ? 0xE0u << 23 : 0x70u << 23;
  return std::bit_cast<float>(sign | ((magnitude << 13) + rebias));
}

/// Loads 16-bit numbers, where convert(bits) is the value of each.
template <class Convert>
batch<float> load_each_of_16_bits(const void* p, Convert convert) noexcept {
  std::uint16_t bits[lanes<float>];
  std::memcpy(bits, p, sizeof bits);
  alignas(64) float wide[lanes<float>];
  for (std::size_t i = 0; i < lanes<float>; ++i) wide[i] = convert(bits[i]);
  return batch<float>::load_aligned(wide);
}

#if defined(__aarch64__)
/// Four 16-bit numbers of any type.
inline uint16x4_t four_shorts(const void* p) noexcept {
  std::uint64_t raw;
  std::memcpy(&raw, p, sizeof raw);
  return vcreate_u16(raw);
}

/// Four integers of 8 or 16 bits as those of 32.
template <class Narrow>
int32x4_t widened(const Narrow* p) noexcept {
  uint16x4_t shorts;
  if constexpr (sizeof(Narrow) == 1) {
    std::uint32_t raw;
    std::memcpy(&raw, p, sizeof raw);
    const uint8x8_t bytes = vcreate_u8(raw);
    if constexpr (std::is_signed_v<Narrow>)
      shorts = vreinterpret_u16_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(bytes))));
    else shorts = vget_low_u16(vmovl_u8(bytes));
  } else {
    shorts = four_shorts(p);
  }
  if constexpr (std::is_signed_v<Narrow>) return vmovl_s16(vreinterpret_s16_u16(shorts));
  else return vreinterpretq_s32_u32(vmovl_u16(shorts));
}
#endif

/// Brain floats are the upper halves of floats; on x86 halves need F16C to be fast.
inline batch<float> load(const Eigen::bfloat16* p) noexcept {
#if defined(__AVX512F__)
  const __m256i raw = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return batch<float>(_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(raw), 16)));
#elif defined(__AVX2__)
  const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return batch<float>(_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(raw), 16)));
#elif defined(__aarch64__)
  return batch<float>(vreinterpretq_f32_u32(vshll_n_u16(four_shorts(p), 16)));
#else
  return load_each_of_16_bits(
      p, [](std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); });
#endif
}

inline batch<float> load(const Eigen::half* p) noexcept {
#if defined(__AVX512F__)
  return batch<float>(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
#elif defined(__AVX2__) && defined(__F16C__)
  return batch<float>(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#elif defined(__aarch64__)
  return batch<float>(vcvt_f32_f16(vreinterpret_f16_u16(four_shorts(p))));
#else
  return load_each_of_16_bits(p, half_from_bits);
#endif
}

/// Loads bytes as floats.
template <class Byte>
batch<float> load_bytes(const Byte* p) noexcept {
#if defined(__AVX512F__)
  const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm512_cvtepi32_ps(std::is_signed_v<Byte> ? _mm512_cvtepi8_epi32(raw) : _mm512_cvtepu8_epi32(raw));
#elif defined(__aarch64__)
  return batch<float>(vcvtq_f32_s32(widened(p)));
#else
  return load_each(p);
#endif
}

/// Loads integers of 8 or 16 bits as those of 32.
template <class Narrow>
batch<std::int32_t> load_widened(const Narrow* p) noexcept {
#if defined(__AVX512F__)
  if constexpr (sizeof(Narrow) == 1) {
    const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return std::is_signed_v<Narrow> ? _mm512_cvtepi8_epi32(raw) : _mm512_cvtepu8_epi32(raw);
  } else {
    const __m256i raw = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return std::is_signed_v<Narrow> ? _mm512_cvtepi16_epi32(raw) : _mm512_cvtepu16_epi32(raw);
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(Narrow) == 1) {
    const __m128i raw = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return std::is_signed_v<Narrow> ? _mm256_cvtepi8_epi32(raw) : _mm256_cvtepu8_epi32(raw);
  } else {
    const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return std::is_signed_v<Narrow> ? _mm256_cvtepi16_epi32(raw) : _mm256_cvtepu16_epi32(raw);
  }
#elif defined(__aarch64__)
  return widened(p);
#else
  alignas(64) std::int32_t wide[lanes<std::int32_t>];
  for (std::size_t i = 0; i < lanes<std::int32_t>; ++i) wide[i] = p[i];
  return batch<std::int32_t>::load_aligned(wide);
#endif
}

/// The first `n` < lanes elements, the rest zero; reads nothing past them.
template <class T>
auto load_partial(const T* p, std::size_t n) noexcept {
#if defined(__AVX512F__)
  [[maybe_unused]] const unsigned first = (1u << n) - 1u;
  if constexpr (std::is_same_v<T, float>) return batch<float>(_mm512_maskz_loadu_ps(static_cast<__mmask16>(first), p));
  if constexpr (std::is_same_v<T, double>) return batch<double>(_mm512_maskz_loadu_pd(static_cast<__mmask8>(first), p));
#endif
  using lane = typename decltype(load(p))::value_type;
  alignas(64) T padded[lanes<lane>] = {};
  for (std::size_t i = 0; i < n; ++i) padded[i] = p[i];
  return load(static_cast<const T*>(padded));
}

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
