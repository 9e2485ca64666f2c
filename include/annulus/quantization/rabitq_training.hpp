#pragma once

/// \file
/// What 1-bit codes of rows are taken relative to: cells, and a rotation after which the leading coordinates hold most
/// of the variance.

#include <annulus/core/codes/random_rotation.hpp>
#include <annulus/core/codes/row_centre.hpp>
#include <annulus/quantization/kmeans.hpp>
#include <annulus/quantization/rotation.hpp>
#include <annulus/quantization/scan/distance_table.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How a rabitq_index is built.
struct rabitq_index_params {
  pq_metric metric = pq_metric::sqeuclidean;  ///< of searches
  unsigned bits = 1;                          ///< a dimension of codes, from 1 to 8
  std::size_t code_dims = 0;  ///< dimensions of codes; 0: as many as hold 90 % of the variance, at least 48
  std::size_t n_cells = 0;    ///< k-means cells, whose centroids codes are relative to; 0: one for each 800 rows
  std::uint64_t seed = default_seed;  ///< of the rotation and the cells
  std::size_t threads = 0;            ///< 0: all cores
};

namespace detail {

/// A linear map of rows to the coordinates that codes keep, and the centroids of cells. All are relative to `mean`.
struct rabitq_frame {
  matrix<float> mean;       ///< 1 x dim
  matrix<float> map;        ///< dim x code_dims, orthonormal columns
  matrix<float> centroids;  ///< n_cells x dim
};

/// The least multiple of the dimensions that one sum of bytes takes, and at least 48, whose leading axes (the columns
/// of `axes`) hold the share of the sample's variance.
inline std::size_t leading_dims(matrix_view<float> sample, const matrix<float>& axes, const thread_team& team) {
  constexpr std::size_t step = 8, least = 48;
  constexpr double share = 0.9;
  const matrix<float> turned = multiplied(sample, axes, team);
  std::vector<double> variance(axes.cols());
  for (std::size_t i = 0; i < turned.rows(); ++i)
    for (std::size_t j = 0; j < turned.cols(); ++j) variance[j] += static_cast<double>(turned(i, j)) * turned(i, j);
  const double enough = share * std::accumulate(variance.begin(), variance.end(), 0.0);
  double held = 0;
  std::size_t dims = 0;
  while (dims < variance.size() && (held < enough || dims < least)) held += variance[dims++];
  return std::min(variance.size(), (dims + step - 1) / step * step);
}

/// Rows about their mean, at most `most` of them.
inline matrix<float> centred_sample(matrix_view<float> rows, std::span<const float> mean, std::size_t most) {
  matrix<float> sample(std::min(rows.rows(), most), rows.cols());
  std::size_t i = 0;
  visit_sample(rows.rows(), most, [&](std::size_t r) {
    std::ranges::transform(rows.row(r), mean, sample.row(i++).begin(), std::minus<>());
  });
  return sample;
}

/// The mean; 0 for inner products, which are of rows as they are.
inline matrix<float> frame_mean(matrix_view<float> rows, pq_metric metric) {
  matrix<float> mean(1, rows.cols());
  if (metric != pq_metric::inner_product) std::ranges::copy(mean_of_rows(rows), mean.data());
  return mean;
}

/// Trains the frame on rows, of which there is at least one. O(n dim + sample (dim^2 + n_cells dim) + dim^3).
inline rabitq_frame train_rabitq(matrix_view<float> rows, const rabitq_index_params& params, const thread_team& team) {
  constexpr std::size_t rows_a_cell = 800, most_cells = 4096, sampled = 20'000, least_dims = 48;
  const std::size_t dim = rows.cols();
  rabitq_frame frame{frame_mean(rows, params.metric), {}, {}};
  matrix<float> axes;
  std::size_t dims = params.code_dims == 0 ? dim : params.code_dims;
  if (dims < dim || (params.code_dims == 0 && dim > least_dims)) {
    const matrix<float> sample = centred_sample(rows, frame.mean.row(0), sampled);
    axes = parametric_rotation<double>(sample, 1);
    if (params.code_dims == 0) dims = leading_dims(sample, axes, team);
  } else {
    axes = identity(dim);
  }
  // Within the leading axes coordinates are mixed, as codes need them to be alike.
  const random_rotation mixed(dims, params.seed);
  frame.map = matrix<float>(dim, dims);
  for (std::size_t i = 0; i < dim; ++i) mixed(axes.row(i).data(), frame.map.row(i).data());

  const std::size_t wanted = params.n_cells == 0 ? std::min(rows.rows() / rows_a_cell, most_cells) : params.n_cells;
  kmeans_params cells{.iter = 10, .seed = params.seed, .max_points_per_centroid = 128};
  cells.threads = team.size();
  frame.centroids = kmeans(rows, std::clamp<std::size_t>(wanted, 1, rows.rows()), cells).centroids;
  for (std::size_t c = 0; c < frame.centroids.rows(); ++c)
    std::ranges::transform(frame.centroids.row(c), frame.mean.row(0), frame.centroids.row(c).begin(), std::minus<>());
  return frame;
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
