#include <annulus/lsh/families/minhash.hpp>

#include "catch.hpp"

#include <set>

using namespace annulus;

namespace {

using members = std::vector<std::int32_t>;

csr_matrix<float> sets(const std::vector<members>& rows, std::size_t dim = 200000) {
  std::vector<std::int64_t> indptr{0};
  members indices;
  for (const auto& row : rows) {
    indices.insert(indices.end(), row.begin(), row.end());
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  std::vector<float> values(indices.size(), 1.0f);
  return {std::move(indptr), std::move(indices), std::move(values), dim};
}

auto hasher_of(std::size_t k, std::size_t l, std::uint64_t seed = 1) {
  return minhash{}.make_hasher<csr_view<float>>(200000, k, l, seed);
}

/// Of each row its values.
template <class Hasher>
std::vector<std::vector<std::uint32_t>> project(const Hasher& hasher, const csr_view<float>& rows) {
  std::vector<std::vector<std::uint32_t>> values(rows.size(), std::vector<std::uint32_t>(hasher.n_values()));
  for (std::size_t i = 0; i < rows.size(); ++i) hasher.project(rows, i, 1, values[i].data());
  return values;
}

members range(std::int32_t first, std::int32_t last, std::int32_t step = 1) {
  members all;
  for (; first < last; first += step) all.push_back(first);
  return all;
}

void check_frequency(std::size_t count, std::size_t n, double p) {
  const double total = static_cast<double>(n);
  INFO(count << " of " << n << ", not " << total * p);
  CHECK(std::abs(static_cast<double>(count) - total * p) <= 4 * std::sqrt(total * p * (1 - p)));
}

}  // namespace

TEST_CASE("least hashes agree as often as sets are alike", "[lsh][minhash]") {
  const std::vector<std::pair<members, members>> pairs{{{0, 1}, {1, 2}},
                                                       {{0, 1, 2}, {1, 2, 3}},
                                                       {{10, 11, 12, 13, 14}, {14, 15, 16, 17, 18}},
                                                       {{7}, {7, 8, 9, 10}},
                                                       {{0, 2}, {0, 4}},
                                                       {{0, 65536}, {65536, 131072}},
                                                       {range(0, 30), range(3, 33)},
                                                       {range(0, 400), range(200, 600)},
                                                       {range(0, 2000, 4), range(0, 2000, 5)},
                                                       {range(0, 100), range(0, 1000)}};
  const std::size_t functions = 40000;
  for (const auto& [a, b] : pairs) {
    const auto values = project(hasher_of(functions, 1, 3), sets({a, b}));
    std::size_t agree = 0;
    for (std::size_t i = 0; i < functions; ++i) agree += values[0][i] == values[1][i];
    const double common = static_cast<double>(detail::count_common(a, b));
    check_frequency(agree, functions, common / (static_cast<double>(a.size() + b.size()) - common));
  }
}

TEST_CASE("each member of a small set is the least as often as any other", "[lsh][minhash]") {
  const std::size_t functions = 40000;
  for (const members& set : {range(0, 2), range(0, 3), range(100, 105), members{1, 2, 4, 8, 16}, range(0, 40, 8)}) {
    std::vector<members> rows{set};
    for (const std::int32_t m : set) rows.push_back({m});
    const auto values = project(hasher_of(functions, 1, 4), sets(rows));
    for (std::size_t m = 1; m < rows.size(); ++m) {
      std::size_t least = 0, second = 0;
      for (std::size_t i = 0; i < functions; ++i) {
        least += values[0][i] == values[m][i];
        second += values[0][functions + i] == values[m][i];
      }
      check_frequency(least, functions, 1.0 / static_cast<double>(set.size()));
      check_frequency(second, functions, 1.0 / static_cast<double>(set.size()));
    }
  }
}

TEST_CASE("two functions agree on two sets independently", "[lsh][minhash]") {
  const auto values = project(hasher_of(2, 20000, 5), sets({range(0, 4), range(2, 6)}));
  std::size_t both = 0;
  for (std::size_t i = 0; i < 40000; i += 2)
    both += values[0][i] == values[1][i] && values[0][i + 1] == values[1][i + 1];
  check_frequency(both, 20000, 1.0 / 9);
}

TEST_CASE("the values of a set are the two least of its members' hashes", "[lsh][minhash]") {
  // More members than are hashed at once, and sizes around the width of registers.
  for (const std::size_t n : {1u, 2u, 15u, 16u, 17u, 127u, 128u, 129u, 300u}) {
    const auto set = range(50, 50 + static_cast<std::int32_t>(n));
    std::vector<members> rows{set};
    for (const std::int32_t m : set) rows.push_back({m});
    const auto hasher = hasher_of(13, 7, 6);
    const auto values = project(hasher, sets(rows));
    for (std::size_t i = 0; i < 91; ++i) {
      std::vector<std::uint32_t> hashes;
      for (std::size_t m = 1; m < rows.size(); ++m) hashes.push_back(values[m][i]);
      hashes.push_back(0xFFFFFFFF);
      std::sort(hashes.begin(), hashes.end());
      REQUIRE(values[0][i] == hashes[0]);
      REQUIRE(values[0][91 + i] == hashes[1]);
    }
    CHECK(values[0][182] == n);
  }
}

TEST_CASE("members of equal hashes are equal members", "[lsh][minhash]") {
  std::vector<members> rows;
  for (std::int32_t m = 0; m < 1000; ++m) rows.push_back({m});
  const auto values = project(hasher_of(12, 1, 7), sets(rows));
  for (std::size_t i = 0; i < 12; ++i) {
    std::set<std::uint32_t> different;
    for (const auto& v : values) different.insert(v[i]);
    CHECK(different.size() == 1000);
  }
}

TEST_CASE("agreements of many functions scatter as independent ones do", "[lsh][minhash]") {
  // The mean square of 600 standard deviates has a standard deviation of 0.058.
  double squares = 0;
  const auto hasher = hasher_of(400, 1, 10);
  for (std::int32_t p = 0; p < 600; ++p) {
    const auto values = project(hasher, sets({range(131 * p, 131 * p + 3), range(131 * p + 1, 131 * p + 4)}));
    double agree = 0;
    for (std::size_t i = 0; i < 400; ++i) agree += values[0][i] == values[1][i];
    squares += (agree - 200) * (agree - 200) / 100;
  }
  CHECK(std::abs(squares / 600 - 1) < 4 * 0.058);
}

TEST_CASE("the values stored at a set's members do not matter", "[lsh][minhash]") {
  const csr_matrix<double> rows({0, 2, 4}, {3, 5, 3, 5}, {0, -1, 7, 8}, 9);
  const auto hasher = minhash{}.make_hasher<csr_view<double>>(9, 4, 5, 8);
  std::vector<std::uint64_t> keys(10);
  hasher.hash(rows, 0, 2, 0, 5, keys.data());
  for (std::size_t t = 0; t < 5; ++t) CHECK(keys[2 * t] == keys[2 * t + 1]);
}

TEST_CASE("empty sets share a bucket that other sets are not in", "[lsh][minhash]") {
  const auto rows = sets({{}, {}, {5}, {1, 2, 3}});
  const auto hasher = hasher_of(3, 4);
  std::vector<std::uint64_t> keys(16);
  hasher.hash(rows, 0, 4, 0, 4, keys.data());
  for (std::size_t t = 0; t < 4; ++t) {
    CHECK(keys[4 * t] == keys[4 * t + 1]);
    CHECK(keys[4 * t] != keys[4 * t + 2]);
    CHECK(keys[4 * t] != keys[4 * t + 3]);
  }
}

TEST_CASE("the alternative to a least hash is the second-least one, with score 1", "[lsh][minhash]") {
  const auto hasher = hasher_of(5, 3);
  auto values = project(hasher, sets({range(20, 40)}))[0];
  std::vector<perturbation> changes;
  hasher.perturb(values.data(), 1, changes);
  REQUIRE(changes.size() == 5);
  std::vector<std::uint64_t> keys(3), moved(3);
  hasher.keys(values.data(), keys.data());
  std::uint64_t all = keys[1];
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(changes[i].score == 1);
    CHECK(changes[i].projection == i);
    auto other = values;
    other[5 + i] = values[15 + 5 + i];
    hasher.keys(other.data(), moved.data());
    CHECK(keys[1] + changes[i].delta == moved[1]);
    all += changes[i].delta;
  }
  std::copy_n(values.begin() + 20, 5, values.begin() + 5);
  hasher.keys(values.data(), moved.data());
  CHECK(all == moved[1]);
}

