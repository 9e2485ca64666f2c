#include <annulus/core/metric/set_metrics.hpp>

#include "catch.hpp"
#include "message_of.hpp"
#include "nndescent/indexes.hpp"

namespace {

using annulus::csr_matrix;
using annulus::csr_view;
using annulus::id_type;
using annulus::jaccard;
using annulus::neighbors;
using annulus::nndescent_index;
using annulus::no_id;

constexpr std::size_t dim = 3000;

/// n rows in clusters: most of the 40 coordinates of their cluster, some of their own, and some of 30 that all draw
/// from, as words are; values from .5 to 1.5.
csr_matrix<float> sparse_clusters(std::size_t n, std::uint64_t seed, std::size_t n_clusters = 12) {
  const annulus::counter_random random(seed);
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;
  for (std::size_t i = 0; i < n; ++i) {
    const annulus::counter_random centre(77, i % n_clusters), row(seed, i);
    std::vector<std::int32_t> members;
    for (std::uint64_t j = 0; j < 48; ++j) {
      const bool is_own = row.uniform(2 * j) < 0.35;
      const auto own = row.below(2 * j + 1, j >= 40 ? 30 : dim);
      members.push_back(static_cast<std::int32_t>(j >= 40 || is_own ? own : centre.below(j, dim)));
    }
    std::ranges::sort(members);
    members.erase(std::unique(members.begin(), members.end()), members.end());
    for (const std::int32_t m : members) {
      indices.push_back(m);
      values.push_back(0.5f + static_cast<float>(row.uniform(1000 + static_cast<std::uint64_t>(m))));
    }
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  return {indptr, indices, values, dim};
}

csr_matrix<float> rows_between(const csr_matrix<float>& m, std::size_t begin, std::size_t end) {
  std::vector<id_type> numbers(end - begin);
  std::iota(numbers.begin(), numbers.end(), static_cast<id_type>(begin));
  return annulus::detail::gather_rows(m, numbers);
}

/// Cosine of two sparse rows, written again: a metric of the user's.
struct my_cosine {
  double operator()(const annulus::sparse_row<float>& a, const annulus::sparse_row<float>& b) const {
    double dot = 0, of_a = 0, of_b = 0;
    for (std::size_t i = 0, j = 0; i < a.indices.size() && j < b.indices.size();) {
      if (a.indices[i] == b.indices[j]) dot += static_cast<double>(a.values[i]) * static_cast<double>(b.values[j]);
      const auto at = a.indices[i], other = b.indices[j];
      i += at <= other;
      j += other <= at;
    }
    for (const float x : a.values) of_a += static_cast<double>(x) * static_cast<double>(x);
    for (const float x : b.values) of_b += static_cast<double>(x) * static_cast<double>(x);
    return of_a == 0 || of_b == 0 ? (of_a == of_b ? 0.0 : 1.0) : 1 - dot / std::sqrt(of_a * of_b);
  }
};

std::size_t wrong_distances(const neighbors& found, const csr_view<float>& rows, const csr_view<float>& queries) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < found.ids.rows(); ++i)
    for (std::size_t j = 0; j < found.ids.cols(); ++j)
      if (const id_type id = found.ids(i, j); id != no_id)
        wrong += found.distances(i, j) != static_cast<float>(jaccard{}(queries.row(i), rows.row(id)));
  return wrong;
}

const csr_matrix<float>& data() {
  static const auto all = sparse_clusters(1500, 1);
  return all;
}
const csr_matrix<float>& queries() {
  static const auto all = sparse_clusters(60, 2);
  return all;
}
/// Of all rows, for tests that only ask.
const auto& indexed() {
  static const nndescent_index index(data(), jaccard{}, {.n_neighbors = 20, .threads = 2});
  return index;
}

}  // namespace

TEST_CASE("an index of sets finds nearly all neighbours", "[nndescent_index][sparse]") {
  const auto found = indexed().search(queries(), 10, {.beam = 120});
  CHECK(searches::well_formed(found));
  CHECK(wrong_distances(found, data(), queries()) == 0);
  CHECK(annulus::recall(found, annulus::knn(data(), queries(), 10, jaccard{}), 10) > 0.95);
}

