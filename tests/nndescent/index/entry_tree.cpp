#include <annulus/nndescent/graph/row_space.hpp>
#include <annulus/nndescent/index/entry_tree.hpp>

#include "catch.hpp"
#include "random_data.hpp"

#include <map>
#include <set>

using namespace annulus;
using annulus::detail::entry_tree;

namespace {

using rows = matrix<float>;
using space_type = annulus::detail::row_space<rows, sqeuclidean>;

rows normal_rows(std::size_t n, std::size_t d) { return ::normal_rows(n, d, n); }

std::vector<std::uint32_t> some_degrees(std::size_t n) {
  const counter_random random(17);
  std::vector<std::uint32_t> degrees(n);
  for (std::size_t i = 0; i < n; ++i) degrees[i] = static_cast<std::uint32_t>(random.below(i, 50));
  return degrees;
}

std::vector<id_type> all_of(std::size_t n) {
  std::vector<id_type> all(n);
  std::iota(all.begin(), all.end(), id_type{0});
  return all;
}

/// A tree over all rows.
struct planted {
  explicit planted(const rows& m, std::size_t leaf_size, std::uint64_t seed = 1)
      : planted(m, leaf_size, some_degrees(m.rows()), seed) {}
  planted(const rows& m, std::size_t leaf_size, const std::vector<std::uint32_t>& degrees, std::uint64_t seed)
      : data(&m), tree(space_type(m, sqeuclidean{}), all_of(m.rows()), degrees, leaf_size, seed) {}

  std::vector<id_type> order() const { return {tree.rows().begin(), tree.rows().end()}; }
  std::uint32_t find(std::span<const float> query) const {
    return tree.find<float>(data->rows(), [&](std::span<const id_type> ids, float* out) {
      for (const id_type id : ids) *out++ = sqeuclidean{}(query.data(), data->row(id).data(), query.size());
    });
  }
  std::vector<id_type> rows_in(std::uint32_t leaf) const {
    std::vector<id_type> ids;
    tree.visit(leaf, [&](id_type id) { ids.push_back(id); });
    return ids;
  }
  std::vector<id_type> rows_around(std::span<const float> query) const { return rows_in(find(query)); }

  const rows* data;
  entry_tree tree;
};

}  // namespace

TEST_CASE("the order of a tree's leaves holds each row once", "[hub_tree]") {
  for (const std::size_t n : {1u, 2u, 3u, 32u, 33u, 1000u})
    for (const std::size_t leaf_size : {2u, 32u}) {
      const rows m = normal_rows(n, 5);
      const planted p(m, leaf_size);
      std::vector<id_type> sorted = p.order();
      std::ranges::sort(sorted);
      CAPTURE(n, leaf_size);
      CHECK(sorted == all_of(n));
      CHECK(p.tree.defect(n).empty());
    }
}

TEST_CASE("leaves are parts of all rows and no larger than asked for", "[hub_tree]") {
  for (const std::size_t leaf_size : {2u, 8u, 32u}) {
    const rows m = normal_rows(1500, 5);
    const planted p(m, leaf_size);
    std::set<std::uint32_t> leaves;
    for (std::size_t i = 0; i < 1500; ++i) leaves.insert(p.find(m.row(i)));
    std::vector<id_type> met;  // all leaves are met, for each holds rows that lead to it
    for (const std::uint32_t leaf : leaves) {
      const auto ids = p.rows_in(leaf);
      CHECK(!ids.empty());
      CHECK(ids.size() <= leaf_size);
      met.insert(met.end(), ids.begin(), ids.end());
    }
    std::ranges::sort(met);
    CHECK(met == all_of(1500));
  }
}

TEST_CASE("a row falls into the leaf that it is in", "[hub_tree]") {
  const rows m = normal_rows(2000, 8);
  const planted p(m, 32);
  std::size_t missed = 0;
  for (id_type i = 0; i < 2000; ++i) missed += std::ranges::count(p.rows_around(m.row(i)), i) != 1;
  CHECK(missed <= 20);
}

