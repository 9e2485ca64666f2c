#pragma once

/// \file
/// The only header that knows xsimd's versions (8.1 to 14) and x86's intrinsics for floating point; its sibling
/// simd_integer.hpp holds the integer ones. Kernels elsewhere are written against these few functions.
///
/// All of annulus lives in an inline namespace named for the instruction sets and floating-point flags of the build, so
/// that the linker never merges one of its inline functions compiled for AVX-512 with its namesake from a baseline
/// unit. Those of Eigen and the standard library it does merge: units of one program are to be compiled for one
/// instruction set.

// g++ 12 takes the "undefined" operands inside its own AVX-512 intrinsics for uninitialised variables (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <iterator>
#include <limits>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <tuple>

// Under -ffast-math what these define is compiled as the kernels are: clang's intrinsics are operators, which it would
// reorder, and g++ inlines no function of xsimd's that is compiled otherwise.
#if defined(__clang__) && defined(__FAST_MATH__) && defined(__XMMINTRIN_H)
#define ANNULUS_REORDERED_INTRINSICS  // too late: they were included before, as <random> does
#endif
#if defined(__SSE2__)
#if defined(__clang__)
#include <annulus/core/macros_off.hpp>
#endif
#include <immintrin.h>
#if defined(__clang__)
#include <annulus/core/macros_on.hpp>
#endif
#endif
#include <Eigen/Core>

#include <annulus/core/macros_off.hpp>

#include <xsimd/xsimd.hpp>

#include <annulus/core/macros_on.hpp>
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic pop
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#if XSIMD_VERSION_MAJOR < 8 || (XSIMD_VERSION_MAJOR == 8 && XSIMD_VERSION_MINOR < 1)
#error "annulus needs xsimd 8.1 or newer"
#endif

#if !defined(ANNULUS_ARCH)  // may be given by hand where two builds differ in a flag that this list does not tell apart
#if defined(__AVX512VBMI__) && defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512BF16__)
#define ANNULUS_ISA avx512_vbmi_vnni_bf16
#elif defined(__AVX512VBMI__) && defined(__AVX512VNNI__) && defined(__AVX512BW__)
#define ANNULUS_ISA avx512_vbmi_vnni
#elif defined(__AVX512VBMI__) && defined(__AVX512BW__)
#define ANNULUS_ISA avx512_vbmi
#elif defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512BF16__)
#define ANNULUS_ISA avx512_vnni_bf16
#elif defined(__AVX512VNNI__) && defined(__AVX512BW__)
#define ANNULUS_ISA avx512_vnni
#elif defined(__AVX512BW__)
#define ANNULUS_ISA avx512
#elif defined(__AVXVNNI__)
#define ANNULUS_ISA avx2_vnni
#elif defined(__AVX2__) && defined(__FMA__) && defined(__BMI2__)
#define ANNULUS_ISA avx2_fma_bmi2
#elif defined(__AVX2__) && defined(__FMA__)
#define ANNULUS_ISA avx2_fma
#elif defined(__AVX2__)
#define ANNULUS_ISA avx2
#elif defined(__AVX__)
#define ANNULUS_ISA avx
#elif defined(__SSE4_2__)
#define ANNULUS_ISA sse4_2
#elif defined(__SSSE3__)
#define ANNULUS_ISA ssse3
#elif defined(__SSE2__)
#define ANNULUS_ISA sse2
#elif defined(__ARM_NEON)
#define ANNULUS_ISA neon
#else
#define ANNULUS_ISA generic
#endif
// Flags that let a compiler treat floating point as real numbers are part of the name too.
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0
#define ANNULUS_FINITE _finite
#else
#define ANNULUS_FINITE
#endif
#if defined(__FAST_MATH__)
#define ANNULUS_MATH _fast
#elif defined(__ASSOCIATIVE_MATH__) && defined(__RECIPROCAL_MATH__)
#define ANNULUS_MATH _reciprocal_associative
#elif defined(__ASSOCIATIVE_MATH__)
#define ANNULUS_MATH _associative
#elif defined(__RECIPROCAL_MATH__)
#define ANNULUS_MATH _reciprocal
#else
#define ANNULUS_MATH
#endif
#define ANNULUS_JOINED(isa, finite, math) isa##finite##math
#define ANNULUS_JOIN(isa, finite, math) ANNULUS_JOINED(isa, finite, math)
#define ANNULUS_ARCH ANNULUS_JOIN(ANNULUS_ISA, ANNULUS_FINITE, ANNULUS_MATH)
#endif

#include <annulus/core/macros_off.hpp>

namespace annulus::inline ANNULUS_ARCH::simd {

template <class T>
using batch = xsimd::batch<T>;
template <class T>
using batch_bool = xsimd::batch_bool<T>;
template <class T>
inline constexpr std::size_t lanes = batch<T>::size;

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

/// Brain floats are the upper halves of floats; halves need F16C to be fast.
inline batch<float> load(const Eigen::bfloat16* p) noexcept {
#if defined(__AVX512F__)
  const __m256i raw = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return batch<float>(_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(raw), 16)));
#elif defined(__AVX2__)
  const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return batch<float>(_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(raw), 16)));
#endif
  return load_each(p);
}

