#include <annulus/nndescent/graph/rp_forest.hpp>

#include "catch.hpp"
#include "nndescent/spaces.hpp"

using namespace annulus;
using namespace annulus::detail;
using spaces::all_ids;
using spaces::codes_of;
using spaces::random_matrix;
using spaces::rows_of;

namespace {

/// Whether every row is in one leaf, and the leaves follow each other, none of them empty or too large.
bool well_formed(const rp_leaves& leaves, std::size_t n, std::size_t leaf_size) {
  auto ids = leaves.order;
  std::ranges::sort(ids);
  if (ids != all_ids(n) || leaves.begins.front() != 0 || leaves.begins.back() != n) return false;
  for (std::size_t leaf = 0; leaf + 1 < leaves.begins.size(); ++leaf) {
    const std::size_t begin = leaves.begins[leaf], end = leaves.begins[leaf + 1];
    if (!(begin < end) || end - begin > leaf_size) return false;
  }
  return true;
}

bool same(const std::vector<rp_leaves>& a, const std::vector<rp_leaves>& b) {
  return std::ranges::equal(
      a, b, [](const rp_leaves& x, const rp_leaves& y) { return x.order == y.order && x.begins == y.begins; });
}

/// A space that remembers how it is asked, and whose rows are all on one side of any plane.
struct one_sided_space {
  std::size_t n;
  std::size_t size() const { return n; }
  struct ranker {
    explicit ranker(const one_sided_space&) {}
    void margins(id_type, id_type, std::span<const id_type> ids, float* out) const {
      std::fill_n(out, ids.size(), 1.0f);
    }
  };
};

/// A space that parts one row from all others, as outliers do: a tree of such splits is a list.
struct peeling_space {
  std::size_t n;
  mutable std::size_t splits = 0;
  std::size_t size() const { return n; }
  struct ranker {
    const peeling_space* space;
    explicit ranker(const peeling_space& s) : space(&s) {}
    void margins(id_type, id_type, std::span<const id_type> ids, float* out) const {
      ++space->splits;
      std::fill_n(out, ids.size(), 1.0f);
      out[0] = -1.0f;
    }
  };
};

}  // namespace

TEMPLATE_TEST_CASE("every row is in one leaf of a tree of rows, and leaves are no larger than asked", "[rp_forest]",
                   euclidean, inner_product, cosine, manhattan) {
  for (const std::size_t n : {1u, 2u, 3u, 10u, 300u}) {
    const auto data = random_matrix<float>(n, 6, n);
    for (const std::size_t leaf_size : {2u, 3u, 16u, 64u, 1000u})
      CHECK(well_formed(build_rp_tree(rows_of<TestType>(data), leaf_size, 1, 0), n, leaf_size));
  }
}

TEMPLATE_TEST_CASE("every row is in one leaf of a tree of codes, and leaves are no larger than asked", "[rp_forest]",
                   euclidean, inner_product, cosine) {
  for (const std::size_t n : {1u, 2u, 3u, 10u, 300u}) {
    const auto data = random_matrix<float>(n, 6, n);
    const auto bytes = random_matrix<std::uint8_t>(n, 6, n);
    for (const std::size_t leaf_size : {2u, 3u, 16u, 64u, 1000u}) {
      CHECK(well_formed(build_rp_tree(codes_of<TestType>(data), leaf_size, 1, 0), n, leaf_size));
      CHECK(well_formed(build_rp_tree(codes_of<TestType>(bytes), leaf_size, 1, 0), n, leaf_size));
    }
  }
}

TEST_CASE("rows that fit one leaf stay in their order", "[rp_forest]") {
  const auto data = random_matrix<float>(30, 6, 1);
  const auto leaves = build_rp_tree(rows_of<euclidean>(data), 30, 1, 0);
  CHECK(leaves.order == all_ids(30));
  CHECK(leaves.begins == std::vector<std::size_t>{0, 30});
}

TEST_CASE("no rows have a tree of no rows", "[rp_forest]") {
  const matrix<float> data(0, 3);
  const auto leaves = build_rp_tree(rows_of<euclidean>(data), 10, 1, 0);
  CHECK(leaves.order.empty());
  CHECK(leaves.begins.back() == 0);
}

TEST_CASE("constant rows end in leaves", "[rp_forest]") {
  for (const float value : {0.0f, 1.0f, -1e6f}) {
    const matrix<float> data(3000, 4, value);
    CHECK(well_formed(build_rp_tree(rows_of<euclidean>(data), 10, 1, 0), 3000, 10));
    CHECK(well_formed(build_rp_tree(codes_of<euclidean>(data), 10, 1, 0), 3000, 10));
    CHECK(well_formed(build_rp_tree(codes_of<cosine>(data), 10, 1, 0), 3000, 10));
    CHECK(well_formed(build_rp_tree(codes_of<inner_product>(data), 10, 1, 0), 3000, 10));
  }
}

TEST_CASE("duplicates among others end in leaves", "[rp_forest]") {
  auto data = random_matrix<float>(3000, 4, 2);
  for (std::size_t i = 0; i < 3000; ++i)
    if (i % 100 != 0) std::ranges::copy(data.row(1), data.row(i).begin());
  CHECK(well_formed(build_rp_tree(rows_of<euclidean>(data), 5, 1, 0), 3000, 5));
  CHECK(well_formed(build_rp_tree(codes_of<euclidean>(data), 5, 1, 0), 3000, 5));
}

