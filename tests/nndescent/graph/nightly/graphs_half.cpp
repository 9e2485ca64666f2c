#include <Eigen/Core>

#include "nndescent/graph_by.hpp"

namespace graphs { namespace {

const bool are_added = add(std::vector<builder<Eigen::half>>{build_by<Eigen::half>("euclidean", annulus::euclidean{}),
                                                             build_by<Eigen::half>("cosine", annulus::cosine{})});

}}  // namespace graphs
