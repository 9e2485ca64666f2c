#pragma once

/// \file
/// Points rounded to small integers about a centre, with the error of the rounding known: nearest_codeword.hpp selects
/// by them.

#include <annulus/core/codes/row_centre.hpp>
#include <annulus/core/simd/masks.hpp>
#include <annulus/core/simd/transpose.hpp>

#include <algorithm>
#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// What integer coordinates are relative to: x becomes round((x - centre) / unit).
struct integer_frame {
  /// The longest vector that fits the frame, in units: 16 times the sum of the product of two such vectors and half the
  /// square of one fits 32 bits.
  static constexpr float longest = 8160;
  /// The factor of all integers, which leaves four low bits of products free.
  static constexpr float factor = 4;

  buffer<float> centre;
  float unit = 1;

  /// Centred on the mean of `rows`. All of these and means of them fit, with `room` > 1 also vectors that are so many
  /// times as long.
  explicit integer_frame(matrix_view<float> rows, float room = 1) : centre(mean_of_rows(rows)) {
    unit = unit_for(rows) * room;
  }

  /// The smallest unit for which all rows fit.
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
    const double room = static_cast<double>(longest) - 1 - 0.5 * detail::sqrt(static_cast<double>(centre.size()));
    return std::max(static_cast<float>(detail::sqrt(greatest) / room), std::numeric_limits<float>::min());
  }
};

/// Points in a frame: the words of each, two 16-bit coordinates (four times the integer, see nearest_codeword), its
/// length and the length of its error, in units. Points are stored in panels: word by word, with a lane for each point.
class framed_points {
 public:
  static constexpr std::size_t lanes = simd::word_lanes;
#if defined(__AVX512F__)
  static constexpr std::size_t panels_together = 4;
#else
  static constexpr std::size_t panels_together = 2;
#endif

  explicit framed_points(std::size_t dim) : m_dim(dim), m_words((dim + 1) / 2) {}

  std::size_t words() const noexcept { return m_words; }
  /// The panel that begins with point i, a multiple of lanes: word w of point i + l stands at w * lanes + l. The next
  /// panel follows words() * lanes further on; there is a multiple of panels_together of them.
  const std::int32_t* panel(std::size_t i) const noexcept { return m_panels.data() + i * m_words; }
  /// One for each point. Can be read in whole vectors, as can the errors.
  const float* lengths() const noexcept { return m_lengths.data(); }
  const float* errors() const noexcept { return m_errors.data(); }

  /// Replaces the points. One that does not fit the frame, or is not finite, becomes zero with an infinite error.
  void assign(matrix_view<float> points, const integer_frame& frame) {
    using batch = simd::batch<float>;
    constexpr std::size_t width = simd::lanes<float>, together = panels_together * lanes;
    static_assert(lanes % four == 0 && together % width == 0);
    const std::size_t n = points.rows(), rounded = (n + together - 1) / together * together;
    m_rows.resize(lanes * m_words + width);
    m_panels.resize(rounded * m_words);
    m_lengths.assign(rounded, 0.0f);
    m_errors.assign(rounded, 0.0f);
    for (std::size_t i = 0; i < n; i += lanes) {
      for (std::size_t p = 0; p < lanes && i + p < n; p += four) pack_four(points, i + p, p, frame);
      simd::interleave<lanes>(m_rows.data(), std::min(lanes, n - i), m_words, m_panels.data() + i * m_words);
    }
    std::uint64_t unfit = 0;
    for (std::size_t i = 0; i < rounded; i += width) {
      const batch length = simd::sqrt(simd::load(m_lengths.data() + i));
      length.store_unaligned(m_lengths.data() + i);
      simd::sqrt(simd::load(m_errors.data() + i)).store_unaligned(m_errors.data() + i);
      unfit |= ~simd::mask(length <= batch(integer_frame::longest)) & ((std::uint64_t{1} << width) - 1);  // also NaN
    }
    for (std::size_t i = 0; i < n && unfit != 0; ++i)
      if (!is_at_most(m_lengths[i], integer_frame::longest)) {
        m_lengths[i] = 0;
        m_errors[i] = std::numeric_limits<float>::infinity();
        for (std::size_t w = 0; w < m_words; ++w) m_panels[(i / lanes * m_words + w) * lanes + i % lanes] = 0;
      }
  }

 private:
  static constexpr std::size_t four = 4;

  /// Packs points i to i + four into rows p to p + four, repeating the last point where there are fewer.
  void pack_four(matrix_view<float> points, std::size_t i, std::size_t p, const integer_frame& frame) {
    simd::batch<float> lengths[four], errors[four];
    simd::unroll<four>([&](auto q) {
      auto* const out = reinterpret_cast<std::int16_t*>(m_rows.data() + (p + q) * m_words);
      pack(points.row(std::min(i + q, points.rows() - 1)).data(), frame, out, lengths[q], errors[q]);
    });
    simd::reduce_add(lengths, m_lengths.data() + i);
    simd::reduce_add(errors, m_errors.data() + i);
  }

  /// Writes whole vectors, zeros past the end: points are written in ascending order.
  void pack(const float* x, const integer_frame& frame, std::int16_t* out, simd::batch<float>& length,
            simd::batch<float>& error) const noexcept {
    constexpr std::size_t width = simd::lanes<float>;
    const simd::batch<float> scale(1 / frame.unit), factor(integer_frame::factor);
    length = error = simd::batch<float>(0.0f);
    const float* const centre = frame.centre.data();
    const auto step = [&](simd::batch<float> v, simd::batch<float> c, std::size_t j) {
      const simd::batch<float> scaled = (v - c) * scale, rounded = simd::round(scaled), lost = scaled - rounded;
      length = xsimd::fma(rounded, rounded, length);
      error = xsimd::fma(lost, lost, error);
      simd::store_shorts(out + j, rounded * factor);
    };
    std::size_t j = 0;
    for (; j + width <= m_dim; j += width) step(simd::load(x + j), simd::load(centre + j), j);
    if (const std::size_t rest = m_dim - j; rest > 0)
      step(simd::load_partial(x + j, rest), simd::load_partial(centre + j, rest), j);
  }

  std::size_t m_dim, m_words;
  aligned_vector<std::int32_t> m_rows, m_panels;
  std::vector<float> m_lengths, m_errors;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
