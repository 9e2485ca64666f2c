#pragma once

/// \file
/// Kernels of the divergences between distributions: one sum over coordinates each.

#include <annulus/core/kernels/dense_kernels.hpp>
#include <annulus/core/simd/elementary.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace kernels {
struct jensen_shannon {};  ///< sum (a log(a / m) + b log(b / m)) / 2 with m = (a + b) / 2, of shares a, b >= 0
/// sum (a - b)(log a - log b), of rows that hold by turns one block of shares and the block of their logarithms
struct symmetric_kl {};
}  // namespace kernels

namespace detail {

// With s = a + b, x = (a - b) / s and w = 1 - x^2 = 4 a b / s^2, a coordinate's term of the Jensen-Shannon divergence
// is
//   s / 4 ((1 + x) log(1 + x) + (1 - x) log(1 - x)) = (a - b)^2 / (2 s) r(w),
// where r falls from log 2 at w = 0 to 1/2 at w = 1. For similar rows all cancellation is in the factor (a - b)^2. r
// needs no logarithm: its singularity at 0 is like w log w, to which rational functions converge exponentially.

/// r(w) within 2e-6 of its value on [0, 1]: a minimax fit with poles and zeros on the negative axis. All coefficients
/// are positive, so that nothing cancels.
template <class Batch>
Batch jensen_shannon_ratio(Batch w) noexcept {
  const auto horner = [&](auto first, auto... rest) {
    Batch sum(first);
    ((sum = xsimd::fma(sum, w, Batch(rest))), ...);
    return sum;
  };
  const Batch above = horner(267954424.037f, 2164865032.91f, 1430116331.61f, 149336733.341f, 2505617.41338f,
                             5202.6645509f, 0.693145797204f);
  const Batch below =
      horner(1151114311.61f, 4357478146.09f, 2295709962.69f, 221618721.583f, 3633809.9499f, 7509.59791869f, 1.0f);
  return simd::divide(above, below);
}

/// ((1 + x) log(1 + x) + (1 - x) log(1 - x)) / (2 x^2) as a series in y = x^2 < 1/16, to double's precision.
template <class Batch>
Batch jensen_shannon_series(Batch y) noexcept {
  Batch sum(0.0);
  for (int k = 12; k >= 0; --k) sum = xsimd::fma(sum, y, Batch(1.0 / ((2 * k + 2) * (2 * k + 1))));
  return sum;
}

template <class T>
  requires std::floating_point<T>
struct operation<kernels::jensen_shannon, T> : floating_operation<T> {
  using batch = simd::batch<T>;
  static batch fold(batch sum, batch a, batch b) noexcept {
    // At least the smallest normal number: where both are zero, zero times the inverse has to be zero.
    const batch total = xsimd::max(a + b, batch(std::numeric_limits<T>::min()));
    const batch inverse = simd::divide(batch(T(1)), total), difference = a - b;
    const batch x = simd::in_order(difference * inverse), half = batch(T(0.5));
    const batch w = batch(T(4)) * (simd::in_order(a * inverse) * simd::in_order(b * inverse));
    if constexpr (std::same_as<T, float>) {
      return xsimd::fma(half * difference * x, jensen_shannon_ratio(w), sum);
    } else {
      const batch y = x * x, least(std::numeric_limits<T>::min());
      const auto of_logs = [&](batch p) { return p * simd::log(xsimd::max((p + p) * inverse, least)); };
      // Ordered by size: contraction to a fused multiply-add would make the result depend on which is a.
      const batch far = of_logs(xsimd::max(a, b)) + of_logs(xsimd::min(a, b));
      const batch near = difference * x * jensen_shannon_series(y);
      return xsimd::fma(half, xsimd::select(y < batch(T(0.0625)), near, far), sum);
    }
  }
};

template <class T>
  requires std::floating_point<T>
struct operation<kernels::symmetric_kl, T> : floating_operation<T> {
  using batch = simd::batch<T>;
  /// Shares, then as many logarithms: a cache line of each. The same in every build, since files hold rewritten rows.
  static constexpr std::size_t block = 64 / sizeof(T), width = 2 * block, batches = block / simd::lanes<T>;
  struct padded {
    alignas(64) T values[width] = {};
    operator const T*() const noexcept { return values; }
  };
  /// Blocks are read from memory where they are needed, as they would take too many narrow registers.
  static const T* load(const T* p) noexcept { return p; }
  static padded load_partial(const T* p, std::size_t n) noexcept {
    padded result;
    for (std::size_t i = 0; i < n; ++i) result.values[i] = p[i];
    return result;
  }
  static batch fold(batch sum, const T* a, const T* b) noexcept {
    simd::unroll<batches>([&](auto i) {
      constexpr std::size_t at = i * simd::lanes<T>;
      const batch shares = simd::load(a + at) - simd::load(b + at);
      sum = xsimd::fma(shares, simd::load(a + block + at) - simd::load(b + block + at), sum);
    });
    return sum;
  }
};

/// One coordinate's term of the Jensen-Shannon divergence, of shares >= 0, to double's precision.
inline double jensen_shannon_term(double a, double b) noexcept {
  const double total = a + b;
  if (a == 0 || b == 0) return total * (std::numbers::ln2 / 2);
  const double x = (a - b) / total, y = x * x;
  if (y < 0.0625) {
    double sum = 0;
    for (int k = 12; k >= 0; --k) sum = sum * y + 1.0 / ((2 * k + 2) * (2 * k + 1));
    return (a - b) * x * sum / 2;
  }
  const double more = std::max(a, b), less = std::min(a, b);
  return (more * std::log(2 * more / total) + less * std::log(2 * less / total)) / 2;
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
