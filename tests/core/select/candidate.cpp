#include <annulus/core/select/candidate.hpp>

#include "catch.hpp"

#include <random>

#include "precise.hpp"

using namespace annulus;

namespace {

template <class Number>
constexpr Number infinity = std::numeric_limits<Number>::infinity();
template <class Number>
constexpr Number not_a_number = std::numeric_limits<Number>::quiet_NaN();

/// Bit patterns at random, so that floating-point numbers are of every magnitude.
template <class Number>
std::vector<Number> random_numbers(std::size_t n, std::mt19937_64& generator) {
  using bits = std::conditional_t<sizeof(Number) == 8, std::uint64_t, std::uint32_t>;
  std::vector<Number> numbers;
  while (numbers.size() < n) numbers.push_back(std::bit_cast<Number>(static_cast<bits>(generator())));
  return numbers;
}

/// Few different ranks, so that most are tied; -0 and +0 among them.
template <class Rank, class Id>
std::vector<candidate<Rank, Id>> random_candidates(std::size_t n, std::mt19937_64& generator) {
  std::vector<Rank> ranks{Rank(0), Rank(1), Rank(2), Rank(255), Rank(256), Rank(70000)};
  if constexpr (std::is_signed_v<Rank>) ranks.insert(ranks.end(), {Rank(-1), Rank(-300), -Rank(0)});
  if constexpr (std::is_floating_point_v<Rank>) ranks.insert(ranks.end(), {Rank(0.1), infinity<Rank>, -infinity<Rank>});
  std::vector<candidate<Rank, Id>> items;
  while (items.size() < n)
    items.push_back({ranks[generator() % ranks.size()], static_cast<Id>(generator() % (n + n / 2))});
  return items;
}

}  // namespace

TEST_CASE("candidates are ordered by rank, ties by id", "[candidate]") {
  using item = candidate<float>;
  CHECK(item{1, 9} < item{2, 0});
  CHECK(!(item{2, 0} < item{1, 9}));
  CHECK(item{1, 3} < item{1, 4});
  CHECK(!(item{1, 4} < item{1, 3}));
  CHECK(!(item{1, 3} < item{1, 3}));
  CHECK(item{-0.0f, 3} < item{0.0f, 4});
  CHECK(item{0.0f, 3} < item{-0.0f, 4});
}

TEMPLATE_TEST_CASE("ordered bits of numbers are in their order", "[candidate]", float, double) {
  using limits = std::numeric_limits<TestType>;
  std::vector<TestType> ascending{-infinity<TestType>,   limits::lowest(), TestType(-1),         -limits::min(),
                                  -limits::denorm_min(), TestType(0),      limits::denorm_min(), limits::min(),
                                  TestType(1),           TestType(1.5),    limits::max(),        infinity<TestType>,
                                  not_a_number<TestType>};
  if (denormals_are_zero()) std::erase_if(ascending, [](TestType x) { return detail::magnitude_bits(x) == 1; });
  for (std::size_t i = 1; i < ascending.size(); ++i) CHECK(ordered_bits(ascending[i - 1]) < ordered_bits(ascending[i]));
}

TEMPLATE_TEST_CASE("ordered bits of random numbers are in their order", "[candidate]", float, double, std::int32_t,
                   std::uint32_t, std::int64_t, std::uint64_t) {
  std::mt19937_64 generator(1);
  const auto a = random_numbers<TestType>(2000, generator), b = random_numbers<TestType>(2000, generator);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (detail::is_nan(a[i]) || detail::is_nan(b[i])) continue;
    wrong += (a[i] < b[i]) != (ordered_bits(a[i]) < ordered_bits(b[i]));
  }
  CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("ordered bits of integers begin and end with their limits", "[candidate]", std::int8_t, std::uint8_t,
                   std::int32_t, std::uint32_t, std::int64_t, std::uint64_t) {
  using bits = std::make_unsigned_t<TestType>;
  CHECK(ordered_bits(std::numeric_limits<TestType>::min()) == 0);
  CHECK(ordered_bits(std::numeric_limits<TestType>::max()) == std::numeric_limits<bits>::max());
}

