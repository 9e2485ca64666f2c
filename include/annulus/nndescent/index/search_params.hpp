#pragma once

/// \file
/// Parameters of searching and tuning a graph index, and what these report.

#include <annulus/core/base/errors.hpp>
#include <annulus/core/base/float_bits.hpp>
#include <annulus/core/result/filter.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How a graph is searched.
struct nndescent_search_params {
  /// The `beam` nearest rows found are kept and expanded (at least k). 0: epsilon decides, or under inner products a
  /// beam of 4 k + 40, at least 64. Queries far from all rows get a beam four times as wide.
  std::size_t beam = 0;
  double epsilon = 0.1;     ///< without a beam: the search ends at distance d_k + epsilon (d_k - d_1)
  std::size_t threads = 0;  ///< 0: all cores
  id_filter filter = {};    ///< which rows may be returned
  /// Where codes of edges are searched by (rabitq): whether rows are compared with the query only when they are
  /// expanded, in the order of their estimates, not before. Reads fewer rows and needs a wider beam, which pays for
  /// rows of many coordinates and high recall: tune() finds out.
  bool by_estimates = false;
};

/// What queries tune() tries beams with, where it is not given any, and for which k.
struct tune_params {
  std::size_t n_queries = 300;  ///< rows of the index, drawn at random; at least 1
  std::size_t k = 10;           ///< neighbours whose recall counts, at least 1
  std::size_t threads = 0;      ///< 0: all cores
};

/// What a query cost, on average.
struct nndescent_search_stats {
  double distances = 0;  ///< rows that it was compared with
  double hops = 0;       ///< rows that were expanded: whose neighbours it was compared with
  double scans = 0;      ///< the share of queries that were compared with all rows that pass
};

/// How to search for a recall, and the recall that this has on the queries it was tried with. Where no beam reached
/// the target, the parameters are those of the widest beam tried.
struct tuned_search {
  nndescent_search_params params;  ///< all defaults but the beam and by_estimates
  double recall = 1;               ///< of the k nearest
  bool reached = true;             ///< whether that is the target at least
};

namespace detail {

/// Throws std::invalid_argument for a search that an index of rows of index_dim coordinates refuses.
inline void check_graph_search(std::size_t index_dim, std::size_t dim, std::size_t k,
                               const nndescent_search_params& params) {
  if (k == 0) invalid("k", k, "must be at least 1");
  if (!(is_number(params.epsilon) && params.epsilon >= 0)) invalid("epsilon", params.epsilon, "must be at least 0");
  if (dim != index_dim) invalid("query dimension", dim, "must equal the index's ", index_dim);
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
