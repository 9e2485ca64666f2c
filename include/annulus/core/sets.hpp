#pragma once

/// \file
/// Rows as sets: what of a sparse row is its indices alone.

#include <annulus/core/points.hpp>

#include <algorithm>

namespace annulus::inline ANNULUS_ARCH {

namespace detail {

/// How many numbers two strictly ascending lists without negative ones have in common. O(a.size() + b.size()).
inline std::size_t count_common(std::span<const std::int32_t> a, std::span<const std::int32_t> b) noexcept {
  using batch = simd::batch<std::int32_t>;
  constexpr std::size_t width = simd::lanes<std::int32_t>;
  if (a.size() > b.size()) std::swap(a, b);
  // The longer list goes by in blocks, each compared with the members of the shorter one in its range: a merge member
  // by member takes a branch that cannot be predicted, or waits for a chain of loads.
  batch common(0);
  for (std::size_t j = 0, i = 0; j < b.size() && i < a.size(); j += width) {
    const std::size_t n = std::min(width, b.size() - j);
    batch block(-1);
    if (n == width) {
      block = simd::load(b.data() + j);
    } else {
      alignas(64) std::int32_t members[width];
      std::fill(std::copy_n(b.data() + j, n, members), members + width, -1);
      block = batch::load_aligned(members);
    }
    for (const std::int32_t last = b[j + n - 1]; i < a.size() && a[i] <= last; ++i)
      common += xsimd::select(block == batch(a[i]), batch(1), batch(0));
  }
  return static_cast<std::size_t>(simd::reduce_add(common));
}

}  // namespace detail

/// 1 - |a and b| / |a or b| of the sets of indices that two sparse rows store, whatever their values (a stored zero is
/// a member); from 0 to 1, and 0 for two empty sets (Jaccard 1901). O(members of both).
struct jaccard {
  static constexpr std::string_view name = "jaccard";
  static constexpr bool is_angular = false;
  template <class T>
  double operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    const std::size_t common = detail::count_common(a.indices, b.indices);
    const std::size_t all = a.indices.size() + b.indices.size() - common;
    return all == 0 ? 0.0 : static_cast<double>(all - common) / static_cast<double>(all);
  }
};

}  // namespace annulus::inline ANNULUS_ARCH
