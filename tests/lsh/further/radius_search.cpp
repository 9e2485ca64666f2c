#include "catch.hpp"
#include "lsh/two_indexes.hpp"
#include "message_of.hpp"

using namespace annulus;
using lsh_tests::cosine_index;
using lsh_tests::data;
using lsh_tests::euclidean_index;
using lsh_tests::exact_within;
using lsh_tests::float_rows;
using lsh_tests::for_both;
using lsh_tests::not_a_number;
using lsh_tests::requests;
using lsh_tests::rows_between;
using lsh_tests::same_bits;
using lsh_tests::short_keys;

namespace {

/// About the distance of the 20th neighbour, by each metric.
template <class Index>
float usual_radius(const Index& index) {
  static const float radius =
      lsh_tests::exact<typename Index::metric_type>(data().rows, data().queries, 20).distances(0, 19);
  static_cast<void>(index);
  return radius;
}

csr without_row(const csr& of, std::size_t row) {
  csr result = of;
  const std::int64_t begin = of.indptr[row], count = of.indptr[row + 1] - begin;
  result.indices.erase(result.indices.begin() + begin, result.indices.begin() + begin + count);
  result.distances.erase(result.distances.begin() + begin, result.distances.begin() + begin + count);
  for (std::size_t i = row + 1; i < result.indptr.size(); ++i) result.indptr[i] -= count;
  return result;
}

}  // namespace

// ---- What is found --------------------------------------------------------------------------------------------------

TEST_CASE("any number of rows is found within a radius, those at equal distances by ascending id",
          "[lsh][radius_search]") {
  const euclidean_index index(float_rows(2000, 16, 1.5f), {}, short_keys);
  for (const lsh_search_params& how : {lsh_search_params{}, {.recall_target = 0.5}, {.recall_target = 1}}) {
    const csr found = index.radius_search(float_rows(2, 16, 1.5f), 0, how);
    REQUIRE(found.indptr == std::vector<std::int64_t>{0, 2000, 4000});
    for (std::size_t j = 0; j < 4000; ++j)
      CHECK((found.indices[j] == static_cast<std::int32_t>(j % 2000) && found.distances[j] == 0));
  }
}

TEST_CASE("a radius search begins with what a search for the nearest finds in the same buckets",
          "[lsh][radius_search]") {
  for_both([](const auto& index) {
    const auto nearest = index.search(data().queries, 10);
    const csr within = index.radius_search(data().queries, lsh_tests::infinity);
    for (std::size_t i = 0; i < 60; ++i) {
      const std::size_t begin = static_cast<std::size_t>(within.indptr[i]),
                        n = static_cast<std::size_t>(within.indptr[i + 1]) - begin;
      REQUIRE(lsh_tests::count_of(nearest.ids.row(i)) == std::min<std::size_t>(n, 10));
      for (std::size_t j = 0; j < std::min<std::size_t>(n, 10); ++j) {
        CHECK(within.indices[begin + j] == static_cast<std::int32_t>(nearest.ids(i, j)));
        CHECK(within.distances[begin + j] == nearest.distances(i, j));
      }
    }
  });
}

TEST_CASE("the columns of what is within a radius are all ids given out, also those erased", "[lsh][radius_search]") {
  cosine_index index(rows_between(data().rows, 0, 50), {}, short_keys);
  CHECK(index.radius_search(data().queries, 1).n_columns == 50);
  index.insert(rows_between(data().rows, 50, 60));
  for (id_type id = 0; id < 60; ++id) index.erase(id);
  for (const lsh_search_params& how : {lsh_search_params{}, {.recall_target = 0.9}, {.recall_target = 1}})
    CHECK(same_bits(index.radius_search(data().queries, 2, how), csr{std::vector<std::int64_t>(61), {}, {}, 60}));
}

TEST_CASE("an index without rows has none within any radius", "[lsh][radius_search]") {
  const auto check = [](const auto& index) {
    for (const lsh_search_params& how : {lsh_search_params{}, {.recall_target = 0.9}, {.recall_target = 1}})
      CHECK(same_bits(index.radius_search(data().queries, 5, how), csr{std::vector<std::int64_t>(61), {}, {}, 0}));
  };
  check(cosine_index(16, {}, short_keys));
  check(euclidean_index(16, {}, short_keys));
  check(euclidean_index(float_rows(0, 16), {.width = 2}, short_keys));
}

