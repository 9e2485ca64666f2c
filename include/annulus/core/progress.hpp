#pragma once

/// \file
/// Progress and cancellation of long calls.

#include <annulus/core/errors.hpp>

#include <functional>

#include <annulus/core/macros_off.hpp>

namespace annulus::inline ANNULUS_ARCH {

/// Called now and then with the name of the stage and the fraction of it that is done, from 0 to 1, always on the
/// thread that made the call into the library. Returning false cancels: that call then throws annulus::cancelled and
/// leaves nothing half-built.
using progress_callback = std::function<bool(std::string_view stage, double fraction)>;

namespace detail {
inline void report(const progress_callback& progress, std::string_view stage, double fraction) {
  if (progress && !progress(stage, fraction)) throw cancelled();
}
}  // namespace detail

}  // namespace annulus::inline ANNULUS_ARCH

#include <annulus/core/macros_on.hpp>
