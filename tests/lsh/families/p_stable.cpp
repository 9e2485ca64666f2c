#include <annulus/lsh/families/p_stable.hpp>

#include "catch.hpp"
#include "random_data.hpp"

using namespace annulus;

namespace {

template <class T, class Family>
auto hasher_of(const Family& family, std::size_t dim, std::size_t k, std::size_t l, std::uint64_t seed = 1) {
  return family.template make_hasher<matrix_view<T>>(dim, k, l, seed);
}

/// f(family, hasher of 7 projections and 3 tables, values of one query of 6 coordinates).
template <class F>
void for_each_kind(F f) {
  const auto with = [&](auto family, auto number) {
    using T = decltype(number);
    const auto hasher = hasher_of<T>(family, 6, 7, 3);
    const auto rows = normal_rows<T>(1, 6, 2, 5);
    std::vector<T> values(hasher.n_values());
    hasher.project(rows, 0, 1, values.data());
    f(family, hasher, values);
  };
  with(p_stable_l2{.width = 2}, 0.0f);
  with(p_stable_l2{.width = 2}, 0.0);
  with(p_stable_l1{.width = 3}, 0.0);
}

template <class Hasher, class T>
std::uint64_t key_of(const Hasher& hasher, const std::vector<T>& values, std::size_t table) {
  std::vector<std::uint64_t> keys(hasher.n_tables());
  hasher.keys(values.data(), keys.data());
  return keys[table];
}

/// Keys of `rows` in two tables of three functions each.
template <class T>
std::vector<std::uint64_t> hash(const matrix<T>& rows, double width = 4) {
  const auto hasher = hasher_of<T>(p_stable_l2{.width = width}, rows.cols(), 3, 2);
  std::vector<std::uint64_t> keys(2 * rows.rows());
  hasher.hash(rows, 0, rows.rows(), 0, 2, keys.data());
  return keys;
}

}  // namespace

TEST_CASE("a p-stable change leads to the key of the next piece", "[lsh][p_stable]") {
  for_each_kind([](const auto&, const auto& hasher, const auto& values) {
    using T = std::remove_cvref_t<decltype(values[0])>;
    for (std::size_t table = 0; table < 3; ++table) {
      std::vector<perturbation> changes;
      hasher.perturb(values.data(), table, changes);
      REQUIRE(changes.size() == 14);
      for (const auto& change : changes) {
        std::array<std::uint64_t, 2> next;
        for (const int way : {0, 1}) {
          auto moved = values;
          moved[table * 7 + change.projection] += static_cast<T>(way == 0 ? -1 : 1);
          next[static_cast<std::size_t>(way)] = key_of(hasher, moved, table);
        }
        const std::uint64_t key = key_of(hasher, values, table) + change.delta;
        const T place = values[table * 7 + change.projection], down = place - std::floor(place);
        const bool is_up = key == next[1];
        CHECK((is_up || key == next[0]));
        const T way = is_up ? 1 - down : down;
        CHECK(change.score == Approx(way * way).margin(1e-6));
      }
    }
  });
}

TEST_CASE("a key tells which function has which piece", "[lsh][p_stable]") {
  const auto hasher = hasher_of<float>(p_stable_l2{.width = 4}, 4, 2, 1);
  CHECK(key_of(hasher, std::vector<float>{3.5f, -1.5f}, 0) != key_of(hasher, std::vector<float>{-1.5f, 3.5f}, 0));
  CHECK(key_of(hasher, std::vector<float>{3.5f, -1.5f}, 0) == key_of(hasher, std::vector<float>{3.0f, -1.1f}, 0));
  CHECK(key_of(hasher, std::vector<float>{3.5f, -1.5f}, 0) != key_of(hasher, std::vector<float>{3.5f, -0.9f}, 0));
}

TEST_CASE("a p-stable function has one change down and one up", "[lsh][p_stable]") {
  for_each_kind([](const auto&, const auto& hasher, const auto& values) {
    std::vector<perturbation> changes;
    hasher.perturb(values.data(), 1, changes);
    std::array<std::uint64_t, 7> sums{};
    std::array<int, 7> counts{};
    for (const auto& change : changes) {
      sums[change.projection] += change.delta;
      ++counts[change.projection];
    }
    for (std::size_t i = 0; i < 7; ++i) {
      CHECK(counts[i] == 2);
      CHECK(sums[i] == 0);
    }
  });
}

