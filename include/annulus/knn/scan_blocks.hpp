#pragma once

/// \file
/// What both searches by passes over all rows share: the nearest rows of a block of queries, and how the work is
/// divided among threads.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/metric/metric.hpp>
#include <annulus/core/result/filter.hpp>
#include <annulus/core/result/result_rows.hpp>
#include <annulus/core/select/top_k.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The k nearest rows so far of each query of a block. Base of the scans, which push rows that pass the filter.
template <class Rank, class Metric>
class block_top_k {
 public:
  using rank_type = Rank;

  block_top_k(const Metric& metric, const id_filter& filter) : m_metric(&metric), m_filter(&filter) {}

  /// For so many queries and k from now on, without rows.
  void reset(std::size_t queries, std::size_t k) {
    m_best.resize(queries, top_k<rank_type>(k));
    for (auto& best : m_best) best.reset(k);
  }

  /// Takes in what another block found for the same queries in other rows.
  void merge(block_top_k& other) {
    for (std::size_t q = 0; q < m_best.size(); ++q)
      for (const auto& c : other.m_best[q].sorted()) m_best[q].push(c.rank, c.id);
  }

  /// Writes the rows first, first + 1, ... of a result that is all padding.
  void write(std::size_t first, neighbors& result) {
    const auto distance = [&](rank_type rank) { return distance_of(*m_metric, rank); };
    for (std::size_t q = 0; q < m_best.size(); ++q) write_row(m_best[q].sorted(), result, first + q, distance);
  }

 protected:
  const Metric* m_metric;
  const id_filter* m_filter;
  std::vector<top_k<rank_type>> m_best;
};

/// How much of a search is handed to a thread at a time: rows, where threads share the queries; else queries.
struct scan_grain {
  std::size_t rows, queries;
};

/// Searches n_rows rows for the k nearest of each row of `result`, which is all padding, with a scan for each thread:
/// over blocks of queries, or over the rows where queries are fewer than threads. add(scan, begin, end, first) compares
/// the rows [begin, end) with the queries of the scan's block, of which `first` is the first.
template <class Scan, class Add>
void scan_blocks(std::vector<Scan>& scans, std::size_t n_rows, std::size_t k, scan_grain grain,
                 const progress_callback& progress, Add add, neighbors& result) {
  const std::size_t workers = scans.size(), n_queries = result.ids.rows();
  if (n_queries < workers) {
    for (Scan& scan : scans) scan.reset(n_queries, k);
    parallel_for(
        workers, n_rows, grain.rows,
        [&](std::size_t begin, std::size_t end, std::size_t worker) { add(scans[worker], begin, end, 0); }, progress,
        "knn");
    for (std::size_t worker = 1; worker < workers; ++worker) scans[0].merge(scans[worker]);
    return scans[0].write(0, result);
  }
  parallel_for(
      workers, n_queries, std::min(grain.queries, n_queries / workers + 1),
      [&](std::size_t begin, std::size_t end, std::size_t worker) {
        scans[worker].reset(end - begin, k);
        add(scans[worker], 0, n_rows, begin);
        scans[worker].write(begin, result);
      },
      progress, "knn");
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
