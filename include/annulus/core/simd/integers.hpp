#pragma once

/// \file
/// Integer SIMD that xsimd does not have: bytes widened to 16 bits and the 16-bit multiply-add that sums pairs into 32
/// bits (VNNI's fused form where the build has it). The order of the lanes does not matter to a sum, so that widening
/// may interleave them. neon_integers.hpp has the same for ARM.

#include <annulus/core/simd/neon_integers.hpp>
#include <annulus/core/simd/scalar_integers.hpp>

#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

#if defined(__AVX512F__)

struct avx512_integers {
  static constexpr std::size_t bytes = 64;
  using bytes_type = __m512i;
  using shorts_type = __m512i;
  using sums_type = __m512i;

  static __m512i load(const void* p) noexcept { return _mm512_loadu_si512(p); }
  static __m512i load_partial(const void* p, std::size_t n) noexcept {
    return _mm512_maskz_loadu_epi8((std::uint64_t{1} << n) - 1, p);
  }
  static __m512i load_shorts(const std::int16_t* p) noexcept { return _mm512_loadu_si512(p); }
  static __m512i broadcast_word(std::int32_t word) noexcept { return _mm512_set1_epi32(word); }
  static __m512i zero() noexcept { return _mm512_setzero_si512(); }
  static __m512i broadcast_sum(std::int32_t sum) noexcept { return _mm512_set1_epi32(sum); }
  static __m512i load_words(const std::int32_t* p) noexcept { return load(p); }
  static void store(std::int32_t* p, __m512i sums) noexcept { _mm512_storeu_si512(p, sums); }
  static __m512i flip_sign(__m512i v) noexcept { return _mm512_xor_si512(v, _mm512_set1_epi8(-128)); }
  static __m512i absolute_difference(__m512i a, __m512i b) noexcept {
    return _mm512_or_si512(_mm512_subs_epu8(a, b), _mm512_subs_epu8(b, a));
  }
  static __m512i maximum(__m512i a, __m512i b) noexcept { return _mm512_max_epu8(a, b); }
  template <class Byte>
  static __m512i widen_low(__m512i v) noexcept {
    if constexpr (std::is_signed_v<Byte>) return _mm512_srai_epi16(_mm512_unpacklo_epi8(v, v), 8);
    else return _mm512_unpacklo_epi8(v, _mm512_setzero_si512());
  }
  template <class Byte>
  static __m512i widen_high(__m512i v) noexcept {
    if constexpr (std::is_signed_v<Byte>) return _mm512_srai_epi16(_mm512_unpackhi_epi8(v, v), 8);
    else return _mm512_unpackhi_epi8(v, _mm512_setzero_si512());
  }
  static __m512i multiply_add(__m512i sum, __m512i a, __m512i b) noexcept {
#if defined(__AVX512VNNI__)
    return _mm512_dpwssd_epi32(sum, a, b);
#else
    return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
#endif
  }
#if defined(__AVX512VNNI__)
  /// sum_i += the products of four unsigned bytes and four signed ones, exact.
  static __m512i multiply_add_bytes(__m512i sum, __m512i a, __m512i b) noexcept {
    return _mm512_dpbusd_epi32(sum, a, b);
  }
#endif
  static __m512i add(__m512i a, __m512i b) noexcept { return _mm512_add_epi32(a, b); }
  static __m512i least(__m512i a, __m512i b) noexcept { return _mm512_min_epi32(a, b); }
  static __m512i greatest(__m512i a, __m512i b) noexcept { return _mm512_max_epi32(a, b); }
  /// x where a < b, y elsewhere.
  static __m512i where_less(__m512i a, __m512i b, __m512i x, __m512i y) noexcept {
    return _mm512_mask_blend_epi32(_mm512_cmplt_epi32_mask(a, b), y, x);
  }
  static __m512i add_bytes(__m512i sum, __m512i v) noexcept {
    return _mm512_add_epi32(sum, _mm512_sad_epu8(v, _mm512_setzero_si512()));
  }
  static __m512i popcount(__m512i v) noexcept {
#if defined(__AVX512BITALG__)
    return _mm512_popcnt_epi8(v);
#else
    const __m512i table = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m512i low = _mm512_set1_epi8(15);
    return _mm512_add_epi8(_mm512_shuffle_epi8(table, _mm512_and_si512(v, low)),
                           _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(v, 4), low)));
