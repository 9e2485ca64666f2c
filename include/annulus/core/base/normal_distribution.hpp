#pragma once

/// \file
/// The distribution function of the standard normal distribution, and its upper quantiles.

#include <annulus/core/base/config.hpp>

#include <cmath>
#include <numbers>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// P(standard normal <= x).
inline double normal_cdf(double x) noexcept { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

/// The x >= 0 with P(standard normal > x) = tail, by bisection; 0 for a tail of 1/2 or more.
inline double normal_upper_quantile(double tail) noexcept {
  double low = 0, high = 40;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (normal_cdf(-middle) > tail ? low : high) = middle;
  }
  return low;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
