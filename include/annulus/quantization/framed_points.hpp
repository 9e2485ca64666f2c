#pragma once

/// \file
/// Points in small integers about a centre, with the error of the rounding known: what nearest_codeword.hpp selects by.

#include <annulus/core/matrix.hpp>
#include <annulus/core/simd_transpose.hpp>

#include <algorithm>
#include <cmath>

namespace annulus::inline ANNULUS_ARCH::detail {

/// What integer coordinates are relative to: x becomes round((x - centre) / unit).
struct integer_frame {
  /// The longest vector that has a place, in units: the product of two such vectors and half the square of one, times
  /// 256, fit 32 bits, also in sum.
  static constexpr float longest = 2040;

  std::vector<float> centre;
  float unit = 1;

  integer_frame() = default;
  /// Centred on the mean of `rows`; all have their place, and so have means of them. With `room` > 1, vectors that are
  /// so many times longer have.
  explicit integer_frame(matrix_view<float> rows, float room = 1) : centre(rows.cols()) {
    std::vector<double> sum(rows.cols());
    for (std::size_t i = 0; i < rows.rows(); ++i)
      for (std::size_t j = 0; j < rows.cols(); ++j) sum[j] += static_cast<double>(rows.row(i)[j]);
    for (std::size_t j = 0; j < rows.cols(); ++j)
      centre[j] = static_cast<float>(sum[j] / static_cast<double>(std::max<std::size_t>(rows.rows(), 1)));
    unit = unit_for(rows) * room;
  }

  /// The smallest unit in which all rows have their place.
  float unit_for(matrix_view<float> rows) const {
    double greatest = 0;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      double norm = 0;
      for (std::size_t j = 0; j < rows.cols(); ++j) {
        const double x = static_cast<double>(rows.row(i)[j]) - static_cast<double>(centre[j]);
        norm += x * x;
      }
      greatest = std::max(greatest, norm);
    }
    // Rounding to integers may add half a unit a coordinate.
    const double room = static_cast<double>(longest) - 1 - 0.5 * std::sqrt(static_cast<double>(centre.size()));
    return std::max(static_cast<float>(std::sqrt(greatest) / room), std::numeric_limits<float>::min());
  }
};

/// Points in a frame: of each, words of two 16-bit coordinates (sixteen times the integer, see nearest_codeword), its
/// length and the length of its error, in units.
class framed_points {
 public:
  explicit framed_points(std::size_t dim) : m_dim(dim), m_words((dim + 1) / 2) {}

  std::size_t size() const noexcept { return m_size; }
  std::size_t words() const noexcept { return m_words; }
  /// Those of point i, the points one after the other; readable to whole squares of points (simd_transpose.hpp).
  const std::int32_t* words_of(std::size_t i) const noexcept { return m_packed.data() + i * m_words; }
  /// One a point, and readable to whole vectors, as are the errors.
  const float* lengths() const noexcept { return m_lengths.data(); }
  const float* errors() const noexcept { return m_errors.data(); }

  /// Replaces the points. One that has no place in the frame, or is not finite, becomes zero with an infinite error.
  void assign(matrix_view<float> points, const integer_frame& frame) {
    constexpr std::size_t four = 4;
    m_size = points.rows();
    m_packed.resize((m_size + simd::word_lanes) * m_words + simd::lanes<float>);
    m_lengths.assign(m_size + four + simd::lanes<float>, 0.0f);
    m_errors.assign(m_size + four + simd::lanes<float>, 0.0f);
    for (std::size_t i = 0; i < m_size; i += four) {
      simd::batch<float> lengths[four], errors[four];
      simd::unroll<four>([&](auto p) {
        const std::size_t point = std::min(i + p, m_size - 1);
        auto* const out = reinterpret_cast<std::int16_t*>(m_packed.data() + point * m_words);
        pack(points.row(point).data(), frame, out, lengths[p], errors[p]);
      });
      simd::reduce_add(lengths, m_lengths.data() + i);
      simd::reduce_add(errors, m_errors.data() + i);
    }
    using batch = simd::batch<float>;
    constexpr std::size_t width = simd::lanes<float>;
    bool all_fit = true;
    for (std::size_t i = 0; i < m_size; i += width) {
      const batch length = xsimd::sqrt(simd::load(m_lengths.data() + i));
      length.store_unaligned(m_lengths.data() + i);
      xsimd::sqrt(simd::load(m_errors.data() + i)).store_unaligned(m_errors.data() + i);
      all_fit &= xsimd::all(length <= batch(integer_frame::longest));  // NaN is not
    }
    for (std::size_t i = 0; i < m_size && !all_fit; ++i)
      if (!(m_lengths[i] <= integer_frame::longest)) {
        m_lengths[i] = 0;
        m_errors[i] = std::numeric_limits<float>::infinity();
        std::fill_n(m_packed.data() + i * m_words, m_words, 0);
      }
  }

 private:
  /// Writes whole vectors, zeros past the end: points are written in ascending order.
  void pack(const float* x, const integer_frame& frame, std::int16_t* out, simd::batch<float>& length,
            simd::batch<float>& error) const noexcept {
    constexpr std::size_t width = simd::lanes<float>;
    const simd::batch<float> scale(1 / frame.unit), factor(16.0f);
    length = error = simd::batch<float>(0.0f);
    const float* const centre = frame.centre.data();
    const auto step = [&](simd::batch<float> v, simd::batch<float> c, std::size_t j) {
      const simd::batch<float> scaled = (v - c) * scale, rounded = xsimd::nearbyint(scaled), lost = scaled - rounded;
      length = xsimd::fma(rounded, rounded, length);
      error = xsimd::fma(lost, lost, error);
      simd::store_shorts(out + j, rounded * factor);
    };
    std::size_t j = 0;
    for (; j + width <= m_dim; j += width) step(simd::load(x + j), simd::load(centre + j), j);
    if (const std::size_t rest = m_dim - j; rest > 0)
      step(simd::load_partial(x + j, rest), simd::load_partial(centre + j, rest), j);
  }

  std::size_t m_dim, m_words, m_size = 0;
  aligned_vector<std::int32_t> m_packed;
  std::vector<float> m_lengths, m_errors;
};

}  // namespace annulus::inline ANNULUS_ARCH::detail
