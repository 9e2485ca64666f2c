#pragma once

/// \file
/// Parameters of searching an index whose types are known at run time.

#include <annulus/annulus.h>
#include <annulus/core/base/progress.hpp>
#include <annulus/core/result/filter.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How to search. Members mean what they mean in the params of the kinds named here; one that is set and that the index
/// has no use for is refused.
struct dynamic_search_params {
  std::size_t threads = 0;                   ///< 0: all cores
  std::optional<double> recall_target = {};  ///< flat (knn_params), lsh: in (0, 1]
  std::size_t beam = 0;                      ///< nndescent (nndescent_search_params)
  double epsilon = 0.1;                      ///< nndescent
  bool by_estimates = false;                 ///< nndescent with rabitq
  std::size_t n_probes = 0;                  ///< lsh (lsh_search_params)
  std::size_t max_candidates = 0;            ///< lsh
  std::optional<std::size_t> k_factor = {};  ///< codes (fast_scan_params, rabitq_search_params), at least 1
  bool float_tables = false;                 ///< fast_scan
  id_filter filter = {};                     ///< which rows may be returned
  progress_callback progress = {};           ///< flat and codes
};

/// How to search for a recall, and the recall that this has on the queries it was tried with.
struct dynamic_tuned_search {
  dynamic_search_params params;  ///< the defaults, but for beam, epsilon and by_estimates
  double recall = 1;             ///< the share of the k nearest rows that it found
  bool reached = true;           ///< false: no beam tried reached the target, and params are those of the widest
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
