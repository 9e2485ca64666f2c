#include <annulus/lsh/families/minhash.hpp>
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/families/simple_mips.hpp>
#include <annulus/lsh/multi_probe.hpp>

#include <map>

#include "catch.hpp"

using namespace annulus;
using detail::probe;
using detail::probe_sequence;

namespace {

constexpr std::size_t dim = 6;
constexpr double no_bound = std::numeric_limits<double>::infinity();

template <class Family>
auto hasher_of(const Family& family, std::size_t k, std::size_t l, std::uint64_t seed = 1) {
  return family.template make_hasher<matrix_view<float>>(dim, k, l, seed);
}

std::vector<float> random_row(std::uint64_t seed) {
  const counter_random random(seed, 5);
  std::vector<float> row(dim);
  for (std::size_t i = 0; i < dim; ++i) row[i] = static_cast<float>(random.normal(i));
  return row;
}

template <class Hasher>
std::vector<float> values_of(const Hasher& hasher, const std::vector<float>& row) {
  std::vector<float> values(hasher.n_values());
  hasher.project(row, 0, 1, values.data());
  return values;
}

/// A bucket of a table, and minus the logarithm of the probability that a row at a distance is in it.
using bucket_scores = std::map<std::pair<std::uint32_t, std::uint64_t>, double>;

/// Every bucket that changes lead to from the query's, but for its own, up to a score; the changes of a table by
/// ascending score, at most one of each function.
template <class Hasher>
bucket_scores buckets_around(const Hasher& hasher, const std::vector<float>& values, double distance,
                             double bound = no_bound) {
  bucket_scores found;
  std::vector<std::uint64_t> keys(hasher.n_tables());
  hasher.keys(values.data(), keys.data());
  for (std::uint32_t t = 0; t < hasher.n_tables(); ++t) {
    std::vector<perturbation> changes;
    hasher.perturb(values.data(), t, changes);
    std::vector<float> odds(changes.size());
    const double stay = hasher.probabilities(values.data(), t, distance, changes, odds.data());
    std::vector<std::pair<double, std::size_t>> sorted;
    for (std::size_t i = 0; i < changes.size(); ++i) sorted.emplace_back(-std::log(static_cast<double>(odds[i])), i);
    std::ranges::sort(sorted);
    std::vector<bool> is_changed(64);
    const auto extend = [&](auto& self, std::size_t first, double score, std::uint64_t key) -> void {
      for (std::size_t i = first; i < sorted.size() && score + sorted[i].first <= bound; ++i) {
        const perturbation& change = changes[sorted[i].second];
        if (is_changed[change.projection]) continue;
        found[{t, key + change.delta}] = score + sorted[i].first;
        is_changed[change.projection] = true;
        self(self, i + 1, score + sorted[i].first, key + change.delta);
        is_changed[change.projection] = false;
      }
    };
    extend(extend, 0, -std::log(stay), keys[t]);
  }
  return found;
}

template <class Hasher>
std::vector<probe> probes_of(probe_sequence<Hasher>& sequence, double distance, std::size_t most = 1u << 20) {
  std::vector<probe> probes;
  probe p;
  while (probes.size() < most && sequence.next_own(p)) probes.push_back(p);
  if (probes.size() < most) sequence.spread(distance);
  while (probes.size() < most && sequence.next(p)) probes.push_back(p);
  return probes;
}

template <class Hasher>
std::vector<probe> probes_of(const Hasher& hasher, const std::vector<float>& values, double distance,
                             std::size_t most = 1u << 20) {
  probe_sequence<Hasher> sequence;
  sequence.start(hasher, values.data());
  return probes_of(sequence, distance, most);
}

bool same(const std::vector<probe>& a, const std::vector<probe>& b) {
  return std::ranges::equal(a, b, [](probe x, probe y) { return x.table == y.table && x.key == y.key; });
}

/// How many buckets are given out more than once.
std::size_t repeated(const std::vector<probe>& probes) {
  std::map<std::pair<std::uint32_t, std::uint64_t>, int> counts;
  for (const probe& p : probes) ++counts[{p.table, p.key}];
  return probes.size() - counts.size();
}

/// The first probes are the query's own buckets, those after them in the order of their probabilities.
template <class Family>
void check_order(const Family& family, std::size_t k, std::size_t l, double distance) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto hasher = hasher_of(family, k, l, seed);
    const auto values = values_of(hasher, random_row(seed));
    const auto expected = buckets_around(hasher, values, distance);
    std::vector<double> sorted;
    for (const auto& [bucket, score] : expected) sorted.push_back(score);
    std::ranges::sort(sorted);

