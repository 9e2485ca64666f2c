#pragma once

/// \file
/// user_metric: a function of the caller's as the metric of what is built.

#include <annulus/annulus.h>
#include <annulus/core/base/config.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The distance of two rows of dim floats is function(x, y, dim, user), which must be symmetric; smaller is nearer, and
/// a row at NaN or infinity is no neighbour. Threads call it at once, and it must not throw. An index keeps both
/// pointers.
struct user_metric {
  annulus_distance function = nullptr;  ///< null: none
  void* user = nullptr;                 ///< handed to it
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
