#include <annulus/nndescent/knn_lists.hpp>

#include "catch.hpp"

using annulus::id_type;
using annulus::neighbors;
using annulus::no_id;
using annulus::detail::knn_lists;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Four lists, the first of which is that.
knn_lists lists(const std::vector<id_type>& ids, const std::vector<float>& distances) {
  neighbors graph(4, ids.size());
  std::ranges::copy(ids, graph.ids.row(0).begin());
  std::ranges::copy(distances, graph.distances.row(0).begin());
  knn_lists made(ids.size());
  made.assign(graph);
  return made;
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

TEST_CASE("a neighbour is entered at its distance and those that are gone leave", "[knn_lists]") {
  knn_lists changed = lists({1, 2, 3}, {1, 2, 3});
  const auto none_is = [](id_type) { return false; };
  const auto ids = [&] { return std::vector<id_type>(changed.ids(0).begin(), changed.ids(0).end()); };
  changed.enter(0, 0, 1.5f, none_is);
  CHECK(ids() == std::vector<id_type>{1, 0, 2});
  changed.enter(0, 3, 9, none_is);
  CHECK(ids() == std::vector<id_type>{1, 0, 2});
  changed.enter(0, 3, 9, [](id_type id) { return id == 1; });
  CHECK(ids() == std::vector<id_type>{0, 2, 3});
  changed.enter(0, 3, 0.5f, none_is);
  CHECK(ids() == std::vector<id_type>{3, 0, 2});
  changed.enter(0, 1, 0.5f, none_is);
  CHECK(ids() == std::vector<id_type>{1, 3, 0});
  CHECK(changed.defect().empty());
}