    const auto probes = probes_of(hasher, values, distance);
    REQUIRE(probes.size() == l + expected.size());
    CHECK(repeated(probes) == 0);
    std::size_t unknown = 0, out_of_order = 0;
    for (std::size_t i = l; i < probes.size(); ++i) {
      const auto bucket = expected.find({probes[i].table, probes[i].key});
      unknown += bucket == expected.end();
      if (bucket != expected.end()) out_of_order += std::abs(bucket->second - sorted[i - l]) > 1e-4 * sorted[i - l];
    }
    CHECK(unknown == 0);
    CHECK(out_of_order == 0);
  }
}

/// 1 - the sum of the probabilities of the buckets looked into, multiplied over tables.
template <class Hasher>
double plainly_missed(const Hasher& hasher, const std::vector<float>& values, const std::vector<probe>& probes,
                      double distance, std::size_t n) {
  const auto scores = buckets_around(hasher, values, distance);
  std::vector<double> inside(hasher.n_tables());
  for (std::size_t i = 0; i < n; ++i) {
    const probe& p = probes[i];
    const bool is_own = i < hasher.n_tables();
    inside[p.table] += is_own ? hasher.probabilities(values.data(), p.table, distance, {}, nullptr)
                              : std::exp(-scores.at({p.table, p.key}));
  }
  double missed = 1;
  for (const double x : inside) missed *= 1 - x;
  return missed;
}

}  // namespace

TEST_CASE("places are those of a stable sort, also of numbers that tie", "[lsh][multi_probe]") {
  const counter_random random(4);
  std::vector<std::uint32_t> places;
  for (std::size_t n = 0; n <= 150; ++n)
    for (const std::uint64_t n_values : {1u, 3u, 20u, 1u << 20}) {
      std::vector<float> numbers(n);
      for (std::size_t i = 0; i < n; ++i) numbers[i] = static_cast<float>(random.below(1000 * n + i, n_values)) / 4 - 1;
      if (n > 9) numbers[7] = std::numeric_limits<float>::infinity();
      std::vector<std::size_t> order(n);
      for (std::size_t i = 0; i < n; ++i) order[i] = i;
      std::ranges::stable_sort(order, {}, [&](std::size_t i) { return numbers[i]; });
      detail::sorted_places(numbers, places);
      std::size_t wrong = places.size() != n;
      for (std::size_t i = 0; i < n; ++i) wrong += places[order[i]] != i;
      CAPTURE(n, n_values);
      CHECK(wrong == 0);
    }
}

TEST_CASE("at the usual distance a row in ten is in a query's own buckets", "[lsh][multi_probe]") {
  const auto check = [](const auto& hasher) {
    const double p = hasher.collision_probability(detail::usual_distance(hasher));
    CHECK(static_cast<double>(hasher.n_tables()) * p == Approx(0.1).epsilon(1e-6));
  };
  check(hasher_of(sign_random_projection{}, 10, 7));
  check(hasher_of(p_stable_l2{.width = 4}, 6, 20));
  check(hasher_of(p_stable_l1{.width = 1e6}, 4, 1));
  check(hasher_of(simple_mips{.max_norm = 3}, 12, 7));  // at a negative distance
  check(hasher_of(simple_mips{.max_norm = 3}, 2, 4));   // at one above 0
}

TEST_CASE("the usual distance by inner product grows with the query", "[lsh][multi_probe]") {
  const auto hasher = hasher_of(simple_mips{.max_norm = 3}, 12, 7);
  const double of_unit = detail::usual_distance(hasher);
  CHECK(of_unit < 0);
  auto row = random_row(2);
  double squares = 0;
  for (const float x : row) squares += static_cast<double>(x) * static_cast<double>(x);
  for (const double scale : {1.0, 7.0}) {
    auto scaled = row;
    for (float& x : scaled) x *= static_cast<float>(scale);
    const auto values = values_of(hasher, scaled);
    CHECK(detail::usual_distance(hasher, values.data(), of_unit) ==
          Approx(of_unit * scale * std::sqrt(squares)).epsilon(1e-5));
  }
  const auto lines = hasher_of(p_stable_l2{.width = 4}, 6, 20);
  CHECK(detail::usual_distance(lines, values_of(lines, row).data(), 2.5) == 2.5);
}

