#include <annulus/lsh/families/simple_mips.hpp>

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

/// The norm of the longest row.
template <class T>
double longest(const matrix<T>& rows) {
  double square = 0;
  for (std::size_t i = 0; i < rows.rows(); ++i) square = std::max(square, product(rows.row(i), rows.row(i)));
  return std::sqrt(square);
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
    const simple_mips family{.max_norm = longest(rows)};
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
  const auto counts = collisions(simple_mips{.max_norm = 2.5}, rows, query, 4000);
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

TEST_CASE("rows as long as max_norm, but for rounding, are hashed as queries are", "[lsh][simple_mips]") {
  auto rows = random_rows<float>(20, 6, 8);
  for (std::size_t i = 0; i < 20; ++i) {
    const double to = (1 + 0.005 * static_cast<double>(i % 2)) / std::sqrt(product<float>(rows.row(i), rows.row(i)));
    for (float& x : rows.row(i)) x = static_cast<float>(static_cast<double>(x) * to);
  }
  const auto hasher = hasher_of<float>({.max_norm = 0.9999}, 6, 8, 5);
  std::vector<std::uint64_t> of_rows(100), of_query(5);
  hasher.hash(rows, 0, 20, 0, 5, of_rows.data());
  std::vector<float> values(hasher.n_values());
  for (std::size_t i = 0; i < 20; ++i) {
    hasher.project(rows, i, 1, values.data());
    hasher.keys(values.data(), of_query.data());
    for (std::size_t t = 0; t < 5; ++t) CHECK(of_rows[t * 20 + i] == of_query[t]);
  }
}

TEST_CASE("rows longer than max_norm, also where norms overflow, share a key, and short ones another",
          "[lsh][simple_mips]") {
  const auto hasher = hasher_of<float>({.max_norm = 1}, 3, 16, 4);
  matrix<float> rows(8, 3);
  const auto set = [&](std::size_t i, float x, float y, float z) { rows(i, 0) = x, rows(i, 1) = y, rows(i, 2) = z; };
  set(0, 0x1p100f, -0x1p101f, 0x1p99f);
  set(1, 1.02f, 0, 0);
  set(2, -3, 1, 5);
  set(4, 0, -9e-4f, 0);
  set(5, -0.0f, 1e-40f, 0);
  set(6, 1, 0, 0);
  set(7, 0, 2e-3f, 0);
  std::vector<std::uint64_t> keys(4 * 8);
  hasher.hash(rows, 0, 8, 0, 4, keys.data());
  for (std::size_t t = 0; t < 4; ++t) {
    const auto of_table = std::span(keys).subspan(t * 8, 8);
    for (const std::size_t i : {0u, 1u, 2u}) CHECK(of_table[i] == hasher.shared_key());
    for (const std::size_t i : {3u, 4u, 5u}) CHECK(of_table[i] == hasher.zero_key());
    for (const std::size_t i : {6u, 7u})
      CHECK((of_table[i] != hasher.shared_key() && of_table[i] != hasher.zero_key()));
  }
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
  // A short row has little but the last coordinate: its sign is the same for every max_norm, and both signs occur.
  std::vector<std::uint64_t> one(200), other(200);
  matrix<float> row(1, 4);
  row(0, 2) = 0x1p-9f;
  hasher_of<float>({.max_norm = 1}, 4, 1, 200).hash(row, 0, 1, 0, 200, one.data());
  row(0, 2) = 0x1p-3f;
  hasher_of<float>({.max_norm = 64}, 4, 1, 200).hash(row, 0, 1, 0, 200, other.data());
  CHECK(one == other);
  const auto set = std::count(one.begin(), one.end(), std::uint64_t{1});
  CHECK((set > 60 && set < 140));
}

TEST_CASE("max_norm is that of the longest row but for a 64th of the rows, of zeros none", "[lsh][simple_mips]") {
  // Row i is i long, for i < n.
  const auto fitted = [](std::size_t n) {
    matrix<double> rows(n, 3);
    for (std::size_t i = 0; i < n; ++i) rows(i, i % 3) = static_cast<double>(i) * (i % 2 == 0 ? 1 : -1);
    return simple_mips{}.fitted(matrix_view<double>(rows)).max_norm;
  };
  CHECK(fitted(2) == 1);
  CHECK(fitted(3) == 1);
  CHECK(fitted(51) == 49);
  CHECK(fitted(641) == 630);
  CHECK(fitted(80001) == 80000 - 4 * 282);
}

TEST_CASE("any scale of the rows gives the same max_norm in their unit", "[lsh][simple_mips]") {
  const auto rows = random_rows<float>(300, 5, 9);
  const double norm = simple_mips{}.fitted(matrix_view<float>(rows)).max_norm;
  for (const double scale : {0x1p-20, 0x1p20})
    CHECK(simple_mips{}.fitted(matrix_view<float>(scaled(rows, scale))).max_norm == norm * scale);
}

TEST_CASE("a max_norm that is given is kept", "[lsh][simple_mips]") {
  const auto rows = random_rows<float>(50, 3, 10);
  CHECK(simple_mips{.max_norm = 0.25}.fitted(matrix_view<float>(rows)).max_norm == 0.25);
  CHECK(simple_mips{.max_norm = 0.25}.fitted(matrix_view<float>()).max_norm == 0.25);
}

TEST_CASE("max_norm is the same for every number of threads", "[lsh][simple_mips]") {
  const auto rows = random_rows<float>(20000, 3, 11);
  const double norm = simple_mips{}.fitted(matrix_view<float>(rows), {.threads = 1}).max_norm;
  for (const std::size_t threads : {2u, 3u, 8u})
    CHECK(simple_mips{}.fitted(matrix_view<float>(rows), {.threads = threads}).max_norm == norm);
}

TEST_CASE("rows of zeros alone have a max_norm of 1", "[lsh][simple_mips]") {
  CHECK(simple_mips{}.fitted(matrix_view<float>(matrix<float>(5, 3))).max_norm == 1);
}

TEST_CASE("without rows max_norm is still to be taken from some", "[lsh][simple_mips]") {
  CHECK(simple_mips{}.needs_rows());
  CHECK(simple_mips{}.fitted(matrix_view<float>()).needs_rows());
  CHECK_FALSE(simple_mips{.max_norm = 2}.needs_rows());
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

TEST_CASE("rows that are not finite are refused by their number", "[lsh][simple_mips]") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    auto rows = random_rows<float>(5, 3, 13);
    rows(3, 1) = bad;
    CHECK_THROWS_WITH(simple_mips{}.fitted(matrix_view<float>(rows)), ContainsSubstring("row 3"));
  }
}

TEST_CASE("more than 64 hyperplanes a table are refused with a max_norm too", "[lsh][simple_mips]") {
  CHECK_NOTHROW(hasher_of<float>({.max_norm = 1}, 3, 64, 1));
  CHECK_THROWS_WITH(hasher_of<float>({.max_norm = 1}, 3, 65, 1), ContainsSubstring("n_projections = 65"));
}
