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
