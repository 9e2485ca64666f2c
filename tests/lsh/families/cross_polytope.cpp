#include <annulus/lsh/families/cross_polytope.hpp>

#include "catch.hpp"
#include "random_data.hpp"

#include <numeric>
#include <set>

using namespace annulus;
using detail::vertex_angle;
using detail::vertex_probabilities;
using view = matrix_view<float>;
using keys_of_rows = std::vector<std::uint64_t>;

static_assert(hash_family<cross_polytope, matrix_view<float>> && hash_family<cross_polytope, matrix_view<double>>);

namespace {

constexpr double degree = std::numbers::pi / 180;

template <class T = float>
auto hasher_of(std::size_t dim, std::size_t bits, std::size_t n_tables, std::uint64_t seed = 1,
               std::size_t n_rotations = 3) {
  return cross_polytope{n_rotations}.make_hasher<matrix_view<T>>(dim, bits, n_tables, seed);
}

template <class Hasher, class T>
keys_of_rows hashed(const Hasher& hasher, const matrix<T>& rows) {
  keys_of_rows keys(rows.rows() * hasher.n_tables());
  hasher.hash(rows, 0, rows.rows(), 0, hasher.n_tables(), keys.data());
  return keys;
}

template <class Hasher, class T>
matrix<float> projected(const Hasher& hasher, const matrix<T>& rows) {
  matrix<float> values(rows.rows(), hasher.n_values());
  hasher.project(rows, 0, rows.rows(), values.data());
  return values;
}

/// In the order of hashed().
template <class Hasher>
keys_of_rows keys_of(const Hasher& hasher, const matrix<float>& values) {
  keys_of_rows keys(values.rows() * hasher.n_tables()), of_row(hasher.n_tables());
  for (std::size_t i = 0; i < values.rows(); ++i) {
    hasher.keys(values.row(i).data(), of_row.data());
    for (std::size_t t = 0; t < of_row.size(); ++t) keys[t * values.rows() + i] = of_row[t];
  }
  return keys;
}

/// A row at a cosine distance from another.
matrix<float> neighbor_of(std::span<const float> row, double distance, std::uint64_t seed) {
  const std::size_t d = row.size();
  std::vector<double> other(d);
  double norm = 0, product = 0, other_norm = 0;
  for (std::size_t i = 0; i < d; ++i) {
    other[i] = counter_random(seed).normal(i);
    norm += static_cast<double>(row[i]) * static_cast<double>(row[i]);
    product += other[i] * static_cast<double>(row[i]);
  }
  for (std::size_t i = 0; i < d; ++i) {
    other[i] -= product / norm * static_cast<double>(row[i]);
    other_norm += other[i] * other[i];
  }
  const double c = 1 - distance, s = std::sqrt(1 - c * c);
  matrix<float> result(1, d);
  for (std::size_t i = 0; i < d; ++i)
    result(0, i) =
        static_cast<float>(c * static_cast<double>(row[i]) / std::sqrt(norm) + s * other[i] / std::sqrt(other_norm));
  return result;
}

/// Of the coordinates of one polytope, the vertex and the greatest magnitude by a plain loop.
detail::nearest_vertex plain_nearest(const float* y, std::size_t size) {
  std::size_t best = 0;
  for (std::size_t j = 1; j < size; ++j)
    if (std::abs(y[j]) > std::abs(y[best])) best = j;
  return {std::abs(y[best]), static_cast<std::uint32_t>(2 * best + (y[best] < 0))};
}

/// What `changes` should be taken from: scores of all other vertices of one polytope, ascending.
std::vector<float> plain_scores(const float* y, std::size_t size) {
  const auto own = plain_nearest(y, size);
  std::vector<float> scores;
  for (std::size_t number = 0; number < 2 * size; ++number) {
    const float along = number % 2 == 0 ? y[number / 2] : -y[number / 2];
    const bool is_offered = size <= 4 || number % 2 == static_cast<std::size_t>(y[number / 2] < 0);
    if (number != own.number && is_offered) scores.push_back((own.most - along) * (own.most - along));
  }
  std::sort(scores.begin(), scores.end());
  return scores;
}

const vertex_probabilities& probabilities_of(std::size_t n) {
  static std::vector<std::pair<std::size_t, vertex_probabilities>> known;
  for (const auto& [size, tables] : known)
    if (size == n) return tables;
  known.reserve(16);
  return known.emplace_back(n, vertex_probabilities(n)).second;
}

/// A query's coordinates and its neighbour's under a Gaussian rotation: pairs of standard normals.
struct gaussian_pair {
  std::vector<float> y, z;
  gaussian_pair(std::size_t n, double angle, std::uint64_t seed) : y(n), z(n) {
    const counter_random random(seed, n);
    for (std::size_t j = 0; j < n; ++j) {
      const double radius = std::sqrt(-2 * std::log(1 - random.uniform(2 * j))),
                   turn = 2 * std::numbers::pi * random.uniform(2 * j + 1);
      y[j] = static_cast<float>(radius * std::cos(turn));
      z[j] = static_cast<float>(radius * std::cos(turn - angle));
    }
  }
};

/// Predicted probabilities against what happened, in one bin.
struct calibration {
  double predicted = 0, variance = 0, happened = 0;
  void add(double p, bool happens) {
    predicted += p;
    variance += p * (1 - p);
    happened += happens ? 1 : 0;
  }
  /// Within what chance and a relative error of the prediction explain.
  bool holds(double tolerance) const {
    return std::abs(predicted - happened) < 4.5 * std::sqrt(variance + 1) + tolerance * predicted;
  }
};

}  // namespace

