#include "catch.hpp"
#include "lsh/two_indexes.hpp"
#include "message_of.hpp"

namespace index_tests {

using namespace annulus;
using lsh_tests::by_cosine;
using lsh_tests::by_distance;
using lsh_tests::cosine_index;
using lsh_tests::data;
using lsh_tests::euclidean_index;
using lsh_tests::float_rows;
using lsh_tests::for_both;
using lsh_tests::requests;
using lsh_tests::rows_between;
using lsh_tests::same;
using lsh_tests::same_bits;
using lsh_tests::short_keys;
using lsh_tests::well_formed;

// ---- What is found --------------------------------------------------------------------------------------------------

TEST_CASE("the candidates are the rows whose keys are the query's, those of most tables first", "[lsh][lsh_index]") {
  const auto ids = lsh_tests::same_ids(1500);
  const lsh_tests::key_model<float_rows, sign_random_projection> signs(data().rows, data().queries, {}, short_keys);
  CHECK(same(by_cosine().candidates(data().queries), signs.candidates(ids)));
  const lsh_tests::key_model<float_rows, p_stable_l2> places(data().rows, data().queries, {.width = 20}, short_keys);
  CHECK(same(by_distance().candidates(data().queries), places.candidates(ids)));
}

// Beyond one bucket a table a search is led by what it found, which candidates() does not look at.
TEST_CASE("a search returns the nearest of its candidates with the distances of the metric, to the bit",
          "[lsh][lsh_index]") {
  for_both([](const auto& index) {
    using metric = typename std::remove_cvref_t<decltype(index)>::metric_type;
    for (const lsh_search_params& params :
         {lsh_search_params{}, {.n_probes = 3}, {.max_candidates = 20}, {.filter = [](id_type id) {
            return id % 3 == 1;
          }}}) {
      const auto found = index.search(data().queries, 10, params);
      const auto candidates = index.candidates(data().queries, params);
      CHECK(well_formed(found));
      CHECK(same_bits(found, lsh_tests::exact_among<metric>(candidates, data().rows, data().queries, 10,
                                                            lsh_tests::same_ids(1500))));
    }
  });
}

TEST_CASE("whatever a search is asked its answers are rows at the distances of the metric", "[lsh][lsh_index]") {
  for_both([](const auto& index) {
    using metric = typename std::remove_cvref_t<decltype(index)>::metric_type;
    for (const lsh_search_params& params : requests()) {
      const auto found = index.search(data().queries, 10, params);
      CHECK(well_formed(found));
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < 60; ++i)
        for (std::size_t j = 0; j < 10; ++j) {
          const id_type id = found.ids(i, j);
          wrong += id != no_id && (id >= 1500 || found.distances(i, j) != metric{}(data().queries.row(i).data(),
                                                                                   data().rows.row(id).data(), 16));
        }
      CHECK(wrong == 0);
    }
  });
}

TEST_CASE("a search of all buckets is exact", "[lsh][lsh_index]") {
  const cosine_index index(data().rows, {}, {.n_projections = 4, .n_tables = 2});
  for (const std::size_t n_probes : {std::size_t{32}, std::size_t{33}, std::numeric_limits<std::size_t>::max()})
    CHECK(same_bits(index.search(data().queries, 20, {.n_probes = n_probes}),
                    lsh_tests::exact<cosine>(data().rows, data().queries, 20)));
}

TEST_CASE("more probes than there are buckets are no error", "[lsh][lsh_index]") {
  const euclidean_index index(data().rows, {.width = 50}, {.n_projections = 2, .n_tables = 2});
  CHECK(same_bits(index.search(data().queries, 5, {.n_probes = 1000000}),
                  lsh_tests::exact<euclidean>(data().rows, data().queries, 5)));
  lsh_search_stats stats;
  index.search(data().queries, 5, {.n_probes = 1000000}, &stats);
  CHECK(stats.probes == 18);
}

TEST_CASE("more probes find more, and enough of them nearly all", "[lsh][lsh_index]") {
  for_both([](const auto& index) {
    using metric = typename std::remove_cvref_t<decltype(index)>::metric_type;
    const auto truth = lsh_tests::exact<metric>(data().rows, data().queries, 10);
    double last = 0;
    for (const std::size_t n_probes : {1u, 6u, 30u, 150u}) {
      const double now = recall(index.search(data().queries, 10, {.n_probes = n_probes}), truth, 10);
      CHECK(now >= last);
      last = now;
    }
    CHECK(last >= 0.95);
  });
}

TEST_CASE("by default a search looks into one bucket a table", "[lsh][lsh_index]") {
  for_both([](const auto& index) {
    lsh_search_stats stats;
    const auto found = index.search(data().queries, 10, {}, &stats);
    CHECK(stats.probes == 6);
    CHECK(same_bits(found, index.search(data().queries, 10, {.n_probes = 6})));
  });
}

