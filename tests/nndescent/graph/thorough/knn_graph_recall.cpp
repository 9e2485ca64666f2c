#include <Eigen/Core>
#include <annulus/io/data/vecs.hpp>

#include "catch.hpp"
#include "nndescent/graphs.hpp"

using namespace annulus;
using graphs::clusters;
using graphs::recall_of;
using graphs::well_formed;

TEMPLATE_TEST_CASE("a graph of clusters finds nearly all neighbours", "[knn_graph]", float, double, std::uint8_t,
                   std::int8_t, Eigen::half) {
  for (const std::size_t d : {8u, 33u, 100u}) {
    const auto data = clusters<TestType>(1500, d, 15, d);
    for (const auto& b : graphs::all<TestType>()) {
      const auto graph = b.build(data, {.n_neighbors = 10, .threads = 2});
      CAPTURE(b.metric, d);
      CHECK(well_formed(graph));
      CHECK(recall_of(graph, b, data, 13) >= (b.metric == "inner_product" ? 0.9 : 0.97));  // hubs take long
    }
  }
}

TEST_CASE("a graph from random neighbours finds as much", "[knn_graph]") {
  const auto data = clusters<float>(1500, 20, 15, 1);
  for (const auto& b : graphs::all<float>()) {
    const auto graph = b.build(data, {.n_neighbors = 10, .tree_init = false, .threads = 2});
    CAPTURE(b.metric);
    CHECK(well_formed(graph));
    CHECK(recall_of(graph, b, data, 13) >= 0.95);
  }
}

TEST_CASE("the distances of a graph are those of the metric, to the bit", "[knn_graph]") {
  const auto data = clusters<float>(1000, 19, 10, 2);
  for (const auto& b : graphs::all<float>()) {
    const auto graph = b.build(data, {.n_neighbors = 10, .threads = 2});
    const auto all_pairs = b.naive(data, 999, 37);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < all_pairs.ids.rows(); ++i)
      for (std::size_t j = 0; j < 10; ++j) {
        const auto at = std::ranges::find(all_pairs.ids.row(i), graph.ids(i * 37, j)) - all_pairs.ids.row(i).begin();
        wrong += graph.distances(i * 37, j) != all_pairs.distances(i, static_cast<std::size_t>(at));
      }
    CAPTURE(b.metric);
    CHECK(wrong == 0);
  }
}

TEST_CASE("a graph of words by cosine finds nearly all neighbours", "[knn_graph]") {
  const auto words = read_vecs<float>(ANNULUS_DEMO_DATA_DIR "/words-20k.fvecs", 0, 5000);
  const auto& b = graphs::by<float>("cosine");
  const auto graph = b.build(words, {.n_neighbors = 15, .threads = 2});
  CHECK(well_formed(graph));
  CHECK(recall_of(graph, b, words, 25) >= 0.95);
}
