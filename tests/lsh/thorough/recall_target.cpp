#include "catch.hpp"
#include "lsh/two_indexes.hpp"

using namespace annulus;
using lsh_tests::cosine_index;
using lsh_tests::data;
using lsh_tests::euclidean_index;
using lsh_tests::float_rows;
using lsh_tests::same_bits;
using lsh_tests::short_keys;
using lsh_tests::well_formed;

namespace {

constexpr std::size_t dim = 24;

/// Rows all over, and queries each of which has one row near it, at various distances.
struct planted {
  float_rows rows, queries;
  explicit planted(std::uint64_t seed, std::size_t n = 2000, std::size_t n_queries = 40)
      : rows(n, dim), queries(n_queries, dim) {
    const counter_random random(seed), noise(seed, 1);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < dim; ++j) rows(i, j) = static_cast<float>(random.normal(i * dim + j));
    for (std::size_t i = 0; i < n_queries; ++i)
      for (std::size_t j = 0; j < dim; ++j)
        queries(i, j) = rows(i, j) + static_cast<float>(noise.normal(i * dim + j)) * (i % 2 == 0 ? 0.3f : 0.5f);
  }
};

/// The share of the queries whose own row is found, over some draws of functions; and how many rows were compared.
template <class Family>
std::pair<double, double> found_by(const Family& family, const lsh_params& base, const lsh_search_params& params) {
  double hits = 0, n = 0, candidates = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const planted made(seed);
    auto drawn = base;
    drawn.seed = seed;
    const lsh_index<float_rows, Family> index(made.rows, family, drawn);
    lsh_search_stats stats;
    const auto found = index.search(made.queries, 1, params, &stats);
    for (std::size_t i = 0; i < 40; ++i) hits += found.ids(i, 0) == i;
    n += 40;
    candidates += stats.candidates / 12;
  }
  return {hits / n, candidates};
}

}  // namespace

TEST_CASE("as many planted neighbours are found as a recall target asks for", "[lsh][recall_target]") {
  const auto check = [](const auto& family, const lsh_params& params) {
    double last = 0;
    for (const double target : {0.5, 0.8, 0.95}) {
      const auto [recall, candidates] = found_by(family, params, {.recall_target = target});
      CAPTURE(family.name, target, recall, candidates);
      CHECK(recall >= target - 3 * std::sqrt(target * (1 - target) / 480));
      CHECK(candidates > last);  // and a higher one costs more
      last = candidates;
    }
    CHECK(last < 1000);  // of 2000
  };
  check(sign_random_projection{}, {.n_projections = 12, .n_tables = 12});
  check(p_stable_l2{.width = 6}, {.n_projections = 8, .n_tables = 12});
}

TEST_CASE("the number of probes caps a search for a recall target", "[lsh][recall_target]") {
  lsh_tests::for_both([](const auto& index) {
    for (const std::size_t n_probes : {1u, 5u, 6u, 7u, 40u}) {
      const lsh_search_params capped{.n_probes = n_probes, .recall_target = 0.999999};
      lsh_search_stats stats;
      const auto found = index.search(data().queries, 10, capped, &stats);
      CHECK(well_formed(found));
      CHECK(stats.probes <= static_cast<double>(n_probes));
      if (n_probes <= 6) CHECK(same_bits(found, index.search(data().queries, 10, {.n_probes = n_probes})));
    }
  });
}

TEST_CASE("a cap that is not reached changes nothing", "[lsh][recall_target]") {
  const planted made(3);
  const cosine_index index(made.rows, {}, {.n_projections = 10, .n_tables = 15});
  lsh_search_stats free, capped;
  const auto found = index.search(made.queries, 1, {.recall_target = 0.5}, &free);
  CHECK(same_bits(index.search(made.queries, 1, {.n_probes = 100000, .recall_target = 0.5}, &capped), found));
  CHECK(free.probes == capped.probes);
}

