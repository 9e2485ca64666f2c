#include "nndescent/limited_searches.hpp"

// Filters and radii over codes, and what filters cost; others are in ../best_first_search.cpp and in ../nightly.

using namespace limited;

TEMPLATE_TEST_CASE("a filter leaves the nearest of the rows that it allows", "[nndescent_index]", sq8) {
  check_filter<TestType>();
}

TEMPLATE_TEST_CASE("a bitset and a callable of the same rows have the same answers", "[nndescent_index]", sq8) {
  check_kinds_of_filters<TestType>();
}

TEMPLATE_TEST_CASE("a filter that allows one row finds it from anywhere", "[nndescent_index]", sq8) {
  check_filter_of_one<TestType>();
}

TEMPLATE_TEST_CASE("a filter that allows nothing leaves padding alone", "[nndescent_index]", sq8) {
  check_filter_of_none<TestType>();
}

TEST_CASE("an index built from a graph searches as one that finds the graph itself", "[nndescent_index]") {
  const auto& rows = data().rows;
  const auto truth = knn(rows, data().queries, k);
  const auto found = [&](const auto& index) { return index.search(data().queries, k, {.beam = 30}); };
  const nndescent_params one_iteration{.max_candidates = 16, .n_iters = 1};
  const double expected = recall(found(nndescent_index(rows, euclidean{}, {}, sq8{})), truth, k);

  const neighbors graph = build_knn_graph(rows);
  const nndescent_index from_graph(rows, euclidean{}, one_iteration, sq8{}, graph);
  CHECK(recall(found(from_graph), truth, k) > expected - 0.01);
  CHECK(found(nndescent_index(rows, euclidean{}, {.max_candidates = 16, .n_iters = 1, .threads = 2}, sq8{}, graph)) ==
        found(from_graph));

  // Each row twice: its copies are neighbours, but of their group a vertex is none.
  const auto doubled = [](const auto& m) {
    std::remove_cvref_t<decltype(m)> both(2 * m.rows(), m.cols());
    for (std::size_t i = 0; i < both.rows(); ++i) std::ranges::copy(m.row(i / 2), both.row(i).begin());
    return both;
  };
  const auto twice = doubled(rows);
  const nndescent_index with_copies(twice, euclidean{}, one_iteration, sq8{}, build_knn_graph(twice));
  CHECK(recall(found(with_copies), knn(twice, data().queries, k), k) > expected - 0.01);

  neighbors holes = graph, of_others = graph, of_fewer(rows.rows() - 1, 3);
  for (std::size_t i = 0; i < rows.rows(); ++i)
    for (std::size_t j = 0; j < holes.ids.cols(); ++j)
      if (i % 3 == 0 || j % 2 == 0) holes.ids(i, j) = no_id;
  CHECK(recall(found(nndescent_index(rows, euclidean{}, {}, sq8{}, holes)), truth, k) > expected - 0.01);
  of_others.ids(7, 2) = static_cast<id_type>(rows.rows());
  CHECK_THROWS_WITH(nndescent_index(rows, euclidean{}, {}, sq8{}, of_others), ContainsSubstring("row 7"));
  CHECK_THROWS_WITH(nndescent_index(rows, euclidean{}, {}, sq8{}, of_fewer), ContainsSubstring("initial rows"));
}

TEST_CASE("no filter and no erased row makes an answer worse than none does at the same beam", "[nndescent_index]") {
  constexpr std::size_t n_clusters = 30;
  constexpr double noise = 0.02;  // two standard errors of a share of 1,000 neighbours
  const std::vector<std::vector<bool>> subsets = [] {
    std::vector<std::vector<bool>> made{share_of_rows(0.7), share_of_rows(0.3), share_of_rows(0.05)};
    for (const std::size_t most : {1u, 10u, 25u}) {  // some clusters alone, then all others
      auto& some = made.emplace_back(n);
      for (std::size_t i = 0; i < n; ++i) some[i] = i % n_clusters < most;
      auto others = some;
      others.flip();
      made.push_back(others);
    }
    return made;
  }();
  const auto& index = index_over<full_precision>();
  for (const std::size_t beam : {10u, 20u, 64u}) {
    const double without =
        recall(index.search(data().queries, k, {.beam = beam}), knn(data().rows, data().queries, k), k);
    for (std::size_t i = 0; i < subsets.size(); ++i) {
      const auto truth = knn(data().rows, data().queries, k, euclidean{}, {.filter = subsets[i]});
      CAPTURE(beam, i, without);
      CHECK(recall(index.search(data().queries, k, {.beam = beam, .filter = subsets[i]}), truth, k) >= without - noise);
      CHECK(recall(index.search(data().queries, k, {.beam = beam, .filter = callable(subsets[i])}), truth, k) >=
            without - noise);
      auto erased = index;
      std::vector<std::size_t> left;
      for (id_type id = 0; id < n; ++id) {
        if (subsets[i][id]) left.push_back(id);
        else erased.erase(id);
      }
      const auto rows = searches::rows_of(data().rows, left);
      const double anew =
          recall(nndescent_index(rows).search(data().queries, k, {.beam = beam}), knn(rows, data().queries, k), k);
      CAPTURE(anew);
      CHECK(recall(erased.search(data().queries, k, {.beam = beam}), truth, k) >= std::min(anew, without) - noise);
    }
  }
}

TEMPLATE_TEST_CASE("a radius search finds the rows within it and no others", "[nndescent_index]", sq8) {
  check_radius<TestType>();
}

TEST_CASE("a small radius finds the row that the query is, also where rows are compressed", "[nndescent_index]") {
  CHECK(found_themselves(index_over<sq8>(), 0.2f) >= n - n / 50);
  CHECK(found_themselves(nndescent_index(data().rows, euclidean{}, {.keep_rows = false}, sq8{}), 0.2f) >= n - n / 50);
}
