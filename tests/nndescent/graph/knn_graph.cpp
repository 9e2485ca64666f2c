#include <Eigen/Core>

#include "catch.hpp"
#include "message_of.hpp"
#include "nndescent/graphs.hpp"
#include "progress_watch.hpp"

using namespace annulus;
using graphs::clusters;
using graphs::holes;
using graphs::infinity;
using graphs::recall_of;
using graphs::same_bits;
using graphs::well_formed;

namespace {

/// The first rows of `from`.
matrix<float> first_rows(const matrix<float>& from, std::size_t n) {
  matrix<float> some(n, from.cols());
  std::copy_n(from.data(), n * from.cols(), some.data());
  return some;
}

/// A graph of ids at random, with repeats and selves, of no distances.
neighbors random_graph(std::size_t n, std::size_t k) {
  const counter_random random(99);
  neighbors graph(n, k);
  for (std::size_t i = 0; i < n * k; ++i) graph.ids.data()[i] = static_cast<id_type>(random.below(i, n));
  return graph;
}

}  // namespace

// ---- Few rows -------------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("a graph of up to 60 rows is that of brute force", "[knn_graph]", float, double, std::uint8_t,
                   std::int8_t, Eigen::half) {
  for (const std::size_t n : {2u, 3u, 5u, 16u, 17u, 33u, 60u})
    for (const auto& b : graphs::all<TestType>()) {
      const auto data = clusters<TestType>(n, 7, 3, n);
      const auto graph = b.build(data, {.n_neighbors = 10, .threads = 2});
      CAPTURE(b.metric, n);
      REQUIRE(graph.ids.rows() == n);
      REQUIRE(graph.ids.cols() == 10);
      CHECK(well_formed(graph));
      CHECK(recall_of(graph, b, data, 1) == 1.0);
      CHECK(holes(graph) == n * (10 - std::min<std::size_t>(10, n - 1)));
    }
}

TEST_CASE("a graph of up to 60 rows is that of brute force from random neighbours too", "[knn_graph]") {
  for (const std::size_t n : {2u, 3u, 11u, 12u, 30u, 60u})
    for (const auto& b : graphs::all<float>()) {
      const auto data = clusters<float>(n, 7, 3, n);
      const auto graph = b.build(data, {.n_neighbors = 10, .tree_init = false});
      CAPTURE(b.metric, n);
      CHECK(well_formed(graph));
      CHECK(holes(graph) == n * (10 - std::min<std::size_t>(10, n - 1)));
      CHECK(recall_of(graph, b, data, 1) >= 0.99);
    }
}

TEST_CASE("no rows have a graph of no rows", "[knn_graph]") {
  for (const std::size_t d : {0u, 4u})
    for (const auto& b : graphs::all<float>()) {
      const auto graph = b.build(matrix<float>(0, d), {.n_neighbors = 5});
      CHECK(graph.ids.rows() == 0);
      CHECK(graph.ids.cols() == 5);
      CHECK(same_bits(b.rebuild(matrix<float>(0, d), {.n_neighbors = 5}, neighbors(0, 3)), graph));
    }
}

TEST_CASE("one row has padding for neighbours", "[knn_graph]") {
  for (const auto& b : graphs::all<float>()) {
    CHECK(same_bits(b.build(matrix<float>(1, 3, 2), {.n_neighbors = 4}), neighbors(1, 4)));
    CHECK(same_bits(b.rebuild(matrix<float>(1, 3, 2), {.n_neighbors = 4}, neighbors(1, 4)), neighbors(1, 4)));
  }
}

TEST_CASE("one row has itself and padding with include_self", "[knn_graph]") {
  for (const std::string_view metric : {"euclidean", "cosine", "manhattan"}) {
    const auto graph =
        graphs::by<float>(metric).build(matrix<float>(1, 3, 2), {.n_neighbors = 4, .include_self = true});
    CHECK(graph.ids(0, 0) == 0);
    CHECK(graph.distances(0, 0) == 0);
    CHECK(holes(graph) == 3);
  }
}

TEST_CASE("rows with more than n - 1 neighbours asked for get all others, then padding", "[knn_graph]") {
  for (const std::size_t n : {2u, 50u, 99u, 100u, 101u, 300u})
    for (const auto& b : graphs::all<float>()) {
      const auto data = clusters<float>(n, 5, 2, 3);
      const auto graph = b.build(data, {.n_neighbors = 100});
      CAPTURE(b.metric, n);
      CHECK(well_formed(graph));
      CHECK(holes(graph) == n * (100 - std::min<std::size_t>(100, n - 1)));
    }
}

