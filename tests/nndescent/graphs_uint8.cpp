#include "nndescent/graph_by.hpp"

namespace graphs {

template <>
const std::vector<builder<std::uint8_t>>& all<std::uint8_t>() {
  static const std::vector<builder<std::uint8_t>> list{
      build_by<std::uint8_t>("euclidean", annulus::euclidean{}),
      build_by<std::uint8_t>("inner_product", annulus::inner_product{}),
      build_by<std::uint8_t>("cosine", annulus::cosine{}), build_by<std::uint8_t>("chebyshev", annulus::chebyshev{}),
      build_by<std::uint8_t>("bit_hamming", annulus::bit_hamming{})};
  return list;
}

}  // namespace graphs
