#pragma once

// What an index of a given number of rows needs over ranks, by formulas from costs that are measured on one machine.
// Times are seconds, sizes bytes, counts doubles: they reach 10^10.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <vector>

namespace scale {

/// y = factor * x^exponent.
struct power_law {
  double factor, exponent;
  double operator()(double x) const { return factor * std::pow(x, exponent); }
};

/// The power law through the points (x, y), all above 0, of which there are at least two with different x: least
/// squares of the logarithms.
inline power_law fitted(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size() || x.size() < 2) throw std::invalid_argument("fitted: needs as many x as y, and at least 2");
  const auto count = static_cast<double>(x.size());
  double mean_x = 0, mean_y = 0, xx = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += std::log(x[i]) / count;
    mean_y += std::log(y[i]) / count;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double from_mean = std::log(x[i]) - mean_x;
    xx += from_mean * from_mean;
    xy += from_mean * (std::log(y[i]) - mean_y);
  }
  if (xx == 0) throw std::invalid_argument("fitted: all x are equal");
  const double exponent = xy / xx;
  return {std::exp(mean_y - exponent * mean_x), exponent};
}

/// A message takes latency + bytes / bytes_per_second.
struct network {
  double latency, bytes_per_second;
  double seconds(double bytes) const { return latency + bytes / bytes_per_second; }
};

/// One rank's machine.
struct machine {
  double cores;
  double memory;       ///< bytes
  double share = 0.8;  ///< of memory that holds the index; the rest is for queries, buffers and the system
};

/// How many ranks hold n rows of so many bytes each.
inline double ranks_for(double n, double bytes_a_row, const machine& rank) {
  return std::ceil(n * bytes_a_row / (rank.share * rank.memory));
}

/// Rounds of a merge of the lists of `ranks`, two by two: ceil(log2 ranks).
inline std::size_t rounds_of_merge(double ranks) {
  return ranks <= 1 ? 0 : static_cast<std::size_t>(std::ceil(std::log2(ranks)));
}

/// Where each rank builds an index of its own n / ranks rows; `build` is the time on one core by the number of rows.
struct build_time {
  double core_hours, hours;
};
inline build_time build_of_shards(double n, double ranks, const power_law& build, double cores) {
  const double seconds = build(n / ranks);
  return {ranks * seconds / 3600, seconds / cores / 3600};
}

/// One k-NN graph of all rows over ranks (mpi::build_knn_graph): a graph of each partition, in `homes` of which a row
/// is, on average; visits of rows to others; and their lists of n_neighbors, which go back to the rank that gave the
/// row.
struct graph_over_ranks {
  double partition = 1 << 20;  ///< rows, without copies
  double homes = 1.75, n_neighbors = 30;
  double visits = 0.25, neighbor_bytes = 8;  ///< as 4 ranks sent

  /// What leaves a rank for another, of all ranks: of what is spread evenly, 1 / ranks stays.
  double bytes_sent(double n, double ranks, double row_bytes) const {
    return n * ((homes + visits) * row_bytes + n_neighbors * neighbor_bytes) * (1 - 1 / ranks);
  }
  /// Of the graphs of the partitions, one after the other on each rank, where `build` is the time of one on one core by
  /// the number of its rows.
  build_time time(double n, double ranks, const power_law& build, double cores) const {
    const double n_partitions = std::ceil(n / partition), seconds = build(homes * partition);
    return {n_partitions * seconds / 3600, std::ceil(n_partitions / ranks) * seconds / cores / 3600};
  }
};

/// How queries are answered by ranks that hold n / ranks rows each: they go down a tree, lists of k come up.
struct search_over_ranks {
  double query_bytes;      ///< of one query
  double candidate_bytes;  ///< of a rank and an id, as they are sent
  double k;
  double merge;  ///< seconds to merge two lists of k
  network net;

  double list_bytes() const { return k * candidate_bytes; }
  /// Of all messages of one query: it goes to all other ranks, and a list comes from each.
  double bytes_a_query(double ranks) const { return (ranks - 1) * (query_bytes + list_bytes()); }
  /// Until all ranks have a batch of queries.
  double broadcast(double ranks, double queries) const {
    return static_cast<double>(rounds_of_merge(ranks)) * net.seconds(queries * query_bytes);
  }
  /// Merging a batch of which each rank gets its share of the answers (MPI_Reduce_scatter, by recursive halving): in
  /// each round a rank keeps half of the queries it has, sends the lists of the others, and merges those that it
  /// receives.
  double scattered_merge(double ranks, double queries) const {
    return static_cast<double>(rounds_of_merge(ranks)) * net.latency +
           (1 - 1 / ranks) * queries * (merge + list_bytes() / net.bytes_per_second);
  }
  /// Seconds between answers where batches follow each other without pause and `search` is the time of a query on one
  /// rank, by all of its cores: each rank searches for every query, rank 0 merges a list each round, and receives it.
  double seconds_a_query(double ranks, double search) const {
    const auto rounds = static_cast<double>(rounds_of_merge(ranks));
    return std::max({search, rounds * merge, rounds * list_bytes() / net.bytes_per_second});
  }
};

}  // namespace scale
