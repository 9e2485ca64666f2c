#include "knn/search_by.hpp"

namespace searches {

template <>
const std::vector<search<Eigen::bfloat16>>& all<Eigen::bfloat16>() {
  static const auto list = common<Eigen::bfloat16>();
  return list;
}

}  // namespace searches