TEST_CASE("rows at equal distances come by ascending id", "[lsh][lsh_index]") {
  float_rows rows(300, 16);
  for (std::size_t i = 0; i < 300; ++i) std::ranges::copy(data().rows.row(i % 3), rows.row(i).begin());
  const cosine_index index(rows, {}, short_keys);
  const auto found = index.search(rows_between(rows, 1, 2), 40);
  for (std::size_t j = 0; j < 40; ++j) CHECK(found.ids(0, j) == 3 * j + 1);
}

// ---- Limits and costs -----------------------------------------------------------------------------------------------

TEST_CASE("a filter lets through some rows and all else is as before", "[lsh][lsh_index]") {
  for_both([](const auto& index) {
    std::vector<bool> third(1500);
    for (std::size_t i = 0; i < 1500; i += 3) third[i] = true;
    for (const std::size_t n_probes : {0u, 50u}) {
      auto expected = index.candidates(data().queries, {.n_probes = n_probes});
      for (auto& c : expected) {
        lsh_candidates some;
        for (std::size_t j = 0; j < c.ids.size(); ++j)
          if (c.ids[j] % 3 == 0) {
            some.ids.push_back(c.ids[j]);
            some.collisions.push_back(c.collisions[j]);
          }
        c = some;
      }
      const lsh_search_params by_bits{.n_probes = n_probes, .filter = third};
      const lsh_search_params by_call{.n_probes = n_probes, .filter = [](id_type id) { return id % 3 == 0; }};
      CHECK(same(index.candidates(data().queries, by_bits), expected));
      CHECK(same(index.candidates(data().queries, by_call), expected));
      const auto found = index.search(data().queries, 10, by_bits);
      CHECK(
          std::ranges::all_of(std::span(found.ids.data(), 600), [](id_type id) { return id == no_id || id % 3 == 0; }));
      CHECK(same_bits(index.search(data().queries, 10, by_call), found));
    }
    const auto none = index.search(data().queries, 10, {.n_probes = 100, .filter = std::vector<bool>(1500)});
    CHECK(same_bits(none, neighbors(60, 10)));
  });
}

TEST_CASE("no more than max_candidates rows are compared, of the first buckets", "[lsh][lsh_index]") {
  for_both([](const auto& index) {
    for (const std::size_t n_probes : {0u, 100u}) {
      const auto unlimited = index.candidates(data().queries, {.n_probes = n_probes});
      std::vector<lsh_candidates> last(60);
      for (const std::size_t limit : {1u, 5u, 37u, 400u, 2000u}) {
        const lsh_search_params params{.n_probes = n_probes, .max_candidates = limit};
        const auto some = index.candidates(data().queries, params);
        lsh_search_stats stats;
        const auto found = index.search(data().queries, 10, params, &stats);
        std::size_t lost = 0;
        for (std::size_t i = 0; i < 60; ++i) {
          CHECK(some[i].ids.size() == std::min(limit, unlimited[i].ids.size()));
          CHECK(lsh_tests::count_of(found.ids.row(i)) <= limit);
          for (const id_type id : last[i].ids) lost += std::ranges::count(some[i].ids, id) != 1;
        }
        CHECK(stats.candidates <= static_cast<double>(limit));
        CHECK(lost == 0);  // a larger limit only adds
        last = some;
      }
      CHECK(same(last, unlimited));
    }
  });
}

TEST_CASE("the cost of a search is told as it was", "[lsh][lsh_index]") {
  for_both([](const auto& index) {
    for (const std::size_t n_probes : {1u, 6u, 77u}) {
      lsh_search_stats stats, of_candidates;
      index.search(data().queries, 10, {.n_probes = n_probes}, &stats);
      const auto candidates = index.candidates(data().queries, {.n_probes = n_probes}, &of_candidates);
      double n_candidates = 0, n_collisions = 0;
      for (const auto& c : candidates) {
        n_candidates += static_cast<double>(c.ids.size());
        for (const std::uint32_t count : c.collisions) n_collisions += count;
      }
      CHECK(stats.probes == static_cast<double>(n_probes));
      CHECK(of_candidates.probes == stats.probes);
      CHECK(of_candidates.candidates == Approx(n_candidates / 60));
      CHECK(of_candidates.collisions == Approx(n_collisions / 60));
      CHECK(stats.candidates <= stats.collisions);
      if (n_probes > 6) continue;
      CHECK(of_candidates.candidates == stats.candidates);
      CHECK(of_candidates.collisions == stats.collisions);
    }
  });
}

TEST_CASE("candidates do not depend on a recall target", "[lsh][lsh_index]") {
  CHECK(same(by_cosine().candidates(data().queries, {.recall_target = 0.9}), by_cosine().candidates(data().queries)));
}

// ---- Without rows ---------------------------------------------------------------------------------------------------

