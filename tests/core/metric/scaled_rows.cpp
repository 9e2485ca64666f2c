#include <Eigen/Core>
#include <annulus/core/metric/scaled_rows.hpp>

#include "catch.hpp"
#include "core/rows.hpp"
#include "core/sparse_rows.hpp"
#include "message_of.hpp"

using namespace annulus;
using detail::check_reach;
using detail::is_too_long;
using detail::scale_exponent;

namespace {

constexpr degrees of_squares{.distance = 1, .rank = 2}, of_fourth_powers{.distance = 1, .rank = 4};

/// Whether rows of a norm have ranks that keep their digits once they are divided by 2^exponent.
template <class T>
bool is_ordinary_after(const degrees& degree, double norm, int exponent) {
  const double scaled = std::ldexp(norm, -exponent);
  return scale_exponent<T>(degree, scaled) == 0 && !is_too_long<T>(degree, scaled);
}

}  // namespace

TEST_CASE("rows of ordinary size are not scaled", "[scaled_rows]") {
  for (const double norm : {0.0, 1e-10, 1.0, 1e6, 1e15}) {
    CHECK(scale_exponent<float>(of_squares, norm) == 0);
    CHECK(scale_exponent<double>(of_squares, norm) == 0);
  }
  for (const double norm : {1e-4, 1.0, 1e8}) CHECK(scale_exponent<float>(of_fourth_powers, norm) == 0);
  CHECK(scale_exponent<double>(of_squares, 1e-100) == 0);
  CHECK(scale_exponent<double>(of_squares, 1e100) == 0);
}

TEST_CASE("rows of bytes are never scaled", "[scaled_rows]") {
  CHECK(scale_exponent<std::uint8_t>(of_squares, 1e30) == 0);
  CHECK_FALSE(is_too_long<std::int8_t>(of_squares, 1e30));
}

TEMPLATE_TEST_CASE("rows of any other size are of ordinary size once scaled", "[scaled_rows]", float, double,
                   Eigen::bfloat16) {
  using limits = std::numeric_limits<detail::lane_t<TestType>>;
  for (const degrees& degree : {of_squares, of_fourth_powers, degrees{1, 1.5}, degrees{1, 2.5}, degrees{0, 0}})
    for (int e = limits::min_exponent - limits::digits; e < limits::max_exponent; ++e) {
      const double norm = std::ldexp(1.5, e);
      CAPTURE(degree.rank, e);
      REQUIRE(is_ordinary_after<TestType>(degree, norm, scale_exponent<TestType>(degree, norm)));
    }
}

TEST_CASE("larger rows are scaled down by no less", "[scaled_rows]") {
  for (const degrees& degree : {of_squares, of_fourth_powers}) {
    std::vector<int> exponents;
    for (int e = -149; e < 128; ++e) exponents.push_back(scale_exponent<float>(degree, std::ldexp(1.0, e)));
    CHECK(std::ranges::is_sorted(exponents));
    CHECK(exponents.front() < 0);
    CHECK(exponents.back() > 0);
  }
}

TEMPLATE_TEST_CASE("scaled rows are the rows times a power of two", "[scaled_rows]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  std::mt19937_64 generator(1);
  matrix<TestType> rows(5, 7);
  std::ranges::copy(::rows::random_values<TestType>(35, generator), rows.data());
  const auto copy = detail::scaled_copy(
      matrix_view<TestType>(rows), [](std::size_t i) { return static_cast<int>(i) - 2; }, 2);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t j = 0; j < 7; ++j)
      wrong += static_cast<double>(copy(i, j)) != std::ldexp(static_cast<double>(rows(i, j)), 2 - static_cast<int>(i));
  CHECK(wrong == 0);
}

TEST_CASE("scaled sparse rows have the coordinates of the rows, times a power of two", "[scaled_rows]") {
  const auto rows = sparse_rows::random_rows<float>(20, 30, 50, 1);
  const detail::scaled_rows<csr_view<float>> scaled(rows, -100, 1);
  REQUIRE(scaled.view().size() == 20);
  for (std::size_t i = 0; i < 20; ++i) {
    const auto row = rows.row(i), copy = scaled.view().row(i);
    CHECK(std::ranges::equal(copy.indices, row.indices));
    CHECK(std::ranges::equal(copy.values, row.values, {}, {}, [](float x) { return std::ldexp(x, 100); }));
  }
}

TEST_CASE("rows scaled by 1 are the rows themselves", "[scaled_rows]") {
  const matrix<float> rows(5, 7, 3.0f);
  const detail::scaled_rows<matrix_view<float>> scaled(rows, 0, 1);
  CHECK(scaled.view().data() == rows.data());
}

TEST_CASE("rows are within reach whose distances are numbers of their type", "[scaled_rows]") {
  const matrix<float> rows(3, 4, 1e18f);
  CHECK_NOTHROW(check_reach(euclidean{}, matrix_view<float>(rows), 2e18, "data"));
  CHECK_NOTHROW(check_reach(sqeuclidean{}, matrix_view<float>(rows), 2e18, "data"));
  CHECK_NOTHROW(check_reach(inner_product{}, matrix_view<float>(rows), 2e18, "data"));
  CHECK_NOTHROW(check_reach(cosine{}, matrix_view<float>(rows), 2e18, "data"));
  const matrix<double> longer(3, 4, 1e100);
  CHECK_NOTHROW(check_reach(sqeuclidean{}, matrix_view<double>(longer), 2e100, "data"));
}

TEST_CASE("rows beyond reach are refused by their number and length", "[scaled_rows]") {
  matrix<float> rows(3, 4, 1.0f);
  rows(1, 2) = std::numeric_limits<float>::quiet_NaN();  // which is another's to judge
  rows(2, 0) = 1e25f;
  const matrix_view<float> all = rows;
  const auto message = message_of([&] { check_reach(sqeuclidean{}, all, 1e25, "data"); });
  CHECK_THAT(message, ContainsSubstring("data = 1e+25") && ContainsSubstring("row 2 ") && ContainsSubstring("float32"));
  CHECK_THROWS_AS(check_reach(inner_product{}, all, 1e25, "queries"), std::invalid_argument);
  CHECK_NOTHROW(check_reach(euclidean{}, all, 1e25, "data"));
  CHECK_NOTHROW(check_reach(chebyshev{}, all, 1e25, "data"));
}

TEST_CASE("rows within reach have finite distances, even from their opposite", "[scaled_rows]") {
  std::mt19937_64 generator(2);
  const std::size_t d = 30;
  std::size_t infinite = 0, refused = 0;
  for (int e = 0; e < 128; ++e) {
    std::vector<float> row = ::rows::random_values<float>(d, generator), opposite = row;
    for (float& x : row) x = std::ldexp(x, e);
    std::ranges::transform(row, opposite.begin(), [](float x) { return -x; });
    const auto is_finite = [&](const auto& metric) {
      const matrix_view<float> one(row);
      if (message_or_nothing([&] { check_reach(metric, one, detail::norm_of(one.row(0)), "data"); }) != "nothing") {
        ++refused;
        return true;
      }
      return annulus::detail::is_finite(static_cast<double>(metric(row.data(), opposite.data(), d)));
    };
    infinite += !is_finite(euclidean{}) + !is_finite(sqeuclidean{}) + !is_finite(inner_product{}) +
                !is_finite(manhattan{}) + !is_finite(chebyshev{});
  }
  CHECK(infinite == 0);
  CHECK(refused > 100);  // of 640: the products of half of all sizes
  CHECK(refused < 200);
}
