#pragma once

/// \file
/// What is subtracted from rows before they are rounded to few bits: the smaller what is left, the finer the bits.

#include <annulus/core/buffer.hpp>
#include <annulus/core/matrix.hpp>
#include <annulus/core/metric.hpp>

#include <numeric>

namespace annulus::inline ANNULUS_ARCH::detail {

/// out = a - b.
template <class T, class Lane>
void subtract(const T* a, const Lane* b, std::size_t n, Lane* out) noexcept {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<Lane>(a[i]) - b[i];
}

/// x is divided by its norm, which is returned as it is then: 0 or about 1.
template <class Lane>
Lane normalize(Lane* x, std::size_t n) noexcept {
  const Lane norm = std::sqrt(one_to_one<kernels::inner_product>(x, x, n));
  if (norm == 0) return 0;
  for (std::size_t i = 0; i < n; ++i) x[i] /= norm;
  const bool is_rough = norm < 1000 * std::sqrt(std::numeric_limits<Lane>::min());  // squares were subnormal
  return is_rough ? std::sqrt(one_to_one<kernels::inner_product>(x, x, n)) : 1;
}

/// The mean of some rows, in so few bits that small integers stay small integers, or nearly so.
template <class T>
buffer<lane_t<T>> rounded_mean(matrix_view<T> data) {
  using lane = lane_t<T>;
  buffer<lane> mean(data.cols(), lane(0));
  const std::size_t step = data.rows() / 256 + 1;
  lane count = 0, greatest = 0;
  for (std::size_t i = 0; i < data.rows(); i += step, ++count)
    for (std::size_t j = 0; j < data.cols(); ++j) mean[j] += static_cast<lane>(data.row(i)[j]);
  for (lane& c : mean) greatest = std::max(greatest, std::abs(c /= std::max(count, lane(1))));
  int exponent = 0;
  static_cast<void>(std::frexp(greatest, &exponent));
  const lane unit = std::ldexp(lane(1), std::max(exponent - 8, -100));
  for (lane& c : mean) c = std::round(c / unit) * unit;
  return mean;
}

/// The mean of the middle half of some values, which outliers do not move. Changes their order.
inline double midmean(std::span<double> values) noexcept {
  const auto quarter = static_cast<std::ptrdiff_t>(values.size() / 4);
  const auto low = values.begin() + quarter, high = values.end() - quarter;
  std::nth_element(values.begin(), low, values.end());
  if (quarter > 0) std::nth_element(low, high, values.end());
  return std::accumulate(low, high, 0.0) / static_cast<double>(high - low);
}

/// The centre of 8-bit codes. Where rows are compared by their differences, their rounded mean; under inner_product and
/// cosine, none. Where that leaves rows more than twice as large as the middle of each dimension does, as it is with a
/// dimension far from 0 and with rows far from all others, the latter: it gives the codes a bit or more. Under cosine
/// of rows divided by their norms. O(d), from a sample.
template <class T>
buffer<lane_t<T>> code_centre(product_form form, matrix_view<T> data) {
  using lane = lane_t<T>;
  const std::size_t dim = data.cols(), step = data.rows() / 256 + 1;
  auto usual = form == product_form::squared_l2 ? rounded_mean(data) : buffer<lane>(dim, lane(0));
  std::vector<const T*> rows;
  std::vector<double> factors;  // of the rows
  for (std::size_t i = 0; i < data.rows(); i += step) {
    const T* const row = data.row(i).data();
    double norm = 1;
    if (form == product_form::cosine) {
      const auto add_square = [](double sum, T x) { return sum + static_cast<double>(x) * static_cast<double>(x); };
      norm = std::sqrt(std::accumulate(row, row + dim, 0.0, add_square));
    }
    if (norm == 0) continue;  // it has no direction
    rows.push_back(row);
    factors.push_back(1 / norm);
  }
  if (rows.empty()) return usual;

  const std::size_t n = rows.size();
  buffer<lane> middle(dim, lane(0));
  std::vector<double> column(n), by_usual(n), by_middle(n);  // the greatest coordinates of rows less either centre
  const auto raise = [&](std::vector<double>& greatest, lane centre) {
    for (std::size_t i = 0; i < n; ++i)
      greatest[i] = std::max(greatest[i], std::abs(column[i] - static_cast<double>(centre)));
  };
  for (std::size_t j = 0; j < dim; ++j) {
    for (std::size_t i = 0; i < n; ++i) column[i] = static_cast<double>(rows[i][j]) * factors[i];
    raise(by_usual, usual[j]);
    middle[j] = static_cast<lane>(midmean(column));
    for (std::size_t i = 0; i < n; ++i) column[i] = static_cast<double>(rows[i][j]) * factors[i];
    raise(by_middle, middle[j]);
  }
  const auto typical = [](std::vector<double>& values) {
    const auto half = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), half, values.end());
    return *half;
  };
  return 2 * typical(by_middle) < typical(by_usual) ? middle : usual;
}

}  // namespace annulus::inline ANNULUS_ARCH::detail
