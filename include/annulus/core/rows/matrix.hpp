#pragma once

/// \file
/// Rows of numbers: an owning matrix, a read-only view, and what converts to a view.

#include <annulus/core/base/assert.hpp>
#include <annulus/core/base/buffer.hpp>
#include <annulus/core/base/eigen_types.hpp>
#include <annulus/core/base/errors.hpp>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <type_traits>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {
/// What a matrix holds.
template <class T>
concept matrix_element = std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>;
}  // namespace detail

/// An owning matrix of `rows` x `cols` values, row-major and packed, zero on construction, its base 64-byte aligned.
template <class T>
class matrix {
  static_assert(
      detail::matrix_element<T>,
      "annulus: rows are one contiguous block of numbers: the elements of a matrix can be no text and no vectors");

 public:
  using value_type = T;  ///< of the elements

  matrix() = default;
  /// \param rows,cols its size \param value of every element \throws std::invalid_argument where rows * cols overflows.
  matrix(std::size_t rows, std::size_t cols, const T& value = T(0))
      : m_rows(rows), m_cols(cols), m_values(size_of(rows, cols), value) {}
  /// Takes over values. \param rows,cols its size \param values rows * cols
  matrix(std::size_t rows, std::size_t cols, detail::buffer<T> values) noexcept
      : m_rows(rows), m_cols(cols), m_values(std::move(values)) {}

  std::size_t rows() const noexcept { return m_rows; }  ///< \returns the number of rows
  std::size_t cols() const noexcept { return m_cols; }  ///< \returns the elements of a row
  std::size_t size() const noexcept { return m_rows; }  ///< \returns as a point set: the number of rows
  std::size_t dim() const noexcept { return m_cols; }   ///< \returns as a point set: coordinates of a row
  T* data() noexcept { return m_values.data(); }        ///< \returns the first element, of rows() * cols()
  const T* data() const noexcept { return m_values.data(); }
  /// \param i below rows() \returns row i
  std::span<T> row(std::size_t i) noexcept {
    ANNULUS_ASSERT(i < m_rows);
    return {data() + i * m_cols, m_cols};
  }
  std::span<const T> row(std::size_t i) const noexcept {
    ANNULUS_ASSERT(i < m_rows);
    return {data() + i * m_cols, m_cols};
  }
  /// \param i below rows() \param j below cols() \returns the element
  T& operator()(std::size_t i, std::size_t j) noexcept { return m_values[place_of(i, j)]; }
  const T& operator()(std::size_t i, std::size_t j) const noexcept { return m_values[place_of(i, j)]; }

  friend bool operator==(const matrix&, const matrix&) = default;

 private:
  static std::size_t size_of(std::size_t rows, std::size_t cols) {
    return detail::checked_product(detail::checked_product(rows, cols, "rows"), sizeof(T), "rows * cols") / sizeof(T);
  }

  std::size_t place_of(std::size_t i, std::size_t j) const noexcept {
    ANNULUS_ASSERT(i < m_rows && j < m_cols);
    return i * m_cols + j;
  }

  std::size_t m_rows = 0, m_cols = 0;
  detail::buffer<T> m_values;
};

namespace detail {
template <class M>
concept eigen_matrix = std::derived_from<M, Eigen::DenseBase<M>>;
/// An Eigen matrix, map, ref or block, but no other expression.
template <class M>
concept eigen_memory = eigen_matrix<M> && requires(const M& m) {
  m.data();
  m.innerStride();
  m.outerStride();
};
template <class R, class T>
concept contiguous_of = !eigen_matrix<R> && requires(const R& row) {
  { std::begin(row) } -> std::contiguous_iterator;
  { std::size(row) } -> std::convertible_to<std::size_t>;
  requires std::same_as<std::remove_cv_t<std::remove_pointer_t<decltype(std::data(row))>>, T>;
};
}  // namespace detail

/// Read-only rows owned by someone else: `rows` x `cols` values, row i at data + i * stride. Converts from matrix<T>,
/// from any row-major Eigen matrix, map, ref or block, and from a contiguous range (span, vector, array) as one row.
/// An index copies what it is given; a view itself must not outlive its data.
template <class T>
class matrix_view {
  static_assert(!std::is_const_v<T>, "annulus: a matrix_view is read-only already: matrix_view<float>, without const");

 public:
  using value_type = T;  ///< of the elements

