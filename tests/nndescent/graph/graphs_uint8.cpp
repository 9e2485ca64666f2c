#include "nndescent/graph_by.hpp"

namespace graphs { namespace {

const bool are_added = add(std::vector<builder<std::uint8_t>>{
    build_by<std::uint8_t>("euclidean", annulus::euclidean{}),
    build_by<std::uint8_t>("inner_product", annulus::inner_product{}),
    build_by<std::uint8_t>("cosine", annulus::cosine{}), build_by<std::uint8_t>("chebyshev", annulus::chebyshev{}),
    build_by<std::uint8_t>("bit_hamming", annulus::bit_hamming{})});

}}  // namespace graphs
