#include <annulus/core/select/reservoir.hpp>
#include <annulus/core/select/sort_candidates.hpp>

#include "catch.hpp"

#include <cstring>
#include <numeric>
#include <random>
#include <tuple>

#include "precise.hpp"

using namespace annulus;

namespace {

/// Ranks and ids of 32 and of 64 bits.
using all_candidates = std::tuple<candidate<float>, candidate<double>, candidate<std::int32_t>,
                                  candidate<std::uint32_t>, candidate<float, std::uint64_t>,
                                  candidate<double, std::uint64_t>, candidate<std::int64_t, std::uint64_t>>;

template <class Candidate>
using rank_in = decltype(Candidate::rank);
template <class Candidate>
using id_in = decltype(Candidate::id);
template <class Candidate>
using reservoir_of = detail::reservoir<rank_in<Candidate>, id_in<Candidate>>;

/// Different ids in no order, up to the largest but one, and few different ranks, the greatest of the type among them.
template <class Candidate>
std::vector<Candidate> tied_candidates(std::size_t n, std::mt19937_64& generator) {
  using rank = rank_in<Candidate>;
  using id = id_in<Candidate>;
  std::vector<rank> ranks{
      rank(1), rank(1), rank(2), rank(3), std::numeric_limits<rank>::max(), std::numeric_limits<rank>::lowest()};
  if constexpr (std::is_floating_point_v<rank>) {
    const rank inf = std::numeric_limits<rank>::infinity();
    ranks.insert(ranks.end(), {rank(0), -rank(0), inf, -inf, std::numeric_limits<rank>::quiet_NaN()});
  }
  std::vector<Candidate> items;
  for (std::size_t i = 0; i < n; ++i) {
    const auto small_id = static_cast<id>(i);
    items.push_back({ranks[generator() % ranks.size()],
                     i % 3 == 0 ? static_cast<id>(std::numeric_limits<id>::max() - 1 - small_id) : small_id});
  }
  std::shuffle(items.begin(), items.end(), generator);
  return items;
}

template <class Candidate>
std::vector<Candidate> random_candidates(std::size_t n, std::mt19937_64& generator) {
  std::vector<Candidate> items;
  for (std::size_t i = 0; i < n; ++i)
    items.push_back({static_cast<rank_in<Candidate>>(generator() % 1000000), static_cast<id_in<Candidate>>(n - i)});
  return items;
}

template <class Candidate>
void append_all(const std::vector<Candidate>& items, reservoir_of<Candidate>& store) {
  for (const auto& c : items) store.append(c.rank, c.id);
}

template <class Candidate>
std::vector<Candidate> contents(const reservoir_of<Candidate>& store) {
  std::vector<Candidate> items;
  store.copy_to(items);
  return items;
}

template <class Candidate>
std::vector<Candidate> k_smallest(std::vector<Candidate> items, std::size_t k) {
  std::sort(items.begin(), items.end());
  items.resize(std::min(k, items.size()));
  return items;
}

/// The k smallest in the order they have in `items`.
template <class Candidate>
std::vector<Candidate> k_smallest_in_place(const std::vector<Candidate>& items, std::size_t k) {
  const auto last = k_smallest(items, k).back();
  auto kept = items;
  std::erase_if(kept, [&](const auto& c) { return last < c; });
  return kept;
}

/// Of the same bits, so that a NaN equals itself and -0 is not +0.
template <class Candidate>
bool are_same(const std::vector<Candidate>& a, const std::vector<Candidate>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Candidate& x, const Candidate& y) {
    return x.id == y.id && std::memcmp(&x.rank, &y.rank, sizeof x.rank) == 0;
  });
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("a cut reservoir holds the k smallest in the order they came, and the cut returns the k-th",
                        "[reservoir]", all_candidates) {
  std::mt19937_64 generator(1);
  reservoir_of<TestType> store;
  for (const std::size_t n : {1u, 2u, 15u, 16u, 17u, 100u, 1000u, 5000u})
    for (const std::size_t k : {std::size_t{1}, std::size_t{2}, std::size_t{17}, n / 3 + 1, n - 1, n})
      for (const bool tied : {true, false}) {
        if (k == 0 || k > n) continue;
        const auto items = tied ? tied_candidates<TestType>(n, generator) : random_candidates<TestType>(n, generator);
        store.reset(n);
        append_all(items, store);
        const auto kth = store.cut(k);
        CAPTURE(n, k, tied);
        CHECK(are_same<TestType>({kth}, {k_smallest(items, k).back()}));
        CHECK(are_same(contents<TestType>(store), k_smallest_in_place(items, k)));
      }
}

TEMPLATE_LIST_TEST_CASE("of tied candidates a cut keeps those with the smallest ids, in whatever order they came",
                        "[reservoir]", all_candidates) {
  std::mt19937_64 generator(2);
  std::vector<TestType> items;
  for (std::size_t i = 0; i < 300; ++i) items.push_back({rank_in<TestType>(5), static_cast<id_in<TestType>>(3 * i)});
  const auto expected = k_smallest(items, 100);
  const auto check = [&] {
    reservoir_of<TestType> store;
    store.reset(items.size());
    append_all(items, store);
    CHECK((store.cut(100) == expected.back()));
    CHECK((k_smallest(contents<TestType>(store), 300) == expected));
  };
  check();
  std::reverse(items.begin(), items.end());
  check();
  std::shuffle(items.begin(), items.end(), generator);
  check();
}

