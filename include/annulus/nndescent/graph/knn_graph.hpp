#pragma once

/// \file
/// build_knn_graph and estimate_recall: the k-NN graph of a data set with exact distances, and its recall.

#include <annulus/core/base/random.hpp>
#include <annulus/core/metric/protocol_checks.hpp>
#include <annulus/core/result/recall.hpp>
#include <annulus/knn/sparse_knn.hpp>
#include <annulus/nndescent/graph/build.hpp>
#include <annulus/nndescent/graph/copied_lists.hpp>
#include <annulus/nndescent/graph/data_checks.hpp>
#include <annulus/nndescent/graph/equal_rows.hpp>
#include <annulus/nndescent/graph/graph_matrix.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// The k nearest of each list by the metric itself, under the numbers of the data: n x k, or with each row itself
/// first. The lists are used up, so that never more is held than they and half of the result.
template <class View, class Metric>
neighbors exact_graph(const View& data, const Metric& metric, const row_order& order, neighbor_lists& lists,
                      const nndescent_params& params, const thread_team& team) {
  using rank_type = row_rank_t<Metric, row_t<View>>;
  const std::size_t n = data.size(), self = params.include_self, k = params.n_neighbors - self;
  std::vector<top_k<rank_type>> best(team.size(), top_k<rank_type>(std::max<std::size_t>(k, 1)));
  parallel_for(
      team, n, 256,
      [&](std::size_t begin, std::size_t end, std::size_t worker) {
        auto& nearest = best[worker];
        for (std::size_t i = begin; i < end; ++i) {
          const row_query rank(metric, data.row(order[i]));
          nearest.reset(std::max<std::size_t>(k, 1));
          for (std::size_t j = 0; j < lists.count(i); ++j) {
            const id_type id = order[lists(i, j).id()];
            nearest.push(rank(data.row(id)), id);
          }
          const auto sorted = nearest.sorted();
          for (std::size_t j = 0; j < sorted.size(); ++j)
            lists.put(i, j, sorted[j].id, distance_of(metric, sorted[j].rank));
        }
      },
      params.progress, "distances");

  neighbors graph;
  graph.ids = matrix<id_type>(n, k + self, no_id);
  for (std::size_t i = 0; i < n; ++i) {
    if (self != 0) graph.ids(order[i], 0) = order[i];
    for (std::size_t j = 0; j < std::min(k, lists.count(i)); ++j) graph.ids(order[i], j + self) = lists(i, j).id();
  }
  lists.drop_entries();
  graph.distances = matrix<float>(n, k + self, std::numeric_limits<float>::infinity());
  for (std::size_t i = 0; i < n; ++i) {
    const auto row = data.row(order[i]);
    if (self != 0) graph.distances(order[i], 0) = distance_of(metric, rank_of_rows(metric, row, row));
    for (std::size_t j = 0; j < std::min(k, lists.count(i)); ++j)
      graph.distances(order[i], j + self) = lists.rank(i, j);
  }
  return graph;
}

/// Of rows that were checked and all differ, as the metric compares them.
template <class View, class Metric>
neighbors graph_of_different_rows(const View& data, const Metric& metric, const nndescent_params& params,
                                  const initial_graph& initial, const thread_team& team) {
  const std::size_t n = data.size();
  if (n < 2) {
    neighbors graph(n, params.n_neighbors);
    if (n == 1 && params.include_self) {
      graph.ids(0, 0) = 0;
      graph.distances(0, 0) = distance_of(metric, rank_of_rows(metric, data.row(0), data.row(0)));
    }
    return graph;
  }
  neighbors graph;
  with_lists(data, metric, list_width(params.n_neighbors, n), params, initial, team,
             [&](const erased_space&, const row_order& order, neighbor_lists& lists) {
               graph = exact_graph(data, metric, order, lists, params, team);
             });
  return graph;
}

/// The ids of a graph to start from, of n rows. \throws std::invalid_argument for another number of rows, or an id that
/// is no row.
inline initial_graph checked_initial_graph(const neighbors& graph, std::size_t n) {
  if (graph.ids.rows() != n) invalid("initial rows", graph.ids.rows(), "must equal the data's ", n);
  for (std::size_t i = 0; i < n; ++i)
    for (const id_type id : graph.ids.row(i))
      if (id != no_id && id >= n) invalid("initial id", id, "row ", i, " must be below n = ", n);
  return graph.ids;
}

