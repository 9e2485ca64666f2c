#include <annulus/lsh/simple_mips.hpp>

#include "catch.hpp"

using namespace annulus;

namespace {

template <class T>
matrix<T> random_rows(std::size_t n, std::size_t dim, std::uint64_t seed) {
  const counter_random random(seed);
  matrix<T> rows(n, dim);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < dim; ++j)
      rows(i, j) = static_cast<T>((0.2 + random.uniform(90000 + i)) * random.normal(i * dim + j));
  return rows;
}

template <class T>
auto hasher_of(const simple_mips& family, std::size_t dim, std::size_t k, std::size_t l, std::uint64_t seed = 1) {
  return family.make_hasher<matrix_view<T>>(dim, k, l, seed);
}

template <class T>
double product(std::span<const T> a, std::span<const T> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

template <class T>
matrix<T> scaled(matrix<T> rows, double scale) {
  for (std::size_t i = 0; i < rows.rows() * rows.cols(); ++i)
    rows.data()[i] = static_cast<T>(static_cast<double>(rows.data()[i]) * scale);
  return rows;
}

/// In how many of `tables` tables of one bit each row shares the query's bucket.
template <class T>
std::vector<std::size_t> collisions(const simple_mips& family, const matrix<T>& rows, const matrix<T>& query,
                                    std::size_t tables) {
  const auto hasher = hasher_of<T>(family, rows.cols(), 1, tables);
  std::vector<T> values(hasher.n_values());
  hasher.project(query, 0, 1, values.data());
  std::vector<std::uint64_t> of_query(tables), of_rows(tables * rows.rows());
  hasher.keys(values.data(), of_query.data());
  hasher.hash(rows, 0, rows.rows(), 0, tables, of_rows.data());
  std::vector<std::size_t> counts(rows.rows());
  for (std::size_t t = 0; t < tables; ++t)
    for (std::size_t i = 0; i < rows.rows(); ++i) counts[i] += of_rows[t * rows.rows() + i] == of_query[t];
  return counts;
}

void check_bits(std::size_t count, std::size_t tables, double p) {
  const double n = static_cast<double>(tables);
  CHECK(std::abs(static_cast<double>(count) - n * p) < 4 * std::sqrt(n * p * (1 - p)) + 1);
}

}  // namespace

TEST_CASE("rows of any norm share a query's bit by the angle of their inner product", "[lsh][simple_mips]") {
  const auto check = [](auto number) {
    using T = decltype(number);
    const auto rows = random_rows<T>(30, 4, 2);
    const auto family = simple_mips{}.fitted(matrix_view<T>(rows));
    const auto query = random_rows<T>(1, 4, 3);
    const double length = std::sqrt(product(query.row(0), query.row(0)));
    const std::size_t tables = 6000;
    const auto counts = collisions(family, rows, query, tables);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      const double cosine = product(query.row(0), rows.row(i)) / (length * family.max_norm);
      check_bits(counts[i], tables, 1 - std::acos(cosine) / std::numbers::pi);
      CHECK(family.collision_probability(-cosine * family.max_norm) ==
            Approx(1 - std::acos(cosine) / std::numbers::pi));
    }
  };
  check(0.0f);
  check(0.0);
}

TEST_CASE("a large inner product is preferred to a small angle", "[lsh][simple_mips]") {
  matrix<float> rows(3, 4), query(1, 4);
  query(0, 0) = 7;
  rows(0, 0) = 0.3f;                   // the query's direction, product 0.3
  rows(1, 0) = 1.5f, rows(1, 1) = 2;   // product 1.5
  rows(2, 0) = -1, rows(2, 2) = 0.1f;  // product -1
  const auto counts = collisions(simple_mips{}.fitted(matrix_view<float>(rows)), rows, query, 4000);
  CHECK(counts[1] > counts[0] + 400);
  CHECK(counts[0] > counts[2] + 400);
}

TEST_CASE("a query's length does not change its values but the last", "[lsh][simple_mips]") {
  const auto hasher = hasher_of<double>({.max_norm = 3}, 6, 5, 2);
  const auto query = random_rows<double>(1, 6, 4);
  std::vector<double> a(11), b(11);
  hasher.project(query, 0, 1, a.data());
  hasher.project(scaled(query, 5), 0, 1, b.data());
  for (std::size_t i = 0; i < 10; ++i) CHECK(a[i] == Approx(b[i]));
  CHECK(a[10] == Approx(3 * std::sqrt(product(query.row(0), query.row(0)))));
  CHECK(b[10] == Approx(5 * a[10]));
}

