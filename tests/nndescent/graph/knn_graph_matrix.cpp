#include <annulus/io/data/npy.hpp>
#include <annulus/knn/knn.hpp>

#include "catch.hpp"
#include "message_of.hpp"
#include "nndescent/graphs.hpp"

using namespace annulus;
using graphs::clusters;
using graphs::infinity;

namespace {

/// Distances of edges, infinite where none is.
using dense = std::vector<std::vector<float>>;

dense edges_of(const neighbors& graph, graph_edges edges) {
  const std::size_t n = graph.ids.rows();
  dense directed(n, std::vector<float>(n, infinity));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < graph.ids.cols(); ++j)
      if (graph.ids(i, j) != no_id) directed[i][graph.ids(i, j)] = graph.distances(i, j);
  if (edges == graph_edges::directed) return directed;
  dense both = directed;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const bool one = directed[i][j] < infinity || directed[j][i] < infinity;
      const bool two = directed[i][j] < infinity && directed[j][i] < infinity;
      both[i][j] = (edges == graph_edges::mutual ? two : one) ? std::min(directed[i][j], directed[j][i]) : infinity;
    }
  for (std::size_t i = 0; i < n && edges == graph_edges::for_umap; ++i) both[i][i] = 0;
  return both;
}

/// Whether a matrix has the edges of a dense one, each once, rows in ascending order of distance.
bool same(const csr& sparse, const dense& expected) {
  const std::size_t n = expected.size();
  if (sparse.n_columns != n || sparse.indptr.size() != n + 1 || sparse.indptr[0] != 0 ||
      sparse.indices.size() != sparse.distances.size() ||
      sparse.indptr[n] != static_cast<std::int64_t>(sparse.indices.size()))
    return false;
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<float> row(n, infinity);
    const auto begin = static_cast<std::size_t>(sparse.indptr[i]), end = static_cast<std::size_t>(sparse.indptr[i + 1]);
    for (std::size_t e = begin; e < end; ++e) {
      float& at = row[static_cast<std::size_t>(sparse.indices[e])];
      if (at != infinity || (e > begin && sparse.distances[e] < sparse.distances[e - 1])) return false;
      at = sparse.distances[e];
    }
    if (row != expected[i]) return false;
  }
  return true;
}

const auto all_edges = {graph_edges::directed, graph_edges::united, graph_edges::mutual, graph_edges::for_umap};

}  // namespace

TEST_CASE("a graph as a matrix has the edges that are asked for", "[knn_graph_matrix]") {
  for (const std::size_t n : {2u, 3u, 20u, 90u})
    for (const auto edges : all_edges)
      for (const bool include_self : {false, true}) {
        const auto data = clusters<float>(n, 4, 3, n);
        const auto graph =
            graphs::by<float>("euclidean").build(data, {.n_neighbors = 6, .include_self = include_self, .threads = 1});
        CAPTURE(n, static_cast<int>(edges), include_self);
        CHECK(same(graph_to_csr(graph, edges), edges_of(graph, edges)));
      }
}

TEST_CASE("no matrix holds padding", "[knn_graph_matrix]") {
  neighbors graph(3, 4);
  graph.ids(0, 0) = 1;
  graph.distances(0, 0) = 2;
  graph.ids(2, 0) = 1;
  graph.distances(2, 0) = 5;
  graph.ids(1, 0) = 0;
  graph.distances(1, 0) = 2;
  for (const auto edges : all_edges) CHECK(same(graph_to_csr(graph, edges), edges_of(graph, edges)));
  CHECK(graph_to_csr(graph, graph_edges::directed).indices == std::vector<std::int32_t>{1, 0, 1});
  CHECK(graph_to_csr(graph, graph_edges::united).indices == std::vector<std::int32_t>{1, 0, 2, 1});
  CHECK(graph_to_csr(graph, graph_edges::mutual).indices == std::vector<std::int32_t>{1, 0});
}

TEST_CASE("an edge with two distances takes the smaller, at both ends", "[knn_graph_matrix]") {
  neighbors graph(2, 1);
  graph.ids(0, 0) = 1;
  graph.distances(0, 0) = 2;
  graph.ids(1, 0) = 0;
  graph.distances(1, 0) = 3;
  for (const auto edges : {graph_edges::united, graph_edges::mutual})
    CHECK(graph_to_csr(graph, edges).distances == std::vector<float>{2, 2});
  CHECK(graph_to_csr(graph).distances == std::vector<float>{2, 3});
}