TEST_CASE("the nearest vertex is that of greatest magnitude, of equals the lowest", "[cross_polytope]") {
  for (std::size_t size = 1; size <= 512; size *= 2)
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      std::vector<float> y(size);
      for (std::size_t j = 0; j < size; ++j)
        y[j] = static_cast<float>(counter_random(seed).below(j, 5 + seed * seed)) - static_cast<float>(seed);
      const auto expected = plain_nearest(y.data(), size), found = detail::find_nearest_vertex(y.data(), size);
      CAPTURE(size, seed);
      REQUIRE(found.number == expected.number);
      REQUIRE(found.most == expected.most);
    }
}

TEST_CASE("a row's keys are those of its values", "[cross_polytope]") {
  for (const std::size_t dim : {1u, 3u, 16u, 20u, 128u, 300u})
    for (const std::size_t bits : {1u, 2u, 5u, 15u, 16u, 33u, 64u}) {
      const auto hasher = hasher_of(dim, bits, 3);
      const auto rows = normal_rows(40, dim, dim + bits);
      CAPTURE(dim, bits);
      REQUIRE(hashed(hasher, rows) == keys_of(hasher, projected(hasher, rows)));
    }
}

TEST_CASE("rows and tables may be hashed in any parts", "[cross_polytope]") {
  const auto hasher = hasher_of(20, 13, 5);
  const auto rows = normal_rows(70, 20, 1);
  const keys_of_rows all = hashed(hasher, rows);
  for (const std::size_t first : {0u, 1u, 33u})
    for (const std::size_t table : {0u, 2u, 4u}) {
      const std::size_t count = 70 - first, n_tables = 5 - table;
      keys_of_rows part(count * n_tables, 77);
      hasher.hash(rows, first, count, table, n_tables, part.data());
      for (std::size_t t = 0; t < n_tables; ++t)
        for (std::size_t i = 0; i < count; ++i) REQUIRE(part[t * count + i] == all[(table + t) * 70 + first + i]);
    }
}

TEST_CASE("a query's rotated coordinates do not depend on the batch", "[cross_polytope]") {
  for (const std::size_t dim : {5u, 128u, 300u}) {
    const auto hasher = hasher_of(dim, 20, 4);
    const auto rows = normal_rows(9, dim, 2);
    const auto together = projected(hasher, rows);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      std::vector<float> alone(hasher.n_values(), -1);
      hasher.project(rows, i, 1, alone.data());
      REQUIRE(std::equal(alone.begin(), alone.end(), together.row(i).begin()));
    }
  }
}

TEST_CASE("a table's polytopes do not depend on how many tables there are", "[cross_polytope]") {
  const auto rows = normal_rows(30, 50, 3);
  const keys_of_rows few = hashed(hasher_of(50, 16, 2), rows), many = hashed(hasher_of(50, 16, 7), rows);
  CHECK(std::equal(few.begin(), few.end(), many.begin()));
  CHECK(!std::equal(few.begin(), few.begin() + 30, few.begin() + 30));
  CHECK(few != hashed(hasher_of(50, 16, 2, 9), rows));
}

TEST_CASE("keys have the bits that were asked for, and all their vertices occur", "[cross_polytope]") {
  for (const std::size_t bits : {1u, 2u, 3u, 5u, 7u}) {
    const keys_of_rows keys = hashed(hasher_of(16, bits, 4), normal_rows(600, 16, bits));
    const std::set<std::uint64_t> different(keys.begin(), keys.end());
    CAPTURE(bits);
    CHECK(*different.rbegin() < std::uint64_t{1} << bits);
    CHECK(different.size() == std::size_t{1} << bits);
  }
}

