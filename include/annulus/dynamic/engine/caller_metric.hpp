#pragma once

/// \file
/// A function of the C interface as a metric.

#include <annulus/annulus.h>
#include <annulus/core/base/config.hpp>

#include <string_view>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

struct caller_metric {
  static constexpr std::string_view name = "user";  ///< in files, which do not hold the function

  annulus_distance distance;
  void* user;

  float operator()(const float* a, const float* b, std::size_t d) const { return distance(a, b, d, user); }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
