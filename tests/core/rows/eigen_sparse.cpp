#include <Eigen/SparseCore>
#include <annulus/core/rows/eigen_sparse.hpp>

#include "catch.hpp"

#include <Eigen/SparseCore>

using namespace annulus;

namespace {

template <class T, class Index>
Eigen::SparseMatrix<T, Eigen::RowMajor, Index> three_rows() {
  Eigen::SparseMatrix<T, Eigen::RowMajor, Index> m(3, 5);
  m.insert(0, 1) = T(2);
  m.insert(0, 4) = T(3);
  m.insert(2, 0) = T(-1);
  m.makeCompressed();
  return m;
}

template <class T, class Index>
void check_copy() {
  const auto m = three_rows<T, Index>();
  const csr_matrix<T> points = sparse_points(m);
  REQUIRE(points.size() == 3);
  CHECK(points.dim() == 5);
  CHECK(std::ranges::equal(points.row(0).indices, std::vector<std::int32_t>{1, 4}));
  CHECK(std::ranges::equal(points.row(0).values, std::vector<T>{T(2), T(3)}));
  CHECK(points.row(1).indices.empty());
  CHECK(std::ranges::equal(points.row(2).indices, std::vector<std::int32_t>{0}));
  CHECK(std::ranges::equal(points.row(2).values, std::vector<T>{T(-1)}));
}

}  // namespace

TEST_CASE("the rows of a sparse Eigen matrix are sparse points", "[eigen_sparse]") {
  check_copy<float, int>();
  check_copy<double, std::int64_t>();
}

TEST_CASE("a sparse Eigen matrix that is not compressed is refused", "[eigen_sparse]") {
  auto m = three_rows<float, int>();
  m.reserve(Eigen::VectorXi::Constant(3, 2));
  CHECK_THROWS_WITH(sparse_points(m), ContainsSubstring("makeCompressed"));
}

TEST_CASE("a sparse Eigen matrix of more columns than sparse rows can have is refused by their number",
          "[eigen_sparse]") {
  const Eigen::SparseMatrix<float, Eigen::RowMajor, std::int64_t> m(1, std::int64_t{1} << 31);
  CHECK_THROWS_WITH(sparse_points(m), ContainsSubstring("2147483648"));
}

TEST_CASE("a sparse Eigen matrix whose columns do not ascend is refused by the row", "[eigen_sparse]") {
  auto m = three_rows<float, int>();
  std::swap(m.innerIndexPtr()[0], m.innerIndexPtr()[1]);
  CHECK_THROWS_WITH(sparse_points(m), ContainsSubstring("row 0"));
}

TEST_CASE("a sparse Eigen matrix made of nothing has no points", "[eigen_sparse]") {
  CHECK(sparse_points(Eigen::SparseMatrix<float, Eigen::RowMajor>()).size() == 0);
  CHECK(sparse_points(Eigen::SparseMatrix<float, Eigen::RowMajor>(4, 7)).size() == 4);
}
