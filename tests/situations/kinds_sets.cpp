#include <annulus/core/metric/set_metrics.hpp>

#include "situations/index_of.hpp"
#include "situations/measures.hpp"

namespace situations {

const kind sets_kind{"jaccard, sets",
                     coordinates::members,
                     jaccard_distance,
                     no_error,
                     true,
                     index_of<annulus::csr_matrix<float>, annulus::jaccard>::make};

}  // namespace situations
