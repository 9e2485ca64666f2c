#include "nndescent/graph_by.hpp"

namespace graphs {

template <>
const std::vector<builder<float>>& all<float>() {
  static const auto list = [] {
    std::vector<builder<float>> builders{build_by<float>("euclidean", annulus::euclidean{}),
                                         build_by<float>("inner_product", annulus::inner_product{}),
                                         build_by<float>("cosine", annulus::cosine{})};
    builders.insert(builders.end(), plain_float().begin(), plain_float().end());
    return builders;
  }();
  return list;
}

}  // namespace graphs
