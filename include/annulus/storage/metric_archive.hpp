#pragma once

/// \file
/// How a metric is saved: its name, and its parameters if it has any.

#include <annulus/storage/archive.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A metric whose parameters persist hands over (archive.hpp). Others are known by their type alone.
template <class Metric, class Archive>
concept persistent_metric = requires(Metric& metric, Archive& archive) {
  std::remove_const_t<Metric>::persist(metric, archive);
};

/// Name and parameters, as "metric" and "metric.p". A metric whose type is known at run time alone tells its name by
/// saved_name(). One without a name, such as a lambda, is "custom": the caller has to give the same one when loading.
template <class Metric, class Archive>
void persist_metric(Metric& metric, Archive& archive) {
  if constexpr (requires { metric.saved_name(); }) archive.constant("metric", metric.saved_name());
  else if constexpr (requires { Metric::name; }) archive.constant("metric", Metric::name);
  else archive.constant("metric", "custom");
  if constexpr (persistent_metric<Metric, Archive>) archive.part("metric", metric);
}

/// A metric whose parameters persist is about to fill.
template <class Metric>
Metric metric_to_fill() {
  static_assert(std::default_initializable<Metric> || std::constructible_from<Metric, unfilled>,
                "annulus: this metric cannot be made from a file: give it to load_index or map_index, behind the path");
  if constexpr (std::default_initializable<Metric>) return Metric();
  else return Metric(unfilled{});
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
