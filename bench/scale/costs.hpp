#pragma once

// What building, searching and merging cost on one core of this machine: the figures that plans are computed from.

#include <annulus/mpi/global_neighbors.hpp>
#include <annulus/nndescent/graph/knn_graph.hpp>
#include <annulus/nndescent/index.hpp>

#include <ctime>

#include "../surface_rows.hpp"
#include "merge_tree.hpp"

namespace scale {

/// Processor time of this thread: what others do on the machine counts less than by the clock.
inline double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class F>
double seconds_of(F&& f) {
  const double start = processor_seconds();
  f();
  return processor_seconds() - start;
}

/// Searches at one k, with the beam that finds .95 of the k nearest of rows of the index.
struct search_costs {
  double beam, distances;     ///< of a query, on average: rows that it is compared with
  std::vector<double> times;  ///< of each query
};

/// Queries of the kind of the rows, each alone, after all of them in a batch.
template <class Index, class Rows>
search_costs search_of(const Index& index, const Rows& queries, std::size_t k) {
  const annulus::tuned_search tuned = index.tune(0.95, {.n_queries = 300, .k = k, .threads = 1});
  annulus::nndescent_search_params params = tuned.params;
  params.threads = 1;
  annulus::nndescent_search_stats stats;
  index.search(queries, k, params, &stats);
  search_costs costs{static_cast<double>(params.beam), stats.distances, {}};
  auto scratch = index.make_scratch();
  std::vector<annulus::id_type> ids(k);
  std::vector<float> distances(k);
  for (std::size_t i = 0; i < queries.rows(); ++i)
    costs.times.push_back(seconds_of([&] { index.search(queries.row(i), ids, distances, scratch, params); }));
  return costs;
}

/// Rows of one kind by their number: building a graph and an index on one core, and searching that, k = 10.
struct row_costs {
  std::vector<double> sizes, graph_seconds, index_seconds;
  std::vector<search_costs> searches;

  /// All sizes but the last, which is kept to check the laws.
  std::size_t n_fitted() const { return sizes.size() - 1; }
  power_law law(const std::vector<double>& values) const {
    return fitted(std::span(sizes).first(n_fitted()), std::span(values).first(n_fitted()));
  }
  /// Values of each search.
  template <class F>
  std::vector<double> of_searches(F value) const {
    std::vector<double> values;
    for (const search_costs& search : searches) values.push_back(value(search));
    return values;
  }
  std::vector<double> distances() const {
    return of_searches([](const search_costs& search) { return search.distances; });
  }
  std::vector<double> seconds_a_distance() const {
    return of_searches(
        [](const search_costs& search) { return measured_times(search.times).mean() / search.distances; });
  }
  /// Seconds of a query: the law of its distances, times what one takes at the last size, whose rows are in memory more
  /// than in caches. A law of the seconds would take the step from one to the other for growth.
  power_law query_law() const {
    const power_law growth = law(distances());
    return {growth.factor * seconds_a_distance().back(), growth.exponent};
  }
};

/// Of rows of d coordinates of type T in this storage, of these numbers. `use_last` is called with the last index.
template <class T, class Storage, class F>
row_costs measure_rows(std::size_t d, std::span<const std::size_t> sizes, Storage storage, F use_last) {
  constexpr std::size_t n_queries = 2000;
  row_costs costs;
  const auto queries = surface_rows<T>(n_queries, d, 1);
  for (const std::size_t n : sizes) {
    const auto rows = surface_rows<T>(n, d, 0);
    costs.sizes.push_back(static_cast<double>(n));
    costs.graph_seconds.push_back(
        seconds_of([&] { annulus::build_knn_graph(rows, annulus::euclidean{}, {.threads = 1}); }));
    const auto build = [&] { return annulus::nndescent_index(rows, annulus::euclidean{}, {.threads = 1}, storage); };
    std::optional<decltype(build())> index;
    costs.index_seconds.push_back(seconds_of([&] { index.emplace(build()); }));
    costs.searches.push_back(search_of(*index, queries, 10));
    if (n == sizes.back()) use_last(*index, queries);
  }
  return costs;
}

/// Bytes of memory that a row adds to an index; what does not grow with rows, as rotations, is not counted.
template <class Build>
double bytes_a_row(std::size_t n, Build build) {
  const auto half = static_cast<double>(build(n / 2)), all = static_cast<double>(build(n));
  return (all - half) / static_cast<double>(n - n / 2);
}

/// A neighbour as ranks send it.
using sent_neighbor = annulus::detail::global_candidate;
using sent_lists = std::vector<sent_neighbor>;

/// Lists of k for each of a batch of queries, one behind the other, with ids from `first` on.
inline sent_lists made_lists(std::size_t queries, std::size_t k, std::size_t first) {
  const annulus::counter_random random(3, first);
  sent_lists lists(queries * k);
  for (std::size_t q = 0; q < queries; ++q) {
    double rank = 0;  // grows by exponential steps, as the ranks of uniform rows do
    for (std::size_t j = 0; j < k; ++j) {
      rank -= std::log(1 - random.uniform(q * k + j));
      lists[q * k + j] = {static_cast<float>(rank), static_cast<std::int64_t>(first + j)};
    }
  }
  return lists;
}

/// Merges each list of k of `from` into that of `into`, as the operation of MPI's reduction does.
inline void merge_batch(const sent_lists& from, sent_lists& into, std::size_t k) {
  for (std::size_t at = 0; at < from.size(); at += k) annulus::detail::merge_lists(&from[at], &into[at], k);
}

/// Merging of lists of k for `queries` queries of each of `ranks` ranks.
struct merging_costs {
  double one;   ///< seconds to merge two lists, from pairs of batches
  double tree;  ///< seconds to merge the batches of all ranks, in the order of the tree
};
inline merging_costs measure_merging(std::size_t ranks, std::size_t queries, std::size_t k) {
  const auto batches = [&] {
    std::vector<sent_lists> lists;
    for (std::size_t r = 0; r < ranks; ++r) lists.push_back(made_lists(queries, k, 1'000'000 * r));
    return lists;
  };
  merging_costs costs{};
  auto lists = batches();
  costs.one = seconds_of([&] {
                for (std::size_t r = 0; r + 1 < ranks; r += 2) merge_batch(lists[r + 1], lists[r], k);
              }) /
              static_cast<double>(ranks / 2 * queries);
  lists = batches();
  costs.tree = seconds_of([&] {
    for (std::size_t bit = 1; bit < ranks; bit *= 2)
      for (std::size_t r = 0; r + bit < ranks; r += 2 * bit) merge_batch(lists[r + bit], lists[r], k);
  });
  return costs;
}

/// Times of batches: sums of times of single queries drawn from `times`, on so many cores.
inline measured_times batch_times(std::span<const double> times, std::size_t queries, double cores) {
  constexpr std::size_t n_batches = 2000;
  std::vector<double> sums(n_batches);
  for (std::size_t batch = 0; batch < n_batches; ++batch) {
    const annulus::counter_random random(4, batch);
    for (std::size_t q = 0; q < queries; ++q) sums[batch] += times[random.below(q, times.size())] / cores;
  }
  return measured_times(std::move(sums));
}

}  // namespace scale
