#include "dynamic/graph_checks.hpp"

using namespace annulus;
using namespace dynamic_tests;

using point_type = matrix<double>;

template struct annulus::detail::metric_factory<point_type>;
template struct annulus::detail::flat_factory<point_type>;
template struct annulus::detail::nndescent_factory<point_type>;
template struct annulus::detail::graph_factory<point_type, product_form::none>;
template struct annulus::detail::graph_factory<point_type, product_form::squared_l2>;
template struct annulus::detail::graph_factory<point_type, product_form::inner_product>;
template struct annulus::detail::graph_factory<point_type, product_form::cosine>;

TEST_CASE("graph indexes of run-time types over doubles answer as the templates do", "[dynamic]") {
  const point_type rows = count_rows<double>(400, 40, 1), more = count_rows<double>(20, 40, 2);
  check_graph<point_type>(euclidean(), full_precision(), {}, rows, more, 40);
  check_graph<point_type>(cosine(), sq8(), {{"storage", "sq8"}}, rows, more, 40);
  check_graph<point_type>(inner_product(), half_precision(), {{"storage", "half_precision"}}, rows, more, 40);
}

TEST_CASE("every metric and storage of graph indexes over doubles works or is refused with the reason", "[dynamic]") {
  check_every_graph<point_type>(count_rows<double>(120, 16, 11), count_rows<double>(8, 16, 12), 16);
}
