#pragma once

/// \file
/// The k nearest codes of a block of queries by sums of bytes; or by sums of floats, for the codes that the bytes do
/// not rule out.

#include <annulus/core/result/filter.hpp>
#include <annulus/core/select/top_k.hpp>
#include <annulus/quantization/scan/byte_tables.hpp>
#include <annulus/quantization/scan/scan_4_bits.hpp>
#include <annulus/quantization/scan/scan_8_bits.hpp>
#include <annulus/quantization/scan/sum_list.hpp>
#include <annulus/quantization/scan/word_table_scan.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Searches all blocks of codes. Rank is std::uint32_t for the sums of bytes, float for those of the tables, added in
/// the order of the sub-quantisers. Holds the scratch of one thread and allocates nothing once it has seen a full block
/// of queries. A query's answer does not depend on the others.
template <class Blocks, class Rank>
class byte_table_search {
 public:
  static constexpr bool by_floats = std::same_as<Rank, float>;
  static constexpr std::size_t queries_at_once = 64;  ///< queries that share the loads of the codes

  byte_table_search(const Blocks& blocks, std::size_t k, const id_filter& filter)
      : m_blocks(&blocks), m_filter(&filter), m_k(k), m_origins(blocks.m()) {}

  void clear() noexcept { m_count = 0; }

  /// Adds a query by its table (m x ks, less is nearer; for `mirrored` see quantize_table), unless the table is not
  /// finite or, where bytes decide, they are too coarse. Returns whether it did.
  bool add(matrix_view<float> table, bool mirrored = false) {
    const std::size_t bytes = m_blocks->table_bytes();
    if (m_best.size() == m_count) {
      m_best.emplace_back(m_k);
      m_tables.resize((m_count + 1) * bytes);
      m_limits.resize(m_count + 1);
      m_quantized.resize(m_count + 1);
      // For a code beyond ks, which a damaged file may hold, the entry read is one of the next sub-space or behind the
      // last.
      if constexpr (by_floats) m_floats.resize((m_count + 1) * table.rows() * table.cols() + Blocks::table_stride);
    }
    auto& quantized = m_quantized[m_count];
    quantized = quantize_table(table, Blocks::table_stride, m_tables.data() + m_count * bytes, m_origins, mirrored);
    if (!quantized.is_finite || (quantized.is_coarse && !by_floats)) return false;
    if constexpr (by_floats) {
      m_ks = table.cols();
      float* out = m_floats.data() + m_count * table.rows() * m_ks;
      for (std::size_t i = 0; i < table.rows(); ++i) out = std::ranges::copy(table.row(i), out).out;
    }
    m_best[m_count].reset(m_k);
    m_limits[m_count] = byte_table::largest_sum + 1;
    ++m_count;
    return true;
  }

  /// Scans for all queries added since the last clear.
  void run() {
    if constexpr (has_register_tables<Blocks>) {
      scan_in_chunks();
    } else {
      m_word_scan(*m_blocks, m_tables.data(), m_limits.data(), m_count, [&](auto... found) { consider(found...); });
    }
  }

  /// The k nearest of the i-th query that was added.
  std::span<const candidate<Rank>> sorted(std::size_t i) { return m_best[i].sorted(); }
  float distance(std::size_t i, Rank rank) const noexcept {
    if constexpr (by_floats) return rank;
    else return m_quantized[i].distance(rank);
  }

 private:
  static constexpr std::size_t chunk_bytes = 256 * 1024;  ///< of codes, which stay in the second-level cache
  struct no_scratch {};

  void scan_in_chunks() {
    const std::size_t at_once = chunk_bytes / m_blocks->block_bytes() + 1, bytes = m_blocks->table_bytes();
    for (std::size_t begin = 0; begin < m_blocks->blocks(); begin += at_once) {
      const std::size_t end = std::min(m_blocks->blocks(), begin + at_once);
      for (std::size_t q = 0; q < m_count;)
        q += scan_codes(*m_blocks, begin, end, m_tables.data() + q * bytes, m_limits.data() + q, m_count - q,
                        [&](std::size_t i, std::size_t first, std::uint32_t below, const std::uint16_t* sums) {
                          consider(q + i, first, below, sums);
                        });
    }
  }

  /// Not inlined: it is the rare case, and the loop around it needs the registers.
  [[gnu::noinline]] void consider(std::size_t q, std::size_t first, std::uint32_t below, const std::uint16_t* sums) {
    auto& best = m_best[q];
    for (; below != 0; below &= below - 1) {
      const auto v = static_cast<std::size_t>(std::countr_zero(below));
      if (first + v >= m_blocks->size()) break;  // padding of the last block
      const auto id = static_cast<id_type>(first + v);
      if (sums[v] >= m_limits[q] || !(*m_filter)(id)) continue;
      if constexpr (by_floats) {
        if (best.push(float_sum(q, id), id)) m_limits[q] = m_quantized[q].limit(best.threshold());
      } else {
        best.push(sums[v], id);
        m_limits[q] = best.limit();
      }
    }
  }

  float float_sum(std::size_t q, id_type id) const noexcept {
    const float* table = m_floats.data() + q * m_blocks->m() * m_ks;
    float sum = 0;
    for (std::size_t m = 0; m < m_blocks->m(); ++m, table += m_ks) sum += table[m_blocks->code(id, m)];
    return sum;
  }

  const Blocks* m_blocks;
  const id_filter* m_filter;
  std::size_t m_k, m_ks = 0, m_count = 0;
  aligned_vector<std::uint8_t> m_tables;  ///< zero for sub-quantisers behind the last
  std::vector<float> m_origins, m_floats;
  std::vector<byte_table> m_quantized;
  std::vector<std::uint16_t> m_limits;
  std::vector<std::conditional_t<by_floats, top_k<float>, sum_list>> m_best;
  [[no_unique_address]] std::conditional_t<has_register_tables<Blocks>, no_scratch, word_table_scan<Blocks>>
      m_word_scan;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
