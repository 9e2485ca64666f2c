#pragma once

/// \file
/// How much of the truth a search found.

#include <annulus/core/neighbors.hpp>

#include <algorithm>
#include <cmath>

#include <annulus/core/macros_off.hpp>

namespace annulus::inline ANNULUS_ARCH {

/// Mean over the queries of the share of the k true neighbours that were found, from 0 to 1. By distance, so that ties
/// count whichever of the tied rows was returned: a hit is one of the first k results no further than the k-th true
/// neighbour, give or take 1e-5 of that distance (two kernels may round differently). Padding of the truth asks for
/// nothing, padding of the results is a miss; a row without true neighbours counts as found.
/// \throws std::invalid_argument for k = 0, k beyond the truth's columns, or different numbers of rows.
inline double recall(const neighbors& found, const neighbors& truth, std::size_t k) {
  if (k == 0 || k > truth.ids.cols()) detail::invalid("k", k, "must be from 1 to the truth's ", truth.ids.cols());
  if (found.ids.rows() != truth.ids.rows())
    detail::invalid("found rows", found.ids.rows(), "must equal the truth's ", truth.ids.rows());
  if (found.ids.rows() == 0) return 1.0;

  double sum = 0;
  for (std::size_t i = 0; i < found.ids.rows(); ++i) {
    std::size_t wanted = k;
    while (wanted > 0 && truth.ids(i, wanted - 1) == no_id) --wanted;
    if (wanted == 0) {
      sum += 1.0;
      continue;
    }
    const float furthest = truth.distances(i, wanted - 1), limit = furthest + 1e-5f * std::abs(furthest);
    std::size_t hits = 0;
    for (std::size_t j = 0; j < std::min(k, found.ids.cols()); ++j)
      hits += found.ids(i, j) != no_id && found.distances(i, j) <= limit;
    sum += static_cast<double>(std::min(hits, wanted)) / static_cast<double>(wanted);
  }
  return sum / static_cast<double>(found.ids.rows());
}

}  // namespace annulus::inline ANNULUS_ARCH

#include <annulus/core/macros_on.hpp>
