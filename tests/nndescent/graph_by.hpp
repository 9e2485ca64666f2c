#pragma once

// The plain graph, and what compiles an entry of the lists of graphs.hpp.

#include "nndescent/graphs.hpp"

namespace graphs {

template <class T, class Metric>
neighbors naive_graph(const matrix<T>& data, std::size_t k, std::size_t every, const Metric& metric) {
  using rank = annulus::rank_t<Metric, T>;
  neighbors result((data.rows() + every - 1) / every, k);
  for (std::size_t i = 0; i < data.rows(); i += every) {
    std::vector<annulus::candidate<rank>> ranked;
    for (std::size_t j = 0; j < data.rows(); ++j)
      if (i != j)
        ranked.push_back(
            {annulus::rank_of(metric, data.row(i).data(), data.row(j).data(), data.cols()), static_cast<id_type>(j)});
    const std::size_t count = std::min(k, ranked.size());
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(count), ranked.end());
    for (std::size_t j = 0; j < count; ++j) {
      result.ids(i / every, j) = ranked[j].id;
      result.distances(i / every, j) = annulus::distance_of(metric, ranked[j].rank);
    }
  }
  return result;
}

/// A metric that holds nothing: a captureless lambda too.
template <class T, class Metric>
builder<T> build_by(std::string_view name, Metric) {
  return {name,
          annulus::has_product_form<Metric>,
          [](const matrix<T>& data, const nndescent_params& params) {
            return annulus::build_knn_graph(data, Metric{}, params);
          },
          [](const matrix<T>& data, const nndescent_params& params, const neighbors& initial) {
            return annulus::build_knn_graph(data, Metric{}, params, initial);
          },
          [](const matrix<T>& data, std::size_t k, std::size_t every) { return naive_graph(data, k, every, Metric{}); },
          [](const neighbors& graph, const matrix<T>& data, std::size_t n_samples) {
            return annulus::estimate_recall(graph, data, Metric{}, {.n_samples = n_samples});
          }};
}

}  // namespace graphs
