#pragma once

/// \file
/// Butterflies, the steps of a Walsh-Hadamard transform: sums and differences of pairs of lanes and of registers. Every
/// build adds in the same order, so that all get the same bits.

#include <annulus/core/simd/batch.hpp>

#include <array>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

/// Lane i of the result is lane i ^ Distance.
template <std::size_t Distance>
batch<float> exchange_lanes(const batch<float>& v) noexcept {
#if defined(__AVX512F__)
  if constexpr (Distance == 1) return _mm512_permute_ps(v, 0xB1);
  else if constexpr (Distance == 2) return _mm512_permute_ps(v, 0x4E);
  else if constexpr (Distance == 4) return _mm512_shuffle_f32x4(v, v, 0xB1);
  else return _mm512_shuffle_f32x4(v, v, 0x4E);
#elif defined(__AVX__)
  if constexpr (Distance == 1) return _mm256_permute_ps(v, 0xB1);
  else if constexpr (Distance == 2) return _mm256_permute_ps(v, 0x4E);
  else return _mm256_permute2f128_ps(v, v, 1);
#elif defined(__SSE2__)
  return _mm_shuffle_ps(v, v, Distance == 1 ? 0xB1 : 0x4E);
#elif defined(__aarch64__)
  if constexpr (Distance == 1) return vrev64q_f32(v);
  else return vextq_f32(v, v, 2);
#else
  alignas(64) float lane[lanes<float>], exchanged[lanes<float>];
  v.store_aligned(lane);
  for (std::size_t i = 0; i < lanes<float>; ++i) exchanged[i] = lane[i ^ Distance];
  return batch<float>::load_aligned(exchanged);
#endif
}

/// Negates lane i where words[i] has bit 31 - Bit set.
template <std::size_t Bit>
batch<float> flip_signs(const batch<float>& v, const batch<std::int32_t>& words) noexcept {
#if defined(__AVX512F__)
  const __m512i sign = _mm512_set1_epi32(std::numeric_limits<std::int32_t>::min()),
                chosen = _mm512_slli_epi32(words, Bit);
  constexpr int a_xor_b_and_c = 0x78;
  return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(v), chosen, sign, a_xor_b_and_c));
#elif defined(__AVX2__)
  return _mm256_xor_ps(v, _mm256_and_ps(_mm256_castsi256_ps(_mm256_slli_epi32(words, Bit)), _mm256_set1_ps(-0.0f)));
#elif defined(__SSE2__) && !defined(__AVX__)
  return _mm_xor_ps(v, _mm_and_ps(_mm_castsi128_ps(_mm_slli_epi32(words, Bit)), _mm_set1_ps(-0.0f)));
#elif defined(__aarch64__)
  const uint32x4_t chosen = vshlq_n_u32(vreinterpretq_u32_s32(words), Bit), sign = vdupq_n_u32(0x80000000u);
  return vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(v), vandq_u32(chosen, sign)));
#else
  alignas(64) float lane[lanes<float>];
  alignas(64) std::int32_t word[lanes<float>];
  v.store_aligned(lane);
  words.store_aligned(word);
  for (std::size_t i = 0; i < lanes<float>; ++i)
    if ((static_cast<std::uint32_t>(word[i]) << Bit >> 31) != 0) lane[i] = -lane[i];
  return batch<float>::load_aligned(lane);
#endif
}

/// 1 in lane i, or -1 where i has the bit Distance.
template <std::size_t Distance>
inline constexpr auto butterfly_signs = [] {
  std::array<float, lanes<float>> signs{};
  for (std::size_t i = 0; i < signs.size(); ++i) signs[i] = (i & Distance) == 0 ? 1.0f : -1.0f;
  return signs;
}();

/// The levels from Distance up to half a register: the butterflies of lanes i and i ^ Distance, within each register.
template <std::size_t Distance, std::size_t R>
[[gnu::always_inline]] inline void lane_levels(batch<float> (&v)[R]) noexcept {
  if constexpr (Distance < lanes<float>) {
    const auto signs = load(butterfly_signs<Distance>.data());
    unroll<R>([&](auto r) { v[r] = xsimd::fma(v[r], signs, exchange_lanes<Distance>(v[r])); });
    lane_levels<2 * Distance>(v);
  }
}

/// The levels from Distance up to R / 2, in registers: the butterflies of registers r and r + Distance.
template <std::size_t Distance, std::size_t R>
[[gnu::always_inline]] inline void register_levels(batch<float> (&v)[R]) noexcept {
  if constexpr (Distance < R) {
    unroll<R>([&](auto r) {
      if constexpr ((r & Distance) == 0) {
        const auto sum = v[r] + v[r + Distance];
        v[r + Distance] = v[r] - v[r + Distance];
        v[r] = sum;
      }
    });
    register_levels<2 * Distance>(v);
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
