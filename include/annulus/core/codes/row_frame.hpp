#pragma once

/// \file
/// The part of a row that is rounded to 8-bit codes: the row less a centre, without the dimensions that are far wider
/// than all others.

#include <annulus/core/codes/row_centre.hpp>
#include <annulus/core/codes/row_sample.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// What the codes of one data set are relative to, under one product form. Holds scratch.
///
/// A centre c leaves differences as they are. Products (of rows divided by their norms under cosine) are <x, q> = <x -
/// c, q - w c> + w (<x, c> - |c|^2) + <c, q>, where all but the first term are offsets of x and of q. Each query has
/// its own weight w: 1 for a row, and for other queries the one that leaves the least of q to be rounded.
///
/// What is left in wide dimensions is kept as floats instead of being rounded. Their part of a rank is the square of
/// the difference, half of it under cosine, and the negative product under inner_product.
template <class T>
class row_frame {
 public:
  using lane = lane_t<T>;
  static constexpr std::size_t most_wide = 4;

  row_frame(product_form form, buffer<lane> centre, buffer<std::uint32_t> wide = {})
      : m_form(form),
        m_centre(std::move(centre)),
        m_wide(std::move(wide)),
        m_rest(dim()),
        m_kept(m_wide.size()),
        m_precise(dim()),
        m_precise_centre(m_centre.begin(), m_centre.end()) {
    if (form != product_form::squared_l2) m_centre_square = square(m_precise_centre.data());
  }

  std::size_t dim() const noexcept { return m_centre.size(); }
  const buffer<lane>& centre() const noexcept { return m_centre; }
  const buffer<std::uint32_t>& wide() const noexcept { return m_wide; }

  // Of the row taken last:
  lane* rest() noexcept { return m_rest.data(); }                  ///< what is to be rounded
  std::span<const float> kept() const noexcept { return m_kept; }  ///< of each wide dimension

  /// Takes a row, and returns its offset.
  float take(const T* row) noexcept {
    double along = 0;
    if (m_centre_square > 0 || (is_cosine() && !m_wide.empty())) {
      along = widen(row);
      subtract_centre(1);
    } else {
      subtract(row, m_centre.data(), dim(), m_rest.data());
      if (is_cosine()) {
        normalize(m_rest.data(), dim());
        return 0.5f;
      }
    }
    keep_wide();
    if (m_form == product_form::inner_product) return static_cast<float>(m_centre_square / 2 - along);
    const auto norm = static_cast<float>(detail::sqrt(square(m_rest.data())));
    return is_cosine() ? norm * norm / 2 : norm * norm;
  }

  /// Takes a query. Returns its offset, and the weight of the rows' offsets.
  float take_query(const T* row, float& weight) noexcept {
    weight = 1;
    if (m_centre_square == 0 || (is_cosine() && !m_wide.empty())) return take(row);
    const double along = widen(row);
    const double best = along / m_centre_square;
    weight =
        std::abs(best - 1) < 1e-6 ? 1.0f : static_cast<float>(best);  // a float near 1 has as large a rounding error
    const double share = static_cast<double>(weight), half = share * m_centre_square / 2;
    subtract_centre(share);
    keep_wide();
    return static_cast<float>(is_cosine() ? 1 - along + half - share / 2 : half - along);
  }

  /// Takes a row of zeros, which under cosine is not divided by its norm.
  void take_zero() noexcept {
    std::ranges::transform(m_centre, m_rest.begin(), std::negate());
    keep_wide();
  }

 private:
  bool is_cosine() const noexcept { return m_form == product_form::cosine; }
  template <class Lane>
  Lane square(const Lane* row) const noexcept {
    return one_to_one<kernels::inner_product>(row, row, dim());
  }

  /// m_precise becomes the row, divided by its norm under cosine. Returns its product with the centre.
  double widen(const T* row) noexcept {
    std::transform(row, row + dim(), m_precise.begin(), [](T x) { return static_cast<double>(x); });
    if (is_cosine()) normalize(m_precise.data(), dim());
    return one_to_one<kernels::inner_product>(m_precise.data(), m_precise_centre.data(), dim());
  }
  void subtract_centre(double share) noexcept {
    for (std::size_t j = 0; j < dim(); ++j) m_rest[j] = static_cast<lane>(m_precise[j] - share * m_precise_centre[j]);
  }
  void keep_wide() noexcept {
    for (std::size_t i = 0; i < m_wide.size(); ++i)
      m_kept[i] = static_cast<float>(std::exchange(m_rest[m_wide[i]], lane(0)));
  }

  product_form m_form;
  buffer<lane> m_centre;
  buffer<std::uint32_t> m_wide;
  double m_centre_square = 0;  ///< |c|^2 where ranks are products
  aligned_vector<lane> m_rest;
  std::vector<float> m_kept;
  aligned_vector<double> m_precise, m_precise_centre;
};

/// The frame of 8-bit codes. Under squared_l2 the centre is the rounded mean of the rows; under inner_product and
/// cosine there is none. Where the middle of each dimension leaves rows less than half as large, as with a dimension
/// far from 0 or a few rows far from all others, it is the centre instead, and the codes gain a bit or more. Wide
/// dimensions are those without which the codes of many rows gain three bits or more. O(d), from a sample.
template <class T>
row_frame<T> fit_row_frame(product_form form, matrix_view<T> data, bool keeps_wide) {
  using lane = lane_t<T>;
  row_sample<T> sample(form, data);
  auto centre = form == product_form::squared_l2 ? rounded_mean(data) : buffer<lane>(data.cols());
  auto middle = sample.middle();
  if (2 * sample.extent(middle) < sample.extent(centre)) centre = std::move(middle);
  buffer<std::uint32_t> wide;
  if (keeps_wide) wide = sample.wide(centre, row_frame<T>::most_wide, 8);
  return row_frame<T>(form, std::move(centre), std::move(wide));
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
