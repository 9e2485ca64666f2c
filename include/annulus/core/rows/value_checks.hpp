#pragma once

/// \file
/// Checks of rows for NaN and infinity.

#include <annulus/core/base/float_bits.hpp>
#include <annulus/core/rows/csr_matrix.hpp>
#include <annulus/core/rows/element_types.hpp>

#include <algorithm>
#include <span>
#include <string_view>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

template <class T>
bool all_finite(std::span<const T> row) noexcept {
  if constexpr (is_byte<T>) return true;
  else return std::all_of(row.begin(), row.end(), [](T x) { return is_finite(x); });
}

template <class T>
bool is_finite_row(std::span<const T> row) noexcept {
  return all_finite(row);
}
template <class T>
bool is_finite_row(const sparse_row<T>& row) noexcept {
  return all_finite(row.values);
}

/// Throws std::invalid_argument naming the first sparse row with a NaN or an infinity.
template <class T>
void check_rows(const csr_view<T>& data, std::string_view name) {
  for (std::size_t i = 0; i < data.size(); ++i)
    for (std::size_t j = 0; j < data.row(i).values.size(); ++j)
      if (const T x = data.row(i).values[j]; !is_finite(x))
        invalid(name, static_cast<double>(x), "row ", i, ", coordinate ", data.row(i).indices[j],
                " must be a finite number");
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
