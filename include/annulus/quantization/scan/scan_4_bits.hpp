#pragma once

/// \file
/// The scan over 4-bit codes: tables of 16 bytes are looked up by byte shuffles, 16 to 64 codes' entries at a time
/// (André, Kermarrec and Le Scouarnec, VLDB 2015; the layout and the 16-bit sums are faiss's).

#include <annulus/quantization/scan/blocks_4_bits.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

// A kernel is a struct with
//   order      that of the blocks
//   queries    how many share a pass over the codes
//   find<Queries>(blocks, begin, end, tables, limits, sums)
// `tables` are Queries times blocks.table_bytes() bytes, aligned to 64. find looks for the first of the blocks
// [begin, end) in which a sum is below its query's limit, stores the block's sums, 32 a query, and returns its number,
// or `end` where there is none. All kernels give the same sums.

/// The reference, for any order of blocks.
template <class Order>
struct scalar_nibbles {
  using order = Order;
  static constexpr std::size_t queries = 1;

  template <std::size_t Queries>
  static std::size_t find(const blocks_4_bits<Order>& blocks, std::size_t begin, std::size_t end,
                          const std::uint8_t* tables, const std::uint16_t* limits, std::uint16_t* sums) noexcept {
    for (std::size_t b = begin; b < end; ++b) {
      bool any = false;
      std::fill_n(sums, Queries * sums_at_once, std::uint16_t{0});
      for (std::size_t q = 0; q < Queries; ++q) {
        const std::uint8_t *block = blocks.block(b), *table = tables + q * blocks.table_bytes();
        std::uint16_t* const sum = sums + q * sums_at_once;
        for (std::size_t m = 0; m < blocks.m(); ++m, table += blocks.table_stride)
          for (std::size_t v = 0; v < sums_at_once / 2; ++v) {
            const std::uint8_t byte = block[Order::place(v, m).byte];
            sum[v] = static_cast<std::uint16_t>(sum[v] + table[byte & 15]);
            sum[v + 16] = static_cast<std::uint16_t>(sum[v + 16] + table[byte >> 4]);
          }
        any = any || sums_below(sum, limits[q]) != 0;
      }
      if (any) return b;
    }
    return end;
  }
};

#if defined(__SSSE3__)

/// Registers of one sub-quantiser, 16 codes in each half of its bytes.
struct xmm_bytes {
  using type = __m128i;
  static constexpr std::size_t size = 16, queries = 2;  ///< whose sums take half of 16 registers
  /// Sums of 16-bit words, and once more of the odd bytes by themselves, to be subtracted from the others at the end.
  /// That takes three instructions a register.
  struct total {
    type all, odd;
  };
  static type load(const std::uint8_t* p) noexcept { return _mm_load_si128(reinterpret_cast<const type*>(p)); }
  static type low_nibbles(type v) noexcept { return _mm_and_si128(v, _mm_set1_epi8(15)); }
  static type high_nibbles(type v) noexcept { return low_nibbles(_mm_srli_epi16(v, 4)); }
  static type look_up(type table, type v) noexcept { return _mm_shuffle_epi8(table, v); }
  static total zero() noexcept { return {_mm_setzero_si128(), _mm_setzero_si128()}; }
  static total add(total sum, type v) noexcept {
    return {_mm_add_epi16(sum.all, v), _mm_add_epi16(sum.odd, _mm_srli_epi16(v, 8))};
  }
  static total finished(total sum) noexcept { return {_mm_sub_epi16(sum.all, _mm_slli_epi16(sum.odd, 8)), sum.odd}; }
  static bool any_below(total sum, std::uint16_t limit) noexcept {
    const type bound = _mm_set1_epi16(static_cast<std::int16_t>(limit));
    const type below = _mm_or_si128(_mm_subs_epu16(bound, sum.all), _mm_subs_epu16(bound, sum.odd));
    return _mm_movemask_epi8(_mm_cmpeq_epi16(below, _mm_setzero_si128())) != 0xFFFF;
  }
  static void store(total sum, std::uint16_t* sums) noexcept {
    _mm_storeu_si128(reinterpret_cast<type*>(sums), sum.all);
    _mm_storeu_si128(reinterpret_cast<type*>(sums + 8), sum.odd);
  }
};

