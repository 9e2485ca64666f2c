#include "nndescent/index_changes.hpp"

namespace changes {

using indexes::count_of;

// ---- Insert ---------------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("insert returns the id of the first row", "[nndescent_index]", full_precision) {
  check_first_ids<TestType>();
}

TEMPLATE_TEST_CASE("rows that are inserted are found", "[nndescent_index]", full_precision) {
  check_inserted<TestType>();
}

TEMPLATE_TEST_CASE("an index without rows grows", "[nndescent_index]", full_precision) { check_growth<TestType>(); }

TEST_CASE("an index grows from one row by duplicates", "[nndescent_index]") {
  nndescent_index index(float_rows(1, 12, 2.5f));
  index.insert(float_rows(500, 12, 2.5f));
  const auto found = index.search(float_rows(1, 12, 2.5f), 501);
  CHECK(indexes::holds_all(found.ids.row(0), 501));
}

TEST_CASE("inserted rows far from all others are found", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 1000));
  float_rows outliers(24, 12);
  for (std::size_t i = 0; i < 24; ++i) outliers(i, i / 2) = i % 2 == 0 ? 1e4f : -1e4f;
  index.insert(outliers);
  CHECK(lost(index, outliers, 1000) == 0);
}

TEST_CASE("outliers inserted around duplicates are in reach", "[nndescent_index]") {
  nndescent_index index(float_rows(200, 40));
  float_rows outliers(80, 40);
  for (std::size_t i = 0; i < 80; ++i) outliers(i, i / 2) = i % 2 == 0 ? 10.0f : -10.0f;
  index.insert(outliers);
  CHECK(lost(index, outliers, 200, {.beam = 280}) == 0);  // the duplicates are nearer than the next outlier
}

TEST_CASE("rows that are inserted one by one are in reach at any time", "[nndescent_index]") {
  nndescent_index index(float_rows(200, 40));
  float_rows outliers(80, 40);
  for (std::size_t i = 0; i < 80; ++i) outliers(i, i / 2) = i % 2 == 0 ? 10.0f : -10.0f;
  std::size_t n_lost = 0;
  for (std::size_t i = 0; i < 80; ++i) {
    index.insert(outliers.row(i));
    n_lost += lost(index, rows_between(outliers, 0, i + 1), 200, {.beam = 280});
  }
  CHECK(n_lost == 0);
}

TEST_CASE("an inserted cluster far from all others is found", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 1000));
  auto more = rows_between(data().rows, 1000, 1500);
  for (float& x : std::span(more.data(), 500 * 12)) x += 500;
  index.insert(more);
  CHECK(lost(index, more, 1000) == 0);
  const auto found = index.search(more, 10, narrow);
  CHECK(recall(found, knn(more, more, 10), 10) >= 0.97);
}

TEST_CASE("the k-NN graph takes inserted rows in", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 1000), euclidean{}, {.n_neighbors = 15});
  index.insert(rows_between(data().rows, 1000, 1500));
  const auto graph = index.graph();
  CHECK(graph.ids.rows() == 1500);
  CHECK(graphs::well_formed(graph));
  CHECK(estimate_recall(graph, data().rows, euclidean{}, {.n_samples = 300}) >=
        0.85);  // a row near a new one may not be near to it
}

TEMPLATE_TEST_CASE("an insert that is refused changes nothing", "[nndescent_index]", full_precision) {
  check_refused_insert<TestType>();
}

// ---- Erase ----------------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("an erased row is not returned again", "[nndescent_index]", full_precision) {
  check_erased<TestType>();
}

TEST_CASE("a row that is not there is not erased or updated", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 100));
  index.erase(7);
  for (const id_type id : {id_type{7}, id_type{100}, no_id}) {
    CHECK_THAT(message_of([&] { index.erase(id); }), ContainsSubstring("id = " + std::to_string(id)));
    CHECK_THAT(message_of([&] { index.update(id, data().rows.row(0)); }),
               ContainsSubstring("id = " + std::to_string(id)));
  }
  CHECK(index.size() == 99);
}

TEMPLATE_TEST_CASE("an index whose rows were all erased is empty, and grows again", "[nndescent_index]",
                   full_precision) {
  check_emptied<TestType>();
}

TEST_CASE("where a cluster was erased the others are found", "[nndescent_index]") {
  auto rows = clustered<float>(2000, 8, 0, 1).rows;
  for (std::size_t i = 0; i < 2000; ++i)
    for (float& x : rows.row(i)) x += 100 * static_cast<float>(i % 4);
  nndescent_index index(rows);
  for (std::size_t i = 0; i < 2000; i += 4) index.erase(static_cast<id_type>(i));
  index.consolidate();
  const auto query = rows_between(rows, 0, 1);
  const auto found = index.search(query, 10, {.beam = 10});
  CHECK(count_of(found.ids.row(0)) == 10);
  CHECK(std::ranges::all_of(found.ids.row(0), [](id_type id) { return id % 4 == 1; }));
  std::vector<bool> is_left(2000, true);
  for (std::size_t i = 0; i < 2000; i += 4) is_left[i] = false;
  float_rows queries(500, 8);
  for (std::size_t i = 0; i < 500; ++i) std::ranges::copy(rows.row(4 * i), queries.row(i).begin());
  const auto balls = index.radius_search(queries, 400);
  std::size_t missed = 0;
  for (std::size_t i = 0; i < 500; ++i) missed += balls.indptr[i + 1] - balls.indptr[i] < 490;
  CHECK(missed == 0);
  const auto near = index.search(queries, 10);
  CHECK(recall(near, knn(rows, queries, 10, euclidean{}, {.filter = is_left}), 10) >= 0.95);
}

