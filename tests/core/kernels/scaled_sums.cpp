#include <Eigen/Core>
#include <annulus/core/metric/prepared_query.hpp>

#include "catch.hpp"
#include "core/rows.hpp"
#include "core/sparse_rows.hpp"

#include "precise.hpp"

// Rows of every size there is. What is asked of sizes is asked of rows times a power of two, which is exact.

using namespace annulus;
using Eigen::bfloat16;

namespace {

template <class T>
std::vector<T> scaled(std::vector<T> row, int exponent) {
  for (T& x : row) x = static_cast<T>(std::ldexp(static_cast<detail::lane_t<T>>(x), exponent));
  return row;
}

/// Random rows in which no coordinate is so small that it becomes subnormal before the others.
template <class T>
std::vector<T> random_row(std::size_t d, std::mt19937_64& generator) {
  auto row = rows::random_values<T>(d, generator);
  for (T& x : row) x = static_cast<T>(static_cast<double>(x) + (static_cast<double>(x) < 0 ? -0.5 : 0.5));
  return row;
}

/// Exponents from one end of the normal numbers of T to the other, as many even as odd.
template <class T>
std::vector<int> exponents() {
  using limits = std::numeric_limits<detail::lane_t<T>>;
  std::vector<int> all;
  for (int e = limits::min_exponent; e <= limits::max_exponent - 10; e += limits::max_exponent / 16 + 1)
    all.push_back(e);
  return all;
}

/// The exponents by which rows may be scaled for their distance not to be scaled by 2^(degree * exponent).
template <class T, class Metric>
std::vector<int> wrongly_scaled(const Metric& metric, int degree, int least = std::numeric_limits<int>::min()) {
  std::mt19937_64 generator(1);
  std::vector<int> wrong;
  for (const std::size_t d : {1u, 7u, 33u, 100u}) {
    const auto a = random_row<T>(d, generator), b = random_row<T>(d, generator);
    const auto distance = metric(a.data(), b.data(), d);
    for (const int e : exponents<T>()) {
      if (e < least) continue;
      const auto x = scaled(a, e), y = scaled(b, e);
      if (metric(x.data(), y.data(), d) != std::ldexp(distance, degree * e)) wrong.push_back(e);
    }
  }
  return wrong;
}

const std::vector<int> none;

}  // namespace

TEMPLATE_TEST_CASE("a row times a power of two has that power times its norm", "[range]", float, double, bfloat16) {
  std::mt19937_64 generator(2);
  const auto row = random_row<TestType>(40, generator);
  const double norm = detail::norm_of(detail::as_row(row.data(), 40));
  for (const int e : exponents<TestType>()) {
    const auto x = scaled(row, e);
    CAPTURE(e);
    CHECK(detail::norm_of(detail::as_row(x.data(), 40)) == std::ldexp(norm, e));
  }
}

TEST_CASE("the norm of a row of zeros is 0, and that of one which is not finite is not", "[range]") {
  std::vector<float> row(30, 0.0f);
  CHECK(detail::norm_of(detail::as_row(row.data(), 30)) == 0);
  CHECK(detail::norm_of(detail::as_row(row.data(), 0)) == 0);
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    row[17] = bad;
    CHECK_FALSE(annulus::detail::is_finite(detail::norm_of(detail::as_row(row.data(), 30))));
  }
}

TEST_CASE("the norms of the smallest and the largest rows are right", "[range]") {
  using limits = std::numeric_limits<float>;
  const std::vector<float> least(16, limits::denorm_min()), greatest(16, limits::max());
  if (!denormals_are_zero())
    CHECK(detail::norm_of(detail::as_row(least.data(), 16)) == 4 * static_cast<double>(limits::denorm_min()));
  CHECK(detail::norm_of(detail::as_row(greatest.data(), 16)) == Approx(4 * static_cast<double>(limits::max())));
}

TEMPLATE_TEST_CASE("a kernel over rows times factors returns the bits of the kernel over scaled copies", "[range]",
                   float, double, bfloat16) {
  std::mt19937_64 generator(3);
  std::size_t different = 0;
  for (std::size_t d = 0; d <= 130; ++d) {
    const auto a = random_row<TestType>(d, generator), b = random_row<TestType>(d, generator);
    const auto x = scaled(a, 5), y = scaled(b, -3);
    const auto as_copies = one_to_one<kernels::squared_l2>(x.data(), y.data(), d);
    const auto by_factors =
        detail::scaled_sum_of<kernels::squared_l2>(detail::as_row(a.data(), d), -5, detail::as_row(b.data(), d), 3);
    different += std::memcmp(&as_copies, &by_factors, sizeof as_copies) != 0;
  }
  CHECK(different == 0);
}

