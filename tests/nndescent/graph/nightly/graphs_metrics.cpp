#include "nndescent/graph_by.hpp"

namespace graphs { namespace {

const bool are_added =
    add(std::vector<builder<float>>{build_by<float>("chebyshev", annulus::chebyshev{}),
                                    // A lambda of another type than the rows.
                                    build_by<float>("squares",
                                                    [](const float* a, const float* b, std::size_t d) {
                                                      double sum = 0;
                                                      for (std::size_t i = 0; i < d; ++i)
                                                        sum += static_cast<double>(a[i] - b[i]) *
                                                               static_cast<double>(a[i] - b[i]);
                                                      return sum;
                                                    })}) &&
    add(std::vector<builder<std::uint8_t>>{build_by<std::uint8_t>("inner_product", annulus::inner_product{}),
                                           build_by<std::uint8_t>("cosine", annulus::cosine{}),
                                           build_by<std::uint8_t>("chebyshev", annulus::chebyshev{})});

}}  // namespace graphs
