#pragma once

/// \file
/// Rows as small integers: 16 or 8 bits a coordinate and one scale a row, with the error of the rounding known.

#include <annulus/core/codes/row_centre.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Two 16-bit or four 8-bit neighbouring coordinates of a quantised row: what a multiply-add takes at once.
using coordinate_word = std::int32_t;
template <class Coordinate>
inline constexpr std::size_t coordinates_a_word = sizeof(coordinate_word) / sizeof(Coordinate);

/// What is known of a quantised row: its scale, its norm and the norm of its quantisation error, each of the row as it
/// was rounded (centred or normalised).
struct quantized_row {
  float scale = 1, norm = 0, error = 0;
};

/// Rounds rows of d numbers to multiples of a scale each. Holds scratch.
template <class Lane, class Coordinate>
class row_rounder {
 public:
  explicit row_rounder(std::size_t dim)
      : m_dim(dim), m_zero(dim), m_multiples(dim), m_rounded(words() * coordinates_a_word<Coordinate>) {}

  std::size_t words() const noexcept {
    return (m_dim + coordinates_a_word<Coordinate> - 1) / coordinates_a_word<Coordinate>;
  }

  /// Writes words() words, of a row x and its norm; x becomes the error. The product of any two rows fits 32 bits.
  quantized_row operator()(Lane* x, Lane norm, coordinate_word* out) {
    const Lane greatest = one_to_one<kernels::linf>(x, m_zero.data(), m_dim);
    Lane scale = scale_of(norm, greatest);
    round(x, m_dim, scale, m_rounded.data());
    if constexpr (sizeof(Coordinate) == 1) scale += make_error_orthogonal(x);
    std::memcpy(out, m_rounded.data(), words() * sizeof *out);
    return {static_cast<float>(scale), static_cast<float>(norm), static_cast<float>(length_of_error(x, scale))};
  }

 private:
  /// The least scale for which the greatest coordinate fits and products fit 32 bits (by Cauchy and Schwarz). For 16
  /// bits a power of two, so that small integers, such as pixels, stay exact.
  Lane scale_of(Lane norm, Lane greatest) const noexcept {
    constexpr int least_exponent = -100;
    const Lane room = Lane(46000) - detail::sqrt(static_cast<Lane>(m_dim)) / 2;
    if constexpr (sizeof(Coordinate) == 1)
      return std::max({greatest / 127, norm / room, std::ldexp(Lane(1), least_exponent)});
    int exponent = 0;
    static_cast<void>(std::frexp(std::max(norm / room, greatest / Lane(32700)), &exponent));  // < 2^exponent
    return std::ldexp(Lane(1), std::max(exponent, least_exponent));
  }

  /// The norm of an error whose coordinates are fractions of the scale; computed from the error times a power of two
  /// where squares underflow.
  Lane length_of_error(const Lane* x, Lane scale) const noexcept {
    if (!is_in_range(scale * scale)) [[unlikely]]
      return static_cast<Lane>(norm_of(std::span<const Lane>(x, m_dim)));
    return detail::sqrt(one_to_one<kernels::inner_product>(x, x, m_dim));
  }

  // Loops that compilers vectorise.
  /// x becomes the error of rounding it to multiples of scale.
  static void round(Lane* x, std::size_t n, Lane scale, Coordinate* multiple) noexcept {
    const Lane inverse = 1 / scale;
    for (std::size_t i = 0; i < n; ++i) {
      const Lane quotient = x[i] * inverse;
      const auto rounded = static_cast<std::int32_t>(quotient + std::copysign(Lane(0.5), quotient));
      multiple[i] = static_cast<Coordinate>(rounded);
      x[i] -= static_cast<Lane>(rounded) * scale;
    }
  }

  /// What to add to the scale so that the rounding error x is orthogonal to the rounded row. Else the error of a row
  /// whose coordinates have nearly equal magnitudes is parallel to the row, and adds up in products with similar
  /// queries.
  Lane make_error_orthogonal(Lane* x) noexcept {
    widen(m_rounded.data(), m_dim, m_multiples.data());
    const auto [along, norm] = one_to_one<kernels::cosine_terms>(x, m_multiples.data(), m_dim);
    const Lane change = norm > 0 ? along / norm : 0;
    subtract_multiple(x, m_dim, change, m_multiples.data());
    return change;
  }
  static void widen(const Coordinate* multiple, std::size_t n, Lane* out) noexcept {
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<Lane>(multiple[i]);
  }
  static void subtract_multiple(Lane* x, std::size_t n, Lane factor, const Lane* multiple) noexcept {
    for (std::size_t i = 0; i < n; ++i) x[i] -= factor * multiple[i];
  }

  std::size_t m_dim;
  aligned_vector<Lane> m_zero, m_multiples;
  aligned_vector<Coordinate> m_rounded;
};

/// Quantises rows of d coordinates for one product form: as they are for inner products, less a centre for L2 distances
/// (which it does not change, and which lose less to rounding where rows are smaller), divided by their norm for
/// cosine.
template <class T, class Coordinate>
class error_bounded_rows {
 public:
  using lane = lane_t<T>;

  error_bounded_rows(product_form form, matrix_view<T> data)
      : m_form(form),
        m_dim(data.cols()),
        m_centre(form == product_form::squared_l2 ? rounded_mean(data) : buffer<lane>(m_dim)),
        m_row(m_dim),
        m_round(m_dim) {}

  std::size_t words() const noexcept { return m_round.words(); }

  /// Writes words() words. The product of any two rows fits 32 bits.
  quantized_row operator()(const T* row, coordinate_word* out) {
    lane* const x = m_row.data();
    subtract(row, m_centre.data(), m_dim, x);
    const lane norm = m_form == product_form::cosine ? normalize(x, m_dim)
                                                     : static_cast<lane>(norm_of(std::span<const lane>(x, m_dim)));
    return m_round(x, norm, out);
  }

 private:
  product_form m_form;
  std::size_t m_dim;
  buffer<lane> m_centre;
  aligned_vector<lane> m_row;
  row_rounder<lane, Coordinate> m_round;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