TEMPLATE_TEST_CASE("a sparse kernel over rows times factors returns the bits of the kernel over scaled copies",
                   "[range]", float, double) {
  std::size_t different = 0;
  for (std::size_t stored = 0; stored <= 60; stored += 3) {
    const auto a = sparse_rows::random_row<TestType>(stored, 100, stored),
               b = sparse_rows::random_row<TestType>(30, 100, 1);
    auto x = a, y = b;
    x.values = scaled(a.values, 5);
    y.values = scaled(b.values, -3);
    const auto as_copies = one_to_one<kernels::squared_l2>(x.row(), y.row());
    const auto by_factors = detail::scaled_sum_of<kernels::squared_l2>(a.row(), -5, b.row(), 3);
    different += std::memcmp(&as_copies, &by_factors, sizeof as_copies) != 0;
  }
  CHECK(different == 0);
}

TEMPLATE_TEST_CASE("distances grow with the rows at every size, bit for bit", "[range]", float, double, bfloat16) {
  CHECK(wrongly_scaled<TestType>(euclidean{}, 1) == none);
  // Differences of the smallest rows are smaller than any normal number.
  constexpr int least = std::numeric_limits<detail::lane_t<TestType>>::min_exponent + 8;
  CHECK(wrongly_scaled<TestType>(manhattan{}, 1, denormals_are_zero() ? least : least - 8) == none);
  CHECK(wrongly_scaled<TestType>(chebyshev{}, 1) == none);
  CHECK(wrongly_scaled<TestType>(cosine{}, 0) == none);
}

TEMPLATE_TEST_CASE("cosine takes two rows of any two sizes", "[range]", float, double, bfloat16) {
  std::mt19937_64 generator(4);
  const std::size_t d = 33;
  const auto a = random_row<TestType>(d, generator), b = random_row<TestType>(d, generator);
  const auto expected = cosine{}(a.data(), b.data(), d);
  std::size_t wrong = 0;
  for (const int e : exponents<TestType>())
    for (const int f : exponents<TestType>()) {
      const auto x = scaled(a, e), y = scaled(b, f);
      const prepared_query<cosine, TestType> prepared(cosine{}, x.data(), d);
      wrong += cosine{}(x.data(), y.data(), d) != expected || prepared(y.data()) != expected;
    }
  CHECK(wrong == 0);
}

TEST_CASE("a row too small to square is at cosine distance 0 from itself and 1 from a zero row", "[range]") {
  for (const float size : {1e-45f, 1e-38f, 1e-30f, 1e-20f, 1e20f, 1e30f, 1e38f}) {
    if (size < std::numeric_limits<float>::min() && denormals_are_zero()) continue;
    const std::vector<float> row(20, size), zero(20), other(20, 3.0f);
    CAPTURE(size);
    CHECK(cosine{}(row.data(), row.data(), 20) == 0);
    CHECK(cosine{}(row.data(), other.data(), 20) == Approx(0).margin(1e-6));
    CHECK(cosine{}(row.data(), zero.data(), 20) == 1);
    CHECK(cosine{}(zero.data(), row.data(), 20) == 1);
  }
}

TEST_CASE("rows of ordinary size that differ by little are that far apart", "[range]") {
  std::vector<float> a(20), b(20);
  for (const float difference : {1e-19f, 1e-25f, 1e-30f}) {
    a[3] = b[3] = 1;
    a[9] = difference;
    b[9] = 3 * difference;
    CAPTURE(difference);
    CHECK(euclidean{}(a.data(), b.data(), 20) == Approx(2 * difference));
  }
}

TEST_CASE("an inner product whose parts overflow is right where it is a float itself", "[range]") {
  const float a[] = {1e30f, 1e30f, 2}, b[] = {1e30f, -1e30f, 3};
  const float far[] = {1e30f, 1e30f};
  CHECK(inner_product{}(a, b, 2) == 0);
  CHECK(detail::bits_of(inner_product{}(far, far, 2)) == detail::bits_of(-std::numeric_limits<float>::infinity()));
}

TEST_CASE("a NaN stays one at every size", "[range]") {
  for (const float size : {1e-30f, 1.0f, 1e30f}) {
    std::vector<float> a(20, size), b(20, 2 * size);
    a[11] = std::nanf("");
    CHECK(annulus::detail::is_nan(euclidean{}(a.data(), b.data(), 20)));
    CHECK(annulus::detail::is_nan(inner_product{}(a.data(), b.data(), 20)));
    CHECK(annulus::detail::is_nan(cosine{}(a.data(), b.data(), 20)));
    CHECK(annulus::detail::is_nan(cosine{}(b.data(), a.data(), 20)));
  }
}

TEST_CASE("sparse distances grow with the rows at every size, bit for bit", "[range]") {
  const auto a = sparse_rows::random_row<float>(20, 60, 1), b = sparse_rows::random_row<float>(35, 60, 2);
  std::size_t wrong = 0;
  for (int e = -120; e <= 110; e += 5) {
    auto x = a, y = b;
    x.values = scaled(a.values, e);
    y.values = scaled(b.values, e);
    wrong += euclidean{}(x.row(), y.row()) != std::ldexp(euclidean{}(a.row(), b.row()), e);
    wrong += cosine{}(x.row(), y.row()) != cosine{}(a.row(), b.row());
    wrong += cosine{}(x.row(), b.row()) != cosine{}(a.row(), b.row());
  }
  CHECK(wrong == 0);
}
