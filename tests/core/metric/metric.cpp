#include <Eigen/Core>
#include <annulus/core/metric/prepared_query.hpp>

#include "catch.hpp"
#include "core/rows.hpp"

using namespace annulus;
using Eigen::bfloat16;
using Eigen::half;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// What metrics are made of, in double.
struct plain_sums {
  double squares = 0, product = 0, magnitude = 0, absolute = 0, greatest = 0, a_norm = 0, b_norm = 0;
  plain_sums(const std::vector<double>& a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      squares += (a[i] - b[i]) * (a[i] - b[i]);
      product += a[i] * b[i];
      magnitude += std::abs(a[i] * b[i]);
      absolute += std::abs(a[i] - b[i]);
      greatest = std::max(greatest, std::abs(a[i] - b[i]));
      a_norm += a[i] * a[i];
      b_norm += b[i] * b[i];
    }
  }
  double cosine() const { return 1 - product / std::sqrt(a_norm * b_norm); }
};

/// Within rounding in the precision that rows of T are computed in, of a sum whose terms have this magnitude.
template <class T>
auto about(double value, double magnitude) {
  const double epsilon = std::same_as<T, double> ? 1e-14 : 1e-5;
  return Approx(value).epsilon(epsilon).margin(epsilon * magnitude);
}

/// Calls check(a, b) for random pairs of rows, as pointers and vectors.
template <class T, class Check>
void for_random_pairs(Check check) {
  std::mt19937_64 generator(1);
  for (const std::size_t d : {1u, 7u, 16u, 33u, 100u})
    for (int repetition = 0; repetition < 4; ++repetition)
      check(rows::random_values<T>(d, generator), rows::random_values<T>(d, generator));
}

/// How many pairs of random pairs a metric ranks in another order than its distances are in.
template <class T, class Metric>
std::size_t wrongly_ranked(const Metric& metric) {
  constexpr std::size_t d = 3, n = 60;  // short rows of 8-bit values make ties
  std::mt19937_64 generator(2);
  const auto query = rows::random_values<T>(d, generator), data = rows::random_values<T>(n * d, generator);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const T *a = data.data() + i * d, *b = data.data() + j * d;
      const auto a_rank = rank_of(metric, query.data(), a, d), b_rank = rank_of(metric, query.data(), b, d);
      const double a_distance = metric(query.data(), a, d), b_distance = metric(query.data(), b, d);
      wrong += (a_rank < b_rank && a_distance > b_distance) || (a_rank == b_rank && a_distance != b_distance);
      wrong += distance_of(metric, a_rank) != static_cast<float>(a_distance);
    }
  return wrong;
}

/// How many rows a prepared query ranks in other bits than the metric does, one by one or in a block.
template <class T, class Metric>
std::size_t differently_prepared(const Metric& metric) {
  constexpr std::size_t d = 37, stride = 40, n = 9;
  using rank = rank_t<Metric, T>;
  std::mt19937_64 generator(3);
  const auto query = rows::random_values<T>(d, generator);
  auto data = rows::random_values<T>((n - 1) * stride + d, generator);
  std::fill_n(data.begin() + stride, d, T(0));
  const prepared_query<Metric, T> prepared(metric, query.data(), d);
  std::vector<rank> block(n);
  prepared(data.data(), stride, n, block.data());
  std::size_t different = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const rank expected = rank_of(metric, query.data(), data.data() + i * stride, d);
    const rank one = prepared(data.data() + i * stride);
    different += std::memcmp(&one, &expected, sizeof(rank)) != 0;
    different += std::memcmp(&block[i], &expected, sizeof(rank)) != 0;
  }
  return different;
}

const auto every_second = [](const float* a, const float* b, std::size_t d) {
  float sum = 0;
  for (std::size_t i = 0; i < d; i += 2) sum += std::abs(a[i] - b[i]);
  return sum;
};

}  // namespace

TEMPLATE_TEST_CASE("metrics agree with their plain formulas", "[metric]", float, double, half, bfloat16, std::uint8_t,
                   std::int8_t) {
  for_random_pairs<TestType>([](const auto& x, const auto& y) {
    const plain_sums sums(rows::as_doubles(x), rows::as_doubles(y));
    const TestType *a = x.data(), *b = y.data();
    const std::size_t d = x.size();
    CHECK(sqeuclidean{}(a, b, d) == about<TestType>(sums.squares, 0));
    CHECK(euclidean{}(a, b, d) == about<TestType>(std::sqrt(sums.squares), 0));
    CHECK(inner_product{}(a, b, d) == about<TestType>(-sums.product, sums.magnitude));
    CHECK(manhattan{}(a, b, d) == about<TestType>(sums.absolute, 0));
    CHECK(chebyshev{}(a, b, d) == about<TestType>(sums.greatest, 0));
    if (sums.a_norm > 0 && sums.b_norm > 0) CHECK(cosine{}(a, b, d) == about<TestType>(sums.cosine(), 1));
  });
}

