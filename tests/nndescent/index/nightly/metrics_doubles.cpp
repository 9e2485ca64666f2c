#include "catch.hpp"
#include "nndescent/index_by.hpp"

using namespace annulus;
using indexes::check_metric;

TEMPLATE_TEST_CASE("an index of doubles finds nearly all neighbours", "[nndescent_index]", euclidean, cosine,
                   manhattan) {
  check_metric<double>(TestType{}, 0.95, 20);
}

TEMPLATE_TEST_CASE("an index of signed bytes finds nearly all neighbours", "[nndescent_index]", sqeuclidean,
                   manhattan) {
  check_metric<std::int8_t>(TestType{}, 0.95, 33);
}

TEST_CASE("an index of signed bytes by inner products finds most neighbours", "[nndescent_index]") {
  check_metric<std::int8_t>(inner_product{}, 0.9, 32);
}
