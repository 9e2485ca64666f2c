#pragma once

/// \file
/// The types that the coordinates of rows may have, and what they are computed in. Code that uses the 16-bit types
/// includes Eigen/Core, which defines them.

#include <annulus/core/base/config.hpp>
#include <annulus/core/base/eigen_types.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The element types that rows may have.
template <class T>
concept row_scalar = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, Eigen::half> ||
    std::same_as<T, Eigen::bfloat16> || std::same_as<T, std::uint8_t> || std::same_as<T, std::int8_t>;

namespace detail {

template <class T>
inline constexpr bool is_byte = std::same_as<T, std::uint8_t> || std::same_as<T, std::int8_t>;
template <class T>
using lane_t = std::conditional_t<std::same_as<T, double>, double, float>;

/// The name of a type of numbers: float32, uint8, ...
template <class T>
constexpr std::string_view scalar_name() noexcept {
  if constexpr (std::same_as<T, Eigen::half>) return "float16";
  else if constexpr (std::same_as<T, Eigen::bfloat16>) return "bfloat16";
  else if constexpr (std::same_as<T, float>) return "float32";
  else if constexpr (std::same_as<T, double>) return "float64";
  else if constexpr (std::is_signed_v<T>)
    return sizeof(T) == 1 ? "int8" : sizeof(T) == 2 ? "int16" : sizeof(T) == 4 ? "int32" : "int64";
  else return sizeof(T) == 1 ? "uint8" : sizeof(T) == 2 ? "uint16" : sizeof(T) == 4 ? "uint32" : "uint64";
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