TEST_CASE("a query's own buckets come first, table by table", "[lsh][multi_probe]") {
  const auto hasher = hasher_of(sign_random_projection{}, 10, 7);
  const auto values = values_of(hasher, random_row(2));
  std::vector<std::uint64_t> keys(7);
  hasher.keys(values.data(), keys.data());
  probe_sequence<decltype(hasher_of(sign_random_projection{}, 10, 7))> sequence;
  sequence.start(hasher, values.data());
  probe p;
  for (std::uint32_t t = 0; t < 7; ++t) {
    CHECK(sequence.has_own());
    REQUIRE(sequence.next_own(p));
    CHECK(p.table == t);
    CHECK(p.key == keys[t]);
  }
  CHECK_FALSE(sequence.has_own());
  CHECK_FALSE(sequence.next_own(p));
  CHECK_FALSE(sequence.next(p));  // before it is known at which distance
}

TEST_CASE("buckets come in the order of the probability to hold a row at a distance", "[lsh][multi_probe]") {
  for (const double distance : {0.05, 0.3, 0.9}) check_order(sign_random_projection{}, 5, 3, distance);
  for (const double distance : {0.5, 1.0, 4.0}) {
    check_order(p_stable_l2{.width = 4}, 3, 2, distance);
    check_order(p_stable_l1{.width = 4}, 3, 2, distance);
  }
}

TEST_CASE("small tables give out each of their buckets once and then end", "[lsh][multi_probe]") {
  for (std::size_t k = 1; k <= 6; ++k)
    for (const double distance : {0.0, 0.2, 1.7, 2.0}) {  // beyond a right angle a flip is likelier than none
      CAPTURE(k, distance);
      const auto planes = hasher_of(sign_random_projection{}, k, 4);
      auto probes = probes_of(planes, values_of(planes, random_row(3)), distance);
      CHECK(probes.size() == (4u << k));
      CHECK(repeated(probes) == 0);
      const auto lines = hasher_of(p_stable_l2{.width = 4}, k, 4);
      probes = probes_of(lines, values_of(lines, random_row(3)), distance);
      CHECK(probes.size() == static_cast<std::size_t>(4 * std::pow(3, k) + 0.5));
      CHECK(repeated(probes) == 0);
    }
}

TEST_CASE("a function is changed at most once a bucket", "[lsh][multi_probe]") {
  const auto hasher = hasher_of(p_stable_l2{.width = 4}, 4, 3);
  const auto values = values_of(hasher, random_row(8));
  std::vector<std::uint64_t> keys(3), factors(4);
  hasher.keys(values.data(), keys.data());
  std::vector<perturbation> changes;
  hasher.perturb(values.data(), 0, changes);
  for (const perturbation& change : changes) factors[change.projection] = change.delta;
  std::size_t invalid = 0;
  for (const probe& p : probes_of(hasher, values, 1)) {
    std::size_t ways = 0;
    for (std::size_t code = 0; code < 81; ++code) {
      std::uint64_t key = keys[p.table];
      for (std::size_t i = 0, rest = code; i < 4; ++i, rest /= 3) key += (rest % 3 - 1) * factors[i];
      ways += key == p.key;
    }
    invalid += ways != 1;
  }
  CHECK(invalid == 0);
}

TEST_CASE("of long keys the likeliest buckets come first", "[lsh][multi_probe]") {
  const auto check = [](const auto& hasher, double distance) {
    const auto values = values_of(hasher, random_row(6));
    const auto probes = probes_of(hasher, values, distance, 1000);
    REQUIRE(probes.size() == 1000);
    CHECK(repeated(probes) == 0);
    bucket_scores some;
    for (double bound = 0; some.size() < probes.size(); bound += 0.25)
      some = buckets_around(hasher, values, distance, bound);
    std::vector<double> sorted;
    for (const auto& [bucket, score] : some) sorted.push_back(score);
    std::ranges::sort(sorted);
    std::size_t unknown = 0, out_of_order = 0;
    for (std::size_t i = hasher.n_tables(); i < probes.size(); ++i) {
      const auto bucket = some.find({probes[i].table, probes[i].key});
      const double score = sorted[i - hasher.n_tables()];
      unknown += bucket == some.end();
      if (bucket != some.end()) out_of_order += std::abs(bucket->second - score) > 1e-4 * score;
    }
    CHECK(unknown == 0);
    CHECK(out_of_order == 0);
  };
  check(hasher_of(p_stable_l2{.width = 2}, 40, 3), 0.15);
  check(hasher_of(sign_random_projection{}, 64, 3), 0.01);
}

TEST_CASE("probes at more changes than a table's 64 likeliest end", "[lsh][multi_probe]") {
  const auto hasher = hasher_of(p_stable_l2{.width = 4}, 60, 1);
  const auto values = values_of(hasher, random_row(1));
  const auto probes = probes_of(hasher, values, 1, 50000);
  CHECK(probes.size() == 50000);
  CHECK(repeated(probes) == 0);
}

