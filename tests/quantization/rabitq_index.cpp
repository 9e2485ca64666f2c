#include <annulus/quantization/rabitq_index.hpp>

#include <annulus/core/result/recall.hpp>
#include <annulus/knn/knn.hpp>

#include "catch.hpp"
#include "random_data.hpp"

namespace rabitq_index_tests {

using namespace annulus;

namespace {

/// Rows around centres, each with directions of its own scale: leading dimensions matter more.
matrix<float> clustered_rows(std::size_t n, std::size_t d, std::uint64_t seed, float offset = 0) {
  const auto centres = normal_rows(20, d, 1000), noise = normal_rows(n, d, seed);
  matrix<float> rows(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j)
      rows(i, j) = (centres(counter_random(seed, 5).bits(i) % 20, j) + 0.7f * noise(i, j)) /
                       std::sqrt(1 + 0.1f * static_cast<float>(j)) +
                   offset;
  return rows;
}

neighbors exact(const matrix<float>& rows, const matrix<float>& queries, std::size_t k, pq_metric metric) {
  switch (metric) {
    case pq_metric::inner_product:
      return knn(rows, queries, k, annulus::inner_product{});
    case pq_metric::cosine:
      return knn(rows, queries, k, cosine{});
    default:
      return knn(rows, queries, k, sqeuclidean{});
  }
}

constexpr pq_metric all_metrics[] = {pq_metric::sqeuclidean, pq_metric::inner_product, pq_metric::cosine};

}  // namespace

TEST_CASE("few candidates by the codes hold the nearest rows, under each metric", "[rabitq_index]") {
  const auto rows = clustered_rows(6000, 100, 1), queries = clustered_rows(60, 100, 2);
  for (const pq_metric metric : all_metrics) {
    const rabitq_index index(rows, {.metric = metric});
    const auto truth = exact(rows, queries, 10, metric);
    CAPTURE(static_cast<int>(metric), index.code_dims(), index.n_cells());
    CHECK(index.code_dims() < 100);
    CHECK(recall(index.search(queries, 10, rows, {.k_factor = 30}), truth, 10) > 0.97);
    CHECK(recall(index.search(queries, 10, rows, {.k_factor = 10}), truth, 10) > 0.85);
  }
}

TEST_CASE("with all dimensions in the codes, estimates rank nearly as distances do", "[rabitq_index]") {
  for (const std::size_t d : {120u, 128u}) {
    const auto rows = clustered_rows(4000, d, 3), queries = clustered_rows(60, d, 4);
    const rabitq_index index(rows, {.code_dims = d, .n_cells = 30});
    const auto truth = exact(rows, queries, 10, pq_metric::sqeuclidean);
    CHECK(recall(index.search(queries, 10, rows, {.k_factor = 8}), truth, 10) > 0.97);
  }
}

TEST_CASE("with more bits fewer candidates hold the nearest rows", "[rabitq_index]") {
  const auto rows = clustered_rows(4000, 100, 3), queries = clustered_rows(60, 100, 4);
  for (const pq_metric metric : all_metrics) {
    const auto truth = exact(rows, queries, 10, metric);
    double last = 0;
    for (const unsigned bits : {1u, 2u, 4u, 8u}) {
      const rabitq_index index(rows, {.metric = metric, .bits = bits, .code_dims = 100, .n_cells = 7});
      const double reached = recall(index.search(queries, 10, rows, {.k_factor = 2}), truth, 10);
      CAPTURE(static_cast<int>(metric), bits, last);
      CHECK(index.bits() == bits);
      CHECK(reached >= last - 0.005);
      if (bits >= 4) CHECK(reached > 0.98);
      last = reached;
    }
  }
}

TEST_CASE("rows that the triangle inequality rules out are not among the nearest", "[rabitq_index]") {
  const auto rows = clustered_rows(5000, 8, 5), queries = clustered_rows(200, 8, 6);
  for (const pq_metric metric : all_metrics) {
    const rabitq_index index(rows, {.metric = metric, .n_cells = 60});
    CHECK(recall(index.search(queries, 5, rows, {.k_factor = 200}), exact(rows, queries, 5, metric), 5) == 1);
  }
}

TEST_CASE("as many candidates as rows give the exact result", "[rabitq_index]") {
  for (const std::size_t d : {1u, 2u, 3u, 49u, 60u})
    for (const std::size_t n : {1u, 2u, 31u, 33u, 200u}) {
      const auto rows = normal_rows(n, d, n + d), queries = normal_rows(5, d, 3);
      for (const pq_metric metric : all_metrics) {
        const rabitq_index index(rows, {.metric = metric});
        const auto found = index.search(queries, 7, rows, {.k_factor = 200});
        CAPTURE(d, n, static_cast<int>(metric));
        CHECK(recall(found, exact(rows, queries, 7, metric), std::min<std::size_t>(7, n)) == 1);
        CHECK((n >= 7 || found.ids(0, n) == no_id));
      }
    }
}

TEST_CASE("answers are the same for every number of threads, in every batch, and from a copy", "[rabitq_index]") {
  const auto rows = clustered_rows(3000, 70, 7), queries = clustered_rows(45, 70, 8);
  const rabitq_index index(rows, {.n_cells = 20, .threads = 1}), other(rows, {.n_cells = 20, .threads = 3});
  const auto expected = index.search(queries, 10, rows, {.k_factor = 3, .threads = 1});
  CHECK(other.search(queries, 10, rows, {.k_factor = 3, .threads = 3}) == expected);
  CHECK(rabitq_index(index).search(queries, 10, rows, {.k_factor = 3, .threads = 2}) == expected);
  for (std::size_t i = 0; i < queries.rows(); ++i) {
    const auto alone = index.search(queries.row(i), 10, rows, {.k_factor = 3});
    CHECK(std::ranges::equal(alone.ids.row(0), expected.ids.row(i)));
    CHECK(std::ranges::equal(alone.distances.row(0), expected.distances.row(i)));
  }
}

TEST_CASE("the seed chooses the codes", "[rabitq_index]") {
  const auto rows = clustered_rows(3000, 70, 7), queries = clustered_rows(45, 70, 8);
  const rabitq_index one(rows, {.seed = 1}), two(rows, {.seed = 2});
  const rabitq_search_params few{.k_factor = 1};
  CHECK(!(one.search(queries, 10, rows, few) == two.search(queries, 10, rows, few)));
}

TEST_CASE("a filter lets its rows pass alone", "[rabitq_index]") {
  const auto rows = clustered_rows(3000, 20, 9), queries = clustered_rows(20, 20, 10);
  const rabitq_index index(rows);
  const auto even = [](id_type i) { return i % 2 == 0; };
  const auto found = index.search(queries, 10, rows, {.k_factor = 40, .filter = even});
  const auto truth = knn(rows, queries, 10, sqeuclidean{}, {.filter = even});
  CHECK(std::ranges::all_of(std::span(found.ids.data(), 200), even));
  CHECK(recall(found, truth, 10) > 0.99);
  const auto none = index.search(queries, 10, rows, {.filter = [](id_type) { return false; }});
  CHECK(none.ids(0, 0) == no_id);
  const auto few = index.search(queries, 10, rows, {.filter = id_filter::of(std::vector<id_type>{5, 2999})});
  CHECK(few.ids(0, 1) != no_id);
  CHECK(few.ids(0, 2) == no_id);
}

TEST_CASE("equal rows, rows far from the origin, and long or short ones are found", "[rabitq_index]") {
  const auto queries = clustered_rows(20, 60, 12);
  for (const float offset : {0.0f, 100.0f}) {
    const auto rows = clustered_rows(3000, 60, 11, offset), near = clustered_rows(20, 60, 12, offset);
    const rabitq_index index(rows);
    const auto truth = exact(rows, near, 10, pq_metric::sqeuclidean);
    CHECK(recall(index.search(near, 10, rows, {.k_factor = 30}), truth, 10) > 0.97);
  }
  for (const float scale : {1e-12f, 1e12f}) {
    auto rows = clustered_rows(3000, 60, 11), scaled_queries = queries;
    for (std::size_t i = 0; i < rows.rows() * 60; ++i) rows.data()[i] *= scale;
    for (std::size_t i = 0; i < queries.rows() * 60; ++i) scaled_queries.data()[i] *= scale;
    const auto truth = exact(rows, scaled_queries, 10, pq_metric::sqeuclidean);
    CHECK(recall(rabitq_index(rows).search(scaled_queries, 10, rows, {.k_factor = 30}), truth, 10) > 0.97);
  }
  const matrix<float> equal(2000, 60);
  const auto found = rabitq_index(equal).search(queries, 3, equal);
  CHECK(found.ids(0, 2) != no_id);
  CHECK(found.distances(0, 0) == Approx(found.distances(0, 2)));
}

TEST_CASE("a query with a NaN has no neighbours, and the others theirs; one with overflowing squares has them too",
          "[rabitq_index]") {
  const auto rows = clustered_rows(2000, 60, 13);
  auto queries = clustered_rows(3, 60, 14);
  const rabitq_index index(rows, {.metric = pq_metric::inner_product});
  const auto expected = index.search(queries, 5, rows), nearest = exact(rows, queries, 1, pq_metric::inner_product);
  queries(1, 7) = std::numeric_limits<float>::quiet_NaN();
  for (float& x : queries.row(2)) x *= 1e30f;
  const auto found = index.search(queries, 5, rows);
  CHECK(std::ranges::equal(found.ids.row(0), expected.ids.row(0)));
  CHECK(found.ids(1, 0) == no_id);
  CHECK(found.ids(2, 0) == nearest.ids(2, 0));
}

TEST_CASE("wrong arguments are refused by name", "[rabitq_index]") {
  auto rows = clustered_rows(100, 10, 15);
  const rabitq_index index(rows);
  CHECK_THROWS_WITH(index.search(rows, 0, rows), ContainsSubstring("k = 0"));
  CHECK_THROWS_WITH(index.search(rows, 1, rows, {.k_factor = 0}), ContainsSubstring("k_factor = 0"));
  CHECK_THROWS_WITH(index.search(normal_rows(1, 9, 1), 1, rows), ContainsSubstring("dimension = 9"));
  CHECK_THROWS_WITH(index.search(rows, 1, normal_rows(99, 10, 1)), ContainsSubstring("rows = 99"));
  CHECK_THROWS_WITH(index.search(rows, 1, normal_rows(100, 9, 1)), ContainsSubstring("rows' dimension = 9"));
  CHECK_THROWS_WITH(rabitq_index(rows, {.code_dims = 11}), ContainsSubstring("code_dims = 11"));
  for (const unsigned bits : {0u, 9u})
    CHECK_THROWS_WITH(rabitq_index(rows, {.bits = bits}), ContainsSubstring("bits = " + std::to_string(bits)));
  CHECK_THROWS_WITH(rabitq_index(matrix<float>(3, 0)), ContainsSubstring("dimension = 0"));
  rows(4, 2) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(rabitq_index(rows), ContainsSubstring("row 4"));
  CHECK(rabitq_index(matrix<float>(0, 5)).search(normal_rows(2, 5, 1), 3, matrix<float>(0, 5)).ids(1, 0) == no_id);
}

}  // namespace rabitq_index_tests