/// The same of a graph without rows: none.
inline initial_graph initial_graph_of(const neighbors& graph, std::size_t n) {
  return graph.ids.rows() > 0 ? checked_initial_graph(graph, n) : initial_graph();
}

/// A graph of all rows as one of their groups.
inline matrix<id_type> initial_of_groups(const initial_graph& initial, const row_groups& groups) {
  matrix<id_type> start(initial.rows() > 0 ? groups.size() : 0, initial.cols(), no_id);
  for (std::size_t v = 0; v < start.rows(); ++v)
    std::ranges::transform(initial.row(groups.firsts[v]), start.row(v).begin(), [&](id_type id) {
      return id == no_id || groups.group_of[id] == v ? no_id : groups.group_of[id];
    });
  return start;
}

/// Of rows that were checked: each different row is compared once, and its copies come in with it.
template <class View, class Metric>
neighbors knn_graph(const View& data, const Metric& metric, const nndescent_params& params,
                    const initial_graph& initial, const thread_team& team) {
  const row_groups groups = group_equal_rows(data, team);
  if (!groups.has_copies()) return graph_of_different_rows(data, metric, params, initial, team);

  const distinct_rows<View> distinct(data, groups);
  const matrix<id_type> start = initial_of_groups(initial, groups);
  nndescent_params of_others = params;
  of_others.include_self = false;
  const neighbors lists = graph_of_different_rows(distinct.view(), metric, of_others, start, team);
  const auto members = groups.members();
  std::vector<id_type> ids(data.size());
  std::iota(ids.begin(), ids.end(), id_type{0});
  const auto list_of = [&](id_type v, std::size_t, std::vector<candidate<float>>& list) {
    list.clear();
    for (std::size_t j = 0; j < lists.ids.cols() && lists.ids(v, j) != no_id; ++j)
      list.push_back({lists.distances(v, j), lists.ids(v, j)});
    return distance_of(metric, rank_of_rows(metric, distinct.view().row(v), distinct.view().row(v)));
  };
  return lists_with_copies(
      ids, groups.size(), params.n_neighbors, params.include_self, team,
      [&](id_type v) { return std::span<const id_type>(members[v]); }, list_of);
}

template <class View, class Metric>
neighbors checked_knn_graph(const View& data, const Metric& metric, const nndescent_params& given,
                            const initial_graph& initial) {
  nndescent_params params = resolved(given, data.size());
  const thread_team team(params.threads);
  check_data(metric, data, team);
  staged_progress progress(given.progress, {{"trees", 25}, {"descent", 72}, {"distances", 3}});
  params.progress = progress.callback();
  const compared_rows<Metric, View> rows(metric, data, team);
  neighbors graph = knn_graph(rows.view(), compared_metric<points_of<View>>(metric, data.dim()), params, initial, team);
  progress.finish();
  return graph;
}

}  // namespace detail

/// The graph of the n_neighbors nearest other rows of each row, very nearly. A row is not among its own neighbours, or
/// with params.include_self comes first.
///
/// By NN-descent from a forest of random projection trees (Dong, Charikar, Li 2011; Dasgupta, Freund 2008). euclidean,
/// sqeuclidean, inner_product and cosine rank 8-bit codes on the way wherever those are fine enough for the data; any
/// metric should be symmetric. Equal rows are compared once. The same bits for any number of threads.
///
/// About O(n^1.1 d n_neighbors). Memory beyond the result: some 12 n_neighbors bytes a row, d for the codes (none of
/// unsigned bytes), and on several threads half a megabyte times n_neighbors. Distances are floats, also of rows of
/// double. \param data n x d, dense or sparse \param metric by default euclidean \param params see there \returns n x
/// n_neighbors ids and exact distances, nearest first, ties by lower id, padded with no_id and +infinity where n <=
/// n_neighbors \throws std::invalid_argument for parameters out of range or a row with a NaN or an infinity (by its
/// number); whatever a callable metric throws \throws annulus::cancelled when `progress` returns false.
template <detail::rows_like D, class Metric = euclidean>
  requires metric_for<Metric, detail::view_of<D>> neighbors build_knn_graph(const D& data, Metric metric = {},
                                                                            const nndescent_params& params = {}) {
    static_assert(detail::argument_check<D, Metric>::value);
    detail::check_is_point_set<D>();
    return detail::checked_knn_graph(detail::view_of<D>(data), detail::told_of_bits(std::move(metric), data), params,
                                     {});
  }

