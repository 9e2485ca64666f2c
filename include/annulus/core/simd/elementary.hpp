#pragma once

/// \file
/// Elementary functions of vectors.

#include <annulus/core/simd/batch.hpp>

#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

/// of_vector(x), or of_lane of each lane where xsimd's functions would be compiled with reordered sums.
template <class T, class OfVector, class OfLane>
[[gnu::always_inline]] inline batch<T> elementary(const batch<T>& x, [[maybe_unused]] OfVector of_vector,
                                                  [[maybe_unused]] OfLane of_lane) noexcept {
#if defined(ANNULUS_REORDERED_INTRINSICS)
  alignas(64) T lanes_of[lanes<T>];
  x.store_aligned(lanes_of);
  for (T& lane : lanes_of) lane = of_lane(lane);
  return batch<T>::load_aligned(lanes_of);
#else
  return of_vector(x);
#endif
}

/// e^x, ln x and x^y.
template <class T>
batch<T> exp(const batch<T>& x) noexcept {
  return elementary(
      x, [](const auto& v) { return xsimd::exp(v); }, [](T lane) { return std::exp(lane); });
}
template <class T>
batch<T> log(const batch<T>& x) noexcept {
  return elementary(
      x, [](const auto& v) { return xsimd::log(v); }, [](T lane) { return std::log(lane); });
}
template <class T>
batch<T> pow(const batch<T>& x, T y) noexcept {
  return elementary(
      x, [y](const auto& v) { return xsimd::pow(v, batch<T>(y)); }, [y](T lane) { return std::pow(lane, y); });
}

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
