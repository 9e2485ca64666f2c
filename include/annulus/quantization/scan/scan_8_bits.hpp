#pragma once

/// \file
/// Codes of 8 bits and the scan over them: a table of 256 bytes is four registers of AVX-512, which two permutations of
/// 128 bytes look up for 64 codes at a time, or 16 of NEON, looked up by fours for 16 codes.

#include <annulus/quantization/scan/block_layout.hpp>
#include <annulus/storage/archive.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// n codes of m bytes, in blocks of 64 vectors: for each sub-quantiser the 64 bytes of the block's vectors. The bytes
/// of vectors behind the last are zero.
class blocks_8_bits {
 public:
  static constexpr std::size_t vectors_a_block = 64;
  static constexpr std::size_t table_stride = 256;  ///< bytes a sub-quantiser in the tables of a scan

  /// No codes yet, of m >= 1 bytes each.
  explicit blocks_8_bits(std::size_t m) : m_m(m) {
    if (m == 0) invalid("m", m, "must be at least 1");
  }

  /// Appends n x m codes of this m. O(n m); nothing changes where it throws.
  void append(matrix_view<std::uint8_t> codes) {
    const std::size_t first = m_size, size = m_size + codes.rows();
    m_bytes.resize(checked_product(size / vectors_a_block + (size % vectors_a_block != 0), block_bytes(), "codes"));
    m_size = size;
    for (std::size_t i = 0; i < codes.rows(); ++i)
      for (std::size_t j = 0; j < m_m; ++j) m_bytes[place(first + i, j)] = codes.row(i)[j];
  }

  std::size_t size() const noexcept { return m_size; }
  std::size_t m() const noexcept { return m_m; }
  std::size_t blocks() const noexcept { return m_bytes.size() / block_bytes(); }
  std::size_t block_bytes() const noexcept { return m_m * vectors_a_block; }
  std::size_t table_bytes() const noexcept { return m_m * table_stride; }
  std::size_t memory_bytes() const noexcept { return m_bytes.memory_bytes(); }
  const std::uint8_t* block(std::size_t b) const noexcept { return m_bytes.data() + b * block_bytes(); }
  std::uint8_t code(std::size_t i, std::size_t m) const noexcept { return m_bytes[place(i, m)]; }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("count", self.m_size);
    const std::uint64_t n_blocks = self.m_size / vectors_a_block + (self.m_size % vectors_a_block != 0);
    archive("blocks", self.m_bytes, {n_blocks, self.m_m, vectors_a_block});
  }
  std::string defect(std::size_t ks) const {
    for (std::size_t i = 0; i < m_size; ++i)
      for (std::size_t j = 0; j < m_m; ++j)
        if (code(i, j) >= ks) return "the code of vector " + std::to_string(i) + " is not below ks";
    return {};
  }

 private:
  std::size_t place(std::size_t i, std::size_t m) const noexcept {
    return i / vectors_a_block * block_bytes() + m * vectors_a_block + i % vectors_a_block;
  }

  std::size_t m_m, m_size = 0;
  buffer<std::uint8_t> m_bytes;
};

/// Blocks that share the loads of a table: their sums take 16 registers.
inline constexpr std::size_t byte_blocks_a_pass = 8;

// Kernels: find(blocks, begin, end, table, limit, sums) looks for the first of the blocks [begin, end) in which a sum
// is below the limit, by passes. Where a pass has such a sum, it stores all sums of the pass, 64 a block, sets `begin`
// to its first block and returns its number of blocks; else 0.

/// The reference.
struct scalar_bytes {
  static std::size_t find(const blocks_8_bits& blocks, std::size_t& begin, std::size_t end, const std::uint8_t* table,
                          std::uint16_t limit, std::uint16_t* sums) noexcept {
    constexpr std::size_t width = blocks_8_bits::vectors_a_block;
    for (; begin < end; ++begin) {
      const std::uint8_t* const block = blocks.block(begin);
      std::fill_n(sums, width, std::uint16_t{0});
      for (std::size_t m = 0; m < blocks.m(); ++m)
        for (std::size_t v = 0; v < width; ++v)
          sums[v] = static_cast<std::uint16_t>(sums[v] + table[m * blocks_8_bits::table_stride + block[m * width + v]]);
      for (std::size_t v = 0; v < width; v += sums_at_once)
        if (sums_below(sums + v, limit) != 0) return 1;
    }
    return 0;
  }
};

