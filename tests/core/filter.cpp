#include <annulus/core/filter.hpp>

#include "catch.hpp"

#include <algorithm>

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
