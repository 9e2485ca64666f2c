#include <annulus/lsh/families/bit_sampling.hpp>
#include <annulus/lsh/multi_probe.hpp>

#include "catch.hpp"

#include <bit>
#include <cmath>
#include <set>

using namespace annulus;

namespace {

using rows_view = matrix_view<std::uint8_t>;

auto hasher_of(std::size_t dim, std::size_t k, std::size_t l, std::size_t bits = 0, std::uint64_t seed = 1) {
  return bit_sampling{.bits = bits}.make_hasher<rows_view>(dim, k, l, seed);
}

template <class Hasher>
std::vector<std::uint64_t> hash(const Hasher& hasher, rows_view rows) {
  std::vector<std::uint64_t> keys(rows.size() * hasher.n_tables());
  hasher.hash(rows, 0, rows.size(), 0, hasher.n_tables(), keys.data());
  return keys;
}

/// Row b has bit b alone.
bit_matrix single_bits(std::size_t bits) {
  bit_matrix rows(bits, bits);
  for (std::size_t b = 0; b < bits; ++b) rows.set(b, b);
  return rows;
}

/// Which bit of the row each function of a table looks at; -1 where none does or several do.
template <class Hasher>
std::vector<int> places(const Hasher& hasher, std::size_t bits, std::size_t k, std::size_t table) {
  const auto keys = hash(hasher, single_bits(bits));
  std::vector<int> found(k, -1);
  for (std::size_t b = 0; b < bits; ++b)
    for (std::size_t i = 0; i < k; ++i)
      if ((keys[table * bits + b] >> i & 1) != 0) found[i] = found[i] < 0 ? static_cast<int>(b) : -1;
  return found;
}

/// C(n, k), by floating point.
double choose(double n, int k) {
  double product = 1;
  for (int i = 0; i < k; ++i) product *= std::max(0.0, n - i) / (i + 1);
  return product;
}

}  // namespace

TEST_CASE("each function of a table is a bit of the row, none twice", "[lsh][bit_sampling]") {
  for (const std::size_t k : {1u, 7u, 8u, 9u, 16u, 63u, 64u}) {
    const auto hasher = hasher_of(9, k, 4);
    for (std::size_t t = 0; t < 4; ++t) {
      const auto found = places(hasher, 72, k, t);
      const std::set<int> different(found.begin(), found.end());
      CHECK(different.size() == k);
      CHECK(*different.begin() >= 0);
    }
  }
}

TEST_CASE("the keys of any row follow from those of its bits", "[lsh][bit_sampling]") {
  const counter_random random(2);
  for (const std::size_t k : {5u, 64u}) {
    const auto hasher = hasher_of(9, k, 20);
    matrix<std::uint8_t> row(1, 9);
    for (std::size_t j = 0; j < 9; ++j) row(0, j) = static_cast<std::uint8_t>(random.bits(j));
    const auto keys = hash(hasher, row), of_bits = hash(hasher, single_bits(72));
    for (std::size_t t = 0; t < 20; ++t) {
      std::uint64_t sum = 0;
      for (std::size_t b = 0; b < 72; ++b)
        if ((row(0, b / 8) >> (b % 8) & 1) != 0) sum |= of_bits[t * 72 + b];
      CHECK(keys[t] == sum);
    }
  }
}

TEST_CASE("bits are sampled evenly", "[lsh][bit_sampling]") {
  const std::size_t tables = 4000, k = 6, bits = 40;
  const auto keys = hash(hasher_of(5, k, tables), single_bits(bits));
  // A bit is in a table with probability 6 / 40, and is its first function with 1 / 40.
  for (std::size_t b = 0; b < bits; ++b) {
    int inside = 0, first = 0;
    for (std::size_t t = 0; t < tables; ++t) {
      inside += keys[t * bits + b] != 0;
      first += keys[t * bits + b] == 1;
    }
    CHECK(std::abs(inside - 600) < 4 * std::sqrt(4000 * 0.15 * 0.85));
    CHECK(std::abs(first - 100) < 4.5 * std::sqrt(100));
  }
}

TEST_CASE("only the bits that count are sampled", "[lsh][bit_sampling]") {
  std::set<int> seen;
  const auto hasher = hasher_of(3, 4, 60, 18);
  for (std::size_t t = 0; t < 60; ++t)
    for (const int b : places(hasher, 24, 4, t)) seen.insert(b);
  CHECK(seen.size() == 18);
  CHECK(*seen.begin() == 0);
  CHECK(*seen.rbegin() == 17);
}

