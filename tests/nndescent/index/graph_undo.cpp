#include <annulus/nndescent/index/graph_undo.hpp>

#include <annulus/core/base/random.hpp>

#include "catch.hpp"

using namespace annulus;

namespace {

constexpr std::size_t n = 12, degree = 5;

std::vector<id_type> ids_of(const detail::search_edges& graph) {
  std::vector<id_type> all;
  for (std::size_t i = 0; i < n; ++i) all.insert(all.end(), graph.block(i).begin(), graph.block(i).end());
  return all;
}

}  // namespace

TEST_CASE("edges are as before any sequence of changes that is undone", "[nndescent]") {
  const counter_random random(1);
  std::uint64_t step = 0;
  const auto any = [&](std::size_t bound) { return static_cast<id_type>(random.below(step++, bound)); };
  for (std::size_t round = 0; round < 200; ++round) {
    detail::search_edges graph(n, degree);
    for (std::size_t i = 0; i < 30; ++i) graph.add(any(n), any(n));
    const auto before = ids_of(graph);
    detail::logged_edges edges(graph);
    graph.resize(n + 3);
    for (std::size_t i = 0; i < 1 + round % 9; ++i) {
      const id_type from = any(n + 3), to = any(n + 3);
      if (any(2) == 0) edges.add(from, to);
      else {
        edges.record(from);
        edges.assign_recorded(from, std::vector{to});
      }
    }
    edges.undo();
    CHECK(ids_of(graph) == before);
  }
}

TEST_CASE("changes of edges are made at once", "[nndescent]") {
  detail::search_edges graph(3, 2);
  detail::logged_edges edges(graph);
  CHECK(edges.add(0, 2));
  CHECK(edges.add(0, 1));
  CHECK_FALSE(edges.add(0, 0));
  edges.record(1);
  edges.assign_recorded(1, std::vector<id_type>{2});
  CHECK(std::ranges::equal(graph.of(0), std::vector<id_type>{2, 1}));
  CHECK(std::ranges::equal(graph.of(1), std::vector<id_type>{2}));
}

TEST_CASE("lists are as before any sequence of changes that is undone", "[nndescent]") {
  constexpr std::size_t width = 4;
  const counter_random random(2);
  std::uint64_t step = 0;
  const auto any = [&](std::size_t bound) { return static_cast<id_type>(random.below(step++, bound)); };
  const auto all_of = [](const detail::knn_lists& lists) {
    std::vector<candidate<float>> all;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < width; ++j) all.push_back(lists(i, j));
    return all;
  };
  for (std::size_t round = 0; round < 100; ++round) {
    detail::knn_lists lists(width);
    lists.resize(n);
    for (std::size_t i = 0; i < 30; ++i) lists.enter(any(n), any(n), static_cast<float>(any(100)));
    const auto before = all_of(lists);
    detail::logged_lists log(lists);
    lists.resize(n + 3);
    for (std::size_t i = 0; i < 1 + round % 9; ++i) {
      const id_type list = any(n + 3);
      log.record(list);
      log.lists().enter(list, any(n + 3), static_cast<float>(any(100)));
    }
    log.undo();
    CHECK(all_of(lists) == before);
  }
}

TEST_CASE("a log has blocks as they were when they were first kept and none beyond its own", "[nndescent]") {
  detail::undo_log<int> log(3, 2);
  log.record(1, std::array{4, 5});
  log.record(1, std::array{6, 7});
  log.record(3, std::array{8, 9});
  std::vector<std::pair<std::size_t, std::vector<int>>> kept;
  log.visit([&](std::size_t i, std::span<const int> block) { kept.push_back({i, {block.begin(), block.end()}}); });
  CHECK(kept == std::vector<std::pair<std::size_t, std::vector<int>>>{{1, {4, 5}}});
}
