#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>

#include "catch.hpp"
#include "lsh/indexes.hpp"
#include "message_of.hpp"

using namespace annulus;
using lsh_tests::infinity;
using lsh_tests::not_a_number;
using lsh_tests::rows_between;
using lsh_tests::same_bits;
using lsh_tests::well_formed;

// What an index refuses, and what it takes at the ends of ranges.

namespace {

using float_rows = matrix<float>;
using cosine_index = lsh_index<float_rows, sign_random_projection>;
using euclidean_index = lsh_index<float_rows, p_stable_l2>;

const lsh_params short_keys{.n_projections = 4, .n_tables = 3, .seed = 1};
const lsh_search_params everywhere{.n_probes = 3 * 16};

const lsh_tests::split<float_rows>& some() {
  static const lsh_tests::split made(lsh_tests::clusters<float>(320, 12, 10, 1), 20);
  return made;
}

const std::vector<float> bad_numbers{not_a_number, infinity, -infinity};

}  // namespace

// ---- Arguments ------------------------------------------------------------------------------------------------------

TEST_CASE("parameters of an index out of range are refused by name", "[lsh][lsh_index]") {
  const auto& rows = some().rows;
  CHECK_THAT(message_of([&] { cosine_index(rows, {}, {.n_projections = 0}); }), ContainsSubstring("n_projections = 0"));
  CHECK_THAT(message_of([&] { cosine_index(rows, {}, {.n_projections = 65}); }),
             ContainsSubstring("n_projections = 65"));
  CHECK_THAT(message_of([&] { cosine_index(rows, {}, {.n_tables = 0}); }), ContainsSubstring("n_tables = 0"));
  CHECK_THAT(message_of([&] { cosine_index(12, {}, {.n_tables = 0}); }), ContainsSubstring("n_tables = 0"));
  CHECK_THAT(message_of([&] { cosine_index(0); }), ContainsSubstring("dim = 0"));
  CHECK_THAT(message_of([&] { cosine_index(float_rows(5, 0)); }), ContainsSubstring("dim = 0"));
  CHECK_THAT(message_of([&] { cosine_index{float_rows()}; }), ContainsSubstring("dim = 0"));
  for (const double width : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    CHECK_THAT(message_of([&] { euclidean_index(rows, {.width = width}); }), ContainsSubstring("width = "));
}

TEST_CASE("more functions than can be counted are refused, not allocated", "[lsh][lsh_index]") {
  const std::size_t most = std::numeric_limits<std::size_t>::max();
  CHECK_THROWS_AS(euclidean_index(12, {}, {.n_projections = most}), std::invalid_argument);
  CHECK_THROWS_AS(euclidean_index(12, {}, {.n_projections = 1u << 20, .n_tables = most}), std::invalid_argument);
  CHECK_THROWS_AS(euclidean_index(most / 2, {}), std::invalid_argument);
}

TEST_CASE("a search out of range is refused by the argument's name", "[lsh][lsh_index]") {
  const cosine_index index(some().rows, {}, short_keys), empty(12, {}, short_keys);
  const auto& queries = some().queries;
  for (const cosine_index* i : {&index, &empty}) {
    CHECK_THAT(message_of([&] { i->search(queries, 0); }), ContainsSubstring("k = 0"));
    CHECK_THAT(message_of([&] { i->search(float_rows(0, 12), 0); }), ContainsSubstring("k = 0"));
    CHECK_THAT(message_of([&] { i->search(float_rows(2, 13), 3); }),
               ContainsSubstring("dimension = 13") && ContainsSubstring("12"));
    CHECK_THAT(message_of([&] { i->candidates(float_rows(2, 11)); }), ContainsSubstring("dimension = 11"));
    for (const double target : {-0.1, 0.0, 1.0000001, 1.5, std::nan(""), std::numeric_limits<double>::infinity()})
      CHECK_THAT(message_of([&] { i->search(queries, 3, {.recall_target = target}); }),
                 ContainsSubstring("recall_target = "));
    CHECK_THROWS_AS(i->search(queries, std::numeric_limits<std::size_t>::max()), std::invalid_argument);
  }
}

TEST_CASE("a search with a scratch out of range is refused by the argument's name", "[lsh][lsh_index]") {
  const cosine_index index(some().rows, {}, short_keys);
  auto scratch = index.make_scratch();
  std::vector<id_type> ids(3);
  std::vector<float> distances(4);
  const auto three = std::span(distances).first(3);
  const auto& queries = some().queries;
  CHECK_THAT(message_of([&] { index.search(queries.row(0), ids, distances, scratch); }),
             ContainsSubstring("distances size = 4"));
  CHECK_THAT(message_of([&] { index.search(queries.row(0), {}, {}, scratch); }), ContainsSubstring("k = 0"));
  CHECK_THAT(message_of([&] { index.search(queries.row(0).first(5), ids, three, scratch); }),
             ContainsSubstring("dimension = 5"));
  CHECK_THAT(message_of([&] { index.search(rows_between(queries, 0, 2), ids, three, scratch); }),
             ContainsSubstring("queries = 2"));
  CHECK_THAT(message_of([&] { index.search(float_rows(0, 12), ids, three, scratch); }),
             ContainsSubstring("queries = 0"));
  CHECK_THAT(message_of([&] { index.search(queries.row(0), ids, three, scratch, {.recall_target = 2}); }),
             ContainsSubstring("recall_target = 2"));
}

TEST_CASE("no queries get no answers", "[lsh][lsh_index]") {
  const cosine_index index(some().rows, {}, short_keys);
  lsh_search_stats stats{1, 1, 1};
  const auto found = index.search(float_rows(0, 12), 4, {}, &stats);
  CHECK(found.ids.rows() == 0);
  CHECK(found.ids.cols() == 4);
  CHECK(stats.candidates == 0);
  CHECK(stats.collisions == 0);
  CHECK(stats.probes == 0);
  CHECK(index.search(float_rows(), 4).ids.rows() == 0);
  CHECK(index.candidates(float_rows()).empty());
}

// ---- Rows and queries that are not finite ---------------------------------------------------------------------------

TEST_CASE("rows that are not finite are refused by the number of the row", "[lsh][lsh_index]") {
  for (const float bad : bad_numbers)
    for (const std::size_t row : {0u, 17u, 299u}) {
      auto rows = some().rows;
      rows(row, 11) = bad;
      CHECK_THAT(message_of([&] { cosine_index(rows, {}, short_keys); }),
                 ContainsSubstring("row " + std::to_string(row) + ", coordinate 11"));
    }
}

TEST_CASE("a query that is not finite gets nothing, and the others are not affected", "[lsh][lsh_index]") {
  const cosine_index index(some().rows, {}, short_keys);
  for (const lsh_search_params& params : {lsh_search_params{}, everywhere, {.recall_target = 0.9}})
    for (const float bad : bad_numbers) {
      auto queries = some().queries;
      queries(3, 0) = bad;
      auto expected = index.search(some().queries, 10, params);
      std::ranges::fill(expected.ids.row(3), no_id);
      std::ranges::fill(expected.distances.row(3), infinity);
      CHECK(same_bits(index.search(queries, 10, params), expected));
      auto candidates = index.candidates(some().queries, params);
      candidates[3] = {};
      CHECK(lsh_tests::same(index.candidates(queries, params), candidates));
    }
}

TEST_CASE("a query that is not finite gets nothing from a scratch", "[lsh][lsh_index]") {
  const euclidean_index index(some().rows, {}, short_keys);
  auto scratch = index.make_scratch();
  for (const lsh_search_params& params : {lsh_search_params{}, {.recall_target = 0.9}})
    for (const float bad : bad_numbers) {
      std::vector<id_type> ids(4, 1);
      std::vector<float> distances(4, 2);
      index.search(std::vector<float>(12, bad), ids, distances, scratch, params);
      CHECK(ids == std::vector<id_type>(4, no_id));
      CHECK(distances == std::vector<float>(4, infinity));
    }
}

TEST_CASE("finite numbers whose squares overflow break nothing", "[lsh][lsh_index]") {
  auto queries = some().queries;
  for (std::size_t i = 0; i < 20; ++i)
    for (float& x : queries.row(i)) x *= i % 2 == 0 ? 1e30f : 1e-30f;
  const cosine_index by_cosine(some().rows, {}, short_keys);
  CHECK(lsh_tests::same(by_cosine.candidates(queries), by_cosine.candidates(some().queries)));
  CHECK(well_formed(by_cosine.search(queries, 5, {.recall_target = 0.9})));
  const euclidean_index by_distance(some().rows, {}, short_keys);
  CHECK(by_distance.candidates(queries).size() == 20);
  CHECK(by_distance.search(queries, 5, {.recall_target = 0.9}).ids.rows() == 20);
}

// ---- Few rows, and rows that are alike ------------------------------------------------------------------------------

TEST_CASE("an index without rows returns padding", "[lsh][lsh_index]") {
  const auto check = [](const auto& index) {
    CHECK(index.size() == 0);
    CHECK(index.dim() == 12);
    for (const lsh_search_params& params : {lsh_search_params{}, everywhere, {.recall_target = 0.9}}) {
      CHECK(same_bits(index.search(some().queries, 5, params), neighbors(20, 5)));
      for (const auto& c : index.candidates(some().queries, params)) CHECK(c.ids.empty());
    }
    CHECK(index.describe().n_buckets == 0);
    CHECK(index.describe().mean == 0);
    CHECK(index.describe().min == 0);
  };
  check(cosine_index(float_rows(0, 12), {}, short_keys));
  check(cosine_index(12, {}, short_keys));
  check(euclidean_index(12, {}, short_keys));
}

TEST_CASE("rows that are no more than k are all found, and padding follows", "[lsh][lsh_index]") {
  for (const std::size_t n : {1u, 2u, 3u, 63u, 64u, 65u}) {
    const auto rows = rows_between(some().rows, 0, n);
    const cosine_index index(rows, {}, short_keys);
    for (const std::size_t k : {n, n + 1, 3 * n + 7})
      for (const lsh_search_params& params : {everywhere, {.recall_target = 0.9999}})
        CHECK(same_bits(index.search(some().queries, k, params), lsh_tests::exact<cosine>(rows, some().queries, k)));
  }
}

TEST_CASE("rows of one coordinate are searched", "[lsh][lsh_index]") {
  const lsh_tests::split data(lsh_tests::clusters<float>(300, 1, 10, 3), 20);
  const euclidean_index index(data.rows, {.width = 1}, short_keys);
  CHECK(same_bits(index.search(data.queries, 5, {.recall_target = 0.9999}),
                  lsh_tests::exact<euclidean>(data.rows, data.queries, 5)));
}

TEST_CASE("duplicates in any number are all found at distance 0", "[lsh][lsh_index]") {
  const euclidean_index index(float_rows(2000, 12, 1.5f), {}, short_keys);
  lsh_search_stats stats;
  const auto found = index.search(float_rows(3, 12, 1.5f), 2005, {}, &stats);
  for (std::size_t i = 0; i < 3; ++i) {
    for (id_type j = 0; j < 2000; ++j) CHECK((found.ids(i, j) == j && found.distances(i, j) == 0));
    CHECK(lsh_tests::count_of(found.ids.row(i)) == 2000);
  }
  CHECK(stats.candidates == 2000);
  CHECK(stats.collisions == 6000);
  const auto described = index.describe();
  CHECK(described.n_buckets == 3);
  CHECK(described.min == 2000);
  CHECK(described.max == 2000);
  CHECK(described.sd == 0);
}

TEST_CASE("zero vectors come first for a zero query by cosine", "[lsh][lsh_index]") {
  auto rows = some().rows;
  for (const std::size_t i : {4u, 100u, 101u, 299u}) std::ranges::fill(rows.row(i), 0.0f);
  const cosine_index index(rows, {}, short_keys);
  for (const lsh_search_params& params : {lsh_search_params{}, everywhere, {.recall_target = 0.9}}) {
    const auto found = index.search(float_rows(1, 12), 10, params);
    CHECK(well_formed(found));
    CHECK(std::ranges::equal(found.ids.row(0).first(4), std::vector<id_type>{4, 100, 101, 299}));
    CHECK(found.distances(0, 3) == 0);
    CHECK(found.distances(0, 4) >= 1);
  }
  CHECK(same_bits(index.search(some().queries, 300, everywhere), lsh_tests::exact<cosine>(rows, some().queries, 300)));
}

TEST_CASE("a search at the ends of its ranges is a search", "[lsh][lsh_index]") {
  const std::size_t most = std::numeric_limits<std::size_t>::max();
  const cosine_index index(some().rows, {}, short_keys);
  const auto exact = lsh_tests::exact<cosine>(some().rows, some().queries, 10);
  const auto& queries = some().queries;
  CHECK(same_bits(index.search(queries, 10, {.n_probes = most, .max_candidates = most}), exact));
  CHECK(same_bits(index.search(queries, 10, {.recall_target = std::nextafter(1.0, 0.0)}), exact));
  CHECK(same_bits(index.search(queries, 10, {.n_probes = most, .recall_target = std::nextafter(1.0, 0.0)}), exact));
  CHECK(well_formed(index.search(queries, 10, {.recall_target = 1e-300})));
  CHECK(lsh_tests::count_of(index.search(queries, 10, {.max_candidates = 1}).ids.row(0)) <= 1);
}