TEMPLATE_LIST_TEST_CASE("a reservoir can be cut again and again as more comes", "[reservoir]", all_candidates) {
  std::mt19937_64 generator(3);
  for (const std::size_t k : {1u, 30u, 70u}) {
    const auto items = tied_candidates<TestType>(2000, generator);
    reservoir_of<TestType> store;
    store.reset(100);
    std::size_t pushed = 0, wrong = 0;
    for (const auto& c : items) {
      store.append(c.rank, c.id);
      ++pushed;
      if (store.size() < 100) continue;
      const auto kth = store.cut(k);
      const auto expected =
          k_smallest<TestType>({items.begin(), items.begin() + static_cast<std::ptrdiff_t>(pushed)}, k);
      wrong += !are_same<TestType>({kth}, {expected.back()});
    }
    store.cut(k);
    store.cut(k);  // changes nothing
    CHECK(wrong == 0);
    CHECK(are_same(k_smallest(contents<TestType>(store), 2000), k_smallest(items, k)));
  }
}

TEMPLATE_LIST_TEST_CASE("a reset reservoir is empty, with room for more or less", "[reservoir]", all_candidates) {
  std::mt19937_64 generator(4);
  reservoir_of<TestType> store;
  CHECK(store.size() == 0);
  for (const std::size_t capacity : {10u, 1000u, 3u, 1u, 999u, 3000u, 50u}) {
    store.reset(capacity);
    CHECK(store.size() == 0);
    CHECK(store.capacity() >= capacity);
    const auto items = tied_candidates<TestType>(capacity, generator);
    append_all(items, store);
    CHECK(store.size() == capacity);
    CHECK(are_same(contents<TestType>(store), items));
    CHECK(are_same<TestType>({store[capacity / 2]}, {items[capacity / 2]}));
    store.cut((capacity + 1) / 2);
    CHECK(are_same(contents<TestType>(store), k_smallest_in_place(items, (capacity + 1) / 2)));
  }
}

TEMPLATE_LIST_TEST_CASE("a writer appends the chosen lanes with their ids", "[reservoir]", all_candidates) {
  using rank = rank_in<TestType>;
  using id = id_in<TestType>;
  constexpr std::size_t width = simd::lanes<rank>;
  std::mt19937_64 generator(5);
  reservoir_of<TestType> store;
  for (const id first : {id{0}, static_cast<id>(id{1} << (8 * sizeof(id) - 1))}) {
    store.reset(100 * width);
    std::vector<TestType> expected{{rank(1), id(7)}};
    store.append(rank(1), id(7));
    for (int turn = 0; turn < 2; ++turn) {
      typename reservoir_of<TestType>::writer out(store);
      for (std::size_t vector = 0; vector < 40; ++vector) {
        std::vector<rank> ranks(width);
        for (auto& x : ranks) x = static_cast<rank>(generator() % 100);
        const std::uint64_t chosen = generator() & ((std::uint64_t{1} << width) - 1);
        const auto from = static_cast<id>(first + static_cast<id>(vector * width));
        out.append(simd::load(ranks.data()), chosen, from);
        for (std::size_t i = 0; i < width; ++i)
          if ((chosen >> i & 1) != 0) expected.push_back({ranks[i], static_cast<id>(from + static_cast<id>(i))});
        REQUIRE(out.size() == expected.size());
      }
    }  // the place it had reached is the reservoir's when it is gone
    CHECK(are_same(contents<TestType>(store), expected));
    store.append(rank(2), id(8));
    expected.push_back({rank(2), id(8)});
    store.cut(20);
    CHECK(k_smallest(contents<TestType>(store), 20) == k_smallest(expected, 20));
  }
}

TEMPLATE_LIST_TEST_CASE("a writer may fill a reservoir to its capacity", "[reservoir]", all_candidates) {
  using rank = rank_in<TestType>;
  constexpr std::size_t width = simd::lanes<rank>;
  reservoir_of<TestType> store;
  store.reset(width);
  const std::vector<rank> ranks(width, rank(4));
  {
    typename reservoir_of<TestType>::writer out(store);
    for (std::size_t i = 0; i < width; ++i)
      out.append(simd::load(ranks.data()), std::uint64_t{1} << i, id_in<TestType>(0));
  }
  for (std::size_t i = 0; i < width; ++i) CHECK((store[i] == TestType{rank(4), static_cast<id_in<TestType>>(i)}));
}

TEMPLATE_TEST_CASE("candidates of 32 bits are packed as they are one by one", "[reservoir]", float, std::int32_t,
                   std::uint32_t) {
  std::mt19937_64 generator(6);
  detail::reservoir<TestType> store;
  for (const std::size_t n : {0u, 1u, 7u, 16u, 17u, 500u}) {
    const auto items = tied_candidates<candidate<TestType>>(n, generator);
    store.reset(n);
    append_all(items, store);
    std::vector<std::int64_t> packed(n + simd::lanes<TestType>), expected;
    store.pack_to(packed.data());
    packed.resize(n);
    for (const auto& c : items) expected.push_back(detail::pack(detail::to_ordered_int(c.rank), c.id));
    CHECK(packed == expected);
  }
}
