#include "knn/search_by.hpp"

namespace searches {

template <>
const std::vector<search<double>>& all<double>() {
  static const auto list = common<double>();
  return list;
}

}  // namespace searches
