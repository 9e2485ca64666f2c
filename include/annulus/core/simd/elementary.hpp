#pragma once

/// \file
/// Elementary functions of vectors.

#include <annulus/core/simd/batch.hpp>

#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

/// f of each lane, one by one.
template <class T, class F>
batch<T> by_lanes(const batch<T>& v, F f) noexcept {
  alignas(64) T lane[lanes<T>];
  v.store_aligned(lane);
  for (T& x : lane) x = f(x);
  return batch<T>::load_aligned(lane);
}

/// e^x, ln x and x^y: by polynomials and sums whose order counts, or else by the standard library.
template <class T>
batch<T> exp(const batch<T>& x) noexcept {
#if defined(ANNULUS_REORDERED_INTRINSICS)
  return by_lanes(x, [](T lane) { return std::exp(lane); });
#else
  return xsimd::exp(x);
#endif
}
template <class T>
batch<T> log(const batch<T>& x) noexcept {
#if defined(ANNULUS_REORDERED_INTRINSICS)
  return by_lanes(x, [](T lane) { return std::log(lane); });
#else
  return xsimd::log(x);
#endif
}
template <class T>
batch<T> pow(const batch<T>& x, T y) noexcept {
#if defined(ANNULUS_REORDERED_INTRINSICS)
  return by_lanes(x, [y](T lane) { return std::pow(lane, y); });
#else
  return xsimd::pow(x, batch<T>(y));
#endif
}

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
