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

/// Sparse rows in compressed form, owned by someone else: row i holds indptr[i] to indptr[i + 1]. Offsets are 64 or 32
/// bits wide (scipy's are either), and taken as they are, without a copy.
template <class T>
class csr_view {
 public:
  using value_type = T;
  csr_view() = default;
  /// Shapes: indptr rows + 1, ascending from 0; indices and values indptr.back(), or no values for sets. O(stored).
  /// \throws std::invalid_argument where the arrays do not fit together or an index is out of order or >= dim.
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

  std::size_t size() const noexcept { return m_n_offsets == 0 ? 0 : m_n_offsets - 1; }
  std::size_t dim() const noexcept { return m_dim; }
  /// How many coordinates are stored in all rows.
  std::size_t stored() const noexcept { return m_indices.size(); }
  /// False for sets that have members.
  bool has_values() const noexcept { return m_values.size() == m_indices.size(); }
  sparse_row<T> row(std::size_t i) const noexcept {
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
    if (m_n_offsets == 0 || offset(0) != 0) detail::invalid("indptr size", m_n_offsets, "must start with 0");
    if (!m_values.empty() && indices.size() != m_values.size())
      detail::invalid("indices size", indices.size(), "must equal values size = ", m_values.size());
    for (std::size_t i = 0; i < size(); ++i) {
      const std::int64_t begin = offset(i), end = offset(i + 1);
      if (end < begin || static_cast<std::size_t>(end) > indices.size())
        detail::invalid("indptr", end, "row ", i, " must end between its begin and ", indices.size());
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
  using value_type = T;
  csr_matrix() = default;
  /// \throws std::invalid_argument as csr_view does.
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

  std::size_t size() const noexcept { return m_indptr.empty() ? 0 : m_indptr.size() - 1; }
  std::size_t dim() const noexcept { return m_dim; }
  std::size_t stored() const noexcept { return m_indices.size(); }
  bool has_values() const noexcept { return m_values.size() == m_indices.size(); }
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

/// Rows of bits packed eight to a byte, the first in the lowest bit; the unused bits of a last byte are zero, and
/// nothing writes to them. row(i) is a span of bytes, dim() counts them. Converts to a matrix_view of the bytes.
class bit_matrix {
 public:
  using value_type = std::uint8_t;

  bit_matrix() = default;
  /// All bits zero.
  bit_matrix(std::size_t rows, std::size_t bits) : m_bytes(rows, bytes_for(bits)), m_bits(bits) {}
  /// Rows that are packed already, as numpy.packbits(bitorder="little") packs them.
  /// \throws std::invalid_argument for rows of other than bits / 8 bytes, rounded up, and for a bit that is set behind
  /// the last.
  bit_matrix(matrix<std::uint8_t> bytes, std::size_t bits) : m_bytes(std::move(bytes)), m_bits(bits) {
    if (cols() != bytes_for(bits))
      detail::invalid("bytes.cols()", cols(), "must be ", bytes_for(bits), ", for the bits");
    if (bits % 8 == 0) return;
    for (std::size_t i = 0; i < rows(); ++i)
      if (row(i).back() >> bits % 8 != 0)
        detail::invalid("bytes", "padding", "row ", i, " has a bit set behind the last of its ", bits,
                        " bits: clear it");
  }

  friend bool operator==(const bit_matrix&, const bit_matrix&) = default;

  std::size_t rows() const noexcept { return m_bytes.rows(); }
  std::size_t cols() const noexcept { return m_bytes.cols(); }  ///< bytes of a row
  std::size_t bits() const noexcept { return m_bits; }          ///< bits of a row
  std::size_t size() const noexcept { return rows(); }          ///< as a point set: how many rows
  std::size_t dim() const noexcept { return cols(); }           ///< as a point set: how long they are, in bytes
  const matrix<std::uint8_t>& bytes() const noexcept { return m_bytes; }  ///< the rows, packed
  const std::uint8_t* data() const noexcept { return m_bytes.data(); }
  std::span<const std::uint8_t> row(std::size_t i) const noexcept { return m_bytes.row(i); }
  std::uint8_t operator()(std::size_t i, std::size_t byte) const noexcept { return m_bytes(i, byte); }
  operator matrix_view<std::uint8_t>() const noexcept { return m_bytes; }

  /// \throws std::invalid_argument for a bit that is not below bits().
  bool test(std::size_t i, std::size_t bit) const {
    check(bit);
    return (m_bytes(i, bit / 8) >> (bit % 8) & 1u) != 0;
  }
  /// \throws std::invalid_argument for a bit that is not below bits().
  void set(std::size_t i, std::size_t bit, bool value = true) {
    check(bit);
    const auto flag = static_cast<std::uint8_t>(1u << (bit % 8));
    std::uint8_t& byte = m_bytes(i, bit / 8);
    byte = static_cast<std::uint8_t>(value ? byte | flag : byte & ~flag);
  }
  /// Row i from a value for each bit, set where that is not 0. O(bits).
  /// \throws std::invalid_argument for other than bits() values.
  void assign(std::size_t i, std::span<const std::uint8_t> values) {
    if (values.size() != m_bits) detail::invalid("values.size()", values.size(), "must be bits() = ", m_bits);
    const std::span<std::uint8_t> bytes = m_bytes.row(i);
    for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
      unsigned packed = 0;
      const std::size_t n = std::min<std::size_t>(8, m_bits - 8 * byte);
      for (std::size_t b = 0; b < n; ++b) packed |= unsigned{values[8 * byte + b] != 0} << b;
      bytes[byte] = static_cast<std::uint8_t>(packed);
    }
  }

 private:
  static std::size_t bytes_for(std::size_t bits) noexcept { return bits / 8 + (bits % 8 != 0); }
  void check(std::size_t bit) const {
    if (bit >= m_bits) detail::invalid("bit", bit, "must be below bits() = ", m_bits);
  }

  matrix<std::uint8_t> m_bytes;
  std::size_t m_bits = 0;
};

namespace detail {

/// A metric of packed bits, or a family of them, for these points: where it was not told how many bits rows have, a
/// bit_matrix tells it, as its last bytes may have more.
template <class Metric, class Points>
Metric told_of_bits(Metric metric, const Points& points) {
  if constexpr (requires { metric.bits = points.bits(); })
    if (metric.bits == 0) metric.bits = points.bits();
  return metric;
}

}  // namespace detail
}  // namespace annulus::inline ANNULUS_ARCH

#include <annulus/core/macros_on.hpp>