TEST_CASE("double rows have the keys of float ones, at any scale", "[cross_polytope]") {
  const auto rows = normal_rows(30, 37, 4);
  const keys_of_rows expected = hashed(hasher_of(37, 18, 6), rows);
  for (const double scale : {1.0, 0x1p1000, 0x1p-1000}) {
    matrix<double> wide(30, 37);
    for (std::size_t i = 0; i < 30 * 37; ++i) wide.data()[i] = static_cast<double>(rows.data()[i]) * scale;
    CAPTURE(scale);
    CHECK(hashed(hasher_of<double>(37, 18, 6), wide) == expected);
    CHECK(keys_of(hasher_of<double>(37, 18, 6), projected(hasher_of<double>(37, 18, 6), wide)) == expected);
  }
  auto large = rows;
  for (std::size_t i = 0; i < 30 * 37; ++i) large.data()[i] *= 0x1p120f;
  CHECK(hashed(hasher_of(37, 18, 6), large) == expected);
}

TEST_CASE("zero rows, and those that are not finite, are at vertex 0", "[cross_polytope]") {
  matrix<float> rows(3, 20);
  rows(1, 3) = std::numeric_limits<float>::quiet_NaN();
  rows(2, 3) = std::numeric_limits<float>::infinity();
  for (const std::size_t bits : {1u, 3u, 12u, 20u}) {
    const auto hasher = hasher_of(20, bits, 2);
    CHECK(hashed(hasher, rows) == keys_of_rows(6, 0));
    const auto values = projected(hasher, rows);
    CHECK(keys_of(hasher, values) == keys_of_rows(6, 0));
    std::vector<perturbation> changes;
    hasher.perturb(values.data(), 1, changes);
    std::vector<float> odds(changes.size());
    const double stay = hasher.probabilities(values.data(), 1, 0.3, changes, odds.data());
    CHECK((stay >= 0 && stay <= 1));
    for (const float x : odds) CHECK((x >= 0 && x < 1e30f));
  }
}

TEST_CASE("rows of one coordinate share all buckets where their signs agree, and none otherwise", "[cross_polytope]") {
  matrix<float> rows(3, 1);
  rows(0, 0) = 1;
  rows(1, 0) = 300;
  rows(2, 0) = -2;
  for (const std::size_t bits : {5u, 10u, 17u}) {  // of fewer, the coordinates that are left can be 0
    const keys_of_rows keys = hashed(hasher_of(1, bits, 5), rows);
    for (std::size_t t = 0; t < 5; ++t) {
      CHECK(keys[3 * t] == keys[3 * t + 1]);
      CHECK(keys[3 * t] != keys[3 * t + 2]);
    }
  }
}

TEST_CASE("parameters out of range are refused by name", "[cross_polytope]") {
  CHECK_THROWS_WITH(hasher_of(8, 0, 1), ContainsSubstring("n_projections = 0"));
  CHECK_THROWS_WITH(hasher_of(8, 65, 1), ContainsSubstring("n_projections = 65"));
  CHECK_THROWS_WITH(hasher_of(0, 8, 1), ContainsSubstring("dim = 0"));
  CHECK_THROWS_WITH(hasher_of((std::size_t{1} << 23) + 1, 8, 1), ContainsSubstring("dim = 8388609"));
  CHECK_THROWS_WITH(hasher_of(8, 8, 1, 1, 0), ContainsSubstring("n_rotations = 0"));
  CHECK_THROWS_WITH(hasher_of(8, 8, 1, 1, 9), ContainsSubstring("n_rotations = 9"));
  CHECK_THROWS_AS(hasher_of(8, 8, std::size_t{1} << 62), std::invalid_argument);
  CHECK_NOTHROW(hasher_of(8, 64, 1, 1, 8));
}

TEST_CASE("values are standard normals, whatever the number of rounds", "[cross_polytope]") {
  const auto rows = normal_rows(20, 100, 5);
  for (const std::size_t n_rotations : {1u, 2u, 3u, 8u}) {
    const auto hasher = hasher_of(100, 16, 3, 1, n_rotations);
    const auto values = projected(hasher, rows);
    double squares = 0;
    for (std::size_t i = 0; i < rows.rows(); ++i)
      for (std::size_t j = 0; j < 3 * 256; ++j) squares += std::pow(static_cast<double>(values(i, j)), 2);
    CAPTURE(n_rotations);
    CHECK(squares / (20 * 3 * 256) == Approx(1).epsilon(1e-5));  // both polytopes whole: the length is exact
  }
}

