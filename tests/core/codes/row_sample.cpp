#include <annulus/core/codes/row_sample.hpp>

#include "catch.hpp"

#include <random>

using namespace annulus;
using namespace annulus::detail;

namespace {

constexpr auto l2 = product_form::squared_l2;

/// Normal coordinates, dimension j times scales[j].
matrix<double> scaled_rows(std::size_t n, const std::vector<double>& scales, std::uint64_t seed = 1) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> any;
  matrix<double> rows(n, scales.size());
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < scales.size(); ++j) rows(i, j) = scales[j] * any(generator);
  return rows;
}

std::vector<std::uint32_t> wide_of(const matrix<double>& rows, std::size_t most = 4) {
  const auto wide = row_sample<double>(l2, rows).wide(buffer<double>(rows.cols()), most, 8);
  return {wide.begin(), wide.end()};
}

}  // namespace

TEST_CASE("the mean of the middle half is the mean of what is left without a quarter at either end", "[row_sample]") {
  std::mt19937_64 generator(1);
  std::uniform_real_distribution<double> any(-5, 5);
  for (std::size_t n = 1; n <= 40; ++n) {
    std::vector<double> values(n);
    for (double& x : values) x = any(generator);
    auto sorted = values;
    std::ranges::sort(sorted);
    double sum = 0;
    for (std::size_t i = n / 4; i < n - n / 4; ++i) sum += sorted[i];
    CHECK(midmean(values) == Approx(sum / static_cast<double>(n - 2 * (n / 4))));
  }
}

TEST_CASE("fewer than a quarter of outliers do not move the middle", "[row_sample]") {
  for (const std::size_t n : {8u, 50u, 64u, 1000u}) {
    auto rows = scaled_rows(n, {1, 1, 1});
    for (std::size_t i = 0; i < n; i += 8)
      for (double& x : rows.row(i)) x = 1e12;
    for (const double x : row_sample<double>(l2, rows).middle()) CHECK(std::abs(x) < 1);
  }
}

TEST_CASE("the extent is that of all rows but an eighth", "[row_sample]") {
  matrix<double> rows(64, 3);
  for (std::size_t i = 0; i < 64; ++i) rows(i, i % 3) = -static_cast<double>(i) - 1;
  row_sample<double> sample(l2, rows);
  CHECK(sample.extent(buffer<double>(3)) == 56);
  CHECK(sample.extent({0, 0, 100}) == 139);  // of 103, 106, ... 163, in a third of the rows
}

TEST_CASE("rows are measured as they are compared: under cosine by their direction, without zero vectors",
          "[row_sample]") {
  matrix<float> rows(10, 2);
  for (std::size_t i = 1; i < 10; ++i) rows(i, 0) = 3 * static_cast<float>(i), rows(i, 1) = 4 * static_cast<float>(i);
  row_sample<float> sample(product_form::cosine, matrix_view<float>(rows));
  const auto middle = sample.middle();
  CHECK(middle[0] == Approx(0.6));
  CHECK(middle[1] == Approx(0.8));
  CHECK(sample.extent(buffer<float>(2)) == Approx(0.8));
  const matrix<float> zeros(10, 2);
  CHECK(row_sample<float>(product_form::cosine, matrix_view<float>(zeros)).empty());
}

TEST_CASE("dimensions are wide that are far wider than all others, in order, and no others", "[row_sample]") {
  using dims = std::vector<std::uint32_t>;
  CHECK(wide_of(scaled_rows(500, {1, 1, 1, 1, 1})) == dims{});
  CHECK(wide_of(scaled_rows(500, {1, 3, 2, 1, 1})) == dims{});
  CHECK(wide_of(scaled_rows(500, {1, 1e3, 1, 1, 1})) == dims{1});
  CHECK(wide_of(scaled_rows(500, {1, 1e3, 1, 1e3, 1})) == dims{1, 3});
  CHECK(wide_of(scaled_rows(500, {1, 1e3, 1, 1e6, 1})) == dims{1, 3});
  CHECK(wide_of(scaled_rows(500, {1e3, 1e3, 1e3, 1e3, 1})) == dims{0, 1, 2, 3});
  CHECK(wide_of(scaled_rows(500, {1e3, 1e3, 1e3, 1e3, 1e3, 1})) == dims{});  // five
  CHECK(wide_of(scaled_rows(500, {1e3, 1e3, 1, 1}), 1) == dims{});
  CHECK(wide_of(scaled_rows(500, {7})) == dims{});
  CHECK(wide_of(scaled_rows(500, {0, 0, 0})) == dims{});
  CHECK(wide_of(scaled_rows(500, {0, 1, 0})) == dims{1});
  CHECK(wide_of(matrix<double>(0, 3)) == dims{});
}

TEST_CASE("a dimension is wide where it is in an eighth of the rows, and not for a few outliers", "[row_sample]") {
  for (const std::size_t every : {2u, 4u, 6u, 20u, 100u}) {
    auto rows = scaled_rows(640, {1, 1, 1, 1});
    for (std::size_t i = 0; i < 640; ++i)
      if (i / 10 % every == 0) rows(i, 2) = 1e6;
    CAPTURE(every);
    CHECK(wide_of(rows).size() == (every < 8 ? 1 : 0));
  }
}