/// The same from a graph that is roughly right: of an earlier state of the data, or of another metric.
/// \param data,metric,params as above \param initial n rows of any length, which may be incomplete; only its ids are
/// used \returns as above \throws std::invalid_argument also for a number of rows other than n, or an id that is no
/// row.
template <detail::rows_like D, class Metric>
  requires metric_for<Metric, detail::view_of<D>> neighbors build_knn_graph(const D& data, Metric metric,
                                                                            const nndescent_params& params,
                                                                            const neighbors& initial) {
    static_assert(detail::argument_check<D, Metric>::value);
    detail::check_is_point_set<D>();
    const detail::view_of<D> rows = data;
    return detail::checked_knn_graph(rows, detail::told_of_bits(std::move(metric), data), params,
                                     detail::checked_initial_graph(initial, rows.size()));
  }

// For the error in words where data or metric do not fit.
template <class D, class Metric = euclidean>
  requires(!(detail::rows_like<D> && detail::searched_by<D, std::decay_t<Metric>>)&&detail::explained<D, Metric>)
neighbors build_knn_graph(const D&, const Metric& = {}, const nndescent_params& = {}) {
  static_assert(detail::argument_check<D, Metric>::value);
  return {};
}
// A metric of other rows than these. Compilers print the line that is deleted.
// clang-format off
template <detail::rows_like D, class Metric>
  requires(!detail::searched_by<D, std::decay_t<Metric>> && !detail::explained<D, Metric>)
neighbors build_knn_graph(const D&, const Metric&, const nndescent_params& = {}) = delete;  // the metric takes no such rows; a callable for with_metric needs `requires metric_for<...>`
// clang-format on

/// How the recall of a graph is estimated.
struct estimate_params {
  std::size_t n_samples = 1000;       ///< rows whose lists are judged
  std::uint64_t seed = default_seed;  ///< of the draw of rows
  std::size_t threads = 0;            ///< 0: all cores
};

/// The recall of a k-NN graph, estimated on rows drawn at random against exact search. O(n_samples n d). \param graph n
/// x k ids and distances, without the rows themselves \param data n x d \param metric the graph's \param params see
/// there \returns from 0 to 1, by distance \throws std::invalid_argument for a graph of another number of rows, or for
/// n_samples = 0; whatever knn and a callable metric throw.
template <detail::rows_like D, class Metric = euclidean>
double estimate_recall(const neighbors& graph, const D& data, Metric metric = {}, const estimate_params& params = {}) {
  const detail::view_of<D> rows = data;
  const std::size_t n = rows.size(), k = graph.ids.cols();
  if (graph.ids.rows() != n) detail::invalid("graph rows", graph.ids.rows(), "must equal the data's ", n);
  if (params.n_samples == 0) detail::invalid("n_samples", params.n_samples, "must be at least 1");
  if (n < 2 || k == 0) return 1;
  const std::size_t n_samples = std::min(params.n_samples, n);
  const counter_random random(params.seed);
  neighbors found(n_samples, k), truth(n_samples, k);
  std::vector<id_type> ids(n_samples);
  for (std::size_t i = 0; i < n_samples; ++i) {
    ids[i] = static_cast<id_type>(n_samples == n ? i : random.below(i, n));
    std::ranges::copy(graph.ids.row(ids[i]), found.ids.row(i).begin());
    std::ranges::copy(graph.distances.row(ids[i]), found.distances.row(i).begin());
  }
  const auto queries = detail::gather_rows(rows, ids);
  const neighbors exact = knn(rows, detail::view_of<D>(queries), k + 1, detail::told_of_bits(std::move(metric), data),
                              {.threads = params.threads});
  for (std::size_t i = 0; i < n_samples; ++i)
    for (std::size_t j = 0, kept = 0; j <= k && kept < k; ++j)
      if (exact.ids(i, j) != ids[i]) {
        truth.ids(i, kept) = exact.ids(i, j);
        truth.distances(i, kept++) = exact.distances(i, j);
      }
  return recall(found, truth, k);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
