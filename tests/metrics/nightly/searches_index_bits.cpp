#include <annulus/metrics/bits.hpp>

#include "metrics/index_searches.hpp"

using namespace annulus;
using metric_searches::check_index;
using metric_searches::n_indexed;
using metric_searches::n_queries;

TEST_CASE("an index of dense rows by a metric of sets finds nearly all neighbours", "[metrics][nndescent_index]") {
  const auto rows = metric_searches::binary(n_indexed), queries = metric_searches::binary(n_queries);
  check_index(rows, matrix_view<float>(queries), dice{});
}

TEST_CASE("an index of packed bits finds nearly all neighbours", "[metrics][nndescent_index]") {
  const auto rows = metric_searches::packed_bits(metric_searches::binary(n_indexed)),
             queries = metric_searches::packed_bits(metric_searches::binary(n_queries));
  check_index(rows, matrix_view<std::uint8_t>(queries), bit_jaccard{});
}

TEST_CASE("a graph of a bit_matrix is one of as many bits as it has", "[metrics][knn_graph]") {
  const auto rows = metric_searches::packed_bits(metric_searches::binary(n_indexed));
  const nndescent_params params{.n_neighbors = 5};
  const packed<matching> untold{}, told{rows.bits()};
  const neighbors graph = build_knn_graph(rows, told, params);
  CHECK(build_knn_graph(rows, untold, params) == graph);
  CHECK(build_knn_graph(rows, untold, params, graph) == build_knn_graph(rows, told, params, graph));
  CHECK(estimate_recall(graph, rows, untold, {.n_samples = 50}) ==
        estimate_recall(graph, rows, told, {.n_samples = 50}));
  CHECK(nndescent_index(rows, untold, params).metric().bits == rows.bits());
}
