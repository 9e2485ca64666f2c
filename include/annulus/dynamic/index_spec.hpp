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
  std::optional<double> p = {};               ///< the order of a norm, at least 1
  std::vector<double> w = {};                 ///< a weight for each coordinate
  std::vector<double> variance = {};          ///< one for each coordinate
  matrix<double> vinv = {};                   ///< d x d, the inverse of a covariance
  matrix<double> cost = {};                   ///< d x d, of moving a unit of mass between two bins
  std::optional<double> regularization = {};  ///< the weight of the plan's entropy, in units of cost

  /// nndescent: full_precision, half_precision, sq8, rabitq, rabitq+sq8, rabitq+half_precision. lsh: as `family`.
  /// fast_scan: as `quantizer`.
  std::string storage = {};
  std::optional<unsigned> bits = {};   ///< rabitq (kind and storage): a dimension; bit_sampling: of a row
  std::optional<bool> keep_rows = {};  ///< nndescent with codes, pq, opq, fast_scan

  // nndescent: nndescent_params.
  std::optional<std::size_t> n_neighbors = {};           ///< of each row in the k-NN graph
  std::optional<std::size_t> n_trees = {};               ///< of the forest that starts the descent
  std::optional<std::size_t> leaf_size = {};             ///< rows in a leaf, at most
  std::optional<std::size_t> max_candidates = {};        ///< neighbours of a row that are joined
  std::optional<std::size_t> n_iters = {};               ///< iterations of the descent, at most
  std::optional<double> delta = {};                      ///< the share of the graph below which the descent ends
  std::optional<double> pruning_degree_multiplier = {};  ///< the search graph's degree, in n_neighbors
  std::optional<double> diversify_prob = {};  ///< the probability of dropping an edge that a shorter path replaces
  std::optional<double> alpha = {};           ///< how much shorter the path must be
  std::optional<bool> tree_init = {};         ///< false: the descent starts from random neighbours
  std::optional<bool> include_self = {};      ///< whether the k-NN graph lists each row as its own first neighbour
  std::string scales = {};                    ///< of sq8: automatic, per_vector, per_dimension
  matrix<id_type> initial = {};  ///< a graph that is roughly right: the ids of each row's neighbours, no_id for none

  // lsh: the family and its parameters, and lsh_params.
  std::string family = {};                        ///< of docs/lsh.md; empty: that of the metric
  std::optional<double> width = {};               ///< p_stable_l1, p_stable_l2: of a piece, in the unit of the data
  std::optional<double> max_norm = {};            ///< simple_mips: the greatest norm of a row
  std::optional<unsigned> n_rotations = {};       ///< cross_polytope: random rotations of a hash function
  std::optional<std::size_t> n_projections = {};  ///< hash functions that make up the key of a table
  std::optional<std::size_t> n_tables = {};       ///< of hash keys
  std::optional<bool> only_index = {};            ///< whether no rows are kept: candidates() works, search() throws

  // pq, opq, fast_scan: product_quantizer, kmeans_params, opq_params.
  std::string quantizer = {};                               ///< of fast_scan: pq or opq
  std::optional<std::size_t> m = {};                        ///< sub-vectors of a row; must be given
  std::optional<std::size_t> ks = {};                       ///< codewords of a sub-space
  std::optional<std::size_t> iter = {};                     ///< pq: rounds of k-means
  std::optional<std::size_t> pq_iter = {};                  ///< opq: rounds of k-means for the last codewords
  std::optional<std::size_t> rotation_iter = {};            ///< opq: rounds of codewords and rotation in turn
  std::optional<bool> parametric_init = {};                 ///< opq: whether it starts from the data's covariance
  std::optional<std::size_t> max_points_per_centroid = {};  ///< more rows than ks times this are sampled
  std::string init = {};                                    ///< points, plus_plus, random
  std::string padding = {};                                 ///< of pq and fast_scan: refuse, zeros

  // rabitq: rabitq_index_params.
  std::optional<std::size_t> code_dims = {};  ///< dimensions of codes
  std::optional<std::size_t> n_cells = {};    ///< clusters whose centroids codes are relative to

  // Of all kinds that have them.
  std::optional<std::uint64_t> seed = {};   ///< the same one gives the same index for any number of threads
  std::optional<std::size_t> threads = {};  ///< 0: all cores

  /// Calls f for each member. \param f called with a name and a member \throws any exception of f
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
