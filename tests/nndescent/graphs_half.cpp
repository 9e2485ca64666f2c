#include "nndescent/graph_by.hpp"

namespace graphs {

template <>
const std::vector<builder<Eigen::half>>& all<Eigen::half>() {
  static const std::vector<builder<Eigen::half>> list{build_by<Eigen::half>("euclidean", annulus::euclidean{}),
                                                      build_by<Eigen::half>("cosine", annulus::cosine{})};
  return list;
}

}  // namespace graphs
