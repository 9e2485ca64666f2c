#include <annulus/nndescent/rabitq.hpp>

#include "catch.hpp"
#include "message_of.hpp"
#include "nndescent/indexes.hpp"

using namespace annulus;
using graphs::infinity;
using graphs::not_a_number;
using indexes::clustered;
using indexes::count_of;
using indexes::holds_all;
using searches::same_bits;
using searches::well_formed;

namespace {

using float_rows = matrix<float>;

template <class Storage, class Metric = euclidean>
using index_over = nndescent_index<float_rows, Metric, Storage>;

/// The clusters that most tests index.
const indexes::split<float>& some_rows() {
  static const auto made = clustered<float>(500, 12, 20, 10);
  return made;
}

}  // namespace

// ---- Few rows -------------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("an index without rows returns padding", "[nndescent_index]", full_precision, half_precision, sq8,
                   rabitq<>) {
  const index_over<TestType> index(float_rows(0, 12));
  CHECK(index.size() == 0);
  CHECK(index.dim() == 12);
  CHECK(same_bits(index.search(some_rows().queries, 5), neighbors(20, 5)));
  CHECK(index.graph().ids.rows() == 0);
  CHECK(index.radius_search(some_rows().queries, infinity).indices.empty());
  CHECK(index.tune(0.9).params.beam == nndescent_search_params{}.beam);
}

TEMPLATE_TEST_CASE("rows that are no more than k are all found, and padding follows", "[nndescent_index]",
                   full_precision, half_precision, sq8, rabitq<>) {
  for (const std::size_t n : {1u, 2u, 3u, 7u, 30u, 31u, 33u, 60u})
    for (const std::size_t n_neighbors : {1u, 5u, 30u, 100u}) {
      const auto rows = indexes::rows_between(some_rows().rows, 0, n);
      const index_over<TestType> index(rows, {}, {.n_neighbors = n_neighbors});
      CAPTURE(n, n_neighbors);
      CHECK(index.size() == n);
      for (const std::size_t k : {n, n + 1, 2 * n + 7}) {
        const auto found = index.search(some_rows().queries, k);
        CHECK(well_formed(found));
        std::size_t incomplete = 0;
        for (std::size_t q = 0; q < 20; ++q) incomplete += !holds_all(found.ids.row(q), n);
        CHECK(incomplete == 0);
        CHECK(indexes::wrong_distances(found, rows, some_rows().queries, euclidean{}) == 0);
      }
      CHECK(index.graph().ids.cols() == n_neighbors);
      CHECK(graphs::well_formed(index.graph()));
    }
}

TEMPLATE_TEST_CASE("k beyond all of many rows finds each of them", "[nndescent_index]", full_precision, sq8, rabitq<>) {
  const index_over<TestType> index(some_rows().rows);
  const auto found = index.search(some_rows().queries, 510);
  CHECK(well_formed(found));
  for (std::size_t i = 0; i < 20; ++i) CHECK(holds_all(found.ids.row(i), 500));
}

TEMPLATE_TEST_CASE("rows of one coordinate are searched", "[nndescent_index]", full_precision, half_precision, sq8,
                   rabitq<>) {
  const auto data = clustered<float>(1000, 1, 50, 10);
  const index_over<TestType> index(data.rows);
  const auto found = index.search(data.queries, 10);
  CHECK(well_formed(found));
  CHECK(indexes::wrong_distances(found, data.rows, data.queries, euclidean{}) == 0);
  CHECK(recall(found, knn(data.rows, data.queries, 10), 10) >= 0.9);
}

// ---- Rows that are alike --------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("rows that are all equal are found at distance 0", "[nndescent_index]", full_precision,
                   half_precision, sq8, rabitq<>) {
  const index_over<TestType> index(float_rows(700, 9, 1.5f), {}, {.n_neighbors = 10});
  const auto found = index.search(float_rows(3, 9, 1.5f), 20);
  CHECK(well_formed(found));
  CHECK(count_of(found.ids.row(1)) == 20);
  CHECK(std::ranges::all_of(found.distances.row(1), [](float x) { return x == 0; }));
  const auto far = index.search(float_rows(1, 9, 2.5f), 700);
  CHECK(holds_all(far.ids.row(0), 700));
}

