#include <annulus/core/base/random.hpp>
#include <annulus/core/metric/metric.hpp>
#include <annulus/core/metric/set_metrics.hpp>

#include "catch.hpp"

#include <set>

using namespace annulus;

namespace {

using members = std::vector<std::int32_t>;

double distance(const members& a, const members& b) {
  const std::vector<float> of_a(a.size()), of_b(b.size(), 2.0f);
  return jaccard{}(sparse_row<float>{a, of_a, 1000}, sparse_row<float>{b, of_b, 1000});
}

members random_set(std::size_t n, std::uint64_t range, std::uint64_t seed) {
  const counter_random random(seed);
  std::set<std::int32_t> set;
  for (std::uint64_t i = 0; set.size() < n; ++i) set.insert(static_cast<std::int32_t>(random.below(i, range)));
  return {set.begin(), set.end()};
}

}  // namespace

TEST_CASE("jaccard is a metric over sparse rows", "[sets]") {
  CHECK(metric_for<jaccard, csr_view<float>>);
  CHECK(metric_for<jaccard, csr_matrix<std::uint8_t>>);
}

TEST_CASE("the Jaccard distance is the part of the union that is not common", "[sets]") {
  CHECK(distance({1, 2, 3}, {2, 3, 4}) == 0.5);
  CHECK(distance({0, 7}, {7}) == 0.5);
  CHECK(distance({1, 2}, {3, 4}) == 1);
  CHECK(distance({5}, {5}) == 0);
  CHECK(distance({0}, {}) == 1);
}

TEST_CASE("two empty sets are at no distance", "[sets]") { CHECK(distance({}, {}) == 0); }

TEST_CASE("stored zeros are members", "[sets]") {
  const csr_matrix<float> rows({0, 2, 3}, {1, 4, 4}, {0, 1, 0}, 9);
  CHECK(jaccard{}(rows.row(0), rows.row(1)) == 0.5);
}

TEST_CASE("common members of sets of any sizes are those of a plain intersection", "[sets]") {
  for (const std::size_t n :
       {0u, 1u, 2u, 3u, 4u, 5u, 7u, 8u, 9u, 15u, 16u, 17u, 31u, 32u, 33u, 63u, 64u, 65u, 100u, 500u})
    for (const std::size_t m : {0u, 1u, 3u, 8u, 16u, 17u, 33u, 64u, 300u})
      for (const std::uint64_t range : {510u, 5000u}) {
        const auto a = random_set(n, range, 1 + n), b = random_set(m, range, 1000 + m);
        members both;
        std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
        REQUIRE(detail::count_common(a, b) == both.size());
        REQUIRE(detail::count_common(b, a) == both.size());
        REQUIRE(detail::count_common(a, a) == n);
      }
}

TEST_CASE("member 0 and the greatest member count like any other", "[sets]") {
  const std::int32_t greatest = std::numeric_limits<std::int32_t>::max();
  CHECK(detail::count_common(members{0, greatest}, members{0, 1, 2, 3, 4, 5, greatest}) == 2);
  CHECK(detail::count_common(members{0}, members{1, 2, 3}) == 0);
}

TEST_CASE("sets of which one lies wholly before the other have nothing in common", "[sets]") {
  members low(40), high(70);
  for (std::size_t i = 0; i < 40; ++i) low[i] = static_cast<std::int32_t>(i);
  for (std::size_t i = 0; i < 70; ++i) high[i] = static_cast<std::int32_t>(40 + i);
  CHECK(detail::count_common(low, high) == 0);
  CHECK(detail::count_common(high, low) == 0);
}

TEST_CASE("a csr_matrix converts to a view of its rows", "[points]") {
  const csr_matrix<float> rows({0, 2, 2, 3}, {0, 2, 3}, {1, 2, 3}, 4);
  const csr_view<float> view = rows;
  CHECK(view.size() == 3);
  CHECK(view.dim() == 4);
  CHECK(view.row(0).indices.data() == rows.row(0).indices.data());
  CHECK(view.row(2).values.data() == rows.row(2).values.data());
  CHECK(std::ranges::equal(view.row(0).indices, members{0, 2}));
  CHECK(view.row(1).indices.empty());
}

TEST_CASE("a csr_matrix made of nothing converts to a view of no rows", "[points]") {
  const csr_matrix<float> none;
  const csr_view<float> view = none;
  CHECK(view.size() == 0);
}
