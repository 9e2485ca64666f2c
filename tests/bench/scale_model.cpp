// The formulas of bench/scale/model.hpp, by values computed by hand.

#include <scale/model.hpp>

using Catch::Matchers::WithinRel;
using namespace scale;

TEST_CASE("A power law is fitted exactly through points of one", "[scale]") {
  const std::vector<double> x{2e4, 4e4, 8e4},
      y{3 * std::pow(2e4, 1.25), 3 * std::pow(4e4, 1.25), 3 * std::pow(8e4, 1.25)};
  const power_law law = fitted(x, y);
  CHECK_THAT(law.exponent, WithinRel(1.25, 1e-9));
  CHECK_THAT(law.factor, WithinRel(3.0, 1e-9));
  CHECK_THAT(law(1.6e5), WithinRel(3 * std::pow(1.6e5, 1.25), 1e-9));
}

TEST_CASE("A power law of other points has the least squares of the logarithms", "[scale]") {
  // log2 y = 0, 2, 1 over log2 x = 0, 1, 2: slope 1/2, mean 1.
  const std::vector<double> x{1, 2, 4}, y{1, 4, 2};
  const power_law law = fitted(x, y);
  CHECK_THAT(law.exponent, WithinRel(0.5, 1e-9));
  CHECK_THAT(law.factor, WithinRel(std::sqrt(2.0), 1e-9));
}

TEST_CASE("Points that determine no power law are refused", "[scale]") {
  const std::vector<double> one{1}, twice{3, 3}, two{1, 2};
  CHECK_THROWS_AS(fitted(one, one), std::invalid_argument);
  CHECK_THROWS_AS(fitted(twice, two), std::invalid_argument);
  CHECK_THROWS_AS(fitted(two, one), std::invalid_argument);
}

TEST_CASE("Ranks are as many as hold the rows in their share of memory", "[scale]") {
  const machine rank{.cores = 16, .memory = 64e9, .share = 0.5};
  CHECK(ranks_for(32e6, 1000, rank) == 1);
  CHECK(ranks_for(32e6 + 1, 1000, rank) == 2);
  CHECK(ranks_for(1e9, 1000, rank) == 32);  // 10^12 / (32 10^9) = 31.25
}

TEST_CASE("Lists of P ranks are merged in ceil(log2 P) rounds", "[scale]") {
  CHECK(rounds_of_merge(1) == 0);
  CHECK(rounds_of_merge(2) == 1);
  CHECK(rounds_of_merge(3) == 2);
  CHECK(rounds_of_merge(64) == 6);
  CHECK(rounds_of_merge(65) == 7);
  CHECK(rounds_of_merge(4096) == 12);
}

TEST_CASE("Shards take the sum of their builds, and the time of one", "[scale]") {
  const power_law square{.factor = 0.36, .exponent = 2};  // 100 rows a rank: 3600 s on a core
  const build_time build = build_of_shards(400, 4, square, 2);
  CHECK_THAT(build.core_hours, WithinRel(4.0, 1e-9));
  CHECK_THAT(build.hours, WithinRel(0.5, 1e-9));
}

TEST_CASE("A graph over ranks sends rows to homes and on visits, and lists back", "[scale]") {
  const graph_over_ranks graph{.homes = 2, .n_neighbors = 10, .visits = 3, .neighbor_bytes = 9};
  CHECK_THAT(graph.bytes_sent(1000, 4, 100), WithinRel(1000 * 0.75 * (500 + 90), 1e-9));  // a quarter stays on its rank
  CHECK(graph.bytes_sent(1000, 1, 100) == 0);
}

TEST_CASE("A graph over ranks is built by partitions, and the rank with most of them is waited for", "[scale]") {
  const graph_over_ranks graph{.partition = 100, .homes = 1.5};
  const power_law linear{.factor = 24, .exponent = 1};  // 150 rows: an hour
  const build_time build = graph.time(1000, 4, linear, 2);
  CHECK_THAT(build.core_hours, WithinRel(10.0, 1e-9));
  CHECK_THAT(build.hours, WithinRel(1.5, 1e-9));  // three partitions, on two cores
}

TEST_CASE("A query is sent to all other ranks, and a list comes from each", "[scale]") {
  const search_over_ranks search{.query_bytes = 128,
                                 .candidate_bytes = 12,
                                 .k = 10,
                                 .merge = 1e-6,
                                 .net = {.latency = 2e-6, .bytes_per_second = 1e9}};
  CHECK(search.bytes_a_query(1) == 0);
  CHECK(search.bytes_a_query(5) == 4 * (128 + 120));
  CHECK_THAT(search.broadcast(8, 1000), WithinRel(3 * (2e-6 + 128e-6), 1e-9));
}

TEST_CASE("Queries a second are limited by search, merging or the link of rank 0", "[scale]") {
  search_over_ranks search{.query_bytes = 128,
                           .candidate_bytes = 10,
                           .k = 100,
                           .merge = 1e-6,
                           .net = {.latency = 0, .bytes_per_second = 1e9}};
  CHECK_THAT(search.seconds_a_query(16, 1e-3), WithinRel(1e-3, 1e-9));
  CHECK_THAT(search.seconds_a_query(16, 1e-9),
             WithinRel(4e-6, 1e-9));  // four merges and lists of a kilobyte: 4 us either
  search.net.bytes_per_second = 1e8;
  CHECK_THAT(search.seconds_a_query(16, 1e-9), WithinRel(40e-6, 1e-9));
}

TEST_CASE("Scattered answers halve the lists to merge each round", "[scale]") {
  const search_over_ranks search{.query_bytes = 128,
                                 .candidate_bytes = 10,
                                 .k = 100,
                                 .merge = 1e-6,
                                 .net = {.latency = 5e-6, .bytes_per_second = 1e9}};
  // Of 1,000 queries 500, 250 and 125: a merge and a kilobyte each, 2 us.
  CHECK_THAT(search.scattered_merge(8, 1000), WithinRel(3 * 5e-6 + 875 * 2e-6, 1e-9));
  CHECK(search.scattered_merge(1, 1000) == 0);
}
