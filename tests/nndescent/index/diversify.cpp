#include <annulus/nndescent/graph/row_space.hpp>
#include <annulus/nndescent/index/diversify.hpp>

#include "catch.hpp"
#include "random_data.hpp"

using namespace annulus;
using annulus::detail::build_search_graph;
using annulus::detail::diversifier;
using annulus::detail::diversify_rule;
using annulus::detail::neighbor_lists;
using annulus::detail::search_edges;

namespace {

using rows = matrix<float>;
template <class Metric>
using space_of = annulus::detail::row_space<rows, Metric>;

diversify_rule rule_of(std::size_t degree, double prob = 1, float factor = 1) {
  return {degree, prob, factor, counter_random(1)};
}

/// The `width` nearest others of row u, nearest first.
template <class Space>
std::vector<candidate<float>> nearest(const Space& space, id_type u, std::size_t width) {
  std::vector<candidate<float>> all;
  for (id_type v = 0; v < space.size(); ++v)
    if (v != u) all.push_back({space.rank(u, v), v});
  std::sort(all.begin(), all.end());
  all.resize(std::min(width, all.size()));
  return all;
}

template <class Space>
neighbor_lists lists_of(const Space& space, std::size_t width) {
  neighbor_lists lists(space.size(), std::max<std::size_t>(1, std::min(width, space.size() - 1)));
  for (id_type u = 0; u < space.size(); ++u)
    for (const auto& c : nearest(space, u, lists.width())) lists.insert(u, c.id, c.rank);
  return lists;
}

template <class Space>
std::vector<candidate<float>> thinned(const Space& space, id_type u, std::size_t width, const diversify_rule& rule) {
  auto kept = nearest(space, u, width);
  diversifier<Space> thin(space, rule);
  thin(u, kept);
  return kept;
}

/// How many edges of u are the longest of a triangle with another, by the factor.
template <class Space>
std::size_t longest_sides(const Space& space, const std::vector<candidate<float>>& kept, float factor) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < kept.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) count += factor * space.rank(kept[j].id, kept[i].id) < kept[i].rank;
  return count;
}

}  // namespace

TEMPLATE_TEST_CASE("no edge that is kept is the longest of a triangle with two that are", "[prune]", euclidean,
                   sqeuclidean, manhattan, chebyshev, cosine) {
  for (const std::size_t d : {2u, 10u}) {
    const rows data = normal_rows(300, d, d);
    const space_of<TestType> space(data, TestType{});
    std::size_t wrong = 0;
    for (id_type u = 0; u < 300; ++u) wrong += longest_sides(space, thinned(space, u, 60, rule_of(60)), 1);
    CHECK(wrong == 0);
  }
}

TEST_CASE("an edge that is dropped is the longest of a triangle with one that is kept", "[prune]") {
  const rows data = normal_rows(300, 5, 1);
  const euclidean metric;
  const space_of<euclidean> space(data, metric);
  for (id_type u = 0; u < 300; ++u) {
    const auto kept = thinned(space, u, 60, rule_of(60));
    std::size_t kept_for_nothing = 0;
    for (const auto& c : nearest(space, u, 60)) {
      if (std::ranges::find(kept, c) != kept.end()) continue;
      kept_for_nothing += std::ranges::none_of(
          kept, [&](const auto& other) { return other.rank <= c.rank && space.rank(other.id, c.id) < c.rank; });
    }
    CHECK(kept_for_nothing == 0);
  }
}

TEST_CASE("an edge that alpha keeps is a longest side by no more than alpha", "[prune]") {
  const rows data = normal_rows(300, 5, 2);
  const euclidean metric;
  const space_of<euclidean> space(data, metric);
  constexpr float alpha = 1.3f;
  std::size_t n_more = 0, wrong = 0;
  for (id_type u = 0; u < 300; ++u) {
    const auto strict = thinned(space, u, 60, rule_of(60)), loose = thinned(space, u, 60, rule_of(60, 1, alpha));
    for (const auto& c : strict) wrong += std::ranges::find(loose, c) == loose.end();
    for (const auto& c : loose) {
      if (std::ranges::find(strict, c) != strict.end()) continue;
      ++n_more;
      for (const auto& s : strict) wrong += s.rank < c.rank && alpha * 1.0001f * space.rank(s.id, c.id) < c.rank;
    }
  }
  CHECK(wrong == 0);
  CHECK(n_more > 300);
}

