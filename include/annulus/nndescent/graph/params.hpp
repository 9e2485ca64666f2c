#pragma once

/// \file
/// Parameters of building a graph, and their defaults.

#include <annulus/core/base/errors.hpp>
#include <annulus/core/base/progress.hpp>
#include <annulus/core/base/random.hpp>

#include <algorithm>
#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How a k-NN graph and the search graph over it are built. A zero means: from n and n_neighbors.
struct nndescent_params {
  std::size_t n_neighbors = 30;    ///< of each row in the k-NN graph
  std::size_t n_trees = 0;         ///< of the forest that starts the descent; 0: 2 log10 n, within 3 and 12
  std::size_t leaf_size = 0;       ///< rows in a leaf, at most; 0: 5 n_neighbors, within 64 and 256
  std::size_t max_candidates = 0;  ///< new neighbours of a row that are joined, and others; 0: 2 n_neighbors, <= 64
  std::size_t n_iters = 0;         ///< iterations of the descent, at most; 0: log2 n, at least 5
  double delta = 0.001;            ///< the descent ends where at most this share of the graph changed
  double pruning_degree_multiplier = 1.0;  ///< the search graph's degree, at most, in n_neighbors (or 30, if more)
  double diversify_prob = 1.0;             ///< the probability of dropping an edge that a shorter path replaces
  double alpha = 1.1;                      ///< how much shorter the path must be, once all that need it have an edge
  bool tree_init = true;                   ///< false: the descent starts from random neighbours
  bool keep_rows = true;                   ///< false: an index with compressed rows drops the exact ones
  bool include_self = false;               ///< whether the k-NN graph lists each row as its own first neighbour
  std::uint64_t seed = default_seed;       ///< of all random choices
  std::size_t threads = 0;                 ///< 0: all cores
  progress_callback progress = {};         ///< of building; returning false cancels
};

namespace detail {

/// The parameters with all zeros resolved for n rows. \throws std::invalid_argument for a value out of range.
inline nndescent_params resolved(nndescent_params params, std::size_t n) {
  constexpr std::size_t max = 4096;
  const auto within = [](std::string_view name, std::size_t value, std::size_t least, std::size_t greatest) {
    if (value < least || value > greatest) invalid(name, value, "must be from ", least, " to ", greatest);
  };
  within("n_neighbors", params.n_neighbors, 1, max);
  within("n_trees", params.n_trees, 0, max);
  within("max_candidates", params.max_candidates, 0, max);
  if (params.leaf_size == 1) invalid("leaf_size", params.leaf_size, "must be 0 or at least 2");
  within("leaf_size", params.leaf_size, 0, max);
  if (!(is_number(params.delta) && params.delta >= 0 && params.delta <= 1))
    invalid("delta", params.delta, "must be in [0, 1]");
  if (!(is_number(params.diversify_prob) && params.diversify_prob >= 0 && params.diversify_prob <= 1))
    invalid("diversify_prob", params.diversify_prob, "must be in [0, 1]");
  if (!(is_number(params.alpha) && params.alpha >= 1 && params.alpha <= 4))
    invalid("alpha", params.alpha, "must be in [1, 4]");
  if (!(is_number(params.pruning_degree_multiplier) && params.pruning_degree_multiplier > 0 &&
        params.pruning_degree_multiplier <= 64))
    invalid("pruning_degree_multiplier", params.pruning_degree_multiplier, "must be in (0, 64]");

  const auto rows = static_cast<double>(std::max<std::size_t>(n, 2));
  if (params.n_trees == 0)
    params.n_trees = std::clamp<std::size_t>(static_cast<std::size_t>(std::lround(2 * std::log10(rows))), 3, 12);

  constexpr std::size_t panel = 16;  // joins are computed in whole ones
  const auto panels = [](std::size_t m) { return (m + panel - 1) / panel * panel; };
  if (params.leaf_size == 0) params.leaf_size = panels(std::clamp<std::size_t>(5 * params.n_neighbors, 60, 256));
  if (params.max_candidates == 0) params.max_candidates = std::min<std::size_t>(64, panels(2 * params.n_neighbors));
  if (params.n_iters == 0)
    params.n_iters = std::max<std::size_t>(5, static_cast<std::size_t>(std::lround(std::log2(rows))));
  return params;
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
