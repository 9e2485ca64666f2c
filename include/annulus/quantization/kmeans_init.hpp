#pragma once

/// \file
/// The parameters of k-means, and its first centroids.

#include <annulus/core/base/random.hpp>
#include <annulus/core/kernels/norm_checks.hpp>
#include <annulus/core/rows/row_types.hpp>

#include <algorithm>
#include <numeric>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How the first centroids are chosen.
enum class kmeans_init {
  random,     ///< normally distributed with the mean and covariance of the points
  plus_plus,  ///< k-means++ (Arthur and Vassilvitskii 2007), O(n k d), as much as an iteration by floats
  points      ///< rows at random, or by k-means++ where more than half of these equal others, as where most are zero
};

/// How k-means is run.
struct kmeans_params {
  std::size_t iter = 20;  ///< at most so many rounds of assignment and update; fewer where nothing changes any more
  std::uint64_t seed = default_seed;        ///< of all random choices
  kmeans_init init = kmeans_init::points;   ///< the first centroids
  std::size_t max_points_per_centroid = 0;  ///< 0: trains on all points, else on a random sample of k times as many
  std::size_t threads = 0;                  ///< 0: all cores
  progress_callback progress = {};          ///< of the rounds; returning false cancels
};

namespace detail {

/// `count` <= n different numbers below n, ascending.
inline std::vector<std::size_t> sample_without_replacement(std::size_t n, std::size_t count, const counter_random& r) {
  std::vector<std::size_t> ids = drawn_without_replacement(n, count, r);
  std::sort(ids.begin(), ids.end());
  return ids;
}

/// Copies a row, normalised if asked for. A zero row stays zero.
inline void copy_row(std::span<const float> row, bool normalize, float* out) {
  const float norm =
      normalize ? detail::sqrt(one_to_one<kernels::inner_product>(row.data(), row.data(), row.size())) : 1;
  const float scale = norm > 0 ? 1 / norm : 1;
  std::ranges::transform(row, out, [scale](float x) { return x * scale; });
}

inline matrix<float> packed_copy(matrix_view<float> rows, bool normalize = false) {
  matrix<float> copy(rows.rows(), rows.cols());
  for (std::size_t i = 0; i < rows.rows(); ++i) copy_row(rows.row(i), normalize, copy.row(i).data());
  return copy;
}

inline std::size_t count_different(const matrix<float>& rows) {
  std::vector<std::size_t> order(rows.rows());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return std::ranges::lexicographical_compare(rows.row(a), rows.row(b));
  });
  const auto end = std::unique(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::ranges::equal(rows.row(a), rows.row(b));
  });
  return static_cast<std::size_t>(end - order.begin());
}

/// Rows that are nearly normally distributed with the mean and covariance of the points: the mean plus the sum of all
/// differences from it with random signs.
inline matrix<float> gaussian_rows(matrix_view<float> points, std::size_t k, const counter_random& r) {
  const std::size_t n = points.rows(), d = points.cols();
  std::vector<double> mean(d), sum(d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) mean[j] += static_cast<double>(points.row(i)[j]) / static_cast<double>(n);
  const double scale = 1 / detail::sqrt(static_cast<double>(std::max<std::size_t>(n, 2) - 1));
  matrix<float> rows(k, d);
  for (std::size_t c = 0; c < k; ++c) {
    std::ranges::fill(sum, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      const double sign = (r.bits(c * (n / 64 + 1) + i / 64) >> (i % 64) & 1u) != 0 ? scale : -scale;
      for (std::size_t j = 0; j < d; ++j) sum[j] += sign * (static_cast<double>(points.row(i)[j]) - mean[j]);
    }
    for (std::size_t j = 0; j < d; ++j) rows(c, j) = static_cast<float>(mean[j] + sum[j]);
  }
  return rows;
}

struct plus_plus_choice {
  std::vector<std::size_t> chosen;     ///< rows
  std::vector<std::uint32_t> nearest;  ///< of each row the nearest of the chosen rows, the first of several
};

/// k-means++ chooses k rows, each with a probability proportional to its squared distance from the nearest one chosen
/// before; fewer than k where all rows equal one of those.
inline plus_plus_choice choose_plus_plus(matrix_view<float> points, std::size_t k, const counter_random& r,
                                         const thread_team& team) {
  constexpr std::size_t grain = 4096;
  const std::size_t n = points.rows();
  std::vector<float> squares(n, std::numeric_limits<float>::infinity());
  std::vector<double> sums(n / grain + 1);
  plus_plus_choice result{{static_cast<std::size_t>(r.below(0, n))}, std::vector<std::uint32_t>(n)};
  auto& chosen = result.chosen;
  for (;;) {
    const float* const last = points.row(chosen.back()).data();
    const auto number = static_cast<std::uint32_t>(chosen.size() - 1);
    parallel_for(team, n, grain, [&](std::size_t begin, std::size_t end, std::size_t) {
      double sum = 0;
      for (std::size_t i = begin; i < end; ++i) {
        const float square = one_to_one<kernels::squared_l2>(last, points.row(i).data(), points.cols());
        result.nearest[i] = square < squares[i] ? number : result.nearest[i];
        squares[i] = std::min(squares[i], square);
        sum += static_cast<double>(squares[i]);
      }
      sums[begin / grain] = sum;
    });
    const double sum = std::accumulate(sums.begin(), sums.end(), 0.0);
    if (chosen.size() == k || sum == 0) return result;
    double left = r.uniform(chosen.size()) * sum;
    std::size_t block = 0;
    while (block + 1 < sums.size() && left >= sums[block]) left -= sums[block++];
    std::size_t next = std::min(block * grain, n - 1);
    for (std::size_t i = next; i < std::min(n, block * grain + grain); ++i) {
      if (squares[i] > 0) next = i;
      if ((left -= static_cast<double>(squares[i])) < 0) break;
    }
    chosen.push_back(next);
  }
}

/// The k first centroids of at least k points.
inline matrix<float> initial_centroids(matrix_view<float> points, std::size_t k, const kmeans_params& params,
                                       const thread_team& team) {
  constexpr std::uint64_t initial_stream = 0;
  const counter_random random(params.seed, initial_stream);
  switch (params.init) {
    case kmeans_init::random:
      return gaussian_rows(points, k, random);
    case kmeans_init::points: {
      auto rows = gather_rows(points, sample_without_replacement(points.rows(), k, random));
      if (2 * count_different(rows) >= k) return rows;
      [[fallthrough]];
    }
    case kmeans_init::plus_plus: {
      auto chosen = choose_plus_plus(points, k, random, team).chosen;
      chosen.resize(k, chosen.front());
      return gather_rows(points, chosen);
    }
  }
  invalid("init", static_cast<int>(params.init), "must be random, plus_plus or points");
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