TEMPLATE_TEST_CASE("rows that are all zero are found at distance 0", "[nndescent_index]", full_precision,
                   half_precision, sq8, rabitq<>) {
  const index_over<TestType> index(float_rows(300, 9));
  const auto found = index.search(float_rows(1, 9), 300);
  CHECK(holds_all(found.ids.row(0), 300));
  CHECK(found.distances(0, 299) == 0);
}

TEMPLATE_TEST_CASE("thousands of duplicates do not hide the other rows", "[nndescent_index]", full_precision, sq8,
                   rabitq<>) {
  auto data = clustered<float>(3500, 10, 100, 10);
  for (std::size_t i = 0; i < 3500; ++i)
    if (i % 7 != 0) std::ranges::copy(data.rows.row(7), data.rows.row(i).begin());
  const index_over<TestType> index(data.rows, {}, {.n_neighbors = 15});
  const auto truth = knn(data.rows, data.queries, 10);
  for (const std::size_t beam : {0u, 100u}) {
    const auto found = index.search(data.queries, 10, {.beam = beam});
    CAPTURE(beam);
    CHECK(well_formed(found));
    CHECK(recall(found, truth, 10) >= 0.85);  // the lists of rows around them hold nothing else
  }
  float_rows own(500, 10);
  for (std::size_t i = 0; i < 500; ++i) std::ranges::copy(data.rows.row(7 * i), own.row(i).begin());
  const auto selves = index.search(own, 1, {.beam = 100});
  CHECK(std::ranges::count(std::span(selves.distances.data(), 500), 0.0f) >= 420);
}

TEMPLATE_TEST_CASE("the nearest row alone is found by default as the nearest of several are", "[nndescent_index]",
                   full_precision, sq8, rabitq<>) {
  const auto data = clustered<float>(2000, 16, 200, 20);
  const index_over<TestType> index(data.rows);
  const auto truth = knn(data.rows, data.queries, 1);
  const double of_several = recall(index.search(data.queries, 10), truth, 1);
  CHECK(of_several >= 0.95);
  CHECK(recall(index.search(data.queries, 1), truth, 1) >= of_several - 0.03);
}

TEMPLATE_TEST_CASE("zero vectors come first for a zero query by cosine", "[nndescent_index]", full_precision,
                   half_precision, sq8, rabitq<>) {
  auto data = some_rows();
  for (const std::size_t i : {4u, 100u, 101u, 499u}) std::ranges::fill(data.rows.row(i), 0.0f);
  const index_over<TestType, cosine> index(data.rows);
  const auto found = index.search(float_rows(1, 12), 10);
  CHECK(well_formed(found));
  CHECK(std::ranges::equal(found.ids.row(0).first(4), std::vector<id_type>{4, 100, 101, 499}));
  CHECK(found.distances(0, 3) == 0);
  CHECK(found.distances(0, 4) == 1);
  const auto others = index.search(data.queries, 500);
  CHECK(well_formed(others));
  CHECK(indexes::wrong_distances(others, data.rows, data.queries, cosine{}) == 0);
}

TEMPLATE_TEST_CASE("a zero vector inserted comes first for a zero query by cosine", "[nndescent_index]", full_precision,
                   half_precision, sq8, rabitq<>) {
  index_over<TestType, cosine> index(some_rows().rows);
  const id_type id = index.insert(float_rows(1, 12));
  const auto found = index.search(float_rows(1, 12), 3);
  CHECK(found.ids(0, 0) == id);
  CHECK(found.distances(0, 0) == 0);
  CHECK(found.distances(0, 1) == 1);
}

