#include <annulus/core/base/random.hpp>
#include <annulus/nndescent/index/covering_walk.hpp>

#include "catch.hpp"

#include <set>

using annulus::candidate;
using annulus::counter_random;
using annulus::id_type;
using namespace annulus::detail;

namespace {

constexpr double endless = std::numeric_limits<double>::infinity();

/// Rows of two numbers each.
struct plane_walk {
  using rank_type = float;
  struct query {
    float x, y;
  };
  std::vector<std::array<float, 2>> rows;

  float rank(const query& q, std::size_t i) const {
    const float dx = rows[i][0] - q.x, dy = rows[i][1] - q.y;
    return dx * dx + dy * dy;
  }
  void ranks(const query& q, std::span<const id_type> ids, float* out) const {
    for (const id_type id : ids) *out++ = rank(q, id);
  }
  void prefetch(std::size_t) const noexcept {}
};

/// Rows 0 to n - 1 along a line, each of which leads to those before and behind it.
struct line {
  explicit line(std::size_t n) : graph(n, 2) {
    for (id_type i = 0; i < n; ++i) {
      walk.rows.push_back({static_cast<float>(i), 0});
      if (i > 0) graph.add(i, i - 1);
      if (i + 1 < n) graph.add(i, i + 1);
    }
  }
  plane_walk walk;
  search_edges graph;
};

/// Rows all over a square, each of which leads to its nearest and to one that it is found from.
struct net {
  net(std::size_t n, std::size_t degree, std::uint64_t seed) : graph(n, degree + 8) {
    const counter_random random(seed);
    for (std::size_t i = 0; i < n; ++i)
      walk.rows.push_back({static_cast<float>(random.uniform(2 * i)), static_cast<float>(random.uniform(2 * i + 1))});
    for (id_type i = 0; i < n; ++i) {
      std::vector<candidate<float>> others;
      for (id_type j = 0; j < n; ++j)
        if (j != i) others.push_back({walk.rank({walk.rows[i][0], walk.rows[i][1]}, j), j});
      std::sort(others.begin(), others.end());
      for (std::size_t j = 0; j < degree; ++j) graph.add(i, others[j].id);
    }
    connect(
        graph, 0,
        [&](id_type u, std::span<const id_type> ids, float* out) {
          walk.ranks({walk.rows[u][0], walk.rows[u][1]}, ids, out);
        },
        [](id_type) { return true; });
  }
  plane_walk walk;
  search_edges graph;
};

/// The rows that a walk for the k nearest allowed collects, and how it ended.
struct walked {
  walk_end end;
  std::vector<id_type> ids;
  std::uint64_t distances;
};
template <class Allow>
walked walk_for(const plane_walk& walk, const search_edges& graph, const plane_walk::query& query, std::size_t k,
                std::size_t margin, double scan_cost, Allow allow, id_type root = 0, id_type hidden = annulus::no_id) {
  const entry_tree none;
  walk_scratch<plane_walk> s{query};
  s.hidden = hidden;
  nearest_goal<float> goal(s.found, k, k, endless);
  const entry_points entries{none, root};
  const walk_end end = covering_walk(walk, graph, entries, margin, scan_cost, allow, goal, s)();
  walked result{end, {}, s.distances};
  for (std::size_t i = 0; i < s.found.size(); ++i) result.ids.push_back(s.found[i].id());
  return result;
}

/// The k nearest rows allowed, by comparison with all.
template <class Allow>
std::vector<id_type> naive(const plane_walk& walk, const plane_walk::query& query, std::size_t k, Allow allow) {
  std::vector<candidate<float>> all;
  for (id_type i = 0; i < walk.rows.size(); ++i)
    if (allow(i)) all.push_back({walk.rank(query, i), i});
  std::sort(all.begin(), all.end());
  std::vector<id_type> ids;
  for (std::size_t i = 0; i < std::min(k, all.size()); ++i) ids.push_back(all[i].id);
  return ids;
}

}  // namespace

TEST_CASE("a walk ends once what it found is covered", "[covering_walk]") {
  const line rows(1000);
  const auto found = walk_for(rows.walk, rows.graph, {300.2f, 0}, 3, 8, endless, allow_all{});
  CHECK(found.end == walk_end::covered);
  CHECK(found.ids == std::vector<id_type>{300, 301, 299});
  CHECK(found.distances < 350);  // all on the way, and few behind it
}

TEST_CASE("a walk without a margin covers its goal all the same", "[covering_walk]") {
  const line rows(1000);
  const auto found = walk_for(rows.walk, rows.graph, {300.2f, 0}, 5, 0, endless, allow_all{});
  CHECK(found.end != walk_end::given_up);
  CHECK(found.ids == std::vector<id_type>{300, 301, 299, 302, 298});
  CHECK(found.distances < 350);
}

TEST_CASE("a walk goes on through rows that may not be returned", "[covering_walk]") {
  const line rows(1000);
  const auto is_far = [](id_type id) { return id >= 900; };
  const auto found = walk_for(rows.walk, rows.graph, {300, 0}, 4, 8, endless, is_far);
  CHECK(found.end == walk_end::covered);
  CHECK(found.ids == std::vector<id_type>{900, 901, 902, 903});
}

