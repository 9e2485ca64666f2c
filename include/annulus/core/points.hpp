#pragma once

/// \file
/// Point sets: what an algorithm needs of the data, however a row is stored.

#include <annulus/core/matrix.hpp>

#include <annulus/core/macros_off.hpp>

namespace annulus::inline ANNULUS_ARCH {

/// size() rows of dim() coordinates, row(i) cheap and valid as long as the set.
template <class P>
concept point_set = requires(const P& p, std::size_t i) {
  { p.size() } -> std::convertible_to<std::size_t>;
  { p.dim() } -> std::convertible_to<std::size_t>;
  p.row(i);
};

template <point_set P>
using row_t = decltype(std::declval<const P&>().row(std::size_t{}));

/// One sparse row: values at strictly increasing coordinates, zero elsewhere. Of a set, which is its indices, there are
/// no values: only metrics of sets take such a row.
template <class T>
struct sparse_row {
  std::span<const std::int32_t> indices;
  std::span<const T> values;
  std::size_t dim = 0;
};

template <class T>
class csr_matrix;

/// Sparse rows in compressed form, owned by someone else: row i holds indptr[i] to indptr[i + 1].
template <class T>
class csr_view {
 public:
  using value_type = T;
  csr_view() = default;
  /// Shapes: indptr rows + 1, ascending from 0; indices and values indptr.back(), or no values for sets. O(stored).
  /// \throws std::invalid_argument where the arrays do not fit together or an index is out of order or >= dim.
  csr_view(std::span<const std::int64_t> indptr, std::span<const std::int32_t> indices, std::span<const T> values,
           std::size_t dim)
      : m_indptr(indptr), m_indices(indices), m_values(values), m_dim(dim) {
    if (indptr.empty() || indptr[0] != 0) detail::invalid("indptr size", indptr.size(), "must start with 0");
    if (!values.empty() && indices.size() != values.size())
      detail::invalid("indices size", indices.size(), "must equal values size = ", values.size());
    for (std::size_t i = 0; i < size(); ++i) {
      if (indptr[i + 1] < indptr[i] || static_cast<std::size_t>(indptr[i + 1]) > indices.size())
        detail::invalid("indptr", indptr[i + 1], "row ", i, " must end between its begin and ", indices.size());
      for (std::int64_t j = indptr[i], last = -1; j < indptr[i + 1]; last = indices[static_cast<std::size_t>(j++)])
        if (const auto c = indices[static_cast<std::size_t>(j)]; c <= last || static_cast<std::size_t>(c) >= dim)
          detail::invalid("index", c, "row ", i, " must ascend and stay below dim = ", dim);
    }
    if (static_cast<std::size_t>(indptr.back()) != indices.size())
      detail::invalid("indptr back", indptr.back(), "must equal indices size = ", indices.size());
  }
  /// Sets: rows of indices without values.
  /// \throws std::invalid_argument as above.
  csr_view(std::span<const std::int64_t> indptr, std::span<const std::int32_t> indices, std::size_t dim)
      : csr_view(indptr, indices, {}, dim) {}

  std::size_t size() const noexcept { return m_indptr.empty() ? 0 : m_indptr.size() - 1; }
  std::size_t dim() const noexcept { return m_dim; }
  /// How many coordinates are stored in all rows.
  std::size_t stored() const noexcept { return m_indices.size(); }
  /// False for sets that have members.
  bool has_values() const noexcept { return m_values.size() == m_indices.size(); }
  sparse_row<T> row(std::size_t i) const noexcept {
    const auto begin = static_cast<std::size_t>(m_indptr[i]), count = static_cast<std::size_t>(m_indptr[i + 1]) - begin;
    const auto values = m_values.empty() ? m_values : m_values.subspan(begin, count);
    return {m_indices.subspan(begin, count), values, m_dim};
  }

 private:
  friend class csr_matrix<T>;

  std::span<const std::int64_t> m_indptr;
  std::span<const std::int32_t> m_indices;
  std::span<const T> m_values;
  std::size_t m_dim = 0;
};

/// Sparse rows in compressed form, owned. Converts to a csr_view.
template <class T>
class csr_matrix {
 public:
  using value_type = T;
  csr_matrix() = default;
  /// \throws std::invalid_argument as csr_view does.
  csr_matrix(std::vector<std::int64_t> indptr, std::vector<std::int32_t> indices, std::vector<T> values,
             std::size_t dim)
      : m_indptr(std::move(indptr)), m_indices(std::move(indices)), m_values(std::move(values)), m_dim(dim) {
    static_cast<void>(csr_view<T>(m_indptr, m_indices, m_values, m_dim));
  }
  /// Sets: rows of indices without values.
  /// \throws std::invalid_argument as csr_view does.
  csr_matrix(std::vector<std::int64_t> indptr, std::vector<std::int32_t> indices, std::size_t dim)
      : csr_matrix(std::move(indptr), std::move(indices), std::vector<T>(), dim) {}

  std::size_t size() const noexcept { return m_indptr.empty() ? 0 : m_indptr.size() - 1; }
  std::size_t dim() const noexcept { return m_dim; }
  std::size_t stored() const noexcept { return m_indices.size(); }
  bool has_values() const noexcept { return m_values.size() == m_indices.size(); }
  sparse_row<T> row(std::size_t i) const noexcept { return csr_view<T>(*this).row(i); }
  /// Not checked again: O(1).
  operator csr_view<T>() const noexcept {
    csr_view<T> view;
    view.m_indptr = m_indptr;
    view.m_indices = m_indices;
    view.m_values = m_values;
    view.m_dim = m_dim;
    return view;
  }

 private:
  std::vector<std::int64_t> m_indptr;
  std::vector<std::int32_t> m_indices;
  std::vector<T> m_values;
  std::size_t m_dim = 0;
};

/// Rows of bits packed eight to a byte, the first in the lowest bit; the unused bits of a last byte are zero.
/// row(i) is a span of bytes, dim() counts them.
class bit_matrix : public matrix<std::uint8_t> {
 public:
  bit_matrix() = default;
  /// All bits zero.
  bit_matrix(std::size_t rows, std::size_t bits) : matrix(rows, bits / 8 + (bits % 8 != 0)), m_bits(bits) {}

  friend bool operator==(const bit_matrix&, const bit_matrix&) = default;

  std::size_t bits() const noexcept { return m_bits; }
  bool test(std::size_t i, std::size_t bit) const noexcept { return ((*this)(i, bit / 8) >> (bit % 8) & 1u) != 0; }
  void set(std::size_t i, std::size_t bit, bool value = true) noexcept {
    const auto flag = static_cast<std::uint8_t>(1u << (bit % 8));
    std::uint8_t& byte = (*this)(i, bit / 8);
    byte = static_cast<std::uint8_t>(value ? byte | flag : byte & ~flag);
  }

 private:
  std::size_t m_bits = 0;
};

}  // namespace annulus::inline ANNULUS_ARCH

#include <annulus/core/macros_on.hpp>
