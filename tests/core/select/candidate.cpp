#include <annulus/core/select/candidate.hpp>

#include "catch.hpp"
#include "core/select/numbers.hpp"

#include <cstring>
#include <random>
#include <vector>

#include "precise.hpp"

using namespace annulus;

namespace {

/// Bit patterns at random, so that floating-point numbers are of every magnitude.
template <class Number>
std::vector<Number> random_numbers(std::size_t n, std::mt19937_64& generator) {
  using bits = std::conditional_t<sizeof(Number) == 8, std::uint64_t, std::uint32_t>;
  std::vector<Number> numbers;
  while (numbers.size() < n) numbers.push_back(std::bit_cast<Number>(static_cast<bits>(generator())));
  return numbers;
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

TEMPLATE_TEST_CASE("ordered bits give their number back", "[candidate]", float, double, std::int32_t, std::uint32_t,
                   std::int64_t, std::uint64_t) {
  std::mt19937_64 generator(2);
  auto numbers = random_numbers<TestType>(2000, generator);
  numbers.insert(numbers.end(),
                 {std::numeric_limits<TestType>::max(), std::numeric_limits<TestType>::lowest(), TestType(0)});
  if constexpr (std::is_floating_point_v<TestType>)
    if (denormals_are_zero()) std::erase_if(numbers, is_denormal<TestType>);
  std::size_t changed = 0;
  for (const TestType x : numbers) {
    const TestType back = detail::from_ordered_bits<TestType>(ordered_bits(x));
    changed += detail::is_nan(x) ? !detail::is_nan(back) : std::memcmp(&back, &x, sizeof x) != 0;
  }
  CHECK(changed == 0);
}

TEMPLATE_TEST_CASE("ordered bits give -0 back as +0", "[candidate]", float, double) {
  const TestType zero = detail::from_ordered_bits<TestType>(ordered_bits(-TestType(0)));
  const TestType expected(0);
  CHECK(std::memcmp(&zero, &expected, sizeof zero) == 0);
}
