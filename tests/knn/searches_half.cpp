#include "knn/search_by.hpp"

namespace searches {

template <>
const std::vector<search<Eigen::half>>& all<Eigen::half>() {
  static const auto list = common<Eigen::half>();
  return list;
}

}  // namespace searches