TEST_CASE("small leaves, few candidates and many neighbours leave no holes", "[knn_graph]") {
  const auto data = clusters<float>(200, 6, 4, 4);
  for (const bool tree_init : {true, false})
    for (const std::size_t k : {1u, 60u, 199u}) {
      const auto graph =
          graphs::by<float>("euclidean")
              .build(data,
                     {.n_neighbors = k, .n_trees = 1, .leaf_size = 2, .max_candidates = 8, .tree_init = tree_init});
      CAPTURE(tree_init, k);
      CHECK(well_formed(graph));
      CHECK(holes(graph) <= (k == 199 ? 200u : 0u));  // the last few of all may not be met
    }
}

// ---- Data that is not general ---------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("rows of one coordinate have their neighbours beside them", "[knn_graph]", float, double,
                   std::uint8_t, std::int8_t) {
  for (const std::size_t n : {2u, 60u, 1000u})
    for (const auto& b : graphs::all<TestType>()) {
      const auto data = clusters<TestType>(n, 1, 5, n);
      const auto graph = b.build(data, {.n_neighbors = 8, .threads = 1});
      CAPTURE(b.metric, n);
      CHECK(well_formed(graph));
      CHECK(recall_of(graph, b, data, 1) >= (b.metric == "inner_product" ? 0.9 : 0.98));  // hubs take long
    }
}

TEST_CASE("rows of two coordinates, where codes are too coarse, are found by the rows themselves", "[knn_graph]") {
  const auto data = clusters<float>(2000, 2, 20, 5);
  for (const auto& b : graphs::all<float>()) {
    CAPTURE(b.metric);
    const auto graph = b.build(data, {.n_neighbors = 10, .threads = 2});
    CHECK(well_formed(graph));
    CHECK(recall_of(graph, b, data, 7) >= (b.metric == "inner_product" ? 0.9 : 0.98));  // hubs take long
  }
}

TEMPLATE_TEST_CASE("equal rows are each other's neighbours, at the distance of equals", "[knn_graph]", float,
                   std::uint8_t) {
  for (const auto& b : graphs::all<TestType>()) {
    const matrix<TestType> data(700, 9, TestType(3));
    const auto graph = b.build(data, {.n_neighbors = 12, .threads = 2});
    CAPTURE(b.metric);
    CHECK(well_formed(graph));
    CHECK(holes(graph) == 0);
    CHECK(recall_of(graph, b, data, 50) == 1.0);
  }
}

TEST_CASE("rows of zeros have graphs too", "[knn_graph]") {
  for (const auto& b : graphs::all<float>()) {
    const matrix<float> data(300, 4);
    const auto graph = b.build(data, {.n_neighbors = 12});
    CAPTURE(b.metric);
    CHECK(well_formed(graph));
    CHECK(holes(graph) == 0);
    CHECK(std::ranges::all_of(graph.distances.row(7), [](float x) { return x == 0; }));
  }
}

TEST_CASE("three thousand duplicates do not hide the rows among them", "[knn_graph]") {
  auto data = clusters<float>(3600, 10, 6, 6);
  for (std::size_t i = 0; i < 3600; ++i)
    if (i % 6 != 0) std::ranges::copy(data.row(1), data.row(i).begin());
  for (const std::string_view metric : {"euclidean", "cosine", "manhattan"}) {
    const auto& b = graphs::by<float>(metric);
    const auto graph = b.build(data, {.n_neighbors = 10, .threads = 2});
    CAPTURE(metric);
    CHECK(well_formed(graph));
    CHECK(holes(graph) == 0);
    CHECK(recall_of(graph, b, data, 6) >= 0.97);   // of the others
    CHECK(recall_of(graph, b, data, 35) >= 0.97);  // of duplicates, mostly
  }
}

