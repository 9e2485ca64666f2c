#pragma once

/// \file
/// Transposing blocks of 32-bit words: rows become columns, so that one vector holds the same word of many rows.

#include <annulus/core/simd/integers.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

#if defined(__aarch64__)
/// Lane i of column j is lane j of row i.
inline std::array<int32x4_t, 4> transposed(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d) noexcept {
  const int64x2_t ab_even = vreinterpretq_s64_s32(vtrn1q_s32(a, b)), ab_odd = vreinterpretq_s64_s32(vtrn2q_s32(a, b));
  const int64x2_t cd_even = vreinterpretq_s64_s32(vtrn1q_s32(c, d)), cd_odd = vreinterpretq_s64_s32(vtrn2q_s32(c, d));
  return {vreinterpretq_s32_s64(vzip1q_s64(ab_even, cd_even)), vreinterpretq_s32_s64(vzip1q_s64(ab_odd, cd_odd)),
          vreinterpretq_s32_s64(vzip2q_s64(ab_even, cd_even)), vreinterpretq_s32_s64(vzip2q_s64(ab_odd, cd_odd))};
}
#endif

/// out[j * out_stride + i] = rows[i * stride + j] for i, j < 4.
inline void transpose_4x4(const std::int32_t* rows, std::size_t stride, std::int32_t* out,
                          std::size_t out_stride) noexcept {
#if defined(__SSE2__)
  const auto row = [=](std::size_t i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows + i * stride)); };
  const __m128i low01 = _mm_unpacklo_epi32(row(0), row(1)), low23 = _mm_unpacklo_epi32(row(2), row(3));
  const __m128i high01 = _mm_unpackhi_epi32(row(0), row(1)), high23 = _mm_unpackhi_epi32(row(2), row(3));
  const auto put = [=](std::size_t j, __m128i v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + j * out_stride), v);
  };
  put(0, _mm_unpacklo_epi64(low01, low23));
  put(1, _mm_unpackhi_epi64(low01, low23));
  put(2, _mm_unpacklo_epi64(high01, high23));
  put(3, _mm_unpackhi_epi64(high01, high23));
#elif defined(__aarch64__)
  const auto columns =
      transposed(vld1q_s32(rows), vld1q_s32(rows + stride), vld1q_s32(rows + 2 * stride), vld1q_s32(rows + 3 * stride));
  unroll<4>([&](auto j) { vst1q_s32(out + j * out_stride, columns[j]); });
#else
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j) out[j * out_stride + i] = rows[i * stride + j];
#endif
}

/// The number of rows and columns of a square of words: one for each lane.
inline constexpr std::size_t word_lanes = integers::bytes / sizeof(std::int32_t);