TEST_CASE("edges of distance 0 and of negative distance stay", "[knn_graph_matrix]") {
  const auto data = clusters<float>(60, 4, 3, 1);
  const auto graph = graphs::by<float>("inner_product").build(data, {.n_neighbors = 6});
  const auto zeros = graphs::by<float>("euclidean").build(matrix<float>(60, 4), {.n_neighbors = 6});
  for (const auto edges : all_edges) {
    CHECK(same(graph_to_csr(graph, edges), edges_of(graph, edges)));
    CHECK(same(graph_to_csr(zeros, edges), edges_of(zeros, edges)));
  }
}

TEST_CASE("a graph of no rows, of no columns or of padding alone is a matrix of nothing", "[knn_graph_matrix]") {
  CHECK(graph_to_csr(neighbors(2, 3), graph_edges::for_umap).indices == std::vector{0, 1});
  for (const auto edges : {graph_edges::directed, graph_edges::united, graph_edges::mutual}) {
    CHECK(graph_to_csr(neighbors(0, 3), edges).indptr == std::vector<std::int64_t>{0});
    CHECK(graph_to_csr(neighbors(2, 0), edges).indptr == std::vector<std::int64_t>{0, 0, 0});
    CHECK(graph_to_csr(neighbors(2, 3), edges).indptr == std::vector<std::int64_t>{0, 0, 0});
  }
}

TEST_CASE("a graph with an id that is no row is no matrix", "[knn_graph_matrix]") {
  neighbors graph(3, 2);
  graph.ids(1, 1) = 3;
  for (const auto edges : all_edges) CHECK_THROWS_AS(graph_to_csr(graph, edges), std::invalid_argument);
}

// ---- estimate_recall ------------------------------------------------------------------------------------------------

TEST_CASE("the recall of an exact graph is estimated at 1", "[estimate_recall]") {
  for (const std::size_t n : {2u, 5u, 400u}) {
    const auto data = clusters<float>(n, 6, 4, n);
    for (const auto& b : graphs::all<float>())
      for (const std::size_t n_samples : {1u, 15u, 100u, 1000u}) {
        CAPTURE(b.metric, n, n_samples);
        CHECK(b.estimate(b.naive(data, 10, 1), data, n_samples) == 1);
      }
  }
}

TEST_CASE("the recall of an exact graph of ties is estimated at 1", "[estimate_recall]") {
  const auto& b = graphs::by<std::uint8_t>("bit_hamming");
  const auto data = clusters<std::uint8_t>(400, 2, 4, 1);
  CHECK(b.estimate(b.naive(data, 10, 1), data, 400) == 1);
}

TEST_CASE("the recall of a random graph is estimated near 0, and of padding at 0", "[estimate_recall]") {
  const auto data = clusters<float>(1000, 6, 1, 2);
  const auto& b = graphs::by<float>("euclidean");
  neighbors graph(1000, 10);
  CHECK(b.estimate(graph, data, 1000) == 0);
  const counter_random random(3);
  for (std::size_t i = 0; i < 1000; ++i)
    for (std::size_t j = 0; j < 10; ++j) {
      const auto id = static_cast<id_type>((i + 1 + random.below(10 * i + j, 999)) % 1000);
      graph.ids(i, j) = id;
      graph.distances(i, j) = euclidean{}(data.row(i).data(), data.row(id).data(), 6);
    }
  CHECK(b.estimate(graph, data, 1000) < 0.05);
}

TEST_CASE("the recall of half a graph is estimated at a half", "[estimate_recall]") {
  const auto data = clusters<float>(500, 6, 4, 4);
  const auto& b = graphs::by<float>("euclidean");
  auto graph = b.naive(data, 10, 1);
  for (std::size_t i = 0; i < 500; ++i)
    for (std::size_t j = 5; j < 10; ++j) {
      graph.ids(i, j) = no_id;
      graph.distances(i, j) = infinity;
    }
  CHECK(b.estimate(graph, data, 500) == Approx(0.5));
  CHECK(b.estimate(graph, data, 40) == Approx(0.5));
}