TEST_CASE("no hub is asked about twice on the way down, and the way is the same from each node of it", "[hub_tree]") {
  const rows m = normal_rows(3000, 6), queries = normal_rows(100, 6);
  const planted p(m, 8);
  struct step {
    std::uint32_t passed_by;
    float near, far;
    bool operator==(const step&) const = default;
  };
  std::size_t n_asked = 0, n_steps = 0, wrong = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    std::vector<id_type> asked;
    const auto way_from = [&](std::uint32_t node, std::vector<step>& way) {
      asked.clear();
      return p.tree.find_below<float>(
          node, 3000,
          [&](std::span<const id_type> ids, float* out) {
            for (const id_type id : ids) {
              asked.push_back(id);
              *out++ = sqeuclidean{}(queries.row(i).data(), m.row(id).data(), 6);
            }
          },
          [&](std::uint32_t other, float near, float far) {
            way.push_back({other, near, far});
          });
    };
    std::vector<step> way;
    const std::uint32_t leaf = way_from(0, way);
    n_asked += asked.size();
    n_steps += way.size();
    wrong += std::set<id_type>(asked.begin(), asked.end()).size() != asked.size();
    for (std::size_t s = 0; s < way.size(); ++s) {
      wrong += way[s].far < way[s].near;
      const std::uint32_t followed = way[s].passed_by % 2 == 1 ? way[s].passed_by + 1 : way[s].passed_by - 1;
      std::vector<step> rest;
      wrong += way_from(followed, rest) != leaf;
      wrong += !std::ranges::equal(rest, std::span<const step>(way).subspan(s + 1));
    }
  }
  CHECK(wrong == 0);
  CHECK(n_asked <= n_steps + 200);
}

TEST_CASE("a tree of one leaf holds all rows in their order", "[hub_tree]") {
  const rows m = normal_rows(20, 3);
  const planted p(m, 32);
  CHECK(p.rows_around(m.row(3)) == all_of(20));
  CHECK(p.order() == all_of(20));
}

TEST_CASE("a tree over some rows holds these alone", "[hub_tree]") {
  const rows m = normal_rows(500, 4);
  std::vector<id_type> odd;
  for (id_type i = 1; i < 500; i += 2) odd.push_back(i);
  const entry_tree tree(space_type(m, sqeuclidean{}), odd, some_degrees(500), 8, 1);
  std::vector<id_type> sorted(tree.rows().begin(), tree.rows().end());
  std::ranges::sort(sorted);
  CHECK(sorted == odd);
  std::vector<id_type> hubs;
  tree.top_hubs(500, 40, hubs);
  CHECK(hubs.size() == 40);
  CHECK(std::ranges::all_of(hubs, [](id_type id) { return id % 2 == 1; }));
}

TEST_CASE("a tree that was not built has one leaf without rows", "[hub_tree]") {
  const entry_tree tree;
  const auto leaf = tree.find<float>(0, [](std::span<const id_type>, float*) {});
  tree.visit(leaf, [](id_type) { FAIL("a row in a tree that has none"); });
  std::vector<id_type> hubs{1, 2};
  tree.top_hubs(0, 10, hubs);
  CHECK(hubs.empty());
  CHECK(tree.defect(0).empty());
}

TEST_CASE("equal rows are parted by coin", "[hub_tree]") {
  const rows m(5000, 3, 1.0f);
  const planted p(m, 32);
  const auto ids = p.rows_around(m.row(0));
  CHECK(ids.size() <= 32);
  CHECK(!ids.empty());
}

TEST_CASE("rows each far beyond the last are planted", "[hub_tree]") {
  rows m(126, 1);
  for (std::size_t i = 0; i < 126; ++i) m(i, 0) = std::ldexp(1.0f, static_cast<int>(i) / 2);
  std::vector<id_type> sorted = planted(m, 2).order();
  std::ranges::sort(sorted);
  CHECK(sorted == all_of(126));
}

TEST_CASE("a tree is the same for the same seed", "[hub_tree]") {
  const rows m(500, 2, 3.0f);
  CHECK(planted(m, 8, 5).order() == planted(m, 8, 5).order());
  CHECK(planted(m, 8, 5).order() != planted(m, 8, 6).order());
}

TEST_CASE("the hubs of the greatest in-degrees part the rows", "[hub_tree]") {
  rows m(100, 1);
  for (std::size_t i = 0; i < 100; ++i) m(i, 0) = static_cast<float>(i);
  std::vector<std::uint32_t> degrees(100, 1);
  degrees[10] = 9;
  degrees[30] = 8;  // the plane between them is at 20
  const planted p(m, 99, degrees, 1);
  const std::vector<float> low{3}, high{80};
  auto below = p.rows_around(low), above = p.rows_around(high);
  std::ranges::sort(below);
  std::ranges::sort(above);
  CHECK((below.size() == 20 || below.size() == 21));
  CHECK(below == all_of(below.size()));
  CHECK(above.size() == 100 - below.size());
  CHECK(above.back() == 99);
  std::vector<id_type> hubs;
  p.tree.top_hubs(100, 10, hubs);
  std::ranges::sort(hubs);
  CHECK(hubs == std::vector<id_type>{10, 30});
}