TEST_CASE("bit_hamming counts the bits that differ", "[metric]") {
  const std::uint8_t a[] = {0b00000000, 0b11111111, 0b10101010}, b[] = {0b00000001, 0b00000000, 0b10101010};
  CHECK(bit_hamming{}(a, b, 3) == 9);
  CHECK(bit_hamming{}(a, a, 3) == 0);
}

TEST_CASE("distances of double rows are double, all others float", "[metric]") {
  const auto returns = []<class T, class Metric>(T x, const Metric& metric) { return metric(&x, &x, 1); };
  STATIC_REQUIRE(std::same_as<decltype(returns(1.0, euclidean{})), double>);
  STATIC_REQUIRE(std::same_as<decltype(returns(1.0, cosine{})), double>);
  STATIC_REQUIRE(std::same_as<decltype(returns(1.0f, euclidean{})), float>);
  STATIC_REQUIRE(std::same_as<decltype(returns(half(1), inner_product{})), float>);
  STATIC_REQUIRE(std::same_as<decltype(returns(std::uint8_t{1}, sqeuclidean{})), float>);
  STATIC_REQUIRE(std::same_as<decltype(returns(std::int8_t{1}, cosine{})), float>);
}

TEMPLATE_TEST_CASE("a zero vector is at cosine distance 1 from any other, and 0 from another", "[metric]", float,
                   double, half, std::uint8_t, std::int8_t) {
  const std::vector<TestType> zero(20), other(20, TestType(3));
  CHECK(cosine{}(zero.data(), other.data(), 20) == 1);
  CHECK(cosine{}(other.data(), zero.data(), 20) == 1);
  CHECK(cosine{}(zero.data(), zero.data(), 20) == 0);
  CHECK(cosine{}(zero.data(), other.data(), 0) == 0);
}

TEST_CASE("cosine distances reach from 0 to 2", "[metric]") {
  const float east[] = {2, 0}, north[] = {0, 5}, west[] = {-0.5f, 0};
  CHECK(cosine{}(east, east, 2) == 0);
  CHECK(cosine{}(east, north, 2) == 1);
  CHECK(cosine{}(east, west, 2) == 2);
}

TEMPLATE_TEST_CASE("a NaN among the coordinates makes a sum NaN", "[metric]", float, double, half, bfloat16) {
  for (std::size_t position = 0; position < 40; ++position) {
    std::vector<TestType> a(40, TestType(1)), b(40, TestType(2));
    a[position] = std::numeric_limits<TestType>::quiet_NaN();
    CAPTURE(position);
    CHECK(annulus::detail::is_nan(euclidean{}(a.data(), b.data(), 40)));
    CHECK(annulus::detail::is_nan(inner_product{}(a.data(), b.data(), 40)));
    CHECK(annulus::detail::is_nan(manhattan{}(a.data(), b.data(), 40)));
    CHECK(annulus::detail::is_nan(cosine{}(a.data(), b.data(), 40)));
    CHECK(annulus::detail::is_nan(cosine{}(b.data(), a.data(), 40)));
  }
}

TEMPLATE_TEST_CASE("ranks are in the order of distances, and lead to them", "[metric]", float, double, half,
                   std::uint8_t, std::int8_t) {
  CHECK(wrongly_ranked<TestType>(sqeuclidean{}) == 0);
  CHECK(wrongly_ranked<TestType>(euclidean{}) == 0);
  CHECK(wrongly_ranked<TestType>(inner_product{}) == 0);
  CHECK(wrongly_ranked<TestType>(cosine{}) == 0);
  CHECK(wrongly_ranked<TestType>(manhattan{}) == 0);
  CHECK(wrongly_ranked<TestType>(chebyshev{}) == 0);
}

TEST_CASE("the ranks of bit_hamming are in the order of its distances", "[metric]") {
  CHECK(wrongly_ranked<std::uint8_t>(bit_hamming{}) == 0);
}

TEST_CASE("the rank of a callable is its distance", "[metric]") {
  const float a[] = {1, 2, 3}, b[] = {2, 7, 5};
  STATIC_REQUIRE(std::same_as<rank_t<decltype(every_second), float>, float>);
  CHECK(rank_of(every_second, a, b, 3) == 3);
  CHECK(distance_of(every_second, 3.0f) == 3);
}

