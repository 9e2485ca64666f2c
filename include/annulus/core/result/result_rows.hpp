#pragma once

/// \file
/// Writes sorted candidates to the row of a result.

#include <annulus/core/result/neighbors.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Writes candidates, nearest first and no more than a row holds, to the front of a row: their ids, and
/// distance_of_rank(c.rank) of each.
template <class Candidates, class Distance>
void write_row(const Candidates& sorted, std::span<id_type> ids, std::span<float> distances,
               Distance distance_of_rank) {
  std::size_t j = 0;
  for (const auto& c : sorted) {
    ids[j] = c.id;
    distances[j++] = distance_of_rank(c.rank);
  }
}

/// The same to row i of a result that is all padding.
template <class Candidates, class Distance>
void write_row(const Candidates& sorted, neighbors& result, std::size_t i, Distance distance_of_rank) {
  write_row(sorted, result.ids.row(i), result.distances.row(i), distance_of_rank);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
