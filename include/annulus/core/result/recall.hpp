#pragma once

/// \file
/// Recall: the share of the true neighbours that a search found.

#include <annulus/core/result/neighbors.hpp>

#include <algorithm>
#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// Mean over the queries of the share that count(i, wanted) makes of the true neighbours, of which there are `wanted`.
template <class Count>
double mean_share(const neighbors& found, const neighbors& truth, std::size_t k, Count count) {
  if (k == 0 || k > truth.ids.cols()) invalid("k", k, "must be from 1 to the truth's ", truth.ids.cols());
  if (found.ids.rows() != truth.ids.rows())
    invalid("found rows", found.ids.rows(), "must equal the truth's ", truth.ids.rows());
  if (found.ids.rows() == 0) return 1.0;
  double sum = 0;
  for (std::size_t i = 0; i < found.ids.rows(); ++i) {
    std::size_t wanted = k;
    while (wanted > 0 && truth.ids(i, wanted - 1) == no_id) --wanted;
    sum += wanted == 0 ? 1.0 : static_cast<double>(std::min(count(i, wanted), wanted)) / static_cast<double>(wanted);
  }
  return sum / static_cast<double>(found.ids.rows());
}

/// Throws std::invalid_argument where most of the rows sampled from `found` are in `truth` too, but most of these at
/// distances that differ by more than rounding. Rows numbered in another way coincide only by chance, and do not count
/// as such.
inline void check_same_distances(const neighbors& found, const neighbors& truth, std::size_t k) {
  constexpr float tolerance = 1e-3f;
  constexpr std::size_t samples = 8;  // of each row
  std::size_t n_compared = 0, n_same = 0, n_differing = 0;
  for (std::size_t i = 0; i < found.ids.rows(); ++i) {
    const auto ids = truth.ids.row(i).first(k);
    for (std::size_t j = 0; j < std::min({samples, k, found.ids.cols()}); ++j) {
      if (found.ids(i, j) == no_id) continue;
      ++n_compared;
      const auto same = std::ranges::find(ids, found.ids(i, j));
      if (same == ids.end()) continue;
      const float here = found.distances(i, j),
                  there = truth.distances(i, static_cast<std::size_t>(same - ids.begin()));
      if (!is_finite(here) || !is_finite(there)) continue;
      ++n_same;
      n_differing += std::abs(here - there) > tolerance * std::abs(there);
    }
  }
  if (2 * n_same > n_compared && 2 * n_differing > n_same)
    invalid("found distances", n_differing, "of ", n_same,
            " rows differ from the truth's; recall needs exact distances, use recall_by_id for estimates");
}

}  // namespace detail

/// The share of the true neighbours that were found, by distance, so that ties count whichever of the tied rows was
/// returned: a hit is one of the first k results no further than the k-th true neighbour, give or take 1e-5 of that
/// distance (two kernels may round differently). Padding of the truth asks for nothing, padding of the results is a
/// miss; a row without true neighbours counts as found. \param found what is judged, with distances computed exactly
/// \param truth the exact neighbours \param k how many of each query \returns the mean over the queries, from 0 to 1
/// \throws std::invalid_argument for k = 0, k beyond the truth's columns, different numbers of rows, and distances most
/// of which are not those of the truth, as the estimates of codes are.
inline double recall(const neighbors& found, const neighbors& truth, std::size_t k) {
  const double share = detail::mean_share(found, truth, k, [&](std::size_t i, std::size_t wanted) {
    const float furthest = truth.distances(i, wanted - 1), limit = furthest + 1e-5f * std::abs(furthest);
    std::size_t hits = 0;
    for (std::size_t j = 0; j < std::min(k, found.ids.cols()); ++j)
      hits += found.ids(i, j) != no_id && found.distances(i, j) <= limit;
    return hits;
  });
  detail::check_same_distances(found, truth, k);
  return share;
}

/// The same by the ids of the first k of both: of rows tied at the k-th distance only those that the truth lists count.
/// \param found what is judged \param truth the exact neighbours \param k how many of each query
/// \returns the mean over the queries, from 0 to 1 \throws std::invalid_argument for k = 0, k beyond the truth's
/// columns and different numbers of rows.
inline double recall_by_id(const neighbors& found, const neighbors& truth, std::size_t k) {
  std::vector<id_type> ids;
  return detail::mean_share(found, truth, k, [&](std::size_t i, std::size_t wanted) {
    const auto row = found.ids.row(i).first(std::min(k, found.ids.cols()));
    ids.assign(row.begin(), row.end());
    std::ranges::sort(ids);
    return static_cast<std::size_t>(std::ranges::count_if(
        truth.ids.row(i).first(wanted), [&](id_type id) { return std::ranges::binary_search(ids, id); }));
  });
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
