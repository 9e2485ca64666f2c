#pragma once

/// \file
/// The degree and the pruning rule of a search graph, which follow from the parameters of its index, and how these
/// parameters are saved.

#include <annulus/core/metric/metric.hpp>
#include <annulus/nndescent/graph/params.hpp>
#include <annulus/nndescent/index/diversify.hpp>
#include <annulus/storage/archive.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

inline std::size_t graph_degree(const nndescent_params& params) noexcept {
  constexpr std::size_t least = 30;  // a k-NN graph may be thin, a graph to search may not
  const auto k = static_cast<double>(std::max(params.n_neighbors, least));
  return std::max<std::size_t>(4, static_cast<std::size_t>(std::lround(params.pruning_degree_multiplier * k)));
}
/// Room for the edges and a spare one, in whole half cache lines.
inline std::size_t graph_stride(const nndescent_params& params) noexcept {
  return (graph_degree(params) + 1 + 7) / 8 * 8;
}

/// How edges are chosen, when the graph is built and when it changes.
template <class Metric>
diversify_rule diversify_rule_of(const nndescent_params& params) {
  const auto alpha = static_cast<float>(params.alpha);
  constexpr bool is_square = has_product_form<Metric>();  // euclidean ranks, and cosine distances, are squares
  constexpr bool is_signed = form_of<Metric>() == product_form::inner_product;
  const float factor = is_signed ? 1.0f : is_square ? alpha * alpha : alpha;
  return {graph_stride(params) - 1, params.diversify_prob, factor, counter_random(params.seed + 3)};
}

/// All but threads, progress and include_self, which an index does not keep.
template <class Params, class Archive>
void persist_params(Params& params, Archive& archive) {
  archive("n_neighbors", params.n_neighbors);
  archive("n_trees", params.n_trees);
  archive("leaf_size", params.leaf_size);
  archive("max_candidates", params.max_candidates);
  archive("n_iters", params.n_iters);
  archive("delta", params.delta);
  archive("pruning_degree_multiplier", params.pruning_degree_multiplier);
  archive("diversify_prob", params.diversify_prob);
  archive("alpha", params.alpha);
  archive("tree_init", params.tree_init);
  archive("keep_rows", params.keep_rows);
  archive("seed", params.seed);
  if constexpr (Archive::is_loading) archive.rebuild([&] { params = resolved(params, 0); });
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