TEST_CASE("an index of sparse rows takes a metric of the user's", "[nndescent_index][sparse]") {
  const nndescent_index index(csr_view<float>(data()), my_cosine{}, {.n_neighbors = 20, .threads = 2});
  const auto found = index.search(queries(), 10, {.beam = 120});
  CHECK(annulus::recall(found, annulus::knn(data(), queries(), 10, my_cosine{}), 10) > 0.9);
}

TEST_CASE("a k-NN graph of sets is that of brute force but for little", "[knn_graph][sparse]") {
  const auto graph = annulus::build_knn_graph(data(), jaccard{}, {.n_neighbors = 10, .threads = 2});
  CHECK(graphs::well_formed(graph));
  CHECK(wrong_distances(graph, data(), data()) == 0);
  CHECK(annulus::estimate_recall(graph, data(), jaccard{}, {.n_samples = 200}) > 0.97);
  const auto again = annulus::build_knn_graph(data(), jaccard{}, {.n_neighbors = 10, .threads = 2}, graph);
  CHECK(annulus::estimate_recall(again, data(), jaccard{}, {.n_samples = 200}) > 0.97);
  const auto with_self = annulus::build_knn_graph(data(), jaccard{}, {.n_neighbors = 5, .include_self = true});
  for (id_type i = 0; i < 1500; ++i) REQUIRE(with_self.ids(i, 0) == i);
}

TEST_CASE("the number of threads does not change an index of sets", "[nndescent_index][sparse]") {
  const nndescent_index one(data(), jaccard{}, {.threads = 1}), three(data(), jaccard{}, {.threads = 3});
  CHECK(searches::same_bits(one.search(queries(), 10, {.threads = 1}), three.search(queries(), 10, {.threads = 3})));
  CHECK(searches::same_bits(one.graph(), three.graph()));
}

TEST_CASE("sparse rows may be inserted and erased and changed", "[nndescent_index][sparse]") {
  nndescent_index index(rows_between(data(), 0, 1000), jaccard{}, {.n_neighbors = 20, .threads = 2});
  CHECK(index.insert(rows_between(data(), 1000, 1500)) == 1000);
  CHECK(index.size() == 1500);
  const auto found = index.search(queries(), 10, {.beam = 120});
  CHECK(wrong_distances(found, data(), queries()) == 0);
  CHECK(annulus::recall(found, annulus::knn(data(), queries(), 10, jaccard{}), 10) > 0.95);

  for (id_type id = 0; id < 500; ++id) index.erase(id);
  const auto rest = index.search(queries(), 10, {.beam = 120});
  for (std::size_t i = 0; i < 600; ++i) REQUIRE((rest.ids.data()[i] == no_id || rest.ids.data()[i] >= 500));
  const annulus::knn_params later{.filter = [](id_type id) { return id >= 500; }};
  CHECK(annulus::recall(rest, annulus::knn(data(), queries(), 10, jaccard{}, later), 10) > 0.95);

  index.update(700, rows_between(queries(), 3, 4));
  const auto moved = index.search(rows_between(queries(), 3, 4), 1);
  CHECK(moved.ids(0, 0) == 700);
  CHECK(moved.distances(0, 0) == 0);
}

TEST_CASE("radius search and tuning take sparse rows", "[nndescent_index][sparse]") {
  const auto& index = indexed();
  const auto near = index.radius_search(queries(), 0.75f, {.beam = 100, .epsilon = 0.2});
  const auto truth = annulus::knn(data(), queries(), 1500, jaccard{});
  std::size_t wanted = 0;
  for (std::size_t i = 0; i < 60 * 1500; ++i) wanted += truth.distances.data()[i] <= 0.75f;
  REQUIRE(wanted > 500);
  CHECK(static_cast<double>(near.indices.size()) > 0.9 * static_cast<double>(wanted));
  CHECK(near.indices.size() <= wanted);

  const auto tuned = index.tune(0.95, {.n_queries = 100});
  CHECK(annulus::recall(index.search(queries(), 10, tuned.params), annulus::knn(data(), queries(), 10, jaccard{}), 10) >
        0.9);
}