TEST_CASE("a lower target looks into fewer buckets", "[lsh][recall_target]") {
  const planted made(4);
  const cosine_index index(made.rows, {}, {.n_projections = 12, .n_tables = 10});
  double last = 0;
  for (const double target : {0.1, 0.5, 0.9, 0.99}) {
    lsh_search_stats stats;
    index.search(made.queries, 1, {.recall_target = target}, &stats);
    CHECK(stats.probes > last);
    last = stats.probes;
  }
}

TEST_CASE("a query far from all rows, whose buckets are empty, gets the k nearest of all", "[lsh][recall_target]") {
  float_rows far(3, 16, 1000.0f);
  for (std::size_t j = 0; j < 16; ++j) far(1, j) = j % 2 == 0 ? 3000.0f : -500.0f;
  far(2, 5) = -1e6f;
  const auto exact = lsh_tests::exact<euclidean>(data().rows, far, 10);
  for (const std::size_t n_projections : {1u, 2u, 10u, 50u})  // few buckets to look into, or no end of them
    for (const std::size_t n_tables : {1u, 5u}) {
      const euclidean_index index(data().rows, {.width = 2}, {.n_projections = n_projections, .n_tables = n_tables});
      CAPTURE(n_projections, n_tables);
      CHECK(same_bits(index.search(far, 10, {.recall_target = 0.5}), exact));
    }
}

TEST_CASE("more neighbours than there are rows are all rows", "[lsh][recall_target]") {
  lsh_tests::for_both([](const auto& index) {
    using metric = typename std::remove_cvref_t<decltype(index)>::metric_type;
    const auto found = index.search(lsh_tests::rows_between(data().queries, 0, 5), 1600, {.recall_target = 0.1});
    CHECK(same_bits(found, lsh_tests::exact<metric>(data().rows, lsh_tests::rows_between(data().queries, 0, 5), 1600)));
  });
}

TEST_CASE("where a filter leaves fewer than k rows all of these are found", "[lsh][recall_target]") {
  lsh_tests::for_both([](const auto& index) {
    using metric = typename std::remove_cvref_t<decltype(index)>::metric_type;
    std::map<id_type, std::size_t> few{{3, 3}, {77, 77}, {1400, 1400}};
    const auto found =
        index.search(data().queries, 5, {.recall_target = 0.5, .filter = [&](id_type id) { return few.contains(id); }});
    CHECK(same_bits(found, lsh_tests::exact<metric>(data().rows, data().queries, 5, few)));
  });
}

TEST_CASE("a search for a recall target compares no more than max_candidates rows", "[lsh][recall_target]") {
  const planted made(5);
  const float_rows far(1, dim, 1000.0f);
  const euclidean_index index(made.rows, {.width = 6}, {.n_projections = 8, .n_tables = 5});
  for (const std::size_t limit : {1u, 30u, 500u})
    for (const float_rows* queries : {&made.queries, &far}) {
      lsh_search_stats stats;
      const auto found = index.search(*queries, 10, {.recall_target = 0.999, .max_candidates = limit}, &stats);
      CHECK(well_formed(found));
      CHECK(stats.candidates <= static_cast<double>(limit));
      CHECK(lsh_tests::count_of(found.ids.row(0)) == std::min<std::size_t>(10, limit));
    }
}

TEST_CASE("erased rows are not found on the way to a recall target", "[lsh][recall_target]") {
  const planted made(6);
  cosine_index index(made.rows, {}, {.n_projections = 12, .n_tables = 8});
  for (id_type id = 0; id < 40; ++id) index.erase(id);  // too few to compact
  auto left = lsh_tests::same_ids(2000);
  for (id_type id = 0; id < 40; ++id) left.erase(id);
  const auto truth = lsh_tests::exact<cosine>(made.rows, made.queries, 5, left);
  const auto found = index.search(made.queries, 5, {.recall_target = 0.95});
  CHECK(well_formed(found));
  CHECK(std::ranges::all_of(std::span(found.ids.data(), 200), [](id_type id) { return id >= 40; }));
  CHECK(recall(found, truth, 5) >= 0.9);
}
