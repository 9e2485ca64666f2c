#pragma once

/// \file
/// Approximate top-k of one contiguous row as planned: the k best, or the content of all bins.

#include <annulus/approx_top_k/partial_reduce.hpp>
#include <annulus/approx_top_k/row_select.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Finds the smallest (or, `Largest`, largest) elements of rows of n as planned. Holds scratch: each thread has its
/// own.
template <class T, bool Largest>
class row_top_k {
 public:
  using key = key_t<T>;

  row_top_k() = default;
  explicit row_top_k(const approx_top_k_plan& plan) { reset(plan); }

  /// For rows as this plan has them, from now on.
  void reset(const approx_top_k_plan& plan) noexcept {
    m_plan = plan;
    m_n = plan.size;
    m_group = group_size(plan.size, plan.k, plan.bins);
    m_select.reset(plan.size, std::min(plan.size, plan.output_size));
  }

  /// Calls found(bin, key, index) for the elements of the lanes that the bins keep, the best of each bin among them,
  /// but not for those with worst_key or NaN.
  template <class Found>
  void visit_bins(const T* row, std::size_t threads, Found found) {
    reduce(row, threads);
    const auto& table = m_tables[0];
    for (std::size_t bin = 0; bin < table.bins(); ++bin)
      for (std::size_t level = 0; level < table.per_bin(); ++level) {
        if (ordered_bits(table.key(level, bin)) == ordered_bits(worst_key<key>)) break;
        const std::uint64_t begin = lane_begin(level, bin);
        for (std::uint64_t g = 0, i = begin; g < m_group && i < m_n; ++g, i += block_lanes)
          if (const key x = to_key<Largest>(row[i]); is_less(x, worst_key<key>)) found(bin, x, i);
      }
  }

  /// Writes plan.output_size values and their indices in the row.
  void operator()(const T* row, T* values, std::int64_t* indices, std::size_t threads = 1) {
    if (m_plan.bins == m_n || !from_bins(row, threads)) m_select(row, values, indices, threads);
    else
      for (std::size_t i = 0; i < m_found.size(); ++i) {
        indices[i] = static_cast<std::int64_t>(m_found[i].id);
        values[i] = row[m_found[i].id];
      }
    for (std::size_t i = m_n; i < m_plan.output_size; ++i) {  // XLA's size for a shard can be above n
      indices[i] = -1;
      values[i] = worst_value();
    }
  }

 private:
  static T worst_value() noexcept {
    using limits = std::numeric_limits<T>;
    if constexpr (std::is_integral_v<T>) return Largest ? limits::lowest() : limits::max();
    else return Largest ? -limits::infinity() : limits::infinity();
  }

  std::size_t chunk_size() const noexcept { return m_plan.bins * m_group; }

  void reduce(const T* row, std::size_t threads) {
    const std::size_t chunks = m_n / chunk_size() + (m_n % chunk_size() != 0);
    m_tables.resize(std::min(resolve_threads(threads), chunks));
    for (auto& table : m_tables) table.reset(m_plan.bins, m_plan.per_bin);
    const std::size_t grain = m_tables.size() == 1 ? chunks : chunks / (8 * m_tables.size()) + 1;
    parallel_for(m_tables.size(), chunks, grain, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      auto& table = m_tables[worker];
      const bool ordered = m_tables.size() == 1;
      for (std::size_t chunk = begin; chunk < end; ++chunk) {
        const std::size_t first = chunk * chunk_size();
        lane_minima<Largest>(m_group, row + first, std::min(chunk_size(), m_n - first), m_plan.bins, table.lanes());
        ordered ? table.template fold<true>(chunk) : table.template fold<false>(chunk);
      }
    });
    for (std::size_t worker = 1; worker < m_tables.size(); ++worker) m_tables[0].merge(m_tables[worker]);
  }

  /// The index of the first element of a lane that a bin kept; each following one is block_lanes further.
  std::uint64_t lane_begin(std::size_t level, std::size_t bin) const noexcept {
    const auto& table = m_tables[0];
    const std::uint64_t chunk = table.chunk(level, bin);
    const std::size_t lane = table.lane(bin, chunk);
    return chunk * chunk_size() + lane / block_lanes * (block_lanes * m_group) + lane % block_lanes;
  }

  /// Finds the best elements of the lanes that the bins kept, as many as the bins keep, in no order: where several of
  /// the best are in one lane, as in regular orders, they push out elements of other bins. Returns false where fewer
  /// are below worst_key: most are infinities or NaN.
  bool from_bins(const T* row, std::size_t threads) {
    m_found.reset(m_plan.output_size * m_group);
    visit_bins(row, threads, [&](std::size_t, key x, std::uint64_t i) { m_found.append(x, i); });
    if (m_found.size() < m_plan.output_size) return false;
    m_found.cut(m_plan.output_size);
    return true;
  }

  approx_top_k_plan m_plan;
  std::size_t m_n = 0, m_group = 1;
  row_select<T, Largest> m_select;
  std::vector<bin_table<key>> m_tables;
  reservoir<key, std::uint64_t> m_found;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