TEST_CASE("zero vectors under cosine are at 0 from each other, and 1 from the rest", "[knn_graph]") {
  auto data = clusters<float>(900, 12, 6, 7);
  for (std::size_t i = 0; i < 900; i += 30) std::ranges::fill(data.row(i), 0.0f);
  const auto& b = graphs::by<float>("cosine");
  const auto graph = b.build(data, {.n_neighbors = 40, .threads = 2});
  CHECK(well_formed(graph));
  CHECK(recall_of(graph, b, data, 30) >= 0.99);  // of the 30 zero vectors
  for (std::size_t j = 0; j < 40; ++j) {
    CHECK(graph.distances(30, j) == (j < 29 ? 0.0f : 1.0f));
    if (j < 29) CHECK(graph.ids(30, j) % 30 == 0);
  }
  CHECK(recall_of(graph, b, data, 7) >= 0.97);
}

TEMPLATE_TEST_CASE("tight clusters far apart are resolved", "[knn_graph]", float, double) {
  auto data = clusters<TestType>(1500, 10, 1, 8);
  for (std::size_t i = 0; i < 1500; i += 2)
    for (TestType& x : data.row(i)) x += TestType(1e6);
  for (const std::string_view metric : {"euclidean", "sqeuclidean", "manhattan"}) {
    if (std::ranges::find(graphs::all<TestType>(), metric, &graphs::builder<TestType>::metric) ==
        graphs::all<TestType>().end())
      continue;
    const auto& b = graphs::by<TestType>(metric);
    const auto graph = b.build(data, {.n_neighbors = 10, .threads = 2});
    CAPTURE(metric);
    CHECK(well_formed(graph));
    CHECK(recall_of(graph, b, data, 11) >= 0.97);
  }
}

TEST_CASE("a tight cluster among spread rows is resolved", "[knn_graph]") {
  auto data = clusters<float>(2000, 16, 1, 9);
  for (std::size_t i = 0; i < 2000; i += 10)
    for (std::size_t j = 0; j < 16; ++j) data(i, j) = 2 + data(i, j) * 1e-2f;
  const auto& b = graphs::by<float>("euclidean");
  const auto graph = b.build(data, {.n_neighbors = 10, .threads = 2});
  CHECK(well_formed(graph));
  CHECK(recall_of(graph, b, data, 10) >= 0.97);  // of the tight ones
  CHECK(recall_of(graph, b, data, 11) >= 0.97);
}

TEMPLATE_TEST_CASE("a row that is not finite is refused by its number", "[knn_graph]", float, double, Eigen::half) {
  for (const float bad : {graphs::not_a_number, infinity, -infinity})
    for (const std::size_t row : {0u, 17u, 49u}) {
      auto data = clusters<TestType>(50, 5, 2, 10);
      data(row, 4) = TestType(bad);
      for (const auto& b : graphs::all<TestType>()) {
        CAPTURE(b.metric, bad);
        const auto message = message_of([&] { b.build(data, {.n_neighbors = 3}); });
        CHECK_THAT(message, ContainsSubstring("data = "));
        CHECK_THAT(message, ContainsSubstring("row " + std::to_string(row) + ", coordinate 4"));
      }
    }
}

TEST_CASE("a single row that is not finite is refused", "[knn_graph]") {
  CHECK_THROWS_AS(graphs::by<float>("euclidean").build(matrix<float>(1, 2, infinity), {}), std::invalid_argument);
}

TEST_CASE("rows without coordinates are refused", "[knn_graph]") {
  for (const std::size_t n : {1u, 2u, 100u}) {
    const auto message = message_of([&] { graphs::by<float>("euclidean").build(matrix<float>(n, 0), {}); });
    CHECK_THAT(message, ContainsSubstring("data columns = 0"));
  }
}

// ---- include_self ---------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("include_self puts each row first, and its nearest others behind it", "[knn_graph]", float,
                   std::uint8_t) {
  const auto data = clusters<TestType>(300, 6, 4, 11);
  for (const auto& b : graphs::all<TestType>())
    for (const std::size_t k : {1u, 2u, 10u}) {
      const auto graph = b.build(data, {.n_neighbors = k, .include_self = true, .threads = 2});
      const auto others = b.naive(data, k, 1);
      std::size_t wrong = 0, hits = 0;
      for (std::size_t i = 0; i < 300; ++i) {
        wrong += graph.ids(i, 0) != i;
        for (std::size_t j = 1; j < k; ++j) {
          wrong += graph.ids(i, j) == i;
          hits += graph.distances(i, j) <= others.distances(i, j - 1);
        }
      }
      CAPTURE(b.metric, k);
      CHECK(wrong == 0);
      CHECK(hits >= 300 * (k - 1) * 97 / 100);
    }
}

