#pragma once

/// \file
/// The metric among the options of indexes that compare by a few metrics only.

#include <annulus/dynamic/engine/options.hpp>
#include <annulus/metrics/table.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// One of `possible`, by a name or alias that known_metrics has; the first where none is given. `owner` is what has no
/// other metrics.
inline std::string_view read_metric(option_reader& options, std::span<const std::string_view> possible,
                                    std::string_view owner) {
  const std::string_view given = options.text("metric", possible.front());
  const metric_info* const known = find_metric(given);
  const std::string_view name = known != nullptr ? known->name : meant_metric(given);
  const auto found = std::ranges::find(possible, name);
  const std::string all = option_reader::joined(possible);
  if (found == possible.end()) invalid("metric", given, owner, " compares rows by one of ", all);
  if (known == nullptr) invalid("metric", given, "did you mean ", name, "? ", owner, " compares rows by one of ", all);
  return *found;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
