#pragma once

/// \file
/// SIMD that counts bits: those of each 64-bit word of a vector, and the sums of such counts for rows. VPOPCNTDQ has an
/// instruction for words; other builds count bytes by table look-ups or in parallel.

#include <annulus/core/simd/integers.hpp>
#include <annulus/core/simd/masks.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

/// The same in scalar code: for builds without SIMD, and as the reference of the tests.
struct scalar_bits {
  static constexpr std::size_t bytes = 8;
  static constexpr bool loads_part = false;  ///< whether a partial load costs no more than a whole one
  using vector = std::uint64_t;
  static vector zero() noexcept { return 0; }
  static vector load(const void* p) noexcept {
    vector v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  /// The first n < bytes bytes, the rest zero.
  static vector load_partial(const void* p, std::size_t n) noexcept {
    vector v = 0;
    std::memcpy(&v, p, n);
    return v;
  }
  static vector both(vector a, vector b) noexcept { return a & b; }
  static vector exclusive_or(vector a, vector b) noexcept { return a ^ b; }
  /// The bits of every 64-bit word.
  static vector count_words(vector v) noexcept { return static_cast<vector>(std::popcount(v)); }
  static vector add(vector a, vector b) noexcept { return a + b; }
  static std::uint32_t sum_words(vector v) noexcept { return static_cast<std::uint32_t>(v); }
  /// out[i] = sum_words(v[i]), for words below 2^15.
  static void sum_words(const vector (&v)[4], std::uint32_t* out) noexcept {
    for (std::size_t i = 0; i < 4; ++i) out[i] = sum_words(v[i]);
  }
  /// Bit i tells whether byte i is not zero.
  static std::uint64_t nonzero_bytes(vector v) noexcept {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < bytes; ++i) bits |= std::uint64_t{(v >> (8 * i) & 255u) != 0} << i;
    return bits;
  }
};

#if defined(__AVX512F__)

struct avx512_bits : avx512_integers {
  static constexpr bool loads_part = true;
  using vector = __m512i;
  static vector both(vector a, vector b) noexcept { return _mm512_and_si512(a, b); }
  static vector count_words(vector v) noexcept {
#if defined(__AVX512VPOPCNTDQ__)
    return _mm512_popcnt_epi64(v);
#else
    return _mm512_sad_epu8(popcount(v), _mm512_setzero_si512());
#endif
  }
  static std::uint32_t sum_words(vector v) noexcept { return reduce(v); }
  /// Every 128-bit part of the result holds the sums of the four vectors' words there.
  static __m512i sum_parts(const vector (&v)[4]) noexcept {
    const __m512i low = _mm512_packs_epi32(v[0], v[1]), high = _mm512_packs_epi32(v[2], v[3]);
    return _mm512_madd_epi16(_mm512_packs_epi32(low, high), _mm512_set1_epi16(1));
  }
  static void sum_words(const vector (&v)[4], std::uint32_t* out) noexcept {
    const __m512i parts = sum_parts(v);
    const __m256i two = _mm256_add_epi32(_mm512_castsi512_si256(parts), _mm512_extracti64x4_epi64(parts, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_add_epi32(_mm256_castsi256_si128(two), _mm256_extracti128_si256(two, 1)));
  }
  static std::uint64_t nonzero_bytes(vector v) noexcept { return _mm512_test_epi8_mask(v, v); }

  /// The sums of 16 consecutive rows, of which each vector holds `Rows`.
  template <std::size_t Rows>
  static void sum_rows(const vector (&v)[16 / Rows], std::uint32_t* out) noexcept {
    __m512i sums;
    if constexpr (Rows == 8) {
      sums = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(v[0])), _mm512_cvtepi64_epi32(v[1]), 1);
    } else if constexpr (Rows == 4) {
      const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
      sums = _mm512_permutexvar_epi32(order, sum_parts(v));
    } else {
      const __m512i front = sum_parts({v[0], v[1], v[2], v[3]}), back = sum_parts({v[4], v[5], v[6], v[7]});
      const __m512i order = _mm512_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
      sums = _mm512_permutexvar_epi32(
          order, _mm512_add_epi32(_mm512_shuffle_i32x4(front, back, 0x88), _mm512_shuffle_i32x4(front, back, 0xDD)));
    }
    _mm512_storeu_si512(out, sums);
  }
};
using bits = avx512_bits;

#elif defined(__AVX2__)

