#include <annulus/lsh/families/sign_random_projection.hpp>

#include "lsh/index_changes.hpp"
#include "message_of.hpp"

namespace change_tests {

using namespace annulus;
using lsh_tests::check_changes;
using lsh_tests::extend;
using lsh_tests::rows_between;
using lsh_tests::rows_of;
using lsh_tests::same;
using lsh_tests::same_bits;

namespace {

using float_rows = matrix<float>;
using float_index = lsh_index<float_rows, sign_random_projection>;

const lsh_params short_keys{.n_projections = 5, .n_tables = 4, .seed = 2};
constexpr std::size_t all_buckets = 32 * 4;

const float_rows& source() {
  static const auto made = lsh_tests::clusters<float>(3000, 8, 20, 1);
  return made;
}
const float_rows& queries() {
  static const auto made = lsh_tests::clusters<float>(3020, 8, 20, 1);
  static const auto some = rows_between(made, 3000, 3020);
  return some;
}

void check_holds(const float_index& index, const std::map<id_type, std::size_t>& row_of_id) {
  lsh_tests::check_holds(index, row_of_id, source(), queries());
  if (!index.params().only_index)
    CHECK(same_bits(index.search(queries(), 9, {.n_probes = all_buckets}),
                    lsh_tests::exact<cosine>(source(), queries(), 9, row_of_id)));
}

}  // namespace

// ---- Many changes ---------------------------------------------------------------------------------------------------

TEST_CASE("any changes of dense rows leave an index that answers as brute force does", "[lsh][lsh_index]") {
  for (const std::uint64_t seed : {1u, 2u, 3u})
    check_changes<float_rows>(rows_between(source(), 0, 300), queries(), sign_random_projection{}, short_keys,
                              (seed - 1) * 100, seed);
}

TEST_CASE("any changes of an index without its rows leave the candidates of brute force", "[lsh][lsh_index]") {
  auto params = short_keys;
  params.only_index = true;
  check_changes<float_rows>(rows_between(source(), 0, 300), queries(), sign_random_projection{}, params, 100, 4);
}

// ---- Insert ---------------------------------------------------------------------------------------------------------

TEST_CASE("insert returns the id of the first row, and ids are not given out again", "[lsh][lsh_index]") {
  float_index index(rows_between(source(), 0, 10), {}, short_keys);
  CHECK(index.insert(rows_between(source(), 10, 13)) == 10);
  CHECK(index.insert(float_rows(0, 8)) == 13);
  CHECK(index.insert(float_rows()) == 13);
  CHECK(index.insert(source().row(13)) == 13);
  for (id_type id = 0; id < 14; ++id) index.erase(id);
  index.compact();
  CHECK(index.insert(source().row(14)) == 14);
  CHECK(index.size() == 1);
}

TEST_CASE("many rows inserted at once are sorted into the tables", "[lsh][lsh_index]") {
  float_index index(rows_between(source(), 0, 100), {}, short_keys);
  index.insert(rows_between(source(), 100, 2900));
  check_holds(index, lsh_tests::same_ids(2900));
  const float_index built(rows_between(source(), 0, 2900), {}, short_keys);
  CHECK(index.describe().bytes == built.describe().bytes);
}

TEST_CASE("rows inserted one by one are sorted into the tables in time", "[lsh][lsh_index]") {
  float_index index(8, {}, short_keys);
  for (std::size_t i = 0; i < 3000; ++i) index.insert(source().row(i));
  check_holds(index, lsh_tests::same_ids(3000));
  const float_index built(source(), {}, short_keys);
  CHECK(index.describe().bytes < 7 * built.describe().bytes);
}

TEST_CASE("rows refused by an insert or an update change nothing", "[lsh][lsh_index]") {
  float_index index(rows_between(source(), 0, 200), {}, short_keys);
  index.insert(rows_between(source(), 200, 210));
  const auto bytes = index.describe().bytes;
  for (const float bad : {lsh_tests::not_a_number, lsh_tests::infinity}) {
    auto rows = rows_between(source(), 500, 520);
    rows(17, 7) = bad;
    CHECK_THAT(message_of([&] { index.insert(rows); }), ContainsSubstring("row 17, coordinate 7"));
    CHECK_THAT(message_of([&] { index.update(3, rows.row(17)); }), ContainsSubstring("row 0, coordinate 7"));
  }
  CHECK_THAT(message_of([&] { index.insert(float_rows(3, 9)); }), ContainsSubstring("dimension = 9"));
  CHECK_THAT(message_of([&] { index.update(3, std::vector<float>(9)); }), ContainsSubstring("dimension = 9"));
  CHECK_THAT(message_of([&] { index.update(3, rows_between(source(), 0, 2)); }), ContainsSubstring("rows = 2"));
  CHECK_THAT(message_of([&] { index.update(3, float_rows(0, 8)); }), ContainsSubstring("rows = 0"));
  CHECK_THAT(message_of([&] { index.update(210, source().row(0)); }), ContainsSubstring("id = 210"));
  CHECK(index.describe().bytes == bytes);
  check_holds(index, lsh_tests::same_ids(210));
  CHECK(index.insert(source().row(210)) == 210);
  check_holds(index, lsh_tests::same_ids(211));
}

// ---- Erase and update -----------------------------------------------------------------------------------------------

TEST_CASE("an id that is not in the index is not erased or updated", "[lsh][lsh_index]") {
  float_index index(rows_between(source(), 0, 100), {}, short_keys);
  index.erase(7);
  for (const id_type id : {id_type{7}, id_type{100}, no_id}) {
    CHECK_THAT(message_of([&] { index.erase(id); }), ContainsSubstring("id = " + std::to_string(id)));
    CHECK_THAT(message_of([&] { index.update(id, source().row(0)); }), ContainsSubstring("id = " + std::to_string(id)));
  }
  CHECK(index.size() == 99);
  index.compact();
  CHECK_THAT(message_of([&] { index.erase(7); }), ContainsSubstring("id = 7"));
}

TEST_CASE("an updated row is found where it is now, and not where it was", "[lsh][lsh_index]") {
  float_index index(rows_between(source(), 0, 300), {}, short_keys);
  auto expected = lsh_tests::same_ids(300);
  for (const std::size_t shift : {1000u, 2000u, 0u}) {
    for (std::size_t i = 0; i < 300; i += 2) {
      index.update(static_cast<id_type>(i), source().row(shift + i));
      expected[static_cast<id_type>(i)] = shift + i;
    }
    check_holds(index, expected);
  }
}

TEST_CASE("an id is updated to the row that it has", "[lsh][lsh_index]") {
  float_index index(rows_between(source(), 0, 1), {}, short_keys);
  for (std::size_t i = 0; i < 20; ++i) index.update(0, source().row(0));
  check_holds(index, lsh_tests::same_ids(1));
  CHECK(index.memory_bytes() < float_index(rows_between(source(), 0, 30), {}, short_keys).memory_bytes());
}

TEST_CASE("rows at equal distances come by ascending id, also where they were updated", "[lsh][lsh_index]") {
  float_index index(float_rows(100, 8, 2.5f), {}, short_keys);
  for (const id_type id : {3u, 1u, 2u}) index.update(id, std::vector<float>(8, 2.5f));
  const auto found = index.search(float_rows(1, 8, 2.5f), 5);
  CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{0, 1, 2, 3, 4}));
}

