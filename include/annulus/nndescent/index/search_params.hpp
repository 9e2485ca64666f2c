#pragma once

/// \file
/// Parameters of searching and tuning a graph index, and what these report.

#include <annulus/core/result/filter.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How a graph is searched.
struct nndescent_search_params {
  /// So many of the nearest rows found are kept and looked at (at least k). 0: epsilon decides, or under inner products
  /// a beam of 4 k + 40, at least 64. Queries far from all rows get four times as many.
  std::size_t beam = 0;
  double epsilon = 0.1;     ///< without a beam: the search ends at distance d_k + epsilon (d_k - d_1)
  std::size_t threads = 0;  ///< 0: all cores
  id_filter filter = {};    ///< which rows may be returned
};

/// What queries tune() tries beams with, where it is not given any, and for which k.
struct tune_params {
  std::size_t n_queries = 300;  ///< rows of the index, drawn at random
  std::size_t k = 10;
  std::size_t threads = 0;  ///< 0: all cores
};

/// What a query cost, on average.
struct nndescent_search_stats {
  double distances = 0;  ///< rows that it was compared with
  double hops = 0;       ///< rows whose neighbours were looked at
  double scans = 0;      ///< the share of queries that were compared with all rows that pass
};

/// How to search for a recall, and the recall that this has on the queries it was tried with. Where no beam reached
/// what was asked for, `reached` is false, and the parameters are those of the widest beam tried.
struct tuned_search {
  nndescent_search_params params;
  double recall = 1;
  bool reached = true;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
