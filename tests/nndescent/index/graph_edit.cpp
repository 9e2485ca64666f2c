#include <annulus/nndescent/index/graph_edit.hpp>

#include "catch.hpp"

#include <array>
#include <numeric>
#include <set>

using namespace annulus;
using detail::arrival;
using detail::diversify_rule;
using detail::search_edges;
using detail::walk_space;

namespace {

using walk_type = detail::row_walk<float, float, sqeuclidean>;
constexpr std::size_t d = 4, degree = 8;
const diversify_rule rule{degree, 1, 1.21f, counter_random(1)};

walk_type rows_of(std::size_t n, std::uint64_t seed) {
  const counter_random random(seed);
  walk_type walk(d, sqeuclidean{});
  walk.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    std::array<float, d> row;
    for (std::size_t j = 0; j < d; ++j) row[j] = static_cast<float>(random.normal(i * d + j));
    walk.assign(i, row);
  }
  return walk;
}

/// The `count` nearest others of row u among rows 0 to n - 1.
std::vector<candidate<float>> nearest(const walk_type& walk, id_type u, std::size_t n, std::size_t count) {
  walk_space<walk_type> space(walk);
  walk_space<walk_type>::ranker ranker(space);
  std::vector<id_type> ids(n);
  std::iota(ids.begin(), ids.end(), id_type{0});
  std::vector<float> ranks(n);
  ranker.from(u, ids, ranks.data());
  std::vector<candidate<float>> all;
  for (id_type v = 0; v < n; ++v)
    if (v != u) all.push_back({ranks[v], v});
  std::sort(all.begin(), all.end());
  all.resize(std::min(count, all.size()));
  return all;
}

/// Edges of rows 0 to n - 1 to their nearest, as many as there is room for; any rows behind them have none.
search_edges graph_of(const walk_type& walk, std::size_t n) {
  search_edges graph(walk.size(), degree + 1);
  for (id_type u = 0; u < n; ++u) {
    std::vector<id_type> ids;
    for (const auto& c : nearest(walk, u, n, degree)) ids.push_back(c.id);
    graph.assign(u, ids);
  }
  return graph;
}

/// Rows n to m - 1 with what is nearest to them, of all rows.
std::vector<arrival> arrivals_of(const walk_type& walk, std::size_t n) {
  std::vector<arrival> arrivals;
  for (id_type u = static_cast<id_type>(n); u < walk.size(); ++u)
    arrivals.push_back({.vertex = u, .found = nearest(walk, u, walk.size(), 20)});
  return arrivals;
}

bool same(const search_edges& a, const search_edges& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!std::ranges::equal(a.of(i), b.of(i))) return false;
  return a.size() == b.size();
}

/// Edges that lead to no row, to the row itself, or twice to one.
std::size_t wrong_edges(const search_edges& graph) {
  std::size_t wrong = !graph.defect().empty();
  for (id_type u = 0; u < graph.size(); ++u) {
    const auto ids = graph.of(u);
    const std::set<id_type> different(ids.begin(), ids.end());
    wrong += different.size() != ids.size() || different.contains(u);
  }
  return wrong;
}

/// How many of the rows from n on no other row leads to.
std::size_t n_without_link(const search_edges& graph, std::size_t n) {
  std::vector<bool> has_link(graph.size(), false);
  for (id_type u = 0; u < graph.size(); ++u)
    for (const id_type v : graph.of(u)) has_link[v] = true;
  return static_cast<std::size_t>(std::count(has_link.begin() + static_cast<std::ptrdiff_t>(n), has_link.end(), false));
}

}  // namespace

// ---- The edges of one row ----

