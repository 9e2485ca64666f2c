#include <Eigen/Core>
#include <annulus/core/kernels/norm_checks.hpp>

#include "catch.hpp"

using annulus::matrix;
using annulus::matrix_view;
using annulus::detail::all_finite;
using annulus::detail::check_rows;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity(),
                not_a_number = std::numeric_limits<float>::quiet_NaN();

template <class T>
bool all_finite_but(std::size_t size, std::size_t where, T x) {
  std::vector<T> row(size, T(1));
  row[where] = x;
  return all_finite(std::span<const T>(row));
}

}  // namespace

TEMPLATE_TEST_CASE("all_finite sees NaN and infinity wherever they stand", "[finite]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  const auto make = [](float x) { return static_cast<TestType>(x); };
  for (std::size_t size = 1; size < 40; ++size)
    for (std::size_t i = 0; i < size; ++i) {
      REQUIRE(all_finite_but(size, i, make(-60000)));
      REQUIRE_FALSE(all_finite_but(size, i, make(infinity)));
      REQUIRE_FALSE(all_finite_but(size, i, make(-infinity)));
      REQUIRE_FALSE(all_finite_but(size, i, make(not_a_number)));
    }
  CHECK(all_finite(std::span<const TestType>()));
}

TEST_CASE("bytes are always finite", "[finite]") {
  const std::vector<std::uint8_t> row{0, 255};
  CHECK(all_finite(std::span(row)));
}

TEST_CASE("check_rows returns the greatest norm of the rows", "[finite]") {
  matrix<float> rows(5000, 3, 1.0f);
  CHECK(check_rows<float>(rows, "data", 1) == Approx(std::sqrt(3.0)));
  for (const std::size_t i : {0u, 4096u, 4999u}) {
    matrix<float> one = rows;
    one(i, 1) = -20;
    CHECK(check_rows<float>(one, "data", 1) == Approx(std::sqrt(402.0)));
  }
  CHECK(check_rows<float>(matrix<float>(0, 3), "data", 1) == 0);
  CHECK(check_rows<float>(matrix<float>(3, 0), "data", 1) == 0);
}

TEST_CASE("check_rows reads no further than the row, whatever the stride", "[finite]") {
  const std::vector<float> values{3, 4, not_a_number, infinity, 6, 8};
  CHECK(check_rows(matrix_view<float>(values.data(), 2, 2, 4), "data", 1) == Approx(10));
}

TEST_CASE("check_rows is infinite where only squares overflow", "[finite]") {
  matrix<float> rows(10, 2, 1.0f);
  rows(7, 0) = 1e20f;
  CHECK(check_rows<float>(rows, "data", 1) == infinity);
  CHECK(check_rows<double>(matrix<double>(1, 1, 1e20), "data", 1) == Approx(1e20));
}

TEST_CASE("check_rows names the first row that is not finite, whatever the number of threads", "[finite]") {
  matrix<float> rows(20000, 2, 1.0f);
  rows(3, 0) = 1e30f;  // overflows before, which is no reason to stop
  rows(9000, 1) = not_a_number;
  rows(17000, 0) = infinity;
  for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
    CHECK_THROWS_AS(check_rows<float>(rows, "data", threads), std::invalid_argument);
    CHECK_THROWS_WITH(check_rows<float>(rows, "data", threads),
                      ContainsSubstring("data = nan: row 9000, coordinate 1 must be a finite number"));
  }
  rows(8999, 1) = -infinity;
  CHECK_THROWS_WITH(check_rows<float>(rows, "weights", 3), ContainsSubstring("weights = -inf: row 8999"));
}
