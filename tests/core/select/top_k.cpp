#include <annulus/core/select/top_k.hpp>

#include "catch.hpp"
#include "core/select/numbers.hpp"

#include <random>

#include "precise.hpp"

using namespace annulus;

namespace {

template <class Rank>
using candidates = std::vector<candidate<Rank>>;

/// (rank, i) with few different ranks, so that most are tied; floating-point ones with NaN, infinities and -0.
template <class Rank>
candidates<Rank> random_candidates(std::size_t n, std::mt19937_64& generator) {
  candidates<Rank> items;
  for (std::size_t i = 0; i < n; ++i) {
    auto rank = static_cast<Rank>(generator() % 50);
    if constexpr (std::is_floating_point_v<Rank>) {
      if (rank == 49) rank = not_a_number<Rank>;
      if (rank == 48) rank = infinity<Rank>;
      if (rank == 47) rank = -infinity<Rank>;
      if (rank == 46) rank = -Rank(0);
    }
    items.push_back({rank, static_cast<id_type>(i)});
  }
  return items;
}

/// The k smallest of those that may enter, by a sort of all.
template <class Rank>
candidates<Rank> k_smallest(candidates<Rank> items, std::size_t k) {
  std::erase_if(
      items, [](const auto& c) { return !detail::is_less(c.rank, infinity<Rank>) && std::is_floating_point_v<Rank>; });
  std::sort(items.begin(), items.end());
  if (items.size() > k) items.resize(k);
  return items;
}

template <class Rank>
candidates<Rank> result_of(top_k<Rank>& best) {
  const auto sorted = best.sorted();
  return {sorted.begin(), sorted.end()};
}

template <class Rank>
std::vector<Rank> ranks_of(const candidates<Rank>& items) {
  std::vector<Rank> ranks;
  for (const auto& c : items) ranks.push_back(c.rank);
  return ranks;
}

/// Calls check(items, k) for values of k around where heap and reservoir meet, and numbers of pushes around k and 2k.
template <class Rank, class Check>
void for_many_sizes(Check check) {
  std::mt19937_64 generator(1);
  for (const std::size_t k : {1u, 2u, 3u, 31u, 32u, 33u, 34u, 50u, 300u})
    for (const std::size_t n :
         {std::size_t{0}, std::size_t{1}, k - 1, k, k + 1, 2 * k - 1, 2 * k, 2 * k + 1, 3 * k, std::size_t{1000}}) {
      CAPTURE(k, n);
      check(random_candidates<Rank>(n, generator), k);
    }
}

}  // namespace

TEMPLATE_TEST_CASE("top_k keeps the k smallest of all pushed", "[top_k]", float, double, std::int32_t, std::uint32_t,
                   std::int64_t) {
  for_many_sizes<TestType>([](const auto& items, std::size_t k) {
    top_k<TestType> best(k);
    for (const auto& c : items) best.push(c.rank, c.id);
    CHECK((result_of(best) == k_smallest(items, k)));
  });
}

TEST_CASE("the order of the pushes does not matter", "[top_k]") {
  std::mt19937_64 generator(2);
  for_many_sizes<float>([&](auto items, std::size_t k) {
    const auto expected = k_smallest(items, k);
    const auto check = [&] {
      top_k<float> best(k);
      for (const auto& c : items) best.push(c.rank, c.id);
      CHECK((result_of(best) == expected));
    };
    std::reverse(items.begin(), items.end());
    check();
    std::shuffle(items.begin(), items.end(), generator);
    check();
    std::sort(items.begin(), items.end(), [](auto a, auto b) { return ordered_bits(a.rank) < ordered_bits(b.rank); });
    check();
    std::reverse(items.begin(), items.end());
    check();
  });
}

TEST_CASE("of tied candidates those with the smaller ids are kept", "[top_k]") {
  for (const std::size_t k : {5u, 40u}) {
    top_k<float> best(k);
    for (id_type id = 1000; id-- > 0;) best.push(1.0f, id);
    candidates<float> expected;
    for (id_type id = 0; id < k; ++id) expected.push_back({1.0f, id});
    CHECK((result_of(best) == expected));
  }
}

TEMPLATE_TEST_CASE("NaN and infinity never enter", "[top_k]", float, double) {
  for (const std::size_t k : {1u, 5u, 40u}) {
    top_k<TestType> best(k);
    CHECK(!best.push(not_a_number<TestType>, 1));
    CHECK(!best.push(-not_a_number<TestType>, 2));
    CHECK(!best.push(infinity<TestType>, 0));
    CHECK(best.push(-infinity<TestType>, 4));
    CHECK(!best.push(not_a_number<TestType>, 5));
    CHECK(best.sorted().size() == 1);
  }
}

