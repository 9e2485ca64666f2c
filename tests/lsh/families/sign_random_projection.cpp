#include <annulus/lsh/families/sign_random_projection.hpp>

#include "catch.hpp"

using namespace annulus;

namespace {

template <class T>
auto hasher_of(std::size_t dim, std::size_t k, std::size_t l, std::uint64_t seed = 1) {
  return sign_random_projection{}.make_hasher<matrix_view<T>>(dim, k, l, seed);
}

template <class T>
std::vector<T> random_row(std::size_t dim, std::uint64_t seed, double scale = 1) {
  const counter_random random(seed);
  std::vector<T> row(dim);
  for (std::size_t i = 0; i < dim; ++i) row[i] = static_cast<T>(scale * random.normal(i));
  return row;
}

template <class T, class Hasher>
std::vector<T> values_of(const Hasher& hasher, const std::vector<T>& row) {
  std::vector<T> values(hasher.n_values());
  hasher.project(row, 0, 1, values.data());
  return values;
}

template <class T, class Hasher>
std::uint64_t key_of(const Hasher& hasher, const std::vector<T>& values, std::size_t table = 0) {
  std::vector<std::uint64_t> keys(hasher.n_tables());
  hasher.keys(values.data(), keys.data());
  return keys[table];
}

template <class T, class Hasher>
std::vector<std::uint64_t> hash(const Hasher& hasher, const std::vector<T>& row) {
  std::vector<std::uint64_t> keys(hasher.n_tables());
  hasher.hash(row, 0, 1, 0, hasher.n_tables(), keys.data());
  return keys;
}

}  // namespace

TEST_CASE("each hyperplane offers the flip of its bit, scored by the square of the margin",
          "[lsh][sign_random_projection]") {
  const auto check = [](auto number, std::size_t k) {
    using T = decltype(number);
    const auto hasher = hasher_of<T>(9, k, 2);
    const auto values = values_of(hasher, random_row<T>(9, 3, 10));
    std::vector<perturbation> changes;
    hasher.perturb(values.data(), 1, changes);
    REQUIRE(changes.size() == k);
    for (std::size_t i = 0; i < k; ++i) {
      CHECK(changes[i].projection == i);
      const T margin = values[k + i];
      CHECK(changes[i].score == Approx(margin * margin));
      auto flipped = values;
      flipped[k + i] = -flipped[k + i];
      CHECK(key_of(hasher, values, 1) + changes[i].delta == key_of(hasher, flipped, 1));
    }
  };
  check(0.0f, 15);
  check(0.0, 64);
}

TEST_CASE("flips of several bits add up", "[lsh][sign_random_projection]") {
  const auto hasher = hasher_of<float>(9, 64, 1);
  const auto values = values_of(hasher, random_row<float>(9, 4));
  std::vector<perturbation> changes;
  hasher.perturb(values.data(), 0, changes);
  std::uint64_t key = key_of(hasher, values), all = key;
  auto flipped = values;
  for (const std::size_t i : {0u, 1u, 31u, 32u, 63u}) {
    flipped[i] = -flipped[i];
    key += changes[i].delta;
  }
  CHECK(key == key_of(hasher, flipped));
  for (const auto& change : changes) all += change.delta;
  CHECK(all == ~key_of(hasher, values));
}

TEST_CASE("values are products with the query at length 1", "[lsh][sign_random_projection]") {
  const auto hasher = hasher_of<double>(9, 20, 3);
  const auto row = random_row<double>(9, 5);
  auto longer = row;
  for (double& x : longer) x *= 1000;
  const auto a = values_of(hasher, row), b = values_of(hasher, longer);
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i] == Approx(b[i]));
    squares += a[i] * a[i];
  }
  // Of 60 standard normal numbers; their squares have a standard deviation of 11.
  CHECK(std::abs(squares - 60) < 44);
}

TEST_CASE("the length of a row does not change its keys", "[lsh][sign_random_projection]") {
  const auto hasher = hasher_of<float>(33, 16, 20);
  const auto row = random_row<float>(33, 6);
  const auto keys = hash(hasher, row);
  for (const float scale : {0.25f, 1024.0f}) {  // powers of two: no rounding
    auto scaled = row;
    for (float& x : scaled) x *= scale;
    CHECK(hash(hasher, scaled) == keys);
  }
}