TEST_CASE("empty sets are found by empty sets", "[nndescent_index][sparse]") {
  const csr_matrix<float> some({0, 2, 2, 4, 5, 5}, {1, 2, 2, 3, 9}, {1, 1, 1, 1, 1}, 10);
  const nndescent_index index(some, jaccard{});
  const csr_matrix<float> nothing({0, 0}, {}, {}, 10);
  const auto found = index.search(nothing, 5);
  CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{1, 4, 0, 2, 3}));
  CHECK(std::ranges::equal(found.distances.row(0), std::vector<float>{0, 0, 1, 1, 1}));
}

TEST_CASE("an index of sparse rows that are all alike or empty answers", "[nndescent_index][sparse]") {
  for (const std::size_t stored : {std::size_t{0}, std::size_t{3}}) {
    std::vector<std::int64_t> indptr{0};
    std::vector<std::int32_t> indices;
    for (std::size_t i = 0; i < 300; ++i) {
      for (std::size_t j = 0; j < stored; ++j) indices.push_back(static_cast<std::int32_t>(j));
      indptr.push_back(static_cast<std::int64_t>(indices.size()));
    }
    const csr_matrix<float> alike(indptr, indices, dim);
    const nndescent_index index(alike, jaccard{});
    const auto found = index.search(rows_between(alike, 0, 2), 12);
    CHECK(searches::well_formed(found));
    for (std::size_t i = 0; i < 24; ++i) CHECK(found.distances.data()[i] == 0);
  }
}

TEST_CASE("a search of one sparse row is that of the batch", "[nndescent_index][sparse]") {
  const auto& index = indexed();
  const auto all = index.search(queries(), 10);
  auto scratch = index.make_scratch();
  std::vector<id_type> ids(10);
  std::vector<float> distances(10);
  for (std::size_t i = 0; i < 60; ++i) {
    index.search(queries().row(i), ids, distances, scratch);
    REQUIRE(std::ranges::equal(all.ids.row(i), ids));
    REQUIRE(std::ranges::equal(all.distances.row(i), distances));
  }
}

TEST_CASE("what an index cannot take of sparse rows is refused", "[nndescent_index][sparse]") {
  const csr_matrix<float> bad({0, 1, 2}, {1, 2}, {1, std::numeric_limits<float>::quiet_NaN()}, 10);
  CHECK_THAT(message_of([&] { nndescent_index(bad, jaccard{}); }), ContainsSubstring("row 1, coordinate 2"));
  CHECK_THAT(message_of([&] { annulus::build_knn_graph(bad, jaccard{}); }), ContainsSubstring("row 1, coordinate 2"));

  nndescent_index index(rows_between(data(), 0, 100), my_cosine{});
  const csr_matrix<float> narrow({0, 1}, {1}, {1}, 10);
  CHECK_THAT(message_of([&] { index.search(narrow, 3); }), ContainsSubstring("query dimension = 10"));
  CHECK_THAT(message_of([&] { index.insert(narrow); }), ContainsSubstring("dimension = 10"));
  CHECK(index.size() == 100);
  const csr_matrix<float> sets({0, 1}, {1}, dim);
  CHECK_THAT(message_of([&] { index.search(sets, 3); }), ContainsSubstring("without values"));
  auto scratch = index.make_scratch();
  std::vector<id_type> ids(3);
  std::vector<float> distances(3);
  const annulus::sparse_row<float> set = csr_view<float>(sets).row(0);
  CHECK_THAT(message_of([&] { index.search(set, ids, distances, scratch); }), ContainsSubstring("without values"));
  CHECK_THAT(message_of([&] { index.insert(sets); }), ContainsSubstring("without values"));
  CHECK_THAT(message_of([&] { nndescent_index(sets, my_cosine{}); }), ContainsSubstring("without values"));
  CHECK_THAT(message_of([&] { index.update(3, rows_between(data(), 0, 2)); }), ContainsSubstring("must be one"));

  const csr_matrix<float> lost({0, 1}, {1}, {std::numeric_limits<float>::infinity()}, dim);
  CHECK(index.search(lost, 3).ids(0, 0) == no_id);
}