TEST_CASE("p-stable changes of several functions add up", "[lsh][p_stable]") {
  for_each_kind([](const auto&, const auto& hasher, const auto& values) {
    std::vector<perturbation> changes;
    hasher.perturb(values.data(), 2, changes);
    auto moved = values;
    std::uint64_t key = key_of(hasher, values, 2);
    for (const std::size_t i : {0u, 5u, 8u}) {
      auto next = values;
      next[14 + changes[i].projection] += 1;
      const bool is_up = key_of(hasher, next, 2) == key_of(hasher, values, 2) + changes[i].delta;
      if (is_up) moved[14 + changes[i].projection] += 1;
      else moved[14 + changes[i].projection] -= 1;
      key += changes[i].delta;
    }
    CHECK(key == key_of(hasher, moved, 2));
  });
}

TEST_CASE("a p-stable place moves by the product with a direction over the width", "[lsh][p_stable]") {
  // Twice the width halves the way between two rows, which offsets do not change.
  const auto rows = normal_rows<double>(2, 6, 3);
  const auto way = [&](double width) {
    const auto hasher = hasher_of<double>(p_stable_l2{.width = width}, 6, 5, 1);
    std::vector<double> values(10);
    hasher.project(rows, 0, 2, values.data());
    std::vector<double> ways;
    for (std::size_t i = 0; i < 5; ++i) ways.push_back(values[5 + i] - values[i]);
    return ways;
  };
  const auto narrow = way(1.5), wide = way(3);
  for (std::size_t i = 0; i < 5; ++i) CHECK(narrow[i] == Approx(2 * wide[i]));
}

TEST_CASE("the offsets of p-stable functions are spread over a piece", "[lsh][p_stable]") {
  const auto hasher = hasher_of<double>(p_stable_l1{.width = 4}, 3, 100, 10);
  std::vector<double> offsets(1000);
  hasher.project(matrix<double>(1, 3), 0, 1, offsets.data());
  CHECK(*std::min_element(offsets.begin(), offsets.end()) >= 0);
  CHECK(*std::max_element(offsets.begin(), offsets.end()) < 1);
  std::array<int, 10> counts{};
  for (const double x : offsets) ++counts[static_cast<std::size_t>(10 * x)];
  for (const int count : counts) CHECK(std::abs(count - 100) < 45);
}

TEST_CASE("zero vectors all share the bucket of the offsets", "[lsh][p_stable]") {
  const auto keys = hash(matrix<float>(5, 8));
  for (std::size_t i = 0; i < 5; ++i) CHECK(keys[i] == keys[0]);
  CHECK(keys[0] == 0);
}

TEST_CASE("rows beyond the last piece on one line share it", "[lsh][p_stable]") {
  const auto check = [](auto number, double far) {
    using T = decltype(number);
    matrix<T> rows(3, 4);
    for (std::size_t j = 0; j < 4; ++j) rows(0, j) = rows(1, j) = static_cast<T>(far);
    for (std::size_t j = 0; j < 4; ++j) rows(1, j) *= T(1.5);
    for (std::size_t j = 0; j < 4; ++j) rows(2, j) = -rows(0, j);
    const auto keys = hash(rows);
    CHECK(keys[0] == keys[1]);
    CHECK(keys[0] != keys[2]);
  };
  check(0.0f, 1e30);
  check(0.0, 1e300);
}

TEST_CASE("a place beyond the last piece has no change outwards", "[lsh][p_stable]") {
  for_each_kind([](const auto&, const auto& hasher, const auto& given) {
    using T = std::remove_cvref_t<decltype(given[0])>;
    auto values = given;
    values[0] = T(1e30);
    values[1] = T(-1e30);
    std::vector<perturbation> changes;
    hasher.perturb(values.data(), 0, changes);
    REQUIRE(changes.size() == 12);
    for (const std::size_t i : {0u, 1u}) {
      CHECK(changes[i].projection == i);
      CHECK(changes[i].score >= 0);
    }
    auto inner = given;
    inner[2] += 1;
    const std::uint64_t up = key_of(hasher, inner, 0) - key_of(hasher, given, 0);
    CHECK((changes[2].delta == up || changes[3].delta == up));
  });
}