#if defined(__AVX512VBMI__)

/// By vpermi2b over the low seven bits of each half of a table, and a blend by the top bit. Looked-up bytes are added
/// as 16-bit words, and the odd ones once more by themselves, to be subtracted from the words at the end.
struct permuted_bytes {
  static std::size_t find(const blocks_8_bits& blocks, std::size_t& begin, std::size_t end, const std::uint8_t* table,
                          std::uint16_t limit, std::uint16_t* sums) noexcept {
    for (; begin + byte_blocks_a_pass <= end; begin += byte_blocks_a_pass)
      if (pass<byte_blocks_a_pass>(blocks, begin, table, limit, sums)) return byte_blocks_a_pass;
    for (; begin < end; ++begin)
      if (pass<1>(blocks, begin, table, limit, sums)) return 1;
    return 0;
  }

 private:
  /// Not inlined, so that the registers hold the sums and nothing else.
  template <std::size_t Blocks>
  [[gnu::noinline]] static bool pass(const blocks_8_bits& blocks, std::size_t b, const std::uint8_t* table,
                                     std::uint16_t limit, std::uint16_t* sums) noexcept {
    const std::size_t block_bytes = blocks.block_bytes();
    const std::uint8_t* codes = blocks.block(b);
    __m512i all[Blocks], odd[Blocks];
    simd::unroll<Blocks>([&](auto i) { all[i] = odd[i] = _mm512_setzero_si512(); });
    for (std::size_t m = 0; m < blocks.m(); ++m, codes += blocks_8_bits::vectors_a_block) {
      const std::uint8_t* const entries = table + m * blocks_8_bits::table_stride;
      const __m512i t0 = _mm512_load_si512(entries), t1 = _mm512_load_si512(entries + 64);
      const __m512i t2 = _mm512_load_si512(entries + 128), t3 = _mm512_load_si512(entries + 192);
      simd::unroll<Blocks>([&](auto i) {
        const __m512i code = _mm512_load_si512(codes + i * block_bytes);
        const __m512i found = _mm512_mask_blend_epi8(_mm512_movepi8_mask(code), _mm512_permutex2var_epi8(t0, code, t1),
                                                     _mm512_permutex2var_epi8(t2, code, t3));
        all[i] = _mm512_add_epi16(all[i], found);
        odd[i] = _mm512_add_epi16(odd[i], _mm512_srli_epi16(found, 8));
      });
    }
    __m512i least = _mm512_set1_epi16(-1);
    simd::unroll<Blocks>([&](auto i) {
      all[i] = _mm512_sub_epi16(all[i], _mm512_slli_epi16(odd[i], 8));  // of the even bytes from here on
      least = _mm512_min_epu16(least, _mm512_min_epu16(all[i], odd[i]));
    });
    if (_mm512_cmplt_epu16_mask(least, _mm512_set1_epi16(static_cast<std::int16_t>(limit))) == 0) [[likely]]
      return false;
    simd::unroll<Blocks>([&](auto i) {
      const auto interleave = [&](__m256i even_half, __m256i odd_half, std::size_t at) {
        const __m512i high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(odd_half), 16);
        _mm512_storeu_si512(sums + i * blocks_8_bits::vectors_a_block + at,
                            _mm512_or_si512(_mm512_cvtepu16_epi32(even_half), high));
      };
      interleave(_mm512_castsi512_si256(all[i]), _mm512_castsi512_si256(odd[i]), 0);
      interleave(_mm512_extracti64x4_epi64(all[i], 1), _mm512_extracti64x4_epi64(odd[i], 1), 32);
    });
    return true;
  }
};
using byte_kernel = permuted_bytes;

