#include <Eigen/Core>
#include <annulus/core/rows/matrix.hpp>

#include "catch.hpp"

#include <numeric>
#include <ranges>
#include <string>

using namespace annulus;

namespace {

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// 0, 1, 2, ... in row order.
row_major counting(Eigen::Index rows, Eigen::Index cols) {
  row_major m(rows, cols);
  std::iota(m.data(), m.data() + m.size(), 0.0f);
  return m;
}

/// Whether a view shows exactly the rows of an Eigen object, in place.
template <class M>
bool shows(matrix_view<float> view, const M& m) {
  if (view.rows() != static_cast<std::size_t>(m.rows()) || view.cols() != static_cast<std::size_t>(m.cols()))
    return false;
  for (std::size_t i = 0; i < view.rows(); ++i)
    for (std::size_t j = 0; j < view.cols(); ++j)
      if (&view.row(i)[j] != &m.coeffRef(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j))) return false;
  return true;
}

constexpr std::size_t huge = std::numeric_limits<std::size_t>::max();

}  // namespace

TEST_CASE("a matrix is zero on construction", "[matrix]") {
  const matrix<int> m(3, 5);
  CHECK(std::count(m.data(), m.data() + 15, 0) == 15);
}

TEST_CASE("a matrix may be filled with a value", "[matrix]") {
  const matrix<float> m(3, 5, 2.5f);
  CHECK(std::count(m.data(), m.data() + 15, 2.5f) == 15);
}

TEST_CASE("a matrix knows its rows and columns, also as a point set", "[matrix]") {
  const matrix<double> m(3, 5);
  CHECK(m.rows() == 3);
  CHECK(m.cols() == 5);
  CHECK(m.size() == 3);
  CHECK(m.dim() == 5);
}

TEST_CASE("a matrix made of nothing has no rows", "[matrix]") {
  CHECK(matrix<float>{}.rows() == 0);
  CHECK(matrix<float>{}.cols() == 0);
  CHECK(matrix<float>(0, 7).rows() == 0);
  CHECK(matrix<float>(7, 0).rows() == 7);
}

TEMPLATE_TEST_CASE("a matrix starts on a cache line", "[matrix]", float, double, std::uint8_t) {
  for (std::size_t cols = 1; cols < 40; ++cols)
    REQUIRE(reinterpret_cast<std::uintptr_t>(matrix<TestType>(3, cols).data()) % 64 == 0);
}

TEST_CASE("a matrix is packed and row-major", "[matrix]") {
  matrix<float> m(3, 5);
  std::iota(m.data(), m.data() + 15, 0.0f);
  CHECK(m(1, 2) == 7);
  CHECK(m.row(2).size() == 5);
  CHECK(m.row(2)[4] == 14);
  CHECK(std::as_const(m).row(2).data() == m.data() + 10);
}

TEST_CASE("rows and elements can be written to", "[matrix]") {
  matrix<float> m(2, 2);
  m.row(0)[1] = 3;
  m(1, 0) = 4;
  CHECK(m.data()[1] == 3);
  CHECK(m.data()[2] == 4);
}

TEST_CASE("matrices are equal when their shapes and values are", "[matrix]") {
  matrix<int> a(2, 3), b(2, 3);
  CHECK(a == b);
  b(1, 2) = 1;
  CHECK(a != b);
  CHECK(a != matrix<int>(3, 2));
  CHECK(matrix<int>(0, 3) != matrix<int>(0, 2));
}

TEST_CASE("a matrix whose size overflows is refused", "[matrix]") {
  CHECK_THROWS_AS(matrix<std::uint8_t>(huge, 2), std::invalid_argument);
  CHECK_THROWS_AS(matrix<std::uint8_t>(huge / 2 + 2, 2), std::invalid_argument);    // the product wraps to 2
  CHECK_THROWS_AS(matrix<double>(std::size_t{1} << 61, 1), std::invalid_argument);  // in bytes only
  CHECK_THROWS_WITH(matrix<float>(huge, 3), ContainsSubstring("rows") && ContainsSubstring(std::to_string(huge)));
}

TEST_CASE("a view of a matrix shows it in place", "[matrix_view]") {
  matrix<float> m(3, 5);
  const matrix_view<float> view = m;
  CHECK(view.data() == m.data());
  CHECK(view.rows() == 3);
  CHECK(view.cols() == 5);
  CHECK(view.stride() == 5);
  CHECK(view.size() == 3);
  CHECK(view.dim() == 5);
}

TEST_CASE("a view made of nothing has no rows", "[matrix_view]") {
  CHECK(matrix_view<float>{}.rows() == 0);
  CHECK(matrix_view<float>{}.cols() == 0);
}

