#pragma once

/// \file
/// mpi::build_knn_graph: the k-NN graph of rows that lie on many ranks. annulus.hpp leaves this header out.

#include <annulus/mpi/partition_lists.hpp>
#include <annulus/mpi/partition_tree_builder.hpp>
#include <annulus/mpi/partition_visits.hpp>
#include <annulus/nndescent/graph/knn_graph.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace mpi {

/// How a graph over ranks is built. All ranks give the same, but for graph.threads and graph.progress.
struct knn_graph_params {
  /// As for one machine. threads = 0: the cores that the rank is bound to.
  nndescent_params graph = {};
  /// Rows whose first home is a partition, about; copies make it up to 1 + second_homes times as large. At least
  /// n_neighbors; 0: an eighth of all rows, from 8,192 to 1,048,576.
  std::size_t partition_size = 0;
  double second_homes = 0.75;  ///< the share of rows that are in a second partition too, in [0, 1]
  std::size_t n_rounds = 1;    ///< of joins across partitions
};

/// What a rank sent to other ranks, in bytes.
struct knn_graph_traffic {
  std::uint64_t sample = 0;        ///< rows by which partitions are chosen
  std::uint64_t rows = 0;          ///< to their first homes
  std::uint64_t second_homes = 0;  ///< rows to their second homes
  std::uint64_t joins = 0;         ///< rows that are compared across partitions, and what was found
  std::uint64_t lists = 0;         ///< to where their rows came from
  /// \returns the sum
  std::uint64_t total() const noexcept { return sample + rows + second_homes + joins + lists; }
};

/// The neighbours of a rank's rows. Global ids number the rows of rank 0 first, then those of rank 1, and so on.
struct knn_graph {
  std::int64_t first_id = 0;     ///< of this rank's rows
  matrix<std::int64_t> ids;      ///< n x n_neighbors global ids, nearest first, ties by lower id, padded with -1
  matrix<float> distances;       ///< the same of exact distances, padded with +infinity
  std::size_t n_partitions = 0;  ///< of all ranks
  knn_graph_traffic traffic;     ///< of this rank
};

}  // namespace mpi

