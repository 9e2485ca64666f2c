// What every family owes to an index (lsh/family.hpp).

#include <annulus/lsh/families/bit_sampling.hpp>
#include <annulus/lsh/families/minhash.hpp>
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/families/simple_mips.hpp>

#include "catch.hpp"
#include "random_data.hpp"

#include <map>
#include <set>

using namespace annulus;

namespace {

matrix<std::uint8_t> random_bits(std::size_t n, std::size_t bytes, std::uint64_t seed) {
  const counter_random random(seed);
  matrix<std::uint8_t> rows(n, bytes);
  for (std::size_t i = 0; i < n * bytes; ++i) rows.data()[i] = static_cast<std::uint8_t>(random.bits(i));
  return rows;
}

csr_matrix<float> sets(const std::vector<std::vector<std::int32_t>>& members) {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  for (const auto& set : members) {
    indices.insert(indices.end(), set.begin(), set.end());
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  std::vector<float> values(indices.size(), 1.0f);
  return {std::move(indptr), std::move(indices), std::move(values), 1000};
}

csr_matrix<float> random_sets(std::size_t n, std::uint64_t seed) {
  const counter_random random(seed);
  std::vector<std::vector<std::int32_t>> members(n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::int32_t m = 0; m < 300; ++m)
      if (random.below(i * 300 + static_cast<std::size_t>(m), 300) < 10 * i) members[i].push_back(m);
  return sets(members);
}

/// As long as simple_mips' max_norm, so that its rows and queries are hashed alike.
matrix<float> unit_rows(matrix<float> rows) {
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    double square = 0;
    for (const float x : rows.row(i)) square += static_cast<double>(x) * static_cast<double>(x);
    for (float& x : rows.row(i)) x = static_cast<float>(static_cast<double>(x) / std::sqrt(square));
  }
  return rows;
}
constexpr simple_mips of_directions{.max_norm = 0.999};

/// f(family, rows) for every family and kind of rows, 16 rows of each.
template <class F>
void for_each_family(F f) {
  const auto floats = normal_rows<float>(16, 19, 1);
  const auto doubles = normal_rows<double>(16, 7, 2);
  f(p_stable_l2{.width = 1}, matrix_view<float>(floats));
  f(p_stable_l2{.width = 4}, matrix_view<double>(doubles));
  f(p_stable_l1{.width = 4}, matrix_view<float>(floats));
  f(sign_random_projection{}, matrix_view<float>(floats));
  f(sign_random_projection{}, matrix_view<double>(doubles));
  const auto directions = unit_rows(floats);
  f(of_directions, matrix_view<float>(directions));
  const auto some_sets = random_sets(16, 3);
  f(minhash{}, csr_view<float>(some_sets));
  const auto bits = random_bits(16, 13, 4);
  f(bit_sampling{}, matrix_view<std::uint8_t>(bits));
}

template <class Family, class Points>
auto hasher_of(const Family& family, const Points& points, std::size_t k, std::size_t l, std::uint64_t seed) {
  return family.template make_hasher<Points>(points.dim(), k, l, seed);
}

template <class Hasher, class Points>
std::vector<std::uint64_t> hash(const Hasher& hasher, const Points& points, std::size_t first, std::size_t count,
                                std::size_t first_table, std::size_t n_tables) {
  std::vector<std::uint64_t> keys(count * n_tables);
  hasher.hash(points, first, count, first_table, n_tables, keys.data());
  return keys;
}

template <class Hasher, class Points>
auto project(const Hasher& hasher, const Points& points, std::size_t first, std::size_t count) {
  std::vector<typename Hasher::value_type> values(count * hasher.n_values());
  hasher.project(points, first, count, values.data());
  return values;
}

template <class Hasher, class Value>
std::vector<std::uint64_t> keys_of(const Hasher& hasher, const Value* values) {
  std::vector<std::uint64_t> keys(hasher.n_tables());
  hasher.keys(values, keys.data());
  return keys;
}

}  // namespace

