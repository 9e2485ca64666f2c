#pragma once

// What is asked of an index by each metric.

#include <annulus/nndescent/index.hpp>

#include "metrics/searches.hpp"

namespace metric_searches {

constexpr std::size_t n_indexed = 600;

/// An index and its graph hold nearly all neighbours, at the distances that the metric says.
template <class Rows, class View, class Metric>
void check_index(const Rows& rows, const View& queries, const Metric& metric, double floor = 0.95) {
  const annulus::nndescent_index index(rows, metric, {.n_neighbors = 15, .threads = 1});
  const View all = rows;
  const neighbors truth = annulus::knn(all, queries, n_wanted, metric, {.threads = 1});
  const neighbors found = index.search(queries, n_wanted, {.threads = 1});
  CHECK(annulus::recall(found, truth, n_wanted) >= floor);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < queries.size(); ++i)
    for (std::size_t j = 0; j < n_wanted; ++j) {
      const id_type id = found.ids(i, j);
      wrong += id >= rows.size() ||
               !metric_searches::is_close(static_cast<double>(found.distances(i, j)),
                                          metric_searches::distance(metric, queries.row(i), all.row(id)));
    }
  CHECK(wrong == 0);
  const neighbors graph = index.graph(), nearest = annulus::knn(all, all, n_wanted + 1, metric, {.threads = 1});
  double hits = 0;
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < n_wanted; ++j)
      hits += static_cast<double>(graph.distances(i, j)) <=
              1e-6 + (1 + 1e-5) * static_cast<double>(nearest.distances(i, n_wanted));
  CHECK(hits / static_cast<double>(n_wanted * rows.size()) >= floor);
}

}  // namespace metric_searches
