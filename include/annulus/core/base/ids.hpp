#pragma once

/// \file
/// The type of the id of a row, and the id that stands for none.

#include <annulus/core/base/config.hpp>

#include <cstdint>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

using id_type = std::uint32_t;                 ///< a row of the indexed data
inline constexpr id_type no_id = 0xFFFFFFFFu;  ///< "no neighbour"; its distance is always +infinity

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
