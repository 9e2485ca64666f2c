#include <annulus/nndescent/graph_change.hpp>

#include <annulus/core/random.hpp>

#include "catch.hpp"

using namespace annulus;

namespace {

constexpr std::size_t n = 12, degree = 5;

std::vector<id_type> ids_of(const detail::adjacency& graph) {
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
    detail::adjacency graph(n, degree);
    for (std::size_t i = 0; i < 30; ++i) graph.add(any(n), any(n));
    const auto before = ids_of(graph);
    detail::logged_edges edges(graph);
    graph.resize(n + 3);
    for (std::size_t i = 0; i < 1 + round % 9; ++i) {
      const id_type from = any(n + 3), to = any(n + 3), kind = any(3);
      if (kind == 0) edges.assign(from, std::vector{to});
      if (kind == 1) edges.add(from, to);
      if (kind == 2) edges.replace_last(from, to);
    }
    edges.undo();
    CHECK(ids_of(graph) == before);
  }
}

TEST_CASE("changes of edges are made at once", "[nndescent]") {
  detail::adjacency graph(3, 2);
  detail::logged_edges edges(graph);
  CHECK(edges.add(0, 2));
  CHECK(edges.add(0, 1));
  CHECK_FALSE(edges.add(0, 0));
  CHECK(edges.replace_last(0, 0) == 1);
  edges.assign(1, std::vector<id_type>{2});
  CHECK(std::ranges::equal(graph.of(0), std::vector<id_type>{2, 0}));
  CHECK(std::ranges::equal(graph.of(1), std::vector<id_type>{2}));
}

TEST_CASE("a log has blocks as they were when they were first kept and none beyond its own", "[nndescent]") {
  detail::undo_log<int> log(3, 2);
  log.keep(1, std::array{4, 5});
  log.keep(1, std::array{6, 7});
  log.keep(3, std::array{8, 9});
  std::vector<std::pair<std::size_t, std::vector<int>>> kept;
  log.visit([&](std::size_t i, std::span<const int> block) { kept.push_back({i, {block.begin(), block.end()}}); });
  CHECK(kept == std::vector<std::pair<std::size_t, std::vector<int>>>{{1, {4, 5}}});
}