TEST_CASE("changes are the nearest other vertices, their keys those of the vertices changed", "[cross_polytope]") {
  for (const std::size_t dim : {16u, 30u, 128u, 300u})
    for (const std::size_t bits : {1u, 2u, 3u, 4u, 5u, 14u, 15u, 17u, 20u}) {
      const auto hasher = hasher_of(dim, bits, 3);
      const detail::polytope_sizes sizes(dim, bits);
      const auto values = projected(hasher, normal_rows(6, dim, bits));
      for (std::size_t i = 0; i < values.rows(); ++i)
        for (std::size_t t = 0; t < 3; ++t) {
          keys_of_rows keys(3);
          hasher.keys(values.row(i).data(), keys.data());
          std::vector<perturbation> changes(1);
          hasher.perturb(values.row(i).data(), t, changes);
          changes.erase(changes.begin());
          const float* y = values.row(i).data() + t * sizes.n_coordinates();
          for (std::size_t p = 0; p < sizes.count; y += sizes.coordinates(p), ++p) {
            const std::size_t n = sizes.coordinates(p), shift = p * sizes.full_bits;
            const std::uint64_t mask = ((std::uint64_t{1} << sizes.bits(p)) - 1) << shift;
            const auto own = plain_nearest(y, n);
            REQUIRE((keys[t] & mask) >> shift == own.number);
            std::vector<float> scores;
            std::set<std::uint64_t> numbers{own.number};
            for (const auto& change : changes) {
              if (change.projection != p) continue;
              const std::uint64_t changed = keys[t] + change.delta, number = (changed & mask) >> shift;
              REQUIRE((changed & ~mask) == (keys[t] & ~mask));
              const float along = number % 2 == 0 ? y[number / 2] : -y[number / 2];
              REQUIRE(change.score == (own.most - along) * (own.most - along));
              numbers.insert(number);
              scores.push_back(change.score);
            }
            std::vector<float> expected = plain_scores(y, n);
            CAPTURE(dim, bits, p, n, scores.size());
            REQUIRE(numbers.size() == scores.size() + 1);
            if (n <= 32) REQUIRE(scores.size() == expected.size());
            else REQUIRE((scores.size() >= 12 && scores.size() <= 32));
            expected.resize(scores.size());
            std::sort(scores.begin(), scores.end());
            REQUIRE(scores == expected);
          }
        }
    }
}

TEST_CASE("the nearest changes are found wherever magnitudes lie", "[cross_polytope]") {
  for (const float scale : {1e-6f, 0.1f, 1.0f, 50.0f})
    for (const std::size_t levels : {1u, 2u, 3u, 60u, 100000u}) {
      std::vector<float> y(128);
      for (std::size_t j = 0; j < y.size(); ++j)
        y[j] = scale * static_cast<float>(1 + counter_random(levels).below(j, levels)) * (j % 3 == 0 ? -1.0f : 1.0f);
      const auto own = plain_nearest(y.data(), y.size());
      detail::near_vertices near;
      near.find(y.data(), y.size(), own, 1.4f);
      std::vector<float> found(near.magnitudes.begin(),
                               near.magnitudes.begin() + static_cast<std::ptrdiff_t>(near.count)),
          expected(y);
      for (float& x : expected) x = std::abs(x);
      std::sort(expected.begin(), expected.end(), std::greater<>());
      std::sort(found.begin(), found.end(), std::greater<>());
      expected.resize(found.size());
      CAPTURE(scale, levels);
      CHECK(found == expected);
      CHECK(found.size() <= 33);
      if (levels > 100) CHECK(found.size() >= 13);
    }
}

TEST_CASE("two rows share a vertex as often as Gaussian rotations let them", "[cross_polytope]") {
  for (const std::size_t n : {1u, 2u, 4u, 16u, 128u})
    for (const double angle : {15 * degree, 45 * degree, 80 * degree}) {
      const int pairs = n == 128 ? 4000 : 12000;
      calibration all;
      for (int i = 0; i < pairs; ++i) {
        const gaussian_pair pair(n, angle, static_cast<std::uint64_t>(i));
        all.add(vertex_probabilities::collision(1, 0),
                plain_nearest(pair.y.data(), n).number == plain_nearest(pair.z.data(), n).number);
      }
      const double p = vertex_probabilities::collision(n, 1 - std::cos(angle));
      CAPTURE(n, angle, p, all.happened / pairs);
      CHECK(std::abs(all.happened / pairs - p) < 4.5 * std::sqrt(p * (1 - p) / pairs));
      CHECK(probabilities_of(n).collision(1 - std::cos(angle)) == Approx(p).epsilon(0.01));
    }
}