TEST_CASE("a table has no more functions than the row has bits", "[lsh][bit_sampling]") {
  const auto hasher = hasher_of(2, 30, 3, 10);
  const auto found = places(hasher, 16, 30, 2);
  CHECK(std::set<int>(found.begin(), found.end()).size() == 11);
  std::vector<perturbation> changes;
  const std::vector<std::uint64_t> values(3);
  hasher.perturb(values.data(), 1, changes);
  CHECK(changes.size() == 10);
  CHECK(hasher.collision_probability(1) == 0);
}

TEST_CASE("each bit of a key can be flipped, with score 1", "[lsh][bit_sampling]") {
  const auto hasher = hasher_of(9, 64, 2);
  const std::vector<std::uint64_t> values{7, 0x8000000000000001u};
  std::vector<perturbation> changes;
  hasher.perturb(values.data(), 1, changes);
  REQUIRE(changes.size() == 64);
  std::uint64_t all = values[1];
  for (std::size_t i = 0; i < 64; ++i) {
    CHECK(changes[i].score == 1);
    CHECK(changes[i].projection == i);
    CHECK((values[1] + changes[i].delta) == (values[1] ^ (std::uint64_t{1} << i)));
    all += changes[i].delta;
  }
  CHECK(all == ~values[1]);
}

TEST_CASE("a table collides with the probability of drawing no bit that differs", "[lsh][bit_sampling]") {
  const auto hasher = hasher_of(5, 6, 1);
  for (const double c : {0.0, 1.0, 2.0, 10.0, 34.0, 35.0, 40.0})
    CHECK(hasher.collision_probability(c) == Approx(choose(40 - c, 6) / choose(40, 6)).margin(1e-15));
}

TEST_CASE("the odds of a flip are those of the draws with one bit that differs", "[lsh][bit_sampling]") {
  const auto hasher = hasher_of(5, 6, 1);
  const std::vector<perturbation> change(1);
  const std::uint64_t value = 0;
  for (const double c : {0.0, 1.0, 2.0, 10.0, 34.0}) {
    float odds = -1;
    const double stay = hasher.probabilities(&value, 0, c, change, &odds);
    CHECK(stay == Approx(choose(40 - c, 6) / choose(40, 6)));
    // Of the draws of 6 of 40 bits those with one of the c in a given one of 6 places.
    CHECK(stay * static_cast<double>(odds) == Approx(c * choose(40 - c, 5) / choose(40, 6) / 6).margin(1e-12));
  }
}

TEST_CASE("a row that cannot be in the query's bucket may be past one flip", "[lsh][bit_sampling]") {
  // All bits of the row are in the table: at distance 1 just one of them is flipped.
  const auto hasher = hasher_of(1, 8, 1);
  std::vector<perturbation> changes;
  const std::uint64_t value = 0xA5;
  hasher.perturb(&value, 0, changes);
  std::vector<float> odds(8);
  const double stay = hasher.probabilities(&value, 0, 1, changes, odds.data());
  CHECK(stay < 1e-6);
  for (const float x : odds) CHECK(stay * static_cast<double>(x) == Approx(1.0 / 8));
}

TEST_CASE("a row is in one of a table's buckets, and each number of flips is as likely as it is drawn",
          "[lsh][bit_sampling]") {
  const auto choose = [](std::size_t n, std::size_t k) {
    double count = 1;
    for (std::size_t i = 0; i < k; ++i) count *= static_cast<double>(n - i) / static_cast<double>(i + 1);
    return count;
  };
  const std::size_t n = 32;
  for (const std::size_t k : {1u, 5u, 12u, 20u})
    for (std::size_t c = 1; c + k <= n && c < 13; ++c) {
      const auto hasher = hasher_of(n / 8, k, 1);
      const std::uint64_t value = 0;
      std::vector<perturbation> changes;
      hasher.perturb(&value, 0, changes);
      std::vector<float> odds(changes.size());
      const auto distance = static_cast<double>(c);
      const double stay = hasher.probabilities(&value, 0, distance, changes, odds.data());
      double sum = 0;
      for (std::size_t f = 0; f <= k; ++f) {
        const double each = stay * std::pow(static_cast<double>(odds[0]), f) * hasher.joint_factor(distance, f);
        const double exact = f <= c && k - f <= n - c ? choose(c, f) * choose(n - c, k - f) / choose(n, k) : 0.0;
        CAPTURE(k, c, f);
        CHECK(each * choose(k, f) == Approx(exact).epsilon(1e-4).margin(1e-12));
        sum += each * choose(k, f);
      }
      CHECK(sum == Approx(1).epsilon(1e-4));
    }
}

