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

/// Sums of `Width` queries side by side, and the entries that are added: a vector of words, or an integer for a query
/// alone.
template <std::size_t Width>
struct word_sums {
  using entry = std::int16_t;
  simd::batch<std::int16_t> lanes;
  explicit word_sums(const std::int16_t* p) noexcept : lanes(simd::batch<std::int16_t>::load_aligned(p)) {}
  void add(const std::int16_t* p) noexcept { lanes += simd::batch<std::int16_t>::load_aligned(p); }
  void store(std::int16_t* p) const noexcept { lanes.store_aligned(p); }
};
template <>
struct word_sums<1> {
  using entry = std::int32_t;  // added as it is loaded
  std::int32_t sum;
  explicit word_sums(const std::int16_t* p) noexcept : sum(*p) {}
  void add(const std::int32_t* p) noexcept { sum += *p; }
  void store(std::int16_t* p) const noexcept { *p = static_cast<std::int16_t>(sum); }
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
    m_tables.resize(m_n_tables * entries * queries_at_once);
    m_own_tables.resize(m_n_tables * entries);
    m_sums.resize(vectors_at_once * queries_at_once);
    m_indices.resize(blocks_at_once * indices::buffer_bytes(blocks));
    for (std::size_t first = 0; first < count; first += queries_at_once) {
      const std::size_t queries = std::min(queries_at_once, count - first);
      const auto own_hit = [&](std::size_t q, auto... rest) { hit(first + q, rest...); };
      // The smaller table of a query alone stays in the first cache.
      if (queries == 1) scan<1>(blocks, tables + first * blocks.table_bytes(), limits + first, 1, own_hit);
      else scan<queries_at_once>(blocks, tables + first * blocks.table_bytes(), limits + first, queries, own_hit);
    }
  }

 private:
  static constexpr std::size_t entries = 256;          ///< of a table
  static constexpr std::size_t vectors_at_once = 256;  ///< whose sums stay in the first cache
  static constexpr std::size_t blocks_at_once = vectors_at_once / Blocks::vectors_a_block;
  static constexpr std::size_t tables_at_once = 16;  ///< 64 KB with vectors of 16 bytes
  static constexpr std::size_t side_by_side = 4;     ///< vectors whose additions do not wait for each other
  /// Sums begin with this, so that comparisons are those of signed integers.
  static constexpr auto least = std::numeric_limits<std::int16_t>::lowest();

  static constexpr std::int16_t to_signed(std::uint16_t sum) noexcept {
    return static_cast<std::int16_t>(sum ^ 0x8000u);
  }

  template <std::size_t Width>
  using entry = typename word_sums<Width>::entry;
  template <std::size_t Width>
  entry<Width>* table(std::size_t t) noexcept {
    if constexpr (Width == 1) return m_own_tables.data() + t * entries;
    else return m_tables.data() + t * entries * Width;
  }

  /// For up to Width queries.
  template <std::size_t Width, class Hit>
  void scan(const Blocks& blocks, const std::uint8_t* tables, const std::uint16_t* limits, std::size_t queries,
            Hit hit) {
    fill_tables<Width>(tables, blocks.table_bytes(), queries);
    for (std::size_t b = 0; b < blocks.blocks(); b += blocks_at_once) {
      const std::size_t n_blocks = std::min(blocks_at_once, blocks.blocks() - b);
      add_entries<Width>(blocks, b, n_blocks);
      report<Width>(b * Blocks::vectors_a_block, n_blocks * Blocks::vectors_a_block, limits, queries, hit);
    }
  }

  template <std::size_t Width>
  void fill_tables(const std::uint8_t* bytes, std::size_t stride, std::size_t queries) noexcept {
    for (std::size_t t = 0; t < m_n_tables; ++t)
      for (std::size_t q = 0; q < Width; ++q) {
        auto* const out = table<Width>(t) + q;
        const std::uint8_t* const own = bytes + (q < queries ? q : 0) * stride;
        for (std::size_t i = 0; i < entries; ++i) out[i * Width] = static_cast<entry<Width>>(indices::entry(own, t, i));
      }
  }

  template <std::size_t Width>
  void add_entries(const Blocks& blocks, std::size_t first, std::size_t n_blocks) noexcept {
    const std::uint8_t* places[blocks_at_once];
    for (std::size_t b = 0; b < n_blocks; ++b)
      places[b] = indices::read(blocks, first + b, m_indices.data() + b * indices::buffer_bytes(blocks));
    std::fill_n(m_sums.data(), n_blocks * Blocks::vectors_a_block * Width, least);
    for (std::size_t t = 0; t < m_n_tables; t += tables_at_once)
      for (std::size_t b = 0; b < n_blocks; ++b)
        for (std::size_t v = 0; v < Blocks::vectors_a_block; v += side_by_side)
          add_tables<Width>(places[b] + t * Blocks::vectors_a_block + v, t, std::min(t + tables_at_once, m_n_tables),
                            m_sums.data() + (b * Blocks::vectors_a_block + v) * Width);
  }

  /// Adds the entries of tables [begin, end) to the sums of vectors side by side.
  template <std::size_t Width>
  void add_tables(const std::uint8_t* places, std::size_t begin, std::size_t end, std::int16_t* sums) noexcept {
    static_assert(side_by_side == 4);
    word_sums<Width> sum[] = {word_sums<Width>(sums), word_sums<Width>(sums + Width),
                              word_sums<Width>(sums + 2 * Width), word_sums<Width>(sums + 3 * Width)};
    const entry<Width>* own = table<Width>(begin);
    for (std::size_t t = begin; t < end; ++t, own += entries * Width, places += Blocks::vectors_a_block)
      simd::unroll<side_by_side>([&](auto v) { sum[v].add(own + std::size_t{places[v]} * Width); });
    simd::unroll<side_by_side>([&](auto v) { sum[v].store(sums + v * Width); });
  }

  template <std::size_t Width, class Hit>
  void report(std::size_t first, std::size_t count, const std::uint16_t* limits, std::size_t queries, Hit hit) const {
    alignas(64) std::int16_t signed_limits[queries_at_once];
    std::fill_n(signed_limits, queries_at_once, least);  // no sum is below this
    for (std::size_t v = 0; v < count; v += sums_at_once) {
      const std::int16_t* const sums = m_sums.data() + v * Width;
      std::uint64_t hits = 1;
      if constexpr (Width > 1) {
        std::transform(limits, limits + queries, signed_limits, to_signed);
        const batch limit = batch::load_aligned(signed_limits);
        auto any = batch::load_aligned(sums) < limit;
        for (std::size_t i = 1; i < sums_at_once; ++i) any = any | (batch::load_aligned(sums + i * Width) < limit);
        hits = simd::mask(any);
      }
      for (; hits != 0; hits &= hits - 1) {
        const auto q = static_cast<std::size_t>(std::countr_zero(hits));
        std::uint16_t own[sums_at_once];
        for (std::size_t i = 0; i < sums_at_once; ++i)
          own[indices::vector_of(i)] = static_cast<std::uint16_t>(sums[i * Width + q] ^ least);
        if (const auto below = sums_below(own, limits[q]); below != 0) hit(q, first + v, below, own);
      }
    }
  }

  std::size_t m_n_tables = 0;
  aligned_vector<std::int16_t> m_tables, m_sums;
  aligned_vector<std::int32_t> m_own_tables;  ///< of a query alone
  aligned_vector<std::uint8_t> m_indices;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
