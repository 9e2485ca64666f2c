#pragma once

#include <annulus/version.hpp>
#include <array>
#include <cstddef>

// Included by every unit, each of which must get its own instruction set from the headers and the right answer, 2.
namespace {

std::size_t nearest() {
  const std::array<float, 4> points{9, 4, 1, 6};
  std::size_t best = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (points[i] < points[best]) best = i;
  }
  return best;
}

}  // namespace