TEST_CASE("rows of bits are missed as often as is said, also past several flips", "[lsh][bit_sampling]") {
  constexpr std::size_t n_draws = 3000, n_bytes = 4, c = 5;
  const std::vector<std::size_t> counts{2, 20, 40, 100, 250};
  std::vector<double> expected(counts.size()), variance(counts.size()), missed(counts.size());
  std::size_t ended = 0;
  for (std::uint64_t seed = 0; seed < n_draws; ++seed) {
    const auto hasher = hasher_of(n_bytes, 16, 2, 0, seed);
    const counter_random random(seed, 1);
    bit_matrix rows(2, 8 * n_bytes);
    std::set<std::size_t> differing;
    for (std::size_t i = 0; differing.size() < c; ++i) differing.insert(random.below(i, 8 * n_bytes));
    for (const std::size_t bit : differing) rows.set(1, bit);
    const rows_view view = rows;
    std::vector<std::uint64_t> values(2), keys(4);
    hasher.project(view, 0, 1, values.data());
    hasher.hash(view, 0, 2, 0, 2, keys.data());
    detail::probe_sequence<detail::bit_hasher> sequence;
    sequence.start(hasher, values.data());
    detail::probe p;
    bool is_met = false;
    for (std::size_t n = 0, at = 0; at < counts.size(); ++n) {
      if (n == counts[at]) {
        const double probability = sequence.missed(c, n);
        expected[at] += probability;
        variance[at] += probability * (1 - probability);
        missed[at++] += !is_met;
      }
      if (n == 2) sequence.spread(c);
      ended += !(n < 2 ? sequence.next_own(p) : sequence.next(p));
      is_met |= keys[2 * p.table + 1] == p.key;
    }
  }
  CHECK(ended == 0);
  for (std::size_t at = 0; at < counts.size(); ++at) {
    CAPTURE(counts[at], expected[at], missed[at]);
    CHECK(std::abs(missed[at] - expected[at]) < 4 * std::sqrt(variance[at]));
    CHECK(variance[at] > 20);
  }
}

TEST_CASE("odds are finite at every distance", "[lsh][bit_sampling]") {
  const auto hasher = hasher_of(2, 9, 1);
  const std::vector<perturbation> change(1);
  const std::uint64_t value = 0;
  for (double c = 0; c <= 17; c += 0.25) {
    float odds = -1;
    const double stay = hasher.probabilities(&value, 0, c, change, &odds);
    CHECK((stay > 0 && stay <= 1));
    CHECK((odds >= 0 && annulus::detail::is_finite(odds)));
    CHECK(stay * static_cast<double>(odds) <= 1 + 1e-6);
  }
}

TEST_CASE("bits beyond the row are refused", "[lsh][bit_sampling]") {
  CHECK_NOTHROW(hasher_of(2, 5, 1, 16));
  CHECK_THROWS_WITH(hasher_of(2, 5, 1, 17), ContainsSubstring("bits = 17") && ContainsSubstring("16"));
}

TEST_CASE("more than 64 bits a table are refused", "[lsh][bit_sampling]") {
  CHECK_NOTHROW(hasher_of(9, 64, 1));
  CHECK_THROWS_WITH(hasher_of(9, 65, 1), ContainsSubstring("n_projections = 65"));
  CHECK_THROWS_WITH(hasher_of(1, 65, 1), ContainsSubstring("n_projections = 65"));
}

TEST_CASE("a hasher of bits counts its tables, values and bytes", "[lsh][bit_sampling]") {
  const auto hasher = hasher_of(9, 16, 7);
  CHECK(hasher.n_tables() == 7);
  CHECK(hasher.n_values() == 7);
  CHECK(hasher.memory_bytes() == 16 * 7 * 5);
}
