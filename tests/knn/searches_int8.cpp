#include "knn/search_by.hpp"

namespace searches {

template <>
const std::vector<search<std::int8_t>>& all<std::int8_t>() {
  static const auto list = common<std::int8_t>();
  return list;
}

}  // namespace searches
