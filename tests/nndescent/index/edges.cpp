#include <annulus/nndescent/index/edges.hpp>

#include <annulus/core/base/random.hpp>

#include "catch.hpp"

using namespace annulus;
using annulus::detail::connect;
using annulus::detail::search_edges;

namespace {

/// Rows are points of a line at their own numbers.
const auto ranks_on_a_line = [](id_type u, std::span<const id_type> ids, float* out) {
  for (const id_type id : ids) *out++ = std::abs(static_cast<float>(id) - static_cast<float>(u));
};
const auto every_row = [](id_type) { return true; };

/// How many rows can be reached from `root` along wanted rows.
template <class Wanted>
std::size_t count_reached(const search_edges& graph, id_type root, Wanted wanted) {
  std::vector<bool> is_reached(graph.size());
  std::vector<id_type> open{root};
  is_reached[root] = true;
  for (std::size_t i = 0; i < open.size(); ++i)
    for (const id_type v : graph.of(open[i]))
      if (wanted(v) && !is_reached[v]) {
        is_reached[v] = true;
        open.push_back(v);
      }
  return open.size();
}

bool is_well_formed(const search_edges& graph) {
  for (std::size_t i = 0; i < graph.size(); ++i) {
    std::vector<id_type> ids(graph.of(i).begin(), graph.of(i).end());
    std::ranges::sort(ids);
    if (std::ranges::adjacent_find(ids) != ids.end()) return false;
    for (const id_type id : ids)
      if (id >= graph.size() || id == i) return false;
    const auto block = graph.block(i);
    for (std::size_t j = ids.size(); j < block.size(); ++j)
      if (block[j] != no_id) return false;
  }
  return true;
}

}  // namespace

// ---- Edges ----------------------------------------------------------------------------------------------------------

TEST_CASE("a new adjacency has no edges", "[adjacency]") {
  const search_edges graph(5, 3);
  CHECK(graph.size() == 5);
  CHECK(graph.max_degree() == 3);
  for (std::size_t i = 0; i < 5; ++i) CHECK(graph.of(i).empty());
  CHECK(search_edges().size() == 0);
}

TEST_CASE("edges are added where there is room", "[adjacency]") {
  search_edges graph(5, 2);
  CHECK(graph.add(0, 3));
  CHECK(graph.add(0, 4));
  CHECK(!graph.add(0, 2));
  CHECK(std::ranges::equal(graph.of(0), std::vector<id_type>{3, 4}));
  CHECK(graph.of(1).empty());
}

TEST_CASE("an edge that is there is not added again", "[adjacency]") {
  search_edges graph(5, 2);
  for (std::size_t i = 0; i < 3; ++i) CHECK(graph.add(0, 3));
  CHECK(graph.of(0).size() == 1);
  graph.add(0, 4);
  CHECK(graph.add(0, 4));  // also where all places are taken
}

TEST_CASE("assigning edges replaces all that were there", "[adjacency]") {
  search_edges graph(5, 3);
  graph.assign(2, std::vector<id_type>{0, 1, 4});
  graph.assign(2, std::vector<id_type>{3});
  CHECK(std::ranges::equal(graph.of(2), std::vector<id_type>{3}));
  graph.assign(2, {});
  CHECK(graph.of(2).empty());
  CHECK(is_well_formed(graph));
}

TEST_CASE("an adjacency that grows keeps its edges", "[adjacency]") {
  search_edges graph(2, 2);
  graph.add(1, 0);
  graph.resize(4);
  CHECK(std::ranges::equal(graph.of(1), std::vector<id_type>{0}));
  CHECK(graph.of(3).empty());
  CHECK(graph.memory_bytes() == 4 * 2 * sizeof(id_type));
}

TEST_CASE("reordered edges join the same rows", "[adjacency]") {
  const counter_random random(1);
  constexpr std::size_t n = 10000;
  search_edges graph(n, 4);
  for (std::size_t i = 0; i < 2 * n; ++i)
    graph.add(random.below(2 * i, n), static_cast<id_type>(random.below(2 * i + 1, n)));
  std::vector<id_type> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = static_cast<id_type>((7 * i + 3) % n);  // 7 and n have no factor
  for (const std::size_t threads : {1u, 3u}) {
    const search_edges result = graph.reordered(order, threads);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < n; ++i)
      wrong += !std::ranges::equal(result.of(i), graph.of(order[i]), {}, [&](id_type id) { return order[id]; });
    CHECK(wrong == 0);
  }
}

// ---- connect --------------------------------------------------------------------------------------------------------