struct avx2_bits : avx2_integers {
  static constexpr bool loads_part = false;
  using vector = __m256i;
  static vector both(vector a, vector b) noexcept { return _mm256_and_si256(a, b); }
  static vector count_words(vector v) noexcept { return _mm256_sad_epu8(popcount(v), _mm256_setzero_si256()); }
  static std::uint32_t sum_words(vector v) noexcept { return reduce(v); }
  static void sum_words(const vector (&v)[4], std::uint32_t* out) noexcept {
    const __m256i low = _mm256_packs_epi32(v[0], v[1]), high = _mm256_packs_epi32(v[2], v[3]);
    const __m256i parts = _mm256_madd_epi16(_mm256_packs_epi32(low, high), _mm256_set1_epi16(1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_add_epi32(_mm256_castsi256_si128(parts), _mm256_extracti128_si256(parts, 1)));
  }
  static std::uint64_t nonzero_bytes(vector v) noexcept {
    const __m256i is_zero = _mm256_cmpeq_epi8(v, _mm256_setzero_si256());
    return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(is_zero));
  }
};
using bits = avx2_bits;

#elif defined(__SSE2__)

struct sse2_bits : sse2_integers {
  static constexpr bool loads_part = false;
  using vector = __m128i;
  static vector both(vector a, vector b) noexcept { return _mm_and_si128(a, b); }
  static vector count_words(vector v) noexcept { return _mm_sad_epu8(popcount(v), _mm_setzero_si128()); }
  static std::uint32_t sum_words(vector v) noexcept { return reduce(v); }
  static void sum_words(const vector (&v)[4], std::uint32_t* out) noexcept {
    const __m128i low = _mm_packs_epi32(v[0], v[1]), high = _mm_packs_epi32(v[2], v[3]);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_madd_epi16(_mm_packs_epi32(low, high), _mm_set1_epi16(1)));
  }
  static std::uint64_t nonzero_bytes(vector v) noexcept {
    return ~static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128()))) & 0xFFFFu;
  }
};
using bits = sse2_bits;

#elif defined(__aarch64__)

/// Words are of 32 bits here.
struct neon_bits : neon_integers {
  static constexpr bool loads_part = false;
  using vector = uint8x16_t;
  static vector zero() noexcept { return zero_bytes(); }
  static vector both(vector a, vector b) noexcept { return vandq_u8(a, b); }
  static vector add_count(vector sum, vector v) noexcept {
    return vreinterpretq_u8_s32(add_bytes(vreinterpretq_s32_u8(sum), popcount(v)));
  }
  static vector count_words(vector v) noexcept { return add_count(zero(), v); }
  static vector add(vector a, vector b) noexcept {
    return vreinterpretq_u8_u32(vaddq_u32(vreinterpretq_u32_u8(a), vreinterpretq_u32_u8(b)));
  }
  static std::uint32_t sum_words(vector v) noexcept { return reduce(vreinterpretq_s32_u8(v)); }
  static void sum_words(const vector (&v)[4], std::uint32_t* out) noexcept {
    const auto pairs = [](vector a, vector b) { return vpaddq_u32(vreinterpretq_u32_u8(a), vreinterpretq_u32_u8(b)); };
    vst1q_u32(out, vpaddq_u32(pairs(v[0], v[1]), pairs(v[2], v[3])));
  }
  static std::uint64_t nonzero_bytes(vector v) noexcept { return neon_mask<1>(vtstq_u8(v, v)); }
};
using bits = neon_bits;

#else
using bits = scalar_bits;
#endif

/// sum + count_words(v), by fewer instructions where Bits can.
template <class Bits>
typename Bits::vector add_count(typename Bits::vector sum, typename Bits::vector v) noexcept {
  if constexpr (requires { Bits::add_count(sum, v); }) return Bits::add_count(sum, v);
  else return Bits::add(sum, Bits::count_words(v));
}

/// Rows of at most so many bytes are counted by 64-bit words rather than by vectors. None, where the baseline of x86
/// calls a function for each word; less than a vector on ARM, which counts bits in vector registers alone.
#if defined(__aarch64__)
inline constexpr std::size_t most_bytes_by_words = 15;
#elif defined(__POPCNT__) || !defined(__SSE2__)
inline constexpr std::size_t most_bytes_by_words = 64;
#else
inline constexpr std::size_t most_bytes_by_words = 0;
#endif

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