TEST_CASE("the distance of a row to itself with include_self is the metric's", "[knn_graph]") {
  const auto data = clusters<float>(100, 6, 4, 12);
  const auto graph = graphs::by<float>("inner_product").build(data, {.n_neighbors = 5, .include_self = true});
  const auto zero = graphs::by<float>("cosine").build(data, {.n_neighbors = 5, .include_self = true});
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(graph.distances(i, 0) == inner_product{}(data.row(i).data(), data.row(i).data(), 6));
    CHECK(zero.distances(i, 0) == 0);
  }
}

// ---- From another graph ---------------------------------------------------------------------------------------------

TEST_CASE("a random graph is as good a start as any", "[knn_graph]") {
  const auto data = clusters<float>(1500, 12, 10, 13);
  for (const auto& b : graphs::all<float>()) {
    const auto graph = b.rebuild(data, {.n_neighbors = 10, .threads = 2}, random_graph(1500, 7));
    CAPTURE(b.metric);
    CHECK(well_formed(graph));
    CHECK(holes(graph) == 0);
    CHECK(recall_of(graph, b, data, 7) >= 0.95);
  }
}

TEST_CASE("an exact graph stays exact", "[knn_graph]") {
  const auto data = clusters<float>(1000, 24, 10, 14);
  for (const std::string_view metric : {"euclidean", "cosine", "manhattan"}) {
    const auto& b = graphs::by<float>(metric);
    const auto exact = b.naive(data, 10, 1);
    const auto graph = b.rebuild(data, {.n_neighbors = 10}, exact);
    CAPTURE(metric);
    CHECK(recall(graph, exact, 10) >= 0.995);
  }
}

TEST_CASE("the distances of an initial graph are not looked at", "[knn_graph]") {
  const auto data = clusters<float>(500, 8, 10, 15);
  auto initial = random_graph(500, 6);
  const auto& b = graphs::by<float>("euclidean");
  const auto expected = b.rebuild(data, {.n_neighbors = 10}, initial);
  initial.distances = matrix<float>(500, 6, graphs::not_a_number);
  CHECK(same_bits(b.rebuild(data, {.n_neighbors = 10}, initial), expected));
  initial.distances = {};
  CHECK(same_bits(b.rebuild(data, {.n_neighbors = 10}, initial), expected));
}

TEST_CASE("an initial graph may have holes anywhere, and rows of nothing else", "[knn_graph]") {
  const auto data = clusters<float>(1500, 12, 10, 16);
  const auto& b = graphs::by<float>("euclidean");
  auto initial = b.naive(data, 20, 1);
  for (std::size_t i = 0; i < 1500; ++i)
    for (std::size_t j = 0; j < 20; ++j)
      if (i % 5 == 0 || (i + j) % 3 == 0) initial.ids(i, j) = no_id;
  const auto graph = b.rebuild(data, {.n_neighbors = 10}, initial);
  CHECK(well_formed(graph));
  CHECK(holes(graph) == 0);
  CHECK(recall_of(graph, b, data, 7) >= 0.97);
}

TEST_CASE("an initial graph may be all holes, or of no columns", "[knn_graph]") {
  const auto data = clusters<float>(800, 12, 10, 17);
  const auto& b = graphs::by<float>("euclidean");
  for (const std::size_t k : {0u, 4u}) {
    const auto graph = b.rebuild(data, {.n_neighbors = 10}, neighbors(800, k));
    CHECK(well_formed(graph));
    CHECK(recall_of(graph, b, data, 7) >= 0.95);
  }
}

TEST_CASE("a graph of fewer rows that grew is a good start", "[knn_graph]") {
  const auto data = clusters<float>(1200, 12, 10, 18);
  const auto& b = graphs::by<float>("euclidean");
  const auto before = b.build(first_rows(data, 1000), {.n_neighbors = 15});
  neighbors initial(1200, 15);
  std::copy_n(before.ids.data(), 1000 * 15, initial.ids.data());
  const auto graph = b.rebuild(data, {.n_neighbors = 15}, initial);
  CHECK(well_formed(graph));
  CHECK(recall_of(graph, b, data, 7) >= 0.97);
}

