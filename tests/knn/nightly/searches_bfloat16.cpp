#include <Eigen/Core>

#include "knn/search_by.hpp"

namespace searches { namespace {

const bool are_added = add(common<Eigen::bfloat16>());

}}  // namespace searches
