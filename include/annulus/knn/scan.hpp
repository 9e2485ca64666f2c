#pragma once

/// \file
/// Search by the one-to-one kernel alone: for any metric, and the fastest way for a few queries, which memory limits.

#include <annulus/core/metric/prepared_query.hpp>
#include <annulus/knn/scan_blocks.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The top-k of some queries over some rows.
template <class T, class Metric>
class row_scan : public block_top_k<rank_t<Metric, T>, Metric> {
  using base = block_top_k<rank_t<Metric, T>, Metric>;
  using base::m_best, base::m_filter, base::m_metric;

 public:
  row_scan(matrix_view<T> data, const Metric& metric, const id_filter& filter)
      : base(metric, filter), m_data(data), m_ranks(rows_at_once()) {}

  /// So many rows stay in the second-level cache while all queries of a block pass over them.
  std::size_t rows_at_once() const noexcept { return (std::size_t{256} << 10) / (m_data.cols() * sizeof(T) + 1) + 1; }

  /// Rows [begin, end) against queries first, first + 1, ...; one for which `skip` holds is passed over.
  template <class Skip>
  void add(std::size_t begin, std::size_t end, matrix_view<T> queries, std::size_t first, Skip skip) {
    for (std::size_t row = begin; row < end; row += rows_at_once()) {
      const std::size_t count = std::min(rows_at_once(), end - row);
      const matrix_view<T> block = aligned(m_data.middle_rows(row, count), m_best.size(), m_rows);
      for (std::size_t q = 0; q < m_best.size(); ++q) {
        if (skip(first + q)) continue;
        const matrix_view<T> query = aligned(queries.middle_rows(first + q, 1), count, m_query);
        const prepared_query<Metric, T> rank(*m_metric, query.data(), m_data.cols());
        rank(block.data(), block.stride(), count, m_ranks.data());
        if (m_filter->empty()) m_best[q].push_block(m_ranks.data(), count, static_cast<id_type>(row));
        else
          for (std::size_t i = 0; i < count; ++i)
            if (const auto id = static_cast<id_type>(row + i); (*m_filter)(id)) m_best[q].push(m_ranks[i], id);
      }
    }
  }

 private:
  /// The same rows, from a copy that begins with a cache line where they do not and are read often enough: a load that
  /// straddles two lines takes as long as two.
  static matrix_view<T> aligned(matrix_view<T> rows, std::size_t times, aligned_vector<T>& copy) {
    constexpr std::size_t line = 64, often = 8;
    if (reinterpret_cast<std::uintptr_t>(rows.data()) % line == 0 || rows.cols() * sizeof(T) % line != 0 ||
        times < often)
      return rows;
    copy.resize(rows.rows() * rows.cols());
    for (std::size_t i = 0; i < rows.rows(); ++i)
      std::copy_n(rows.row(i).data(), rows.cols(), copy.data() + i * rows.cols());
    return {copy.data(), rows.rows(), rows.cols()};
  }

  matrix_view<T> m_data;
  aligned_vector<T> m_rows, m_query;
  std::vector<typename base::rank_type> m_ranks;
};

/// All queries but those for which `skip` holds.
template <class T, class Metric, class Skip>
void scan(matrix_view<T> data, const Metric& metric, matrix_view<T> queries, std::size_t k, const id_filter& filter,
          std::size_t threads, const progress_callback& progress, Skip skip, neighbors& result) {
  std::vector<row_scan<T, Metric>> scans(resolve_threads(threads), {data, metric, filter});
  const auto add = [&](auto& some, std::size_t begin, std::size_t end, std::size_t first) {
    some.add(begin, end, queries, first, skip);
  };
  scan_blocks(scans, data.rows(), k, {.rows = 16 * scans[0].rows_at_once(), .queries = 128}, progress, add, result);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
