#include <annulus/nndescent/half_precision.hpp>
#include <annulus/nndescent/rabitq.hpp>

#include "catch.hpp"
#include "message_of.hpp"
#include "nndescent/indexes.hpp"
#include "random_data.hpp"

using namespace annulus;
using indexes::clustered;
using indexes::rows_between;
using searches::well_formed;

// Recall by codes of edges beside that of the same rows without, all over the data that there may be.

namespace {

template <class T>
using rows_and_queries = indexes::split<T>;
constexpr std::size_t n = 1500, n_queries = 100;

template <class T>
rows_and_queries<T> normal(std::size_t d, double deviation = 1, std::size_t n_rows = n) {
  return {normal_rows<T>(n_rows + n_queries, d, d, deviation), n_queries};
}
template <class T>
void change(rows_and_queries<T>& data, auto f) {
  for (auto* m : {&data.rows, &data.queries})
    for (std::size_t i = 0; i < m->rows(); ++i)
      for (std::size_t j = 0; j < m->cols(); ++j) (*m)(i, j) = static_cast<T>(f((*m)(i, j), i, j));
}
/// Groups of ten rows that hardly differ.
rows_and_queries<float> near_duplicates(std::size_t d) {
  auto data = clustered<float>(n, d, n_queries);
  const auto places = data.rows;
  const counter_random random(5);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j)
      data.rows(i, j) = places(i / 10, j) + 1e-3f * static_cast<float>(random.normal(i * d + j));
  for (std::size_t i = 0; i < n_queries; ++i)
    for (std::size_t j = 0; j < d; ++j)
      data.queries(i, j) = places(2 * i, j) + 1e-3f * static_cast<float>(random.normal((n + i) * d + j));
  return data;
}

template <class T, class Metric, class Rows>
void check_parity(const rows_and_queries<T>& data, Metric metric, Rows rows, nndescent_params params = {},
                  double loss = 0.02) {
  const nndescent_index plain(data.rows, metric, params, rows);
  const nndescent_index coded(data.rows, metric, params, rabitq<Rows>{.rows = rows});
  const auto truth = knn(data.rows, data.queries, 10, metric);
  for (const std::size_t beam : {20u, 60u}) {
    const auto found = coded.search(data.queries, 10, {.beam = beam});
    const double expected = recall(plain.search(data.queries, 10, {.beam = beam}), truth, 10);
    CAPTURE(beam, expected);
    CHECK(well_formed(found));
    CHECK(indexes::wrong_distances(found, data.rows, data.queries, metric) == 0);
    CHECK(recall(found, truth, 10) >= expected - loss);
  }
}

template <class Metric, class Rows>
void check_data(Metric metric, Rows rows) {
  for (const std::size_t d : {1u, 2u, 5u, 32u}) {
    CAPTURE(d);
    check_parity(normal<float>(d), metric, rows);
    check_parity(clustered<float>(n, d, n_queries), metric, rows);
    check_parity(near_duplicates(d), metric, rows);
    auto unlike = normal<float>(d);
    change(unlike, [](float x, std::size_t, std::size_t j) { return x * std::pow(10.0f, float(j % 5) - 2); });
    check_parity(unlike, metric, rows);
  }
}

}  // namespace

TEMPLATE_TEST_CASE("codes of edges cost hardly any recall, whatever the data", "[nndescent_index][rabitq]", euclidean,
                   cosine) {
  check_data(TestType{}, full_precision{});
}

TEST_CASE("codes of edges of 8-bit rows cost hardly any recall, whatever the data", "[nndescent_index][rabitq]") {
  check_data(euclidean{}, sq8{});
}