#if defined(__AVX2__)
/// Registers of two sub-quantisers, which are summed once at the end of a block.
struct ymm_bytes {
  using type = __m256i;
  static constexpr std::size_t size = 32, queries = 2;
  struct total {
    type all, odd;
  };
  static type load(const std::uint8_t* p) noexcept { return _mm256_load_si256(reinterpret_cast<const type*>(p)); }
  static type low_nibbles(type v) noexcept { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }
  static type high_nibbles(type v) noexcept { return low_nibbles(_mm256_srli_epi16(v, 4)); }
  static type look_up(type table, type v) noexcept { return _mm256_shuffle_epi8(table, v); }
  static total zero() noexcept { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static total add(total sum, type v) noexcept {
    return {_mm256_add_epi16(sum.all, v), _mm256_add_epi16(sum.odd, _mm256_srli_epi16(v, 8))};
  }
  static total finished(total sum) noexcept {
    const type even = _mm256_sub_epi16(sum.all, _mm256_slli_epi16(sum.odd, 8));
    return {_mm256_add_epi16(_mm256_permute2x128_si256(even, sum.odd, 0x20),
                             _mm256_permute2x128_si256(even, sum.odd, 0x31)),
            sum.odd};
  }
  static bool any_below(total sum, std::uint16_t limit) noexcept {
    const type below = _mm256_subs_epu16(_mm256_set1_epi16(static_cast<std::int16_t>(limit)), sum.all);
    return _mm256_testz_si256(below, below) == 0;
  }
  static void store(total sum, std::uint16_t* sums) noexcept {
    _mm256_storeu_si256(reinterpret_cast<type*>(sums), sum.all);
  }
};
#endif

#elif defined(__aarch64__)

/// Registers of one sub-quantiser. NEON adds bytes to words, eight at a time.
struct neon_bytes {
  using type = uint8x16_t;
  static constexpr std::size_t size = 16, queries = 4;
  struct total {
    uint16x8_t front, back;  ///< of bytes 0 to 7 and 8 to 15
  };
  static type load(const std::uint8_t* p) noexcept { return vld1q_u8(p); }
  static type low_nibbles(type v) noexcept { return vandq_u8(v, vdupq_n_u8(15)); }
  static type high_nibbles(type v) noexcept { return vshrq_n_u8(v, 4); }
  static type look_up(type table, type v) noexcept { return vqtbl1q_u8(table, v); }
  static total zero() noexcept { return {vdupq_n_u16(0), vdupq_n_u16(0)}; }
  static total add(total sum, type v) noexcept {
    return {vaddw_u8(sum.front, vget_low_u8(v)), vaddw_high_u8(sum.back, v)};
  }
  static total finished(total sum) noexcept { return sum; }
  static bool any_below(total sum, std::uint16_t limit) noexcept {
    return vminvq_u16(vminq_u16(sum.front, sum.back)) < limit;
  }
  static void store(total sum, std::uint16_t* sums) noexcept {
    vst1q_u16(sums, vuzp1q_u16(sum.front, sum.back));
    vst1q_u16(sums + 8, vuzp2q_u16(sum.front, sum.back));
  }
};

#endif

#if defined(__SSSE3__) || defined(__aarch64__)

/// By shuffles of tables of 16 bytes, in faiss's order.
template <class Bytes>
struct shuffled_nibbles {
  using order = pair_order;
  using type = typename Bytes::type;
  static constexpr std::size_t queries = Bytes::queries;

  /// Not inlined, so that the registers hold the sums and nothing else.
  template <std::size_t Queries>
  [[gnu::noinline]] static std::size_t find(const blocks_4_bits<order>& blocks, std::size_t begin, std::size_t end,
                                            const std::uint8_t* tables, const std::uint16_t* limits,
                                            std::uint16_t* sums) noexcept {
    const std::size_t table_bytes = blocks.table_bytes();
    for (std::size_t b = begin; b < end; ++b) {
      const std::uint8_t* const block = blocks.block(b);
      typename Bytes::total low[Queries], high[Queries];  // of codes 0 to 15 and 16 to 31
      simd::unroll<Queries>([&](auto q) { low[q] = high[q] = Bytes::zero(); });
      for (std::size_t at = 0; at < table_bytes; at += Bytes::size) {
        const type codes = Bytes::load(block + at);
        const type low_codes = Bytes::low_nibbles(codes), high_codes = Bytes::high_nibbles(codes);
        simd::unroll<Queries>([&](auto q) {
          const type table = Bytes::load(tables + q * table_bytes + at);
          low[q] = Bytes::add(low[q], Bytes::look_up(table, low_codes));
          high[q] = Bytes::add(high[q], Bytes::look_up(table, high_codes));
        });
      }
      bool any = false;
      simd::unroll<Queries>([&](auto q) {
        low[q] = Bytes::finished(low[q]);
        high[q] = Bytes::finished(high[q]);
        any = any || Bytes::any_below(low[q], limits[q]) || Bytes::any_below(high[q], limits[q]);
      });
      if (!any) [[likely]]
        continue;
      // Inlined where it is seldom run, too: a reference to the sums would keep them in memory.
      simd::unroll<Queries>([&](auto q) ANNULUS_INLINED {
        Bytes::store(low[q], sums + q * sums_at_once);
        Bytes::store(high[q], sums + q * sums_at_once + 16);
      });
      return b;
    }
    return end;
  }
};

#endif

#if defined(__AVX512VBMI__) && defined(__AVX512VNNI__)

/// By vpermb, whose table of 64 bytes is that of four sub-quantisers; the bytes of one code lie side by side, and VNNI
/// sums them into 32 bits: half the instructions of pshufb, and no lanes to be added at the end (twice its speed).
struct permuted_nibbles {
  using order = quad_order;
  static constexpr std::size_t queries = 4;