/// out[j * word_lanes + i] = word j of row i, for i, j < word_lanes; row i begins `first` bytes behind rows[i]. Every
/// word is combined with `flip` by exclusive or.
inline void transpose_square(const std::array<const std::uint8_t*, word_lanes>& rows, std::size_t first,
                             std::int32_t flip, std::int32_t* out) noexcept {
#if defined(__AVX512F__)
  __m512i a[16], b[16];
  const __m512i mask = _mm512_set1_epi32(flip);
  unroll<16>([&](auto i) { a[i] = _mm512_xor_si512(_mm512_loadu_si512(rows[i] + first), mask); });
  unroll<8>([&](auto i) {
    b[2 * i] = _mm512_unpacklo_epi32(a[2 * i], a[2 * i + 1]);
    b[2 * i + 1] = _mm512_unpackhi_epi32(a[2 * i], a[2 * i + 1]);
  });
  unroll<4>([&](auto i) {  // a[4 i + j]: word j of rows 4 i to 4 i + 3, in each 128-bit part words j, 4 + j, 8 + j, ...
    a[4 * i] = _mm512_unpacklo_epi64(b[4 * i], b[4 * i + 2]);
    a[4 * i + 1] = _mm512_unpackhi_epi64(b[4 * i], b[4 * i + 2]);
    a[4 * i + 2] = _mm512_unpacklo_epi64(b[4 * i + 1], b[4 * i + 3]);
    a[4 * i + 3] = _mm512_unpackhi_epi64(b[4 * i + 1], b[4 * i + 3]);
  });
  unroll<4>([&](auto j) {
    const __m512i low01 = _mm512_shuffle_i32x4(a[j], a[4 + j], 0x88),
                  high01 = _mm512_shuffle_i32x4(a[j], a[4 + j], 0xDD);
    const __m512i low23 = _mm512_shuffle_i32x4(a[8 + j], a[12 + j], 0x88);
    const __m512i high23 = _mm512_shuffle_i32x4(a[8 + j], a[12 + j], 0xDD);
    _mm512_storeu_si512(out + 16 * j, _mm512_shuffle_i32x4(low01, low23, 0x88));
    _mm512_storeu_si512(out + 16 * (4 + j), _mm512_shuffle_i32x4(high01, high23, 0x88));
    _mm512_storeu_si512(out + 16 * (8 + j), _mm512_shuffle_i32x4(low01, low23, 0xDD));
    _mm512_storeu_si512(out + 16 * (12 + j), _mm512_shuffle_i32x4(high01, high23, 0xDD));
  });
#elif defined(__AVX2__)
  __m256i a[8], b[8];
  const __m256i mask = _mm256_set1_epi32(flip);
  unroll<8>([&](auto i) {
    a[i] = _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[i] + first)), mask);
  });
  unroll<4>([&](auto i) {
    b[2 * i] = _mm256_unpacklo_epi32(a[2 * i], a[2 * i + 1]);
    b[2 * i + 1] = _mm256_unpackhi_epi32(a[2 * i], a[2 * i + 1]);
  });
  const auto put = [out](std::size_t j, __m256i v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 8 * j), v); };
  const auto columns = [&](auto j, __m256i low, __m256i high) {
    put(j, _mm256_permute2x128_si256(low, high, 0x20));
    put(4 + j, _mm256_permute2x128_si256(low, high, 0x31));
  };
  unroll<2>([&](auto h) {  // words 2 h and 2 h + 1 of each half
    const std::integral_constant<std::size_t, 2 * h> even;
    const std::integral_constant<std::size_t, 2 * h + 1> odd;
    columns(even, _mm256_unpacklo_epi64(b[h], b[2 + h]), _mm256_unpacklo_epi64(b[4 + h], b[6 + h]));
    columns(odd, _mm256_unpackhi_epi64(b[h], b[2 + h]), _mm256_unpackhi_epi64(b[4 + h], b[6 + h]));
  });
#elif defined(__aarch64__)
  const auto row = [&](std::size_t i) {
    return veorq_s32(vreinterpretq_s32_u8(vld1q_u8(rows[i] + first)), vdupq_n_s32(flip));
  };
  const auto columns = transposed(row(0), row(1), row(2), row(3));
  unroll<4>([&](auto j) { vst1q_s32(out + j * word_lanes, columns[j]); });
#else
  for (std::size_t i = 0; i < word_lanes; ++i)
    for (std::size_t j = 0; j < word_lanes; ++j) {
      std::int32_t word;
      std::memcpy(&word, rows[i] + first + sizeof word * j, sizeof word);
      out[j * word_lanes + i] = word ^ flip;
    }
#endif
}

/// Interleaves `count` rows of words, followed by rows of zeros up to `Width` rows: word w of row r goes to out[w *
/// Width + r].
template <std::size_t Width>
void interleave(const std::int32_t* rows, std::size_t count, std::size_t words, std::int32_t* out) noexcept {
  std::size_t r = 0;
  for (; r + 4 <= count; r += 4) {
    std::size_t w = 0;
    for (; w + 4 <= words; w += 4) transpose_4x4(rows + r * words + w, words, out + w * Width + r, Width);
    for (; w < words; ++w)
      for (std::size_t i = r; i < r + 4; ++i) out[w * Width + i] = rows[i * words + w];
  }
  for (; r < Width; ++r)
    for (std::size_t w = 0; w < words; ++w) out[w * Width + r] = r < count ? rows[r * words + w] : 0;
}

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