TEST_CASE("a family of hash functions says which rows it takes", "[lsh][family]") {
  using bytes = matrix_view<std::uint8_t>;
  STATIC_REQUIRE(hash_family<p_stable_l2, matrix_view<float>>);
  STATIC_REQUIRE(hash_family<p_stable_l2, matrix_view<double>>);
  STATIC_REQUIRE_FALSE(hash_family<p_stable_l2, bytes>);
  STATIC_REQUIRE_FALSE(hash_family<p_stable_l1, matrix_view<std::int8_t>>);
  STATIC_REQUIRE_FALSE(hash_family<sign_random_projection, matrix_view<Eigen::half>>);
  STATIC_REQUIRE_FALSE(hash_family<simple_mips, bytes>);
  STATIC_REQUIRE_FALSE(hash_family<p_stable_l2, csr_view<float>>);
  STATIC_REQUIRE(hash_family<bit_sampling, bytes>);
  STATIC_REQUIRE_FALSE(hash_family<bit_sampling, matrix_view<float>>);
  STATIC_REQUIRE(hash_family<minhash, csr_view<double>>);
  STATIC_REQUIRE_FALSE(hash_family<minhash, bytes>);
}

TEST_CASE("the keys of a query are those of the same row", "[lsh][families]") {
  for_each_family([](const auto& family, const auto& points) {
    for (const std::size_t k : {1u, 15u, 50u, 64u}) {
      const auto hasher = hasher_of(family, points, k, 5, 7);
      const auto values = project(hasher, points, 0, points.size());
      const auto of_rows = hash(hasher, points, 0, points.size(), 0, 5);
      std::size_t equal = 0;
      for (std::size_t i = 0; i < points.size(); ++i) {
        const auto keys = keys_of(hasher, values.data() + i * hasher.n_values());
        for (std::size_t t = 0; t < 5; ++t) equal += keys[t] == of_rows[t * points.size() + i];
      }
      CHECK(equal == 5 * points.size());
    }
  });
}

TEST_CASE("a query's values do not depend on the batch", "[lsh][families]") {
  for_each_family([](const auto& family, const auto& points) {
    const auto hasher = hasher_of(family, points, 11, 9, 8);
    const auto all = project(hasher, points, 0, points.size());
    bool equal = true;
    for (std::size_t first = 0; first < points.size(); ++first)
      for (const std::size_t count : {std::size_t{1}, std::size_t{7}, points.size()}) {
        const std::size_t n = std::min(count, points.size() - first);
        const auto some = project(hasher, points, first, n);
        equal &= std::memcmp(some.data(), all.data() + first * hasher.n_values(), some.size() * sizeof(some[0])) == 0;
      }
    CHECK(equal);
  });
}

TEST_CASE("a row's keys do not depend on the rows and tables they are asked for with", "[lsh][families]") {
  for_each_family([](const auto& family, const auto& points) {
    const std::size_t n = points.size(), n_tables = 9;
    const auto hasher = hasher_of(family, points, 11, n_tables, 9);
    const auto all = hash(hasher, points, 0, n, 0, n_tables);
    for (const auto& [first, count, first_table, tables] : std::vector<std::array<std::size_t, 4>>{
             {0, n, 3, 1}, {0, n, 0, 4}, {0, n, 4, 5}, {5, 1, 0, 9}, {3, 8, 2, 6}}) {
      const auto some = hash(hasher, points, first, count, first_table, tables);
      bool equal = true;
      for (std::size_t t = 0; t < tables; ++t)
        for (std::size_t j = 0; j < count; ++j) equal &= some[t * count + j] == all[(first_table + t) * n + first + j];
      CHECK(equal);
    }
  });
}

TEST_CASE("a table's functions do not depend on how many tables there are", "[lsh][families]") {
  for_each_family([](const auto& family, const auto& points) {
    const std::size_t n = points.size();
    const auto many = hash(hasher_of(family, points, 13, 20, 10), points, 0, n, 0, 20);
    const auto few = hash(hasher_of(family, points, 13, 3, 10), points, 0, n, 0, 3);
    CHECK(std::equal(few.begin(), few.end(), many.begin()));
  });
}