inline batch<float> load(const Eigen::half* p) noexcept {
#if defined(__AVX512F__)
  return batch<float>(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
#elif defined(__AVX2__) && defined(__F16C__)
  return batch<float>(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#endif
  return load_each(p);
}

/// Bytes, as numbers.
template <class Byte>
batch<float> load_bytes(const Byte* p) noexcept {
#if defined(__AVX512F__)
  const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm512_cvtepi32_ps(std::is_signed_v<Byte> ? _mm512_cvtepi8_epi32(raw) : _mm512_cvtepu8_epi32(raw));
#endif
  return load_each(p);
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

/// The sum of the lanes: halves are added until one lane is left, in this order on every path.
template <class T>
T reduce_add(const batch<T>& v) noexcept {
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

/// out[i] = reduce_add(v[i]), the same bits; four at once share their shuffles where registers are wide.
template <class T, std::size_t N>
void reduce_add(const batch<T> (&v)[N], T* out) noexcept {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float> && N == 4) {
    const auto fold = [](__m512 a, __m512 b, auto low, auto high) {
      return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, low()), _mm512_shuffle_f32x4(a, b, high()));
    };
    const std::integral_constant<int, 0x44> front;
    const std::integral_constant<int, 0xEE> back;
    const std::integral_constant<int, 0x88> even;
    const std::integral_constant<int, 0xDD> odd;
    __m512 sum = fold(fold(v[0], v[1], front, back), fold(v[2], v[3], front, back), even, odd);
    sum = _mm512_add_ps(sum, _mm512_permute_ps(sum, 0x4E));
    sum = _mm512_add_ps(sum, _mm512_permute_ps(sum, 0xB1));
    _mm_storeu_ps(out, _mm512_castps512_ps128(_mm512_maskz_compress_ps(0x1111, sum)));
    return;
  }
#endif
  for (std::size_t i = 0; i < N; ++i) out[i] = reduce_add(v[i]);
}

template <class T>
T reduce_max(const batch<T>& v) noexcept {
  alignas(64) T lane[lanes<T>];
  v.store_aligned(lane);
  for (std::size_t i = 1; i < lanes<T>; ++i) lane[0] = lane[i] > lane[0] ? lane[i] : lane[0];
  return lane[0];
}

/// Bit i is lane i.
template <class T>
std::uint64_t mask(const batch_bool<T>& b) noexcept {
#if XSIMD_VERSION_MAJOR >= 9
  return b.mask();
#elif defined(__AVX512F__)
  return static_cast<std::uint64_t>(b.data);
#else
  alignas(64) bool lane[lanes<T>];
  b.store_aligned(lane);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < lanes<T>; ++i) bits |= std::uint64_t{lane[i]} << i;
  return bits;
#endif
}

/// Writes the lanes of `values` whose bit is set, and first + their positions, to where the pointers stand, which must
/// have room for all lanes; returns how many there were. Without branches where the instruction set can.
inline std::size_t append_lanes(const batch<float>& values, std::uint64_t bits, std::uint32_t first, float* out,
                                std::uint32_t* positions) noexcept {
#if defined(__AVX512F__)
  // To a register and from there to memory: the form that stores at once is microcode on some processors.
  const auto chosen = static_cast<__mmask16>(bits);
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i position = _mm512_add_epi32(lane, _mm512_set1_epi32(static_cast<int>(first)));
  _mm512_storeu_ps(out, _mm512_maskz_compress_ps(chosen, values));
  _mm512_storeu_si512(positions, _mm512_maskz_compress_epi32(chosen, position));
  return static_cast<std::size_t>(std::popcount(bits));
#else
  alignas(64) float value[lanes<float>];
  values.store_aligned(value);
  std::size_t count = 0;
  for (; bits != 0; bits &= bits - 1) {
    const auto lane = static_cast<std::uint32_t>(std::countr_zero(bits));
    out[count] = value[lane];
    positions[count++] = first + lane;
  }
  return count;
#endif
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
  else return xsimd::min(candidate, kept);
}

/// The same lanes, out of which no sum and no product is taken to be joined with others: -ffast-math may reorder those.
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

/// The nearest whole numbers, of lanes below 2^31. By conversion: to add a large number and take it away again is no
/// rounding under -ffast-math.
inline batch<float> round(const batch<float>& v) noexcept { return xsimd::to_float(xsimd::nearbyint_as_int(v)); }

/// f of each lane, one by one.
template <class T, class F>
batch<T> by_lanes(const batch<T>& v, F f) noexcept {
  alignas(64) T lane[lanes<T>];
  v.store_aligned(lane);
  for (T& x : lane) x = f(x);
  return batch<T>::load_aligned(lane);
}

/// e^x, ln x and x^y: by polynomials and sums whose order counts, or else by the standard library.
template <class T>
batch<T> exp(const batch<T>& x) noexcept {
#if defined(ANNULUS_REORDERED_INTRINSICS)
  return by_lanes(x, [](T lane) { return std::exp(lane); });
#else
  return xsimd::exp(x);
#endif
}
template <class T>
batch<T> log(const batch<T>& x) noexcept {
#if defined(ANNULUS_REORDERED_INTRINSICS)
  return by_lanes(x, [](T lane) { return std::log(lane); });
#else
  return xsimd::log(x);
#endif
}
template <class T>
batch<T> pow(const batch<T>& x, T y) noexcept {
#if defined(ANNULUS_REORDERED_INTRINSICS)
  return by_lanes(x, [y](T lane) { return std::pow(lane, y); });
#else
  return xsimd::pow(x, batch<T>(y));
#endif
}

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
  [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
    (f(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::make_index_sequence<N>{});
}

inline void prefetch([[maybe_unused]] const void* p) noexcept {
#if defined(__GNUC__)
  __builtin_prefetch(p);
#endif
}

/// The same no nearer than the second-level cache: for much at once, of which the first level could not keep track.
inline void prefetch_far([[maybe_unused]] const void* p) noexcept {
#if defined(__GNUC__)
  __builtin_prefetch(p, /* to read */ 0, /* second level */ 2);
#endif
}

}  // namespace annulus::inline ANNULUS_ARCH::simd

#include <annulus/core/macros_on.hpp>
