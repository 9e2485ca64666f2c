#pragma once

/// \file
/// The scan of codes for builds without instructions that look bytes up in registers. Tables lie in memory, as words
/// of 16 bits, the entries of as many queries side by side as a vector has lanes: one load and one addition serve all
/// of these. A table has 256 entries, those of an 8-bit code or the sums for two 4-bit codes.

#include <annulus/core/base/allocator.hpp>
#include <annulus/core/simd/masks.hpp>
#include <annulus/quantization/scan/blocks_4_bits.hpp>
#include <annulus/quantization/scan/scan_8_bits.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// How blocks are read as bytes, each the place of an entry in a table of 256: for each table of a block the bytes of
/// its vectors, in the order of vector_of.
template <class Blocks>
struct table_indices;

/// The codes themselves.
template <>
struct table_indices<blocks_8_bits> {
  static constexpr std::size_t buffer_bytes(const blocks_8_bits&) noexcept { return 0; }
  static constexpr std::size_t vector_of(std::size_t i) noexcept { return i; }
  static std::size_t n_tables(const blocks_8_bits& blocks) noexcept { return blocks.m(); }
  static const std::uint8_t* read(const blocks_8_bits& blocks, std::size_t b, std::uint8_t*) noexcept {
    return blocks.block(b);
  }
  /// The entry at `i` of table `t`, from the tables of one query in bytes.
  static int entry(const std::uint8_t* bytes, std::size_t t, std::size_t i) noexcept {
    return bytes[t * blocks_8_bits::table_stride + i];
  }
};

/// The codes of two sub-quantisers, the first in the low bits.
template <>
struct table_indices<blocks_4_bits<pair_order>> {
  using blocks_type = blocks_4_bits<pair_order>;
  static constexpr std::size_t block_bytes = 32;  ///< for a table

  static std::size_t n_tables(const blocks_type& blocks) noexcept { return blocks.block_bytes() / block_bytes; }
  static std::size_t buffer_bytes(const blocks_type& blocks) noexcept { return blocks.block_bytes(); }
  static constexpr std::size_t vector_of(std::size_t i) noexcept { return i / 16 * 16 + i % 2 * 8 + i % 16 / 2; }

  static const std::uint8_t* read(const blocks_type& blocks, std::size_t b, std::uint8_t* buffer) noexcept {
    constexpr std::uint64_t low = 0x0F0F0F0F0F0F0F0Fu;
    const std::uint8_t* block = blocks.block(b);
    std::uint8_t* out = buffer;
    for (std::size_t t = 0; t < n_tables(blocks); ++t, block += block_bytes, out += block_bytes) {
      std::uint64_t first[2], second[2], front[2], back[2];
      std::memcpy(first, block, sizeof first);
      std::memcpy(second, block + sizeof first, sizeof second);
      for (std::size_t i = 0; i < 2; ++i) {
        front[i] = (first[i] & low) | (second[i] & low) << 4;
        back[i] = (first[i] >> 4 & low) | (second[i] & ~low);
      }
      std::memcpy(out, front, sizeof front);
      std::memcpy(out + sizeof front, back, sizeof back);
    }
    return buffer;
  }
  static int entry(const std::uint8_t* bytes, std::size_t t, std::size_t i) noexcept {
    bytes += 2 * t * blocks_type::table_stride;
    return bytes[i % 16] + bytes[blocks_type::table_stride + i / 16];
  }
};

/// Finds the sums of bytes below the limits of any number of queries. Holds the scratch of one thread, and allocates
/// nothing for blocks of the m that it has seen.
template <class Blocks>
class word_table_scan {
  using indices = table_indices<Blocks>;
  using batch = simd::batch<std::int16_t>;

 public:
  static constexpr std::size_t queries_at_once = simd::lanes<std::int16_t>;

  /// Calls hit(query, first code, bits of the codes, sums) for 32 codes of which some have sums below the query's
  /// limit. `hit` may change the limits. `tables` are `count` times blocks.table_bytes() bytes.
  template <class Hit>
  void operator()(const Blocks& blocks, const std::uint8_t* tables, const std::uint16_t* limits, std::size_t count,
                  Hit&& hit) {
    m_n_tables = indices::n_tables(blocks);
    m_tables.resize(m_n_tables * table_words);
    m_sums.resize(vectors_at_once * queries_at_once);
    m_indices.resize(blocks_at_once * indices::buffer_bytes(blocks));
    for (std::size_t first = 0; first < count; first += queries_at_once) {
      const std::size_t queries = std::min(queries_at_once, count - first);
      fill_tables(tables + first * blocks.table_bytes(), blocks.table_bytes(), queries);
      for (std::size_t b = 0; b < blocks.blocks(); b += blocks_at_once) {
        const std::size_t n_blocks = std::min(blocks_at_once, blocks.blocks() - b);
        add_entries(blocks, b, n_blocks);
        report(b * Blocks::vectors_a_block, n_blocks * Blocks::vectors_a_block, limits + first, queries,
               [&](std::size_t q, auto... rest) { hit(first + q, rest...); });
      }
    }
  }