TEST_CASE("collisions are certain at distance 0, and ever rarer with it", "[cross_polytope]") {
  for (const std::size_t n : {1u, 4u, 128u}) {
    CHECK(probabilities_of(n).collision(0) == Approx(1));
    CHECK(vertex_probabilities::collision(n, 0) == 1);
    CHECK(vertex_probabilities::collision(n, 2) == Approx(0).margin(1e-12));
    double last = 1;
    for (double distance = 0.01; distance < 1.9; distance += 0.01) {
      const double p = probabilities_of(n).collision(distance);
      REQUIRE(p < last);
      last = p;
    }
  }
}

TEST_CASE("given the query, its own vertex and the others are as likely as predicted", "[cross_polytope]") {
  for (const std::size_t n : {1u, 2u, 4u, 16u, 128u})
    for (const double angle : {12 * degree, 40 * degree, 75 * degree}) {
      std::array<calibration, 3> stay, other;  // by the greatest magnitude; by the gap
      calibration opposite;
      const int pairs = n == 128 ? 2500 : n == 2 || n == 4 ? 60000 : 8000;
      for (int i = 0; i < pairs; ++i) {
        const gaussian_pair pair(n, angle, static_cast<std::uint64_t>(i) + 100000);
        const auto own = plain_nearest(pair.y.data(), n), its = plain_nearest(pair.z.data(), n);
        const auto law = probabilities_of(n).law(vertex_angle(1 - std::cos(angle)), own.most);
        const double p = std::exp(static_cast<double>(law.log_stay));
        const float middle = n <= 4 ? 1.0f : n == 16 ? 2.0f : 2.6f;
        stay[own.most < 0.85f * middle ? 0 : own.most < 1.15f * middle ? 1 : 2].add(p, its.number == own.number);
        if (n <= 4) opposite.add(p * std::exp(static_cast<double>(law.log_opposite)), its.number == (own.number ^ 1));
        for (std::size_t j = 0; j < n; ++j)
          for (const std::size_t number : {2 * j, 2 * j + 1}) {
            const float along = number % 2 == 0 ? pair.y[j] : -pair.y[j], gap = own.most - along;
            if (j == own.number / 2 || (n > 4 && along < 0)) continue;
            other[gap < 0.3f   ? 0
                  : gap < 0.8f ? 1
                               : 2]
                .add(p * std::exp(static_cast<double>(law.log_factor(gap * gap))), its.number == number);
          }
      }
      for (std::size_t bin = 0; bin < 3; ++bin) {
        CAPTURE(n, angle / degree, bin, stay[bin].predicted, stay[bin].happened, other[bin].predicted,
                other[bin].happened, opposite.predicted, opposite.happened);
        CHECK(stay[bin].holds(0.01));
        CHECK(other[bin].holds(0.03));
        CHECK(opposite.holds(0.03));
      }
    }
}

TEST_CASE("the probabilities of all vertices of a polytope add up to 1 on average", "[cross_polytope]") {
  // On average, as each is given the query's greatest coordinate and its own only.
  for (const std::size_t bits : {1u, 2u, 3u, 5u, 6u}) {
    const auto hasher = hasher_of(60, bits, 10);
    const auto values = projected(hasher, normal_rows(80, 60, 8));
    for (const double distance : {0.0, 0.001, 0.05, 0.2, 0.4, 0.9, 1.3}) {
      if (bits > 3 && distance > 0.3) continue;  // vertices on the far side, which are not offered, count
      double sum = 0;
      for (std::size_t i = 0; i < values.rows() * 10; ++i) {
        const float* const query = values.row(i / 10).data();
        std::vector<perturbation> changes;
        hasher.perturb(query, i % 10, changes);
        std::vector<float> odds(changes.size());
        const double stay = hasher.probabilities(query, i % 10, distance, changes, odds.data());
        sum += stay * (1 + static_cast<double>(std::accumulate(odds.begin(), odds.end(), 0.0f)));
        if (distance == 0) REQUIRE(stay == Approx(1));
      }
      CAPTURE(bits, distance);
      CHECK(sum / (10.0 * static_cast<double>(values.rows())) == Approx(1).epsilon(bits == 1 ? 1e-5 : 0.02));
    }
  }
}

