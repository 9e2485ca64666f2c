#pragma once

/// \file
/// The linear algebra of optimised product quantisation: the nearest rotation (Procrustes), principal axes, and the
/// assignment of dimensions to sub-spaces.

#include <annulus/core/base/float_bits.hpp>
#include <annulus/core/kernels/fixed_order_product.hpp>
#include <annulus/core/rows/matrix.hpp>

#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Assigns dimensions to buckets of equal size: those of the largest eigenvalues first, each to the bucket, of those
/// with room, whose product of eigenvalues is the smallest so far (Ge, He, Ke, Sun 2013, section 3.2.2). O(d (log d +
/// m)). \param eigenvalues d of a covariance, none negative \param m buckets \returns m x (d / m): row i has the
/// dimensions of bucket i \throws std::invalid_argument where m is 0 or does not divide d, or an eigenvalue is NaN or
/// negative.
inline matrix<std::uint32_t> eigenvalue_allocation(std::span<const double> eigenvalues, std::size_t m) {
  const std::size_t d = eigenvalues.size();
  if (m == 0) detail::invalid("m", m, "must be at least 1");
  if (d == 0 || d % m != 0) detail::invalid("eigenvalues", d, "must be a multiple of m = ", m);
  for (const double x : eigenvalues)
    if (!(detail::is_number(x) && x >= 0)) detail::invalid("eigenvalue", x, "must not be negative");
  std::vector<std::uint32_t> order(d);
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return eigenvalues[a] != eigenvalues[b] ? eigenvalues[a] > eigenvalues[b] : a < b; });

  matrix<std::uint32_t> buckets(m, d / m);
  std::vector<std::size_t> size(m);
  std::vector<double> log_product(m);
  // The unit of products. Values far below the largest are rounding errors, whose logarithms must not outweigh all
  // others.
  const double least =
      std::max({eigenvalues[order[d - 1]], eigenvalues[order[0]] * 1e-10, std::numeric_limits<double>::min()});
  for (const std::uint32_t dimension : order) {
    std::size_t chosen = m;
    for (std::size_t i = 0; i < m; ++i)
      if (size[i] < d / m && (chosen == m || log_product[i] < log_product[chosen])) chosen = i;
    buckets(chosen, size[chosen]++) = dimension;
    log_product[chosen] +=
        std::log(std::max(eigenvalues[dimension], least) / least) + 1;  // + 1, so that equal ones are spread
  }
  return buckets;
}

// Real is the precision of decompositions. These are templates so that programs which do not call them need not compile
// them.
namespace detail {

using eigen_rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <std::same_as<float> T>
auto as_eigen(const matrix_view<T>& m) {
  using Eigen::Index;
  return Eigen::Map<const eigen_rows, 0, Eigen::OuterStride<>>(
      m.data(), static_cast<Index>(m.rows()), static_cast<Index>(m.cols()),
      Eigen::OuterStride<>(static_cast<Index>(std::max<std::size_t>(m.stride(), 1))));
}
template <std::same_as<float> T>
auto as_eigen(matrix<T>& m) {
  using Eigen::Index;
  return Eigen::Map<eigen_rows>(m.data(), static_cast<Index>(m.rows()), static_cast<Index>(m.cols()));
}

inline matrix<float> identity(std::size_t d) {
  matrix<float> r(d, d);
  for (std::size_t i = 0; i < d; ++i) r(i, i) = 1;
  return r;
}

inline matrix<float> transposed(const matrix<float>& m) {
  matrix<float> t(m.cols(), m.rows());
  for (std::size_t i = 0; i < m.rows(); ++i)
    for (std::size_t j = 0; j < m.cols(); ++j) t(j, i) = m(i, j);
  return t;
}

/// How far rows of finite numbers are from orthonormal: the greatest magnitude in R R^T - I; NaN where a product is.
inline float distance_from_orthonormal(const matrix<float>& rows) {
  const matrix<float> products = multiplied(rows, transposed(rows), 1);
  float greatest = 0;
  for (std::size_t i = 0; i < products.rows(); ++i)
    for (std::size_t j = 0; j < products.cols(); ++j) {
      const float off = std::abs(products(i, j) - (i == j ? 1.0f : 0.0f));
      if (is_nan(off)) return off;
      greatest = std::max(greatest, off);
    }
  return greatest;
}

/// How far the rotation of an optimised product quantiser may be from orthonormal.
inline constexpr float rotation_tolerance = 1e-3f;

/// The rotation R (d x d) for which vecs * R is nearest to `targets` in squares, given vecs^T targets: U V^T of its
/// singular value decomposition (Schönemann 1966). V consists of eigenvectors, and U is that of a QR decomposition,
/// which is orthogonal whatever the rank: Eigen's BDCSVD returns other matrices, or reads out of range, for singular
/// products.
template <std::floating_point Real = double>
matrix<float> procrustes(const matrix<float>& product) {
  using real_matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;
  const real_matrix given = as_eigen(matrix_view<float>(product)).template cast<Real>();
  const Eigen::SelfAdjointEigenSolver<real_matrix> solved(given.transpose() * given);
  const real_matrix right =
      solved.eigenvectors().rowwise().reverse();  // those of large eigenvalues first, which determine U
  const Eigen::HouseholderQR<real_matrix> left(given * right);
  const auto signs = left.matrixQR().diagonal().unaryExpr([](Real x) { return x < 0 ? Real(-1) : Real(1); }).eval();
  const real_matrix r = left.householderQ() * (signs.asDiagonal() * right.transpose());
  matrix<float> rounded(product.rows(), product.cols());
  as_eigen(rounded) = r.template cast<float>();
  return rounded;
}

/// The principal axes of the rows as a rotation, assigned to m sub-spaces of balanced variance.
template <std::floating_point Real = double>
matrix<float> parametric_rotation(matrix_view<float> rows, std::size_t m) {
  using Eigen::Index;
  using real_matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;
  const auto x = as_eigen(rows);
  const auto mean = x.template cast<Real>().colwise().mean().eval();
  const std::size_t d = rows.cols();
  real_matrix covariance = real_matrix::Zero(x.cols(), x.cols());
  constexpr Index block = 1024;
  for (Index i = 0; i < x.rows(); i += block) {
    const real_matrix part = x.middleRows(i, std::min(block, x.rows() - i)).template cast<Real>().rowwise() - mean;
    covariance.template selfadjointView<Eigen::Lower>().rankUpdate(part.transpose());
  }
  covariance /= static_cast<Real>(std::max<Index>(x.rows() - 1, 1));
  const Eigen::SelfAdjointEigenSolver<real_matrix> solved(covariance);
  std::vector<double> values(d);
  for (std::size_t j = 0; j < d; ++j)
    values[j] = std::max(static_cast<double>(solved.eigenvalues()[static_cast<Index>(j)]), 0.0);
  const auto buckets = eigenvalue_allocation(values, m);
  matrix<float> r(d, d);
  for (std::size_t j = 0; j < d; ++j)
    for (std::size_t i = 0; i < d; ++i)
      r(i, j) = static_cast<float>(solved.eigenvectors()(static_cast<Index>(i), static_cast<Index>(buckets.data()[j])));
  return r;
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
