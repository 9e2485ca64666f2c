#pragma once

/// \file
/// Collision probabilities, and the numbers of functions and tables that follow from them.

#include <annulus/core/base/normal_distribution.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/simd/batch.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// Each z becomes P(standard normal > z), in float's precision.
inline void to_normal_tails(std::span<float> z) noexcept {
  constexpr std::size_t width = simd::lanes<float>;
  const simd::batch<float> half(0.5f), root(static_cast<float>(1 / std::numbers::sqrt2));
  for (std::size_t i = 0; i < z.size(); i += width) {
    const std::size_t n = std::min(width, z.size() - i);
    const auto x = n == width ? simd::load(z.data() + i) : simd::load_partial(z.data() + i, n);
    alignas(64) float tail[width];
    (half * xsimd::erfc(x * root)).store_aligned(tail);
    std::copy_n(tail, n, z.data() + i);
  }
}

/// x rounded up, at least 1; an x that is a whole number but for rounding errors is not rounded up to the next.
inline double count_of(double x) noexcept { return std::max(1.0, std::ceil(x * (1 - 1e-14))); }

}  // namespace detail

/// The angle between two rows. \param cosine_distance 1 - cos of it \returns radians, 0 to pi.
inline double angle_of(double cosine_distance) noexcept {
  return std::acos(std::clamp(1 - cosine_distance, -1.0, 1.0));
}

/// The probability that a random hyperplane does not separate two rows (Charikar 2002). \param angle between them, in
/// radians \returns 1 - angle / pi.
inline double hyperplane_probability(double angle) noexcept { return 1 - angle / std::numbers::pi; }

/// The probability that two rows fall between the same two of the planes `width` apart across a Gaussian direction
/// (Datar, Immorlica, Indyk, Mirrokni 2004). \param c their Euclidean distance \param width above 0 \returns from 0
/// to 1.
inline double gaussian_probability(double c, double width) noexcept {
  if (c <= 0) return 1;
  const double ratio = width / c;
  return 1 - 2 * detail::normal_cdf(-ratio) -
         2 / (std::sqrt(2 * std::numbers::pi) * ratio) * -std::expm1(-ratio * ratio / 2);
}

/// The same for a Cauchy direction. \param c the L1 distance of two rows \param width above 0 \returns from 0 to 1.
inline double cauchy_probability(double c, double width) noexcept {
  if (c <= 0) return 1;
  const double ratio = width / c;
  return 2 / std::numbers::pi * std::atan(ratio) - std::log1p(ratio * ratio) / (std::numbers::pi * ratio);
}

/// The exponent rho: a search of n rows for one at the distance of p1, among rows at the distance of p2, takes about
/// n^rho steps (Indyk, Motwani 1998). \param p1,p2 probabilities that a function agrees, 0 < p2 <= p1 < 1 \returns ln
/// p1 / ln p2 \throws std::invalid_argument for others.
inline double lsh_rho(double p1, double p2) {
  if (!(detail::is_number(p1) && p1 > 0 && p1 < 1)) detail::invalid("p1", p1, "must be in (0, 1)");
  if (!(detail::is_number(p2) && p2 > 0 && p2 <= p1)) detail::invalid("p2", p2, "must be in (0, p1 = ", p1, "]");
  return std::log(p1) / std::log(p2);
}

/// The least number of functions a table that leave one candidate or fewer. \param n rows \param p2 the probability
/// that a function agrees on each with the query, in (0, 1) \returns ln n / ln(1 / p2), rounded up, at least 1
/// \throws std::invalid_argument for p2 outside (0, 1).
inline std::size_t estimate_k(std::size_t n, double p2) {
  if (!(detail::is_number(p2) && p2 > 0 && p2 < 1)) detail::invalid("p2", p2, "must be in (0, 1)");
  const double k = std::log(static_cast<double>(std::max<std::size_t>(n, 1))) / -std::log(p2);
  return static_cast<std::size_t>(detail::count_of(k));
}

/// The least number of tables that miss a neighbour with a given probability or less. \param delta that probability
/// \param p1 the probability that one function agrees on it \param n_projections functions a table, K \returns ln delta
/// / ln(1 - p1^K), rounded up, at least 1 \throws std::invalid_argument for delta or p1 outside (0, 1), or more tables
/// than can be counted.
inline std::size_t estimate_l(double delta, double p1, std::size_t n_projections) {
  if (!(detail::is_number(delta) && delta > 0 && delta < 1)) detail::invalid("delta", delta, "must be in (0, 1)");
  if (!(detail::is_number(p1) && p1 > 0 && p1 < 1)) detail::invalid("p1", p1, "must be in (0, 1)");
  const double l = std::log(delta) / std::log1p(-std::pow(p1, static_cast<double>(n_projections)));
  if (!(l < 0x1p53))
    detail::invalid("p1", p1, "to the power of ", n_projections,
                    " asks for more than 2^53 tables: lower n_projections");
  return static_cast<std::size_t>(detail::count_of(l));
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