TEST_CASE("push tells whether a candidate was taken in", "[top_k]") {
  top_k<float> best(2);
  CHECK(best.push(5, 1));
  CHECK(best.push(7, 2));
  CHECK(!best.push(8, 3));
  CHECK(!best.push(7, 3));
  CHECK(best.push(7, 0));
  CHECK(best.push(6, 9));
}

TEMPLATE_TEST_CASE("push_block does as pushes one by one", "[top_k]", float, double, std::int32_t, std::uint32_t) {
  std::mt19937_64 generator(3);
  for_many_sizes<TestType>([&](const auto& items, std::size_t k) {
    const auto ranks = ranks_of(items);
    top_k<TestType> best(k);
    for (std::size_t first = 0; first < ranks.size();) {
      const std::size_t n = std::min(ranks.size() - first, static_cast<std::size_t>(generator() % 200));
      const std::vector<TestType> block(ranks.begin() + static_cast<std::ptrdiff_t>(first),
                                        ranks.begin() + static_cast<std::ptrdiff_t>(first + n));
      best.push_block(block.data(), n, static_cast<id_type>(first));
      first += n;
    }
    CHECK((result_of(best) == k_smallest(items, k)));
  });
}

TEMPLATE_TEST_CASE("push_block misses no rank beside a NaN, wherever both are", "[top_k]", float, double) {
  constexpr std::size_t n = 4 * simd::lanes<TestType>;
  std::vector<std::pair<std::size_t, std::size_t>> missed;
  for (std::size_t position = 0; position < n; ++position)
    for (std::size_t hidden = 0; hidden < n; ++hidden) {
      if (hidden == position) continue;
      std::vector<TestType> ranks(n, TestType(100));
      ranks[position] = not_a_number<TestType>;
      ranks[hidden] = TestType(1);
      top_k<TestType> best(1);
      best.push(TestType(50), 0);
      best.push_block(ranks.data(), n, 1);
      if (best.sorted().front().id != hidden + 1) missed.push_back({position, hidden});
    }
  CHECK(missed.empty());
}

TEMPLATE_TEST_CASE("push_block takes a rank that ties with the threshold and has a smaller id", "[top_k]", float,
                   double) {
  constexpr std::size_t n = 4 * simd::lanes<TestType>;
  for (std::size_t position = 0; position < n; ++position) {
    std::vector<TestType> ranks(n, TestType(100));
    ranks[position] = TestType(50);
    top_k<TestType> best(1);
    best.push(TestType(50), n);
    best.push_block(ranks.data(), n, 0);
    CHECK(best.sorted().front().id == position);
  }
}

TEST_CASE("push_block of NaN alone takes nothing in", "[top_k]") {
  const std::vector<float> ranks(1000, not_a_number<float>);
  for (const std::size_t k : {5u, 40u}) {
    top_k<float> best(k);
    best.push_block(ranks.data(), ranks.size(), 0);
    CHECK(best.sorted().empty());
  }
}

TEMPLATE_TEST_CASE("the threshold is the largest value there is until k candidates have come", "[top_k]", float, double,
                   std::int32_t, std::uint32_t) {
  using limits = std::numeric_limits<TestType>;
  const TestType largest = limits::has_infinity ? limits::infinity() : limits::max();
  for (const std::size_t k : {1u, 5u, 40u}) {
    top_k<TestType> best(k);
    for (std::size_t i = 0; i < k; ++i) {
      CHECK(best.threshold() == largest);
      best.push(TestType(1), static_cast<id_type>(i));
    }
  }
}

TEST_CASE("the threshold never rises, and no rank above it would be kept", "[top_k]") {
  for_many_sizes<float>([](const auto& items, std::size_t k) {
    top_k<float> best(k);
    candidates<float> pushed;
    std::size_t rises = 0, too_low = 0;
    for (const auto& c : items) {
      const float before = best.threshold();
      best.push(c.rank, c.id);
      pushed.push_back(c);
      rises += best.threshold() > before;
      if (pushed.size() % 50 != 0) continue;
      const auto expected = k_smallest(pushed, k);
      too_low += best.threshold() < (expected.size() < k ? infinity<float> : expected.back().rank);
    }
    CHECK(rises == 0);
    CHECK(too_low == 0);
  });
}

TEST_CASE("the threshold of a heap is its k-th smallest rank", "[top_k]") {
  top_k<float> best(3);
  for (const float rank : {9.0f, 4.0f, 7.0f}) best.push(rank, 0);
  CHECK(best.threshold() == 9);
  best.push(5, 1);
  CHECK(best.threshold() == 7);
}

TEST_CASE("the threshold of a reservoir falls in time", "[top_k]") {
  top_k<float> best(100);
  for (id_type i = 0; i < 1000; ++i) best.push(static_cast<float>(1000 - i), i);
  CHECK(best.threshold() <= 300);
}