TEST_CASE("edges that nothing replaces come before those that alpha keeps", "[prune]") {
  const rows data = normal_rows(300, 5, 3);
  const euclidean metric;
  const space_of<euclidean> space(data, metric);
  std::size_t missing = 0;
  for (id_type u = 0; u < 300; ++u) {
    const auto strict = thinned(space, u, 60, rule_of(60));
    const auto loose = thinned(space, u, 60, rule_of(strict.size(), 1, 1.3f));
    missing += strict != loose;
  }
  CHECK(missing == 0);
}

TEST_CASE("the nearest neighbour is always kept", "[prune]") {
  const rows data = normal_rows(100, 3, 4);
  const euclidean metric;
  const space_of<euclidean> space(data, metric);
  for (id_type u = 0; u < 100; ++u)
    for (const std::size_t degree : {1u, 5u}) {
      const auto kept = thinned(space, u, 30, rule_of(degree, 1, 1.2f));
      REQUIRE(!kept.empty());
      CHECK(kept[0] == nearest(space, u, 1)[0]);
    }
}

TEST_CASE("no more edges are kept than the degree, in the order of their ranks", "[prune]") {
  const rows data = normal_rows(200, 12, 5);
  const euclidean metric;
  const space_of<euclidean> space(data, metric);
  for (const std::size_t degree : {1u, 4u, 10u, 100u})
    for (const double prob : {0.0, 0.5, 1.0})
      for (id_type u = 0; u < 200; u += 9) {
        const auto kept = thinned(space, u, 80, rule_of(degree, prob, 1.2f));
        CHECK(kept.size() <= degree);
        CHECK(std::is_sorted(kept.begin(), kept.end()));
      }
}

TEST_CASE("with probability 0 all neighbours are kept up to the degree", "[prune]") {
  const rows data = normal_rows(200, 3, 6);
  const euclidean metric;
  const space_of<euclidean> space(data, metric);
  for (const std::size_t degree : {1u, 7u, 40u, 60u})
    for (id_type u = 0; u < 200; ++u)
      CHECK(thinned(space, u, 40, rule_of(degree, 0)) == nearest(space, u, std::min<std::size_t>(degree, 40)));
}

TEST_CASE("the probability of dropping lies between keeping all and the rule", "[prune]") {
  const rows data = normal_rows(200, 3, 7);
  const euclidean metric;
  const space_of<euclidean> space(data, metric);
  std::array<std::size_t, 3> kept{};
  for (id_type u = 0; u < 200; ++u)
    for (std::size_t i = 0; i < 3; ++i)
      kept[i] += thinned(space, u, 40, rule_of(40, std::array{0.0, 0.5, 1.0}[i])).size();
  CHECK(kept[0] > kept[1]);
  CHECK(kept[1] > kept[2]);
}

TEST_CASE("a diversifier forgets the rows before", "[prune]") {
  const rows data = normal_rows(100, 4, 8);
  const euclidean metric;
  const space_of<euclidean> space(data, metric);
  diversifier<space_of<euclidean>> thin(space, rule_of(10, 0.7, 1.2f));
  for (id_type u = 0; u < 100; ++u) {
    auto kept = nearest(space, u, 1 + u % 50);
    thin(u, kept);
    CHECK(kept == thinned(space, u, 1 + u % 50, rule_of(10, 0.7, 1.2f)));
  }
  std::vector<candidate<float>> none;
  thin(3, none);
  CHECK(none.empty());
}