TEST_CASE("the rows of a view are a stride apart", "[matrix_view]") {
  const std::vector<float> values(14);
  const matrix_view<float> view(values.data(), 3, 4, 5);
  CHECK(view.stride() == 5);
  CHECK(view.row(2).data() == values.data() + 10);
  CHECK(view.row(2).size() == 4);
}

TEST_CASE("a view without a stride is packed", "[matrix_view]") {
  const std::vector<float> values(12);
  CHECK(matrix_view<float>(values.data(), 3, 4).stride() == 4);
}

TEST_CASE("the middle rows of a view keep its stride", "[matrix_view]") {
  const std::vector<float> values(25);
  const auto part = matrix_view<float>(values.data(), 5, 4, 5).middle_rows(1, 3);
  CHECK(part.rows() == 3);
  CHECK(part.cols() == 4);
  CHECK(part.row(2).data() == values.data() + 15);
}

TEST_CASE("a stride below the columns is refused", "[matrix_view]") {
  const float values[12]{};
  CHECK_THROWS_WITH(matrix_view<float>(values, 3, 4, 3), "annulus: stride = 3: must be at least cols = 4");
}

TEST_CASE("a view whose size overflows is refused", "[matrix_view]") {
  const float value = 0;
  CHECK_THROWS_AS(matrix_view<float>(&value, huge, 2), std::invalid_argument);
  CHECK_THROWS_AS(matrix_view<float>(&value, 2, 1, huge), std::invalid_argument);
  CHECK_THROWS_AS(matrix_view<float>(&value, std::size_t{1} << 62, 1), std::invalid_argument);  // in bytes only
}

TEST_CASE("a row-major Eigen matrix is viewed in place", "[matrix_view]") {
  const row_major m = counting(3, 5);
  CHECK(shows(m, m));
}

TEST_CASE("a row-major Eigen matrix of fixed size is viewed in place", "[matrix_view]") {
  const Eigen::Matrix<float, 3, 5, Eigen::RowMajor> m = counting(3, 5);
  CHECK(shows(m, m));
}

TEST_CASE("a row-major Eigen array is viewed in place", "[matrix_view]") {
  const Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> m = counting(3, 5);
  CHECK(shows(m, m));
}

TEST_CASE("an Eigen map with an outer stride is viewed in place", "[matrix_view]") {
  const row_major m = counting(3, 5);
  const Eigen::Map<const row_major, 0, Eigen::OuterStride<>> map(m.data(), 3, 4, Eigen::OuterStride<>(5));
  CHECK(shows(map, map));
  CHECK(matrix_view<float>(map).stride() == 5);
}

TEST_CASE("an Eigen block is viewed in place", "[matrix_view]") {
  const row_major m = counting(4, 6);
  const auto block = m.block(1, 2, 3, 4);
  CHECK(shows(block, m.block(1, 2, 3, 4)));
  CHECK(matrix_view<float>(block).row(1)[1] == 15);
}

TEST_CASE("one row of an Eigen matrix is viewed in place", "[matrix_view]") {
  const row_major m = counting(4, 6);
  const matrix_view<float> view = m.row(2);
  CHECK(view.rows() == 1);
  CHECK(view.row(0).data() == m.data() + 12);
}

TEST_CASE("an Eigen reference is viewed in place", "[matrix_view]") {
  const row_major m = counting(3, 5);
  const Eigen::Ref<const row_major> ref = m;
  CHECK(shows(ref, m));
}

TEST_CASE("an Eigen row vector is a view of one row", "[matrix_view]") {
  const Eigen::RowVectorXf v = Eigen::RowVectorXf::LinSpaced(4, 0, 3);
  CHECK(shows(v, v));
}

TEST_CASE("the transpose of a column-major Eigen matrix is viewed in place", "[matrix_view]") {
  const Eigen::MatrixXf m = counting(3, 5);
  const matrix_view<float> view = m.transpose();
  CHECK(view.rows() == 5);
  CHECK(view.row(4)[2] == m(2, 4));
  CHECK(view.data() == m.data());
}

TEST_CASE("an Eigen matrix without rows is a view without rows", "[matrix_view]") {
  const row_major m(0, 5);
  CHECK(matrix_view<float>(m).rows() == 0);
  CHECK(matrix_view<float>(m).cols() == 5);
}

TEST_CASE("an inner stride is refused", "[matrix_view]") {
  using strided = Eigen::Map<const row_major, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;
  const row_major m = counting(4, 6);
  const strided every_other(m.data(), 4, 3, {6, 2});
  CHECK_THROWS_WITH(matrix_view<float>(every_other), ContainsSubstring("inner stride = 2"));
  const Eigen::MatrixXf column_major = counting(4, 6);
  CHECK_THROWS_AS(matrix_view<float>(column_major.row(1)), std::invalid_argument);
}