TEST_CASE("rows without any edge are connected", "[adjacency]") {
  for (const std::size_t n : {1u, 2u, 3u, 50u})
    for (const std::size_t degree : {2u, 3u, 8u})
      for (const std::size_t root : {std::size_t{0}, n / 2, n - 1}) {
        search_edges graph(n, degree);
        connect(graph, static_cast<id_type>(root), ranks_on_a_line, every_row);
        CAPTURE(n, degree, root);
        CHECK(count_reached(graph, static_cast<id_type>(root), every_row) == n);
        CHECK(is_well_formed(graph));
      }
}

TEST_CASE("components whose rows have one place left are connected", "[adjacency]") {
  // Circles of 4 whose blocks hold 2 edges and a spare place.
  constexpr std::size_t n = 400;
  search_edges graph(n, 3);
  for (id_type i = 0; i < n; ++i) {
    graph.add(i, i / 4 * 4 + (i + 1) % 4);
    graph.add(i, i / 4 * 4 + (i + 3) % 4);
  }
  connect(graph, 200, ranks_on_a_line, every_row);
  CHECK(count_reached(graph, 200, every_row) == n);
  CHECK(is_well_formed(graph));
  for (id_type i = 0; i < n; ++i) CHECK(std::ranges::find(graph.of(i), i / 4 * 4 + (i + 1) % 4) != graph.of(i).end());
}

TEST_CASE("a row that was cut off can reach the others", "[adjacency]") {
  constexpr std::size_t n = 60;
  search_edges graph(n, 3);
  for (id_type i = 0; i + 2 < n; i += 2) {  // the even rows in a line
    graph.add(i, i + 2);
    graph.add(i + 2, i);
  }
  connect(graph, 0, ranks_on_a_line, every_row);
  for (id_type i = 0; i < n; ++i) {
    CAPTURE(i);
    CHECK(count_reached(graph, i, every_row) == n);
  }
}

TEST_CASE("a row that was cut off is linked to one near it", "[adjacency]") {
  constexpr std::size_t n = 60;
  search_edges graph(n, 4);
  for (id_type i = 0; i + 1 < n; ++i) {
    if (i == 40 || i + 1 == 40) continue;
    graph.add(i, i + 1);
    graph.add(i + 1, i);
  }
  graph.add(39, 41);
  graph.add(41, 39);
  connect(graph, 0, ranks_on_a_line, every_row);
  REQUIRE(graph.of(40).size() == 1);
  CHECK((graph.of(40)[0] == 39 || graph.of(40)[0] == 41));
}

TEST_CASE("where the nearest rows have no place left, one around them takes the edge", "[adjacency]") {
  constexpr std::size_t n = 30;
  search_edges graph(n, 4);
  for (id_type i = 0; i + 1 < n - 1; ++i) {
    graph.add(i, i + 1);
    graph.add(i + 1, i);
  }
  for (const id_type full : {26u, 27u, 28u})
    for (id_type other = 0; graph.add(full, other); ++other) {
    }
  connect(graph, 0, ranks_on_a_line, every_row);
  CHECK(count_reached(graph, 0, every_row) == n);
  CHECK(is_well_formed(graph));
}

TEST_CASE("rows that are not wanted are neither reached nor passed", "[adjacency]") {
  constexpr std::size_t n = 90;
  const auto wanted = [](id_type i) { return i % 3 != 1; };
  search_edges graph(n, 5);
  for (id_type i = 0; i + 1 < n; ++i) {
    graph.add(i, i + 1);
    graph.add(i + 1, i);
  }
  connect(graph, 0, ranks_on_a_line, wanted);
  CHECK(count_reached(graph, 0, wanted) == 60);
  for (id_type i = 1; i < n; i += 3) CHECK(graph.of(i).size() == (i == n - 1 ? 1u : 2u));  // as they were
}

TEST_CASE("a graph that is connected is left as it is", "[adjacency]") {
  search_edges graph(50, 3);
  for (id_type i = 0; i < 50; ++i) graph.add(i, (i + 1) % 50);
  connect(graph, 17, ranks_on_a_line, every_row);
  for (id_type i = 0; i < 50; ++i) CHECK(std::ranges::equal(graph.of(i), std::vector<id_type>{(i + 1) % 50}));
}

TEST_CASE("random graphs with a place left in each row are connected", "[adjacency]") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const counter_random random(seed);
    const std::size_t n = 1 + random.below(0, 120), degree = 1 + random.below(1, 5);
    search_edges graph(n, degree + 1);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < degree; ++j) {
        const auto to = static_cast<id_type>(random.below(10 + i * degree + j, n));
        if (to / 8 == i / 8 && to != i && graph.of(i).size() < degree) graph.add(i, to);
      }
    const auto root = static_cast<id_type>(random.below(2, n));
    connect(graph, root, ranks_on_a_line, every_row);
    CAPTURE(seed, n, degree);
    CHECK(count_reached(graph, root, every_row) == n);
    CHECK(is_well_formed(graph));
  }
}
