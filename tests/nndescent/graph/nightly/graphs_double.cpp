#include "nndescent/graph_by.hpp"

namespace graphs { namespace {

const bool are_added = add(std::vector<builder<double>>{build_by<double>("sqeuclidean", annulus::sqeuclidean{}),
                                                        build_by<double>("inner_product", annulus::inner_product{}),
                                                        build_by<double>("cosine", annulus::cosine{}),
                                                        build_by<double>("manhattan", annulus::manhattan{})});

}}  // namespace graphs
