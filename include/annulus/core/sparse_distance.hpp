#pragma once

/// \file
/// Two sparse rows side by side: what the sparse forms of metrics are sums over.

#include <annulus/core/points.hpp>

#include <algorithm>

namespace annulus::inline ANNULUS_ARCH::detail {

/// f(x, y) for every coordinate that either row stores, in ascending order, with 0 for what is not stored. The merge
/// takes no branch on which row is ahead: it could not be predicted. O(stored in both).
template <class T, class F>
void for_each_stored(const sparse_row<T>& a, const sparse_row<T>& b, F f) {
  std::size_t i = 0, j = 0;
  while (i < a.indices.size() && j < b.indices.size()) {
    const bool has_a = a.indices[i] <= b.indices[j], has_b = b.indices[j] <= a.indices[i];
    f(has_a ? static_cast<double>(a.values[i]) : 0.0, has_b ? static_cast<double>(b.values[j]) : 0.0);
    i += has_a;
    j += has_b;
  }
  for (; i < a.indices.size(); ++i) f(static_cast<double>(a.values[i]), 0.0);
  for (; j < b.indices.size(); ++j) f(0.0, static_cast<double>(b.values[j]));
}

/// f(x, y) for every coordinate that both rows store, in ascending order.
template <class T, class F>
void for_each_common(const sparse_row<T>& a, const sparse_row<T>& b, F f) {
  std::size_t i = 0, j = 0;
  while (i < a.indices.size() && j < b.indices.size()) {
    const auto at_a = a.indices[i], at_b = b.indices[j];
    if (at_a == at_b) f(static_cast<double>(a.values[i]), static_cast<double>(b.values[j]));
    i += at_a <= at_b;
    j += at_b <= at_a;
  }
}

}  // namespace annulus::inline ANNULUS_ARCH::detail
