#pragma once

/// \file
/// Vectors of numbers, above all of floating point. Kernels are written against these functions; masks.hpp has what
/// comparisons of vectors return, as bits, and integers.hpp the integer operations that xsimd lacks.

#include <annulus/core/simd/loads.hpp>

#include <cmath>
#include <limits>
#include <utility>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

/// The sum of the lanes: of floating point halves are added until one lane is left, in this order on every path.
template <class T>
T reduce_add(const batch<T>& v) noexcept {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, std::int32_t>) return _mm512_reduce_add_epi32(v);
  if constexpr (std::is_same_v<T, std::int64_t>) return _mm512_reduce_add_epi64(v);
#elif defined(__aarch64__)
  if constexpr (std::is_same_v<T, float>) return vaddv_f32(vadd_f32(vget_low_f32(v), vget_high_f32(v)));
  if constexpr (std::is_same_v<T, double>) return vaddvq_f64(v);
  if constexpr (std::is_same_v<T, std::int32_t>) return vaddvq_s32(v);
#endif
  alignas(64) T lane[lanes<T>];
  v.store_aligned(lane);
  for (std::size_t half = lanes<T> / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half];
  return lane[0];
}

#if defined(__SSE2__)
inline float reduce_add(__m128 v) noexcept {
  v = _mm_add_ps(v, _mm_movehl_ps(v, v));
  return _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps(v, v, 1)));
}
template <>
inline float reduce_add(const batch<float>& v) noexcept {
#if defined(__AVX512F__)
  const __m256 low = _mm512_castps512_ps256(v), high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1));
  const __m256 half = _mm256_add_ps(low, high);
  return reduce_add(_mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
#elif defined(__AVX__)
  return reduce_add(_mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)));
#else
  return reduce_add(static_cast<__m128>(v));
#endif
}
#endif

#if defined(__AVX512F__)
/// The sum of two vectors whose quarters are chosen from those of `a` and `b`. The choices are template arguments, as
/// the intrinsics need literals where nothing is inlined (-O0).
template <int Low, int High>
__m512 add_quarters(__m512 a, __m512 b) noexcept {
  return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, Low), _mm512_shuffle_f32x4(a, b, High));
}
#endif

/// out[i] = reduce_add(v[i]), the same bits; four at once share their shuffles on some instruction sets.
template <class T, std::size_t N>
void reduce_add(const batch<T> (&v)[N], T* out) noexcept {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float> && N == 4) {
    constexpr int front = 0x44, back = 0xEE, even = 0x88, odd = 0xDD;
    __m512 sum = add_quarters<even, odd>(add_quarters<front, back>(v[0], v[1]), add_quarters<front, back>(v[2], v[3]));
    sum = _mm512_add_ps(sum, _mm512_permute_ps(sum, 0x4E));
    sum = _mm512_add_ps(sum, _mm512_permute_ps(sum, 0xB1));
    _mm_storeu_ps(out, _mm512_castps512_ps128(_mm512_maskz_compress_ps(0x1111, sum)));
    return;
  }
#elif defined(__aarch64__)
  if constexpr (std::is_same_v<T, float> && N == 4) {
    const auto halves = [](const batch<float>& a, const batch<float>& b) {
      const float64x2_t x = vreinterpretq_f64_f32(a), y = vreinterpretq_f64_f32(b);
      return vaddq_f32(vreinterpretq_f32_f64(vzip1q_f64(x, y)), vreinterpretq_f32_f64(vzip2q_f64(x, y)));
    };
    vst1q_f32(out, vpaddq_f32(halves(v[0], v[1]), halves(v[2], v[3])));
    return;
  }
#endif
  for (std::size_t i = 0; i < N; ++i) out[i] = reduce_add(v[i]);
}

template <class T>
T reduce_max(const batch<T>& v) noexcept {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, std::int32_t>) return _mm512_reduce_max_epi32(v);
#elif defined(__aarch64__)
  if constexpr (std::is_same_v<T, std::int32_t>) return vmaxvq_s32(v);
#endif
  alignas(64) T lane[lanes<T>];
  v.store_aligned(lane);
  for (std::size_t i = 1; i < lanes<T>; ++i) lane[0] = lane[i] > lane[0] ? lane[i] : lane[0];
  return lane[0];
}

