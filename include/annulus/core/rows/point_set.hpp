#pragma once

/// \file
/// Point sets: what an algorithm needs of the data, however a row is stored.

#include <annulus/core/base/config.hpp>

#include <concepts>
#include <cstddef>
#include <utility>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// size() rows of dim() coordinates, row(i) cheap and valid as long as the set.
template <class P>
concept point_set = requires(const P& p, std::size_t i) {
  { p.size() } -> std::convertible_to<std::size_t>;
  { p.dim() } -> std::convertible_to<std::size_t>;
  p.row(i);
};

/// A row of a point set, as row(i) returns it.
template <point_set P>
using row_t = decltype(std::declval<const P&>().row(std::size_t{}));

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