TEST_CASE("an initial graph of another number of rows is refused by both", "[knn_graph]") {
  const auto data = clusters<float>(30, 3, 2, 19);
  for (const std::size_t n : {0u, 29u, 31u}) {
    const auto message = message_of([&] { graphs::by<float>("euclidean").rebuild(data, {}, neighbors(n, 4)); });
    CHECK_THAT(message, ContainsSubstring("initial rows = " + std::to_string(n)) && ContainsSubstring("30"));
  }
}

TEST_CASE("an initial graph with an id that is no row is refused by id and row", "[knn_graph]") {
  const auto data = clusters<float>(30, 3, 2, 20);
  for (const id_type id : {30u, 0xFFFFFFFEu}) {
    neighbors initial(30, 4);
    initial.ids(7, 3) = id;
    const auto message = message_of([&] { graphs::by<float>("euclidean").rebuild(data, {}, initial); });
    CHECK_THAT(message, ContainsSubstring("initial id = " + std::to_string(id)) && ContainsSubstring("row 7 "));
  }
}

// ---- Threads, seeds and progress ------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("the number of threads does not change a graph", "[knn_graph][parallel]", float, std::uint8_t) {
  const auto data = clusters<TestType>(2500, 10, 12, 21);
  for (const auto& b : graphs::all<TestType>())
    for (const bool tree_init : {true, false}) {
      const auto build = [&](std::size_t threads) {
        return b.build(data, {.n_neighbors = 8, .n_iters = 3, .tree_init = tree_init, .threads = threads});
      };
      const auto expected = build(1);
      for (const std::size_t threads : {2u, 3u, 8u}) {
        CAPTURE(b.metric, tree_init, threads);
        CHECK(same_bits(build(threads), expected));
      }
    }
}

TEST_CASE("the number of threads does not change what codes too coarse fall back to", "[knn_graph][parallel]") {
  const auto data = clusters<float>(2500, 2, 12, 22);
  const auto build = [&](std::size_t threads) {
    return graphs::by<float>("euclidean").build(data, {.n_neighbors = 8, .threads = threads});
  };
  for (const std::size_t threads : {2u, 3u, 8u}) CHECK(same_bits(build(threads), build(1)));
}

TEST_CASE("the number of threads does not change a graph built from another", "[knn_graph][parallel]") {
  const auto data = clusters<float>(2500, 10, 12, 23);
  const auto initial = random_graph(2500, 8);
  const auto build = [&](std::size_t threads) {
    return graphs::by<float>("euclidean").rebuild(data, {.n_neighbors = 8, .threads = threads}, initial);
  };
  for (const std::size_t threads : {2u, 3u, 8u}) CHECK(same_bits(build(threads), build(1)));
}

TEST_CASE("a seed gives the same graph again", "[knn_graph]") {
  const auto data = clusters<float>(1000, 10, 12, 24);
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    const auto& b = graphs::by<float>("cosine");
    const auto graph = b.build(data, {.n_neighbors = 8, .seed = seed});
    CHECK(same_bits(b.build(data, {.n_neighbors = 8, .seed = seed}), graph));
    CHECK(recall_of(graph, b, data, 7) >= 0.97);
  }
}

TEST_CASE("a graph reports its stages in order, each up to 1, on the calling thread", "[knn_graph][parallel]") {
  const auto data = clusters<float>(1500, 16, 12, 25);
  const auto caller = std::this_thread::get_id();
  for (const std::string_view metric : {"euclidean", "manhattan"})
    for (const std::size_t threads : {1u, 3u}) {
      std::vector<std::string> stages;
      std::vector<double> last;
      std::size_t wrong = 0;
      progress_watch watch;
      const progress_callback progress = [&](const progress_report& report) {
        watch.see(report);
        const std::string_view stage = report.stage;
        const double fraction = report.fraction;
        wrong += std::this_thread::get_id() != caller || !(fraction >= 0 && fraction <= 1);
        if (stages.empty() || stages.back() != stage) {
          stages.emplace_back(stage);
          last.push_back(0);
        }
        last.back() = fraction;
        return true;
      };
      graphs::by<float>(metric).build(data, {.n_neighbors = 8, .threads = threads, .progress = progress});
      CAPTURE(metric, threads);
      CHECK(stages == std::vector<std::string>{"trees", "descent", "distances"});
      CHECK(watch.fault({"trees", "descent", "distances"}) == "");
      CHECK(std::ranges::all_of(last, [](double fraction) { return fraction == 1; }));
      CHECK(wrong == 0);
    }
}

