// Numbers at the ends of their ranges, and metrics that have none for some rows.

#include <annulus/nndescent/half_precision.hpp>
#include <annulus/nndescent/index.hpp>

#include "catch.hpp"
#include "random_data.hpp"

using namespace annulus;

namespace {

}  // namespace

TEST_CASE("rows at no distance do not hide those that have one", "[nndescent_index]") {
  constexpr float mark = 7;
  const auto of_unmarked = [](const float* a, const float* b, std::size_t d) {
    if (a[0] == mark || b[0] == mark) return std::numeric_limits<float>::quiet_NaN();
    float sum = 0;
    for (std::size_t j = 0; j < d; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
  };
  for (const std::size_t n : {24u, 28u, 30u, 32u, 34u, 36u, 38u, 40u, 400u}) {
    auto rows = normal_rows<float>(n, 4, n);
    for (std::size_t i = 0; i < n; ++i)
      if (i % 4 != 0) rows(i, 0) = mark;
    const nndescent_index index(rows, of_unmarked);
    const auto queries = normal_rows<float>(50, 4, 2);
    for (const std::size_t beam : {0u, 5u, 64u}) {
      const neighbors found = index.search(queries, 5, {.beam = beam});
      for (std::size_t i = 0; i < queries.rows(); ++i)
        for (std::size_t j = 0; j < 5; ++j) {
          CHECK(found.ids(i, j) < n);
          CHECK(found.ids(i, j) % 4 == 0);
          CHECK(annulus::detail::is_finite(found.distances(i, j)));
        }
    }
  }
}

TEST_CASE("a radius around a query too short for its square holds the rows that a search finds", "[nndescent_index]") {
  const auto rows = normal_rows<float>(600, 8, 3);
  const nndescent_index index(rows, cosine{});
  matrix<float> queries(20, 8);
  for (std::size_t i = 0; i < queries.rows(); ++i)
    for (std::size_t j = 0; j < 8; ++j) queries(i, j) = 1e-25f * rows(i, j);
  const neighbors nearest = index.search(queries, 1);
  const csr within = index.radius_search(queries, 0.05f);
  for (std::size_t i = 0; i < queries.rows(); ++i) {
    CHECK(nearest.ids(i, 0) == i);
    const auto* const first = within.indices.data() + within.indptr[i];
    const auto* const last = within.indices.data() + within.indptr[i + 1];
    CHECK(std::find(first, last, static_cast<std::int32_t>(i)) != last);
  }
}

TEST_CASE("doubles of any size are linked and found, or refused by name", "[nndescent_index]") {
  const auto check = [](auto metric, std::initializer_list<double> held, std::initializer_list<double> refused) {
    for (const double scale : held) {
      const auto rows = normal_rows<double>(1500, 6, 4, scale);
      const auto queries = normal_rows<double>(100, 6, 5, scale);
      nndescent_index index(matrix_view<double>(rows).middle_rows(0, 300), metric);
      index.insert(matrix_view<double>(rows).middle_rows(300, 1200));
      for (id_type id = 0; id < 200; ++id) index.erase(id);
      index.consolidate();
      const nndescent_search_params params{.filter = [](id_type id) { return id >= 200; }};
      CAPTURE(scale, metric.name);
      CHECK(recall(index.search(queries, 10, {.beam = 64}), knn(rows, queries, 10, metric, {.filter = params.filter}),
                   10) >= 0.99);
    }
    for (const double scale : refused) {
      CAPTURE(scale, metric.name);
      CHECK_THROWS_WITH(nndescent_index(normal_rows<double>(50, 6, 4, scale), metric), ContainsSubstring("float32"));
      nndescent_index index(normal_rows<double>(50, 6, 4), metric);
      CHECK_THROWS_WITH(index.insert(normal_rows<double>(50, 6, 4, scale)), ContainsSubstring("float32"));
      CHECK(index.size() == 50);
    }
  };
  check(euclidean{}, {1e-31, 1e-25, 1e-19, 1, 1e19, 1e25, 1e37}, {1e-36, 1e39, 1e100});
  check(inner_product{}, {1e-15, 1, 1e17}, {1e-19, 1e-25, 1e-36, 1e19, 1e25, 1e36});
}

TEST_CASE("queries that no half precision holds are refused, by name", "[nndescent_index]") {
  const auto rows = normal_rows<float>(300, 8, 6);
  const nndescent_index index(rows, inner_product{}, {}, half_precision{});
  auto queries = normal_rows<float>(20, 8, 7);
  queries(9, 3) = 65520;
  CHECK_THROWS_WITH(index.search(queries, 5), ContainsSubstring("queries = 65520") && ContainsSubstring("row 9 "));
  CHECK_THROWS_AS(index.radius_search(queries, 1), std::invalid_argument);
  auto scratch = index.make_scratch();
  std::array<id_type, 5> ids;
  std::array<float, 5> distances;
  CHECK_THROWS_AS(index.search(queries.row(9), ids, distances, scratch), std::invalid_argument);
  queries(9, 3) = 65504;
  queries(10, 0) = std::numeric_limits<float>::infinity();  // finds nothing, as ever
  const auto found = index.search(queries, 5), truth = knn(rows, queries, 5, inner_product{});
  CHECK(found.ids(10, 0) == no_id);
  CHECK(recall(found, truth, 5) >= 0.99);
}

TEST_CASE("tuning takes samples of more rows than there are", "[nndescent_index]") {
  nndescent_index index(normal_rows<float>(300, 4, 6));
  for (id_type id = 0; id < 290; ++id) index.erase(id);
  for (const std::size_t sample : {std::size_t{1}, std::size_t{1} << 30, std::size_t{1} << 62, ~std::size_t{0}}) {
    const tuned_search tuned = index.tune(0.9, {.n_queries = sample, .k = 3});
    CHECK(tuned.reached);
    CHECK(tuned.recall >= 0.9);
  }
}
