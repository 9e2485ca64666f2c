#include <Eigen/Core>

#include <annulus/approx_top_k/lane_keys.hpp>
#include <annulus/core/simd/masks.hpp>

#include "catch.hpp"

#include <random>
#include <vector>

#include "precise.hpp"

using namespace annulus;
using namespace annulus::detail;

namespace {

/// Every element of a type of 8 or 16 bits, in random order.
template <class T>
std::vector<T> all_elements(std::mt19937_64& generator) {
  using bits = std::conditional_t<sizeof(T) == 1, std::uint8_t, std::uint16_t>;
  std::vector<T> elements;
  for (std::uint32_t i = 0; i <= std::numeric_limits<bits>::max(); ++i)
    elements.push_back(std::bit_cast<T>(static_cast<bits>(i)));
  std::shuffle(elements.begin(), elements.end(), generator);
  return elements;
}

/// Calls f(elements, their lane keys as loaded, and as loaded without NaN) with as many as a vector holds, for all.
template <class T, bool Largest, class F>
void for_all_vectors(F f) {
  using lanes = lane_keys<T, Largest>;
  std::mt19937_64 generator(1);
  const auto elements = all_elements<T>(generator);
  for (std::size_t i = 0; i < elements.size(); i += lanes::width) {
    std::vector<T> some(elements.begin() + static_cast<std::ptrdiff_t>(i),
                        elements.begin() + static_cast<std::ptrdiff_t>(i + lanes::width));
    f(some, lanes::load(some.data()), lanes::load_without_nan(some.data()));
  }
}

template <class T, bool Largest>
void check_lane_keys() {
  using lanes = lane_keys<T, Largest>;
  using integer = simd::ordered_int<detail::key_t<T>>;
  std::mt19937_64 generator(2);
  const auto elements = all_elements<T>(generator);

  for_all_vectors<T, Largest>([&](const std::vector<T>& some, const auto& keys, const auto& without_nan) {
    bool any_nan = false;
    for (const T x : some) any_nan = any_nan || is_nan(x);
    if (!any_nan) REQUIRE(!lanes::any_nan_before(keys));
    REQUIRE(!lanes::any_nan_before(without_nan));

    alignas(64) integer ordered[lanes::width];
    lanes::store_ordered(without_nan, ordered);
    for (std::size_t i = 0; i < some.size(); ++i) {
      const auto expected = to_ordered_int(to_key<Largest>(some[i]));
      REQUIRE(ordered[i] == (is_nan(some[i]) ? std::numeric_limits<integer>::max() : expected));
    }

    // Those up to a bound, which may lie between elements or beyond all of them.
    const T any = elements[generator() % elements.size()];
    if (is_nan(any)) return;
    std::vector<detail::key_t<T>> bounds{to_key<Largest>(any), to_key<Largest>(lanes::worst_element()),
                                         worst_key<detail::key_t<T>>, to_key<Largest>(lanes::best_element())};
    if constexpr (!std::is_integral_v<T>)
      for (const float part : {0.9f, 0.99999f, 1.00001f, 1.1f}) bounds.push_back(bounds[0] * part);
    for (const auto bound : bounds) {
      const auto at_most = simd::mask(without_nan <= typename lanes::batch(lanes::limit(bound)));
      for (std::size_t i = 0; i < some.size(); ++i) {
        CAPTURE(bound, static_cast<float>(some[i]));
        REQUIRE((at_most >> i & 1) == (!is_nan(some[i]) && to_key<Largest>(some[i]) <= bound ? 1 : 0));
      }
    }
  });
}

}  // namespace

TEMPLATE_TEST_CASE("keys in lanes of 8 and 16 bits have the order of keys", "[lane_keys]", std::int8_t, std::uint8_t,
                   std::int16_t, std::uint16_t, Eigen::half, Eigen::bfloat16) {
  check_lane_keys<TestType, false>();
  check_lane_keys<TestType, true>();
}

TEST_CASE("NaN before the numbers is seen, and left out when loaded again", "[lane_keys]") {
  using smallest = lane_keys<Eigen::bfloat16, false>;
  using largest = lane_keys<Eigen::bfloat16, true>;
  std::vector<Eigen::bfloat16> row(smallest::width, Eigen::bfloat16(1.0f));
  const auto nan = std::bit_cast<Eigen::bfloat16>(std::uint16_t{0x7FC0});
  const auto negative_nan = std::bit_cast<Eigen::bfloat16>(std::uint16_t{0xFFC0});
  row.back() = negative_nan;
  CHECK(smallest::any_nan_before(smallest::load(row.data())));
  CHECK_FALSE(smallest::any_nan_before(smallest::load_without_nan(row.data())));
  CHECK_FALSE(largest::any_nan_before(largest::load(row.data())));
  row.back() = nan;
  CHECK_FALSE(smallest::any_nan_before(smallest::load(row.data())));
  CHECK(largest::any_nan_before(largest::load(row.data())));
  CHECK_FALSE(largest::any_nan_before(largest::load_without_nan(row.data())));
}

#include <annulus/core/base/macros_on.hpp>
