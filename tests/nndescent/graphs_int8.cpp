#include "nndescent/graph_by.hpp"

namespace graphs {

template <>
const std::vector<builder<std::int8_t>>& all<std::int8_t>() {
  static const std::vector<builder<std::int8_t>> list{build_by<std::int8_t>("euclidean", annulus::euclidean{}),
                                                      build_by<std::int8_t>("inner_product", annulus::inner_product{}),
                                                      build_by<std::int8_t>("cosine", annulus::cosine{}),
                                                      build_by<std::int8_t>("manhattan", annulus::manhattan{})};
  return list;
}

}  // namespace graphs