TEST_CASE("two hubs that are nearly equal do not part the rows", "[hub_tree]") {
  rows m(100, 1);
  for (std::size_t i = 0; i < 100; ++i) m(i, 0) = static_cast<float>(i);
  std::vector<std::uint32_t> degrees(100, 1);
  m(31, 0) = m(30, 0) + 0.001f;
  degrees[30] = 9;
  degrees[31] = 8;
  std::vector<id_type> hubs;
  planted(m, 99, degrees, 1).tree.top_hubs(100, 2, hubs);
  REQUIRE(hubs.size() == 2);
  CHECK(hubs[0] == 30);
  CHECK(hubs[1] != 31);
}

TEST_CASE("rows are called by their new names after a renaming", "[hub_tree]") {
  const rows m = normal_rows(300, 3);
  planted p(m, 8);
  const auto before = p.order();
  std::vector<id_type> hubs, renamed;
  p.tree.top_hubs(300, 40, hubs);
  std::vector<id_type> place(300);
  for (std::size_t i = 0; i < 300; ++i) place[i] = static_cast<id_type>((7 * i + 5) % 300);
  p.tree.rename(place);
  p.tree.top_hubs(300, 40, renamed);
  for (id_type& id : hubs) id = place[id];
  CHECK(renamed == hubs);
  const auto after = p.order();
  for (std::size_t i = 0; i < 300; ++i) CHECK(after[i] == place[before[i]]);
}

TEST_CASE("the first hubs are those nearest the root, each level before the next", "[hub_tree]") {
  const rows m = normal_rows(2000, 4);
  const planted p(m, 8);
  std::vector<id_type> few, many;
  p.tree.top_hubs(2000, 256, many);
  CHECK(many.size() == 256);
  for (const std::size_t most : {0u, 1u, 2u, 3u, 10u, 255u}) {
    p.tree.top_hubs(2000, most, few);
    REQUIRE(few.size() == most / 2 * 2);
    CHECK(std::ranges::equal(few, std::span(many).first(few.size())));
  }
  p.tree.top_hubs(5, 256, few);  // rows from 5 on are none
  CHECK(std::ranges::all_of(few, [](id_type id) { return id < 5; }));
}

TEST_CASE("rows that are added are met in their leaf, the newest first", "[hub_tree]") {
  const rows m = normal_rows(400, 3);
  planted p(m, 16);
  const counter_random random(3);
  std::map<std::uint32_t, std::vector<id_type>> built;
  for (std::size_t i = 0; i < 400; ++i) built[p.find(m.row(i))];
  for (auto& [leaf, ids] : built) ids = p.rows_in(leaf);
  std::vector<std::uint32_t> leaf_of;
  for (id_type i = 0; i < 300; ++i) {
    leaf_of.push_back(p.find(m.row(random.below(i, 400))));
    p.tree.add(leaf_of.back(), 400 + i);
  }
  CHECK(p.tree.n_added() == 300);
  CHECK(p.tree.defect(700).empty());
  const auto check = [&](std::size_t n_added) {
    for (const auto& [leaf, ids] : built) {
      auto all = ids;
      std::size_t count = 0;
      for (std::size_t i = n_added; i-- > 0;)
        if (leaf_of[i] == leaf && count++ < 32) all.push_back(static_cast<id_type>(400 + i));
      CHECK(p.rows_in(leaf) == all);
    }
  };
  check(300);
  for (const std::size_t left : {299u, 200u, 1u, 0u}) {
    p.tree.take_back(left);
    CHECK(p.tree.n_added() == left);
    check(left);
  }
}

TEST_CASE("of many rows that are added to one leaf the newest alone are met", "[hub_tree]") {
  const rows m = normal_rows(10, 2);
  planted p(m, 32);
  for (id_type i = 0; i < 1000; ++i) p.tree.add(0, 10 + i);
  const auto met = p.rows_in(0);
  REQUIRE(met.size() > 10);
  CHECK(met.size() < 100);
  for (std::size_t i = 10; i < met.size(); ++i) CHECK(met[i] == 1009 - (i - 10));
}

TEST_CASE("beside the first hubs there are rows that were added since, from first to last", "[hub_tree]") {
  const rows m = normal_rows(2000, 4);
  planted p(m, 8);
  std::vector<id_type> before, after;
  p.tree.top_hubs(3000, 40, before);
  for (id_type row = 2000; row < 3000; ++row) p.tree.add(0, row);
  p.tree.top_hubs(3000, 40, after);
  REQUIRE(after.size() == before.size() + 10);
  CHECK(std::ranges::equal(before, std::span(after).first(before.size())));
  const std::span added = std::span(after).subspan(before.size());
  for (std::size_t i = 0; i < 10; ++i) CHECK(added[i] == 2099 + 100 * i);
  p.tree.top_hubs(2500, 40, after);  // rows from 2500 on are none
  CHECK(std::ranges::all_of(after, [](id_type id) { return id < 2500; }));
}