TEST_CASE("probabilities are of the query's own length", "[lsh][simple_mips]") {
  const auto hasher = hasher_of<double>({.max_norm = 3}, 6, 5, 2);
  const auto query = random_rows<double>(1, 6, 5);
  std::vector<double> a(11), b(11);
  hasher.project(query, 0, 1, a.data());
  hasher.project(scaled(query, 8), 0, 1, b.data());
  std::vector<perturbation> changes;
  hasher.perturb(a.data(), 1, changes);
  std::vector<float> odds(5), more(5);
  const double stay = hasher.probabilities(a.data(), 1, -0.4, changes, odds.data());
  CHECK(hasher.probabilities(b.data(), 1, -3.2, changes, more.data()) == Approx(stay));
  for (std::size_t i = 0; i < 5; ++i) CHECK(odds[i] == Approx(more[i]));
  CHECK(hasher.probabilities(b.data(), 1, -0.4, changes, more.data()) != Approx(stay));
}

TEST_CASE("of a query of any length a row stays as often as probabilities says", "[lsh][simple_mips]") {
  const auto rows = random_rows<float>(2, 4, 6);
  const auto query = scaled(random_rows<float>(1, 4, 7), 20);
  const double distance = -product(query.row(0), rows.row(1));
  const simple_mips family{.max_norm = 1.2 * std::sqrt(product(rows.row(1), rows.row(1)))};
  double expected = 0, variance = 0, happened = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto hasher = hasher_of<float>(family, 4, 2, 200, seed);
    std::vector<float> values(hasher.n_values());
    hasher.project(query, 0, 1, values.data());
    std::vector<std::uint64_t> of_query(200), of_row(200);
    hasher.keys(values.data(), of_query.data());
    hasher.hash(rows, 1, 1, 0, 200, of_row.data());
    for (std::size_t t = 0; t < 200; ++t) {
      const double stay = hasher.probabilities(values.data(), t, distance, {}, nullptr);
      expected += stay;
      variance += stay * (1 - stay);
      happened += of_query[t] == of_row[t];
    }
  }
  CHECK(std::abs(happened - expected) < 4 * std::sqrt(variance));
  CHECK(variance > 100);
}

TEST_CASE("a query of zeros is at a right angle to all", "[lsh][simple_mips]") {
  const auto hasher = hasher_of<float>({.max_norm = 2}, 4, 3, 1);
  std::vector<float> values(4, 9.0f);
  hasher.project(matrix<float>(1, 4), 0, 1, values.data());
  CHECK(values == std::vector<float>(4));
  CHECK(hasher.probabilities(values.data(), 0, 0, {}, nullptr) == Approx(0.125));
}

TEST_CASE("rows longer than max_norm are hashed by their direction", "[lsh][simple_mips]") {
  const auto rows = random_rows<float>(20, 6, 8);
  const auto hasher = hasher_of<float>({.max_norm = 1e-2}, 6, 8, 5);
  std::vector<std::uint64_t> some(100), longer(100);
  hasher.hash(rows, 0, 20, 0, 5, some.data());
  hasher.hash(scaled(rows, 4), 0, 20, 0, 5, longer.data());
  CHECK(some == longer);
  std::vector<float> values(hasher.n_values());
  std::vector<std::uint64_t> as_query(5);
  hasher.project(rows, 7, 1, values.data());
  hasher.keys(values.data(), as_query.data());
  for (std::size_t t = 0; t < 5; ++t) CHECK(some[t * 20 + 7] == as_query[t]);
}

TEST_CASE("keys of rows brought to one length do not depend on the rows and tables asked for", "[lsh][simple_mips]") {
  const auto rows = random_rows<float>(20, 6, 14);
  const auto hasher = hasher_of<float>({.max_norm = 5}, 6, 8, 5);
  std::vector<std::uint64_t> all(100), some(21);
  hasher.hash(rows, 0, 20, 0, 5, all.data());
  hasher.hash(rows, 9, 7, 2, 3, some.data());
  for (std::size_t t = 0; t < 3; ++t)
    for (std::size_t j = 0; j < 7; ++j) CHECK(some[t * 7 + j] == all[(t + 2) * 20 + j + 9]);
}

