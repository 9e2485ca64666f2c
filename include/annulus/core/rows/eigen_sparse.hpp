#pragma once

/// \file
/// Eigen's sparse matrices as a csr_matrix. Who has one has included Eigen/SparseCore.

#include <annulus/core/base/eigen_types.hpp>
#include <annulus/core/rows/csr_matrix.hpp>

#include <algorithm>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// A copy; a csr_view of outerIndexPtr(), innerIndexPtr() and valuePtr() needs none. O(rows + stored). \param m a
/// row-major sparse matrix, each of whose rows is a point \returns its rows \throws std::invalid_argument for a matrix
/// that is not compressed (call makeCompressed() before), whose inner indices do not ascend in a row, or of more than
/// 2^31 - 1 columns.
template <class T, int Options, class Index>
csr_matrix<T> sparse_points(const Eigen::SparseMatrix<T, Options, Index>& m) {
  constexpr int row_major = 1;  // Eigen::RowMajorBit
  static_assert((Options & row_major) != 0, "annulus: sparse points are the rows of a row-major SparseMatrix");
  if (!m.isCompressed()) detail::invalid("matrix", "not compressed", "call makeCompressed() before");
  if (m.cols() > std::numeric_limits<std::int32_t>::max())
    detail::invalid("columns", m.cols(), "must fit the 32-bit indices of sparse rows");
  const auto rows = static_cast<std::size_t>(m.rows()), stored = static_cast<std::size_t>(m.nonZeros());
  std::vector<std::int64_t> indptr(rows + 1);
  std::vector<std::int32_t> indices(stored);
  const auto narrow = [](Index i) { return static_cast<std::int32_t>(i); };
  if (m.outerIndexPtr() != nullptr) std::copy_n(m.outerIndexPtr(), rows + 1, indptr.begin());
  std::transform(m.innerIndexPtr(), m.innerIndexPtr() + stored, indices.begin(), narrow);
  return {std::move(indptr), std::move(indices), std::vector<T>(m.valuePtr(), m.valuePtr() + stored),
          static_cast<std::size_t>(m.cols())};
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
