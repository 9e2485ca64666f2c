#include <annulus/core/select/sort_candidates.hpp>

#include "catch.hpp"
#include "core/select/numbers.hpp"

#include <cstring>
#include <numeric>
#include <random>
#include <tuple>

#include "precise.hpp"

using namespace annulus;

namespace {

/// Ranks of each type with ids of 32 and of 64 bits.
using all_candidates = std::tuple<candidate<float>, candidate<double>, candidate<std::int32_t>,
                                  candidate<std::uint32_t>, candidate<std::int64_t>, candidate<std::uint64_t>,
                                  candidate<float, std::uint64_t>, candidate<double, std::uint64_t>,
                                  candidate<std::int32_t, std::uint64_t>, candidate<std::uint32_t, std::uint64_t>,
                                  candidate<std::int64_t, std::int64_t>, candidate<std::uint64_t, std::uint64_t>>;

using few_candidates = std::tuple<candidate<float>, candidate<std::uint64_t>, candidate<double, std::uint64_t>>;

/// Around each length at which another way of sorting begins.
const std::vector<std::size_t> sizes{0, 1, 2, 12, 13, 32, 33, 255, 256, 257, 1000, 4095, 4096, 5000};

template <class Candidate>
using rank_in = decltype(Candidate::rank);
template <class Candidate>
using id_in = decltype(Candidate::id);

template <class Rank>
using bits_of = std::conditional_t<sizeof(Rank) == 8, std::uint64_t, std::uint32_t>;

/// Bit patterns at random: numbers of every magnitude, and NaN.
template <class Rank>
Rank any_rank(std::mt19937_64& generator) {
  return std::bit_cast<Rank>(static_cast<bits_of<Rank>>(generator()));
}

/// One of few ranks, the least and the greatest among them.
template <class Rank>
Rank tied_rank(std::mt19937_64& generator) {
  std::vector<Rank> ranks{Rank(0), Rank(1), Rank(2), Rank(255), Rank(256), Rank(70000)};
  ranks.push_back(std::numeric_limits<Rank>::max());
  ranks.push_back(std::numeric_limits<Rank>::lowest());
  if constexpr (std::is_floating_point_v<Rank>)
    ranks.insert(ranks.end(), {-Rank(0), Rank(0.1), infinity<Rank>, -infinity<Rank>, not_a_number<Rank>});
  return ranks[generator() % ranks.size()];
}

/// Ranks whose bits differ in the lowest ones only.
template <class Rank>
Rank near_rank(std::mt19937_64& generator) {
  const Rank base = std::is_floating_point_v<Rank> ? Rank(1) : static_cast<Rank>(std::numeric_limits<Rank>::max() - 64);
  return std::bit_cast<Rank>(static_cast<bits_of<Rank>>(std::bit_cast<bits_of<Rank>>(base) + generator() % 8));
}

template <class Rank>
Rank equal_rank(std::mt19937_64&) {
  return Rank(3);
}

/// Ids in no order, each once, up to the largest there is.
template <class Id>
std::vector<Id> distinct_ids(std::size_t n, std::mt19937_64& generator) {
  std::vector<Id> ids;
  for (std::size_t i = 0; i < n; ++i)
    ids.push_back(static_cast<Id>(i % 2 == 0 ? static_cast<Id>(i)
                                             : static_cast<Id>(std::numeric_limits<Id>::max() - static_cast<Id>(i))));
  std::shuffle(ids.begin(), ids.end(), generator);
  return ids;
}

template <class Candidate, class MakeRank>
std::vector<Candidate> candidates(std::size_t n, MakeRank make_rank, std::mt19937_64& generator) {
  std::vector<Candidate> items;
  for (const auto id : distinct_ids<id_in<Candidate>>(n, generator)) items.push_back({make_rank(generator), id});
  return items;
}

/// The same ids, and ranks of the same bits: neither -0 and +0 nor two NaN may change places.
template <class Candidate>
[[gnu::noinline]] bool are_same(const std::vector<Candidate>& a, const std::vector<Candidate>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Candidate& x, const Candidate& y) {
    return x.id == y.id && std::memcmp(&x.rank, &y.rank, sizeof x.rank) == 0;
  });
}