/// The smaller of two lanes, and `kept` where `candidate` is NaN: x86's min returns its second operand when unordered.
/// Not by xsimd's min, which passes the operands in either order, depending on its version.
template <class T>
batch<T> min_skip_nan(const batch<T>& candidate, const batch<T>& kept) noexcept {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float>) return _mm512_min_ps(candidate, kept);
  else if constexpr (std::is_same_v<T, double>) return _mm512_min_pd(candidate, kept);
#elif defined(__AVX__)
  if constexpr (std::is_same_v<T, float>) return _mm256_min_ps(candidate, kept);
  else if constexpr (std::is_same_v<T, double>) return _mm256_min_pd(candidate, kept);
#elif defined(__SSE2__)
  if constexpr (std::is_same_v<T, float>) return _mm_min_ps(candidate, kept);
  else if constexpr (std::is_same_v<T, double>) return _mm_min_pd(candidate, kept);
#else
  if constexpr (std::is_floating_point_v<T>) return xsimd::select(candidate < kept, candidate, kept);
#endif
#if defined(__SSE2__) && !defined(__SSE4_1__)  // xsimd compares twice
  else if constexpr (std::is_same_v<T, std::int16_t>) return _mm_min_epi16(candidate, kept);
  else return xsimd::select(candidate < kept, candidate, kept);
#else
  else return xsimd::min(candidate, kept);
#endif
}

/// a / b and the square root, correctly rounded: for floats xsimd 8 has estimates on ARM.
template <class T>
batch<T> divide(const batch<T>& a, const batch<T>& b) noexcept {
#if defined(__aarch64__)
  if constexpr (std::is_same_v<T, float>) return vdivq_f32(a, b);
#endif
  return a / b;
}
template <class T>
batch<T> sqrt(const batch<T>& v) noexcept {
#if defined(__aarch64__)
  if constexpr (std::is_same_v<T, float>) return vsqrtq_f32(v);
#endif
  return xsimd::sqrt(v);
}

/// The same lanes behind a barrier: under -ffast-math no sum or product that they come from is reordered with later
/// ones.
template <class T>
batch<T> in_order(const batch<T>& v) noexcept {
#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__)
#if defined(__clang__) && defined(__x86_64__)
  auto lanes_of = static_cast<typename batch<T>::register_type>(v);
#if defined(__AVX512F__)
  asm("" : "+v"(lanes_of));
#else
  asm("" : "+x"(lanes_of));
#endif
  return batch<T>(lanes_of);
#elif defined(__clang__)
  return __arithmetic_fence(static_cast<typename batch<T>::register_type>(v));
#else
  return batch<T>(__builtin_assoc_barrier(static_cast<typename batch<T>::register_type>(v)));
#endif
#else
  return v;
#endif
}

/// The nearest integers, for lanes below 2^31. By conversion, since adding and subtracting a large number need not
/// round under -ffast-math.
inline batch<float> round(const batch<float>& v) noexcept { return xsimd::to_float(xsimd::nearbyint_as_int(v)); }

/// Lane i of the result is lane (i + turn) % lanes.
template <class T>
batch<T> turn_lanes(const batch<T>& v, std::size_t turn) noexcept {
#if defined(__AVX512F__)
  if constexpr (lanes<T> == 16) {
    alignas(64) static constexpr std::int32_t from[31] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
                                                          0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    const __m512i index = _mm512_loadu_si512(from + turn);
    if constexpr (std::is_same_v<T, float>) return _mm512_permutexvar_ps(index, v);
    else return _mm512_permutexvar_epi32(index, v);
  }
#endif
  alignas(64) T twice[2 * lanes<T>];
  v.store_aligned(twice);
  v.store_aligned(twice + lanes<T>);
  return load(static_cast<const T*>(twice + turn));
}

/// f(0), ..., f(N - 1) as straight code with constant arguments: what keeps a small array of registers in registers.
template <std::size_t N, class F>
[[gnu::always_inline]] inline void unroll(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) ANNULUS_INLINED {
    (f(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::make_index_sequence<N>{});
}

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