TEMPLATE_TEST_CASE("consolidating keeps all rows in reach", "[nndescent_index]", full_precision) {
  check_consolidated<TestType>();
}

TEST_CASE("consolidating an index without erased rows changes nothing", "[nndescent_index]") {
  nndescent_index index(data().rows);
  const auto before = index.search(data().queries, 10, narrow);
  index.consolidate();
  CHECK(same_bits(index.search(data().queries, 10, narrow), before));
}

// ---- Update ---------------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("an updated row is found where it is now", "[nndescent_index]", full_precision) {
  check_updated<TestType>();
}

TEST_CASE("the k-NN graph holds no distance to where an updated row was", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 300), euclidean{}, {.n_neighbors = 10});
  model expected(12);
  for (id_type i = 0; i < 300; ++i) expected.insert(i, data().rows.row(i));
  const auto updates = [&](id_type id, std::span<const float> row) {
    index.update(id, row);
    expected.insert(id, row);
  };
  updates(5, data().rows.row(1400));
  CHECK(expected.wrong_edges(index) == 0);
  updates(5, data().rows.row(5));
  CHECK(expected.wrong_edges(index) == 0);
  CHECK(graphs::well_formed(index.graph()));
}

TEST_CASE("the only row of an index is updated", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 1));
  for (std::size_t i = 0; i < 10; ++i) index.update(0, data().rows.row(i));
  const auto found = index.search(data().rows.row(9), 2);
  CHECK(found.ids(0, 0) == 0);
  CHECK(found.distances(0, 0) == 0);
  CHECK(found.ids(0, 1) == no_id);
}

// ---- Many changes ---------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("inserting and erasing a fifth costs no recall beside a rebuild", "[nndescent_index]",
                   full_precision) {
  check_recall_of_changed<TestType>();
}

TEMPLATE_TEST_CASE("changes and searches in any order agree with brute force", "[nndescent_index]", full_precision) {
  check_any_order<TestType>();
}

// ---- Copies ---------------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("a copy goes its own way", "[nndescent_index]", full_precision) { check_copy<TestType>(); }

TEMPLATE_TEST_CASE("a moved index is the same index", "[nndescent_index]", full_precision) { check_move<TestType>(); }

TEST_CASE("changed indexes are the same whatever the threads that built them", "[nndescent_index]") {
  std::vector<neighbors> found, lists;
  for (const std::size_t threads : {1u, 3u}) {
    nndescent_index index(rows_between(data().rows, 0, 1000), euclidean{}, {.threads = threads});
    index.insert(rows_between(data().rows, 1000, 1500));
    for (id_type id = 0; id < 600; ++id) index.erase(2 * id);
    found.push_back(index.search(data().queries, 10, narrow));
    lists.push_back(index.graph());
  }
  CHECK(same_bits(found[0], found[1]));
  CHECK(same_bits(lists[0], lists[1]));
}

TEMPLATE_TEST_CASE("rows that are inserted make the same index whatever the threads", "[nndescent_index]",
                   full_precision) {
  check_threads<TestType>();
}

// ---- Copies of rows -------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("rows that are equal have ids of their own", "[nndescent_index]", full_precision) {
  check_equal_rows<TestType>();
}

TEST_CASE("a filter decides by id also among copies", "[nndescent_index]") {
  const auto some = rows_between(data().rows, 0, 400);
  const nndescent_index index(indexes::joined(some, some));
  const auto is_second = [](id_type id) { return id >= 400; };
  std::vector<id_type> list(400);
  std::iota(list.begin(), list.end(), id_type{400});
  for (const id_filter& filter : {id_filter(is_second), id_filter::of(list)}) {
    const auto found = index.search(some, 2, {.filter = filter});
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 400; ++i) wrong += found.ids(i, 0) != 400 + i || found.ids(i, 1) < 400;
    CHECK(wrong == 0);
    const auto one = index.search(some.row(9), 2, {.filter = filter});
    CHECK(one.ids(0, 0) == 409);
    const auto balls = index.radius_search(some, 0, {.filter = filter});
    CHECK(balls.indices.size() == 400);
    CHECK(std::ranges::all_of(balls.indices, [](std::int32_t id) { return id >= 400; }));
  }
}

TEMPLATE_TEST_CASE("the k-NN graph of copies lists each of them", "[nndescent_index]", euclidean) {
  check_graph_of_copies<TestType>();
}

}  // namespace changes