TEMPLATE_TEST_CASE("ordered bits of -0 and +0 are equal", "[candidate]", float, double) {
  CHECK(ordered_bits(-TestType(0)) == ordered_bits(TestType(0)));
}

TEMPLATE_TEST_CASE("ordered bits of NaN come last whatever its sign", "[candidate]", float, double) {
  CHECK(ordered_bits(not_a_number<TestType>) > ordered_bits(infinity<TestType>));
  CHECK(ordered_bits(-not_a_number<TestType>) == ordered_bits(not_a_number<TestType>));
}

TEMPLATE_TEST_CASE("radix_select finds the k-th smallest number", "[candidate]", std::uint32_t, std::uint64_t) {
  std::mt19937_64 generator(5);
  std::vector<TestType> scratch;
  const auto all_bits = std::numeric_limits<TestType>::max();
  for (const TestType masked : {all_bits, TestType{0x70F}, TestType{1}, TestType{0}, all_bits ^ all_bits >> 3})
    for (const std::size_t n : {1u, 2u, 255u, 256u, 257u, 5000u}) {
      auto numbers = random_numbers<TestType>(n, generator);
      for (auto& x : numbers) x &= masked;
      auto sorted = numbers;
      std::sort(sorted.begin(), sorted.end());
      for (const std::size_t k : {std::size_t{1}, n / 3 + 1, n / 2 + 1, n}) {
        CAPTURE(masked, n, k);
        CHECK(detail::radix_select<TestType>(
                  n, k, [&](std::size_t i) { return numbers[i]; }, scratch) == sorted[k - 1]);
      }
    }
}

TEMPLATE_TEST_CASE("sort_candidates sorts as std::sort does, with many ties", "[candidate]", float, double,
                   std::int32_t, std::uint32_t, std::int64_t) {
  std::mt19937_64 generator(2);
  std::vector<candidate<TestType>> scratch;
  for (const std::size_t n : {0u, 1u, 2u, 3u, 100u, 191u, 192u, 193u, 1000u, 5000u, 192u}) {
    auto items = random_candidates<TestType, id_type>(n, generator), expected = items;
    std::sort(expected.begin(), expected.end());
    sort_candidates(items, scratch);
    CAPTURE(n);
    CHECK((items == expected));
  }
}

TEMPLATE_TEST_CASE("sort_candidates sorts ranks of every magnitude", "[candidate]", float, std::int32_t,
                   std::uint32_t) {
  std::mt19937_64 generator(3);
  std::vector<candidate<TestType>> items, scratch;
  for (const TestType rank : random_numbers<TestType>(3000, generator))
    if (!detail::is_nan(rank)) items.push_back({rank, static_cast<id_type>(generator())});
  auto expected = items;
  std::sort(expected.begin(), expected.end());
  sort_candidates(items, scratch);
  CHECK((items == expected));
}

TEST_CASE("sort_candidates sorts ids of 64 bits", "[candidate]") {
  std::mt19937_64 generator(4);
  std::vector<candidate<float, std::int64_t>> scratch;
  auto items = random_candidates<float, std::int64_t>(1000, generator);
  for (auto& item : items) item.id <<= 32;
  auto expected = items;
  std::sort(expected.begin(), expected.end());
  sort_candidates(items, scratch);
  CHECK((items == expected));
}

TEST_CASE("sort_candidates sorts where all ranks are alike", "[candidate]") {
  std::vector<candidate<float>> items, scratch, expected;
  for (id_type id = 0; id < 1000; ++id) {
    items.push_back({2.5f, 999 - id});
    expected.push_back({2.5f, id});
  }
  sort_candidates(items, scratch);
  CHECK((items == expected));
}

TEST_CASE("sort_candidates puts a NaN last in a long list", "[candidate]") {
  std::vector<candidate<float>> items, scratch;
  for (id_type id = 0; id < 1000; ++id)
    items.push_back({id == 500 ? not_a_number<float> : static_cast<float>(id % 7), id});
  sort_candidates(items, scratch);
  CHECK(items.back().id == 500);
  CHECK(std::is_sorted(items.begin(), items.end() - 1));
}
