#include "nndescent/graph_by.hpp"

namespace graphs { namespace {

const bool are_added = add([] {
  std::vector<builder<float>> builders{build_by<float>("euclidean", annulus::euclidean{}),
                                       build_by<float>("inner_product", annulus::inner_product{}),
                                       build_by<float>("cosine", annulus::cosine{})};
  return builders;
}());

}}  // namespace graphs
