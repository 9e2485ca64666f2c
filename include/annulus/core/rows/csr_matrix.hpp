#pragma once

/// \file
/// Sparse rows in compressed form (CSR): one row, a read-only view, and an owning matrix.

#include <annulus/core/base/assert.hpp>
#include <annulus/core/base/errors.hpp>
#include <annulus/core/rows/point_set.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// One sparse row: values at strictly increasing coordinates, zero elsewhere. A set has indices and no values: only
/// metrics of sets take such a row.
template <class T>
struct sparse_row {
  std::span<const std::int32_t> indices;  ///< the coordinates stored, strictly increasing
  std::span<const T> values;              ///< one for each, or none for a set
  std::size_t dim = 0;                    ///< how many coordinates there are, stored or not

  /// \returns false for a set that has members
  bool has_values() const noexcept { return values.size() == indices.size(); }
};

template <class T>
class csr_matrix;

/// Sparse rows in compressed form, owned by someone else: row i holds indptr[i] to indptr[i + 1]. Offsets are 64 or 32
/// bits wide (scipy's are either), and taken as they are, without a copy.
template <class T>
class csr_view {
 public:
  using value_type = T;  ///< of stored values
  csr_view() = default;
  /// Checks the arrays. \param indptr rows + 1 offsets, ascending from 0 \param indices indptr.back() coordinates,
  /// ascending in each row \param values one for each, or none for sets \param dim the number of coordinates \throws
  /// std::invalid_argument where the arrays do not fit together or an index is out of order or >= dim. O(stored).
  csr_view(std::span<const std::int64_t> indptr, std::span<const std::int32_t> indices, std::span<const T> values,
           std::size_t dim)
      : csr_view(indptr.data(), nullptr, indptr.size(), indices, values, dim) {
    check();
  }
  csr_view(std::span<const std::int32_t> indptr, std::span<const std::int32_t> indices, std::span<const T> values,
           std::size_t dim)
      : csr_view(nullptr, indptr.data(), indptr.size(), indices, values, dim) {
    check();
  }
  /// Sets: rows of indices without values.
  /// \throws std::invalid_argument as above.
  csr_view(std::span<const std::int64_t> indptr, std::span<const std::int32_t> indices, std::size_t dim)
      : csr_view(indptr, indices, {}, dim) {}
  csr_view(std::span<const std::int32_t> indptr, std::span<const std::int32_t> indices, std::size_t dim)
      : csr_view(indptr, indices, {}, dim) {}

  std::size_t size() const noexcept { return m_n_offsets == 0 ? 0 : m_n_offsets - 1; }  ///< \returns the number of rows
  std::size_t dim() const noexcept { return m_dim; }                ///< \returns the number of coordinates
  std::size_t stored() const noexcept { return m_indices.size(); }  ///< \returns those stored in all rows together
  /// \returns false for sets that have members
  bool has_values() const noexcept { return m_values.size() == m_indices.size(); }
  /// \param i below size() \returns row i, a view too
  sparse_row<T> row(std::size_t i) const noexcept {
    ANNULUS_ASSERT(i < size());
    const auto begin = static_cast<std::size_t>(offset(i)), count = static_cast<std::size_t>(offset(i + 1)) - begin;
    const auto values = m_values.empty() ? m_values : m_values.subspan(begin, count);
    return {m_indices.subspan(begin, count), values, m_dim};
  }

 private:
  friend class csr_matrix<T>;

  csr_view(const std::int64_t* wide, const std::int32_t* narrow, std::size_t n_offsets,
           std::span<const std::int32_t> indices, std::span<const T> values, std::size_t dim) noexcept
      : m_wide(wide), m_narrow(narrow), m_n_offsets(n_offsets), m_indices(indices), m_values(values), m_dim(dim) {}

  std::int64_t offset(std::size_t i) const noexcept { return m_wide != nullptr ? m_wide[i] : m_narrow[i]; }