namespace detail {

/// The tree, which rank 0 builds from a sample of all rows. Collective.
template <class T, class Metric>
partition_tree<T> tree_of_sample(const mpi::communicator& comm, message_exchange& messages, const row_layout& layout,
                                 matrix_view<T> rows, std::size_t dim, const Metric& metric,
                                 const mpi::knn_graph_params& params, const thread_team& team) {
  const std::size_t n_partitions = layout.n_partitions();
  if (n_partitions < 2) return {};
  mpi::together(comm, [&] {
    const std::uint64_t first = layout.first_id(layout.rank());
    visit_sample(layout.size(), std::max<std::size_t>(4096, 256 * n_partitions), [&](std::uint64_t id) {
      if (id >= first && id - first < rows.rows()) messages.to(0).put_all(rows.row(id - first));
    });
  });
  messages.exchange();
  mpi::together(comm, [&] {
    if (layout.rank() != 0) return;
    std::vector<message_reader> readers;
    std::size_t n = 0;
    for (std::size_t r = 0; r < layout.n_ranks(); ++r)
      n += readers.emplace_back(messages.from(r)).size() / (dim * sizeof(T));
    matrix<T> sample(n, dim);
    for (std::size_t i = 0, r = 0; i < n; ++i) {
      while (readers[r].is_at_end()) ++r;
      readers[r].get_all(sample.row(i));
    }
    nndescent_params of_sample;
    of_sample.n_neighbors = 8;
    of_sample.seed = params.graph.seed;
    const neighbors graph = knn_graph(matrix_view<T>(sample), metric, resolved(of_sample, n), initial_graph(), team);
    auto tree =
        partition_tree_builder<T, Metric>(sample, metric, graph.ids, params.graph.seed, team).build(n_partitions);
    tree.limit_second_homes(params.second_homes, metric, sample);
    tree.write(messages.to(0));
  });
  messages.broadcast();
  return mpi::together(comm, [&] {
    message_reader in = messages.from(0);
    return partition_tree<T>::read(in, n_partitions, dim, params.graph.seed);
  });
}

/// Builds the graph of a partition, and keeps of it what is needed.
template <class T, class Metric>
void build_partition(graph_partition<T>& p, std::size_t k, const Metric& metric, nndescent_params params,
                     const thread_team& team, const progress_callback& progress) {
  if (p.size() >= std::size_t{1} << 31)
    invalid("partition_size", p.size(), "rows are in a partition, which must have fewer than 2^31; divide more finely");
  params.include_self = false;
  params.n_neighbors = k;
  params = resolved(params, p.size());
  staged_progress stages(progress, {{"trees", 25}, {"descent", 72}, {"distances", 3}});
  params.progress = stages.callback();
  neighbors graph = knn_graph(matrix_view<T>(p.rows), metric, params, initial_graph(), team);
  p.graph = std::move(graph.ids);
  p.distances = matrix<float>(p.n_first, k);
  for (std::size_t i = 0; i < p.n_first; ++i)
    std::ranges::copy(std::as_const(graph.distances).row(i), p.distances.row(i).begin());
}

/// Builds the graphs of a rank's partitions and makes lists of them. What is kept of a partition adds to the memory of
/// the next: the largest is first, and lists, whose names are long, are made in the end.
template <class T, class Metric>
void build_partitions(std::vector<graph_partition<T>>& own, std::size_t k, const Metric& metric,
                      const nndescent_params& params, const thread_team& team, const progress_callback& progress) {
  std::vector<graph_partition<T>*> order;
  for (graph_partition<T>& p : own) order.push_back(&p);
  std::ranges::sort(order, std::greater(), &graph_partition<T>::size);
  const auto share = [&](std::size_t done) { return static_cast<double>(done) / static_cast<double>(own.size()); };
  for (std::size_t i = 0; i < order.size(); ++i)
    build_partition(*order[i], k, metric, params, team, part_of(progress, share(i), share(i + 1)));
  for (graph_partition<T>& p : own) {
    p.lists = named_lists(p.n_first, k);
    for (std::size_t i = 0; i < p.n_first; ++i)
      for (std::size_t j = 0; j < k && p.graph(i, j) != no_id; ++j)
        p.lists.insert(i, {p.distances(i, j), p.names[p.graph(i, j)]});
    p.distances = {};
  }
}

/// Of rows that were checked and have `dim` coordinates, as the metric compares them. Collective.
template <class T, class Metric>
mpi::knn_graph graph_over_ranks(const mpi::communicator& comm, row_layout layout, matrix_view<T> rows, std::size_t dim,
                                const Metric& metric, const mpi::knn_graph_params& params, const thread_team& team) {
  const std::size_t n = rows.rows(), self = params.graph.include_self, k = params.graph.n_neighbors - self;
  const std::size_t width = std::max<std::size_t>(k, 1);
  const std::uint64_t size = params.partition_size > 0 ? params.partition_size
                                                       : std::clamp<std::uint64_t>(layout.size() / 8, 1 << 13, 1 << 20);
  layout.divide(static_cast<std::size_t>(std::max<std::uint64_t>(1, (layout.size() + size - 1) / size)));
  staged_progress progress(params.graph.progress, {{"partitions", 3}, {"descent", 80}, {"joins", 12}, {"lists", 5}});
  const progress_callback stages = progress.callback(), descents = progress.of(1);
  message_exchange messages(comm);
  mpi::knn_graph result;
  result.n_partitions = layout.n_partitions();
  auto sent = [&, before = std::uint64_t{0}]() mutable {
    return messages.bytes_sent() - std::exchange(before, messages.bytes_sent());
  };

  std::vector<graph_partition<T>> own;
  {
    const auto tree = tree_of_sample(comm, messages, layout, rows, dim, metric, params, team);
    result.traffic.sample = sent();
    const auto homes = mpi::together(comm, [&] {
      std::vector<row_homes> found(n);
      parallel_for(
          team, n, 256,
          [&](std::size_t begin, std::size_t end, std::size_t) {
            for (std::size_t i = begin; i < end; ++i)
              found[i] = tree.homes(metric, rows.row(i), layout.first_id(layout.rank()) + i);
          },
          stages, "partitions");
      return found;
    });
    own = distribute_rows(comm, messages, layout, rows, dim, homes);
    result.traffic.rows = sent();
  }
  mpi::together(comm, [&] { build_partitions(own, width, metric, params.graph, team, descents); });

  const partition_messages<T> partitions(comm, messages, layout, own);
  merge_second_homes(partitions, metric);
  result.traffic.second_homes = sent();
  {
    partition_visits<T, Metric> visits(partitions, rows, metric, dim, team);
    for (std::size_t round = 0; round < params.n_rounds; ++round) visits.run(stages);
  }
  fill_short_lists(partitions, k, metric, dim);
  result.traffic.joins = sent();

  mpi::together(comm, [&] {
    for (graph_partition<T>& p : own) {
      p.rows = {};
      p.graph = {};
    }
    report(stages, "lists", 0);
    result.first_id = static_cast<std::int64_t>(layout.first_id(layout.rank()));
    result.ids = matrix<std::int64_t>(n, k + self, -1);
    result.distances = matrix<float>(n, k + self, std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; self != 0 && i < n; ++i) {
      result.ids(i, 0) = result.first_id + static_cast<std::int64_t>(i);
      result.distances(i, 0) = distance_of(metric, rank_of_rows(metric, rows.row(i), rows.row(i)));
    }
  });
  send_lists(partitions, k, [&](std::size_t row, std::size_t j, std::uint64_t id, float distance) {
    result.ids(row, j + self) = static_cast<std::int64_t>(id);
    result.distances(row, j + self) = distance;
  });
  result.traffic.lists = sent();
  mpi::together(comm, [&] { progress.finish(); });
  return result;
}

/// The parameters as far as they must be the same on all ranks. Collective.
inline void check_graph_params(const mpi::communicator& comm, const mpi::knn_graph_params& params) {
  const nndescent_params& graph = params.graph;
  mpi::together(comm, [&] {
    resolved(graph, 2);
    if (params.partition_size != 0 && params.partition_size < graph.n_neighbors)
      invalid("partition_size", params.partition_size, "must be 0 or at least n_neighbors = ", graph.n_neighbors);
    if (!(is_number(params.second_homes) && params.second_homes >= 0 && params.second_homes <= 1))
      invalid("second_homes", params.second_homes, "must be in [0, 1]");
  });
  const std::pair<std::string_view, std::uint64_t> numbers[] = {
      {"n_neighbors", graph.n_neighbors},       {"n_trees", graph.n_trees}, {"leaf_size", graph.leaf_size},
      {"max_candidates", graph.max_candidates}, {"n_iters", graph.n_iters}, {"tree_init", graph.tree_init},
      {"include_self", graph.include_self},     {"seed", graph.seed},       {"n_rounds", params.n_rounds},
      {"partition_size", params.partition_size}};
  for (const auto& [name, value] : numbers) mpi::check_same(comm, name, value);
  mpi::check_same(comm, "delta", graph.delta);
  mpi::check_same(comm, "second_homes", params.second_homes);
}

}  // namespace detail