TEST_CASE("one seed gives one set of functions and another seed another", "[lsh][families]") {
  for_each_family([](const auto& family, const auto& points) {
    const auto keys = [&](std::uint64_t seed) {
      return hash(hasher_of(family, points, 16, 4, seed), points, 0, points.size(), 0, 4);
    };
    CHECK(keys(11) == keys(11));
    CHECK(keys(11) != keys(12));
  });
}

TEST_CASE("tables differ in their functions", "[lsh][families]") {
  for_each_family([](const auto& family, const auto& points) {
    const auto keys = hash(hasher_of(family, points, 16, 6, 13), points, 0, points.size(), 0, 6);
    std::set<std::vector<std::uint64_t>> different;
    for (auto begin = keys.begin(); begin != keys.end(); begin += static_cast<std::ptrdiff_t>(points.size()))
      different.insert({begin, begin + static_cast<std::ptrdiff_t>(points.size())});
    CHECK(different.size() == 6);
  });
}

TEST_CASE("functions within a table differ", "[lsh][families]") {
  for_each_family([](const auto& family, const auto& points) {
    const auto keys = hash(hasher_of(family, points, 16, 1, 14), points, 0, points.size(), 0, 1);
    CHECK(std::set<std::uint64_t>(keys.begin(), keys.end()).size() >= 10);
  });
}

TEST_CASE("changes are appended to the list and name the functions of one table", "[lsh][families]") {
  for_each_family([](const auto& family, const auto& points) {
    const auto hasher = hasher_of(family, points, 6, 3, 15);
    const auto values = project(hasher, points, points.size() - 1, 1);
    std::vector<perturbation> changes{{-1, 77, 99}};
    hasher.perturb(values.data(), 1, changes);
    REQUIRE(changes.size() >= 7);
    CHECK(changes[0].projection == 77);
    CHECK(changes[0].delta == 99);
    bool sound = true;
    for (std::size_t i = 1; i < changes.size(); ++i)
      sound &= changes[i].projection < 6 && changes[i].delta != 0 && changes[i].score >= 0;
    CHECK(sound);
  });
}

TEST_CASE("changes of different tables and functions lead to different buckets", "[lsh][families]") {
  for_each_family([](const auto& family, const auto& points) {
    const auto hasher = hasher_of(family, points, 6, 3, 16);
    const auto values = project(hasher, points, points.size() - 1, 1);
    const auto keys = keys_of(hasher, values.data());
    std::vector<perturbation> changes;
    hasher.perturb(values.data(), 2, changes);
    std::set<std::uint64_t> buckets{keys[2]};
    for (const auto& change : changes) buckets.insert(keys[2] + change.delta);
    CHECK(buckets.size() == changes.size() + 1);
  });
}

TEST_CASE("the probability to stay does not depend on the changes asked about", "[lsh][families]") {
  for_each_family([](const auto& family, const auto& points) {
    const auto hasher = hasher_of(family, points, 6, 3, 17);
    const auto values = project(hasher, points, 9, 1);
    std::vector<perturbation> changes;
    hasher.perturb(values.data(), 1, changes);
    std::vector<float> odds(changes.size());
    const double distance = 0.7, stay = hasher.probabilities(values.data(), 1, distance, changes, odds.data());
    CHECK(stay == hasher.probabilities(values.data(), 1, distance, {}, nullptr));
    float last = 0;
    CHECK(stay == hasher.probabilities(values.data(), 1, distance, std::span(changes).last(1), &last));
    CHECK(last == odds.back());
    CHECK(stay > 0);
    CHECK(stay <= 1);
  });
}

