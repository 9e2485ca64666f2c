#include "dynamic/graph_checks.hpp"

using namespace annulus;
using namespace dynamic_tests;

// The factories of floats are those of graph.cpp and exact.cpp.
extern template struct annulus::detail::nndescent_factory<matrix<float>>;
extern template struct annulus::detail::flat_factory<matrix<float>>;

TEST_CASE("every metric and storage of graph indexes over floats works or is refused with the reason", "[dynamic]") {
  for (const std::size_t d : {std::size_t{2}, std::size_t{20}})
    check_every_graph<matrix<float>>(count_rows<float>(300, d, 11), count_rows<float>(15, d, 12), d);
}