TEST_CASE("the memory of erased rows is free once a fifth of all were erased", "[lsh][lsh_index]") {
  float_index index(source(), {}, short_keys);
  const auto before = index.describe().bytes;
  for (id_type id = 0; id < 600; ++id) index.erase(id);
  CHECK(index.describe().bytes == before);
  index.erase(600);
  CHECK(100 * index.describe().bytes < 85 * before);
  auto expected = lsh_tests::same_ids(3000);
  for (id_type id = 0; id <= 600; ++id) expected.erase(id);
  check_holds(index, expected);
}

// ---- Compact --------------------------------------------------------------------------------------------------------

TEST_CASE("a compacted index is as one built of its rows", "[lsh][lsh_index]") {
  float_index index(rows_between(source(), 0, 900), {}, short_keys);
  index.insert(rows_between(source(), 900, 1000));
  auto expected = lsh_tests::same_ids(1000);
  for (id_type id = 3; id < 1000; id += 9) {
    index.erase(id);
    expected.erase(id);
  }
  index.compact();
  std::vector<std::size_t> left;
  for (const auto& [id, row] : expected) left.push_back(row);
  const float_index built(rows_of(source(), left), {}, short_keys);
  const auto is = index.describe(), should_be = built.describe();
  CHECK(is.n_buckets == should_be.n_buckets);
  CHECK(is.mean == should_be.mean);
  CHECK(is.sd == should_be.sd);
  CHECK(is.min == should_be.min);
  CHECK(is.max == should_be.max);
  CHECK(is.bytes == should_be.bytes);
  for (const lsh_search_params& params :
       {lsh_search_params{}, {.n_probes = 50}, {.n_probes = 50, .max_candidates = 30}, {.recall_target = 0.9}}) {
    auto found = built.search(queries(), 7, params);
    for (id_type& id : std::span(found.ids.data(), found.ids.rows() * 7))
      if (id != no_id) id = static_cast<id_type>(left[id]);
    CHECK(same_bits(index.search(queries(), 7, params), found));
    auto candidates = built.candidates(queries(), params);
    for (auto& c : candidates)
      for (id_type& id : c.ids) id = static_cast<id_type>(left[id]);
    CHECK(same(index.candidates(queries(), params), candidates));
  }
  check_holds(index, expected);
}

