#pragma once

/// \file
/// Search over codes by float tables, for many queries at once.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/result/filter.hpp>
#include <annulus/core/result/result_rows.hpp>
#include <annulus/core/select/top_k.hpp>
#include <annulus/core/simd/masks.hpp>
#include <annulus/quantization/scan/distance_table.hpp>

#include <optional>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How codes are searched.
struct pq_search_params {
  std::size_t threads = 0;          ///< 0: all cores
  id_filter filter = {};            ///< which codes may be returned
  progress_callback progress = {};  ///< of a search; returning false cancels
};

namespace detail {

/// Finds the k nearest codes of a group of queries. The tables of as many queries as a vector has lanes are
/// interleaved, so that one load and one addition serve them all. A lane adds in the order in which a single query
/// does: answers never depend on the group. Holds the scratch of one thread.
template <code_scalar Code>
class float_table_scan {
  using batch = simd::batch<float>;

 public:
  static constexpr std::size_t group = simd::lanes<float>;

  float_table_scan(std::size_t m, std::size_t ks, std::size_t k)
      : m_m(m),
        m_ks(ks),
        m_slab(std::max<std::size_t>(1, cache_bytes / (ks * sizeof(float) * group))),
        m_tables(m * ks) {
    m_interleaved.resize(m * ks * group);
    m_sums.resize((chunk + 1) * group);
    m_nearest.assign(group, top_k<float>(k));
  }

  /// Writes rows ids[q], distances[q] of `result` for the queries first to first + count <= first + group. table(q,
  /// out) writes the m x ks distances of query q, smaller ones nearer; or returns false, and that query gets no
  /// neighbours.
  template <class Table>
  void operator()(matrix_view<Code> codes, std::size_t first, std::size_t count, const id_filter& filter, Table table,
                  neighbors& result) {
    std::array<bool, group> wanted{};
    const bool together = count >= few && m_ks * group * sizeof(float) <= cache_bytes;
    for (std::size_t q = 0; q < count; ++q) {
      m_nearest[q].reset(m_nearest[q].k());
      if (!(wanted[q] = table(first + q, m_tables.data()))) continue;
      if (!together) scan_alone(codes, filter, m_nearest[q]);
      else
        for (std::size_t e = 0; e < m_tables.size(); ++e) m_interleaved[e * group + q] = m_tables[e];
    }
    if (together) scan_together(codes, filter, wanted);
    for (std::size_t q = 0; q < count; ++q)
      if (wanted[q]) write_row(m_nearest[q].sorted(), result, first + q, [](float sum) { return sum; });
  }

 private:
  static constexpr std::size_t few = 4;                             ///< so many queries are faster one by one
  static constexpr std::size_t chunk = 256;                         ///< codes whose sums stay in the first cache
  static constexpr std::size_t cache_bytes = std::size_t{1} << 18;  ///< of tables that are read at a time

  void scan_alone(matrix_view<Code> codes, const id_filter& filter, top_k<float>& nearest) const {
    for_each_sum(m_tables.data(), m_ks, codes, [&](std::size_t i, float sum) {
      if (sum <= nearest.threshold() && filter(static_cast<id_type>(i))) nearest.push(sum, static_cast<id_type>(i));
    });
  }

  void scan_together(matrix_view<Code> codes, const id_filter& filter, const std::array<bool, group>& wanted) {
    alignas(64) std::array<float, group> thresholds;
    for (std::size_t q = 0; q < group; ++q)
      thresholds[q] = wanted[q] ? m_nearest[q].threshold() : -std::numeric_limits<float>::infinity();
    for (std::size_t first = 0; first < codes.rows(); first += chunk) {
      const std::size_t count = std::min(chunk, codes.rows() - first);
      std::fill_n(m_sums.data(), count * group, 0.0f);
      for (std::size_t begin = 0; begin < m_m; begin += m_slab)
        for (std::size_t i = 0; i < count; i += 2)
          add_slab(codes.row(first + i).data(), codes.row(first + std::min(i + 1, count - 1)).data(), begin,
                   m_sums.data() + i * group);
      for (std::size_t i = 0; i < count; ++i) {
        const batch sum = simd::load(m_sums.data() + i * group);
        std::uint64_t within = simd::mask(sum <= batch::load_aligned(thresholds.data()));
        if (within == 0 || !filter(static_cast<id_type>(first + i))) continue;
        for (; within != 0; within &= within - 1) {
          const auto q = static_cast<std::size_t>(std::countr_zero(within));
          m_nearest[q].push(m_sums[i * group + q], static_cast<id_type>(first + i));
          thresholds[q] = m_nearest[q].threshold();
        }
      }
    }
  }

  /// Adds the entries of a slab of sub-spaces to the sums of two codes, which at the end may be the same one.
  void add_slab(const Code* a, const Code* b, std::size_t begin, float* sums) const noexcept {
    batch sum_a = simd::load(sums), sum_b = simd::load(sums + group);
    const std::size_t end = std::min(begin + m_slab, m_m);
    const float* entries = m_interleaved.data() + begin * m_ks * group;
    for (std::size_t s = begin; s < end; ++s, entries += m_ks * group) {
      sum_a += simd::load(entries + std::size_t{a[s]} * group);
      sum_b += simd::load(entries + std::size_t{b[s]} * group);
    }
    sum_a.store_unaligned(sums);
    sum_b.store_unaligned(sums + group);
  }

  std::size_t m_m, m_ks, m_slab;
  std::vector<float> m_tables;
  aligned_vector<float> m_interleaved, m_sums;
  std::vector<top_k<float>> m_nearest;
};

/// The k nearest codes of each query q, whose table table(q, out, worker) writes as float_table_scan expects it.
template <code_scalar Code, class Table>
neighbors search_by_float_tables(matrix_view<Code> codes, std::size_t m, std::size_t ks, std::size_t queries,
                                 std::size_t k, const pq_search_params& params, Table table) {
  if (k == 0) invalid("k", k, "must be at least 1");
  if (codes.rows() >= no_id) invalid("codes", codes.rows(), "must be fewer than 2^32 - 1");
  checked_product(queries, k, "queries * k");
  neighbors result(queries, k);
  if (codes.rows() == 0) queries = 0;
  std::vector<std::optional<float_table_scan<Code>>> scans(resolve_threads(params.threads));
  parallel_for(
      params.threads, queries, float_table_scan<Code>::group,
      [&](std::size_t begin, std::size_t end, std::size_t worker) {
        auto& scan = scans[worker];
        if (!scan) scan.emplace(m, ks, std::min(k, codes.rows()));
        const auto own = [&](std::size_t q, float* out) { return table(q, out, worker); };
        (*scan)(codes, begin, end - begin, params.filter, own, result);
      },
      params.progress, "product quantizer search");
  return result;
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
