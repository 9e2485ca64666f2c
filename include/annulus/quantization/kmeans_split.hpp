#pragma once

/// \file
/// Gives points of the clusters of the greatest error to the empty clusters of k-means.

#include <annulus/quantization/kmeans_init.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// How many of `n_parts` parts each cluster gets: each part goes to the cluster whose error, divided by one more than
/// the parts it has got, is the greatest (D'Hondt's method), ties to the lowest. A cluster without error gets none.
inline std::vector<std::size_t> parts_by_error(std::span<const double> errors, std::size_t n_parts) {
  std::vector<std::size_t> parts(errors.size()), heap;
  const auto comes_later = [&](std::size_t a, std::size_t b) {
    const double of_a = errors[a] / static_cast<double>(parts[a] + 1),
                 of_b = errors[b] / static_cast<double>(parts[b] + 1);
    return of_a < of_b || (of_a == of_b && a > b);
  };
  for (std::size_t c = 0; c < errors.size(); ++c)
    if (errors[c] > 0) heap.push_back(c);
  std::ranges::make_heap(heap, comes_later);
  for (std::size_t i = 0; i < n_parts && !heap.empty(); ++i) {
    std::ranges::pop_heap(heap, comes_later);
    ++parts[heap.back()];
    std::ranges::push_heap(heap, comes_later);
  }
  return parts;
}

/// Gives points of the clusters of the greatest squared error to the empty ones: `codes` are the clusters of `points`
/// (n x d), `counts` how many points each has, `centroids` their means. A cluster is split at some of its own points,
/// which k-means++ chooses, and each of its other points goes to the nearest of those; equal points stay together.
/// Returns whether any code has changed: false where all points of each cluster are equal. Clusters that have fewer
/// different points than they got parts leave some empty. The same bits for any number of threads. O(n d) and O(size d)
/// for each part of a cluster.
inline bool split_clusters(matrix_view<float> points, const matrix<float>& centroids,
                           std::span<const std::size_t> counts, std::span<std::uint32_t> codes,
                           const counter_random& random, const thread_team& team) {
  const std::size_t n = points.rows(), k = counts.size();
  std::vector<float> squares(n);
  parallel_for(team, n, 4096, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i)
      squares[i] = one_to_one<kernels::squared_l2>(points.row(i).data(), centroids.row(codes[i]).data(), points.cols());
  });
  std::vector<double> errors(k);
  for (std::size_t i = 0; i < n; ++i) errors[codes[i]] += static_cast<double>(squares[i]);

  const auto parts = parts_by_error(errors, static_cast<std::size_t>(std::ranges::count(counts, 0u)));
  std::vector<std::vector<std::size_t>> members(k);
  for (std::size_t i = 0; i < n; ++i)
    if (parts[codes[i]] > 0) members[codes[i]].push_back(i);
  bool has_changed = false;
  std::size_t empty = 0;
  std::vector<std::uint32_t> names;  // of the parts of a cluster
  for (std::size_t c = 0; c < k; ++c) {
    if (parts[c] == 0) continue;
    const auto [chosen, nearest] =
        choose_plus_plus(gather_rows(points, members[c]), parts[c] + 1, counter_random(random.bits(c)), team);
    names.assign(1, static_cast<std::uint32_t>(c));
    while (names.size() < chosen.size()) {
      while (counts[empty] > 0) ++empty;
      names.push_back(static_cast<std::uint32_t>(empty++));
      has_changed = true;
    }
    for (std::size_t i = 0; i < members[c].size(); ++i) codes[members[c][i]] = names[nearest[i]];
  }
  return has_changed;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
