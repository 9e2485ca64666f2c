#pragma once

#include <annulus/core/base/float_bits.hpp>

#include <limits>

/// Whether numbers below the smallest normal one count as zero, as they do under -ffast-math: the linker adds start
/// code that tells the processor so, for all units of the process.
inline bool denormals_are_zero() {
  const volatile float least = std::numeric_limits<float>::denorm_min();
  return least == 0.0f;
}

/// By its bits, whatever the processor takes it for.
template <class Number>
bool is_denormal(Number x) {
  const auto bits = annulus::detail::magnitude_bits(x);
  return bits != 0 && bits < annulus::detail::magnitude_bits(std::numeric_limits<Number>::min());
}
