#include <annulus/nndescent/hub_tree.hpp>
#include <annulus/nndescent/row_space.hpp>

#include "catch.hpp"

#include <set>

using namespace annulus;
using annulus::detail::hub_tree;

namespace {

using rows = matrix<float>;
using space_type = annulus::detail::row_space<rows, sqeuclidean>;

rows normal_rows(std::size_t n, std::size_t d) {
  const counter_random random(n);
  rows m(n, d);
  for (std::size_t i = 0; i < n * d; ++i) m.data()[i] = static_cast<float>(random.normal(i));
  return m;
}

std::vector<std::uint32_t> some_degrees(std::size_t n) {
  const counter_random random(17);
  std::vector<std::uint32_t> degrees(n);
  for (std::size_t i = 0; i < n; ++i) degrees[i] = static_cast<std::uint32_t>(random.below(i, 50));
  return degrees;
}

struct planted {
  explicit planted(const rows& m, std::size_t leaf_size, std::uint64_t seed = 1)
      : data(&m), order(tree.build(space_type(m, sqeuclidean{}), some_degrees(m.rows()), leaf_size, seed)) {}

  /// The leaf of a query.
  hub_tree::leaf find(std::span<const float> query) const {
    return tree.find<float>(order.size(), [&](std::span<const id_type> places, float* out) {
      for (const id_type place : places)
        *out++ = sqeuclidean{}(query.data(), data->row(order[place]).data(), query.size());
    });
  }

  const rows* data;
  hub_tree tree;
  std::vector<id_type> order;
};

}  // namespace

TEST_CASE("the order of a tree's leaves holds each row once", "[hub_tree]") {
  for (const std::size_t n : {1u, 2u, 3u, 32u, 33u, 1000u})
    for (const std::size_t leaf_size : {2u, 32u}) {
      const rows m = normal_rows(n, 5);
      const planted p(m, leaf_size);
      std::vector<id_type> sorted = p.order;
      std::ranges::sort(sorted);
      CAPTURE(n, leaf_size);
      REQUIRE(sorted.size() == n);
      for (std::size_t i = 0; i < n; ++i) CHECK(sorted[i] == i);
    }
}

TEST_CASE("leaves are parts of all places and no larger than asked for", "[hub_tree]") {
  for (const std::size_t leaf_size : {2u, 8u, 32u}) {
    const rows m = normal_rows(1500, 5);
    const planted p(m, leaf_size);
    std::set<std::pair<id_type, id_type>> leaves;
    for (std::size_t i = 0; i < 1500; ++i) {
      const auto leaf = p.find(m.row(i));
      CHECK(leaf.begin < leaf.end);
      CHECK(leaf.end - leaf.begin <= leaf_size);
      leaves.insert({leaf.begin, leaf.end});
    }
    id_type at = 0;  // all leaves are met, for each holds rows that lead to it
    for (const auto& [begin, end] : leaves) {
      CHECK(begin == at);
      at = end;
    }
    CHECK(at == 1500);
  }
}

TEST_CASE("a row falls into the leaf that it is in", "[hub_tree]") {
  const rows m = normal_rows(2000, 8);
  const planted p(m, 32);
  std::size_t missed = 0;
  for (id_type place = 0; place < 2000; ++place) {
    const auto leaf = p.find(m.row(p.order[place]));
    missed += !(leaf.begin <= place && place < leaf.end);
  }
  CHECK(missed <= 20);
}

TEST_CASE("a tree of one leaf holds all rows in their order", "[hub_tree]") {
  const rows m = normal_rows(20, 3);
  const planted p(m, 32);
  const auto leaf = p.find(m.row(3));
  CHECK(leaf.begin == 0);
  CHECK(leaf.end == 20);
  for (id_type i = 0; i < 20; ++i) CHECK(p.order[i] == i);
}

TEST_CASE("a tree that was not built has one leaf without rows", "[hub_tree]") {
  const hub_tree tree;
  const auto leaf = tree.find<float>(0, [](std::span<const id_type>, float*) {});
  CHECK(leaf.begin == leaf.end);
}

TEST_CASE("equal rows are parted by coin", "[hub_tree]") {
  const rows m(5000, 3, 1.0f);
  const planted p(m, 32);
  const auto leaf = p.find(m.row(0));
  CHECK(leaf.end - leaf.begin <= 32);
  CHECK(leaf.end - leaf.begin > 0);
}

TEST_CASE("rows each far beyond the last are planted", "[hub_tree]") {
  rows m(126, 1);
  for (std::size_t i = 0; i < 126; ++i) m(i, 0) = std::ldexp(1.0f, static_cast<int>(i) / 2);
  const planted p(m, 2);
  std::vector<id_type> sorted = p.order;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < 126; ++i) CHECK(sorted[i] == i);
}

TEST_CASE("a tree is the same for the same seed", "[hub_tree]") {
  const rows m(500, 2, 3.0f);
  CHECK(planted(m, 8, 5).order == planted(m, 8, 5).order);
  CHECK(planted(m, 8, 5).order != planted(m, 8, 6).order);
}

TEST_CASE("the hubs of the greatest in-degrees part the rows", "[hub_tree]") {
  rows m(100, 1);
  for (std::size_t i = 0; i < 100; ++i) m(i, 0) = static_cast<float>(i);
  std::vector<std::uint32_t> degrees(100, 1);
  degrees[10] = 9;
  degrees[30] = 8;  // the plane between them is at 20
  hub_tree tree;
  const auto order = tree.build(space_type(m, sqeuclidean{}), degrees, 99, 1);
  const auto find = [&](float x) {
    return tree.find<float>(order.size(), [&](std::span<const id_type> places, float* out) {
      for (const id_type place : places) *out++ = (m(order[place], 0) - x) * (m(order[place], 0) - x);
    });
  };
  const auto low = find(3), high = find(80);
  CHECK(low.begin == 0);
  CHECK((low.end == 20 || low.end == 21));
  CHECK(high.begin == low.end);
  CHECK(high.end == 100);
}