TEST_CASE("neighbours are in the query's buckets, and in those next to it, as often as predicted", "[cross_polytope]") {
  // 128 coordinates by flips and transforms, of a polytope and one truncated to 1, 2 or 16.
  constexpr std::size_t n_tables = 60, n_pairs = 25;
  for (const auto& [bits, distance] :
       {std::pair(9u, 0.3), std::pair(10u, 0.2), std::pair(13u, 0.1), std::pair(13u, 0.25)}) {
    const auto hasher = hasher_of(128, bits, n_tables);
    const auto queries = normal_rows(n_pairs, 128, bits);
    const auto values = projected(hasher, queries);
    calibration own, one_change, two_changes, unconditional;
    for (std::size_t i = 0; i < n_pairs; ++i) {
      const keys_of_rows its = hashed(hasher, neighbor_of(queries.row(i), distance, i));
      keys_of_rows keys(n_tables);
      hasher.keys(values.row(i).data(), keys.data());
      for (std::size_t t = 0; t < n_tables; ++t) {
        std::vector<perturbation> changes;
        hasher.perturb(values.row(i).data(), t, changes);
        std::vector<float> odds(changes.size());
        const double stay = hasher.probabilities(values.row(i).data(), t, distance, changes, odds.data());
        own.add(stay, its[t] == keys[t]);
        unconditional.add(hasher.collision_probability(distance), its[t] == keys[t]);
        for (std::size_t a = 0; a < changes.size(); ++a) {
          one_change.add(stay * static_cast<double>(odds[a]), its[t] == keys[t] + changes[a].delta);
          for (std::size_t b = 0; b < a; ++b)
            if (changes[a].projection != changes[b].projection)
              two_changes.add(stay * static_cast<double>(odds[a] * odds[b]),
                              its[t] == keys[t] + changes[a].delta + changes[b].delta);
        }
      }
    }
    CAPTURE(bits, distance, own.predicted, own.happened, one_change.predicted, one_change.happened,
            two_changes.predicted, two_changes.happened, unconditional.predicted);
    CHECK(own.holds(0.03));
    CHECK(one_change.holds(0.04));
    CHECK(two_changes.holds(0.05));
    CHECK(unconditional.holds(0.03));
  }
}

TEST_CASE("a key's collisions are those of its polytopes together", "[cross_polytope]") {
  for (const double distance : {0.05, 0.3, 0.8}) {
    const double whole = cross_polytope{}.collision_probability(distance, 100);
    CHECK(whole == Approx(vertex_probabilities::collision(128, distance)));
    CHECK(hasher_of(100, 8, 1).collision_probability(distance) == Approx(whole).epsilon(0.01));
    CHECK(hasher_of(100, 24, 1).collision_probability(distance) == Approx(std::pow(whole, 3)).epsilon(0.03));
    const double with_sign = whole * hyperplane_probability(angle_of(distance));
    CHECK(hasher_of(100, 9, 1).collision_probability(distance) == Approx(with_sign).epsilon(0.01));
    CHECK(cross_polytope{}.collision_probability(distance, 3) == Approx(vertex_probabilities::collision(16, distance)));
  }
}

TEST_CASE("fewer rounds are enough for dense rows, one is not for rows of few coordinates", "[cross_polytope]") {
  // A row of one coordinate is, after one round, as far along every axis: any neighbour falls where it will.
  const auto share = [](std::size_t n_rotations, bool is_dense) {
    const auto hasher = hasher_of(64, 7, 300, 3, n_rotations);
    auto rows = normal_rows(1, 64, 12);
    if (!is_dense)
      for (std::size_t j = 1; j < 64; ++j) rows(0, j) = 0;
    calibration all;
    for (std::uint64_t i = 0; i < 8; ++i) {
      const keys_of_rows own = hashed(hasher, rows), its = hashed(hasher, neighbor_of(rows.row(0), 0.2, i));
      for (std::size_t t = 0; t < own.size(); ++t) all.add(0, own[t] == its[t]);
    }
    return all.happened / (8 * 300);
  };
  const double expected = cross_polytope{}.collision_probability(0.2, 64);
  CHECK(share(2, true) == Approx(expected).epsilon(0.1));
  CHECK(share(3, true) == Approx(expected).epsilon(0.1));
  CHECK(share(3, false) == Approx(expected).epsilon(0.1));
  CHECK(share(1, false) < 0.5 * expected);
}
