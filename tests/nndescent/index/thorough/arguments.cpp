#include "catch.hpp"
#include "message_of.hpp"
#include "nndescent/indexes.hpp"

using namespace annulus;
using graphs::infinity;
using graphs::not_a_number;
using indexes::clustered;
using searches::same_bits;
using searches::well_formed;

// What an index refuses, and what it takes at the ends of ranges.

namespace {

using float_rows = matrix<float>;

const indexes::split<float>& some_rows() {
  static const auto made = clustered<float>(500, 12, 20, 10);
  return made;
}

}  // namespace

TEST_CASE("parameters of a build out of range are refused by name", "[nndescent_index]") {
  const std::vector<std::pair<std::string, nndescent_params>> bad{
      {"n_neighbors = 0", {.n_neighbors = 0}},
      {"n_neighbors = 5000", {.n_neighbors = 5000}},
      {"leaf_size = 1", {.leaf_size = 1}},
      {"n_trees = 100000", {.n_trees = 100000}},
      {"delta = -1", {.delta = -1}},
      {"delta = ", {.delta = std::nan("")}},
      {"pruning_degree_multiplier = 0", {.pruning_degree_multiplier = 0}},
      {"pruning_degree_multiplier = ", {.pruning_degree_multiplier = std::nan("")}},
      {"pruning_degree_multiplier = 1e+09", {.pruning_degree_multiplier = 1e9}},
      {"diversify_prob = 1.5", {.diversify_prob = 1.5}},
      {"diversify_prob = ", {.diversify_prob = std::nan("")}},
      {"alpha = 0.5", {.alpha = 0.5}},
      {"alpha = ", {.alpha = std::nan("")}}};
  for (const auto& [message, params] : bad)
    for (const std::size_t n : {0u, 500u}) {
      const auto rows = indexes::rows_between(some_rows().rows, 0, n);
      CHECK_THAT(message_of([&, &given = params] { nndescent_index(rows, euclidean{}, given); }),
                 ContainsSubstring(message));
    }
}

TEST_CASE("parameters at the ends of their ranges build an index", "[nndescent_index]") {
  const std::vector<nndescent_params> extreme{
      {.n_neighbors = 1, .n_trees = 1, .leaf_size = 2, .max_candidates = 1, .n_iters = 1},
      {.n_neighbors = 4096},
      {.leaf_size = 4096},
      {.delta = 1},
      {.delta = 0},
      {.pruning_degree_multiplier = 1e-9},
      {.pruning_degree_multiplier = 64},
      {.diversify_prob = 0},
      {.alpha = 4},
      {.n_trees = 1, .n_iters = 1, .tree_init = false},
      {.include_self = true}};
  for (std::size_t i = 0; i < extreme.size(); ++i) {
    const auto rows = indexes::rows_between(some_rows().rows, 0, 150);
    const nndescent_index index(rows, euclidean{}, extreme[i]);
    const auto found = index.search(some_rows().queries, 10);
    CAPTURE(i);
    CHECK(well_formed(found));
    CHECK(recall(found, knn(rows, some_rows().queries, 10), 10) >= 0.8);
    CHECK(well_formed(index.graph()));
  }
}

TEST_CASE("a search refuses what it cannot do by name", "[nndescent_index]") {
  const nndescent_index index(some_rows().rows);
  const auto& queries = some_rows().queries;
  CHECK_THAT(message_of([&] { index.search(queries, 0); }), ContainsSubstring("k = 0"));
  CHECK_THAT(message_of([&] { index.search(float_rows(0, 12), 0); }), ContainsSubstring("k = 0"));
  CHECK_THAT(message_of([&] { index.search(float_rows(2, 13), 3); }),
             ContainsSubstring("dimension = 13") && ContainsSubstring("12"));
  CHECK_THAT(message_of([&] { index.search(queries, 3, {.epsilon = -0.1}); }), ContainsSubstring("epsilon = -0.1"));
  CHECK_THAT(message_of([&] { index.search(queries, 3, {.epsilon = std::nan("")}); }), ContainsSubstring("epsilon"));
  CHECK_THROWS_AS(index.search(queries, std::numeric_limits<std::size_t>::max()), std::invalid_argument);
  CHECK_THAT(message_of([&] { index.radius_search(queries, not_a_number); }), ContainsSubstring("radius"));
  CHECK_THAT(message_of([&] { index.radius_search(float_rows(2, 13), 1); }), ContainsSubstring("dimension = 13"));
  CHECK_THAT(message_of([&] { index.radius_search(queries, 1, {.epsilon = -1}); }), ContainsSubstring("epsilon"));
  auto scratch = index.make_scratch();
  std::vector<id_type> ids(3);
  std::vector<float> distances(4);
  CHECK_THAT(message_of([&] { index.search(queries.row(0), ids, distances, scratch); }),
             ContainsSubstring("distances size = 4"));
  CHECK_THAT(message_of([&] { index.search(queries.row(0), {}, {}, scratch); }), ContainsSubstring("k = 0"));
  CHECK_THAT(message_of([&] { index.search(queries.row(0).first(5), ids, std::span(distances).first(3), scratch); }),
             ContainsSubstring("dimension = 5"));
}

TEST_CASE("tune refuses what it cannot do by name", "[nndescent_index]") {
  const nndescent_index index(some_rows().rows);
  for (const double target : {0.0, -1.0, 1.01, std::nan("")})
    CHECK_THAT(message_of([&] { index.tune(target); }), ContainsSubstring("recall_target = "));
  CHECK_THROWS_AS(index.tune(0.9, {.n_queries = 0}), std::invalid_argument);
  CHECK_THROWS_AS(index.tune(0.9, {.n_queries = 10, .k = 0}), std::invalid_argument);
  const nndescent_index bare(some_rows().rows, euclidean{}, {.keep_rows = false}, sq8{});
  CHECK_THAT(message_of([&] { bare.tune(0.9); }), ContainsSubstring("keep_rows"));
}

TEST_CASE("a beam wider than the index is as good as all of it", "[nndescent_index]") {
  const nndescent_index index(some_rows().rows);
  const auto& queries = some_rows().queries;
  const auto exact = knn(some_rows().rows, queries, 10);
  for (const std::size_t beam : {std::size_t{500}, std::size_t{1} << 20, std::numeric_limits<std::size_t>::max()}) {
    CAPTURE(beam);
    CHECK(same_bits(index.search(queries, 10, {.beam = beam}), exact));
    CHECK(same_bits(index.search(queries, 10, {.beam = beam, .filter = std::vector<bool>(500, true)}), exact));
    CHECK_NOTHROW(index.radius_search(queries, 1, {.beam = beam}));
  }
}

TEST_CASE("an epsilon of infinity searches with the whole beam", "[nndescent_index]") {
  const nndescent_index index(some_rows().rows);
  const double endless = std::numeric_limits<double>::infinity();
  CHECK(same_bits(index.search(some_rows().queries, 10, {.epsilon = endless}),
                  index.search(some_rows().queries, 10, {.beam = 256})));
}

TEST_CASE("no queries get no answers", "[nndescent_index]") {
  const nndescent_index index(some_rows().rows);
  nndescent_search_stats stats{1, 1};
  const auto found = index.search(float_rows(0, 12), 4, {}, &stats);
  CHECK(found.ids.rows() == 0);
  CHECK(found.ids.cols() == 4);
  CHECK(stats.distances == 0);
  CHECK(index.search(float_rows(0, 0), 4).ids.rows() == 0);
  CHECK(index.radius_search(float_rows(0, 12), 1).indptr == std::vector<std::int64_t>{0});
}
