#pragma once

#include <annulus/core/simd/batch.hpp>

#include <vector>

/// The lanes of a vector.
template <class T>
std::vector<T> lanes_of(const annulus::simd::batch<T>& v) {
  std::vector<T> lanes(annulus::simd::lanes<T>);
  v.store_unaligned(lanes.data());
  return lanes;
}
