#pragma once

/// \file
/// Tests for NaN and infinity by the bits of a number, and comparisons and roots that are right whatever the compiler's
/// floating-point flags. Under -ffast-math a compiler assumes that no number is a NaN or an infinity, and drops tests
/// for them; it assumes nothing of bits.

#include <annulus/core/base/config.hpp>

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>
#if !defined(__GNUC__)
#include <cmath>
#endif

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The bits of a number as an unsigned integer. For numbers >= 0 these are in the order of the numbers, with NaN above
/// infinity, so that one comparison tests a range.
template <class Number>
constexpr auto bits_of(Number x) noexcept {
  return std::bit_cast<std::conditional_t<sizeof(Number) == 8, std::uint64_t, std::uint32_t>>(x);
}

/// The type whose bits are tested: 16-bit floats are converted to float first.
template <class Number>
using tested_as_t = std::conditional_t<std::is_same_v<Number, double>, double, float>;

/// The bits of |x|.
template <class Number>
constexpr auto magnitude_bits(Number x) noexcept {
  const auto bits = bits_of(static_cast<tested_as_t<Number>>(x));
  return static_cast<decltype(bits_of(tested_as_t<Number>()))>(bits << 1 >> 1);
}

template <class Number>
constexpr bool is_finite(Number x) noexcept {
  if constexpr (std::is_integral_v<Number>) return true;
  else return magnitude_bits(x) < bits_of(std::numeric_limits<tested_as_t<Number>>::infinity());
}
template <class Number>
constexpr bool is_nan(Number x) noexcept {
  if constexpr (std::is_integral_v<Number>) return false;
  else return magnitude_bits(x) > bits_of(std::numeric_limits<tested_as_t<Number>>::infinity());
}
/// a < b and a <= b, which are false where either is NaN. Under -ffinite-math-only g++ takes instructions for `<` that
/// may say true of a NaN, also in functions that are compiled without it (macros_off.hpp).
template <class Number>
constexpr bool is_less(Number a, Number b) noexcept {
#if defined(ANNULUS_POP_OPTIONS)
  return a < b && !is_nan(a) && !is_nan(b);
#else
  return a < b;
#endif
}
template <class Number>
constexpr bool is_at_most(Number a, Number b) noexcept {
#if defined(ANNULUS_POP_OPTIONS)
  return a <= b && !is_nan(a) && !is_nan(b);
#else
  return a <= b;
#endif
}
/// std::sqrt, which g++ inlines under -ffast-math only as a builtin.
template <class Number>
Number builtin_sqrt(Number x) noexcept {
#if defined(__GNUC__)
  if constexpr (sizeof(Number) == 4) return __builtin_sqrtf(x);
  else return __builtin_sqrt(x);
#else
  return std::sqrt(x);
#endif
}
/// The correctly rounded square root, also of infinity. Under -ffast-math clang replaces other square roots by
/// approximations, wherever they are called.
inline float sqrt(float x) noexcept {
#if defined(__clang__) && defined(__FAST_MATH__) && defined(__AVX__)
  asm("vsqrtss %0, %0, %0" : "+x"(x));
  return x;
#elif defined(__clang__) && defined(__FAST_MATH__) && defined(__SSE2__)
  asm("sqrtss %0, %0" : "+x"(x));
  return x;
#else
  return builtin_sqrt(x);
#endif
}
inline double sqrt(double x) noexcept { return builtin_sqrt(x); }

/// x, or +0 for -0.
template <class Number>
constexpr Number without_negative_zero(Number x) noexcept {
  if constexpr (std::is_integral_v<Number>) return x;
  else return magnitude_bits(x) == 0 ? Number(0) : x;
}

/// Whether x is not NaN. Checks of limits ask first, as in is_number(x) && x >= 0: under -ffast-math a comparison with
/// NaN may be true.
template <class Number>
constexpr bool is_number(Number x) noexcept {
  return !is_nan(x);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