// ---- Rows that are far apart ----------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("two clusters far apart are both reached", "[nndescent_index]", full_precision, half_precision, sq8,
                   rabitq<>) {
  auto data = clustered<float>(1000, 8, 40, 1);
  for (std::size_t i = 0; i < 1000; i += 2)
    for (float& x : data.rows.row(i)) x += 1000;
  for (std::size_t i = 0; i < 40; i += 2)
    for (float& x : data.queries.row(i)) x += 1000;
  const index_over<TestType> index(data.rows, {}, {.n_neighbors = 10});
  const auto found = index.search(data.queries, 10);
  std::size_t strangers = 0;
  for (std::size_t i = 0; i < 40; ++i)
    for (const id_type id : found.ids.row(i)) strangers += id % 2 != i % 2;
  CHECK(strangers == 0);
  const auto most = index.search(data.queries, 800);
  CHECK(well_formed(most));
  for (std::size_t i = 0; i < 40; ++i) {
    CHECK(count_of(most.ids.row(i)) == 800);
    CHECK(most.distances(i, 499) < 100);
    CHECK(most.distances(i, 500) > 1000);
  }
}

TEST_CASE("outliers in every direction are found", "[nndescent_index]") {
  auto rows = some_rows().rows;
  for (std::size_t j = 0; j < 12; ++j) rows(10 * j, j) += 1e4f * static_cast<float>(j + 1);
  const nndescent_index index(rows);
  for (std::size_t j = 0; j < 12; ++j) {
    const auto found = index.search(rows.row(10 * j), 1);
    CAPTURE(j);
    CHECK(found.ids(0, 0) == 10 * j);
  }
}

TEST_CASE("coordinates too large for half precision are refused by the number of the row", "[nndescent_index]") {
  auto rows = some_rows().rows;
  rows(7, 3) = 65504;
  nndescent_index index(rows, euclidean{}, {}, half_precision{});
  rows(17, 3) = -1e5f;
  CHECK_THAT(message_of([&] { nndescent_index(rows, euclidean{}, {}, half_precision{}); }),
             ContainsSubstring("row 17 "));
  CHECK_THAT(message_of([&] { index.insert(rows); }), ContainsSubstring("row 17 "));
  CHECK_THROWS_AS(index.update(3, rows.row(17)), std::invalid_argument);
  CHECK(index.size() == 500);
}

TEMPLATE_TEST_CASE("a query far from all rows finds the nearest", "[nndescent_index]", full_precision, half_precision,
                   sq8, rabitq<>) {
  const index_over<TestType> index(some_rows().rows);
  auto queries = some_rows().queries;
  // As far as halves reach.
  for (float& x : std::span(queries.data(), 20 * 12)) x *= std::same_as<TestType, half_precision> ? 5e3f : 1e5f;
  const auto found = index.search(queries, 50);
  CHECK(well_formed(found));
  CHECK(count_of(found.ids.row(0)) == 50);
  CHECK(recall(found, knn(some_rows().rows, queries, 50), 50) >= 0.5);  // their distances differ by little
}

TEMPLATE_TEST_CASE("large coordinates are searched", "[nndescent_index]", full_precision, sq8, rabitq<>) {
  auto data = some_rows();
  for (float& x : std::span(data.rows.data(), 500 * 12)) x *= 1e15f;
  for (float& x : std::span(data.queries.data(), 20 * 12)) x *= 1e15f;
  const index_over<TestType> index(data.rows);
  CHECK(recall(index.search(data.queries, 5), knn(data.rows, data.queries, 5), 5) >= 0.9);
}

TEST_CASE("rows of very different length are searched", "[nndescent_index]") {
  auto data = some_rows();
  for (std::size_t i = 0; i < 500; ++i)
    for (float& x : data.rows.row(i)) x *= std::pow(10.0f, static_cast<float>(i % 41) / 10 - 2);
  const nndescent_index index(data.rows);
  const auto found = index.search(data.rows, 5);
  CHECK(well_formed(found));
  CHECK(recall(found, knn(data.rows, data.rows, 5), 5) >= 0.95);
}

