#include <annulus/nndescent/graph/descent.hpp>

#include "catch.hpp"
#include "nndescent/spaces.hpp"

using namespace annulus;
using namespace annulus::detail;
using spaces::all_ids;
using spaces::codes_of;
using spaces::random_matrix;
using spaces::rows_of;

namespace {

const matrix<float>& data() {
  static const auto rows = random_matrix<float>(700, 6, 1);
  return rows;
}

nndescent_params params_for(std::size_t n, nndescent_params params = {}) {
  params.n_neighbors = 10;
  params.threads = params.threads == 0 ? 2 : params.threads;
  return resolved(std::move(params), n);
}

/// Whether lists ascend by ranks of the space, repeat nobody and hold no self.
template <class Space>
bool well_formed(const Space& space, const neighbor_lists& lists) {
  typename Space::ranker ranker(space);
  for (std::size_t i = 0; i < lists.size(); ++i) {
    std::vector<id_type> ids;
    for (std::size_t j = 0; j < lists.count(i); ++j) {
      const id_type id = lists(i, j).id();
      float rank = 0;
      ranker.from(static_cast<id_type>(i), std::span(&id, 1), &rank);
      if (id == i || id >= lists.size() || rank != lists.rank(i, j)) return false;
      if (j > 0 && lists.rank(i, j) < lists.rank(i, j - 1)) return false;
      ids.push_back(id);
    }
    std::ranges::sort(ids);
    if (std::ranges::adjacent_find(ids) != ids.end()) return false;
  }
  return true;
}

/// The share of the nearest by rank that the lists hold.
template <class Space>
double recall_of(const Space& space, const neighbor_lists& lists) {
  typename Space::ranker ranker(space);
  std::vector<float> ranks(lists.size());
  double hits = 0, wanted = 0;
  for (std::size_t i = 0; i < lists.size(); i += 5) {
    ranker.from(static_cast<id_type>(i), all_ids(lists.size()), ranks.data());
    ranks[i] = std::numeric_limits<float>::infinity();
    const std::size_t k = std::min(lists.width(), lists.size() - 1);
    std::nth_element(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(k - 1), ranks.end());
    for (std::size_t j = 0; j < lists.count(i); ++j) hits += lists.rank(i, j) <= ranks[k - 1];
    wanted += static_cast<double>(k);
  }
  return hits / wanted;
}

bool same(const neighbor_lists& a, const neighbor_lists& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a.count(i) != b.count(i)) return false;
    for (std::size_t j = 0; j < a.count(i); ++j)
      if (a(i, j).bits != b(i, j).bits || a.rank(i, j) != b.rank(i, j)) return false;
  }
  return true;
}

const auto check_both = [](auto check) {
  check(codes_of<euclidean>(data()));
  check(rows_of<euclidean>(data()));
};

}  // namespace

TEST_CASE("joining a leaf of all rows finds the nearest of all", "[descent]") {
  check_both([](const auto& space) {
    const auto params = params_for(700);
    const thread_team team(params.threads);
    descent build(space, 16, params, team);
    build.join_leaves({all_ids(700), {0, 700}});
    CHECK(well_formed(space, build.lists()));
    CHECK(recall_of(space, build.lists()) == 1.0);
  });
}

TEST_CASE("joining leaves introduces the rows of a leaf, and no others", "[descent]") {
  check_both([](const auto& space) {
    const auto params = params_for(700);
    const thread_team team(params.threads);
    descent build(space, 8, params, team);
    build.join_leaves({all_ids(700), {0, 1, 3, 100, 700}});
    CHECK(well_formed(space, build.lists()));
    CHECK(build.lists().count(0) == 0);
    CHECK(build.lists().count(1) == 1);
    CHECK(build.lists()(1, 0).id() == 2);
    for (std::size_t i = 3; i < 700; ++i) {
      CHECK(build.lists().count(i) == 8);
      for (std::size_t j = 0; j < 8; ++j) REQUIRE((build.lists()(i, j).id() >= 100) == (i >= 100));
    }
  });
}

TEST_CASE("lists are filled at random, with no self and no repeats", "[descent]") {
  check_both([](const auto& space) {
    for (const std::size_t width : {1u, 7u, 40u}) {
      const auto params = params_for(700);
      const thread_team team(params.threads);
      descent build(space, width, params, team);
      build.fill_at_random();
      CHECK(well_formed(space, build.lists()));
      std::size_t count = 0;
      for (std::size_t i = 0; i < 700; ++i) count += build.lists().count(i);
      CHECK(count >= 700 * width * 9 / 10);
    }
  });
}

