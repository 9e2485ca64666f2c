#include <annulus/core/base/random.hpp>
#include <annulus/nndescent/index/knn_lists.hpp>

#include "catch.hpp"

using annulus::candidate;
using annulus::id_type;
using annulus::no_id;
using annulus::detail::knn_lists;

namespace {

using list = std::vector<candidate<float>>;

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Four lists, the first of which is that.
knn_lists lists(const std::vector<id_type>& ids, const std::vector<float>& distances) {
  list first;
  for (std::size_t i = 0; i < ids.size(); ++i) first.push_back({distances[i], ids[i]});
  knn_lists made(ids.size());
  made.resize(4);
  made.assign(0, first);
  return made;
}

std::vector<id_type> ids_of(const knn_lists& lists, std::size_t i) {
  std::vector<id_type> ids;
  for (std::size_t j = 0; j < lists.width(); ++j) ids.push_back(lists(i, j).id);
  return ids;
}

}  // namespace

TEST_CASE("a list of neighbours may have ties in any order", "[knn_lists]") {
  CHECK(lists({1, 2, 3}, {1, 1, 2}).defect().empty());
  CHECK(lists({3, 2, 1}, {1, 1, 1}).defect().empty());
  CHECK(lists({3, 1, no_id}, {2, 2, infinity}).defect().empty());
  CHECK(lists({no_id, no_id}, {infinity, infinity}).defect().empty());
}

TEST_CASE("a list of neighbours that cannot be one is told of", "[knn_lists]") {
  CHECK_THAT(lists({1, 2}, {2, 1}).defect(), ContainsSubstring("list 0 does not ascend"));
  CHECK_THAT(lists({1, 2}, {1, std::nanf("")}).defect(), ContainsSubstring("list 0 does not ascend"));
  CHECK_THAT(lists({1, no_id}, {1, 5}).defect(), ContainsSubstring("list 0 does not ascend"));
  CHECK_THAT(lists({1, 4}, {1, 2}).defect(), ContainsSubstring("list 0 has 4, of 4"));
}

TEST_CASE("new lists are empty and lists end with padding", "[knn_lists]") {
  knn_lists made(3);
  made.resize(2);
  made.assign(1, list{{2, 0}});
  CHECK(made.size() == 2);
  CHECK(ids_of(made, 0) == std::vector<id_type>{no_id, no_id, no_id});
  CHECK(ids_of(made, 1) == std::vector<id_type>{0, no_id, no_id});
  CHECK(made(1, 2).rank == infinity);
  made.assign(1, list{{1, 1}, {2, 0}, {3, 1}, {4, 0}});  // more than there is room for
  CHECK(ids_of(made, 1) == std::vector<id_type>{1, 0, 1});
  CHECK(made.defect().empty());
}

TEST_CASE("a neighbour is entered at its distance where it is near enough", "[knn_lists]") {
  knn_lists changed = lists({1, 2, 3}, {1, 2, 3});
  changed.enter(0, 0, 1.5f);
  CHECK(ids_of(changed, 0) == std::vector<id_type>{1, 0, 2});
  changed.enter(0, 3, 9);
  CHECK(ids_of(changed, 0) == std::vector<id_type>{1, 0, 2});
  changed.enter(0, 3, 0.5f);
  CHECK(ids_of(changed, 0) == std::vector<id_type>{3, 1, 0});
  changed.enter(0, 2, 0.5f);  // of equal ones the lower number is first
  CHECK(ids_of(changed, 0) == std::vector<id_type>{2, 3, 1});
  CHECK(changed.defect().empty());
}

TEST_CASE("neighbours entered in any order are the nearest of them", "[knn_lists]") {
  const annulus::counter_random random(2);
  for (const std::size_t width : {1u, 2u, 7u, 30u}) {
    knn_lists made(width);
    made.resize(100);
    list all;
    for (id_type i = 1; i < 100; ++i) {
      all.push_back({static_cast<float>(random.below(width * 1000 + i, 20)), i});
      made.enter(0, i, all.back().rank);
    }
    std::sort(all.begin(), all.end());
    for (std::size_t j = 0; j < width; ++j) CHECK(made(0, j) == all[j]);
  }
}

TEST_CASE("lists that are put in another order lose those that go", "[knn_lists]") {
  const annulus::counter_random random(4);
  constexpr std::size_t n = 50, width = 6;
  for (std::size_t round = 0; round < 20; ++round) {
    knn_lists made(width);
    made.resize(n);
    std::vector<list> expected(n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < random.below(round * 10000 + i, width + 1); ++j)
        expected[i].push_back(
            {static_cast<float>(j), static_cast<id_type>(random.below(1000 * i + 10 * j + round, n))});
      made.assign(i, expected[i]);
    }
    std::vector<id_type> order, place(n, no_id);
    for (id_type i = 0; i < n; ++i)
      if (random.below(i + 7000 + 100 * round, 3) > 0) {
        place[i] = static_cast<id_type>(order.size());
        order.push_back(i);
      }
    made.reorder(order, place);
    REQUIRE(made.size() == order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::size_t kept = 0;
      for (const auto& c : expected[order[i]])
        if (place[c.id] != no_id) CHECK(made(i, kept++) == candidate<float>{c.rank, place[c.id]});
      for (; kept < width; ++kept) CHECK(made(i, kept).id == no_id);
    }
    CHECK(made.defect().empty());
  }
}