TEMPLATE_TEST_CASE("a prepared query gives the bits of the metric", "[metric]", float, double, half, std::uint8_t,
                   std::int8_t) {
  CHECK(differently_prepared<TestType>(sqeuclidean{}) == 0);
  CHECK(differently_prepared<TestType>(euclidean{}) == 0);
  CHECK(differently_prepared<TestType>(inner_product{}) == 0);
  CHECK(differently_prepared<TestType>(cosine{}) == 0);
  CHECK(differently_prepared<TestType>(manhattan{}) == 0);
  CHECK(differently_prepared<TestType>(chebyshev{}) == 0);
}

TEST_CASE("a prepared query gives the bits of bit_hamming and of a callable", "[metric]") {
  CHECK(differently_prepared<std::uint8_t>(bit_hamming{}) == 0);
  CHECK(differently_prepared<float>(every_second) == 0);
}

TEMPLATE_TEST_CASE("distances of long 8-bit rows are rounded once, from a rank as of the rows", "[metric]",
                   std::uint8_t, std::int8_t) {
  constexpr std::size_t d = 5000;  // sums have more bits than a float
  std::mt19937_64 generator(4);
  std::size_t wrong = 0;
  for (int repetition = 0; repetition < 200; ++repetition) {
    const auto a = rows::random_values<TestType>(d, generator), b = rows::random_values<TestType>(d, generator);
    const plain_sums sums(rows::as_doubles(a), rows::as_doubles(b));
    const float of_rows = euclidean{}(a.data(), b.data(), d);
    wrong += of_rows != static_cast<float>(std::sqrt(sums.squares));
    wrong += of_rows != distance_of(euclidean{}, rank_of(euclidean{}, a.data(), b.data(), d));
  }
  CHECK(wrong == 0);
}

TEST_CASE("ranks of 8-bit rows are exact for 65,536 coordinates at their extremes", "[metric]") {
  constexpr std::int64_t d = 65536;
  const std::vector<std::uint8_t> most(d, 255), none(d, 0);
  const std::vector<std::int8_t> least(d, -128), greatest(d, 127);
  CHECK(inner_product::rank(most.data(), most.data(), d) == -d * 255 * 255);
  CHECK(inner_product::rank(least.data(), least.data(), d) == -d * 128 * 128);
  CHECK(inner_product::rank(least.data(), greatest.data(), d) == d * 128 * 127);
  CHECK(sqeuclidean::rank(most.data(), none.data(), d) == d * 255 * 255);
  CHECK(sqeuclidean::rank(least.data(), greatest.data(), d) == d * 255 * 255);
}

TEST_CASE("distances of 8-bit rows are right for 65,536 coordinates at their extremes", "[metric]") {
  constexpr std::size_t d = 65536;
  const std::vector<std::uint8_t> most(d, 255), none(d, 0);
  CHECK(inner_product{}(most.data(), most.data(), d) == -65536.0f * 255 * 255);
  CHECK(euclidean{}(most.data(), none.data(), d) == 256.0f * 255);
  CHECK(cosine{}(most.data(), most.data(), d) == 0);
  CHECK(cosine{}(most.data(), none.data(), d) == 1);
}

TEST_CASE("a distance of infinity stays one", "[metric]") {
  CHECK(detail::bits_of(distance_of(euclidean{}, infinity)) == detail::bits_of(infinity));
  CHECK(detail::bits_of(distance_of(sqeuclidean{}, infinity)) == detail::bits_of(infinity));
}

TEST_CASE("metrics have the names that files hold", "[metric]") {
  CHECK(sqeuclidean::name == "sqeuclidean");
  CHECK(euclidean::name == "euclidean");
  CHECK(inner_product::name == "inner_product");
  CHECK(cosine::name == "cosine");
  CHECK(manhattan::name == "manhattan");
  CHECK(chebyshev::name == "chebyshev");
  CHECK(bit_hamming::name == "bit_hamming");
}

TEST_CASE("the metrics of directions are angular", "[metric]") {
  STATIC_REQUIRE(cosine::is_angular);
  STATIC_REQUIRE(inner_product::is_angular);
  STATIC_REQUIRE(!euclidean::is_angular);
  STATIC_REQUIRE(!sqeuclidean::is_angular);
  STATIC_REQUIRE(!manhattan::is_angular);
  STATIC_REQUIRE(!chebyshev::is_angular);
  STATIC_REQUIRE(!bit_hamming::is_angular);
}
