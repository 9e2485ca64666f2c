#include "nndescent/graph_by.hpp"

namespace graphs { namespace {

const bool are_added = add(std::vector<builder<std::int8_t>>{
    build_by<std::int8_t>("euclidean", annulus::euclidean{}),
    build_by<std::int8_t>("inner_product", annulus::inner_product{}),
    build_by<std::int8_t>("cosine", annulus::cosine{}), build_by<std::int8_t>("manhattan", annulus::manhattan{})});

}}  // namespace graphs
