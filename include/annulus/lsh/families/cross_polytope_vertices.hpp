#pragma once

/// \file
/// The vertices of a cross-polytope that are nearest to a row, given its rotated coordinates.

#include <annulus/core/simd/butterflies.hpp>
#include <annulus/core/simd/masks.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The nearest of the vertices +- e_j: number 2 j for e_j, 2 j + 1 for -e_j. Equals go to the lower j, zeros to e_0.
struct nearest_vertex {
  float most = 0;  ///< |y_j|, the greatest magnitude
  std::uint32_t number = 0;
};

/// The vertex nearest to a row of `size` coordinates, a power of two below 2^24.
inline nearest_vertex find_nearest_vertex(const float* y, std::size_t size) noexcept {
  constexpr std::size_t width = simd::lanes<float>;
  static constexpr auto lane_numbers = [] {
    std::array<float, width> numbers{};
    for (std::size_t i = 0; i < width; ++i) numbers[i] = static_cast<float>(i);
    return numbers;
  }();
  const auto reduce = [](simd::batch<float> v, auto op) {
    const auto fold = [&](auto distance) {
      if constexpr (distance < width) v = op(v, simd::exchange_lanes<distance>(v));
    };
    fold(std::integral_constant<std::size_t, 1>{});
    fold(std::integral_constant<std::size_t, 2>{});
    fold(std::integral_constant<std::size_t, 4>{});
    fold(std::integral_constant<std::size_t, 8>{});
    return v;
  };
  // The first of the greatest coordinates of each lane, then of all lanes. Positions are exact as floats.
  simd::batch<float> in_lane(-1.0f), where(0.0f);
  for (std::size_t j = 0; j < size; j += width) {
    const auto magnitude = xsimd::abs(size >= width ? simd::load(y + j) : simd::load_partial(y, size));
    where = xsimd::select(magnitude > in_lane, simd::batch<float>(static_cast<float>(j)), where);
    in_lane = xsimd::max(in_lane, magnitude);
  }
  const auto most = reduce(in_lane, [](const auto& a, const auto& b) { return xsimd::max(a, b); });
  where = xsimd::select(in_lane == most, where + simd::load(lane_numbers.data()), simd::batch<float>(0x1p24f));
  where = reduce(where, [](const auto& a, const auto& b) { return xsimd::min(a, b); });
  alignas(64) float lane[width];
  most.store_aligned(lane);
  const float greatest = lane[0];
  where.store_aligned(lane);
  const auto j = static_cast<std::uint32_t>(lane[0]);
  return {greatest, 2 * j + (y[j] < 0)};
}

/// The range of the number of changes considered of a polytope that has more.
inline constexpr std::size_t min_changes = 12, max_changes = 32;

/// The coordinates of greatest magnitude, and their positions.
struct near_vertices {
  static constexpr std::size_t room = max_changes + 1 + simd::lanes<float>;
  std::array<float, room> magnitudes;
  std::array<std::uint32_t, room> positions;
  std::size_t count = 0;

  /// Finds the row's own vertex and the next min_changes to max_changes, in order of position: those above a cut in
  /// magnitude (the first ones where too many are equal). `size` exceeds max_changes; `cut` is the first guess. O(size)
  /// unless many coordinates are nearly equal.
  void find(const float* y, std::size_t size, const nearest_vertex& own, float cut) noexcept {
    constexpr std::size_t width = simd::lanes<float>;
    const auto at_least = [&](float least) {
      std::size_t found = 0;
      for (std::size_t j = 0; j < size && found <= max_changes + 1; j += width) {
        const auto magnitude = xsimd::abs(simd::load(y + j));
        const std::uint64_t bits = simd::mask(magnitude >= simd::batch<float>(least));
        found += simd::append_lanes(magnitude, bits, static_cast<std::uint32_t>(j), magnitudes.data() + found,
                                    positions.data() + found);
      }
      return found;
    };
    float low = 0, high = own.most;
    for (int step = 0; step < 24; ++step) {
      if (!(cut > low && cut < high)) cut = (low + high) / 2;
      const std::size_t found = at_least(cut);
      if (found > max_changes + 1) low = cut;
      else if (found < min_changes + 1) high = cut;
      else {
        count = found;
        return;
      }
      cut = (low + high) / 2;
    }
    count = std::min(at_least(high), max_changes + 1);
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