TEST_CASE("an edge list takes in what no edge is a shortcut to, and gives up what it is a shortcut to",
          "[graph_editor]") {
  // On a line: row 0 at 0, the others as said.
  const auto walk_over = [](std::initializer_list<float> places) {
    walk_type walk(d, sqeuclidean{});
    walk.resize(places.size());
    for (std::size_t i = 0; i < places.size(); ++i) walk.assign(i, std::array<float, d>{places.begin()[i], 0, 0, 0});
    return walk;
  };
  using ids = std::vector<id_type>;
  const auto taken = [](const walk_type& walk, std::size_t most, const ids& edges, id_type edge) {
    const walk_space<walk_type> space(walk);
    diversify_rule few = rule;
    few.degree = most;
    detail::edge_list list(space, few);
    list.assign(0, edges);
    const float place = walk.rows().row(edge)[0];
    const id_type lost = list.take({place * place, edge});
    const auto sorted = list.sorted();
    return std::pair(lost, ids(sorted.begin(), sorted.end()));
  };
  const walk_type walk = walk_over({0, 1, -2, 3, 1.5f, -4, 0.5f});
  CHECK(taken(walk, 3, {1, 2}, 3) == std::pair(no_id, ids{1, 2}));       // 1 is on the way to 3
  CHECK(taken(walk, 3, {2, 5}, 4) == std::pair(no_id, ids{4, 2, 5}));    // another direction, and room
  CHECK(taken(walk, 2, {1, 2}, 6) == std::pair(id_type{1}, ids{6, 2}));  // 6 is on the way to 1
  CHECK(taken(walk, 2, {2, 5}, 1) == std::pair(id_type{5}, ids{1, 2}));  // on the way to none: the furthest goes
  CHECK(taken(walk, 1, {1}, 5) == std::pair(no_id, ids{1}));             // it is the furthest itself
  CHECK(taken(walk, 2, {}, 5) == std::pair(no_id, ids{5}));
}

// ---- Arrivals -------------------------------------------------------------------------------------------------------

TEST_CASE("rows that arrive lead to others, and others to them", "[graph_editor]") {
  for (const std::size_t n : {1u, 2u, 5u, 40u, 400u})
    for (const std::size_t more : {1u, 30u, 200u}) {
      const walk_type walk = rows_of(n + more, n);
      const walk_space<walk_type> space(walk);
      search_edges graph = graph_of(walk, n);
      detail::logged_edges edges(graph);
      const auto given = arrivals_of(walk, n);
      auto arrivals = given;
      detail::arrival_linker(space, edges, rule, 1)(arrivals);
      CAPTURE(n, more);
      CHECK(wrong_edges(graph) == 0);
      std::size_t unlinked = 0;
      for (const arrival& a : given) unlinked += graph.of(a.vertex).empty();
      CHECK(unlinked == 0);
      CHECK(n_without_link(graph, n) == 0);
    }
}

TEST_CASE("links of arrivals are the same for every number of threads, and are undone", "[graph_editor]") {
  constexpr std::size_t n = 300;
  const walk_type walk = rows_of(n + 150, 3);
  const walk_space<walk_type> space(walk);
  const search_edges before = graph_of(walk, n);
  const auto linked_by = [&](std::size_t threads) {
    search_edges graph = before;
    detail::logged_edges edges(graph);
    auto arrivals = arrivals_of(walk, n);
    for (arrival& a : arrivals) {  // the first rows have no name
      std::erase_if(a.found, [](const candidate<float>& c) { return c.id < 12; });
      a.erased = {{1, a.vertex % 7}, {2, 7 + a.vertex % 5}};
    }
    detail::arrival_linker(space, edges, rule, threads)(arrivals);
    const search_edges linked = graph;
    edges.undo();
    for (std::size_t i = 0; i < n; ++i) CHECK(std::ranges::equal(graph.of(i), before.of(i)));
    return linked;
  };
  const search_edges expected = linked_by(1);
  CHECK_FALSE(same(expected, before));
  for (const std::size_t threads : {2u, 3u, 8u}) CHECK(same(linked_by(threads), expected));
}

// ---- Edges around rows that go --------------------------------------------------------------------------------------

