#pragma once

/// \file
/// A candidate (a rank and an id), and the one order that all results follow.

#include <annulus/core/base/float_bits.hpp>
#include <annulus/core/base/ids.hpp>

#include <bit>
#include <cstddef>
#include <type_traits>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Smaller ranks first, ties by smaller id, NaN last.
template <class Rank, class Id = id_type>
struct candidate {
  Rank rank;  ///< the smaller the nearer
  Id id;      ///< of the row
  friend bool operator==(const candidate&, const candidate&) = default;
  friend constexpr bool operator<(const candidate& a, const candidate& b) noexcept {
    return detail::is_less(a.rank, b.rank) || (!detail::is_less(b.rank, a.rank) && ties_before(a, b));
  }

 private:
  /// Whether a comes before b where neither rank is less.
  static constexpr bool ties_before(const candidate& a, const candidate& b) noexcept {
    const bool a_is_nan = detail::is_nan(a.rank), b_is_nan = detail::is_nan(b.rank);
    return a_is_nan == b_is_nan ? a.id < b.id : b_is_nan;
  }
};

/// \param x a floating-point number, or an integer of any width \returns unsigned bits in the order of the numbers; -0
/// and +0 are equal, and NaN of either sign comes last
template <class Number>
constexpr auto ordered_bits(Number x) noexcept {
  if constexpr (std::is_integral_v<Number>) {
    using bits = std::make_unsigned_t<Number>;
    constexpr auto sign = static_cast<bits>(std::is_signed_v<Number> ? bits{1} << (8 * sizeof(bits) - 1) : bits{0});
    return static_cast<bits>(static_cast<bits>(x) ^ sign);
  } else {
    using bits = std::conditional_t<sizeof(Number) == 8, std::uint64_t, std::uint32_t>;
    if (detail::is_nan(x)) return ~bits{0};
    const auto raw = std::bit_cast<bits>(x + Number(0));  // -0 + 0 is +0
    constexpr bits sign = bits{1} << (8 * sizeof(bits) - 1);
    return static_cast<bits>((raw & sign) != 0 ? ~raw : raw | sign);
  }
}

namespace detail {

/// The number that ordered_bits was given; -0 comes back as +0, and any NaN as the same one.
template <class Number>
constexpr Number from_ordered_bits(decltype(ordered_bits(Number{})) bits) noexcept {
  using bits_type = decltype(bits);
  constexpr auto sign = static_cast<bits_type>(bits_type{1} << (8 * sizeof(bits) - 1));
  if constexpr (std::is_integral_v<Number>) return static_cast<Number>(std::is_signed_v<Number> ? bits ^ sign : bits);
  else return std::bit_cast<Number>(static_cast<bits_type>((bits & sign) != 0 ? bits ^ sign : ~bits));
}

}  // namespace detail

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
