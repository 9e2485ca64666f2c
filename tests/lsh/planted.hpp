#pragma once

// Rows of which one is near each query, for every family of functions to find.

#include "lsh/indexes.hpp"

namespace lsh_tests {

/// Row i is near query i, for all queries.
template <class Points>
struct planted_points {
  Points rows, queries;
};

template <class T>
planted_points<matrix<T>> planted_rows(std::size_t n = 1000, std::size_t n_queries = 30, std::size_t dim = 20) {
  const auto rows = clusters<T>(n, dim, n, 5);
  auto queries = rows_between(rows, 0, n_queries);
  const counter_random noise(5, 2);
  for (std::size_t i = 0; i < n_queries; ++i)
    for (std::size_t j = 0; j < dim; ++j) queries(i, j) += static_cast<T>(noise.normal(i * dim + j) / 3);
  return {rows, queries};
}

/// An index finds most planted rows in one bucket a table without looking at most others, and all but a few for a
/// recall target; answers are well formed and their distances the metric's.
template <class Metric, class Points, class Family>
void check_planted(const planted_points<Points>& planted, const Family& family, const annulus::lsh_params& params) {
  const auto& [rows, queries] = planted;
  const annulus::lsh_index<Points, Family> index(rows, family, params);
  CHECK(std::is_same_v<typename decltype(index)::metric_type, Metric>);
  const auto n_queries = static_cast<double>(queries.size());
  for (const annulus::lsh_search_params& request :
       {annulus::lsh_search_params{}, {.n_probes = 4 * params.n_tables}, {.recall_target = 0.9}}) {
    annulus::lsh_search_stats stats;
    const auto found = index.search(queries, 3, request, &stats);
    double hits = 0;
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < queries.size(); ++i) {
      hits += std::ranges::count(found.ids.row(i), i) == 1;
      for (std::size_t j = 0; j < 3; ++j) {
        const id_type id = found.ids(i, j);
        if (id == no_id) continue;
        const float distance = annulus::distance_of(Metric{}, rank_between<Metric>(queries.row(i), rows.row(id)));
        wrong += found.distances(i, j) != distance;
      }
    }
    CAPTURE(family.name, request.n_probes, request.recall_target, stats.candidates);
    CHECK(well_formed(found));
    CHECK(wrong == 0);
    CHECK(hits / n_queries >= 0.9);
    if (!request.recall_target) CHECK(stats.candidates < 0.6 * static_cast<double>(rows.size()));
  }
}

}  // namespace lsh_tests
