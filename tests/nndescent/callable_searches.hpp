#pragma once

// What the tests of callables ask of graphs and indexes by each.

#include "callables.hpp"

#include <annulus/nndescent/index.hpp>

#include "catch.hpp"

namespace callables {

/// The share of the distances of a graph and of an index that are not those of brute force by manhattan.
template <class Metric>
double share_wrong(Metric metric) {
  using namespace annulus;
  STATIC_REQUIRE(metric_for<Metric, matrix<float>>);
  const matrix<float> all = rows<float>();
  const neighbors expected = knn(all, all, 4, manhattan{});
  nndescent_index index(all, metric);
  const neighbors listed = build_knn_graph(all, metric, {.n_neighbors = 4, .include_self = true});
  std::size_t n = n_different(listed, expected) + n_different(index.search(all, 4, {.beam = 50}), expected);
  index.insert(rows<float>(10));
  index.erase(0);
  index.consolidate();
  nndescent_index copy = index;
  CHECK(copy.size() == 209);
  CHECK(copy.radius_search(all, 1.0f).indptr.size() == 201);
  return static_cast<double>(n) / (2 * 4 * 200);
}

}  // namespace callables