#elif defined(__aarch64__)

/// By vqtbl4q, whose table of 64 bytes is a quarter of one: it gives 0 for codes that are in another quarter.
struct quartered_bytes {
  static std::size_t find(const blocks_8_bits& blocks, std::size_t& begin, std::size_t end, const std::uint8_t* table,
                          std::uint16_t limit, std::uint16_t* sums) noexcept {
    for (; begin < end; ++begin)
      if (sum_block(blocks, begin, table, limit, sums)) return 1;
    return 0;
  }

 private:
  static constexpr std::size_t vectors = blocks_8_bits::vectors_a_block / 16;

  /// Not inlined, so that the registers hold the sums and nothing else.
  [[gnu::noinline]] static bool sum_block(const blocks_8_bits& blocks, std::size_t b, const std::uint8_t* table,
                                          std::uint16_t limit, std::uint16_t* sums) noexcept {
    const std::uint8_t* codes = blocks.block(b);
    uint16x8_t sum[2 * vectors];
    simd::unroll<2 * vectors>([&](auto i) { sum[i] = vdupq_n_u16(0); });
    for (std::size_t m = 0; m < blocks.m(); ++m, codes += blocks_8_bits::vectors_a_block) {
      const std::uint8_t* const entries = table + m * blocks_8_bits::table_stride;
      uint8x16_t code[vectors], found[vectors];
      const uint8x16x4_t first = vld1q_u8_x4(entries);
      simd::unroll<vectors>([&](auto i) {
        code[i] = vld1q_u8(codes + 16 * i);
        found[i] = vqtbl4q_u8(first, code[i]);
      });
      simd::unroll<3>([&](auto q) {
        const uint8x16x4_t next = vld1q_u8_x4(entries + 64 * (q + 1));
        simd::unroll<vectors>([&](auto i) {
          code[i] = vsubq_u8(code[i], vdupq_n_u8(64));
          found[i] = vorrq_u8(found[i], vqtbl4q_u8(next, code[i]));
        });
      });
      simd::unroll<vectors>([&](auto i) {
        sum[2 * i] = vaddw_u8(sum[2 * i], vget_low_u8(found[i]));
        sum[2 * i + 1] = vaddw_high_u8(sum[2 * i + 1], found[i]);
      });
    }
    uint16x8_t least = sum[0];
    simd::unroll<2 * vectors>([&](auto i) { least = vminq_u16(least, sum[i]); });
    if (vminvq_u16(least) >= limit) [[likely]]
      return false;
    simd::unroll<2 * vectors>([&](auto i) ANNULUS_INLINED { vst1q_u16(sums + 8 * i, sum[i]); });
    return true;
  }
};
using byte_kernel = quartered_bytes;
#else
using byte_kernel = scalar_bytes;
#endif
template <>
inline constexpr bool has_register_tables<blocks_8_bits> = !std::same_as<byte_kernel, scalar_bytes>;

/// Scans blocks [begin, end) for the first of some queries and calls hit(0, first code, bits of the codes, sums) for 32
/// codes of which some have sums below its limit, which `hit` may change. Returns the number of queries done: 1.
template <class Kernel = byte_kernel, class Hit>
std::size_t scan_codes(const blocks_8_bits& blocks, std::size_t begin, std::size_t end, const std::uint8_t* tables,
                       const std::uint16_t* limits, std::size_t, Hit&& hit) {
  constexpr std::size_t width = blocks_8_bits::vectors_a_block;
  alignas(64) std::uint16_t sums[byte_blocks_a_pass * width];
  while (const std::size_t found = Kernel::find(blocks, begin, end, tables, *limits, sums)) {
    for (std::size_t i = 0; i < found * width; i += sums_at_once)
      if (const auto below = sums_below(sums + i, *limits); below != 0)
        hit(std::size_t{0}, begin * width + i, below, sums + i);
    begin += found;
  }
  return 1;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