TEST_CASE("a query that is not finite has no rows within any radius, and the others are not affected",
          "[lsh][radius_search]") {
  for_both([](const auto& index) {
    for (const lsh_search_params& how : {lsh_search_params{}, {.recall_target = 0.9}, {.recall_target = 1}})
      for (const float bad : {not_a_number, lsh_tests::infinity}) {
        auto queries = data().queries;
        queries(3, 7) = bad;
        const csr whole = index.radius_search(data().queries, usual_radius(index), how);
        REQUIRE(whole.indptr[4] > whole.indptr[3]);
        CHECK(same_bits(index.radius_search(queries, usual_radius(index), how), without_row(whole, 3)));
        auto scratch = index.make_scratch();
        std::vector<id_type> ids{1};
        std::vector<float> distances{2, 3};
        index.radius_search(queries.row(3), usual_radius(index), ids, distances, scratch, how);
        CHECK((ids.empty() && distances.empty()));
      }
  });
}

// ---- Costs ----------------------------------------------------------------------------------------------------------

TEST_CASE("a lower recall target or a smaller radius looks into fewer buckets", "[lsh][radius_search]") {
  for_both([](const auto& index) {
    const float radius = usual_radius(index) / 2;
    const auto probes = [&](float r, double target) {
      lsh_search_stats stats;
      index.radius_search(data().queries, r, {.recall_target = target}, &stats);
      return stats.probes;
    };
    CHECK(probes(radius, 0.3) < probes(radius, 0.6));
    CHECK(probes(radius, 0.6) < probes(radius, 0.95));
    CHECK(probes(radius / 8, 0.9) < probes(radius, 0.9));
    CHECK(probes(0, 0.9) == 1);  // a row that is the query is in its first bucket
  });
}

TEST_CASE("the number of probes caps a radius search for a recall target", "[lsh][radius_search]") {
  for_both([](const auto& index) {
    for (const std::size_t n_probes : {1u, 6u, 7u, 40u}) {
      lsh_search_stats stats;
      index.radius_search(data().queries, usual_radius(index), {.n_probes = n_probes, .recall_target = 1}, &stats);
      CHECK(stats.probes == static_cast<double>(n_probes));
    }
  });
}

TEST_CASE("a radius search compares no more than max_candidates rows", "[lsh][radius_search]") {
  for_both([](const auto& index) {
    for (const std::optional<double> target : {std::optional<double>(), {0.9}, {1.0}}) {
      lsh_search_stats stats;
      const lsh_search_params how{.recall_target = target, .max_candidates = 30};
      const csr found = index.radius_search(data().queries, lsh_tests::infinity, how, &stats);
      CHECK(stats.candidates <= 30);
      if (target) CHECK(found.indices.size() == 30 * 60);
    }
  });
}

TEST_CASE("a recall target of 1 compares every row once and looks into no bucket", "[lsh][radius_search]") {
  for_both([](const auto& index) {
    lsh_search_stats stats;
    index.radius_search(data().queries, usual_radius(index), {.recall_target = 1}, &stats);
    CHECK(stats.candidates == 1500);
    CHECK(stats.probes == 0);
    index.search(data().queries, 5, {.recall_target = 1}, &stats);
    CHECK(stats.candidates == 1500);
    CHECK(stats.probes == 0);
  });
}

TEST_CASE("with a recall target of 1 the nearest rows are exact", "[lsh][recall_target]") {
  for_both([](const auto& index) {
    using metric = typename std::remove_cvref_t<decltype(index)>::metric_type;
    CHECK(same_bits(index.search(data().queries, 40, {.recall_target = 1}),
                    lsh_tests::exact<metric>(data().rows, data().queries, 40)));
    std::map<id_type, std::size_t> odd;
    for (id_type id = 1; id < 1500; id += 2) odd[id] = id;
    CHECK(same_bits(
        index.search(data().queries, 40, {.recall_target = 1, .filter = [](id_type id) { return id % 2 == 1; }}),
        lsh_tests::exact<metric>(data().rows, data().queries, 40, odd)));
  });
}

