#pragma once

/// \file
/// Search by the one-to-one kernel alone: for any metric, and the fastest way for few queries, where memory is the
/// limit.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/metric/erased_metric.hpp>
#include <annulus/core/result/filter.hpp>
#include <annulus/core/result/result_rows.hpp>
#include <annulus/core/select/top_k.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The k nearest rows so far of each query of a block.
template <class View, class Rank>
class row_scan {
 public:
  using metric_type = erased_metric<View, Rank>;

  row_scan(const View& data, const metric_type& metric, const id_filter& filter)
      : m_data(data), m_metric(metric), m_filter(&filter), m_rows_at_once(rows_in_cache(data)) {
    m_ranks.resize(m_rows_at_once);
  }

  /// The number of rows that stay in the second-level cache while all queries of a block are compared with them.
  std::size_t rows_at_once() const noexcept { return m_rows_at_once; }

  /// Starts anew, for so many queries and k.
  void reset(std::size_t queries, std::size_t k) {
    m_best.reserve(queries);
    while (m_best.size() < queries) m_best.emplace_back(k);
    m_n_queries = queries;
    for (std::size_t q = 0; q < queries; ++q) m_best[q].reset(k);
  }

  /// Compares rows [begin, end) with queries first, first + 1, ..., except those whose `skip` is set.
  void add(std::size_t begin, std::size_t end, const View& queries, std::size_t first, std::span<const char> skip) {
    for (std::size_t row = begin; row < end; row += m_rows_at_once) {
      const std::size_t count = std::min(m_rows_at_once, end - row);
      m_ids.clear();
      if (!m_filter->empty()) {
        for (std::size_t i = row; i < row + count; ++i)
          if (const auto id = static_cast<id_type>(i); (*m_filter)(id)) m_ids.push_back(id);
        if (m_ids.empty()) continue;
      }
      // Dense rows are ranked faster by the block, unless few of them pass.
      constexpr std::size_t few = is_dense ? 4 : 1;
      if (!m_filter->empty() && few * m_ids.size() <= count) add_chosen(queries, first, skip);
      else add_block(row, count, queries, first, skip);
    }
  }

  /// Takes in what another scan found for the same queries in other rows.
  void merge(row_scan& other) {
    for (std::size_t q = 0; q < m_n_queries; ++q)
      for (const auto& c : other.m_best[q].sorted()) m_best[q].push(c.rank, c.id);
  }

  /// Writes the rows first, first + 1, ... of a result that is all padding.
  void write(std::size_t first, neighbors& result) {
    for (std::size_t q = 0; q < m_n_queries; ++q) write_row(m_best[q].sorted(), result, first + q, m_metric);
  }

 private:
  static constexpr bool is_dense = is_matrix_view<View>;
  template <class V>
  static auto element_of() {
    if constexpr (is_dense) return typename V::value_type{};
    else return char{};
  }
  using T = decltype(element_of<View>());

  static std::size_t rows_in_cache(const View& data) {
    constexpr std::size_t bytes = std::size_t{256} << 10;
    if constexpr (is_dense) return bytes / (data.cols() * sizeof(T) + 1) + 1;
    else if constexpr (is_sparse_row<row_t<View>>)
      return bytes /
                 (1 + (sizeof(std::int32_t) + sizeof(typename View::value_type)) * data.stored() / (data.size() + 1)) +
             1;
    else return 256;
  }

  /// The rows row, row + 1, ..., of which those pass the filter that m_ids holds, or all.
  void add_block(std::size_t row, std::size_t count, const View& queries, std::size_t first,
                 std::span<const char> skip) {
    View rows = m_data;
    std::size_t begin = row;
    if constexpr (is_dense) {
      rows = aligned(m_data.middle_rows(row, count), m_n_queries, m_rows);
      begin = 0;
    }
    for (std::size_t q = 0; q < m_n_queries; ++q) {
      if (skip[first + q]) continue;
      if constexpr (is_dense)
        m_metric(aligned(queries.middle_rows(first + q, 1), count, m_query).row(0), rows, begin, count, m_ranks.data());
      else m_metric(queries.row(first + q), rows, begin, count, m_ranks.data());
      if (m_filter->empty()) m_best[q].push_block(m_ranks.data(), count, static_cast<id_type>(row));
      else
        for (const id_type id : m_ids) m_best[q].push(m_ranks[id - row], id);
    }
  }

  /// The rows of m_ids.
  void add_chosen(const View& queries, std::size_t first, std::span<const char> skip) {
    for (std::size_t q = 0; q < m_n_queries; ++q) {
      if (skip[first + q]) continue;
      m_metric(queries.row(first + q), m_data, m_ids, m_ranks.data());
      for (std::size_t i = 0; i < m_ids.size(); ++i) m_best[q].push(m_ranks[i], m_ids[i]);
    }
  }

  /// The same rows, from a copy that begins with a cache line where they do not and are read often enough: a load that
  /// straddles two lines takes as long as two.
  static View aligned(View rows, std::size_t times, aligned_vector<T>& copy) requires is_dense {
    constexpr std::size_t line = 64, often = 8;
    if (reinterpret_cast<std::uintptr_t>(rows.data()) % line == 0 || rows.cols() * sizeof(T) % line != 0 ||
        times < often)
      return rows;
    copy.resize(rows.rows() * rows.cols());
    for (std::size_t i = 0; i < rows.rows(); ++i)
      std::copy_n(rows.row(i).data(), rows.cols(), copy.data() + i * rows.cols());
    return {copy.data(), rows.rows(), rows.cols()};
  }

  View m_data;
  metric_type m_metric;
  const id_filter* m_filter;
  std::size_t m_rows_at_once, m_n_queries = 0;
  std::vector<top_k<Rank>> m_best;
  std::vector<Rank> m_ranks;
  std::vector<id_type> m_ids;
  aligned_vector<T> m_rows, m_query;
};

/// Searches for all queries but those for which `skip` holds.
template <class View, class Rank>
void scan(const View& data, const erased_metric<View, Rank>& metric, const View& queries, std::size_t k,
          const id_filter& filter, std::size_t threads, const progress_callback& progress, std::span<const char> skip,
          neighbors& result) {
  std::vector<row_scan<View, Rank>> scans;
  const std::size_t workers = resolve_threads(threads), n_queries = queries.size(), n_rows = data.size();
  scans.reserve(workers);
  for (std::size_t worker = 0; worker < workers; ++worker) scans.emplace_back(data, metric, filter);
  if (n_queries < workers) {
    for (auto& scan : scans) scan.reset(n_queries, k);
    parallel_for(
        workers, n_rows, 16 * scans[0].rows_at_once(),
        [&](std::size_t begin, std::size_t end, std::size_t worker) {
          scans[worker].add(begin, end, queries, 0, skip);
        },
        progress, "knn");
    for (std::size_t worker = 1; worker < workers; ++worker) scans[0].merge(scans[worker]);
    return scans[0].write(0, result);
  }
  constexpr std::size_t at_once = 128;
  parallel_for(
      workers, n_queries, std::min(at_once, n_queries / workers + 1),
      [&](std::size_t begin, std::size_t end, std::size_t worker) {
        scans[worker].reset(end - begin, k);
        scans[worker].add(0, n_rows, queries, begin, skip);
        scans[worker].write(begin, result);
      },
      progress, "knn");
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
