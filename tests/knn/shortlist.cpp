#include <annulus/knn/shortlist.hpp>

#include "catch.hpp"

#include <random>

#include "precise.hpp"

using namespace annulus;
using detail::shortlist;

namespace {

constexpr std::size_t width = simd::lanes<float>;
using ranks = std::vector<float>;

ranks random_ranks(std::size_t n, std::mt19937_64& generator) {
  ranks values(n);
  std::normal_distribution<float> normal;
  for (float& x : values) x = normal(generator);
  return values;
}

/// Appends values[first], ... as ids first, ...: those that are there and whose rank is within the limit.
void append(shortlist& list, const ranks& values, std::size_t first, float limit) {
  std::uint64_t chosen = 0;
  alignas(64) float lane[width] = {};
  for (std::size_t i = 0; i < std::min(width, values.size() - first); ++i) {
    lane[i] = values[first + i];
    chosen |= std::uint64_t{lane[i] <= limit} << i;
  }
  list.append(simd::load(static_cast<const float*>(lane)), chosen, static_cast<id_type>(first));
}

float kth_smallest(ranks values, std::size_t k) {
  std::ranges::sort(values);
  return values[k - 1];
}

/// The ids with a rank within the margin of the k-th smallest.
std::vector<id_type> within(const ranks& values, std::size_t k, float margin) {
  const float limit = kth_smallest(values, k) + margin;
  std::vector<id_type> ids;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] <= limit) ids.push_back(static_cast<id_type>(i));
  return ids;
}

std::vector<id_type> ids_of(const shortlist& list) { return {list.ids().begin(), list.ids().end()}; }

}  // namespace

TEST_CASE("all within the margin of the k-th smallest rank stay, whatever the cuts", "[shortlist]") {
  std::mt19937_64 generator(1);
  shortlist list;  // one for all, as searches use it
  for (const std::size_t n : {1u, 10u, 500u, 3000u})
    for (const std::size_t k : {1u, 3u, 100u, 700u})
      for (const float margin : {0.0f, 0.01f}) {
        if (k > n) continue;
        const auto values = random_ranks(n, generator);
        list.reset(k, n);
        std::size_t unseparated = 0;
        float limit = list.kth();
        for (std::size_t first = 0; first < n; first += width) {
          if (list.full()) {
            unseparated += !list.cut(margin);
            limit = list.kth() + margin;
          }
          append(list, values, first, limit);
        }
        const auto expected = within(values, k, margin);
        const auto before = ids_of(list);
        list.cut(margin);
        const auto after = ids_of(list);
        CAPTURE(n, k, margin);
        CHECK(unseparated == 0);
        CHECK(std::ranges::is_sorted(after));
        CHECK(std::ranges::includes(before, expected));
        CHECK(std::ranges::includes(after, expected));
        // The k-th is found to within so many ranks.
        CHECK(after.size() <= within(values, std::min(n, k + k / 16 + 1), margin).size());
        CHECK(list.kth() >= kth_smallest(values, k));
      }
}

TEST_CASE("a cut tells where ranks cannot be told apart", "[shortlist]") {
  for (const std::size_t k : {1u, 40u}) {
    const ranks alike(1000, 0.25f);
    shortlist list;
    list.reset(k, alike.size());
    for (std::size_t first = 0; !list.full(); first += width) append(list, alike, first, list.kth());
    const std::size_t size = list.size();
    CAPTURE(k);
    CHECK(!list.cut(0));
    CHECK(list.size() == size);
    CHECK(list.kth() == 0.25f);
  }
}

TEST_CASE("a cut tells where a margin is wider than all differences", "[shortlist]") {
  std::mt19937_64 generator(2);
  const auto values = random_ranks(1000, generator);
  shortlist list;
  list.reset(10, values.size());
  for (std::size_t first = 0; !list.full(); first += width) append(list, values, first, list.kth());
  CHECK(!list.cut(100));
}

TEST_CASE("a shortlist of few rows has room for all of them", "[shortlist]") {
  std::mt19937_64 generator(3);
  for (std::size_t n = 1; n < 70; ++n) {
    const auto values = random_ranks(n, generator);
    shortlist list;
    list.reset(n, n);
    for (std::size_t first = 0; first < n; first += width) {
      REQUIRE(!list.full());
      append(list, values, first, list.kth());
    }
    CHECK(list.size() == n);
  }
}

TEST_CASE("ranks of any sign and size are cut alike", "[shortlist]") {
  for (const float size : {denormals_are_zero() ? 1e-35f : 1e-38f, 1.0f, 1e30f})
    for (const float offset : {-1.0f, 0.0f, 1.0f}) {
      std::mt19937_64 generator(4);
      auto values = random_ranks(100, generator);
      for (float& x : values) x = (x + 10 * offset) * size;
      shortlist list;
      list.reset(30, values.size());
      for (std::size_t first = 0; first < values.size(); first += width) append(list, values, first, list.kth());
      list.cut(0);
      CAPTURE(size, offset);
      CHECK(std::ranges::includes(ids_of(list), within(values, 30, 0)));
      CHECK(list.size() <= 31);
    }
}

TEST_CASE("a shortlist goes on with what it is assigned", "[shortlist]") {
  const std::vector<candidate<float>> kept{{3, 5}, {1, 8}};
  shortlist list;
  list.reset(2, 100);
  append(list, ranks(width, 0.0f), 0, 1);
  list.assign(kept, 3);
  CHECK(ids_of(list) == std::vector<id_type>{5, 8});
  CHECK(list.kth() == 3);
  append(list, ranks(20 + 1, 2.0f), 20, 3);
  list.cut(0);
  CHECK(ids_of(list) == std::vector<id_type>{8, 20});
}