TEST_CASE("a row and its opposite differ in all bits", "[lsh][sign_random_projection]") {
  const auto hasher = hasher_of<float>(33, 48, 4);
  const auto row = random_row<float>(33, 7);
  auto opposite = row;
  for (float& x : opposite) x = -x;
  const auto a = hash(hasher, row), b = hash(hasher, opposite);
  for (std::size_t t = 0; t < 4; ++t) CHECK((a[t] ^ b[t]) == (std::uint64_t{1} << 48) - 1);
}

TEST_CASE("zero vectors have all bits set, as rows and as queries", "[lsh][sign_random_projection]") {
  const auto hasher = hasher_of<float>(5, 16, 3);
  const std::vector<float> zero(5);
  CHECK(hash(hasher, zero) == std::vector<std::uint64_t>(3, 0xFFFF));
  const auto values = values_of(hasher, zero);
  CHECK(values == std::vector<float>(48));
  CHECK(key_of(hasher, values) == 0xFFFF);
  CHECK(hasher.probabilities(values.data(), 0, 1, {}, nullptr) == Approx(std::pow(0.5, 16)));
}

TEST_CASE("queries whose squares leave the range of floats have the keys and scores of shorter ones",
          "[lsh][sign_random_projection]") {
  const auto hasher = hasher_of<float>(20, 30, 8);
  const auto row = random_row<float>(20, 8);
  const auto usual = values_of(hasher, row);
  for (const float scale : {0x1p100f, 0x1p-70f, 0x1p-80f}) {
    auto scaled = row;
    for (float& x : scaled) x *= scale;
    const auto values = values_of(hasher, scaled);
    for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == Approx(usual[i]).epsilon(1e-5));
    for (std::size_t t = 0; t < 8; ++t) CHECK(key_of(hasher, values, t) == hash(hasher, scaled)[t]);
  }
}

TEST_CASE("queries whose products overflow have keys, scores and probabilities", "[lsh][sign_random_projection]") {
  const auto hasher = hasher_of<float>(6, 40, 10);
  const std::vector<float> row{3e38f, -3e38f, 3e38f, -3e38f, 3e38f, -3e38f};
  const auto values = values_of(hasher, row);
  const auto keys = hash(hasher, row);
  for (std::size_t t = 0; t < 10; ++t) {
    CHECK(key_of(hasher, values, t) == keys[t]);
    std::vector<perturbation> changes;
    hasher.perturb(values.data(), t, changes);
    for (const auto& change : changes) CHECK(change.score >= 0);
    std::vector<float> odds(changes.size());
    const double stay = hasher.probabilities(values.data(), t, 0.3, changes, odds.data());
    CHECK((stay >= 0 && stay <= 1));
    CHECK(std::all_of(odds.begin(), odds.end(), [](float x) { return x >= 0 && annulus::detail::is_finite(x); }));
  }
}

TEST_CASE("the odds of a flip are finite at every angle", "[lsh][sign_random_projection]") {
  const auto hasher = hasher_of<float>(6, 12, 1);
  const auto values = values_of(hasher, random_row<float>(6, 9));
  std::vector<perturbation> changes;
  hasher.perturb(values.data(), 0, changes);
  std::vector<float> odds(changes.size());
  for (const double distance : {-1.0, 0.0, 1e-12, 1.0, 1.5, 2.0, 3.0}) {
    const double stay = hasher.probabilities(values.data(), 0, distance, changes, odds.data());
    CHECK((stay >= 0 && stay <= 1));
    CHECK(std::all_of(odds.begin(), odds.end(), [](float x) { return x >= 0 && annulus::detail::is_finite(x); }));
    if (distance <= 0) CHECK(stay == 1);
    if (distance >= 2) CHECK(stay < 1e-12);
  }
}

TEST_CASE("more than 64 hyperplanes a table are refused", "[lsh][sign_random_projection]") {
  CHECK_NOTHROW(hasher_of<float>(3, 64, 1));
  CHECK_THROWS_WITH(hasher_of<float>(3, 65, 1), ContainsSubstring("n_projections = 65"));
}
