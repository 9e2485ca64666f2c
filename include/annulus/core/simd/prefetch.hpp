#pragma once

/// \file
/// Prefetching: memory is brought into the cache before it is read.

#include <annulus/core/base/config.hpp>

#include <cstddef>
#include <cstdint>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace simd {

inline void prefetch([[maybe_unused]] const void* p) noexcept {
#if defined(__GNUC__)
  __builtin_prefetch(p);
#endif
}

/// The same into the second-level cache: for more lines at once than the first level can wait for.
inline void prefetch_far([[maybe_unused]] const void* p) noexcept {
#if defined(__GNUC__)
  __builtin_prefetch(p, /* to read */ 0, /* second level */ 2);
#endif
}

}  // namespace simd

namespace detail {

/// Prefetches a row of d coordinates.
template <class T>
void prefetch_row(const T* row, std::size_t d) noexcept {
  const auto first = reinterpret_cast<std::uintptr_t>(row);
  for (std::size_t byte = 0; byte < d * sizeof(T); byte += 64)
    simd::prefetch(reinterpret_cast<const void*>(first + byte));
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