TEST_CASE("a sequence that starts again has forgotten the query before", "[lsh][multi_probe]") {
  const auto hasher = hasher_of(p_stable_l2{.width = 4}, 5, 4), other = hasher_of(p_stable_l2{.width = 4}, 9, 2, 7);
  probe_sequence<decltype(hasher_of(p_stable_l2{.width = 4}, 5, 4))> sequence;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const auto& now = seed % 3 == 2 ? other : hasher;
    const auto values = values_of(now, random_row(seed));
    sequence.start(now, values.data());
    const std::size_t most = seed == 1 ? 2 : 150;
    const auto probes = probes_of(sequence, 0.7, most);
    CHECK(same(probes, probes_of(now, values, 0.7, most)));
    CHECK(sequence.missed(0.7, most) ==
          Approx(plainly_missed(now, values, probes, 0.7, most)).epsilon(1e-4).margin(1e-9));
  }
}

TEST_CASE("what is missed is what the buckets' probabilities leave", "[lsh][multi_probe]") {
  const auto check = [](const auto& hasher, double probed_for, double distance) {
    const auto values = values_of(hasher, random_row(11));
    const auto probes = probes_of(hasher, values, probed_for);
    for (const std::size_t step : {1u, 7u, 40u}) {
      probe_sequence<std::remove_cvref_t<decltype(hasher)>> sequence;
      sequence.start(hasher, values.data());
      CHECK(sequence.missed(distance, 0) == 1);
      probe p;
      while (sequence.next_own(p)) continue;
      sequence.missed(distance, hasher.n_tables() - 1);
      sequence.spread(probed_for);
      while (sequence.next(p)) continue;
      double last = 1;
      std::size_t wrong = 0;
      for (std::size_t n = hasher.n_tables() - 1; n <= probes.size(); n += step) {
        const double missed = sequence.missed(distance, n);
        wrong += missed > last || std::abs(missed - plainly_missed(hasher, values, probes, distance, n)) > 1e-5;
        last = missed;
      }
      CHECK(wrong == 0);
      // Asked at another distance it begins anew.
      const double other = 0.8 * distance;
      CHECK(sequence.missed(other, 30) ==
            Approx(plainly_missed(hasher, values, probes, other, 30)).epsilon(1e-4).margin(1e-9));
    }
  };
  check(hasher_of(sign_random_projection{}, 5, 3), 0.2, 0.2);
  check(hasher_of(sign_random_projection{}, 5, 3), 0.2, 0.6);
  check(hasher_of(p_stable_l2{.width = 4}, 3, 2), 1, 1);
  check(hasher_of(p_stable_l2{.width = 4}, 3, 2), 2, 0.5);
}

TEST_CASE("what is missed does not depend on what was asked before", "[lsh][multi_probe]") {
  const auto hasher = hasher_of(sign_random_projection{}, 8, 5);
  using sequence_type = probe_sequence<decltype(hasher_of(sign_random_projection{}, 8, 5))>;
  probe p;
  // After n probes of which 5 are own buckets; `asked` is called before and after the others are spread.
  const auto run = [&](sequence_type& sequence, const std::vector<float>& values, std::size_t n, auto asked) {
    sequence.start(hasher, values.data());
    while (sequence.next_own(p)) {
    }
    if (n > 5) {
      asked(5);
      sequence.spread(0.2);
    }
    for (std::size_t i = 5; i < n; ++i) sequence.next(p);
    asked(n);
  };
  sequence_type kept;
  for (const std::uint64_t seed : {2u, 3u, 4u}) {
    const auto values = values_of(hasher, random_row(seed));
    for (const std::size_t n : {5u, 40u, 90u})
      run(kept, values, n, [&](std::size_t given) {
        for (const double distance : {0.2, 0.4, 0.2, 0.1, 0.4}) {
          sequence_type fresh;
          run(fresh, values, given, [](std::size_t) {});
          CHECK(kept.missed(distance, given) == fresh.missed(distance, given));
        }
      });
  }
}

TEST_CASE("once all buckets of hyperplanes were looked into nothing is missed", "[lsh][multi_probe]") {
  const auto hasher = hasher_of(sign_random_projection{}, 6, 2);
  const auto values = values_of(hasher, random_row(4));
  probe_sequence<decltype(hasher_of(sign_random_projection{}, 6, 2))> sequence;
  sequence.start(hasher, values.data());
  const auto probes = probes_of(sequence, 0.3);
  CHECK(sequence.missed(0.3, 100) < 0.5);
  CHECK(sequence.missed(0.3, probes.size()) == Approx(0).margin(1e-10));
}