TEST_CASE("codes of edges cost hardly any recall by inner products", "[nndescent_index][rabitq]") {
  const auto check = [](const rows_and_queries<float>& data) {  // so many that they are not compared with all
    nndescent_search_stats stats;
    const nndescent_index index(rows_between(data.rows, 0, 17000), inner_product{}, {.n_neighbors = 12}, rabitq<>{});
    static_cast<void>(index.search(data.queries, 10, {.beam = 20}, &stats));
    CHECK(stats.scans < 0.5);
    check_parity(data, inner_product{}, full_precision{}, {.n_neighbors = 12},
                 0.04);  // a little more than by distances
  };
  check(clustered<float>(17000, 24, n_queries, 100));
  auto apart = normal<float>(16, 1, 17000);
  change(apart, [](float x, std::size_t i, std::size_t) { return x * (1 + static_cast<float>(i % 7)); });
  check(apart);
}

TEST_CASE("codes of edges of bytes and of halves cost hardly any recall", "[nndescent_index][rabitq]") {
  check_parity(clustered<std::uint8_t>(n, 24, n_queries), euclidean{}, full_precision{});
  check_parity(clustered<std::uint8_t>(n, 24, n_queries), cosine{}, full_precision{});
  check_parity(clustered<std::uint8_t>(n, 24, n_queries), euclidean{}, sq8{});
  check_parity(clustered<float>(n, 24, n_queries), cosine{}, half_precision{});
}

TEST_CASE("codes of edges of rows far from the origin cost hardly any recall", "[nndescent_index][rabitq]") {
  for (const std::size_t d : {2u, 32u}) {
    auto far = clustered<float>(n, d, n_queries);
    change(far, [](float x, std::size_t, std::size_t) { return 1e4f + x; });
    CAPTURE(d);
    check_parity(far, euclidean{}, full_precision{});
    check_parity(far, euclidean{}, sq8{});
    check_parity(far, cosine{}, full_precision{});
  }
}

TEST_CASE("codes of edges in several groups cost hardly any recall", "[nndescent_index][rabitq]") {
  check_parity(clustered<float>(n, 24, n_queries), euclidean{}, full_precision{}, {.n_neighbors = 60});
  check_parity(normal<float>(24), euclidean{}, full_precision{}, {.pruning_degree_multiplier = 0.2});
}

TEST_CASE("zero rows among others have codes of edges by cosine", "[nndescent_index][rabitq]") {
  auto data = clustered<float>(n, 12, n_queries);
  for (std::size_t i = 0; i < n; i += 50) std::ranges::fill(data.rows.row(i), 0.0f);
  check_parity(data, cosine{}, full_precision{});
  check_parity(data, cosine{}, sq8{});
}

TEST_CASE("few rows with codes of edges are all found", "[nndescent_index][rabitq]") {
  const auto data = normal<float>(12);
  for (const std::size_t few : {0u, 1u, 2u, 20u, 600u}) {
    const auto rows = rows_between(data.rows, 0, few);
    const nndescent_index index(rows, euclidean{}, {}, rabitq<>{});
    CAPTURE(few);
    CHECK(index.size() == few);
    const auto found = index.search(data.queries, 10);
    CHECK(well_formed(found));
    CHECK(recall(found, knn(rows, data.queries, 10), 10) >= 0.97);
    const auto all = index.search(data.queries, few + 2);
    for (std::size_t i = 0; i < n_queries; ++i) REQUIRE(indexes::holds_all(all.ids.row(i), few));
  }
}

// ---- Beyond the range of floats -------------------------------------------------------------------------------------

TEST_CASE("rows of doubles beyond the range of codes are searched without them", "[nndescent_index][rabitq]") {
  auto data = clustered<double>(n, 12, n_queries);
  for (const double scale : {1e17, 1e19, 1e30, 1e36}) {
    auto large = data;
    change(large, [&](double x, std::size_t, std::size_t) { return x * scale; });
    CAPTURE(scale);
    check_parity(large, euclidean{}, full_precision{});
  }
  change(data, [](double x, std::size_t, std::size_t) { return x * 1e100; });
  check_parity(data, cosine{}, full_precision{});
  data.rows(3, 5) = 1e300;
  CHECK_THAT(message_of([&] { nndescent_index(data.rows, euclidean{}, {}, rabitq<>{}); }),
             ContainsSubstring("overflow"));
}

