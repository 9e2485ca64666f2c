#pragma once

/// \file
/// Learns a rotation and the codewords of the rotated vectors in turn, each while the other is fixed.

#include <annulus/core/base/random.hpp>
#include <annulus/core/kernels/fixed_order_product.hpp>
#include <annulus/quantization/kmeans.hpp>
#include <annulus/quantization/rotation.hpp>

#include <deque>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How an optimised product quantiser is trained.
struct opq_params {
  /// Start from principal axes, assigned to sub-spaces of balanced variance (which on embeddings is better than ten
  /// rounds from the axes of the data), or from the axes of the data.
  bool parametric_init = true;
  std::size_t pq_iter = 20;                 ///< rounds of k-means for the codewords that are kept
  std::size_t rotation_iter = 10;           ///< rounds of codewords and rotation in turn; 0 keeps the first rotation
  std::uint64_t seed = default_seed;        ///< of all random choices
  kmeans_init init = kmeans_init::points;   ///< the first codewords
  std::size_t max_points_per_centroid = 0;  ///< trains on a random sample of so many times ks vectors; 0: on all
  std::size_t threads = 0;                  ///< 0: all cores
  progress_callback progress = {};          ///< of fit; returning false cancels
};

namespace detail {

/// The power of two that brings the largest coordinate to at most 1. Products of rows and decoded rows leave the range
/// of floats long before the rows do; of scaled rows they have the same digits and the same rotation.
inline float scale_to_one(matrix_view<float> rows) {
  float largest = 0;
  for (std::size_t r = 0; r < rows.rows(); ++r)
    for (const float x : rows.row(r)) largest = std::max(largest, std::abs(x));
  int exponent = 0;
  std::frexp(largest, &exponent);
  return std::ldexp(1.0f, std::min(-exponent, std::numeric_limits<float>::max_exponent - 1));
}

struct learned_rotation {
  matrix<float> rotation;   ///< d x d
  matrix<float> codewords;  ///< (m * ks) x ds, of rotated rows
};

/// Repeats two steps: a few rounds of k-means over the rotated rows, then the rotation that brings the rows nearest to
/// the decoded ones. Rows are n x d, finite, n >= ks, d a multiple of m.
template <std::floating_point Real = double>
learned_rotation learn_rotation(matrix_view<float> rows, std::size_t m, std::size_t ks, const opq_params& params,
                                const thread_team& team) {
  constexpr std::size_t codeword_rounds = 2;  // of k-means in each round: cheap beside the products
  const std::size_t n = rows.rows(), d = rows.cols(), ds = d / m;
  matrix<float> rotation = params.parametric_init ? parametric_rotation<Real>(rows, m) : identity(d);
  matrix<float> rotated = multiplied(rows, rotation, team), decoded(n, d);  // the latter times scale
  const float scale = scale_to_one(rows);
  std::vector<matrix<float>> codewords(m);
  std::deque<thread_team> part_teams;  // of each sub-space, where there are more threads than sub-spaces
  for (std::size_t i = 0; i < m; ++i) part_teams.emplace_back(std::max<std::size_t>(team.size() / m, 1));
  const auto improve = [&](std::size_t i, std::size_t round) {
    const matrix<float> own = packed_copy({rotated.data() + i * ds, n, ds, d});
    const kmeans_params part{.seed = params.seed + i, .init = params.init};
    if (codewords[i].rows() == 0) codewords[i] = initial_centroids(own, ks, part, part_teams[i]);
    if (params.rotation_iter == 0) return;
    lloyd rounds(own, ks, part.seed, part_teams[i]);
    for (std::size_t r = 0; r < codeword_rounds; ++r) {
      rounds.assign(codewords[i]);
      rounds.update(codewords[i], round * codeword_rounds + r);
    }
    for (std::size_t r = 0; r < n; ++r)
      std::ranges::transform(codewords[i].row(rounds.codes()[r]), decoded.row(r).data() + i * ds,
                             [scale](float x) { return x * scale; });
  };
  for (std::size_t round = 0; round < std::max<std::size_t>(params.rotation_iter, 1); ++round) {
    parallel_for(team, m, 1, [&](std::size_t i, std::size_t, std::size_t) { improve(i, round); });
    if (params.rotation_iter == 0) {
      report(params.progress, "rotation", 1.0);
      break;
    }
    rotation = procrustes<Real>(transposed_product(rows, decoded, team));
    rotated = multiplied(rows, rotation, team);
    report(params.progress, "rotation", static_cast<double>(round + 1) / static_cast<double>(params.rotation_iter));
  }

  learned_rotation learned{std::move(rotation), matrix<float>(m * ks, ds)};
  for (std::size_t i = 0; i < m; ++i) std::copy_n(codewords[i].data(), ks * ds, learned.codewords.row(i * ks).data());
  return learned;
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