// The heart of a recall target: what missed() says is how often a neighbour is missed.
TEST_CASE("a neighbour at a distance is missed as often as is said", "[lsh][multi_probe]") {
  constexpr std::size_t n_draws = 3000;
  const std::vector<std::size_t> counts{1, 3, 6, 12, 24};
  const auto check = [&](const auto& family, std::size_t k, double distance, auto neighbor_of) {
    std::vector<double> expected(counts.size()), variance(counts.size()), missed(counts.size());
    for (std::uint64_t seed = 0; seed < n_draws; ++seed) {
      const auto hasher = hasher_of(family, k, 3, seed);
      const auto query = random_row(seed);
      const auto values = values_of(hasher, query);
      std::vector<std::uint64_t> keys(3);
      hasher.hash(neighbor_of(query, seed), 0, 1, 0, 3, keys.data());
      probe_sequence<std::remove_cvref_t<decltype(hasher)>> sequence;
      sequence.start(hasher, values.data());
      const auto probes = probes_of(sequence, distance, counts.back());
      for (std::size_t c = 0; c < counts.size(); ++c) {
        const double probability = sequence.missed(distance, counts[c]);
        const auto looked_into = std::span(probes).first(counts[c]);
        expected[c] += probability;
        variance[c] += probability * (1 - probability);
        missed[c] += std::ranges::none_of(looked_into, [&](const probe& p) { return keys[p.table] == p.key; });
      }
    }
    for (std::size_t c = 0; c < counts.size(); ++c) {
      CAPTURE(family.name, distance, counts[c], expected[c], missed[c]);
      CHECK(std::abs(missed[c] - expected[c]) < 4 * std::sqrt(variance[c]));
      CHECK(variance[c] > 20);  // else it would tell little
    }
  };
  // At cosine distance `distance`: cos q + sin r, of r at a right angle to q and as long.
  for (const double distance : {0.15, 0.5})
    check(sign_random_projection{}, 8, distance, [distance](const std::vector<float>& query, std::uint64_t seed) {
      auto row = random_row(seed + 1'000'000);
      double dot = 0, squares = 0, other = 0;
      for (std::size_t i = 0; i < dim; ++i) {
        dot += static_cast<double>(row[i] * query[i]);
        squares += static_cast<double>(query[i] * query[i]);
      }
      for (std::size_t i = 0; i < dim; ++i) {
        row[i] -= static_cast<float>(dot / squares) * query[i];
        other += static_cast<double>(row[i] * row[i]);
      }
      const double cos = 1 - distance, sin = std::sqrt(1 - cos * cos) * std::sqrt(squares / other);
      for (std::size_t i = 0; i < dim; ++i)
        row[i] = static_cast<float>(cos) * query[i] + static_cast<float>(sin) * row[i];
      return row;
    });
  const auto moved_by = [](double distance, auto norm_of) {
    return [=](const std::vector<float>& query, std::uint64_t seed) {
      auto row = random_row(seed + 1'000'000);
      const auto scale = static_cast<float>(distance / norm_of(row));
      for (std::size_t i = 0; i < dim; ++i) row[i] = query[i] + scale * row[i];
      return row;
    };
  };
  for (const double distance : {1.0, 2.5}) {
    check(p_stable_l2{.width = 4}, 6, distance, moved_by(distance, [](const std::vector<float>& row) {
            double squares = 0;
            for (const float x : row) squares += static_cast<double>(x * x);
            return std::sqrt(squares);
          }));
    check(p_stable_l1{.width = 4}, 4, distance, moved_by(distance, [](const std::vector<float>& row) {
            double sum = 0;
            for (const float x : row) sum += static_cast<double>(std::abs(x));
            return sum;
          }));
  }
}

TEST_CASE("a set of one member has its own buckets only", "[lsh][multi_probe]") {
  const csr_matrix<float> sets({0, 1, 1, 4}, {17, 1, 2, 3}, {1, 1, 1, 1}, 20);
  const auto hasher = minhash{}.make_hasher<csr_view<float>>(20, 4, 3, 1);
  std::vector<std::uint32_t> values(hasher.n_values());
  probe_sequence<detail::minhash_hasher<csr_view<float>>> sequence;
  for (std::size_t i = 0; i < 3; ++i) {
    hasher.project(sets, i, 1, values.data());
    sequence.start(hasher, values.data());
    const auto probes = probes_of(sequence, 0.3);
    CAPTURE(i);
    CHECK(probes.size() == (i < 2 ? 3u : 3u * 16u));
    CHECK(repeated(probes) == 0);
    CHECK(sequence.missed(0.3, 3) == Approx(std::pow(1 - std::pow(0.7, 4), 3)));
  }
}
