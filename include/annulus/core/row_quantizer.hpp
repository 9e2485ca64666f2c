#pragma once

/// \file
/// Rows as small integers: 16 or 8 bits a coordinate and one scale a row, with the error of the rounding known.

#include <annulus/core/metric.hpp>

namespace annulus::inline ANNULUS_ARCH::detail {

/// Two 16-bit or four 8-bit neighbouring coordinates of a quantised row: what a multiply-add takes at once.
using coordinate_word = std::int32_t;
template <class Coordinate>
inline constexpr std::size_t coordinates_a_word = sizeof(coordinate_word) / sizeof(Coordinate);

/// What is known of a quantised row: its scale, its norm and the norm of its quantisation error, each of the row as it
/// went in (centred or normalised).
struct quantized_row {
  float scale = 1, norm = 0, error = 0;
};

/// Quantises rows of d coordinates for one product form: as they are, less a centre for L2 distances (which do not
/// care, and lose less to rounding the smaller the rows are), divided by their norm for cosine.
template <class T, class Coordinate>
class row_quantizer {
 public:
  using lane = lane_t<T>;

  row_quantizer(product_form form, matrix_view<T> data)
      : m_form(form),
        m_dim(data.cols()),
        m_centre(m_dim),
        m_zero(m_dim),
        m_row(m_dim),
        m_multiples(m_dim),
        m_rounded(words() * coordinates_a_word<Coordinate>) {
    if (form == product_form::squared_l2) centre_on(data);
  }
  /// Of rows of `dim` coordinates, about a centre known before.
  row_quantizer(product_form form, std::size_t dim, buffer<lane> centre)
      : row_quantizer(form, matrix_view<T>(nullptr, 0, dim)) {
    m_centre = std::move(centre);
  }

  const buffer<lane>& centre() const noexcept { return m_centre; }
  std::size_t words() const noexcept {
    return (m_dim + coordinates_a_word<Coordinate> - 1) / coordinates_a_word<Coordinate>;
  }

  /// Writes words() words. The product of any two rows fits 32 bits.
  quantized_row operator()(const T* row, coordinate_word* out) {
    lane* const x = m_row.data();
    subtract(row, m_centre.data(), m_dim, x);
    lane norm = std::sqrt(one_to_one<kernels::inner_product>(x, x, m_dim));
    if (m_form == product_form::cosine && norm > 0) {
      const bool is_rough = norm < 1000 * std::sqrt(std::numeric_limits<lane>::min());  // squares were subnormal
      divide(x, m_dim, norm);
      norm = is_rough ? std::sqrt(one_to_one<kernels::inner_product>(x, x, m_dim)) : 1;
    }
    const lane greatest = one_to_one<kernels::linf>(x, m_zero.data(), m_dim);
    lane scale = scale_of(norm, greatest);
    round(x, m_dim, scale, m_rounded.data());
    if constexpr (sizeof(Coordinate) == 1) scale += straighten(x);
    std::memcpy(out, m_rounded.data(), words() * sizeof *out);
    const lane error = std::sqrt(one_to_one<kernels::inner_product>(x, x, m_dim));
    return {static_cast<float>(scale), static_cast<float>(norm), static_cast<float>(error)};
  }

 private:
  /// 16 bits: the power of two that keeps the norm so small that products fit (Cauchy and Schwarz). Small integers, as
  /// images are made of, then stay exact. 8 bits: what the greatest coordinate allows.
  lane scale_of(lane norm, lane greatest) const noexcept {
    constexpr int least_exponent = -100;
    if constexpr (sizeof(Coordinate) == 1) return std::max(greatest / 127, std::ldexp(lane(1), least_exponent));
    const lane room = lane(46000) - std::sqrt(static_cast<lane>(m_dim)) / 2;
    int exponent = 0;
    static_cast<void>(std::frexp(std::max(norm / room, greatest / lane(32700)), &exponent));  // < 2^exponent
    return std::ldexp(lane(1), std::max(exponent, least_exponent));
  }

  // Loops that compilers vectorise.
  static void subtract(const T* a, const lane* b, std::size_t n, lane* out) noexcept {
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<lane>(a[i]) - b[i];
  }
  static void divide(lane* x, std::size_t n, lane by) noexcept {
    for (std::size_t i = 0; i < n; ++i) x[i] /= by;
  }
  /// x becomes the error of rounding it to multiples of scale.
  static void round(lane* x, std::size_t n, lane scale, Coordinate* multiple) noexcept {
    constexpr lane magic = std::same_as<lane, double> ? lane(6755399441055744.0) : lane(12582912.0);  // no bits below 1
    const lane inverse = 1 / scale;
    for (std::size_t i = 0; i < n; ++i) {
      const lane rounded = (x[i] * inverse + magic) - magic;
      multiple[i] = static_cast<Coordinate>(static_cast<std::int32_t>(rounded));
      x[i] -= rounded * scale;
    }
  }

  /// What to add to the scale for the error of rounding, x, to be at right angles to the rounded row. As it comes, the
  /// error of rows whose coordinates are of nearly one size points along them, and so adds up with like queries.
  lane straighten(lane* x) noexcept {
    widen(m_rounded.data(), m_dim, m_multiples.data());
    const auto [along, norm] = one_to_one<kernels::cosine_terms>(x, m_multiples.data(), m_dim);
    const lane change = norm > 0 ? along / norm : 0;
    subtract_multiple(x, m_dim, change, m_multiples.data());
    return change;
  }
  static void widen(const Coordinate* multiple, std::size_t n, lane* out) noexcept {
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<lane>(multiple[i]);
  }
  static void subtract_multiple(lane* x, std::size_t n, lane factor, const lane* multiple) noexcept {
    for (std::size_t i = 0; i < n; ++i) x[i] -= factor * multiple[i];
  }

  /// The mean of some rows, in so few bits that small integers stay small integers, or nearly so.
  void centre_on(matrix_view<T> data) {
    const std::size_t step = data.rows() / 256 + 1;
    lane count = 0, greatest = 0;
    for (std::size_t i = 0; i < data.rows(); i += step, ++count)
      for (std::size_t j = 0; j < m_dim; ++j) m_centre[j] += static_cast<lane>(data.row(i)[j]);
    for (lane& c : m_centre) greatest = std::max(greatest, std::abs(c /= std::max(count, lane(1))));
    int exponent = 0;
    static_cast<void>(std::frexp(greatest, &exponent));
    const lane unit = std::ldexp(lane(1), std::max(exponent - 8, -100));
    for (lane& c : m_centre) c = std::round(c / unit) * unit;
  }

  product_form m_form;
  std::size_t m_dim;
  buffer<lane> m_centre;
  aligned_vector<lane> m_zero, m_row, m_multiples;
  aligned_vector<Coordinate> m_rounded;
};

}  // namespace annulus::inline ANNULUS_ARCH::detail