#endif
  }
  static __m512i exclusive_or(__m512i a, __m512i b) noexcept { return _mm512_xor_si512(a, b); }
  static std::uint32_t reduce(__m512i sum) noexcept { return static_cast<std::uint32_t>(_mm512_reduce_add_epi32(sum)); }
  /// out[i] = reduce(sums[i]), with shared shuffles.
  static void reduce(const __m512i (&sums)[4], std::int32_t* out) noexcept {
    const auto pairs = [](__m512i a, __m512i b) {
      return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    };
    const __m512i low = pairs(sums[0], sums[1]), high = pairs(sums[2], sums[3]);
    const __m512i four = _mm512_add_epi32(_mm512_unpacklo_epi64(low, high), _mm512_unpackhi_epi64(low, high));
    const __m256i two = _mm256_add_epi32(_mm512_castsi512_si256(four), _mm512_extracti64x4_epi64(four, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_add_epi32(_mm256_castsi256_si128(two), _mm256_extracti128_si256(two, 1)));
  }
};
using integers = avx512_integers;

#elif defined(__AVX2__)

struct avx2_integers {
  static constexpr std::size_t bytes = 32;
  using bytes_type = __m256i;
  using shorts_type = __m256i;
  using sums_type = __m256i;

  static __m256i load(const void* p) noexcept { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static __m256i load_partial(const void* p, std::size_t n) noexcept {
    alignas(__m256i) std::uint8_t padded[bytes] = {};
    std::memcpy(padded, p, n);
    return load(padded);
  }
  static __m256i load_shorts(const std::int16_t* p) noexcept { return load(p); }
  static __m256i broadcast_word(std::int32_t word) noexcept { return _mm256_set1_epi32(word); }
  static __m256i zero() noexcept { return _mm256_setzero_si256(); }
  static __m256i broadcast_sum(std::int32_t sum) noexcept { return _mm256_set1_epi32(sum); }
  static __m256i load_words(const std::int32_t* p) noexcept { return load(p); }
  static void store(std::int32_t* p, __m256i sums) noexcept {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), sums);
  }
  static __m256i flip_sign(__m256i v) noexcept { return _mm256_xor_si256(v, _mm256_set1_epi8(-128)); }
  static __m256i absolute_difference(__m256i a, __m256i b) noexcept {
    return _mm256_or_si256(_mm256_subs_epu8(a, b), _mm256_subs_epu8(b, a));
  }
  static __m256i maximum(__m256i a, __m256i b) noexcept { return _mm256_max_epu8(a, b); }
  template <class Byte>
  static __m256i widen_low(__m256i v) noexcept {
    if constexpr (std::is_signed_v<Byte>) return _mm256_srai_epi16(_mm256_unpacklo_epi8(v, v), 8);
    else return _mm256_unpacklo_epi8(v, _mm256_setzero_si256());
  }
  template <class Byte>
  static __m256i widen_high(__m256i v) noexcept {
    if constexpr (std::is_signed_v<Byte>) return _mm256_srai_epi16(_mm256_unpackhi_epi8(v, v), 8);
    else return _mm256_unpackhi_epi8(v, _mm256_setzero_si256());
  }
  static __m256i multiply_add(__m256i sum, __m256i a, __m256i b) noexcept {
#if defined(__AVXVNNI__)
    return _mm256_dpwssd_avx_epi32(sum, a, b);
#else
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
#endif
  }
#if defined(__AVXVNNI__)
  static __m256i multiply_add_bytes(__m256i sum, __m256i a, __m256i b) noexcept {
    return _mm256_dpbusd_avx_epi32(sum, a, b);
  }