TEST_CASE("rows are hashed with what they lack of max_norm", "[lsh][simple_mips]") {
  // A row of zeros has the last coordinate alone: its sign is the same for every max_norm, and both signs occur.
  std::vector<std::uint64_t> one(200), other(200);
  hasher_of<float>({.max_norm = 1}, 4, 1, 200).hash(matrix<float>(1, 4), 0, 1, 0, 200, one.data());
  hasher_of<float>({.max_norm = 50}, 4, 1, 200).hash(matrix<float>(1, 4), 0, 1, 0, 200, other.data());
  CHECK(one == other);
  const auto set = std::count(one.begin(), one.end(), std::uint64_t{1});
  CHECK((set > 60 && set < 140));
}

TEST_CASE("rows whose norms overflow are hashed by their direction", "[lsh][simple_mips]") {
  const auto hasher = hasher_of<float>({.max_norm = 1}, 3, 16, 4);
  const std::vector<float> huge{0x1p100f, -0x1p101f, 0x1p99f}, usual{2, -4, 1};
  std::vector<std::uint64_t> a(4), b(4);
  hasher.hash(huge, 0, 1, 0, 4, a.data());
  hasher.hash(usual, 0, 1, 0, 4, b.data());
  CHECK(a == b);
}

TEST_CASE("max_norm is that of the longest row", "[lsh][simple_mips]") {
  auto rows = random_rows<double>(50, 3, 9);
  for (std::size_t j = 0; j < 3; ++j) rows(17, j) = 10.0 * (j == 0 ? 2 : j == 1 ? -1 : 2);
  CHECK(simple_mips{}.fitted(matrix_view<double>(rows)).max_norm == Approx(30));
}

TEST_CASE("a max_norm that is given is kept", "[lsh][simple_mips]") {
  const auto rows = random_rows<float>(50, 3, 10);
  CHECK(simple_mips{.max_norm = 0.25}.fitted(matrix_view<float>(rows)).max_norm == 0.25);
  CHECK(simple_mips{.max_norm = 0.25}.fitted(matrix_view<float>()).max_norm == 0.25);
}

TEST_CASE("max_norm is the same for every number of threads", "[lsh][simple_mips]") {
  const auto rows = random_rows<float>(20000, 3, 11);
  const double norm = simple_mips{}.fitted(matrix_view<float>(rows), 1).max_norm;
  for (const std::size_t threads : {2u, 3u, 8u})
    CHECK(simple_mips{}.fitted(matrix_view<float>(rows), threads).max_norm == norm);
}

TEST_CASE("rows of zeros alone have a max_norm of 1", "[lsh][simple_mips]") {
  CHECK(simple_mips{}.fitted(matrix_view<float>(matrix<float>(5, 3))).max_norm == 1);
}

TEST_CASE("no rows to take max_norm from are refused", "[lsh][simple_mips]") {
  CHECK_THROWS_WITH(simple_mips{}.fitted(matrix_view<float>()), ContainsSubstring("max_norm"));
}

TEST_CASE("a max_norm that is no length is refused", "[lsh][simple_mips]") {
  const auto rows = random_rows<float>(5, 3, 12);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double norm : {-1.0, infinity, -infinity, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_WITH(simple_mips{.max_norm = norm}.fitted(matrix_view<float>(rows)), ContainsSubstring("max_norm"));
    CHECK_THROWS_WITH(hasher_of<float>({.max_norm = norm}, 3, 2, 2), ContainsSubstring("max_norm"));
  }
  CHECK_THROWS_WITH(hasher_of<float>({}, 3, 2, 2), ContainsSubstring("max_norm = 0"));
  CHECK_THROWS_WITH(hasher_of<float>({.max_norm = 1e39}, 3, 2, 2), ContainsSubstring("max_norm"));
  CHECK_NOTHROW(hasher_of<double>({.max_norm = 1e39}, 3, 2, 2));
}

TEST_CASE("rows without a norm are refused by their number", "[lsh][simple_mips]") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30f}) {
    auto rows = random_rows<float>(5, 3, 13);
    rows(3, 1) = bad;
    CHECK_THROWS_WITH(simple_mips{}.fitted(matrix_view<float>(rows)), ContainsSubstring("row 3"));
  }
}

TEST_CASE("more than 64 hyperplanes a table are refused with a max_norm too", "[lsh][simple_mips]") {
  CHECK_NOTHROW(hasher_of<float>({.max_norm = 1}, 3, 64, 1));
  CHECK_THROWS_WITH(hasher_of<float>({.max_norm = 1}, 3, 65, 1), ContainsSubstring("n_projections = 65"));
}
