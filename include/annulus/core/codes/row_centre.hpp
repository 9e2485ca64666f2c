#pragma once

/// \file
/// The centre that is subtracted from rows before they are rounded to few bits: the smaller the coordinates that
/// remain, the finer the steps.

#include <annulus/core/base/buffer.hpp>
#include <annulus/core/base/random.hpp>
#include <annulus/core/metric/metric.hpp>
#include <annulus/core/rows/matrix.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// out = a - b.
template <class T, class Lane>
void subtract(const T* a, const Lane* b, std::size_t n, Lane* out) noexcept {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<Lane>(a[i]) - b[i];
}

/// Divides x by its norm, and returns the norm of the result: 0 or about 1.
template <class Lane>
Lane normalize(Lane* x, std::size_t n) noexcept {
  Lane norm = detail::sqrt(one_to_one<kernels::inner_product>(x, x, n));
  if (norm == 0) norm = static_cast<Lane>(norm_of(std::span<const Lane>(x, n)));  // squares may have underflowed
  if (norm == 0) return 0;
  for (std::size_t i = 0; i < n; ++i) x[i] /= norm;
  const bool is_rough = norm < 1000 * detail::sqrt(std::numeric_limits<Lane>::min());  // squares were subnormal
  return is_rough ? detail::sqrt(one_to_one<kernels::inner_product>(x, x, n)) : 1;
}

/// The mean of all rows, summed in doubles. O(n d).
template <class T>
buffer<lane_t<T>> mean_of_rows(matrix_view<T> data) {
  std::vector<double> sums(data.cols());
  for (std::size_t i = 0; i < data.rows(); ++i)
    for (std::size_t j = 0; j < data.cols(); ++j) sums[j] += static_cast<double>(data.row(i)[j]);
  buffer<lane_t<T>> mean(data.cols());
  const auto count = static_cast<double>(std::max<std::size_t>(data.rows(), 1));
  std::ranges::transform(sums, mean.begin(), [&](double sum) { return static_cast<lane_t<T>>(sum / count); });
  return mean;
}

/// The mean of some rows, rounded to so few bits that small integers less it are small integers, or nearly so.
template <class T>
buffer<lane_t<T>> rounded_mean(matrix_view<T> data) {
  using lane = lane_t<T>;
  buffer<lane> mean(data.cols(), lane(0));
  lane count = 0, greatest = 0;
  visit_sample(data.rows(), 256, [&](std::size_t i) {
    ++count;
    for (std::size_t j = 0; j < data.cols(); ++j) mean[j] += static_cast<lane>(data.row(i)[j]);
  });
  for (lane& c : mean) greatest = std::max(greatest, std::abs(c /= std::max(count, lane(1))));
  int exponent = 0;
  static_cast<void>(std::frexp(greatest, &exponent));
  const lane unit = std::ldexp(lane(1), std::max(exponent - 8, -100));
  for (lane& c : mean) c = std::round(c / unit) * unit;
  return mean;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
