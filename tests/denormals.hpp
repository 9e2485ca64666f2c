#pragma once

#include <limits>

/// Whether numbers below the smallest normal one count as zero, as they do under -ffast-math: the linker adds start
/// code that tells the processor so, for all units of the process.
inline bool denormals_are_zero() {
  const volatile float least = std::numeric_limits<float>::denorm_min();
  return least == 0.0f;
}
