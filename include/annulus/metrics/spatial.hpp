#pragma once

/// \file
/// Distances on the sphere.

#include <annulus/core/metric/rewritten_metric.hpp>

#include <numbers>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// Points on the unit sphere in Cartesian coordinates: ranked by the squared chord between them; the distance is the
/// angle of the chord.
struct great_circle : kernel_metric<kernels::squared_l2> {
  static constexpr std::string_view name = "great_circle";
  static constexpr bool is_angular = false;
  static constexpr auto form = product_form::squared_l2;
  template <std::floating_point Rank>
  static Rank to_distance(Rank rank) noexcept {
    return 2 * std::asin(std::min(detail::sqrt(rank) / 2, Rank(1)));
  }
  template <std::floating_point T>
  T operator()(const T* a, const T* b, std::size_t d) const noexcept {
    return to_distance(rank(a, b, d));
  }
};

}  // namespace detail

/// The angle at the centre of a sphere between two points on it, in radians, from 0 to pi; times the radius (6371 km
/// for the Earth), the length of the shorter arc of a great circle between them. Rows are (latitude, longitude) in
/// radians, in any range. 2 asin(sqrt(sin^2(dlat / 2) + cos(lat a) cos(lat b) sin^2(dlong / 2))), the haversine formula
/// (Inman 1835), by the chord in double: exact to some 1e-16 for near points, 1e-8 for antipodal ones. A metric.
struct haversine : detail::embedding<haversine> {
  static constexpr std::string_view name = "haversine";
  template <row_scalar T>
  using embedded = double;
  using detail::embedding<haversine>::operator();

  /// \param d the length of rows \throws std::invalid_argument unless it is 2.
  static void check_dimension(std::size_t d) {
    if (d != 2) detail::invalid("dimension", d, "must be 2 for haversine: latitude and longitude");
  }
  static std::size_t embedded_dim(std::size_t d) {
    check_dimension(d);
    return 3;
  }
  template <row_scalar T>
  static void embed(const T* row, std::size_t, double* out) noexcept {
    const auto latitude = static_cast<double>(row[0]), longitude = static_cast<double>(row[1]);
    const double radius = std::cos(latitude);
    out[0] = radius * std::cos(longitude);
    out[1] = radius * std::sin(longitude);
    out[2] = std::sin(latitude);
  }
  static detail::great_circle base(std::size_t) noexcept { return {}; }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
