#pragma once

#include <limits>

/// What ranks must be told apart from.
template <class Number>
inline constexpr Number infinity = std::numeric_limits<Number>::infinity();
template <class Number>
inline constexpr Number not_a_number = std::numeric_limits<Number>::quiet_NaN();
