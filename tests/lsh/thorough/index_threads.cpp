#include <atomic>
#include <thread>

#include "catch.hpp"
#include "lsh/two_indexes.hpp"

using namespace annulus;
using lsh_tests::by_cosine;
using lsh_tests::cosine_index;
using lsh_tests::data;
using lsh_tests::for_both;
using lsh_tests::requests;
using lsh_tests::rows_between;
using lsh_tests::same;
using lsh_tests::same_bits;
using lsh_tests::short_keys;

TEST_CASE("a query is answered alone as in a batch", "[lsh][lsh_index]") {
  for_both([](const auto& index) {
    auto scratch = index.make_scratch();
    for (std::size_t r = 0; r < requests().size(); ++r) {
      neighbors single(60, 10);
      for (std::size_t i = 0; i < 60; ++i)
        index.search(data().queries.row(i), single.ids.row(i), single.distances.row(i), scratch, requests()[r]);
      CAPTURE(r);
      CHECK(same_bits(single, index.search(data().queries, 10, requests()[r])));
    }
  });
}

TEST_CASE("the answers do not depend on how queries are split into batches", "[lsh][lsh_index]") {
  for_both([](const auto& index) {
    for (std::size_t r = 0; r < requests().size(); ++r) {
      const auto expected = index.search(data().queries, 10, requests()[r]);
      const auto candidates = index.candidates(data().queries, requests()[r]);
      for (const std::size_t size : {1u, 7u, 31u}) {
        neighbors all(60, 10);
        std::vector<lsh_candidates> all_candidates;
        for (std::size_t i = 0; i < 60; i += size) {
          const auto batch = rows_between(data().queries, i, std::min<std::size_t>(i + size, 60));
          const auto found = index.search(batch, 10, requests()[r]);
          std::copy_n(found.ids.data(), found.ids.rows() * 10, all.ids.row(i).data());
          std::copy_n(found.distances.data(), found.ids.rows() * 10, all.distances.row(i).data());
          for (auto& c : index.candidates(batch, requests()[r])) all_candidates.push_back(std::move(c));
        }
        CAPTURE(r, size);
        CHECK(same_bits(all, expected));
        CHECK(same(all_candidates, candidates));
      }
    }
  });
}

TEST_CASE("any number of threads gives the same answers", "[lsh][lsh_index]") {
  for_both([](const auto& index) {
    for (lsh_search_params params : requests()) {
      params.threads = 1;
      lsh_search_stats expected_stats, stats;
      const auto expected = index.search(data().queries, 10, params, &expected_stats);
      const auto candidates = index.candidates(data().queries, params);
      for (const std::size_t threads : {2u, 3u, 8u}) {
        params.threads = threads;
        CHECK(same_bits(index.search(data().queries, 10, params, &stats), expected));
        CHECK(same(index.candidates(data().queries, params), candidates));
        CHECK(stats.candidates == expected_stats.candidates);
        CHECK(stats.collisions == expected_stats.collisions);
        CHECK(stats.probes == expected_stats.probes);
      }
    }
  });
}

TEST_CASE("any number of threads builds the same index", "[lsh][lsh_index]") {
  for_both([](const auto& index) {
    using index_type = std::remove_cvref_t<decltype(index)>;
    for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
      auto params = short_keys;
      params.threads = threads;
      const index_type built(data().rows, index.family(), params);
      index_type grown(rows_between(data().rows, 0, 900), index.family(), params);
      grown.insert(rows_between(data().rows, 900, 1500));
      for (const lsh_search_params& request : {requests()[0], requests()[2], requests()[4]}) {
        CHECK(same(built.candidates(data().queries, request), index.candidates(data().queries, request)));
        CHECK(same(grown.candidates(data().queries, request), index.candidates(data().queries, request)));
        CHECK(same_bits(built.search(data().queries, 5, request), index.search(data().queries, 5, request)));
        CHECK(same_bits(grown.search(data().queries, 5, request), index.search(data().queries, 5, request)));
      }
    }
  });
}

TEST_CASE("several threads search one index at once, each as if alone", "[lsh][lsh_index]") {
  for_both([](const auto& index) {
    std::vector<neighbors> expected;
    for (const auto& params : requests()) expected.push_back(index.search(data().queries, 10, params));
    std::atomic<std::size_t> wrong{0};
    {
      std::vector<std::jthread> threads;
      for (std::size_t t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
          auto scratch = index.make_scratch();
          for (std::size_t n = 0; n < 3 * requests().size(); ++n) {
            const std::size_t r = (n + t) % requests().size();
            neighbors found(60, 10);
            for (std::size_t i = 0; i < 60; ++i)
              index.search(data().queries.row(i), found.ids.row(i), found.distances.row(i), scratch, requests()[r]);
            wrong += !same_bits(found, expected[r]);
          }
        });
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("a scratch serves an index of another size after the first", "[lsh][lsh_index]") {
  const cosine_index small(rows_between(data().rows, 0, 90), {}, {.n_projections = 3, .n_tables = 2});
  auto scratch = small.make_scratch();
  for (std::size_t round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < 60; ++i)
      for (const cosine_index* index : {&by_cosine(), &small}) {
        neighbors found(1, 10);
        index->search(data().queries.row(i), found.ids.row(0), found.distances.row(0), scratch, {.n_probes = 8});
        CHECK(same_bits(found, index->search(rows_between(data().queries, i, i + 1), 10, {.n_probes = 8})));
      }
}

TEST_CASE("an exception of a filter reaches the caller and leaves the scratch as good as new", "[lsh][lsh_index]") {
  struct failure {};
  auto scratch = by_cosine().make_scratch();
  for (std::size_t i = 0; i < 60; ++i) {
    neighbors found(1, 10);
    const auto search = [&](const lsh_search_params& params) {
      by_cosine().search(data().queries.row(i), found.ids.row(0), found.distances.row(0), scratch, params);
    };
    std::size_t calls = 0;
    const auto fail = [&](id_type) { return ++calls > 20 ? throw failure{} : true; };
    CHECK_THROWS_AS(search({.n_probes = 100, .filter = fail}), failure);
    search({});
    CHECK(same_bits(found, by_cosine().search(rows_between(data().queries, i, i + 1), 10)));
  }
  const auto fail = [](id_type id) { return id > 700 ? throw failure{} : true; };
  CHECK_THROWS_AS(by_cosine().search(data().queries, 10, {.threads = 3, .filter = fail}), failure);
}