TEST_CASE("a descent from random lists finds nearly all", "[descent]") {
  check_both([](const auto& space) {
    const auto params = params_for(700);
    const thread_team team(params.threads);
    descent build(space, 16, params, team);
    build.fill_at_random();
    build.run();
    CHECK(well_formed(space, build.lists()));
    CHECK(recall_of(space, build.lists()) >= 0.98);
  });
}

TEST_CASE("an iteration makes no list worse", "[descent]") {
  check_both([](const auto& space) {
    std::vector<double> recalls;
    for (const std::size_t n_iters : {1u, 2u, 3u, 4u}) {
      const auto params = params_for(700, {.n_iters = n_iters, .delta = 0});
      const thread_team team(params.threads);
      descent build(space, 16, params, team);
      build.fill_at_random();
      build.run();
      recalls.push_back(recall_of(space, build.lists()));
    }
    CHECK(std::ranges::is_sorted(recalls));
  });
}

TEST_CASE("a descent takes up a graph, whatever its order, its repeats and its selves", "[descent]") {
  check_both([](const auto& space) {
    const auto params = params_for(700);
    const thread_team team(params.threads);
    descent build(space, 8, params, team);
    build.start_from([](std::size_t i) {
      const auto u = static_cast<id_type>(i);
      return std::vector<id_type>{(u + 3) % 700, u, (u + 1) % 700, (u + 3) % 700, u, (u + 2) % 700};
    });
    CHECK(well_formed(space, build.lists()));
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 700; ++i) {
      wrong += build.lists().count(i) != 3;
      for (std::size_t j = 0; j < build.lists().count(i); ++j) wrong += (build.lists()(i, j).id() + 700 - i) % 700 > 3;
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("of a graph with longer lists a descent keeps the nearest", "[descent]") {
  check_both([](const auto& space) {
    const auto params = params_for(700);
    const thread_team team(params.threads);
    descent build(space, 8, params, team);
    build.start_from([](std::size_t) { return all_ids(700); });
    CHECK(well_formed(space, build.lists()));
    CHECK(recall_of(space, build.lists()) == 1.0);
  });
}

TEST_CASE("a descent of nobody known ends", "[descent]") {
  check_both([](const auto& space) {
    const auto params = params_for(700);
    const thread_team team(params.threads);
    descent build(space, 8, params, team);
    build.run();
    for (std::size_t i = 0; i < 700; ++i) REQUIRE(build.lists().count(i) == 0);
  });
}

TEST_CASE("the number of threads does not change any list", "[descent][parallel]") {
  const auto all = random_matrix<float>(5000, 6, 2);
  const auto space = codes_of<euclidean>(all);
  const auto forest = build_rp_forest(space, 32, 0, 2, 1, 1, {});
  for (const std::size_t max_candidates : {4u, 24u}) {
    std::optional<neighbor_lists> expected;
    for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
      const auto params = params_for(5000, {.max_candidates = max_candidates, .n_iters = 3, .threads = threads});
      const thread_team team(params.threads);
      descent build(space, 13, params, team);
      for (const auto& tree : forest) build.join_leaves(tree);
      build.fill_at_random();
      build.run();
      if (!expected) expected = build.lists();
      CAPTURE(threads);
      CHECK(same(build.lists(), *expected));
    }
  }
}

TEST_CASE("a descent reports its iterations, and ends at 1", "[descent]") {
  const auto space = codes_of<euclidean>(data());
  std::vector<double> fractions;
  const auto params = params_for(700, {.n_iters = 4, .delta = 0, .progress = [&](const progress_report& report) {
                                         const std::string_view stage = report.stage;
                                         const double f = report.fraction;
                                         CHECK(stage == "descent");
                                         fractions.push_back(f);
                                         return true;
                                       }});
  const thread_team team(params.threads);
  descent build(space, 8, params, team);
  build.fill_at_random();
  build.run();
  CHECK(fractions.front() == 0);
  CHECK(fractions.back() == 1);
  CHECK(std::ranges::is_sorted(fractions));
}

TEST_CASE("a descent that is cancelled throws, at any iteration", "[descent]") {
  const auto space = codes_of<euclidean>(data());
  for (std::size_t last = 1; last <= 3; ++last) {
    std::size_t calls = 0;
    const auto params = params_for(
        700, {.n_iters = 4, .delta = 0, .progress = [&](const progress_report&) { return ++calls != last; }});
    const thread_team team(params.threads);
    descent build(space, 8, params, team);
    build.fill_at_random();
    CHECK_THROWS_AS(build.run(), cancelled);
    CHECK(calls == last);
  }
}