namespace {

/// A query, row 0, and a row at a known distance from it, row 1.
template <class Points>
struct pair_at {
  Points rows;
  double distance;
};

/// Counts of what happened, against the probabilities foretold.
struct calibration {
  double expected = 0, variance = 0, happened = 0;
  void add(double probability, bool happens) {
    expected += probability;
    variance += probability * (1 - probability);
    happened += happens;
  }
  bool holds() const { return std::abs(happened - expected) <= 4.5 * std::sqrt(variance) + 1e-3 * expected + 1; }
};

constexpr std::size_t tables_drawn = 500, hashers_drawn = 50;

/// f(hasher, values and keys of the query, keys of the row) for many hashers.
template <class Family, class Points, class F>
void draw(const Family& family, const Points& view, std::size_t k, F f) {
  for (std::uint64_t seed = 0; seed < hashers_drawn; ++seed) {
    const auto hasher = hasher_of(family, view, k, tables_drawn, seed);
    const auto values = project(hasher, view, 0, 1);
    f(hasher, values, keys_of(hasher, values.data()), hash(hasher, view, 1, 1, 0, tables_drawn));
  }
}

/// The two rows share a bucket as often as collision_probability says.
template <class View, class Family, class Points>
void check_collisions(const Family& family, const std::vector<pair_at<Points>>& pairs) {
  for (const auto& pair : pairs)
    for (const std::size_t k : {1u, 3u}) {
      calibration shared;
      draw(family, View(pair.rows), k, [&](const auto& hasher, const auto&, const auto& query, const auto& row) {
        for (std::size_t t = 0; t < tables_drawn; ++t)
          shared.add(hasher.collision_probability(pair.distance), query[t] == row[t]);
      });
      INFO(Family::name << " at " << pair.distance << ", k = " << k << ": " << shared.happened << ", not "
                        << shared.expected);
      CHECK(shared.holds());
    }
}

/// Given the query's values, the row is in its bucket, and past each single change, as often as `probabilities` says:
/// apart for each range of what it says.
template <class View, class Family, class Points>
void check_probabilities(const Family& family, const std::vector<pair_at<Points>>& pairs) {
  for (const auto& pair : pairs) {
    std::map<int, calibration> stays, moves;
    calibration all_stays;
    draw(family, View(pair.rows), 2, [&](const auto& hasher, const auto& values, const auto& query, const auto& row) {
      std::vector<perturbation> changes;
      std::array<float, 8> odds;
      for (std::size_t t = 0; t < tables_drawn; ++t) {
        changes.clear();
        hasher.perturb(values.data(), t, changes);
        const double stay = hasher.probabilities(values.data(), t, pair.distance, changes, odds.data());
        stays[static_cast<int>(stay * 8)].add(stay, query[t] == row[t]);
        all_stays.add(stay, query[t] == row[t]);
        for (std::size_t i = 0; i < changes.size(); ++i) {
          const double moved = stay * static_cast<double>(odds[i]);
          moves[static_cast<int>(moved * 16)].add(moved, query[t] + changes[i].delta == row[t]);
        }
      }
    });
    INFO(Family::name << " at " << pair.distance);
    CHECK(all_stays.holds());
    for (const auto& [range, stay] : stays) {
      INFO("stay, in " << range << " / 8: " << stay.happened << ", not " << stay.expected);
      CHECK(stay.holds());
    }
    for (const auto& [range, move] : moves) {
      INFO("move, in " << range << " / 16: " << move.happened << ", not " << move.expected);
      CHECK(move.holds());
    }
  }
}

/// Rows q and q + c u, u being of length 1 by `norm`.
template <class T, class Norm>
std::vector<pair_at<matrix<T>>> pairs_at(std::initializer_list<double> distances, Norm norm) {
  std::vector<pair_at<matrix<T>>> pairs;
  for (const double c : distances) {
    auto rows = normal_rows<T>(2, 5, 21);
    double length = 0;
    for (const T x : rows.row(1)) length = norm(length, static_cast<double>(x));
    for (std::size_t j = 0; j < 5; ++j)
      rows(1, j) = static_cast<T>(rows(0, j) + static_cast<T>(c / length) * rows(1, j));
    pairs.push_back({rows, c});
  }
  return pairs;
}

/// Rows of given lengths at an angle of `cosine`, and their distance by f(cosine).
template <class T, class F>
std::vector<pair_at<matrix<T>>> pairs_of_angles(std::initializer_list<double> cosines, double query_length,
                                                double row_length, F f) {
  std::vector<pair_at<matrix<T>>> pairs;
  for (const double c : cosines) {
    matrix<T> rows(2, 4);
    for (std::size_t j = 0; j < 4; ++j) rows(0, j) = static_cast<T>(query_length / 2);
    const double sine = std::sqrt(1 - c * c);
    for (std::size_t j = 0; j < 4; ++j)
      rows(1, j) = static_cast<T>(row_length * (c / 2 + (j % 2 == 0 ? 1 : -1) * sine / 2));
    pairs.push_back({rows, f(c)});
  }
  return pairs;
}

template <class F>
void for_each_pairs(F f) {
  const auto l2 = [](double sum, double x) { return std::hypot(sum, x); };
  const auto l1 = [](double sum, double x) { return sum + std::abs(x); };
  f(p_stable_l2{.width = 4}, pairs_at<float>({0.5, 2.0, 6.0}, l2), matrix_view<float>());
  f(p_stable_l2{.width = 1}, pairs_at<double>({0.5}, l2), matrix_view<double>());
  f(p_stable_l1{.width = 4}, pairs_at<float>({1.0, 4.0}, l1), matrix_view<float>());
  const auto by_cosine = [](double c) { return 1 - c; };
  f(sign_random_projection{}, pairs_of_angles<float>({0.9, 0.3, -0.6}, 3, 0.2, by_cosine), matrix_view<float>());
  f(sign_random_projection{}, pairs_of_angles<double>({0.7}, 1, 1, by_cosine), matrix_view<double>());
  // max_norm 2 and rows of length 1.5: the product is not the cosine of the directions.
  const auto by_product = [](double c) { return -1.5 * c; };
  f(simple_mips{.max_norm = 2}, pairs_of_angles<float>({1.0, 0.5, -0.4}, 1, 1.5, by_product), matrix_view<float>());
  const std::vector<pair_at<csr_matrix<float>>> of_sets{
      {sets({{0, 1}, {1, 2}}), 1 - 1.0 / 3},
      {sets({{5, 6, 7}, {6, 7, 8}}), 0.5},
      {sets({{0, 1, 2, 3, 4}, {1, 2, 3, 4, 5}}), 1 - 4.0 / 6},
      {sets({{0, 100, 200, 300, 400, 500, 600, 700, 800, 900}, {0, 99, 200, 300, 400, 500, 600, 700, 801, 901}}),
       1 - 7.0 / 13},
      {sets({{1}, {2}}), 1},
      {sets({{1, 2, 3, 4}, {1, 2, 3, 4}}), 0}};
  f(minhash{}, of_sets, csr_view<float>());
  std::vector<pair_at<matrix<std::uint8_t>>> of_bits;
  for (const std::size_t c : {0u, 1u, 3u, 11u}) {
    auto rows = random_bits(2, 2, 22);
    for (std::size_t j = 0; j < 2; ++j) rows(1, j) = rows(0, j);
    for (std::size_t b = 0; b < c; ++b) rows(1, b % 2) = static_cast<std::uint8_t>(rows(1, b % 2) ^ (1u << b / 2));
    of_bits.push_back({rows, static_cast<double>(c)});
  }
  f(bit_sampling{}, of_bits, matrix_view<std::uint8_t>());
}

}  // namespace

TEST_CASE("rows share a bucket as often as collision_probability says", "[lsh][families]") {
  for_each_pairs(
      [](const auto& family, const auto& pairs, auto view) { check_collisions<decltype(view)>(family, pairs); });
}

TEST_CASE("of a query's values a row stays or moves as often as probabilities says", "[lsh][families]") {
  for_each_pairs(
      [](const auto& family, const auto& pairs, auto view) { check_probabilities<decltype(view)>(family, pairs); });
}