TEST_CASE("a walk is dry where its rows lead to no others", "[covering_walk]") {
  line rows(100);
  rows.graph.assign(49, std::vector<id_type>{48});
  rows.graph.assign(50, std::vector<id_type>{51});
  auto found = walk_for(rows.walk, rows.graph, {80, 0}, 60, 8, endless, allow_all{});
  CHECK(found.end == walk_end::dry);
  CHECK(found.ids.size() == 50);
  CHECK(found.ids.front() == 49);
  found = walk_for(rows.walk, rows.graph, {80, 0}, 5, 8, endless, [](id_type id) { return id >= 50; });
  CHECK(found.end == walk_end::dry);
  CHECK(found.ids.empty());
}

TEST_CASE("a walk without rows is dry", "[covering_walk]") {
  CHECK(walk_for({}, search_edges(0, 4), {0, 0}, 3, 8, endless, allow_all{}).end == walk_end::dry);
  CHECK(walk_for({}, search_edges(0, 4), {0, 0}, 3, 8, endless, allow_all{}, annulus::no_id).ids.empty());
}

TEST_CASE("a walk that costs more than a scan is given up", "[covering_walk]") {
  const line rows(1000);
  const auto found = walk_for(rows.walk, rows.graph, {900, 0}, 3, 8, 200, allow_all{});
  CHECK(found.end == walk_end::given_up);
  CHECK(found.distances <= 110);  // half of what the scan takes, as rows here and there take longer to read
  CHECK(walk_for(rows.walk, rows.graph, {900, 0}, 3, 8, 4000, allow_all{}).end == walk_end::covered);
  CHECK(walk_for(rows.walk, rows.graph, {900, 0}, 3, 8, 0, allow_all{}).end == walk_end::given_up);
}

TEST_CASE("a walk that promises to cost more than a scan is given up early", "[covering_walk]") {
  const net rows(2000, 8, 1);
  const auto tenth = [](id_type id) { return id % 10 == 0; };
  const auto found = walk_for(rows.walk, rows.graph, {0.5f, 0.5f}, 150, 8, 600, tenth);
  CHECK(found.end == walk_end::given_up);
  CHECK(found.distances < 250);
}

TEST_CASE("a hidden row is neither found nor passed through", "[covering_walk]") {
  const line rows(100);
  const auto found = walk_for(rows.walk, rows.graph, {30, 0}, 2, 8, endless, allow_all{}, 0, 50);
  CHECK(found.ids == std::vector<id_type>{30, 29});
  CHECK(walk_for(rows.walk, rows.graph, {80, 0}, 2, 8, endless, allow_all{}, 0, 50).ids ==
        std::vector<id_type>{49, 48});
}

TEST_CASE("a walk with a margin as wide as all rows finds what a comparison with all does", "[covering_walk]") {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const net rows(300, 4, seed);
    const counter_random random(seed, 7);
    for (std::size_t round = 0; round < 40; ++round) {
      const plane_walk::query query{static_cast<float>(2 * random.uniform(5 * round) - 0.5),
                                    static_cast<float>(2 * random.uniform(5 * round + 1) - 0.5)};
      const std::size_t k = 1 + random.below(5 * round + 2, 30), one_in = 1 + random.below(5 * round + 3, 20);
      const auto allow = [&](id_type id) { return id % one_in == 0; };
      const auto found = walk_for(rows.walk, rows.graph, query, k, 300, endless, allow);
      CAPTURE(seed, round, k, one_in);
      CHECK(found.end != walk_end::given_up);
      CHECK(found.ids == naive(rows.walk, query, k, allow));
      CHECK(found.distances <= 300);
    }
  }
}

TEST_CASE("a walk covers its goal with a narrow margin where edges lead all ways", "[covering_walk]") {
  std::size_t found = 0, n_distances = 0;
  for (std::size_t seed = 5; seed < 10; ++seed) {
    const net rows(1000, 12, seed);
    const counter_random random(seed + 4);
    for (std::size_t round = 0; round < 100; ++round) {
      const plane_walk::query query{static_cast<float>(random.uniform(2 * round)),
                                    static_cast<float>(random.uniform(2 * round + 1))};
      const auto allow = [](id_type id) { return id % 3 == 0; };
      const auto walked = walk_for(rows.walk, rows.graph, query, 10, 16, endless, allow);
      for (const id_type id : naive(rows.walk, query, 10, allow)) found += std::ranges::count(walked.ids, id) != 0;
      n_distances += walked.distances;
    }
  }
  CHECK(100 * found >= 99 * 5 * 100 * 10);
  CHECK(n_distances < 5 * 100 * 500);
}

TEST_CASE("rows without a rank are left out", "[covering_walk]") {
  line rows(100);
  for (std::size_t i = 20; i < 30; ++i) rows.walk.rows[i][0] = std::nanf("");
  const auto found = walk_for(rows.walk, rows.graph, {25, 0}, 3, 8, endless, allow_all{});
  CHECK(found.ids == std::vector<id_type>{19, 18, 17});
}

// ---- Goals ----------------------------------------------------------------------------------------------------------

TEST_CASE("the goal of the nearest knows how far it is from being covered", "[covering_walk]") {
  search_pool<float> found;
  nearest_goal<float> goal(found, 3, 5, 0.5);
  CHECK(goal.is_within(1e30f));
  CHECK(goal.bound() == endless);
  for (const float rank : {4.0f, 1.0f, 9.0f, 2.0f}) goal.take(static_cast<id_type>(rank), rank);
  CHECK(goal.is_within(4.0f));
  CHECK_FALSE(goal.is_within(4.5f));
  CHECK(goal.bound() == 5.5);
  CHECK(goal.share_within(2.0f) == Approx(2.0 / 3));
  CHECK(goal.share_within(0.5f) == 0);
}
