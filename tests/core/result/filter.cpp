#include <annulus/core/base/random.hpp>
#include <annulus/core/result/filter.hpp>

#include "catch.hpp"

#include <algorithm>
#include <set>

using namespace annulus;

namespace {

bool is_even(id_type id) { return id % 2 == 0; }

}  // namespace

TEST_CASE("a filter made of nothing lets every row pass", "[filter]") {
  const id_filter filter;
  CHECK(filter.empty());
  CHECK(filter(0));
  CHECK(filter(no_id));
}

TEST_CASE("a bitset lets pass the rows that are set", "[filter]") {
  std::vector<bool> allowed(200);
  for (const std::size_t i : {0u, 1u, 63u, 64u, 127u, 128u, 199u}) allowed[i] = true;
  const id_filter filter = allowed;
  CHECK(!filter.empty());
  std::vector<bool> passed;
  for (id_type id = 0; id < 200; ++id) passed.push_back(filter(id));
  CHECK(passed == allowed);
}

TEST_CASE("rows past the end of a bitset do not pass", "[filter]") {
  const id_filter filter = std::vector<bool>(70, true);
  CHECK(filter(69));
  CHECK(!filter(70));   // in its last word
  CHECK(!filter(128));  // beyond it
  CHECK(!filter(no_id));
}

TEST_CASE("an empty bitset lets nothing pass", "[filter]") {
  const id_filter filter = std::vector<bool>{};
  CHECK(!filter.empty());
  CHECK(!filter(0));
}

TEST_CASE("a bitset that changes later does not change its filter", "[filter]") {
  std::vector<bool> allowed(10, true);
  const id_filter filter = allowed;
  allowed[3] = false;
  CHECK(filter(3));
}

TEST_CASE("a callable decides by id", "[filter]") {
  const std::vector<id_type> wanted{4, 7};
  const id_filter filter = [&](id_type id) { return std::ranges::count(wanted, id) > 0; };
  CHECK(!filter.empty());
  CHECK(filter(4));
  CHECK(!filter(5));
}

TEST_CASE("a function decides by id", "[filter]") {
  const id_filter filter = is_even;
  CHECK(filter(4));
  CHECK(!filter(5));
}

TEST_CASE("a copy filters as the first does, and outlives it", "[filter]") {
  auto first = std::make_unique<id_filter>(std::vector<bool>{false, true});
  const id_filter copy = *first;
  first.reset();
  CHECK(!copy.empty());
  CHECK(!copy(0));
  CHECK(copy(1));
}

TEST_CASE("only callables of an id that give true or false make a filter", "[filter]") {
  STATIC_REQUIRE(std::convertible_to<bool (*)(id_type), id_filter>);
  STATIC_REQUIRE(!std::convertible_to<int, id_filter>);
  STATIC_REQUIRE(!std::convertible_to<void (*)(id_type), id_filter>);
  STATIC_REQUIRE(!std::convertible_to<bool (*)(std::string), id_filter>);
}

// ---- Lists and bitsets ----------------------------------------------------------------------------------------------

namespace {

std::vector<id_type> visited(const id_filter& filter) {
  std::vector<id_type> ids;
  filter.visit([&](id_type id) { ids.push_back(id); });
  return ids;
}

/// Whether a filter lets pass these ids alone, of those up to `bound`, and tells and visits them as it should.
bool is_filter_of(const id_filter& filter, const std::set<id_type>& ids, id_type bound) {
  std::size_t wrong = 0;
  for (id_type id = 0; id < bound; ++id) wrong += filter(id) != ids.contains(id);
  for (const id_type id : ids) wrong += !filter(id);
  return wrong == 0 && !filter.empty() && filter.size() == ids.size() &&
         visited(filter) == std::vector<id_type>(ids.begin(), ids.end());
}

}  // namespace

TEST_CASE("the rows of a list pass, whatever their order and number", "[filter]") {
  const counter_random random(1);
  std::uint64_t step = 0;
  for (const std::size_t count : {0u, 1u, 2u, 10u, 1000u})
    for (const std::uint64_t bound : {1u, 64u, 65u, 3000u, 1000000u, 4294967295u}) {
      std::vector<id_type> list;
      for (std::size_t i = 0; i < count; ++i) list.push_back(static_cast<id_type>(random.below(step++, bound)));
      const std::set<id_type> ids(list.begin(), list.end());
      CAPTURE(count, bound);
      CHECK(is_filter_of(id_filter::of(list), ids, 4000));
      list.insert(list.end(), ids.rbegin(), ids.rend());  // each once more
      CHECK(is_filter_of(id_filter::of(list), ids, 4000));
      if (bound > 1000000) continue;
      std::vector<bool> allowed(bound);
      for (const id_type id : ids) allowed[id] = true;
      CHECK(is_filter_of(allowed, ids, 4000));
    }
}

TEST_CASE("a list of the greatest ids is a filter", "[filter]") {
  const std::vector<id_type> list{no_id - 1, 0, no_id - 64};
  CHECK(is_filter_of(id_filter::of(list), {0, no_id - 64, no_id - 1}, 1000));
  CHECK_FALSE(id_filter::of(list)(no_id));
}

TEST_CASE("lists around the length from which they are kept as bits are filters", "[filter]") {
  for (const id_type greatest : {0u, 255u, 256u, 257u, 511u, 512u, 513u, 767u, 768u})
    for (const std::size_t count : {1u, 2u, 3u}) {
      std::set<id_type> ids{greatest};
      for (id_type id = 0; ids.size() < std::min<std::size_t>(count, greatest + 1u); ++id) ids.insert(id);
      const std::vector<id_type> list(ids.begin(), ids.end());
      CAPTURE(greatest, count);
      CHECK(is_filter_of(id_filter::of(list), ids, 1000));
    }
}

TEST_CASE("a filter of no rows lets nothing pass and has nothing to visit", "[filter]") {
  const id_filter filter = id_filter::of({});
  CHECK(is_filter_of(filter, {}, 100));
}

TEST_CASE("how many rows pass is not known of a callable, nor where all do", "[filter]") {
  CHECK_FALSE(id_filter().size());
  CHECK_FALSE(id_filter(is_even).size());
  CHECK(id_filter(std::vector<bool>(70, true)).size() == 70u);
}

TEST_CASE("a list that changes later does not change its filter", "[filter]") {
  std::vector<id_type> list{1, 100000};
  const id_filter filter = id_filter::of(list);
  list[1] = 5;
  CHECK(filter(100000));
  CHECK_FALSE(filter(5));
}
