#pragma once

/// \file
/// Finds the narrowest beam that reaches a recall, by exact search of some queries.

#include <annulus/core/result/recall.hpp>
#include <annulus/knn/sparse_knn.hpp>
#include <annulus/nndescent/index/graph_query.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Exact search of the rows of an index.
template <class T, class Metric>
neighbors knn_of(const dense_row_store<T>& rows, const matrix_view<T>& queries, std::size_t k, const Metric& metric,
                 const knn_params& params) {
  return knn(rows.view(), queries, k, metric, params);
}
template <class T, class Metric>
neighbors knn_of(const sparse_row_store<T>& rows, const csr_view<T>& queries, std::size_t k, const Metric& metric,
                 const knn_params& params) {
  std::vector<id_type> all(rows.size());
  std::iota(all.begin(), all.end(), id_type{0});
  return knn(gather_rows(rows, all), queries, k, metric, params);
}

/// Vertices drawn at random, each at most once.
inline std::vector<id_type> sample_vertices(const vertex_names& names, std::size_t count) {
  const counter_random random(1);
  std::vector<id_type> vertices;
  std::vector<bool> is_drawn(names.n_vertices(), false);
  // Some draws for each vertex find nearly all of the count, also where most are erased; the last would take too long.
  count = std::min(count, names.n_live());
  const std::size_t max_draws = 4 * count * (names.n_vertices() / std::max<std::size_t>(names.n_live(), 1) + 1);
  for (std::size_t i = 0; vertices.size() < count && (i < max_draws || vertices.empty()); ++i) {
    const auto vertex = static_cast<id_type>(random.below(i, names.n_vertices()));
    if (!names.is_live(vertex) || is_drawn[vertex]) continue;
    is_drawn[vertex] = true;
    vertices.push_back(vertex);
  }
  return vertices;
}

/// Throws std::invalid_argument for arguments of tuning out of range, or an index without its exact rows.
inline void check_tuning(double recall_target, std::size_t n_queries, std::size_t k, bool has_rows) {
  if (!(is_number(recall_target) && recall_target > 0 && recall_target <= 1))
    invalid("recall_target", recall_target, "must be in (0, 1]");
  if (k == 0 || n_queries == 0) invalid("sample", n_queries, "and k = ", k, " must be at least 1");
  if (!has_rows) invalid("keep_rows", false, "tuning needs the rows");
}

/// What a search reads to rank a row.
template <class Walk>
double bytes_a_row(const Walk& walk) noexcept {
  return static_cast<double>(walk.memory_bytes()) / static_cast<double>(std::max<std::size_t>(walk.size(), 1));
}

/// The narrowest of some beams that reaches the recall of the k nearest, by ranks or by estimates, whichever reads
/// less. Where `hidden` is not empty, query i is the row of vertex hidden[i], searched for as if it were not there.
template <class Points, class Metric, class Walk>
tuned_search tune_beam(const graph_query<Points, Metric, Walk>& walker, const view_of<Points>& queries,
                       std::span<const id_type> hidden, double recall_target, std::size_t k, const thread_team& team) {
  const auto is_live = [&](id_type vertex) { return walker.names.is_live(vertex); };
  const neighbors near =
      knn_of(walker.rows, queries, k + !hidden.empty(), walker.metric, {.threads = team.size(), .filter = is_live});
  neighbors truth(queries.size(), k), found(queries.size(), k);
  for (std::size_t i = 0; i < queries.size(); ++i) {
    std::size_t kept = 0;
    for (std::size_t j = 0; j < near.ids.cols(); ++j) {
      const id_type vertex = near.ids(i, j);
      if (vertex == no_id || (!hidden.empty() && vertex == hidden[i])) continue;
      for (const id_type id : walker.names.ids_at(vertex)) {
        if (kept == k) break;
        truth.ids(i, kept) = id;
        truth.distances(i, kept++) = near.distances(i, j);
      }
    }
  }

  using scratch_type = graph_scratch<Points, Metric, Walk>;
  std::vector<scratch_type> scratch(team.size(), scratch_type(walker.walk));
  const id_filter all;
  const vertex_filter passes(walker.names, all);
  const auto search = [&](const nndescent_search_params& params) {
    std::ranges::fill(std::span(found.ids.data(), queries.size() * k), no_id);
    std::ranges::fill(std::span(found.distances.data(), queries.size() * k), std::numeric_limits<float>::infinity());
    parallel_for(team, queries.size(), 16, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t i = begin; i < end; ++i) {
        if (!hidden.empty()) scratch[worker].walk.hidden = hidden[i];
        walker.find(queries.row(i), found.ids.row(i), found.distances.row(i), params, passes, scratch[worker]);
      }
    });
  };
  const auto take_cost = [&] {  // in bytes read, by which forms of a walk compare
    double bytes = 0;
    for (scratch_type& s : scratch) {
      bytes += static_cast<double>(std::exchange(s.walk.distances, 0)) * bytes_a_row(walker.walk);
      bytes += static_cast<double>(std::exchange(s.walk.hops, 0)) * static_cast<double>(walker.codes.vertex_bytes());
    }
    return bytes;
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto narrowest = [&](bool by_estimates, double most_cost) -> std::pair<tuned_search, double> {
    tuned_search tuned{{.beam = k, .by_estimates = by_estimates}};
    for (const std::size_t widest = std::max<std::size_t>(1024, 8 * k);;
         tuned.params.beam += tuned.params.beam / 8 + 1) {
      search(tuned.params);
      const double cost = take_cost();
      tuned.recall = recall(found, truth, k);
      tuned.reached = tuned.recall >= recall_target;
      if (tuned.reached || tuned.params.beam >= widest || cost > most_cost) return {tuned, cost};
    }
  };
  const auto [by_rows, cost] = narrowest(false, infinity);
  if constexpr (has_edge_codes<Walk>) {
    const auto [by_estimates, other_cost] = narrowest(true, by_rows.reached ? cost : infinity);
    if (by_estimates.reached && (!by_rows.reached || other_cost < cost)) return by_estimates;
  }
  return by_rows;
}

/// The same with rows of the index for queries, each searched for as if it were not there.
template <class Points, class Metric, class Walk>
tuned_search tune_by_own_rows(const graph_query<Points, Metric, Walk>& walker, double recall_target,
                              const tune_params& params) {
  const auto vertices = sample_vertices(walker.names, params.n_queries);
  const auto queries = gather_rows(walker.rows, std::span<const id_type>(vertices));
  return tune_beam(walker, view_of<Points>(queries), vertices, recall_target, params.k, params.threads);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
