#include "dynamic/graph_checks.hpp"

using namespace annulus;
using namespace dynamic_tests;

using point_type = csr_matrix<float>;

template struct annulus::detail::metric_factory<point_type>;
template struct annulus::detail::flat_factory<point_type>;
template struct annulus::detail::nndescent_factory<point_type>;
template struct annulus::detail::graph_factory<point_type, product_form::none>;
template struct annulus::detail::graph_factory<point_type, product_form::squared_l2>;
template struct annulus::detail::graph_factory<point_type, product_form::inner_product>;
template struct annulus::detail::graph_factory<point_type, product_form::cosine>;

TEST_CASE("graph indexes of run-time types over sparse rows answer as the templates do", "[dynamic]") {
  const sparse_rows<float> rows = sparse_count_rows<float>(400, 60, 1), more = sparse_count_rows<float>(20, 60, 2);
  check_graph<point_type>(cosine(), full_precision(), {}, rows, more, 60);
  check_graph<point_type>(jaccard(), full_precision(), {}, rows, more, 60);
}

TEST_CASE("every metric of graph indexes over sparse rows works or is refused with the reason", "[dynamic]") {
  check_every_graph<point_type>(sparse_count_rows<float>(120, 30, 11), sparse_count_rows<float>(8, 30, 12), 30);
}

TEST_CASE("rows without values are compared by metrics of sets alone", "[dynamic]") {
  const sparse_rows<float> rows = sparse_count_rows<float>(100, 40, 3);
  annulus_rows sets = given(rows);
  sets.data = nullptr;
  const auto build = [&](const char* metric) {
    return with_options({{"metric", metric}},
                        [&](auto& reader) { return detail::nndescent_factory<point_type>::build(sets, reader, {}); });
  };
  CHECK(build("jaccard")->size() == 100);
  for (const char* metric : {"cosine", "manhattan", "kantorovich"})
    CHECK_THROWS_AS(build(metric), std::invalid_argument);
  CHECK_THAT(message_of([&] { build("manhattan"); }), ContainsSubstring("sets"));
}