 private:
  static constexpr std::size_t vectors_at_once = 256;  ///< whose sums stay in the first cache
  static constexpr std::size_t blocks_at_once = vectors_at_once / Blocks::vectors_a_block;
  static constexpr std::size_t table_words = 256 * queries_at_once;
  static constexpr std::size_t tables_at_once = 16;  ///< 64 KB with vectors of 16 bytes
  static constexpr std::size_t side_by_side = 4;     ///< vectors whose additions do not wait for each other
  static constexpr auto least = std::numeric_limits<std::int16_t>::lowest();

  /// Sums begin with the least number, so that comparisons are those of signed integers.
  static constexpr std::int16_t to_signed(std::uint16_t sum) noexcept {
    return static_cast<std::int16_t>(sum ^ 0x8000u);
  }

  void fill_tables(const std::uint8_t* bytes, std::size_t stride, std::size_t queries) noexcept {
    for (std::size_t t = 0; t < m_n_tables; ++t)
      for (std::size_t q = 0; q < queries_at_once; ++q) {
        std::int16_t* const out = m_tables.data() + t * table_words + q;
        const std::uint8_t* const own = bytes + (q < queries ? q : 0) * stride;
        for (std::size_t i = 0; i < 256; ++i)
          out[i * queries_at_once] = static_cast<std::int16_t>(indices::entry(own, t, i));
      }
  }

  void add_entries(const Blocks& blocks, std::size_t first, std::size_t n_blocks) noexcept {
    const std::uint8_t* places[blocks_at_once];
    for (std::size_t b = 0; b < n_blocks; ++b)
      places[b] = indices::read(blocks, first + b, m_indices.data() + b * indices::buffer_bytes(blocks));
    std::fill_n(m_sums.data(), n_blocks * Blocks::vectors_a_block * queries_at_once, least);
    for (std::size_t t = 0; t < m_n_tables; t += tables_at_once)
      for (std::size_t b = 0; b < n_blocks; ++b)
        for (std::size_t v = 0; v < Blocks::vectors_a_block; v += side_by_side)
          add_tables(places[b] + t * Blocks::vectors_a_block + v, t, std::min(t + tables_at_once, m_n_tables),
                     m_sums.data() + (b * Blocks::vectors_a_block + v) * queries_at_once);
  }

  /// Adds the entries of tables [begin, end) to the sums of vectors side by side.
  void add_tables(const std::uint8_t* places, std::size_t begin, std::size_t end, std::int16_t* sums) const noexcept {
    batch sum[side_by_side];
    simd::unroll<side_by_side>([&](auto v) { sum[v] = batch::load_aligned(sums + v * queries_at_once); });
    const std::int16_t* table = m_tables.data() + begin * table_words;
    for (std::size_t t = begin; t < end; ++t, table += table_words, places += Blocks::vectors_a_block)
      simd::unroll<side_by_side>(
          [&](auto v) { sum[v] += batch::load_aligned(table + std::size_t{places[v]} * queries_at_once); });
    simd::unroll<side_by_side>([&](auto v) { sum[v].store_aligned(sums + v * queries_at_once); });
  }

  template <class Hit>
  void report(std::size_t first, std::size_t count, const std::uint16_t* limits, std::size_t queries, Hit hit) const {
    alignas(64) std::int16_t signed_limits[queries_at_once];
    std::fill_n(signed_limits, queries_at_once, least);  // no sum is below this
    const auto take_limits = [&] { std::transform(limits, limits + queries, signed_limits, to_signed); };
    take_limits();
    for (std::size_t v = 0; v < count; v += sums_at_once) {
      const std::int16_t* const sums = m_sums.data() + v * queries_at_once;
      const batch limit = batch::load_aligned(signed_limits);
      auto any = batch::load_aligned(sums) < limit;
      for (std::size_t i = 1; i < sums_at_once; ++i)
        any = any | (batch::load_aligned(sums + i * queries_at_once) < limit);
      std::uint64_t hits = simd::mask(any);
      if (hits == 0) [[likely]]
        continue;
      for (; hits != 0; hits &= hits - 1) {
        const auto q = static_cast<std::size_t>(std::countr_zero(hits));
        std::uint16_t own[sums_at_once];
        for (std::size_t i = 0; i < sums_at_once; ++i)
          own[indices::vector_of(i)] = static_cast<std::uint16_t>(sums[i * queries_at_once + q] ^ least);
        hit(q, first + v, sums_below(own, limits[q]), own);
      }
      take_limits();
    }
  }

  std::size_t m_n_tables = 0;
  aligned_vector<std::int16_t> m_tables, m_sums;
  aligned_vector<std::uint8_t> m_indices;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
