#include "catch.hpp"
#include "nndescent/index_by.hpp"

using namespace annulus;
using indexes::clustered;
using indexes::find_in;

namespace {

template <class T, class Metric>
void check_metric(Metric metric, double floor, std::size_t d) {
  const auto found = find_in(clustered<T>(2000, d), metric);
  CAPTURE(d);
  CHECK(found.is_well_formed);
  CHECK(found.wrong_distances == 0);
  CHECK(found.by_default >= floor);
  CHECK(found.by_beam >= floor - 0.01);
  CHECK(found.in_graph >= floor - 0.02);
}

}  // namespace

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
