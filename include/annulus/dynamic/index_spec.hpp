#pragma once

/// \file
/// index_spec: what index is built, and how, by names known at run time.

#include <annulus/core/rows/matrix.hpp>
#include <annulus/dynamic/user_metric.hpp>

#include <optional>
#include <string>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// A kind, a metric, a storage, and their parameters, which are called as in the structs named here and documented
/// there. Empty members are not given: they take the defaults of the kind. A parameter that the kind does not have is
/// refused.
///
///     dynamic_index::build(rows, {.kind = "nndescent", .metric = "cosine", .storage = "sq8", .n_neighbors = 20})
struct index_spec {
  std::string kind = "nndescent";  ///< or flat, lsh, pq, opq, fast_scan, rabitq
  std::string metric = {};         ///< of docs/metrics.md, as far as the kind has it; empty: euclidean, or the family's
  user_metric distance = {};       ///< in place of `metric`: flat, and nndescent with full_precision

  // Of metrics: metric_params.
  std::optional<double> p = {};
  std::vector<double> w = {};
  std::vector<double> variance = {};
  matrix<double> vinv = {};
  matrix<double> cost = {};
  std::optional<double> regularization = {};

  /// nndescent: full_precision, half_precision, sq8, rabitq, rabitq+sq8, rabitq+half_precision. lsh: as `family`.
  /// fast_scan: as `quantizer`.
  std::string storage = {};
  std::optional<unsigned> bits = {};   ///< rabitq (kind and storage): a dimension; bit_sampling: of a row
  std::optional<bool> keep_rows = {};  ///< nndescent with codes, pq, opq, fast_scan

  // nndescent: nndescent_params; `scales` (automatic, per_vector, per_dimension) is of sq8.
  std::optional<std::size_t> n_neighbors = {}, n_trees = {}, leaf_size = {}, max_candidates = {}, n_iters = {};
  std::optional<double> delta = {}, pruning_degree_multiplier = {}, diversify_prob = {}, alpha = {};
  std::optional<bool> tree_init = {}, include_self = {};
  std::string scales = {};
  matrix<id_type> initial = {};  ///< a graph that is roughly right: the ids of each row's neighbours, no_id for none

  // lsh: the family's name and parameters, and lsh_params.
  std::string family = {};
  std::optional<double> width = {}, max_norm = {};
  std::optional<unsigned> n_rotations = {};
  std::optional<std::size_t> n_projections = {}, n_tables = {};
  std::optional<bool> only_index = {};

  // pq, opq, fast_scan: product_quantizer (m: sub-vectors; ks: codewords), kmeans_params, opq_params.
  std::string quantizer = {};  ///< of fast_scan: pq or opq
  std::optional<std::size_t> m = {}, ks = {}, iter = {}, max_points_per_centroid = {}, pq_iter = {}, rotation_iter = {};
  std::optional<bool> parametric_init = {};
  std::string init = {};     ///< points, plus_plus, random
  std::string padding = {};  ///< of pq and fast_scan: refuse, zeros

  // rabitq: rabitq_index_params.
  std::optional<std::size_t> code_dims = {}, n_cells = {};

  // Of all kinds that have them.
  std::optional<std::uint64_t> seed = {};
  std::optional<std::size_t> threads = {};  ///< 0: all cores

  /// Calls f(name, member) for each member.
  template <class F>
  void visit(F&& f) const {
    f("kind", kind), f("metric", metric), f("metric", distance);
    f("p", p), f("w", w), f("variance", variance), f("vinv", vinv), f("cost", cost);
    f("regularization", regularization);
    f("storage", storage), f("bits", bits), f("keep_rows", keep_rows);
    f("n_neighbors", n_neighbors), f("n_trees", n_trees), f("leaf_size", leaf_size);
    f("max_candidates", max_candidates), f("n_iters", n_iters), f("delta", delta);
    f("pruning_degree_multiplier", pruning_degree_multiplier), f("diversify_prob", diversify_prob);
    f("alpha", alpha), f("tree_init", tree_init), f("include_self", include_self), f("scales", scales);
    f("initial", initial);
    f("family", family), f("width", width), f("max_norm", max_norm), f("n_rotations", n_rotations);
    f("n_projections", n_projections), f("n_tables", n_tables), f("only_index", only_index);
    f("quantizer", quantizer), f("m", m), f("ks", ks), f("iter", iter);
    f("max_points_per_centroid", max_points_per_centroid), f("pq_iter", pq_iter);
    f("rotation_iter", rotation_iter), f("parametric_init", parametric_init), f("init", init);
    f("padding", padding), f("code_dims", code_dims), f("n_cells", n_cells);
    f("seed", seed), f("threads", threads);
  }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
