#pragma once

/// \file
/// The k-th smallest of many numbers, or a number a little above it, by counting: a vector of numbers takes one
/// comparison a step, and no step depends on their order.

#include <annulus/core/select/candidate.hpp>
#include <annulus/core/simd/ordered_lanes.hpp>

#include <cmath>
#include <numeric>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The number that ordered_lanes was given.
template <class Number>
constexpr Number from_ordered_int(simd::ordered_int<Number> x) noexcept {
  using bits = std::make_unsigned_t<decltype(x)>;
  return from_ordered_bits<Number>(
      static_cast<decltype(ordered_bits(Number{}))>(static_cast<bits>(x) ^ bits{1} << (8 * sizeof(x) - 1)));
}
template <class Number>
constexpr simd::ordered_int<Number> to_ordered_int(Number x) noexcept {
  using bits = std::make_unsigned_t<simd::ordered_int<Number>>;
  return static_cast<simd::ordered_int<Number>>(static_cast<bits>(ordered_bits(x)) ^ bits{1} << (8 * sizeof(bits) - 1));
}

/// How many of `n` integers, whole vectors of them, are at most `bound`.
template <class Integer>
std::size_t count_at_most(const Integer* integers, std::size_t n, Integer bound) noexcept {
  using batch = simd::batch<Integer>;
  constexpr std::size_t width = simd::lanes<Integer>, unrolled = 4;
  const batch limit(bound), one(1), none(0);
  batch count[unrolled] = {none, none, none, none};
  std::size_t i = 0;
  for (; i + unrolled * width <= n; i += unrolled * width)
    simd::unroll<unrolled>(
        [&](auto v) { count[v] += xsimd::select(simd::load(integers + i + v * width) <= limit, one, none); });
  for (; i < n; i += width) count[0] += xsimd::select(simd::load(integers + i) <= limit, one, none);
  return static_cast<std::size_t>(simd::reduce_add((count[0] + count[1]) + (count[2] + count[3])));
}

/// An interval of integers.
template <class Integer>
struct interval {
  Integer low, high;
};

/// The least and the greatest of `n` integers, whole vectors of them, that are in an interval.
template <class Integer>
interval<Integer> extremes_within(const Integer* integers, std::size_t n, interval<Integer> within) noexcept {
  using batch = simd::batch<Integer>;
  const batch low(within.low), high(within.high);
  batch least = high, most = low;
  for (std::size_t i = 0; i < n; i += simd::lanes<Integer>) {
    const batch x = simd::load(integers + i);
    least = xsimd::min(least, xsimd::select(x >= low, x, high));
    most = xsimd::max(most, xsimd::select(x <= high, x, low));
  }
  return {static_cast<Integer>(~simd::reduce_max(~least)), simd::reduce_max(most)};
}

/// The bound of rank_bound, which lies within an interval: fewer than k are below it, and at least k are up to its end.
/// It is halved by turns as one of numbers and one of integers, and shrunk to what it holds where a half is empty, as
/// most are where numbers are tied or far apart.
template <class Number, class Integer>
Integer narrow_bound(const Integer* integers, std::size_t n, std::size_t k, std::size_t enough,
                     interval<Integer> within) noexcept {
  auto& [low, high] = within;
  std::size_t below = 0, up_to_high = n;
  for (bool as_numbers = std::is_floating_point_v<Number>; low < high; as_numbers = !as_numbers) {
    Integer middle = std::midpoint(low, high);
    if constexpr (std::is_floating_point_v<Number>)
      if (as_numbers) {
        const Number a = from_ordered_int<Number>(low), b = from_ordered_int<Number>(high);
        if (is_finite(a) && is_finite(b))
          middle = std::clamp(to_ordered_int(static_cast<Number>(a / 2 + b / 2)), low, static_cast<Integer>(high - 1));
      }
    const std::size_t count = count_at_most(integers, n, middle);
    const bool is_empty = count == below || count == up_to_high;
    if (count < k) {
      low = static_cast<Integer>(middle + 1);
      below = count;
    } else {
      high = middle;
      up_to_high = count;
      if (count <= enough) break;
    }
    if (is_empty) within = extremes_within(integers, n, within);
  }
  return high;
}

/// A bound that at least k of `n` ordered integers of `Number` are at most, and no more than `enough` of them unless
/// the k-th smallest is tied: then it is that one. Whole vectors of integers, and 1 <= k <= n. O(n) a count, 5 to 15 of
/// them for most data; two or three where n is large, since the bound of a sample tells where to look.
template <class Number, class Integer = simd::ordered_int<Number>>
Integer rank_bound(const Integer* integers, std::size_t n, std::size_t k, std::size_t enough) noexcept {
  constexpr std::size_t width = simd::lanes<Integer>, sampled = 32 * width;
  using limits = std::numeric_limits<Integer>;
  auto within = extremes_within<Integer>(integers, n, {limits::lowest(), limits::max()});
  if (k == 1) return within.low;
  if (n >= 8 * sampled) {
    alignas(64) Integer sample[sampled];
    const std::size_t step = n / sampled;
    for (std::size_t i = 0; i < sampled; i += width) simd::load(integers + i * step).store_aligned(sample + i);
    const double rank = static_cast<double>(k) * static_cast<double>(sampled) / static_cast<double>(n);
    for (const double deviations : {1.0, -2.0, 3.0}) {  // above, below and above, until the bound lies between
      const double place = std::clamp(rank + deviations * std::sqrt(rank), 1.0, static_cast<double>(sampled));
      const auto sample_k = static_cast<std::size_t>(place);
      const Integer guess = narrow_bound<Number>(sample, sampled, sample_k, sample_k, within);
      const std::size_t count = count_at_most(integers, n, guess);
      if (count >= k && count <= enough) return guess;
      if (count >= k) within.high = std::min(within.high, guess);
      else if (guess < within.high) within.low = std::max(within.low, static_cast<Integer>(guess + 1));
    }
  }
  return narrow_bound<Number>(integers, n, k, enough, within);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