TEST_CASE("recall is estimated as it is", "[estimate_recall]") {
  const auto data = clusters<float>(1500, 30, 4, 5);
  const auto& b = graphs::by<float>("euclidean");
  const auto graph = b.build(data, {.n_neighbors = 10, .n_iters = 1});
  const double truth = graphs::recall_of(graph, b, data, 1);
  CHECK(b.estimate(graph, data, 1500) == Approx(truth).margin(1e-3));
  CHECK(std::abs(b.estimate(graph, data, 300) - truth) < 0.05);
}

TEST_CASE("a graph that asks for nothing has recall 1", "[estimate_recall]") {
  const auto& b = graphs::by<float>("euclidean");
  CHECK(b.estimate(neighbors(0, 5), matrix<float>(0, 3), 10) == 1);
  CHECK(b.estimate(neighbors(1, 5), matrix<float>(1, 3), 10) == 1);
  CHECK(b.estimate(neighbors(4, 0), matrix<float>(4, 3), 10) == 1);
}

TEST_CASE("recall is not estimated of a graph of other rows, nor from no samples", "[estimate_recall]") {
  const auto& b = graphs::by<float>("euclidean");
  const auto message = message_of([&] { b.estimate(neighbors(5, 2), matrix<float>(6, 3), 10); });
  CHECK_THAT(message, ContainsSubstring("graph rows = 5") && ContainsSubstring("6"));
  CHECK_THAT(message_of([&] { b.estimate(neighbors(6, 2), matrix<float>(6, 3), 0); }),
             ContainsSubstring("n_samples = 0"));
}

// Of umap-learn 0.5.12: nearest_neighbors(rows, 8, "euclidean", {}, False, RandomState(0)).
TEST_CASE("a graph for UMAP is what umap-learn finds itself", "[knn_graph_matrix]") {
  const std::filesystem::path folder = ANNULUS_TEST_DATA_DIR "/umap";
  const auto rows = read_npy<float>(folder / "rows.npy");
  const auto indices = read_npy<std::int32_t>(folder / "indices.npy");
  const auto distances = read_npy<float>(folder / "distances.npy");
  const auto check = [&](const neighbors& graph) {
    const umap_graph found = for_umap(graph, 8);
    CHECK(found.indices == indices);
    REQUIRE(found.distances.cols() == 8);
    for (std::size_t i = 0; i < rows.rows(); ++i)
      for (std::size_t j = 0; j < 8; ++j) REQUIRE(found.distances(i, j) == Approx(distances(i, j)).margin(1e-6));
  };
  const auto& euclidean = graphs::by<float>("euclidean");
  check(euclidean.build(rows, {.n_neighbors = 7, .threads = 1}));
  check(euclidean.build(rows, {.n_neighbors = 10, .include_self = true, .threads = 1}));
  check(knn(rows, rows, 8));
}

TEST_CASE("a graph for UMAP lists each row first, once, and ends in padding", "[knn_graph_matrix]") {
  neighbors graph(4, 3);  // with a copy before the row itself, as a search of equal rows gives
  const auto put = [&](std::size_t i, std::initializer_list<id_type> ids) {
    for (std::size_t j = 0; const id_type id : ids) {
      graph.ids(i, j) = id;
      graph.distances(i, j) = static_cast<float>(j);
      ++j;
    }
  };
  put(0, {1, 0, 2});
  put(1, {0, 2, 3});
  put(2, {2});
  const umap_graph found = for_umap(graph);
  const std::int32_t expected[4][3] = {{0, 1, 2}, {1, 0, 2}, {2, -1, -1}, {3, -1, -1}};
  for (std::size_t i = 0; i < 4; ++i) CHECK(std::ranges::equal(found.indices.row(i), expected[i]));
  CHECK(std::ranges::equal(found.distances.row(0), std::array{0.0f, 0.0f, 2.0f}));
  CHECK(std::ranges::equal(found.distances.row(2), std::array{0.0f, infinity, infinity}));
  CHECK(for_umap(graph, 1).indices.cols() == 1);
  CHECK(for_umap(neighbors(0, 5)).indices.rows() == 0);
  CHECK(for_umap(neighbors(2, 5)).indices.cols() == 6);
  CHECK_THROWS_WITH(for_umap(graph, 4),
                    "annulus: n_neighbors = 4: counts the row itself, and the graph has no more than 3");
  put(3, {4});
  CHECK_THROWS_WITH(for_umap(graph), "annulus: id = 4: row 3 must be below n = 4");
}
