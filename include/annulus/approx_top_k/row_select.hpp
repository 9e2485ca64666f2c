#pragma once

/// \file
/// The k best elements of a contiguous row, best first.

#include <annulus/approx_top_k/block_select.hpp>
#include <annulus/core/base/parallel.hpp>
#include <annulus/core/select/sort_candidates.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Finds the k smallest (or, `Largest`, largest) elements of rows of n. Holds scratch: each thread has its own.
template <class T, bool Largest>
class row_select {
 public:
  using key = key_t<T>;

  row_select() = default;
  row_select(std::size_t n, std::size_t k, std::size_t span = longest_span) { reset(n, k, span); }

  /// For rows of n, and k elements of each, from now on. Longer rows than `span` are taken in parts.
  void reset(std::size_t n, std::size_t k, std::size_t span = longest_span) noexcept {
    m_n = n;
    m_k = k;
    m_span = span;
  }

  /// Writes k values and their positions in the row, best first.
  void operator()(const T* row, T* values, std::int64_t* indices, std::size_t threads = 1) {
    if (m_n > m_span) return by_spans(row, values, indices, threads);
    m_parts.resize(std::max<std::size_t>(m_parts.size(), 1));
    m_parts[0].reset(m_n, m_k);
    const std::size_t size = m_parts[0].chunk(), chunks = (m_n + size - 1) / size;
    const std::size_t n_parts = std::min(resolve_threads(threads), chunks);
    m_parts.resize(std::max(m_parts.size(), n_parts));
    for (std::size_t i = 1; i < n_parts; ++i) m_parts[i].reset(m_n, m_k);
    const auto scan = [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t first = begin * size; first < std::min(end * size, m_n); first += size)
        m_parts[worker].scan(row + first, std::min(size, m_n - first), static_cast<position>(first));
    };
    if (n_parts == 1) scan(0, chunks, 0);
    else parallel_for(n_parts, chunks, chunks / (8 * n_parts) + 1, scan);
    for (std::size_t i = 1; i < n_parts; ++i) m_parts[0].merge(m_parts[i]);
    write(row, values, indices);
  }

 private:
  using position = std::conditional_t<sizeof(key) == 8, std::uint64_t, std::uint32_t>;

  static constexpr std::size_t longest_span =
      sizeof(key) == 8 ? std::numeric_limits<std::size_t>::max() : std::size_t{1} << 31;

  /// Selects from each span, and then from what was selected.
  void by_spans(const T* row, T* values, std::int64_t* indices, std::size_t threads) {
    std::vector<candidate<simd::ordered_int<key>, std::int64_t>> best;
    for (std::size_t first = 0; first < m_n; first += m_span) {
      const std::size_t n = std::min(m_span, m_n - first), k = std::min(m_k, n);
      row_select{n, k}(row + first, values, indices, threads);
      for (std::size_t i = 0; i < k; ++i)
        best.push_back({to_ordered_int(to_key<Largest>(values[i])), indices[i] + static_cast<std::int64_t>(first)});
    }
    std::sort(best.begin(), best.end());
    for (std::size_t i = 0; i < m_k; ++i) {
      indices[i] = best[i].id;
      values[i] = row[best[i].id];
    }
  }

  void write(const T* row, T* values, std::int64_t* indices) {
    const auto& kept = m_parts[0].kept();
    if (kept.size() > m_k + m_k / 2) m_parts[0].cut();
    const std::size_t found = std::min(kept.size(), m_k);
    if constexpr (sizeof(key) == 4) {
      m_packed.resize(sorted_room(kept.size()) + simd::lanes<key>);
      kept.pack_to(m_packed.data());
      sort_packed(m_packed, kept.size(), m_other);
      for (std::size_t i = 0; i < found; ++i) indices[i] = packed_id(m_packed[i]);
    } else {
      kept.copy_to(m_found);
      sort_candidates(m_found, m_scratch);
      for (std::size_t i = 0; i < found; ++i) indices[i] = static_cast<std::int64_t>(m_found[i].id);
    }
    std::size_t next = found;  // where fewer than k elements are numbers, the others come in their order
    for (std::size_t i = 0; next < m_k; ++i)
      if (is_nan(row[i])) indices[next++] = static_cast<std::int64_t>(i);
    for (std::size_t i = 0; i < m_k; ++i) values[i] = row[indices[i]];
  }

  std::size_t m_n = 0, m_k = 0, m_span = longest_span;
  std::vector<block_select<T, Largest, position>> m_parts;
  aligned_vector<std::int64_t> m_packed, m_other;
  std::vector<candidate<key, position>> m_found;
  sort_scratch<key, position> m_scratch;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