TEST_CASE("rows that were erased are not described", "[lsh][lsh_index]") {
  float_index index(rows_between(source(), 0, 500), {}, short_keys);
  for (id_type id = 0; id < 500; id += 6) index.erase(id);
  const auto before = index.describe();
  index.compact();
  const auto after = index.describe();
  CHECK(before.n_buckets == after.n_buckets);
  CHECK(before.mean == after.mean);
  CHECK(before.max == after.max);
  CHECK(before.bytes > after.bytes);
}

TEST_CASE("compacting an index that is whole changes nothing", "[lsh][lsh_index]") {
  float_index index(rows_between(source(), 0, 500), {}, short_keys);
  index.compact();
  check_holds(index, lsh_tests::same_ids(500));
  float_index empty(8, {}, short_keys);
  empty.compact();
  check_holds(empty, {});
}

// ---- Copies and moves -----------------------------------------------------------------------------------------------

TEST_CASE("copies of an index change on their own", "[lsh][lsh_index]") {
  float_index index(rows_between(source(), 0, 300), {}, short_keys);
  index.insert(rows_between(source(), 300, 320));
  float_index copy = index;
  for (id_type id = 0; id < 100; ++id) copy.erase(id);
  copy.insert(rows_between(source(), 320, 330));
  auto expected = lsh_tests::same_ids(330);
  for (id_type id = 0; id < 100; ++id) expected.erase(id);
  check_holds(index, lsh_tests::same_ids(320));
  check_holds(copy, expected);
  index = copy;
  copy = float_index(8, {}, short_keys);
  check_holds(index, expected);
  check_holds(copy, {});
}

TEST_CASE("an index that moves keeps all it holds", "[lsh][lsh_index]") {
  float_index index(rows_between(source(), 0, 300), {}, short_keys);
  index.insert(rows_between(source(), 300, 320));
  float_index moved = std::move(index);
  check_holds(moved, lsh_tests::same_ids(320));
  CHECK(moved.insert(source().row(320)) == 320);
  index = std::move(moved);
  check_holds(index, lsh_tests::same_ids(321));
}

}  // namespace change_tests