// ---- Alone, in batches, by threads ----------------------------------------------------------------------------------

TEST_CASE("a query's rows within a radius are those it has alone, in any batch and by any threads",
          "[lsh][radius_search]") {
  for_both([](const auto& index) {
    auto scratch = index.make_scratch();
    for (lsh_search_params how : requests()) {
      how.threads = 1;
      lsh_search_stats stats, by_threads;
      const float radius = usual_radius(index);
      const csr expected = index.radius_search(data().queries, radius, how, &stats);
      csr single{{0}, {}, {}, 1500};
      for (std::size_t i = 0; i < 60; ++i) {
        std::vector<id_type> ids(7);
        std::vector<float> distances(3);
        index.radius_search(data().queries.row(i), radius, ids, distances, scratch, how);
        single.indices.insert(single.indices.end(), ids.begin(), ids.end());
        single.distances.insert(single.distances.end(), distances.begin(), distances.end());
        single.indptr.push_back(static_cast<std::int64_t>(single.indices.size()));
      }
      CHECK(same_bits(single, expected));
      for (const std::size_t threads : {2u, 3u, 8u}) {
        how.threads = threads;
        CHECK(same_bits(index.radius_search(data().queries, radius, how, &by_threads), expected));
        CHECK(by_threads.candidates == stats.candidates);
        CHECK(by_threads.probes == stats.probes);
      }
    }
  });
}

TEST_CASE("an exception of a filter reaches the caller of a radius search and leaves the scratch as good as new",
          "[lsh][radius_search]") {
  struct failure {};
  for_both([](const auto& index) {
    auto scratch = index.make_scratch();
    std::vector<id_type> ids, expected;
    std::vector<float> distances;
    const auto query = data().queries.row(0);
    const float radius = usual_radius(index);
    index.radius_search(query, radius, expected, distances, scratch);
    std::size_t calls = 0;
    const auto fail = [&](id_type) { return ++calls > 20 ? throw failure{} : true; };
    CHECK_THROWS_AS(index.radius_search(query, radius, ids, distances, scratch, {.recall_target = 1, .filter = fail}),
                    failure);
    index.radius_search(query, radius, ids, distances, scratch);
    CHECK(ids == expected);
  });
}

// ---- Arguments ------------------------------------------------------------------------------------------------------

TEST_CASE("a radius search out of range is refused by the argument's name", "[lsh][radius_search]") {
  const cosine_index index(data().rows, {}, short_keys), bare(data().rows, {}, {.only_index = true});
  auto scratch = index.make_scratch();
  std::vector<id_type> ids;
  std::vector<float> distances;
  const auto alone = [&](const matrix_view<float>& query, float radius, const lsh_search_params& how = {}) {
    return message_of([&] { index.radius_search(query, radius, ids, distances, scratch, how); });
  };
  const auto batch = [&](const matrix_view<float>& queries, float radius, const lsh_search_params& how = {}) {
    return message_of([&] { index.radius_search(queries, radius, how); });
  };
  const float_rows query = rows_between(data().queries, 0, 1), longer(1, 17);
  for (const auto& message :
       {alone(query, not_a_number), batch(query, not_a_number), batch(float_rows(), not_a_number)})
    CHECK_THAT(message, ContainsSubstring("radius = nan"));
  for (const double target : {-0.1, 1.1, std::nan("")})
    for (const auto& message : {alone(query, 1, {.recall_target = target}), batch(query, 1, {.recall_target = target})})
      CHECK_THAT(message, ContainsSubstring("recall_target = "));
  for (const auto& message : {alone(longer, 1), batch(longer, 1)})
    CHECK_THAT(message, ContainsSubstring("dimension = 17"));
  CHECK_THAT(alone(rows_between(data().queries, 0, 2), 1), ContainsSubstring("queries = 2"));
  CHECK_THAT(message_of([&] { bare.radius_search(query, 1); }), ContainsSubstring("only_index"));
  CHECK(same_bits(index.radius_search(float_rows(), 1), csr{{0}, {}, {}, 1500}));
}