TEST_CASE("rows so long that their squares overflow are refused", "[nndescent_index]") {
  auto rows = some_rows().rows;
  nndescent_index index(rows);
  rows(17, 3) = 1e30f;
  CHECK_THAT(message_of([&] { nndescent_index{rows}; }), ContainsSubstring("overflow"));
  CHECK_THAT(message_of([&] { nndescent_index(rows, cosine{}); }), ContainsSubstring("overflow"));
  CHECK_THAT(message_of([&] { index.insert(rows); }), ContainsSubstring("overflow"));
  CHECK(index.size() == 500);
}

TEST_CASE("queries so long that their squares overflow are refused, but for inner products", "[nndescent_index]") {
  auto queries = some_rows().queries;
  for (float& x : std::span(queries.data(), 20 * 12)) x *= 1e30f;
  const nndescent_index plain(some_rows().rows);
  const nndescent_index coded(some_rows().rows, cosine{}, {}, sq8{});
  const nndescent_index products(some_rows().rows, inner_product{});
  CHECK_THAT(message_of([&] { plain.search(queries, 5); }), ContainsSubstring("overflow"));
  CHECK_THAT(message_of([&] { coded.search(queries, 5); }), ContainsSubstring("overflow"));
  CHECK(well_formed(products.search(queries, 5)));
}

TEST_CASE("rows so short that their squares underflow are refused", "[nndescent_index]") {
  auto rows = some_rows().rows;
  rows(17, 3) += 1;
  for (float& x : std::span(rows.data(), rows.rows() * rows.cols())) x *= 1e-30f;
  CHECK_THAT(message_of([&] { nndescent_index{rows}; }), ContainsSubstring("scale the rows up"));
  CHECK_THAT(message_of([&] { nndescent_index(rows, cosine{}); }), ContainsSubstring("scale the rows up"));
  auto mixed = some_rows().rows;
  for (float& x : mixed.row(17)) x *= 1e-30f;
  CHECK_THAT(message_of([&] { nndescent_index(mixed, cosine{}); }), ContainsSubstring("row 17"));
  CHECK(nndescent_index(mixed).size() == 500);  // as far from the others as zero is
}

// ---- Rows and queries that are not finite ---------------------------------------------------------------------------

TEST_CASE("rows that are not finite are refused by the number of the row", "[nndescent_index]") {
  for (const float bad : {not_a_number, infinity, -infinity})
    for (const std::size_t row : {0u, 17u, 499u}) {
      auto rows = some_rows().rows;
      rows(row, 11) = bad;
      CAPTURE(bad, row);
      CHECK_THAT(message_of([&] { nndescent_index{rows}; }),
                 ContainsSubstring("row " + std::to_string(row) + ", coordinate 11"));
      CHECK_THAT(message_of([&] { nndescent_index(rows, euclidean{}, {}, sq8{scalar_scales::per_dimension}); }),
                 ContainsSubstring("row " + std::to_string(row) + ", coordinate 11"));
    }
}

TEMPLATE_TEST_CASE("a query that is not finite gets nothing, and the others are not affected", "[nndescent_index]",
                   full_precision, half_precision, sq8, rabitq<>) {
  const index_over<TestType> index(some_rows().rows);
  for (const float bad : {not_a_number, infinity, -infinity}) {
    auto queries = some_rows().queries;
    queries(3, 0) = bad;
    auto expected = index.search(some_rows().queries, 10);
    std::ranges::fill(expected.ids.row(3), no_id);
    std::ranges::fill(expected.distances.row(3), infinity);
    CHECK(same_bits(index.search(queries, 10), expected));
    const auto balls = index.radius_search(queries, 1e6f);
    CHECK(balls.indptr[4] == balls.indptr[3]);
    CHECK(balls.indptr[20] == 19 * 500);
  }
}

TEST_CASE("a query that is not finite gets nothing from a scratch", "[nndescent_index]") {
  const nndescent_index index(some_rows().rows);
  auto scratch = index.make_scratch();
  std::vector<id_type> ids(4, 1);
  std::vector<float> distances(4, 2);
  index.search(std::vector<float>(12, not_a_number), ids, distances, scratch);
  CHECK(ids == std::vector<id_type>(4, no_id));
  CHECK(distances == std::vector<float>(4, infinity));
}