#endif
  static __m256i add(__m256i a, __m256i b) noexcept { return _mm256_add_epi32(a, b); }
  static __m256i least(__m256i a, __m256i b) noexcept { return _mm256_min_epi32(a, b); }
  static __m256i greatest(__m256i a, __m256i b) noexcept { return _mm256_max_epi32(a, b); }
  static __m256i where_less(__m256i a, __m256i b, __m256i x, __m256i y) noexcept {
    return _mm256_blendv_epi8(y, x, _mm256_cmpgt_epi32(b, a));
  }
  static __m256i add_bytes(__m256i sum, __m256i v) noexcept {
    return _mm256_add_epi32(sum, _mm256_sad_epu8(v, _mm256_setzero_si256()));
  }
  static __m256i popcount(__m256i v) noexcept {
    const __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m256i low = _mm256_set1_epi8(15);
    return _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(v, low)),
                           _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
  }
  static __m256i exclusive_or(__m256i a, __m256i b) noexcept { return _mm256_xor_si256(a, b); }
  static std::uint32_t reduce(__m256i sum) noexcept {
    __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xB1));
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(half));
  }
};
using integers = avx2_integers;

#elif defined(__SSE2__)

struct sse2_integers {
  static constexpr std::size_t bytes = 16;
  using bytes_type = __m128i;
  using shorts_type = __m128i;
  using sums_type = __m128i;

  static __m128i load(const void* p) noexcept { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
  static __m128i load_partial(const void* p, std::size_t n) noexcept {
    alignas(__m128i) std::uint8_t padded[bytes] = {};
    std::memcpy(padded, p, n);
    return load(padded);
  }
  static __m128i load_shorts(const std::int16_t* p) noexcept { return load(p); }
  static __m128i broadcast_word(std::int32_t word) noexcept { return _mm_set1_epi32(word); }
  static __m128i zero() noexcept { return _mm_setzero_si128(); }
  static __m128i broadcast_sum(std::int32_t sum) noexcept { return _mm_set1_epi32(sum); }
  static __m128i load_words(const std::int32_t* p) noexcept { return load(p); }
  static void store(std::int32_t* p, __m128i sums) noexcept { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), sums); }
  static __m128i flip_sign(__m128i v) noexcept { return _mm_xor_si128(v, _mm_set1_epi8(-128)); }
  static __m128i absolute_difference(__m128i a, __m128i b) noexcept {
    return _mm_or_si128(_mm_subs_epu8(a, b), _mm_subs_epu8(b, a));
  }
  static __m128i maximum(__m128i a, __m128i b) noexcept { return _mm_max_epu8(a, b); }
  template <class Byte>
  static __m128i widen_low(__m128i v) noexcept {
    if constexpr (std::is_signed_v<Byte>) return _mm_srai_epi16(_mm_unpacklo_epi8(v, v), 8);
    else return _mm_unpacklo_epi8(v, _mm_setzero_si128());
  }
  template <class Byte>
  static __m128i widen_high(__m128i v) noexcept {
    if constexpr (std::is_signed_v<Byte>) return _mm_srai_epi16(_mm_unpackhi_epi8(v, v), 8);
    else return _mm_unpackhi_epi8(v, _mm_setzero_si128());
  }
  static __m128i multiply_add(__m128i sum, __m128i a, __m128i b) noexcept {
    return _mm_add_epi32(sum, _mm_madd_epi16(a, b));
  }
  static __m128i add(__m128i a, __m128i b) noexcept { return _mm_add_epi32(a, b); }
  static __m128i least(__m128i a, __m128i b) noexcept { return where_less(a, b, a, b); }
  static __m128i greatest(__m128i a, __m128i b) noexcept { return where_less(a, b, b, a); }
  static __m128i where_less(__m128i a, __m128i b, __m128i x, __m128i y) noexcept {
    const __m128i less = _mm_cmplt_epi32(a, b);
    return _mm_or_si128(_mm_and_si128(less, x), _mm_andnot_si128(less, y));
  }
  static __m128i add_bytes(__m128i sum, __m128i v) noexcept {
    return _mm_add_epi32(sum, _mm_sad_epu8(v, _mm_setzero_si128()));
  }
  /// SSE2 has no byte shuffle: count bits in parallel within each byte.
  static __m128i popcount(__m128i v) noexcept {
    v = _mm_sub_epi8(v, _mm_and_si128(_mm_srli_epi16(v, 1), _mm_set1_epi8(0x55)));
    v = _mm_add_epi8(_mm_and_si128(v, _mm_set1_epi8(0x33)), _mm_and_si128(_mm_srli_epi16(v, 2), _mm_set1_epi8(0x33)));
    return _mm_and_si128(_mm_add_epi8(v, _mm_srli_epi16(v, 4)), _mm_set1_epi8(0x0F));
  }
  static __m128i exclusive_or(__m128i a, __m128i b) noexcept { return _mm_xor_si128(a, b); }
  static std::uint32_t reduce(__m128i sum) noexcept {
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(sum));
  }
};
using integers = sse2_integers;