namespace mpi {

/// The graph of the n_neighbors nearest other rows of each row, very nearly, where each rank gives some of the rows. A
/// row is not among its own neighbours, or with params.graph.include_self comes first. Collective.
///
/// A tree on a sample divides the rows into partitions, near rows into the same one; most rows are in a second one too.
/// Each partition is built by NN-descent on one rank, copies are merged, and rows are compared across partitions where
/// their neighbours lead (after GGNN, Groh et al. 2022, and DNND, Iwabuchi et al. 2023). Partitions depend on the rows
/// by their global ids, the seed and the parameters: on processors of one kind the result has the same bits for any
/// number of ranks and threads. Up to 2^40 rows; ranks beyond the number of partitions only give rows.
///
/// A rank holds, beside what it gave: its partitions' rows, 1.75 times a rank's share; some 24 n_neighbors bytes a row;
/// and what building one partition takes. \param comm the ranks \param data this rank's rows: dense, of any element
/// type, n x d with the same d on all ranks that have any \param metric any, the same on all ranks \param params the
/// same on all ranks, but for graph.threads and graph.progress \returns the lists of this rank's rows \throws
/// std::invalid_argument on all ranks, where any of them fails, for parameters out of range or different, for rows that
/// build_knn_graph would refuse of this rank's rows alone (by rank and number), or different d; likewise
/// annulus::cancelled where a rank's `progress` returns false; mpi::error; whatever a metric throws, by its kind.
template <matrix_like D, class Metric = euclidean>
  requires metric_for<Metric, detail::view_of<D>> knn_graph build_knn_graph(const communicator& comm, const D& data,
                                                                            Metric metric = {},
                                                                            const knn_graph_params& params = {}) {
    using view = detail::view_of<D>;
    static_assert(detail::argument_check<D, Metric>::value);
    detail::check_is_point_set<D>();
    detail::check_graph_params(comm, params);
    const thread_team team(params.graph.threads);
    const view rows = data;
    Metric told = detail::told_of_bits(std::move(metric), data);
    if constexpr (has_bit_count<Metric>) told.bits = comm.all_reduce(told.bits, MPI_MAX);
    const auto greatest_dim = [&](std::size_t n, std::size_t d) {
      return static_cast<std::size_t>(comm.all_reduce(std::uint64_t{n > 0 ? d : 0}, MPI_MAX));
    };
    const std::size_t dim = greatest_dim(rows.rows(), rows.cols());
    const auto compared = together(comm, [&] {
      if (rows.rows() > 0 && rows.cols() != dim)
        detail::invalid("data columns", rows.cols(), "must be the same on all ranks; another one has ", dim);
      detail::check_data(told, rows, team);
      return std::make_unique<detail::compared_rows<Metric, view>>(told, rows, team);
    });
    const auto those = compared->view();
    const std::size_t dim_there = greatest_dim(those.rows(), those.cols());
    const auto between_those =
        together(comm, [&] { return detail::compared_metric<detail::points_of<view>>(told, dim); });
    return detail::graph_over_ranks(comm, detail::row_layout(comm, rows.rows()), those, dim_there, between_those,
                                    params, team);
  }

}  // namespace mpi
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
