#pragma once

/// \file
/// RaBitQ: codes of 1 to 8 bits a dimension with an unbiased estimate of inner products and the deviation of its error
/// (Gao, Long 2024, arXiv 2405.12497; for more than one bit Gao et al. 2024, arXiv 2409.09913).
///
/// A code has values u_i below 2^bits, which stand for x_i = u_i - (2^bits - 1) / 2. For a randomly rotated row r and
/// a row y rotated likewise,
///
///   <r, y>  is estimated by  rescale <x, y>,  rescale = |r|^2 / <x, r>
///
/// Where t is the cosine of x and r, the error is |r| sqrt(1 - t^2) / t times the component of y along a random
/// direction orthogonal to r: its mean is 0, and its standard deviation at most
/// error |y|,  error = |r| sqrt((1 - t^2) / t^2) / sqrt(dim - 1).

#include <annulus/core/simd/batch.hpp>

#include <span>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// What a code's estimates need beside its values: all are 0 for a row of zeros.
struct rabitq_factors {
  float length = 0;   ///< |r|
  float rescale = 0;  ///< |r|^2 / <x, r>
  float error = 0;    ///< |r| sqrt((1 - t^2) / t^2) / sqrt(dim - 1)
};

/// The x that a code value stands for.
inline float rabitq_value(std::uint8_t code, unsigned bits) noexcept {
  return static_cast<float>(code) - 0.5f * static_cast<float>((1u << bits) - 1u);
}

/// A row and a scale of the grid: sums over the code whose magnitudes are those of scale * r, rounded to the grid.
struct rabitq_fit {
  float scale = 0, product = 0, square = 1;  ///< <x, r> and |x|^2

  /// Whether the cosine of x and r is greater than another's.
  bool is_nearer_than(const rabitq_fit& other) const noexcept {
    return product * product * other.square > other.product * other.product * square;
  }
};

inline rabitq_fit fit_rabitq(std::span<const float> r, float scale, float outermost) noexcept {
  using batch = simd::batch<float>;
  constexpr std::size_t width = simd::lanes<float>;
  batch product(0.0f), square(0.0f);
  const auto add = [&](const batch& v) {
    const batch magnitude = xsimd::abs(v),
                x = xsimd::min(xsimd::floor(magnitude * batch(scale)), batch(outermost)) + batch(0.5f);
    product += x * magnitude;
    square += x * x;
  };
  std::size_t i = 0;
  for (; i + width <= r.size(); i += width) add(simd::load(r.data() + i));
  float behind = 0;  // lanes behind the row: each counts as 1/2
  if (i < r.size()) {
    add(simd::load_partial(r.data() + i, r.size() - i));
    behind = static_cast<float>(width - (r.size() - i));
  }
  return {scale, simd::reduce_add(product), simd::reduce_add(square) - 0.25f * behind};
}

/// The scale whose code has the greatest cosine of those tried: from a little less than the largest by which no
/// coordinate is cut off at the outermost value, up to where many coordinates of a normal distribution are; and then
/// some around the best of these. O(dim).
inline rabitq_fit best_rabitq_fit(std::span<const float> r, float greatest, unsigned bits) noexcept {
  if (bits == 1) return fit_rabitq(r, 0, 0);
  const float outermost = static_cast<float>((1u << (bits - 1)) - 1u);
  rabitq_fit best;
  const auto try_scales = [&](float scale, float step, int count) {
    for (int i = 0; i < count; ++i, scale *= step)
      if (const rabitq_fit fit = fit_rabitq(r, scale, outermost); fit.is_nearer_than(best)) best = fit;
  };
  try_scales(0.9f * (outermost + 1) / greatest, 1.05f, 22);
  try_scales(0.96f * best.scale, 1.01f, 9);
  return best;
}

/// Writes the code values, r.size() of them, of a rotated row of finite coordinates whose squares and their sum neither
/// overflow nor vanish. 1 <= bits <= 8. O(dim); no allocation.
inline rabitq_factors rabitq_encode(std::span<const float> r, unsigned bits, std::uint8_t* values) noexcept {
  const std::uint32_t middle = 1u << (bits - 1);
  float greatest = 0, square = 0;
  {
    using batch = simd::batch<float>;
    constexpr std::size_t width = simd::lanes<float>;
    batch most(0.0f), sum(0.0f);
    std::size_t i = 0;
    for (; i + width <= r.size(); i += width) {
      const batch v = simd::load(r.data() + i);
      most = xsimd::max(most, xsimd::abs(v));
      sum += v * v;
    }
    if (i < r.size()) {
      const batch v = simd::load_partial(r.data() + i, r.size() - i);
      most = xsimd::max(most, xsimd::abs(v));
      sum += v * v;
    }
    greatest = simd::reduce_max(most);
    square = simd::reduce_add(sum);
  }
  if (!(square > 0)) {
    std::fill_n(values, r.size(), static_cast<std::uint8_t>(middle));
    return {};
  }
  const rabitq_fit fit = best_rabitq_fit(r, greatest, bits);
  const float outermost = static_cast<float>(middle - 1u);
  if (bits == 1) {
    for (std::size_t i = 0; i < r.size(); ++i) values[i] = r[i] >= 0;
  } else {
    for (std::size_t i = 0; i < r.size(); ++i) {
      const auto magnitude = static_cast<std::uint32_t>(std::min(std::abs(r[i]) * fit.scale, outermost));
      values[i] = static_cast<std::uint8_t>(r[i] >= 0 ? middle + magnitude : middle - 1u - magnitude);
    }
  }
  const float length = std::sqrt(square);
  const float cosine_square = fit.product * fit.product / (fit.square * square);
  // No less than the roundings of the sums.
  const float missed = std::max(1e-6f, 1 - cosine_square) / cosine_square;
  const float other_dims = r.size() > 1 ? static_cast<float>(r.size() - 1) : 1.0f;
  return {length, square / fit.product, length * std::sqrt(missed / other_dims)};
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
