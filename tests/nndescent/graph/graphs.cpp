#include "nndescent/graph_by.hpp"

namespace graphs { namespace {

const bool are_added =
    add(std::vector<builder<float>>{
        build_by<float>("euclidean", annulus::euclidean{}), build_by<float>("inner_product", annulus::inner_product{}),
        build_by<float>("cosine", annulus::cosine{}), build_by<float>("manhattan", annulus::manhattan{})}) &&
    add(std::vector<builder<std::uint8_t>>{build_by<std::uint8_t>("euclidean", annulus::euclidean{}),
                                           build_by<std::uint8_t>("bit_hamming", annulus::bit_hamming{})});

}}  // namespace graphs
