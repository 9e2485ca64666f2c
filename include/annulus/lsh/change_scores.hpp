#pragma once

/// \file
/// Scores of the changes that lead from a query's bucket to those around it, and their order.

#include <annulus/core/simd/elementary.hpp>
#include <annulus/core/simd/masks.hpp>

#include <algorithm>
#include <bit>
#include <span>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Turns each probability or odds into a score: minus its logarithm, and at least 0, so that adding a change to a set
/// never makes its score less.
inline void to_scores(std::span<float> odds) noexcept {
  constexpr std::size_t width = simd::lanes<float>;
  const simd::batch<float> least(1e-30f), one(1.0f), zero(0.0f);
  for (std::size_t i = 0; i < odds.size(); i += width) {
    const std::size_t n = std::min(width, odds.size() - i);
    const auto x = n == width ? simd::load(odds.data() + i) : simd::load_partial(odds.data() + i, n);
    alignas(64) float score[width];
    (zero - simd::log(xsimd::min(xsimd::max(x, least), one))).store_aligned(score);  // and no -0
    std::copy_n(score, n, odds.data() + i);
  }
}

/// places[i] = the position of scores[i] once they are sorted; equal scores keep their order. Each position is the
/// number of lesser scores, counted without branches: O(n^2), and the fastest way for some dozens.
inline void sorted_places(std::span<const float> scores, std::vector<std::uint32_t>& places) {
  constexpr std::size_t width = simd::lanes<float>;
  const std::size_t n = scores.size(), whole = n / width * width;
  places.resize(n);
  std::size_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const simd::batch<float> own(scores[i]);
    std::size_t place = 0;
    for (std::size_t j = 0; j < whole; j += width)
      place += static_cast<std::size_t>(std::popcount(simd::mask(simd::load(scores.data() + j) < own)));
    for (std::size_t j = whole; j < n; ++j) place += scores[j] < scores[i];
    places[i] = static_cast<std::uint32_t>(place);
    sum += place;
  }
  if (2 * sum == n * (n - 1)) return;  // all scores differ
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < i; ++j) places[i] += scores[j] == scores[i];
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