  void check() const {
    const auto& indices = m_indices;
    if (m_n_offsets == 0) detail::invalid("indptr size", m_n_offsets, "must be the number of rows + 1");
    if (offset(0) != 0) detail::invalid("indptr[0]", offset(0), "must be 0");
    if (!m_values.empty() && indices.size() != m_values.size())
      detail::invalid("indices size", indices.size(), "must equal values size = ", m_values.size());
    for (std::size_t i = 0; i < size(); ++i) {
      const std::int64_t begin = offset(i), end = offset(i + 1);
      if (end < begin || static_cast<std::size_t>(end) > indices.size())
        detail::invalid("indptr", end, "row ", i,
                        " must end between its beginning and indices size = ", indices.size());
      for (std::int64_t j = begin, last = -1; j < end; last = indices[static_cast<std::size_t>(j++)])
        if (const auto c = indices[static_cast<std::size_t>(j)]; c <= last || static_cast<std::size_t>(c) >= m_dim)
          detail::invalid("index", c, "row ", i, " must ascend and stay below dim = ", m_dim);
    }
    if (static_cast<std::size_t>(offset(size())) != indices.size())
      detail::invalid("indptr back", offset(size()), "must equal indices size = ", indices.size());
  }

  const std::int64_t* m_wide = nullptr;  ///< one of the two, m_n_offsets of them
  const std::int32_t* m_narrow = nullptr;
  std::size_t m_n_offsets = 0;
  std::span<const std::int32_t> m_indices;
  std::span<const T> m_values;
  std::size_t m_dim = 0;
};

/// Sparse rows in compressed form, owned. Converts to a csr_view. Offsets of 32 bits are copied to 64.
template <class T>
class csr_matrix {
 public:
  using value_type = T;  ///< of stored values
  csr_matrix() = default;
  /// Takes the arrays over and checks them. \param indptr rows + 1 offsets, ascending from 0 \param indices
  /// indptr.back() coordinates, ascending in each row \param values one for each, or none for sets \param dim the
  /// number of coordinates \throws std::invalid_argument as csr_view does.
  csr_matrix(std::vector<std::int64_t> indptr, std::vector<std::int32_t> indices, std::vector<T> values,
             std::size_t dim)
      : m_indptr(std::move(indptr)), m_indices(std::move(indices)), m_values(std::move(values)), m_dim(dim) {
    static_cast<void>(csr_view<T>(m_indptr, m_indices, m_values, m_dim));
  }
  template <std::same_as<std::int32_t> Offset>
  csr_matrix(const std::vector<Offset>& indptr, std::vector<std::int32_t> indices, std::vector<T> values,
             std::size_t dim)
      : csr_matrix(std::vector<std::int64_t>(indptr.begin(), indptr.end()), std::move(indices), std::move(values),
                   dim) {}
  /// Sets: rows of indices without values.
  /// \throws std::invalid_argument as csr_view does.
  csr_matrix(std::vector<std::int64_t> indptr, std::vector<std::int32_t> indices, std::size_t dim)
      : csr_matrix(std::move(indptr), std::move(indices), std::vector<T>(), dim) {}
  template <std::same_as<std::int32_t> Offset>
  csr_matrix(const std::vector<Offset>& indptr, std::vector<std::int32_t> indices, std::size_t dim)
      : csr_matrix(indptr, std::move(indices), std::vector<T>(), dim) {}

  /// \returns the number of rows
  std::size_t size() const noexcept { return m_indptr.empty() ? 0 : m_indptr.size() - 1; }
  std::size_t dim() const noexcept { return m_dim; }                ///< \returns the number of coordinates
  std::size_t stored() const noexcept { return m_indices.size(); }  ///< \returns those stored in all rows together
  /// \returns false for sets that have members
  bool has_values() const noexcept { return m_values.size() == m_indices.size(); }
  /// \param i below size() \returns a view of row i
  sparse_row<T> row(std::size_t i) const noexcept { return csr_view<T>(*this).row(i); }
  /// Not checked again: O(1).
  operator csr_view<T>() const noexcept {
    return {m_indptr.data(), nullptr, m_indptr.size(), m_indices, m_values, m_dim};
  }

 private:
  std::vector<std::int64_t> m_indptr;
  std::vector<std::int32_t> m_indices;
  std::vector<T> m_values;
  std::size_t m_dim = 0;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
