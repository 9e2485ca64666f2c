#pragma once

/// \file
/// What every search returns, and its export as a sparse matrix.

#include <annulus/core/matrix.hpp>

namespace annulus::inline ANNULUS_ARCH {

using id_type = std::uint32_t;                 ///< a row of the indexed data
inline constexpr id_type no_id = 0xFFFFFFFFu;  ///< "no neighbour"; its distance is always +infinity

/// The neighbours of each query: one row a query, nearest first, ties by id, padded with no_id and +infinity.
struct neighbors {
  matrix<id_type> ids;
  matrix<float> distances;

  neighbors() = default;
  /// n_queries rows of k, all padding.
  neighbors(std::size_t n_queries, std::size_t k)
      : ids(n_queries, k, no_id), distances(n_queries, k, std::numeric_limits<float>::infinity()) {}
  friend bool operator==(const neighbors&, const neighbors&) = default;
};

/// A sparse matrix of distances in compressed rows, as scipy, scikit-learn and UMAP take it: row i holds the columns
/// indices[indptr[i]] to indices[indptr[i + 1]], here nearest first.
struct csr {
  std::vector<std::int64_t> indptr;
  std::vector<std::int32_t> indices;
  std::vector<float> distances;
  std::size_t n_columns = 0;
};

/// The neighbours as a sparse matrix of ids.rows() x n_columns; padding is left out.
/// \throws std::invalid_argument for n_columns beyond int32 or an id that is not below n_columns.
inline csr to_csr(const neighbors& found, std::size_t n_columns) {
  if (n_columns > std::size_t{std::numeric_limits<std::int32_t>::max()})
    detail::invalid("n_columns", n_columns, "must fit the 32-bit indices of a CSR matrix");
  csr result{{0}, {}, {}, n_columns};
  result.indptr.reserve(found.ids.rows() + 1);
  for (std::size_t i = 0; i < found.ids.rows(); ++i) {
    for (std::size_t j = 0; j < found.ids.cols(); ++j) {
      const id_type id = found.ids(i, j);
      if (id == no_id) continue;
      if (id >= n_columns) detail::invalid("id", id, "row ", i, " must be below n_columns = ", n_columns);
      result.indices.push_back(static_cast<std::int32_t>(id));
      result.distances.push_back(found.distances(i, j));
    }
    result.indptr.push_back(static_cast<std::int64_t>(result.indices.size()));
  }
  return result;
}

}  // namespace annulus::inline ANNULUS_ARCH