TEST_CASE("an index without its rows knows the candidates, and takes less memory", "[lsh][lsh_index]") {
  auto params = short_keys;
  params.only_index = true;
  const cosine_index index(data().rows, {}, params);
  for (const auto& request : requests())
    CHECK(same(index.candidates(data().queries, request), by_cosine().candidates(data().queries, request)));
  CHECK(index.size() == 1500);
  CHECK(index.memory_bytes() + 1500 * 16 * sizeof(float) <= by_cosine().memory_bytes());
}

TEST_CASE("an index without its rows does not search", "[lsh][lsh_index]") {
  const cosine_index index(data().rows, {}, {.only_index = true});
  CHECK_THAT(message_of([&] { index.search(data().queries, 1); }), ContainsSubstring("only_index"));
  auto scratch = index.make_scratch();
  std::vector<id_type> ids(2);
  std::vector<float> distances(2);
  CHECK_THAT(message_of([&] { index.search(data().queries.row(0), ids, distances, scratch); }),
             ContainsSubstring("only_index"));
}

// ---- What it is -----------------------------------------------------------------------------------------------------

TEST_CASE("an index tells what it was built with", "[lsh][lsh_index]") {
  const euclidean_index& index = by_distance();
  CHECK(index.size() == 1500);
  CHECK(index.dim() == 16);
  CHECK(index.family().width == 20);
  CHECK(index.params().n_projections == 7);
  CHECK(index.params().n_tables == 6);
  CHECK(index.params().seed == 3);
  CHECK(index.collision_probability(2) == Approx(std::pow(gaussian_probability(2, 20), 7)));
}

TEST_CASE("a table takes at most six bytes a row, and the rows eight more", "[lsh][lsh_index]") {
  const auto bytes = [](std::size_t n, std::size_t n_tables) {
    const lsh_params params{.n_projections = 1, .n_tables = n_tables, .only_index = true};
    return cosine_index(rows_between(data().rows, 0, n), {}, params).memory_bytes();
  };
  for (const std::size_t n : {1u, 100u, 1000u, 1023u, 1024u, 1500u}) {
    constexpr std::size_t hashing = 16384;  // of 50 directions, in whole registers
    CHECK(bytes(n, 50) <= n * (8 + 6 * 50) + hashing);
    CHECK(bytes(n, 50) >= n * (8 + 5 * 50));
  }
}

TEST_CASE("the buckets of an index are described", "[lsh][lsh_index]") {
  const lsh_tests::key_model<float_rows, sign_random_projection> model(data().rows, data().queries, {}, short_keys);
  std::map<std::pair<std::size_t, std::uint64_t>, std::size_t> sizes;
  for (std::size_t t = 0; t < 6; ++t)
    for (std::size_t i = 0; i < 1500; ++i) ++sizes[{t, model.keys()(t, i)}];
  std::size_t most = 0;
  for (const auto& [bucket, size] : sizes) most = std::max(most, size);
  const auto stats = by_cosine().describe();
  CHECK(stats.n_buckets == sizes.size());
  CHECK(stats.mean == Approx(6 * 1500 / static_cast<double>(sizes.size())));
  CHECK(stats.max == most);
}

TEST_CASE("another seed draws other functions", "[lsh][lsh_index]") {
  auto params = short_keys;
  params.seed = 4;
  const cosine_index other(data().rows, {}, params);
  CHECK_FALSE(same(other.candidates(data().queries), by_cosine().candidates(data().queries)));
}

TEST_CASE("the kinds of rows and of functions follow from the arguments", "[lsh][lsh_index]") {
  const lsh_index index(data().rows, sign_random_projection{});
  CHECK(std::is_same_v<decltype(index), const cosine_index>);
  const matrix_view<float> view = data().rows;
  const lsh_index of_view(view, p_stable_l2{.width = 20}, short_keys);
  CHECK(std::is_same_v<decltype(of_view), const euclidean_index>);
  CHECK(same(of_view.candidates(data().queries), by_distance().candidates(data().queries)));
}

TEST_CASE("rows and queries may lie apart in memory", "[lsh][lsh_index]") {
  float_rows wide(1500, 20, 7.0f), wide_queries(60, 23, 7.0f);
  for (std::size_t i = 0; i < 1500; ++i) std::ranges::copy(data().rows.row(i), wide.row(i).begin());
  for (std::size_t i = 0; i < 60; ++i) std::ranges::copy(data().queries.row(i), wide_queries.row(i).begin());
  const matrix_view<float> rows(wide.data(), 1500, 16, 20), queries(wide_queries.data(), 60, 16, 23);
  const cosine_index index(rows, {}, short_keys);
  CHECK(
      same_bits(index.search(queries, 10, {.n_probes = 30}), by_cosine().search(data().queries, 10, {.n_probes = 30})));
}

}  // namespace index_tests