  template <std::size_t Queries>
  [[gnu::noinline]] static std::size_t find(const blocks_4_bits<order>& blocks, std::size_t begin, std::size_t end,
                                            const std::uint8_t* tables, const std::uint16_t* limits,
                                            std::uint16_t* sums) noexcept {
    constexpr int masked_or = 0xEA;  // (a & b) | c
    const __m512i nibble = _mm512_set1_epi8(15), one = _mm512_set1_epi8(1), part = _mm512_set1_epi32(0x30201000);
    const std::size_t table_bytes = blocks.table_bytes();
    __m512i bound[Queries];
    simd::unroll<Queries>([&](auto q) { bound[q] = _mm512_set1_epi32(limits[q]); });
    for (std::size_t b = begin; b < end; ++b) {
      const std::uint8_t* const block = blocks.block(b);
      __m512i low[Queries], high[Queries];
      simd::unroll<Queries>([&](auto q) { low[q] = high[q] = _mm512_setzero_si512(); });
      for (std::size_t at = 0; at < table_bytes; at += 64) {
        const __m512i codes = _mm512_load_si512(block + at);
        const __m512i low_codes = _mm512_ternarylogic_epi32(codes, nibble, part, masked_or);
        const __m512i high_codes = _mm512_ternarylogic_epi32(_mm512_srli_epi16(codes, 4), nibble, part, masked_or);
        simd::unroll<Queries>([&](auto q) {
          const __m512i table = _mm512_load_si512(tables + q * table_bytes + at);
          low[q] = _mm512_dpbusd_epi32(low[q], _mm512_permutexvar_epi8(low_codes, table), one);
          high[q] = _mm512_dpbusd_epi32(high[q], _mm512_permutexvar_epi8(high_codes, table), one);
        });
      }
      unsigned any = 0;
      simd::unroll<Queries>(
          [&](auto q) { any |= _mm512_cmplt_epu32_mask(_mm512_min_epu32(low[q], high[q]), bound[q]); });
      if (any == 0) [[likely]]
        continue;
      simd::unroll<Queries>([&](auto q) {
        __m256i* const out = reinterpret_cast<__m256i*>(sums + q * sums_at_once);
        _mm256_storeu_si256(out, _mm512_cvtepi32_epi16(low[q]));
        _mm256_storeu_si256(out + 1, _mm512_cvtepi32_epi16(high[q]));
      });
      return b;
    }
    return end;
  }
};
using nibble_kernel = permuted_nibbles;

#elif defined(__AVX2__)
using nibble_kernel = shuffled_nibbles<ymm_bytes>;
#elif defined(__SSSE3__)
using nibble_kernel = shuffled_nibbles<xmm_bytes>;
#elif defined(__aarch64__)
using nibble_kernel = shuffled_nibbles<neon_bytes>;
#else
using nibble_kernel = scalar_nibbles<nibble_order>;
#endif
template <>
inline constexpr bool has_register_tables<blocks_4_bits<>> = !std::same_as<nibble_kernel, scalar_nibbles<nibble_order>>;

/// Scans blocks [begin, end) for `Queries` queries and calls hit(query, first code, bits of the codes, sums) for 32
/// codes of which some have sums below the query's limit. `hit` may change the limits.
template <class Kernel, std::size_t Queries, class Hit>
void scan_nibbles(const blocks_4_bits<typename Kernel::order>& blocks, std::size_t begin, std::size_t end,
                  const std::uint8_t* tables, const std::uint16_t* limits, Hit&& hit) {
  alignas(64) std::uint16_t sums[Queries * sums_at_once];
  for (std::size_t b = begin; b < end; ++b) {
    b = Kernel::template find<Queries>(blocks, b, end, tables, limits, sums);
    if (b == end) return;
    for (std::size_t q = 0; q < Queries; ++q)
      if (const auto below = sums_below(sums + q * sums_at_once, limits[q]); below != 0)
        hit(q, b * sums_at_once, below, sums + q * sums_at_once);
  }
}

/// The same for the first of `count` queries, as many as one pass takes; returns how many.
template <class Kernel = nibble_kernel, class Hit>
std::size_t scan_codes(const blocks_4_bits<typename Kernel::order>& blocks, std::size_t begin, std::size_t end,
                       const std::uint8_t* tables, const std::uint16_t* limits, std::size_t count, Hit&& hit) {
  if (count < Kernel::queries) {
    scan_nibbles<Kernel, 1>(blocks, begin, end, tables, limits, hit);
    return 1;
  }
  scan_nibbles<Kernel, Kernel::queries>(blocks, begin, end, tables, limits, hit);
  return Kernel::queries;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
