#include "knn/search_by.hpp"

namespace searches { namespace {

const bool are_added = add(common<std::int8_t>());

}}  // namespace searches
