#include "nndescent/graph_by.hpp"

namespace graphs {

template <>
const std::vector<builder<double>>& all<double>() {
  static const std::vector<builder<double>> list{build_by<double>("sqeuclidean", annulus::sqeuclidean{}),
                                                 build_by<double>("inner_product", annulus::inner_product{}),
                                                 build_by<double>("cosine", annulus::cosine{}),
                                                 build_by<double>("manhattan", annulus::manhattan{})};
  return list;
}

}  // namespace graphs