  matrix_view() = default;
  /// \param data element 0 of row 0 \param rows,cols the size \throws std::invalid_argument for rows * cols that
  /// overflows.
  matrix_view(const T* data, std::size_t rows, std::size_t cols) : matrix_view(data, rows, cols, cols) {}
  /// \param data element 0 of row 0 \param rows,cols the size \param stride elements from one row to the next
  /// \throws std::invalid_argument for stride < cols, or rows * stride that overflows.
  matrix_view(const T* data, std::size_t rows, std::size_t cols, std::size_t stride)
      : m_data(data), m_rows(rows), m_cols(cols), m_stride(stride) {
    if (stride < cols) detail::invalid("stride", stride, "must be at least cols = ", cols);
    detail::checked_product(detail::checked_product(rows, stride, "rows"), sizeof(T), "rows * stride");
  }

  /// \param m must outlive this
  matrix_view(const matrix<T>& m) noexcept : m_data(m.data()), m_rows(m.rows()), m_cols(m.cols()), m_stride(m.cols()) {}

  /// One row. \param row a span, vector, array or other contiguous range, which must outlive this
  template <detail::contiguous_of<T> R>
  matrix_view(const R& row) noexcept : m_data(std::data(row)), m_rows(1), m_cols(std::size(row)), m_stride(m_cols) {}

  /// \param m a row-major Eigen matrix, map, ref or block, which must outlive this
  /// \throws std::invalid_argument for a map whose inner stride is not 1.
  template <detail::eigen_matrix M>
    requires std::same_as<typename M::Scalar, T> matrix_view(const M& m)
        : m_rows(static_cast<std::size_t>(m.rows())), m_cols(static_cast<std::size_t>(m.cols())) {
      constexpr bool in_memory = detail::eigen_memory<M>;
      static_assert(in_memory, "annulus: an Eigen expression has no rows in memory; evaluate it into a matrix first");
      static_assert(
          !in_memory || M::IsRowMajor,
          "annulus: this Eigen matrix is column-major; pass a row-major one, or columns_as_points(m) where each "
          "column is a point");
      if constexpr (in_memory && M::IsRowMajor) {
        if (m.innerStride() != 1) detail::invalid("inner stride", m.innerStride(), "must be 1");
        m_data = m.data();
        m_stride = m_rows > 1 ? static_cast<std::size_t>(m.outerStride()) : m_cols;
      }
    }

    std::size_t rows() const noexcept { return m_rows; }      ///< \returns the number of rows
    std::size_t cols() const noexcept { return m_cols; }      ///< \returns the elements of a row
    std::size_t stride() const noexcept { return m_stride; }  ///< \returns elements from one row to the next
    std::size_t size() const noexcept { return m_rows; }      ///< \returns as a point set: the number of rows
    std::size_t dim() const noexcept { return m_cols; }       ///< \returns as a point set: coordinates of a row
    const T* data() const noexcept { return m_data; }         ///< \returns element 0 of row 0
    /// \param i below rows() \returns row i
    std::span<const T> row(std::size_t i) const noexcept {
      ANNULUS_ASSERT(i < m_rows);
      return {m_data + i * m_stride, m_cols};
    }
    /// \param first,count rows first to first + count \returns a view of these
    matrix_view middle_rows(std::size_t first, std::size_t count) const noexcept {
      ANNULUS_ASSERT(first <= m_rows && count <= m_rows - first);
      matrix_view part = *this;
      part.m_data += first * m_stride;
      part.m_rows = count;
      return part;
    }

   private:
    const T* m_data = nullptr;
    std::size_t m_rows = 0, m_cols = 0, m_stride = 0;
};

/// Columns as points, without a copy. \param m a column-major Eigen matrix, d x n \returns a view of n rows of d
/// \throws std::invalid_argument for a map whose inner stride is not 1.
template <detail::eigen_matrix M>
matrix_view<typename M::Scalar> columns_as_points(const M& m) {
  static_assert(detail::eigen_memory<M> && !M::IsRowMajor,
                "annulus: columns_as_points takes a column-major matrix in memory");
  if (m.innerStride() != 1) detail::invalid("inner stride", m.innerStride(), "must be 1");
  const auto n = static_cast<std::size_t>(m.cols()), d = static_cast<std::size_t>(m.rows());
  return {m.data(), n, d, n > 1 ? static_cast<std::size_t>(m.outerStride()) : d};
}

namespace detail {
template <class M>
struct value_of {};
template <class M>
  requires requires { typename M::value_type; } &&(!eigen_matrix<M>)struct value_of<M> {
    using type = std::remove_cv_t<typename M::value_type>;
  };
  template <eigen_matrix M>
  struct value_of<M> {
    using type = typename M::Scalar;
  };
}  // namespace detail

/// The element type of a matrix, a view, an Eigen matrix or a contiguous range.
template <class M>
using value_t = typename detail::value_of<std::remove_cvref_t<M>>::type;

/// What converts to a matrix_view of its element type.
template <class M>
concept matrix_like = detail::matrix_element<value_t<M>> && std::convertible_to<const M&, matrix_view<value_t<M>>>;

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