TEST_CASE("a reset makes it as new, for another k", "[top_k]") {
  std::mt19937_64 generator(4);
  top_k<float> best(7);
  for (const std::size_t k : {40u, 3u, 100u, 33u, 32u, 1u}) {
    for (id_type i = 0; i < 500; ++i) best.push(-1.0f, i);
    best.reset(k);
    CHECK(best.k() == k);
    CHECK(best.threshold() == infinity<float>);
    const auto items = random_candidates<float>(500, generator);
    for (const auto& c : items) best.push(c.rank, c.id);
    CHECK((result_of(best) == k_smallest(items, k)));
  }
}

TEST_CASE("k = 0 is refused", "[top_k]") {
  CHECK_THROWS_AS(top_k<float>(0), std::invalid_argument);
  top_k<float> best(3);
  CHECK_THROWS_AS(best.reset(0), std::invalid_argument);
}

TEST_CASE("ids of 64 bits are kept whole", "[top_k]") {
  constexpr std::int64_t far = std::int64_t{1} << 40;
  const std::vector<float> ranks{3, 1, 2};
  top_k<float, std::int64_t> best(2);
  best.push_block(ranks.data(), 3, far);
  CHECK(best.sorted()[0].id == far + 1);
  CHECK(best.sorted()[1].id == far + 2);
}

TEST_CASE("a reset may bound what comes in", "[top_k]") {
  std::mt19937_64 generator(7);
  const auto items = random_candidates<float>(1000, generator);
  for (const std::size_t k : {1u, 20u, 40u, 300u, 2000u}) {
    const candidate<float> bound{20, 500};  // some of the tied come before it
    top_k<float> best(k);
    best.reset(k, bound);
    for (const auto& c : items) best.push(c.rank, c.id);
    auto expected = k_smallest(items, items.size());
    std::erase_if(expected, [&](const auto& c) { return !(c < bound); });
    CHECK((result_of(best) == k_smallest(expected, k)));
  }
}

TEMPLATE_TEST_CASE("push_block does as pushes one by one, in whatever order the blocks come", "[top_k]", float, double,
                   std::int32_t, std::uint32_t) {
  std::mt19937_64 generator(6);
  for (const std::size_t k : {20u, 33u, 100u, 300u}) {
    const std::size_t n = 4000, size = 50;
    std::vector<TestType> ranks(n);
    for (auto& x : ranks) x = static_cast<TestType>(generator() % 5);  // ties with the threshold, before it and after
    std::vector<std::size_t> firsts;
    for (std::size_t first = 0; first < n; first += size) firsts.push_back(first);
    const auto check = [&] {
      top_k<TestType> by_blocks(k), one_by_one(k);
      for (const std::size_t first : firsts) {
        by_blocks.push_block(ranks.data() + first, size, static_cast<id_type>(first));
        for (std::size_t i = first; i < first + size; ++i) one_by_one.push(ranks[i], static_cast<id_type>(i));
      }
      CHECK((result_of(by_blocks) == result_of(one_by_one)));
    };
    check();
    std::reverse(firsts.begin(), firsts.end());
    check();
    std::shuffle(firsts.begin(), firsts.end(), generator);
    check();
  }
}

TEMPLATE_TEST_CASE("of a block that ties with the threshold those enter whose ids come before the threshold's",
                   "[top_k]", float, double, std::int32_t, std::uint32_t) {
  constexpr std::size_t n = 4 * simd::lanes<TestType>;
  const std::vector<TestType> ranks(n, TestType(5));
  for (const std::size_t k : {30u, 200u})  // a heap and a reservoir
    for (id_type first = 1000 - 2 * static_cast<id_type>(n); first <= 1000 + n; ++first) {
      top_k<TestType> best(k);
      best.reset(k, {TestType(5), 1000});
      best.push_block(ranks.data(), n, first);
      candidates<TestType> expected;
      for (id_type id = first; id < std::min<id_type>(first + n, 1000) && expected.size() < k; ++id)
        expected.push_back({TestType(5), id});
      REQUIRE((result_of(best) == expected));
    }
}

TEST_CASE("a reservoir takes blocks with ids of 64 bits", "[top_k]") {
  std::mt19937_64 generator(8);
  constexpr std::int64_t far = std::int64_t{1} << 40;
  std::vector<float> ranks(2000);
  for (auto& x : ranks) x = static_cast<float>(generator() % 7);
  top_k<float, std::int64_t> by_blocks(50), one_by_one(50);
  for (std::size_t first = 2000; first > 0;) {
    first -= 100;
    const std::int64_t id = far + static_cast<std::int64_t>(first);
    by_blocks.push_block(ranks.data() + first, 100, id);
    for (std::size_t i = 0; i < 100; ++i) one_by_one.push(ranks[first + i], id + static_cast<std::int64_t>(i));
  }
  CHECK(std::ranges::equal(by_blocks.sorted(), one_by_one.sorted()));
}
