#pragma once

/// \file
/// The Euclidean norms of rows, and checks that rows and their squares are finite.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/kernels/scaled_sums.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/rows/value_checks.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Whether no row has a NaN, an infinity, or squares whose sum overflows.
template <class T>
bool norms_are_finite(matrix_view<T> data) noexcept {
  bool all = true;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    const T* row = data.row(i).data();
    all &= is_finite(static_cast<double>(one_to_one<kernels::inner_product>(row, row, data.cols())));
  }
  return all;
}

/// The greatest norm of the rows, of any size (infinite where it exceeds double). Throws std::invalid_argument naming
/// the first row with a NaN or an infinity, and the coordinate or, for rows that the metric has rewritten, the `limit`.
template <class T>
double greatest_norm(matrix_view<T> data, std::string_view name, const thread_team& team, std::string_view limit = {}) {
  std::vector<double> greatest(team.size(), 0.0);
  std::vector<std::size_t> first_bad(greatest.size(), data.rows());
  parallel_for(team, data.rows(), 4096, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    kernel_result<kernels::inner_product, T> greatest_square = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const std::span<const T> row = data.row(i);
      const auto square = sum_of<kernels::inner_product>(row, row);
      if (is_in_range(square)) {
        greatest_square = std::max(greatest_square, square);
        continue;
      }
      const double norm = norm_of(row);
      if (!is_finite(norm) && !all_finite(row)) first_bad[worker] = std::min(first_bad[worker], i);
      greatest[worker] = std::max(greatest[worker], norm);
    }
    greatest[worker] = std::max(greatest[worker], detail::sqrt(static_cast<double>(greatest_square)));
  });
  if (const std::size_t i = *std::min_element(first_bad.begin(), first_bad.end()); i < data.rows())
    for (std::size_t j = 0; j < data.cols(); ++j)
      if (const auto x = static_cast<double>(data.row(i)[j]); !is_finite(x)) {
        if (!limit.empty()) invalid(name, x, "row ", i, " ", limit);
        invalid(name, x, "row ", i, ", coordinate ", j, " must be a finite number");
      }
  return *std::max_element(greatest.begin(), greatest.end());
}

/// The same, but infinite where squares of a row overflow.
template <class T>
double check_rows(matrix_view<T> data, std::string_view name, const thread_team& team) {
  const double norm = greatest_norm(data, name, team);
  if (norm * norm < static_cast<double>(std::numeric_limits<lane_t<T>>::max()) / 2 || norms_are_finite(data))
    return norm;
  return std::numeric_limits<double>::infinity();
}

/// The greatest norm of sparse rows, as of dense ones.
template <class T>
double greatest_norm(const csr_view<T>& data, std::string_view name, const thread_team&) {
  check_rows(data, name);
  double greatest = 0;
  for (std::size_t i = 0; i < data.size(); ++i) greatest = std::max(greatest, norm_of(data.row(i)));
  return greatest;
}

/// Throws std::invalid_argument where norms_are_finite is false.
template <class T>
void check_norms(matrix_view<T> data, std::string_view name, const thread_team& team) {
  if (is_finite(check_rows(data, name, team))) return;
  std::size_t i = 0;
  while (norms_are_finite(data.middle_rows(i, 1))) ++i;
  invalid(name, "a row", "row ", i, " must not be so long that its squares overflow; scale the rows down");
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