TEST_CASE("places that are not finite have keys, scores and probabilities", "[lsh][p_stable]") {
  for_each_kind([](const auto&, const auto& hasher, const auto& given) {
    using limits = std::numeric_limits<std::remove_cvref_t<decltype(given[0])>>;
    auto values = given;
    values[0] = limits::infinity();
    values[1] = -limits::infinity();
    values[2] = limits::quiet_NaN();
    auto far = values;
    far[0] = limits::max();
    far[1] = limits::lowest();
    far[2] = 0.5f;
    CHECK(key_of(hasher, values, 0) == key_of(hasher, far, 0));
    std::vector<perturbation> changes;
    hasher.perturb(values.data(), 0, changes);
    for (const auto& change : changes) CHECK(annulus::detail::is_finite(change.score));
    std::vector<float> odds(changes.size());
    for (const double distance : {0.0, 1e-300, 1.0, 1e300}) {
      const double stay = hasher.probabilities(values.data(), 0, distance, changes, odds.data());
      CHECK((stay >= 0 && stay <= 1));
      CHECK(std::all_of(odds.begin(), odds.end(), [](float x) { return x >= 0 && annulus::detail::is_finite(x); }));
    }
  });
}

TEST_CASE("a row whose products are infinite has the same key always", "[lsh][p_stable]") {
  matrix<float> rows(20, 6);
  for (std::size_t i = 0; i < 20; ++i)
    for (std::size_t j = 0; j < 6; ++j) rows(i, j) = j % 2 == 0 ? 3e38f : -3e38f;
  const auto keys = hash(rows, 1e-3);
  for (std::size_t i = 0; i < 20; ++i) CHECK(keys[i] == keys[0]);
}

TEST_CASE("more functions than are evaluated at once stay with the product of their probabilities", "[lsh][p_stable]") {
  const auto hasher = hasher_of<float>(p_stable_l2{.width = 4}, 6, 75, 1);
  const auto single = hasher_of<float>(p_stable_l2{.width = 4}, 6, 1, 75);
  const auto row = normal_rows<float>(1, 6, 4);
  std::vector<float> values(75);
  hasher.project(row, 0, 1, values.data());
  double product = 1;
  for (std::size_t i = 0; i < 75; ++i) product *= single.probabilities(values.data(), i, 1.5, {}, nullptr);
  CHECK(hasher.probabilities(values.data(), 0, 1.5, {}, nullptr) == Approx(product).epsilon(1e-5));
}

TEST_CASE("a row at no distance stays and does not move", "[lsh][p_stable]") {
  for_each_kind([](const auto&, const auto& hasher, const auto& values) {
    std::vector<perturbation> changes;
    hasher.perturb(values.data(), 1, changes);
    std::vector<float> odds(changes.size());
    CHECK(hasher.probabilities(values.data(), 1, 1e-9, changes, odds.data()) == Approx(1).epsilon(1e-5));
    for (const float x : odds) CHECK(x < 1e-5f);
    CHECK(hasher.collision_probability(0) == 1);
  });
}

TEST_CASE("a width that is not above zero is refused", "[lsh][p_stable]") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double width : {0.0, -1.0, infinity, -infinity, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_WITH(hasher_of<float>(p_stable_l2{.width = width}, 3, 2, 2), ContainsSubstring("width"));
    CHECK_THROWS_AS(hasher_of<float>(p_stable_l1{.width = width}, 3, 2, 2), std::invalid_argument);
  }
}

TEST_CASE("functions that cannot be counted are refused", "[lsh][p_stable]") {
  const std::size_t most = std::numeric_limits<std::size_t>::max();
  CHECK_THROWS_WITH(hasher_of<float>(p_stable_l2{.width = 4}, 3, most, 2), ContainsSubstring("n_projections"));
}

TEST_CASE("a hasher counts its tables, values and bytes", "[lsh][p_stable]") {
  const auto hasher = hasher_of<double>(p_stable_l2{.width = 4}, 6, 5, 7);
  CHECK(hasher.n_tables() == 7);
  CHECK(hasher.n_values() == 35);
  CHECK(hasher.memory_bytes() >= 35 * (6 + 1) * sizeof(double));
}
