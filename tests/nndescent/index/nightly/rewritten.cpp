#include <annulus/core/metric/set_metrics.hpp>
#include <annulus/knn/flat_index.hpp>
#include <annulus/metrics/angular.hpp>

#include "catch.hpp"
#include "message_of.hpp"
#include "nndescent/indexes.hpp"

namespace {

using annulus::correlation;
using annulus::id_type;
using annulus::jaccard;
using annulus::matrix;
using annulus::nndescent_index;
using annulus::no_id;

/// The logarithms of rows, which must be positive, under the city-block distance.
struct log_ratio : annulus::detail::embedding<log_ratio> {
  template <annulus::row_scalar T>
  using embedded = float;
  static std::size_t embedded_dim(std::size_t d) { return d + 1; }
  template <annulus::row_scalar T>
  static void embed(const T* row, std::size_t d, float* out) {
    for (std::size_t i = 0; i < d; ++i) out[i] = std::log(static_cast<float>(row[i]));
    out[d] = 3;
  }
  static annulus::manhattan base(std::size_t) { return {}; }
  static void check_dimension(std::size_t d) {
    if (d == 5) annulus::detail::invalid("dimension", d, "must not be 5");
  }
  template <class T>
  static const char* refuses(const T* row, std::size_t d) {
    return std::all_of(row, row + d, [](T x) { return x > 0; }) ? nullptr : "must be positive";
  }
};

matrix<float> positive(matrix<float> m) {
  for (std::size_t i = 0; i < m.rows() * m.cols(); ++i) m.data()[i] = std::exp(m.data()[i] / 2);
  return m;
}

}  // namespace

TEMPLATE_TEST_CASE("an index of rewritten rows finds what the metric says of the rows given", "[nndescent_index]",
                   annulus::full_precision, annulus::sq8) {
  const auto [rows, queries] = indexes::clustered<float>(1500, 16);
  const nndescent_index index(rows, correlation{}, {.n_neighbors = 20, .threads = 2}, TestType{});
  const auto found = index.search(queries, 10, {.beam = 60});
  CHECK(indexes::wrong_distances(found, rows, queries, correlation{}) == 0);
  CHECK(annulus::recall(found, annulus::knn(rows, queries, 10, correlation{}), 10) > 0.95);
}

TEST_CASE("rows rewritten to bits are searched", "[nndescent_index]") {
  auto [rows, queries] = indexes::clustered<float>(800, 70);
  for (auto* m : {&rows, &queries})
    for (std::size_t i = 0; i < m->rows() * m->cols(); ++i) m->data()[i] = std::max(0.0f, m->data()[i]);
  const nndescent_index index(rows, jaccard{}, {.n_neighbors = 20, .threads = 2});
  const auto found = index.search(queries, 10, {.beam = 80});
  CHECK(indexes::wrong_distances(found, rows, queries, jaccard{}) == 0);
  CHECK(annulus::recall(found, annulus::knn(rows, queries, 10, jaccard{}), 10) > 0.95);
}

TEST_CASE("rows of another length and offset are searched when rewritten", "[nndescent_index][knn_graph]") {
  const auto data = indexes::clustered<float>(700, 8);
  const auto rows = positive(data.rows), queries = positive(data.queries);
  const log_ratio metric;
  nndescent_index index(indexes::rows_between(rows, 0, 500), metric, {.n_neighbors = 15, .threads = 2});
  CHECK(index.insert(indexes::rows_between(rows, 500, 700)) == 500);
  const auto truth = annulus::knn(rows, queries, 5, metric);
  CHECK(indexes::wrong_distances(truth, rows, queries, metric) == 0);
  const auto found = index.search(queries, 5, {.beam = 50});
  CHECK(indexes::wrong_distances(found, rows, queries, metric) == 0);
  CHECK(annulus::recall(found, truth, 5) > 0.95);
  index.update(3, queries.row(0));
  CHECK(index.search(queries.row(0), 1).ids(0, 0) == 3);
  CHECK(index.dim() == 8);
  CHECK_FALSE(index.radius_search(queries, truth.distances(0, 0) * 1.01f).indices.empty());
  CHECK(index.tune(0.9, {.n_queries = 50}).params.beam >= 10);

  const auto graph = annulus::build_knn_graph(rows, metric, {.n_neighbors = 10});
  CHECK(indexes::wrong_distances(graph, rows, rows, metric) == 0);
  CHECK(annulus::estimate_recall(graph, rows, metric) > 0.97);
}

