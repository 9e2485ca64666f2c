#pragma once

/// \file
/// any_rows: rows of any layout and type of numbers, known at run time, in memory of the caller.

#include <annulus/annulus.h>
#include <annulus/core/rows/matrix.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The types of coordinates.
enum class dtype {
  f32 = ANNULUS_F32,    ///< float
  f64 = ANNULUS_F64,    ///< double
  f16 = ANNULUS_F16,    ///< IEEE half precision
  bf16 = ANNULUS_BF16,  ///< the upper half of a float
  u8 = ANNULUS_U8,      ///< std::uint8_t
  i8 = ANNULUS_I8       ///< std::int8_t
};

namespace detail {

template <class T>
struct dtype_of_element {};
template <>
struct dtype_of_element<float> : std::integral_constant<dtype, dtype::f32> {};
template <>
struct dtype_of_element<double> : std::integral_constant<dtype, dtype::f64> {};
template <>
struct dtype_of_element<Eigen::half> : std::integral_constant<dtype, dtype::f16> {};
template <>
struct dtype_of_element<Eigen::bfloat16> : std::integral_constant<dtype, dtype::bf16> {};
template <>
struct dtype_of_element<std::uint8_t> : std::integral_constant<dtype, dtype::u8> {};
template <>
struct dtype_of_element<std::int8_t> : std::integral_constant<dtype, dtype::i8> {};

/// Rows of packed bits, as bit_matrix has them.
template <class M>
concept rows_of_bits = requires(const M& m) {
  { m.bits() } -> std::convertible_to<std::size_t>;
  { m.bytes() } -> std::convertible_to<matrix_view<std::uint8_t>>;
};

template <class M>
using element_of = std::remove_cv_t<typename M::value_type>;

/// matrix, matrix_view, and ranges of numbers, each of which is one row.
template <class M>
concept rows_of_numbers = !rows_of_bits<M> && !eigen_matrix<M> && requires {
  dtype_of_element<element_of<M>>::value;
  requires std::convertible_to<const M&, matrix_view<element_of<M>>>;
};
/// Row-major matrices of Eigen.
template <class M>
concept eigen_dense_rows = eigen_matrix<M> && requires {
  dtype_of_element<typename M::Scalar>::value;
};

}  // namespace detail

/// A view: it copies nothing and must not outlive what it refers to. Converts from what a matrix_view converts from
/// (matrix, row-major Eigen matrices, a span or vector as one row), and from bit_matrix.
class any_rows {
 public:
  /// Values row after row. \param type of the values \param data n x d of them \param n rows \param d coordinates of a
  /// row
  any_rows(dtype type, const void* data, std::size_t n, std::size_t d) noexcept
      : any_rows(type, data, n, d, static_cast<std::ptrdiff_t>(d), 1) {}
  /// Value (i, j) at data + i * row_stride + j * column_stride. An index copies rows whose columns are apart. \param
  /// type,data,n,d as above \param row_stride,column_stride in values; may be negative
  any_rows(dtype type, const void* data, std::size_t n, std::size_t d, std::ptrdiff_t row_stride,
           std::ptrdiff_t column_stride = 1) noexcept
      : m_rows{ANNULUS_DENSE, static_cast<annulus_dtype>(type), n, d, data, row_stride, column_stride, nullptr,
               nullptr} {}

  /// Compressed sparse rows: row i has the coordinates indices[indptr[i]] to indices[indptr[i + 1]], and their values.
  /// \param type f32 or f64 \param n rows \param d coordinates of a row \param indptr n + 1 \param indices ascending in
  /// each row \param values as many as indices; null for sets \returns a view of them
  static any_rows csr(dtype type, std::size_t n, std::size_t d, const std::int64_t* indptr, const std::int32_t* indices,
                      const void* values) noexcept {
    any_rows rows(type, values, n, d, 0);
    rows.m_rows.layout = ANNULUS_CSR;
    rows.m_rows.indptr = indptr;
    rows.m_rows.indices = indices;
    return rows;
  }
  /// Packed bits: bit j in bit j % 8 of byte j / 8, as numpy.packbits(bitorder="little") has them. \param data the
  /// bytes \param n rows \param n_bits of a row \param row_bytes from one row to the next; by default the fewest that
  /// hold n_bits \returns a view of them
  static any_rows bits(const void* data, std::size_t n, std::size_t n_bits, std::size_t row_bytes) noexcept {
    any_rows rows(dtype::u8, data, n, n_bits, static_cast<std::ptrdiff_t>(row_bytes));
    rows.m_rows.layout = ANNULUS_BITS;
    return rows;
  }
  static any_rows bits(const void* data, std::size_t n, std::size_t n_bits) noexcept {
    return bits(data, n, n_bits, n_bits / 8 + (n_bits % 8 != 0));
  }

  /// \param rows of this library, of Eigen, or a range of numbers, which is one row \throws std::invalid_argument for a
  /// map of Eigen whose inner stride is not 1
  template <detail::rows_of_numbers M>
  any_rows(const M& rows) : any_rows(matrix_view<detail::element_of<M>>(rows), unit{}) {}
  template <detail::eigen_dense_rows M>
  any_rows(const M& rows) : any_rows(matrix_view<typename M::Scalar>(rows), unit{}) {}
  template <detail::rows_of_bits M>
  any_rows(const M& rows) : any_rows(bits(matrix_view<std::uint8_t>(rows.bytes()).data(), rows.rows(), rows.bits())) {}

  dtype type() const noexcept { return static_cast<dtype>(m_rows.dtype); }  ///< \returns that of values; of bits, u8
  std::size_t size() const noexcept { return m_rows.n; }                    ///< \returns rows
  std::size_t dim() const noexcept { return m_rows.dim; }          ///< \returns coordinates of a row; of bits, bits
  const annulus_rows* c_rows() const noexcept { return &m_rows; }  ///< \returns the same for the C interface

 private:
  struct unit {};
  template <class T>
  any_rows(const matrix_view<T>& rows, unit) noexcept
      : any_rows(detail::dtype_of_element<T>::value, rows.data(), rows.rows(), rows.cols(),
                 static_cast<std::ptrdiff_t>(rows.stride())) {}

  annulus_rows m_rows;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