TEST_CASE("rows far beyond all others do not take the codes of these out of use", "[nndescent_index][rabitq]") {
  for (const double far : {1e10, 1e17, 1e30}) {
    auto data = clustered<double>(n, 12, n_queries);
    for (std::size_t i = 3; i < n; i += 500)
      for (double& x : data.rows.row(i)) x *= far;
    CAPTURE(far);
    check_parity(data, euclidean{}, full_precision{});
    const nndescent_index index(data.rows, euclidean{}, {}, rabitq<>{});
    for (std::size_t i = 3; i < n; i += 500) CHECK(index.search(data.rows.row(i), 1).ids(0, 0) == i);
  }
}

TEST_CASE("rows near 0 have codes of their edges", "[nndescent_index][rabitq]") {
  auto data = clustered<double>(n, 12, n_queries);
  for (const double scale : {1e-12, 1e-20, 1e-30}) {
    auto small = data;
    change(small, [&](double x, std::size_t, std::size_t) { return x * scale; });
    CAPTURE(scale);
    const nndescent_index plain(small.rows, euclidean{});
    const nndescent_index coded(small.rows, euclidean{}, {}, rabitq<>{});
    // The squares of the smallest are 0 as floats: by the ids of the same rows at another scale.
    const auto truth = knn(data.rows, data.queries, 10);
    const auto hits = [&](const auto& index) {
      const auto found = index.search(small.queries, 10, {.beam = 40});
      std::size_t count = 0;
      for (std::size_t i = 0; i < n_queries; ++i)
        for (const id_type id : found.ids.row(i)) count += std::ranges::count(truth.ids.row(i), id) > 0;
      return count;
    };
    CHECK(hits(coded) + 20 >= hits(plain));
  }
}

// ---- Changes --------------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("an index that grows from a row far from all others has codes of use", "[nndescent_index][rabitq]",
                   full_precision, sq8) {
  const auto data = clustered<float>(n, 24, n_queries);
  nndescent_index<matrix<float>, euclidean, rabitq<TestType>> index(matrix<float>(0, 24));
  index.insert(std::vector<float>(24, 300.0f));  // the centre of the codes
  for (std::size_t i = 0; i < n; i += 100) index.insert(rows_between(data.rows, i, i + 100));
  const nndescent_index<matrix<float>, euclidean, TestType> plain(data.rows);
  const auto truth = knn(data.rows, data.queries, 10);
  auto found = index.search(data.queries, 10, {.beam = 40});
  for (id_type& id : std::span(found.ids.data(), 10 * n_queries)) id -= 1;
  CHECK(indexes::wrong_distances(found, data.rows, data.queries, euclidean{}) == 0);
  CHECK(recall(found, truth, 10) >= recall(plain.search(data.queries, 10, {.beam = 40}), truth, 10) - 0.03);
}

TEST_CASE("an index whose rows move to another place has codes of use", "[nndescent_index][rabitq]") {
  auto data = clustered<float>(n, 24, n_queries);
  nndescent_index index(data.rows, euclidean{}, {}, rabitq<sq8>{});
  change(data, [](float x, std::size_t, std::size_t) { return 100 - 3 * x; });
  index.insert(data.rows);
  for (id_type id = 0; id < n; ++id) index.erase(id);
  index.consolidate();
  auto found = index.search(data.queries, 10, {.beam = 60});
  for (id_type& id : std::span(found.ids.data(), 10 * n_queries)) id -= static_cast<id_type>(n);
  CHECK(indexes::wrong_distances(found, data.rows, data.queries, euclidean{}) == 0);
  CHECK(recall(found, knn(data.rows, data.queries, 10), 10) >= 0.95);
}
