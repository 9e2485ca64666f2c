#pragma once

/// \file
/// Rows of the C interface as the views that templates take.

#include <annulus/annulus.h>
#include <annulus/core/rows/bit_matrix.hpp>
#include <annulus/core/rows/row_types.hpp>

#include <Eigen/Core>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

template <class T>
constexpr annulus_dtype dtype_of() noexcept {
  if constexpr (std::same_as<T, double>) return ANNULUS_F64;
  else if constexpr (std::same_as<T, Eigen::half>) return ANNULUS_F16;
  else if constexpr (std::same_as<T, Eigen::bfloat16>) return ANNULUS_BF16;
  else if constexpr (std::same_as<T, std::uint8_t>) return ANNULUS_U8;
  else if constexpr (std::same_as<T, std::int8_t>) return ANNULUS_I8;
  else return ANNULUS_F32;
}

inline std::string_view name_of(annulus_dtype dtype) {
  switch (dtype) {
    case ANNULUS_F32:
      return scalar_name<float>();
    case ANNULUS_F64:
      return scalar_name<double>();
    case ANNULUS_F16:
      return scalar_name<Eigen::half>();
    case ANNULUS_BF16:
      return scalar_name<Eigen::bfloat16>();
    case ANNULUS_U8:
      return scalar_name<std::uint8_t>();
    case ANNULUS_I8:
      return scalar_name<std::int8_t>();
  }
  invalid("dtype", static_cast<int>(dtype), "must be one of annulus_dtype");
}

/// "rows of float32", "sparse rows of float32", "rows of bits".
inline std::string describe(const annulus_rows& rows) {
  if (rows.layout == ANNULUS_BITS) return "rows of bits";
  return (rows.layout == ANNULUS_CSR ? "sparse rows of " : "rows of ") + std::string(name_of(rows.dtype));
}

/// The same for an index of Points; `bits`: of a row of bits, else 0.
template <class Points>
std::string describe_rows(std::size_t bits) {
  return bits > 0 ? "rows of bits" : points_name<Points>();
}

/// Rows as a view of the kind that goes with Points, a matrix or a csr_matrix; copied only where columns are apart.
/// Rows of bits are a matrix of bytes. \throws std::invalid_argument for rows of another kind than Points, null
/// pointers, bits set behind the last of a row, and what the views refuse.
template <class Points>
class row_access {
  using T = typename Points::value_type;
  static constexpr bool is_sparse = std::same_as<Points, csr_matrix<T>>;

 public:
  using view_type = view_of<Points>;

  row_access(const annulus_rows& rows, std::string_view name) : m_bits(rows.layout == ANNULUS_BITS ? rows.dim : 0) {
    if ((rows.layout == ANNULUS_CSR) != is_sparse || rows.dtype != dtype_of<T>())
      invalid(name, describe(rows), "must be ", points_name<Points>());
    if constexpr (is_sparse) {
      if (rows.indptr == nullptr) invalid(name, "indptr", "must not be null");
      const auto stored = static_cast<std::size_t>(std::max<std::int64_t>(rows.indptr[rows.n], 0));
      if (stored > 0 && rows.indices == nullptr) invalid(name, "indices", "must not be null");
      const auto* const values = static_cast<const T*>(rows.data);
      m_view = view_type({rows.indptr, rows.n + 1}, {rows.indices, stored},
                         std::span<const T>(values, values == nullptr ? 0 : stored), rows.dim);
    } else {
      const std::size_t width = m_bits > 0 ? m_bits / 8 + (m_bits % 8 != 0) : rows.dim;
      if (rows.data == nullptr && rows.n * width > 0) invalid(name, "data", "must not be null");
      const auto* const data = static_cast<const T*>(rows.data);
      const auto row_stride = rows.n > 1 ? rows.row_stride : static_cast<std::ptrdiff_t>(width);
      const bool is_contiguous = rows.layout == ANNULUS_BITS || rows.column_stride == 1 || width <= 1;
      if (is_contiguous && row_stride >= static_cast<std::ptrdiff_t>(width)) {
        m_view = view_type(data, rows.n, width, static_cast<std::size_t>(row_stride));
        check_bits(name);
        return;
      }
      const std::ptrdiff_t column_stride = rows.layout == ANNULUS_BITS ? 1 : rows.column_stride;
      m_copy = matrix<T>(rows.n, width);
      for (std::size_t i = 0; i < rows.n; ++i)
        for (std::size_t j = 0; j < width; ++j)
          m_copy(i, j) =
              data[static_cast<std::ptrdiff_t>(i) * row_stride + static_cast<std::ptrdiff_t>(j) * column_stride];
      m_view = view_type(m_copy);
      check_bits(name);
    }
  }
  row_access(const row_access&) = delete;
  row_access& operator=(const row_access&) = delete;

  const view_type& view() const noexcept { return m_view; }
  std::size_t bits() const noexcept { return m_bits; }  ///< of a row of bits, else 0

 private:
  /// Bits behind the last of a row would count as coordinates.
  void check_bits(std::string_view name) const {
    if constexpr (std::same_as<T, std::uint8_t> && !is_sparse)
      if (m_bits > 0) check_padding(m_view, m_bits, name);
  }

  struct nothing {};
  std::size_t m_bits;
  std::conditional_t<is_sparse, nothing, matrix<T>> m_copy;
  view_type m_view;
};

/// Calls f.operator()<Points>() for the point set that an index of such rows has.
template <class F>
decltype(auto) with_points_of(const annulus_rows& rows, F&& f) {
  if (rows.layout == ANNULUS_CSR) {
    if (rows.dtype == ANNULUS_F32) return f.template operator()<csr_matrix<float>>();
    if (rows.dtype == ANNULUS_F64) return f.template operator()<csr_matrix<double>>();
    invalid("rows", describe(rows), "sparse rows must be of float32 or float64");
  }
  if (rows.layout == ANNULUS_BITS && rows.dtype != ANNULUS_U8)
    invalid("rows", name_of(rows.dtype), "rows of bits must be packed into uint8");
  switch (rows.dtype) {
    case ANNULUS_F32:
      return f.template operator()<matrix<float>>();
    case ANNULUS_F64:
      return f.template operator()<matrix<double>>();
    case ANNULUS_F16:
      return f.template operator()<matrix<Eigen::half>>();
    case ANNULUS_BF16:
      return f.template operator()<matrix<Eigen::bfloat16>>();
    case ANNULUS_U8:
      return f.template operator()<matrix<std::uint8_t>>();
    case ANNULUS_I8:
      return f.template operator()<matrix<std::int8_t>>();
  }
  invalid("dtype", static_cast<int>(rows.dtype), "must be one of annulus_dtype");
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