TEST_CASE("a query of one rewritten row is that of the batch", "[nndescent_index]") {
  const auto [rows, queries] = indexes::clustered<float>(600, 9);
  const nndescent_index index(rows, correlation{});
  const auto all = index.search(queries, 7);
  auto scratch = index.make_scratch();
  std::vector<id_type> ids(7);
  std::vector<float> distances(7);
  for (std::size_t i = 0; i < queries.rows(); ++i) {
    index.search(queries.row(i), ids, distances, scratch);
    REQUIRE(std::ranges::equal(all.ids.row(i), ids));
    REQUIRE(std::ranges::equal(all.distances.row(i), distances));
  }
}

TEST_CASE("what a metric refuses is refused by the number of the row", "[nndescent_index][knn_graph]") {
  auto rows = positive(indexes::clustered<float>(100, 8).rows);
  nndescent_index index(rows, log_ratio{});
  const annulus::flat_index flat(rows, log_ratio{});
  auto bad = indexes::rows_between(rows, 0, 4);
  bad(2, 5) = -1;
  const auto refused = ContainsSubstring("row 2 must be positive");
  CHECK_THAT(message_of([&] { index.search(bad, 3); }), refused);
  CHECK_THAT(message_of([&] { index.radius_search(bad, 3); }), refused);
  CHECK_THAT(message_of([&] { index.insert(bad); }), refused);
  CHECK_THAT(message_of([&] { index.update(1, bad.row(2)); }), ContainsSubstring("must be positive"));
  CHECK_THAT(message_of([&] { nndescent_index(bad, log_ratio{}); }), refused);
  CHECK_THAT(message_of([&] { annulus::build_knn_graph(bad, log_ratio{}); }), refused);
  CHECK_THAT(message_of([&] { annulus::knn(bad, rows, 3, log_ratio{}); }), refused);
  CHECK_THAT(message_of([&] { annulus::knn(rows, bad, 3, log_ratio{}); }), refused);
  CHECK_THAT(message_of([&] { annulus::flat_index(bad, log_ratio{}); }), refused);
  CHECK_THAT(message_of([&] { flat.search(bad, 3); }), refused);
  CHECK(index.size() == 100);
  auto scratch = index.make_scratch();
  std::vector<id_type> ids(3);
  std::vector<float> distances(3);
  CHECK_THAT(message_of([&] { index.search(bad.row(2), ids, distances, scratch); }),
             ContainsSubstring("must be positive"));
  const auto short_rows = positive(indexes::clustered<float>(30, 5).rows);
  CHECK_THAT(message_of([&] { nndescent_index(short_rows, log_ratio{}); }), ContainsSubstring("dimension = 5"));
  CHECK_THAT(message_of([&] { annulus::knn(short_rows, short_rows, 3, log_ratio{}); }),
             ContainsSubstring("dimension = 5"));
}

TEST_CASE("a query that is not finite gets nothing from rewritten rows", "[nndescent_index]") {
  auto [rows, queries] = indexes::clustered<float>(300, 70);
  queries(1, 3) = graphs::not_a_number;
  queries(4, 0) = graphs::infinity;
  const nndescent_index index(rows, jaccard{});
  const annulus::flat_index flat(rows, jaccard{});
  for (const auto& found :
       {index.search(queries, 4), flat.search(queries, 4), annulus::knn(rows, queries, 4, jaccard{})})
    for (const std::size_t i : {0u, 1u, 2u, 4u}) {
      const bool is_lost = i == 1 || i == 4;
      CHECK((found.ids(i, 0) == no_id) == is_lost);
      CHECK((found.ids(i, 3) == no_id) == is_lost);
      CHECK((found.distances(i, 0) == graphs::infinity) == is_lost);
    }
}

TEST_CASE("a flat index of rewritten rows grows", "[flat_index]") {
  const auto [rows, queries] = indexes::clustered<float>(300, 12);
  annulus::flat_index<matrix<float>, correlation> grown(12);
  grown.insert(indexes::rows_between(rows, 0, 100));
  CHECK(grown.insert(indexes::rows_between(rows, 100, 300)) == 100);
  CHECK(searches::same_bits(grown.search(queries, 5), annulus::knn(rows, queries, 5, correlation{})));
  CHECK(grown.memory_bytes() == 2 * 300 * 12 * sizeof(float));
  CHECK(grown.data() == rows);
}