TEST_CASE("rows of growing size, each an outlier of those before, end in leaves", "[rp_forest]") {
  matrix<float> data(200, 2);
  for (std::size_t i = 0; i < 200; ++i) data(i, 0) = std::ldexp(1.0f, static_cast<int>(i % 60));
  CHECK(well_formed(build_rp_tree(rows_of<euclidean>(data), 2, 1, 0), 200, 2));
  CHECK(well_formed(build_rp_tree(codes_of<euclidean>(data), 2, 1, 0), 200, 2));
}

TEST_CASE("rows all on one side are halved", "[rp_forest]") {
  const one_sided_space space{5000};
  const auto leaves = build_rp_tree(space, 8, 1, 0);
  CHECK(well_formed(leaves, 5000, 8));
  CHECK(leaves.begins.size() > 5000 / 8);
}

TEST_CASE("a tree is no deeper than a bound, whatever its splits", "[rp_forest]") {
  const peeling_space space{20000};
  CHECK(well_formed(build_rp_tree(space, 4, 1, 0), 20000, 4));
  CHECK(space.splits <= 100);  // halved at random below
}

TEST_CASE("a split takes the side of the plane between two rows, and keeps the order on both", "[rp_forest]") {
  const auto data = random_matrix<float>(200, 5, 3);
  const auto space = rows_of<euclidean>(data);
  rp_splitter splitter(space);
  auto ids = all_ids(200);
  const std::size_t left = splitter.split(ids, 10, 20, counter_random(1), false);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    double side = 0;
    for (std::size_t j = 0; j < 5; ++j) {
      const double x = static_cast<double>(data(ids[i], j));
      const double to_a = x - static_cast<double>(data(10, j)), to_b = x - static_cast<double>(data(20, j));
      side += to_b * to_b - to_a * to_a;
    }
    wrong += std::abs(side) > 1e-5 && (i < left) != (side > 0);
    if (i > 0 && i != left) wrong += ids[i] < ids[i - 1];
  }
  CHECK(wrong == 0);
}

TEST_CASE("clusters far apart are parted by a row of each", "[rp_forest]") {
  auto data = random_matrix<float>(200, 5, 4);
  for (std::size_t i = 0; i < 200; i += 2) data(i, 0) += 1000;
  const auto check = [](const auto& space) {
    rp_splitter splitter(space);
    for (const id_type a : {0u, 6u, 101u}) {
      auto ids = all_ids(200);
      const std::size_t left = splitter.split(ids, a, a + 1, counter_random(1), false);
      CHECK(left == 100);
      for (std::size_t i = 0; i < 200; ++i) CHECK((ids[i] % 2 == a % 2) == (i < left));
    }
  };
  check(rows_of<euclidean>(data));
  check(codes_of<euclidean>(data));
}

TEST_CASE("leaves seldom mix clusters far apart", "[rp_forest]") {
  auto data = random_matrix<float>(2000, 5, 5);
  for (std::size_t i = 0; i < 2000; i += 2) data(i, 0) += 1000;
  const auto space = rows_of<euclidean>(data);
  std::size_t mixed = 0, all = 0;
  for (std::uint64_t tree = 0; tree < 10; ++tree) {
    const auto leaves = build_rp_tree(space, 20, 1, tree);
    for (std::size_t leaf = 0; leaf + 1 < leaves.begins.size(); ++leaf, ++all) {
      std::size_t odd = 0;
      for (std::size_t i = leaves.begins[leaf]; i < leaves.begins[leaf + 1]; ++i) odd += leaves.order[i] % 2;
      mixed += odd != 0 && odd != leaves.begins[leaf + 1] - leaves.begins[leaf];
    }
  }
  CHECK(mixed <= all / 50);
}

TEST_CASE("the number of threads does not change a forest", "[rp_forest][parallel]") {
  const auto data = random_matrix<float>(1000, 6, 6);
  const auto check = [](const auto& space) {
    const auto expected = build_rp_forest(space, 20, 0, 7, 3, 1, {});
    for (const std::size_t threads : {2u, 3u, 8u})
      CHECK(same(build_rp_forest(space, 20, 0, 7, 3, threads, {}), expected));
  };
  check(rows_of<euclidean>(data));
  check(codes_of<euclidean>(data));
}

TEST_CASE("a forest in parts is the whole forest", "[rp_forest]") {
  const auto data = random_matrix<float>(500, 6, 7);
  const auto space = rows_of<euclidean>(data);
  auto parts = build_rp_forest(space, 20, 0, 3, 3, 1, {});
  for (auto& tree : build_rp_forest(space, 20, 3, 4, 3, 1, {})) parts.push_back(tree);
  CHECK(same(parts, build_rp_forest(space, 20, 0, 7, 3, 1, {})));
}

TEST_CASE("the trees of a forest differ, as do those of seeds", "[rp_forest]") {
  const auto data = random_matrix<float>(500, 6, 8);
  const auto space = rows_of<euclidean>(data);
  const auto one = build_rp_forest(space, 20, 0, 2, 3, 1, {}), two = build_rp_forest(space, 20, 0, 2, 4, 1, {});
  CHECK(one[0].order != one[1].order);
  CHECK(one[0].order != two[0].order);
  CHECK(one[1].order != two[1].order);
}

TEST_CASE("progress that returns false cancels a forest", "[rp_forest]") {
  const auto data = random_matrix<float>(100, 6, 9);
  const auto space = rows_of<euclidean>(data);
  const progress_callback never = [](const progress_report&) { return false; };
  CHECK_THROWS_AS(build_rp_forest(space, 20, 0, 7, 3, 2, never), cancelled);
}