template <class Rank, class Id>
bool sorts(std::vector<candidate<Rank, Id>> items, sort_scratch<Rank, Id>& scratch) {
  auto expected = items;
  std::sort(expected.begin(), expected.end());
  sort_candidates(items, scratch);
  return are_same(items, expected);
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("sort_candidates sorts as std::sort does, whatever the length", "[sort_candidates]",
                        all_candidates) {
  using rank = rank_in<TestType>;
  std::mt19937_64 generator(1);
  sort_scratch<rank, id_in<TestType>> scratch;  // the same one for all lengths
  for (const std::size_t n : sizes) {
    CAPTURE(n);
    auto items = candidates<TestType>(n, any_rank<rank>, generator);
    CHECK(sorts(items, scratch));
    std::sort(items.begin(), items.end());
    CHECK(sorts(items, scratch));
    std::reverse(items.begin(), items.end());
    CHECK(sorts(items, scratch));
    CHECK(sorts(candidates<TestType>(n, tied_rank<rank>, generator), scratch));
    CHECK(sorts(candidates<TestType>(n, near_rank<rank>, generator), scratch));
    CHECK(sorts(candidates<TestType>(n, equal_rank<rank>, generator), scratch));
  }
}

TEMPLATE_LIST_TEST_CASE("sort_candidates takes the same id more than once", "[sort_candidates]", few_candidates) {
  std::mt19937_64 generator(3);
  sort_scratch<rank_in<TestType>, id_in<TestType>> scratch;
  for (const std::size_t n : {20u, 200u, 2000u}) {
    std::vector<TestType> items(n);
    for (auto& item : items)
      item = {static_cast<rank_in<TestType>>(generator() % 5 + 1), static_cast<id_in<TestType>>(generator() % (n / 2))};
    CHECK(sorts(items, scratch));
  }
}

TEMPLATE_LIST_TEST_CASE("a scratch serves longer and shorter lists in turn", "[sort_candidates]", few_candidates) {
  std::mt19937_64 generator(4);
  sort_scratch<rank_in<TestType>, id_in<TestType>> scratch;
  scratch.reserve(300);
  for (const std::size_t n : {300u, 13u, 5000u, 257u, 0u, 256u, 4096u, 33u, 1000u, 1u, 258u}) {
    CAPTURE(n);
    CHECK(sorts(candidates<TestType>(n, any_rank<rank_in<TestType>>, generator), scratch));
  }
}

TEMPLATE_TEST_CASE("sort_candidates sorts ranks that differ in one bit", "[sort_candidates]", float, double,
                   std::int32_t, std::uint32_t, std::int64_t, std::uint64_t) {
  std::mt19937_64 generator(5);
  sort_scratch<TestType, id_type> scratch;
  for (const std::size_t n : {100u, 300u})
    for (std::size_t bit = 0; bit < 8 * sizeof(TestType); ++bit) {
      const auto one_bit = [bit](std::mt19937_64& random) {
        return std::bit_cast<TestType>(static_cast<bits_of<TestType>>((random() & 1) << bit));
      };
      CAPTURE(n, bit);
      CHECK(sorts(candidates<candidate<TestType>>(n, one_bit, generator), scratch));
    }
}

TEST_CASE("sort_candidates puts a NaN last in a long list", "[sort_candidates]") {
  sort_scratch<float, id_type> scratch;
  std::vector<candidate<float>> items;
  for (id_type id = 0; id < 1000; ++id)
    items.push_back({id == 500 ? not_a_number<float> : static_cast<float>(id % 7), id});
  sort_candidates(items, scratch);
  CHECK(items.back().id == 500);
  CHECK(std::is_sorted(items.begin(), items.end() - 1));
}

TEST_CASE("packed candidates are integers in their order", "[sort_candidates]") {
  constexpr auto lowest = std::numeric_limits<std::int32_t>::lowest(),
                 highest = std::numeric_limits<std::int32_t>::max();
  const std::vector<std::pair<std::int32_t, std::uint32_t>> ascending{
      {lowest, 0}, {lowest, 1}, {lowest, ~0u}, {-1, 0},      {-1, 0x80000000u},
      {-1, ~0u},   {0, 0},      {0, 7},        {highest, 0}, {highest, ~0u}};
  std::vector<std::int64_t> packed;
  for (const auto& [rank, id] : ascending) {
    packed.push_back(detail::pack(rank, id));
    CHECK(detail::packed_id(packed.back()) == id);
  }
  CHECK(std::is_sorted(packed.begin(), packed.end()));
}

TEST_CASE("sort_packed sorts integers of the whole range, tied in their upper halves or not", "[sort_candidates]") {
  std::mt19937_64 generator(6);
  detail::aligned_vector<std::int64_t> items, scratch;
  for (const std::size_t n : sizes)
    for (const std::uint64_t ranks : {1ull, 3ull, 512ull, 513ull, 1ull << 18, 1ull << 27, 1ull << 32})
      for (const std::int32_t least : {std::numeric_limits<std::int32_t>::lowest(), -1, 0}) {
        std::vector<std::int64_t> expected;
        while (expected.size() < n)
          expected.push_back(
              detail::pack(static_cast<std::int32_t>(least + static_cast<std::int64_t>(generator() % ranks)),
                           static_cast<std::uint32_t>(generator())));
        items.assign(expected.begin(), expected.end());
        items.resize(detail::sorted_room(n));
        std::sort(expected.begin(), expected.end());
        detail::sort_packed(items, n, scratch);
        CAPTURE(n, ranks, least);
        CHECK(std::equal(expected.begin(), expected.end(), items.begin()));
      }
}
