#include <annulus/nndescent/rabitq.hpp>

#include "catch.hpp"
#include "message_of.hpp"
#include "nndescent/indexes.hpp"

using namespace annulus;
using indexes::clustered;
using indexes::rows_between;
using searches::same_bits;

// What is of rabitq alone; what it has in common with other storages is tested with theirs.

namespace {

using float_rows = matrix<float>;
using coded_index = nndescent_index<float_rows, euclidean, rabitq<>>;

const indexes::split<float>& data() {
  static const auto made = clustered<float>(2500, 32, 100, 10);
  return made;
}
const coded_index& coded() {
  static const coded_index index(data().rows);
  return index;
}
const neighbors& truth() {
  static const neighbors found = knn(data().rows, data().queries, 10);
  return found;
}

}  // namespace

TEST_CASE("codes of edges leave out rows that do not matter, and hardly others", "[nndescent_index][rabitq]") {
  const nndescent_index plain(data().rows, euclidean{});
  for (const std::size_t beam : {20u, 40u, 80u}) {
    nndescent_search_stats by_codes, by_rows;
    const auto found = coded().search(data().queries, 10, {.beam = beam}, &by_codes);
    const double expected = recall(plain.search(data().queries, 10, {.beam = beam}, &by_rows), truth(), 10);
    CAPTURE(beam, expected);
    CHECK(searches::well_formed(found));
    CHECK(indexes::wrong_distances(found, data().rows, data().queries, euclidean{}) == 0);
    CHECK(recall(found, truth(), 10) >= expected - 0.02);
    CHECK(by_codes.scans == 0);
    CHECK(by_codes.distances <= 0.9 * by_rows.distances);
  }
  CHECK(same_bits(coded().graph(), plain.graph()));
  CHECK(coded().memory_bytes() > plain.memory_bytes() + 2500 * (256 + 4 * 32));
}

TEST_CASE("without codes of edges nothing is searched by estimates", "[nndescent_index][rabitq]") {
  const nndescent_index plain(data().rows, euclidean{});
  const id_filter odd = [](id_type id) { return id % 2 == 1; };
  CHECK(same_bits(plain.search(data().queries, 10, {.beam = 20, .by_estimates = true}),
                  plain.search(data().queries, 10, {.beam = 20})));
  CHECK(same_bits(coded().search(data().queries, 10, {.beam = 20, .filter = odd, .by_estimates = true}),
                  coded().search(data().queries, 10, {.beam = 20, .filter = odd})));
  CHECK(!plain.tune(0.9).params.by_estimates);
}

TEST_CASE("more bits a coordinate leave out more rows", "[nndescent_index][rabitq]") {
  double last = std::numeric_limits<double>::infinity();
  for (const unsigned bits : {1u, 2u, 4u}) {
    const nndescent_index index(data().rows, euclidean{}, {}, rabitq<>{.bits = bits});
    nndescent_search_stats stats;
    const auto found = index.search(data().queries, 10, {.beam = 40}, &stats);
    CAPTURE(bits);
    CHECK(recall(found, truth(), 10) >= 0.97);
    CHECK(stats.distances < last);
    last = stats.distances;
  }
}

TEST_CASE("bits outside 1 to 4 are refused", "[nndescent_index][rabitq]") {
  for (const unsigned bits : {0u, 5u, 32u})
    for (const std::size_t n : {0u, 50u})
      CHECK_THAT(message_of([&] { coded_index(rows_between(data().rows, 0, n), {}, {}, {.bits = bits}); }),
                 ContainsSubstring("bits = " + std::to_string(bits)));
}

TEST_CASE("rows that are not finite are refused by an index with codes of its edges", "[nndescent_index][rabitq]") {
  for (const float bad : {graphs::not_a_number, graphs::infinity}) {
    auto rows = rows_between(data().rows, 0, 100);
    rows(17, 3) = bad;
    CHECK_THAT(message_of([&] { coded_index{rows}; }), ContainsSubstring("row 17, coordinate 3"));
  }
}

TEST_CASE("the name of the storage in files names the rows' too", "[nndescent_index][rabitq]") {
  CHECK(rabitq<>::name == "rabitq+full_precision");
  CHECK(rabitq<sq8>::name == "rabitq+sq8");
}

TEST_CASE("an index with codes of its edges is the same by any number of threads", "[nndescent_index][rabitq]") {
  const auto rows = rows_between(data().rows, 0, 800);
  const coded_index one(rows, {}, {.threads = 1}), four(rows, {}, {.threads = 4});
  const auto found = one.search(data().queries, 10, {.beam = 20, .threads = 1});
  CHECK(same_bits(four.search(data().queries, 10, {.beam = 20, .threads = 1}), found));
  CHECK(same_bits(one.search(data().queries, 10, {.beam = 20, .threads = 4}), found));
  const coded_index copy = one;
  CHECK(same_bits(copy.search(data().queries, 10, {.beam = 20}), found));
}

TEST_CASE("searches by codes, and such as do without, may share a scratch", "[nndescent_index][rabitq]") {
  auto scratch = coded().make_scratch();
  std::vector<id_type> ids(10), expected_ids(10);
  std::vector<float> distances(10), expected(10);
  const id_filter odd = [](id_type id) { return id % 2 == 1; };
  for (std::size_t i = 0; i < 100; ++i) {
    const nndescent_search_params params{.beam = 20, .filter = i % 3 == 0 ? odd : id_filter()};
    auto fresh = coded().make_scratch();
    coded().search(data().queries.row(i), expected_ids, expected, fresh, params);
    coded().search(data().queries.row(i), ids, distances, scratch, params);
    REQUIRE(ids == expected_ids);
    REQUIRE(distances == expected);
  }
}