TEST_CASE("edges lead around rows that are gone", "[graph_editor]") {
  constexpr std::size_t n = 500;
  const walk_type walk = rows_of(n, 5);
  const walk_space<walk_type> space(walk);
  const search_edges graph = graph_of(walk, n);
  for (const std::size_t one_in : {2u, 3u, 20u, 1000u}) {
    const auto is_gone = [&](id_type v) { return v % one_in == 1; };
    const auto edges_by = [&](std::size_t threads) {
      return detail::edges_without(graph, space, rule, threads, is_gone,
                                   [](id_type, std::size_t, std::vector<id_type>&) {});
    };
    const search_edges consolidated = edges_by(1);
    CHECK(wrong_edges(consolidated) == 0);
    std::size_t wrong = 0, n_edges = 0;
    for (id_type u = 0; u < n; ++u) {
      const auto ids = consolidated.of(u);
      wrong += std::ranges::any_of(ids, is_gone) || ids.size() > degree || (is_gone(u) && !ids.empty());
      if (!is_gone(u) && std::ranges::none_of(graph.of(u), is_gone)) wrong += !std::ranges::equal(ids, graph.of(u));
      n_edges += ids.size();
    }
    CAPTURE(one_in);
    CHECK(wrong == 0);
    CHECK(n_edges >= n * degree / 4);
    for (const std::size_t threads : {2u, 8u}) CHECK(same(edges_by(threads), consolidated));
  }
}

TEST_CASE("a row all of whose neighbours are gone gets those that a search finds", "[graph_editor]") {
  const walk_type walk = rows_of(60, 6);
  const walk_space<walk_type> space(walk);
  search_edges graph(60, degree + 1);
  for (id_type u = 0; u < 60; ++u)
    graph.assign(u, std::vector<id_type>{u < 30 ? u + 30 : u});  // the others lead nowhere
  std::vector<id_type> asked;
  const search_edges consolidated = detail::edges_without(
      graph, space, rule, 1, [](id_type v) { return v >= 30; },
      [&](id_type v, std::size_t, std::vector<id_type>& ids) {
        asked.push_back(v);
        ids.push_back((v + 1) % 30);
      });
  REQUIRE(asked.size() == 30);
  for (id_type u = 0; u < 30; ++u) CHECK(std::ranges::equal(consolidated.of(u), std::vector<id_type>{(u + 1) % 30}));
}

// ---- The choice of edges --------------------------------------------------------------------------------------------

TEST_CASE("of few neighbours all are chosen, nearest first and once", "[graph_editor]") {
  const walk_type walk = rows_of(50, 7);
  const walk_space<walk_type> space(walk);
  detail::edge_chooser chooser(space, rule);
  std::vector<id_type> ids{9, 4, 9, 30, 4};
  chooser.choose(2, ids);
  std::vector<id_type> expected;
  for (const auto& c : nearest(walk, 2, 50, 49))
    if (c.id == 9 || c.id == 4 || c.id == 30) expected.push_back(c.id);
  CHECK(ids == expected);
}

TEST_CASE("of many neighbours the nearest and no more than the degree are chosen", "[graph_editor]") {
  const walk_type walk = rows_of(200, 8);
  const walk_space<walk_type> space(walk);
  detail::edge_chooser chooser(space, rule);
  for (id_type u = 0; u < 200; ++u) {
    std::vector<id_type> ids;
    for (id_type v = 0; v < 200; ++v)
      if (v != u) ids.push_back(v);
    chooser.choose(u, ids);
    CHECK(ids.size() <= degree);
    CHECK(ids.front() == nearest(walk, u, 200, 1)[0].id);
  }
}

TEST_CASE("the edge that is missed least is one that another stands for", "[graph_editor]") {
  walk_type walk(d, sqeuclidean{});
  walk.resize(5);
  const float places[] = {0, 1, 5, 5.1f, -4};
  for (std::size_t i = 0; i < 5; ++i) walk.assign(i, std::array<float, d>{places[i], 0, 0, 0});
  const walk_space<walk_type> space(walk);
  detail::edge_chooser chooser(space, rule);
  CHECK(chooser.least_needed(0, std::vector<id_type>{1, 2, 3, 4}) == 2);  // the row at 5.1
  CHECK(chooser.least_needed(0, std::vector<id_type>{1}) == 0);
}