TEST_CASE("a key tells which function has which least hash", "[lsh][minhash]") {
  const auto hasher = hasher_of(2, 1);
  std::vector<std::uint32_t> values{1000, 77, 2000, 2000, 3}, exchanged{77, 1000, 2000, 2000, 3};
  std::uint64_t key = 0, other = 0;
  hasher.keys(values.data(), &key);
  hasher.keys(exchanged.data(), &other);
  CHECK(key != other);
}

TEST_CASE("sets of no or one member have no alternatives", "[lsh][minhash]") {
  const auto hasher = hasher_of(5, 3);
  for (const auto& values : project(hasher, sets({{}, {7}}))) {
    std::vector<perturbation> changes;
    hasher.perturb(values.data(), 2, changes);
    CHECK(changes.empty());
    CHECK(hasher.probabilities(values.data(), 2, 0.5, changes, nullptr) == Approx(std::pow(0.5, 5)));
  }
}

TEST_CASE("a neighbour's least hash is the second-least one as often as foretold", "[lsh][minhash]") {
  const std::size_t functions = 40000;
  const std::vector<std::pair<members, members>> pairs{
      {{0, 1}, {1, 2}}, {range(0, 4), range(1, 5)}, {range(0, 10), range(8, 18)}, {range(0, 200), range(30, 230)}};
  for (const auto& [a, b] : pairs) {
    const auto hasher = hasher_of(1, functions, 9);
    const auto values = project(hasher, sets({a, b}));
    const double common = static_cast<double>(detail::count_common(a, b));
    const double similarity = common / (static_cast<double>(a.size() + b.size()) - common);
    float odds = 0;
    const std::vector<perturbation> change(1);
    const double stay = hasher.probabilities(values[0].data(), 0, 1 - similarity, change, &odds);
    CHECK(stay == Approx(similarity));
    std::size_t second = 0;
    for (std::size_t i = 0; i < functions; ++i) second += values[1][i] == values[0][functions + i];
    check_frequency(second, functions, stay * static_cast<double>(odds));
  }
}

TEST_CASE("probabilities are bounded at every distance", "[lsh][minhash]") {
  const auto hasher = hasher_of(4, 1);
  for (const auto& values : project(hasher, sets({{}, {1}, {1, 2}, range(0, 50)})))
    for (const double distance : {-0.1, 0.0, 0.3, 1.0, 1.1}) {
      const std::vector<perturbation> change(1);
      float odds = -1;
      const double stay = hasher.probabilities(values.data(), 0, distance, change, &odds);
      CHECK((stay >= 0 && stay <= 1));
      CHECK((odds >= 0 && odds <= 1));
      CHECK(stay == hasher.collision_probability(distance));
    }
}

TEST_CASE("a min-wise hasher counts its tables, values and bytes", "[lsh][minhash]") {
  const auto hasher = hasher_of(6, 5);
  CHECK(hasher.n_tables() == 5);
  CHECK(hasher.n_values() == 61);
  CHECK(hasher.memory_bytes() >= 30 * 2 * sizeof(std::uint32_t));
  CHECK_THROWS_WITH(hasher_of(std::numeric_limits<std::size_t>::max(), 2), ContainsSubstring("n_projections"));
}
