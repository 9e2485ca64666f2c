#pragma once

/// \file
/// Search by the one-to-one kernel alone: for any metric, and the fastest way for a few queries, which memory limits.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/metric/prepared_query.hpp>
#include <annulus/core/result/filter.hpp>
#include <annulus/core/select/top_k.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Writes sorted candidates, at most result.ids.cols(), to row i of a result that is all padding.
template <class Metric, class Rank>
void write_row(const Metric& metric, std::span<const candidate<Rank>> sorted, std::size_t i, neighbors& result) {
  for (std::size_t j = 0; j < sorted.size(); ++j) {
    result.ids(i, j) = sorted[j].id;
    result.distances(i, j) = distance_of(metric, sorted[j].rank);
  }
}

/// The top-k of some queries over some rows.
template <class T, class Metric>
class row_scan {
 public:
  using rank_type = rank_t<Metric, T>;

  row_scan(matrix_view<T> data, const Metric& metric, const id_filter& filter)
      : m_data(data), m_metric(&metric), m_filter(&filter), m_ranks(rows_at_once()) {}

  /// So many rows stay in the second-level cache while all queries of a block pass over them.
  std::size_t rows_at_once() const noexcept { return (std::size_t{256} << 10) / (m_data.cols() * sizeof(T) + 1) + 1; }

  void reset(std::size_t queries, std::size_t k) {
    m_best.resize(queries, top_k<rank_type>(k));
    for (auto& best : m_best) best.reset(k);
  }

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

  void merge(row_scan& other) {
    for (std::size_t q = 0; q < m_best.size(); ++q)
      for (const auto& c : other.m_best[q].sorted()) m_best[q].push(c.rank, c.id);
  }

  void write(std::size_t first, neighbors& result) {
    for (std::size_t q = 0; q < m_best.size(); ++q) write_row(*m_metric, m_best[q].sorted(), first + q, result);
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
  const Metric* m_metric;
  const id_filter* m_filter;
  std::vector<rank_type> m_ranks;
  std::vector<top_k<rank_type>> m_best;
};

/// All queries: in parallel over blocks of them, or over the rows where queries are fewer than threads.
template <class T, class Metric, class Skip>
void scan(matrix_view<T> data, const Metric& metric, matrix_view<T> queries, std::size_t k, const id_filter& filter,
          std::size_t threads, const progress_callback& progress, Skip skip, neighbors& result) {
  const std::size_t workers = resolve_threads(threads);
  std::vector<row_scan<T, Metric>> scans(workers, {data, metric, filter});
  if (queries.rows() < workers) {
    for (auto& s : scans) s.reset(queries.rows(), k);
    parallel_for(
        workers, data.rows(), 16 * scans[0].rows_at_once(),
        [&](std::size_t begin, std::size_t end, std::size_t worker) {
          scans[worker].add(begin, end, queries, 0, skip);
        },
        progress, "knn");
    for (std::size_t worker = 1; worker < workers; ++worker) scans[0].merge(scans[worker]);
    return scans[0].write(0, result);
  }
  const std::size_t grain = std::min<std::size_t>(128, queries.rows() / workers + 1);
  parallel_for(
      workers, queries.rows(), grain,
      [&](std::size_t begin, std::size_t end, std::size_t worker) {
        scans[worker].reset(end - begin, k);
        scans[worker].add(0, data.rows(), queries, begin, skip);
        scans[worker].write(begin, result);
      },
      progress, "knn");
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
