#pragma once

/// \file
/// neighbors, the result of a search, and its export as a sparse matrix.

#include <annulus/core/base/ids.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/storage/archive.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The neighbours of each query: one row a query, nearest first, ties by id, padded with no_id and +infinity.
struct neighbors {
  matrix<id_type> ids;      ///< n_queries x k
  matrix<float> distances;  ///< of the ids

  neighbors() = default;
  explicit neighbors(detail::unfilled) {}
  /// All padding. \param n_queries rows \param k columns \throws std::bad_alloc
  neighbors(std::size_t n_queries, std::size_t k)
      : ids(n_queries, k, no_id), distances(n_queries, k, std::numeric_limits<float>::infinity()) {}
  friend bool operator==(const neighbors&, const neighbors&) = default;

  static constexpr std::string_view kind = "neighbors";  ///< in files
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("ids", self.ids);
    archive("distances", self.distances);
    archive.expect(self.ids.rows() == self.distances.rows() && self.ids.cols() == self.distances.cols(),
                   "does not have a distance for each id");
  }
  std::string defect() const {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; ids.cols() > 0 && i < ids.rows(); ++i)
      for (std::size_t j = 0; j < ids.cols(); ++j)
        if (detail::is_nan(distances(i, j)) || (ids(i, j) == no_id && distances(i, j) < infinity) ||
            (j > 0 && ids(i, j) != no_id && ids(i, j - 1) == no_id))
          return "row " + std::to_string(i) + " has a NaN, or padding that is not at its end or has a distance";
    return {};
  }
};

/// A sparse matrix of distances in compressed rows, as scipy, scikit-learn and UMAP take it: row i holds the columns
/// indices[indptr[i]] to indices[indptr[i + 1]], here nearest first.
struct csr {
  std::vector<std::int64_t> indptr;   ///< rows + 1: where each row begins and ends
  std::vector<std::int32_t> indices;  ///< the columns of the rows, one row after the other
  std::vector<float> distances;       ///< their values
  std::size_t n_columns = 0;          ///< of the matrix
};

namespace detail {

/// Throws std::invalid_argument for more columns than the indices of a csr can tell apart.
inline void check_csr_columns(std::string_view name, std::size_t n_columns) {
  if (n_columns > std::size_t{std::numeric_limits<std::int32_t>::max()})
    invalid(name, n_columns, "must fit the 32-bit indices of a CSR matrix");
}

/// Lists of candidates (id, and the distance as rank), one a query, as a sparse matrix with n_columns columns.
/// \throws std::invalid_argument for n_columns beyond int32.
template <class Candidate>
csr lists_to_csr(const std::vector<std::vector<Candidate>>& lists, std::size_t n_columns) {
  check_csr_columns("ids", n_columns);
  csr result{{0}, {}, {}, n_columns};
  result.indptr.reserve(lists.size() + 1);
  for (const auto& list : lists) {
    for (const auto& c : list) {
      result.indices.push_back(static_cast<std::int32_t>(c.id));
      result.distances.push_back(c.rank);
    }
    result.indptr.push_back(static_cast<std::int64_t>(result.indices.size()));
  }
  return result;
}

}  // namespace detail

/// \param found of any search \param n_columns how many rows were searched \returns the neighbours as a sparse matrix
/// of found.ids.rows() x n_columns; padding is left out \throws std::invalid_argument for n_columns beyond int32 or an
/// id that is not below n_columns.
inline csr to_csr(const neighbors& found, std::size_t n_columns) {
  detail::check_csr_columns("n_columns", n_columns);
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

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
