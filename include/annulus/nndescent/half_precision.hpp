#pragma once

/// \file
/// half_precision: graph indexes whose searches rank rows of 16-bit floats. In a header of its own, as it needs
/// Eigen/Core.

#include <annulus/nndescent/index/row_walk.hpp>

#include <Eigen/Core>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Half the memory traffic of float rows, of coordinates of at most 65,504. The nearest found are ranked again by the
/// exact rows.
struct half_precision {
  static constexpr std::string_view name = "half_precision";  ///< in files
};

namespace detail {

template <class T, class Metric>
struct walk_of<matrix<T>, Metric, half_precision> {
  static_assert(!is_byte<T> && dense_metric<Metric, Eigen::half>,
                "annulus: half_precision takes rows of floating point and a metric that takes halves");
  using type = row_walk<T, Eigen::half, Metric>;
  static type make(matrix_view<T> data, const Metric& metric, half_precision) { return {data.cols(), metric}; }
  static constexpr double greatest = 65504;  // beyond it halves are infinite
};

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