TEST_CASE("equal rows do not take all places of a row", "[prune]") {
  // Row 0 has 40 equal rows at its own place and 10 others around.
  rows data(51, 2, 0.0f);
  for (std::size_t i = 41; i < 51; ++i) data(i, i % 2) = static_cast<float>(i);
  const euclidean metric;
  const space_of<euclidean> space(data, metric);
  const auto kept = thinned(space, 0, 50, rule_of(20));
  CHECK(std::ranges::any_of(kept, [](const auto& c) { return c.id > 40; }));
}

// ---- The search graph -----------------------------------------------------------------------------------------------

TEST_CASE("a search graph has no self, no repeats and a place left in each row", "[prune]") {
  for (const std::size_t n : {2u, 3u, 10u, 400u})
    for (const std::size_t degree : {1u, 5u, 20u})
      for (const double prob : {0.0, 1.0}) {
        const rows data = normal_rows(n, 6, n);
        const euclidean metric;
        const space_of<euclidean> space(data, metric);
        const search_edges graph = build_search_graph(space, lists_of(space, 30), rule_of(degree, prob, 1.2f), 2, {});
        CAPTURE(n, degree, prob);
        REQUIRE(graph.size() == n);
        CHECK(graph.max_degree() == degree + 1);
        std::size_t wrong = 0;
        for (id_type u = 0; u < n; ++u) {
          std::vector<id_type> ids(graph.of(u).begin(), graph.of(u).end());
          std::ranges::sort(ids);
          wrong += ids.empty() || ids.size() > degree || ids.back() >= n ||
                   std::ranges::adjacent_find(ids) != ids.end() || std::ranges::find(ids, u) != ids.end();
        }
        CHECK(wrong == 0);
      }
}

TEST_CASE("edges of a search graph go both ways where there is room", "[prune]") {
  const rows data = normal_rows(300, 6, 9);
  const euclidean metric;
  const space_of<euclidean> space(data, metric);
  const search_edges graph = build_search_graph(space, lists_of(space, 10), rule_of(200), 1, {});
  std::size_t one_way = 0;
  for (id_type u = 0; u < 300; ++u)
    for (const id_type v : graph.of(u)) one_way += std::ranges::find(graph.of(v), u) == graph.of(v).end();
  CHECK(one_way == 0);
}

TEST_CASE("a hub of many followers keeps to its degree", "[prune]") {
  // 500 rows on a sphere around row 0.
  rows data = normal_rows(501, 30, 10);
  std::ranges::fill(data.row(0), 0.0f);
  const euclidean metric;
  const space_of<euclidean> space(data, metric);
  const search_edges graph = build_search_graph(space, lists_of(space, 5), rule_of(12, 1, 1.2f), 1, {});
  CHECK(graph.of(0).size() <= 12);
  CHECK(!graph.of(0).empty());
}

TEST_CASE("a search graph is the same for any number of threads", "[prune]") {
  const rows data = normal_rows(1000, 6, 11);
  const euclidean metric;
  const space_of<euclidean> space(data, metric);
  const auto lists = lists_of(space, 20);
  const search_edges expected = build_search_graph(space, lists, rule_of(10, 0.5, 1.2f), 1, {});
  for (const std::size_t threads : {2u, 3u, 8u}) {
    const search_edges graph = build_search_graph(space, lists, rule_of(10, 0.5, 1.2f), threads, {});
    std::size_t different = 0;
    for (std::size_t u = 0; u < 1000; ++u) different += !std::ranges::equal(graph.of(u), expected.of(u));
    CHECK(different == 0);
  }
}

TEST_CASE("a search graph is cancelled in either stage", "[prune]") {
  const rows data = normal_rows(400, 6, 12);
  const euclidean metric;
  const space_of<euclidean> space(data, metric);
  const auto lists = lists_of(space, 10);
  for (const std::string_view wanted : {"diversify", "reverse edges"})
    CHECK_THROWS_AS(build_search_graph(space, lists, rule_of(10), 1,
                                       [&](const progress_report& report) { return report.stage != wanted; }),
                    cancelled);
}