TEST_CASE("progress that returns false cancels a graph, at any call", "[knn_graph][parallel]") {
  const auto data = clusters<float>(700, 16, 12, 26);
  for (const std::string_view metric : {"euclidean", "manhattan"})
    for (const std::size_t threads : {1u, 3u}) {
      std::size_t calls = 0, last = 0;
      const progress_callback progress = [&](const progress_report&) { return ++calls != last; };
      const nndescent_params params{.n_neighbors = 8, .threads = threads, .progress = progress};
      graphs::by<float>(metric).build(data, params);
      const std::size_t all = threads == 1 ? calls : 4;  // how often depends on the threads
      for (last = 1; last <= all; ++last) {
        calls = 0;
        CAPTURE(metric, threads, last);
        CHECK_THROWS_AS(graphs::by<float>(metric).build(data, params), cancelled);
      }
    }
}

TEST_CASE("an exception of a graph's progress callback reaches the caller", "[knn_graph][parallel]") {
  struct user_error {};
  const auto data = clusters<float>(700, 16, 12, 27);
  for (const std::string_view wanted : {"trees", "descent", "distances"}) {
    const progress_callback fails = [&](const progress_report& report) {
      const std::string_view stage = report.stage;
      return stage != wanted ? true : throw user_error();
    };
    CHECK_THROWS_AS(graphs::by<float>("euclidean").build(data, {.n_neighbors = 8, .progress = fails}), user_error);
  }
}

// ---- Parameters -----------------------------------------------------------------------------------------------------

TEST_CASE("parameters out of range are refused by name and value, whatever the data", "[knn_graph]") {
  const double no_number = std::nan("");
  const std::vector<std::pair<std::string, nndescent_params>> refused{
      {"n_neighbors = 0", {.n_neighbors = 0}},
      {"n_neighbors = 4097", {.n_neighbors = 4097}},
      {"n_trees = 4097", {.n_trees = 4097}},
      {"leaf_size = 1", {.leaf_size = 1}},
      {"leaf_size = 4097", {.leaf_size = 4097}},
      {"max_candidates = 4097", {.max_candidates = 4097}},
      {"delta = -0.1", {.delta = -0.1}},
      {"delta = 1.5", {.delta = 1.5}},
      {"delta = nan", {.delta = no_number}},
      {"diversify_prob = -1", {.diversify_prob = -1}},
      {"diversify_prob = 2", {.diversify_prob = 2}},
      {"diversify_prob = nan", {.diversify_prob = no_number}},
      {"alpha = 0.5", {.alpha = 0.5}},
      {"alpha = 5", {.alpha = 5}},
      {"alpha = nan", {.alpha = no_number}},
      {"pruning_degree_multiplier = 0", {.pruning_degree_multiplier = 0}},
      {"pruning_degree_multiplier = 65", {.pruning_degree_multiplier = 65}},
      {"pruning_degree_multiplier = nan", {.pruning_degree_multiplier = no_number}}};
  for (const std::size_t n : {0u, 1u, 20u})
    for (const auto& each : refused)
      CHECK_THAT(message_of([&] { graphs::by<float>("euclidean").build(matrix<float>(n, 2), each.second); }),
                 ContainsSubstring(each.first + ":"));
}

TEST_CASE("parameters at their limits are taken", "[knn_graph]") {
  const auto data = clusters<float>(120, 4, 3, 28);
  for (const nndescent_params& params :
       {nndescent_params{.n_neighbors = 4096}, nndescent_params{.n_neighbors = 1}, nndescent_params{.n_trees = 100},
        nndescent_params{.leaf_size = 4096}, nndescent_params{.leaf_size = 2}, nndescent_params{.max_candidates = 4096},
        nndescent_params{.max_candidates = 1}, nndescent_params{.n_iters = 1000}, nndescent_params{.delta = 0},
        nndescent_params{.delta = 1}}) {
    const auto graph = graphs::by<float>("euclidean").build(data, params);
    CAPTURE(params.n_neighbors, params.leaf_size, params.max_candidates, params.delta);
    CHECK(well_formed(graph));
    CHECK(holes(graph) == 120 * (params.n_neighbors - std::min<std::size_t>(params.n_neighbors, 119)));
    CHECK(recall_of(graph, graphs::by<float>("euclidean"), data, 1) >= 0.8);
  }
}
