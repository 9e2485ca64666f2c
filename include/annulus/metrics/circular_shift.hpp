#pragma once

/// \file
/// The constant whose subtraction makes the p-norm of some numbers least: optimal transport around a circle needs it.

#include <annulus/core/base/float_bits.hpp>
#include <annulus/core/kernels/dense_operations.hpp>
#include <annulus/core/simd/elementary.hpp>

#include <algorithm>
#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// x^p for x >= 0; 0 where x is 0.
template <class T>
simd::batch<T> power(simd::batch<T> x, T p) noexcept {
  using batch = simd::batch<T>;
  const batch zero(T(0));
  return xsimd::select(x > zero, simd::pow(xsimd::max(x, batch(std::numeric_limits<T>::min())), p), zero);
}

/// Numbers with weights, or each of weight 1 where `weights` is null.
template <class T>
struct weighted_values {
  const T* values;
  const T* weights;
  std::size_t size;

  /// Calls f(values, weights) for vectors of both, padded with the first value and weight 0.
  template <class F>
  void for_each(F f) const noexcept {
    using batch = simd::batch<T>;
    constexpr std::size_t lanes = simd::lanes<T>;
    std::size_t i = 0;
    for (; i + lanes <= size; i += lanes)
      f(simd::load(values + i), weights == nullptr ? batch(T(1)) : simd::load(weights + i));
    if (i == size) return;
    alignas(64) T value[lanes], weight[lanes] = {};
    std::fill_n(value, lanes, values[0]);
    for (std::size_t j = 0; i < size; ++i, ++j) {
      value[j] = values[i];
      weight[j] = weights == nullptr ? T(1) : weights[i];
    }
    f(batch::load_aligned(value), batch::load_aligned(weight));
  }

  /// The sum of f(value, weight) over all.
  template <class F>
  T sum(F f) const noexcept {
    simd::batch<T> total(T(0));
    for_each([&](auto x, auto weight) { total += f(x, weight); });
    return simd::reduce_add(total);
  }
};

/// The least sum of weight |x - mu| over mu, given the extremes of x: Kelley's cutting planes (1960). The sum is convex
/// and piecewise linear in mu. Its supporting lines on both sides of the minimum meet below it, at the next mu to try
/// and with a lower bound. That takes a few passes, where selecting the median takes branches that cannot be predicted.
template <class T>
T least_absolute_sum(const weighted_values<T>& x, T least, T greatest) noexcept {
  using batch = simd::batch<T>;
  struct line {
    double at, value, slope;
  };
  const double weight =
      x.weights == nullptr ? static_cast<double>(x.size) : static_cast<double>(x.sum([](batch, batch w) { return w; }));
  const double sum = static_cast<double>(x.sum([](batch v, batch w) { return v * w; }));
  line left{static_cast<double>(least), sum - weight * static_cast<double>(least), -weight};
  line right{static_cast<double>(greatest), weight * static_cast<double>(greatest) - sum, weight};
  double best = std::min(left.value, right.value);
  constexpr int most_passes = 64;
  for (int pass = 0; pass < most_passes; ++pass) {
    double mu =
        (left.value - right.value + (right.slope * right.at - left.slope * left.at)) / (right.slope - left.slope);
    const double bound = left.value + left.slope * (mu - left.at);
    if (best - bound <= 8 * static_cast<double>(std::numeric_limits<T>::epsilon()) * best) break;
    // Every fourth step takes the middle, as skewed numbers would be approached from one side in small steps.
    if (pass % 4 == 3) mu = (left.at + right.at) / 2;
    const batch shift(static_cast<T>(mu)), zero(T(0));
    batch distances(T(0)), slopes(T(0));
    x.for_each([&](batch v, batch w) {
      distances = xsimd::fma(w, xsimd::abs(v - shift), distances);
      slopes += xsimd::select(v < shift, w, zero) - xsimd::select(v > shift, w, zero);
    });
    const line here{static_cast<double>(static_cast<T>(mu)), static_cast<double>(simd::reduce_add(distances)),
                    static_cast<double>(simd::reduce_add(slopes))};
    best = std::min(best, here.value);
    if (here.slope == 0) break;
    line& replaced = here.slope < 0 ? left : right;
    if (here.at == replaced.at) break;
    replaced = here;
  }
  return static_cast<T>(best);
}

/// The least of (sum weight |x - mu|^p)^(1/p) over mu, for p >= 1; 0 for no numbers.
template <class T>
T shifted_norm(const weighted_values<T>& x, double p) noexcept {
  using batch = simd::batch<T>;
  if (x.size == 0) return T(0);
  batch lowest(x.values[0]), highest(x.values[0]);
  x.for_each([&](batch v, batch) {
    lowest = xsimd::min(lowest, v);
    highest = xsimd::max(highest, v);
  });
  const T least = -simd::reduce_max(-lowest), greatest = simd::reduce_max(highest), range = greatest - least;
  if (!(range > 0)) return T(0);
  if (p == 1) return least_absolute_sum(x, least, greatest);
  if (p == 2) {
    const T weight = x.sum([](batch, batch w) { return w; });
    const batch mean(x.sum([](batch v, batch w) { return v * w; }) / weight);
    return detail::sqrt(x.sum([&](batch v, batch w) { return w * (v - mean) * (v - mean); }));
  }
  // In units of half the range some number is at least 1 away from any mu, so that its power does not underflow. The
  // derivative of the sum is monotone in mu; bisection finds its zero.
  const T scale = 2 / range;
  const auto distances = [&](batch v, T mu) { return (v - batch(least)) * batch(scale) - batch(mu); };
  T low(0), high(2);
  constexpr int halvings = std::same_as<T, float> ? 26 : 50;
  for (int i = 0; i < halvings; ++i) {
    const T mu = (low + high) / 2;
    const T pull = x.sum([&](batch v, batch w) {
      const batch away = distances(v, mu), force = w * power(xsimd::abs(away), static_cast<T>(p - 1));
      return xsimd::select(away > batch(T(0)), force, -force);
    });
    (pull > 0 ? low : high) = mu;
  }
  const T mu = (low + high) / 2;
  const T sum = x.sum([&](batch v, batch w) { return w * power(xsimd::abs(distances(v, mu)), static_cast<T>(p)); });
  return static_cast<T>(std::pow(static_cast<double>(sum), 1 / p)) / scale;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
