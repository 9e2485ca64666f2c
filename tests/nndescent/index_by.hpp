#pragma once

// What a file of recall tests compiles for each of its indexes.

#include "catch.hpp"
#include "nndescent/indexes.hpp"

namespace indexes {

/// What an index of the rows finds, beside exact search.
struct findings {
  std::size_t wrong_distances = 0;
  bool is_well_formed = false;
  double by_default = 0, by_beam = 0, in_graph = 0;
};

constexpr std::size_t n_wanted = 10;

template <class T, class Metric, class Storage = annulus::full_precision>
findings find_in(const split<T>& data, Metric metric, annulus::nndescent_params params = {}, Storage storage = {}) {
  params.n_neighbors = 15;
  const annulus::nndescent_index index(data.rows, metric, params, storage);
  const auto truth = annulus::knn(data.rows, data.queries, n_wanted, metric);
  const auto found = index.search(data.queries, n_wanted);
  const auto beam = index.search(data.queries, n_wanted, {.beam = 60});
  return {
      wrong_distances(found, data.rows, data.queries, metric) + wrong_distances(beam, data.rows, data.queries, metric),
      searches::well_formed(found) && searches::well_formed(beam), annulus::recall(found, truth, n_wanted),
      annulus::recall(beam, truth, n_wanted),
      annulus::estimate_recall(index.graph(), data.rows, metric, {.n_samples = 100})};
}

/// An index of clustered rows of T finds at least `floor` of the neighbours.
template <class T, class Metric>
void check_metric(Metric metric, double floor, std::size_t d) {
  const findings found = find_in(clustered<T>(2000, d), metric);
  CAPTURE(d);
  CHECK(found.is_well_formed);
  CHECK(found.wrong_distances == 0);
  CHECK(found.by_default >= floor);
  CHECK(found.by_beam >= floor - 0.01);
  CHECK(found.in_graph >= floor - 0.02);
}

}  // namespace indexes
