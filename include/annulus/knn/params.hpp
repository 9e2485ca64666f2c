#pragma once

/// \file
/// Parameters of brute-force search.

#include <annulus/core/base/progress.hpp>
#include <annulus/core/result/filter.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The parameters of knn and flat_index.
struct knn_params {
  double recall_target = 1.0;       ///< in (0, 1]; 1 is exact
  std::size_t threads = 0;          ///< 0: all cores
  id_filter filter = {};            ///< which rows may be returned
  progress_callback progress = {};  ///< called now and then; may cancel the search
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