#elif defined(__aarch64__)
using integers = neon_integers;
#else
using integers = scalar_integers;
#endif

/// Whether integer products are faster than floating-point ones; else the latter are to be preferred.
inline constexpr bool has_fast_integers = !std::is_same_v<integers, scalar_integers>;

/// Whether the build multiplies bytes into 32-bit sums directly, at twice the speed of 16 bits or more
/// (multiply_add_bytes), and the type of its first factors; the second ones are signed.
#if defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
inline constexpr bool has_byte_products = true;
using first_factor = std::int8_t;
#elif defined(__AVX512VNNI__) || (defined(__AVXVNNI__) && !defined(__AVX512F__))
inline constexpr bool has_byte_products = true;
using first_factor = std::uint8_t;
#else
inline constexpr bool has_byte_products = false;
using first_factor = std::uint8_t;
#endif

/// Adds the products of the bytes of two vectors, of types A and B, each to an unspecified lane. Exact.
template <class A, class B, class Integers = integers>
typename Integers::sums_type add_byte_products(typename Integers::sums_type sum, typename Integers::bytes_type a,
                                               typename Integers::bytes_type b) noexcept {
  if constexpr (requires { Integers::template add_byte_products<A, B>(sum, a, b); }) {
    return Integers::template add_byte_products<A, B>(sum, a, b);
  } else if constexpr (std::is_same_v<A, first_factor> && std::is_signed_v<B> &&
                       requires { Integers::multiply_add_bytes(sum, a, b); }) {
    return Integers::multiply_add_bytes(sum, a, b);
  } else {
    sum = Integers::multiply_add(sum, Integers::template widen_low<A>(a), Integers::template widen_low<B>(b));
    return Integers::multiply_add(sum, Integers::template widen_high<A>(a), Integers::template widen_high<B>(b));
  }
}

/// Rounds the lanes to 16-bit integers, saturated, and writes all of them. The results for NaN and for values beyond 32
/// bits are unspecified.
inline void store_shorts(std::int16_t* to, const batch<float>& v) noexcept {
#if defined(__AVX512F__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(v)));
#elif defined(__AVX__)
  const __m256i wide = _mm256_cvtps_epi32(v);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extractf128_si256(wide, 1)));
#elif defined(__SSE2__)
  const __m128i wide = _mm_cvtps_epi32(v);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packs_epi32(wide, wide));
#elif defined(__aarch64__)
  vst1_s16(to, vqmovn_s32(vcvtnq_s32_f32(v)));
#else
  alignas(64) float lane[lanes<float>];
  v.store_aligned(lane);
  for (std::size_t i = 0; i < lanes<float>; ++i) {
    const float bounded = lane[i] > -32768.0f ? (lane[i] < 32767.0f ? lane[i] : 32767.0f) : -32768.0f;
    to[i] = static_cast<std::int16_t>(std::lrint(bounded));
  }
#endif
}

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