TEMPLATE_TEST_CASE("a contiguous range is a view of one row", "[matrix_view]", std::vector<float>,
                   (std::array<float, 3>), std::span<const float>, std::span<float>) {
  std::vector<float> values{1, 2, 3};
  TestType range;
  if constexpr (requires { TestType(values); }) range = TestType(values);
  else range = {1, 2, 3};
  const matrix_view<float> view = range;
  CHECK(view.rows() == 1);
  CHECK(view.cols() == 3);
  CHECK(view.data() == std::ranges::data(range));
}

TEST_CASE("an array is a view of one row", "[matrix_view]") {
  const float values[] = {1, 2, 3};
  const matrix_view<float> view = values;
  CHECK(view.rows() == 1);
  CHECK(view.cols() == 3);
}

TEST_CASE("the columns of a column-major Eigen matrix are points in place", "[columns_as_points]") {
  const Eigen::MatrixXf m = counting(3, 5);
  const auto points = columns_as_points(m);
  CHECK(points.rows() == 5);
  CHECK(points.cols() == 3);
  CHECK(points.data() == m.data());
  CHECK(points.row(4)[2] == m(2, 4));
}

TEST_CASE("the columns of a block are points a stride apart", "[columns_as_points]") {
  const Eigen::MatrixXf m = counting(4, 6);
  const auto points = columns_as_points(m.block(1, 2, 2, 3));
  CHECK(points.rows() == 3);
  CHECK(points.cols() == 2);
  CHECK(points.stride() == 4);
  CHECK(points.row(2)[1] == m(2, 4));
}

TEST_CASE("an Eigen vector is one point", "[columns_as_points]") {
  const Eigen::VectorXf v = Eigen::VectorXf::LinSpaced(4, 0, 3);
  CHECK(columns_as_points(v).rows() == 1);
  CHECK(columns_as_points(v).cols() == 4);
}

TEST_CASE("columns with an inner stride are refused", "[columns_as_points]") {
  using strided = Eigen::Map<const Eigen::MatrixXf, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;
  const Eigen::MatrixXf m = counting(6, 4);
  CHECK_THROWS_WITH(columns_as_points(strided(m.data(), 3, 4, {6, 2})), ContainsSubstring("inner stride = 2"));
}

TEST_CASE("value_t is the element type, without const", "[matrix_like]") {
  STATIC_REQUIRE(std::same_as<value_t<matrix<double>>, double>);
  STATIC_REQUIRE(std::same_as<value_t<const matrix_view<std::uint8_t>&>, std::uint8_t>);
  STATIC_REQUIRE(std::same_as<value_t<row_major>, float>);
  STATIC_REQUIRE(std::same_as<value_t<Eigen::Map<const row_major>>, float>);
  STATIC_REQUIRE(std::same_as<value_t<Eigen::Matrix<Eigen::half, 2, 2, Eigen::RowMajor>>, Eigen::half>);
  STATIC_REQUIRE(std::same_as<value_t<std::span<const float>>, float>);
  STATIC_REQUIRE(std::same_as<value_t<std::vector<std::int8_t>>, std::int8_t>);
}

TEST_CASE("what converts to a view is matrix_like", "[matrix_like]") {
  STATIC_REQUIRE(matrix_like<matrix<float>>);
  STATIC_REQUIRE(matrix_like<matrix_view<float>>);
  STATIC_REQUIRE(matrix_like<row_major>);
  STATIC_REQUIRE(matrix_like<Eigen::Ref<const row_major>>);
  STATIC_REQUIRE(matrix_like<std::vector<float>>);
  STATIC_REQUIRE(matrix_like<std::span<const double>>);
}

TEST_CASE("what has no rows of numbers in memory is not matrix_like", "[matrix_like]") {
  STATIC_REQUIRE(!matrix_like<float>);
  STATIC_REQUIRE(!matrix_like<std::vector<bool>>);
  STATIC_REQUIRE(!matrix_like<std::vector<std::vector<float>>::const_iterator>);
}

TEST_CASE("a view is of one element type alone", "[matrix_like]") {
  STATIC_REQUIRE(!std::convertible_to<const Eigen::MatrixXd&, matrix_view<float>>);
  STATIC_REQUIRE(!std::convertible_to<const matrix<double>&, matrix_view<float>>);
  STATIC_REQUIRE(!std::convertible_to<const std::vector<int>&, matrix_view<float>>);
}
