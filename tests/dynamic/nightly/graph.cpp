#include "dynamic/function_metric.hpp"
#include "dynamic/graph_checks.hpp"
#include "random_data.hpp"

using namespace annulus;
using namespace dynamic_tests;

template struct annulus::detail::metric_factory<matrix<float>>;
template struct annulus::detail::nndescent_factory<matrix<float>>;
template struct annulus::detail::graph_factory<matrix<float>, product_form::none>;
template struct annulus::detail::graph_factory<matrix<float>, product_form::squared_l2>;
template struct annulus::detail::graph_factory<matrix<float>, product_form::inner_product>;
template struct annulus::detail::graph_factory<matrix<float>, product_form::cosine>;

TEST_CASE("graph indexes of run-time types answer as the templates do", "[dynamic]") {
  using points = matrix<float>;
  const points rows = normal_rows(400, 24, 1), more = normal_rows(20, 24, 2);
  check_graph<points>(euclidean(), full_precision(), {}, rows, more, 24);
  check_graph<points>(cosine(), sq8(), {{"storage", "sq8"}}, rows, more, 24);
  check_graph<points>(inner_product(), full_precision(), {}, rows, more, 24);
  check_graph<points>(manhattan(), full_precision(), {}, rows, more, 24);
  check_graph<points>(euclidean(), rabitq<sq8>{2, {}}, {{"storage", "rabitq+sq8"}, {"bits", "2"}}, rows, more, 24);
}

TEST_CASE("graph indexes by a function answer as the templates do by a callable", "[dynamic]") {
  using factory = detail::nndescent_factory<matrix<float>>;
  callable metric;
  matrix<float> rows = normal_rows(400, 12, 1), more = normal_rows(20, 12, 2);
  rows(17, 0) = callable::mark;
  const auto model = with_function(metric, {{"n_neighbors", "12"}, {"threads", "2"}},
                                   [&](auto& reader) { return factory::build(given(rows), reader, {}); });
  nndescent_index<matrix<float>, callable> index(rows, metric, {.n_neighbors = 12, .threads = 1});
  CHECK(model->metric() == "user");
  CHECK(model->graph() == index.graph());
  check_same_answers(*model, index, more);
  model->insert(given(more), 1);
  index.insert(more);
  model->erase(3);
  index.erase(3);
  check_same_answers(*model, index, more);
  const scratch_folder folder;
  model->save(folder / "graph.index");
  for (const bool is_mapped : {false, true}) {
    const auto same = factory::open(file_of(folder / "graph.index", is_mapped, "nndescent_index", metric));
    CHECK(same->metric() == "user");
    check_same_answers(*same, index, more);
  }
  const auto graph_of = [&](const matrix<float>& data, const option_list& options) {
    return with_function(metric, options, [&](auto& reader) { return factory::knn_graph(given(data), 9, reader, {}); });
  };
  CHECK(graph_of(rows, {{"seed", "5"}}) == build_knn_graph(rows, metric, {.n_neighbors = 9, .seed = 5}));
  rows(17, 0) = 0;  // marked, its distance to itself is NaN, which equals nothing
  CHECK(graph_of(rows, {{"include_self", "true"}}) ==
        build_knn_graph(rows, metric, {.n_neighbors = 9, .include_self = true}));
  CHECK_THAT(message_of([&] {
               with_function(metric, {{"storage", "half_precision"}},
                             [&](auto& reader) { return factory::build(given(rows), reader, {}); });
             }),
             ContainsSubstring("takes no rows of float16"));
}

TEST_CASE("errors of graph indexes list what is possible", "[dynamic]") {
  const matrix<float> rows = normal_rows(60, 8, 1);
  const auto message = [&](const option_list& options) {
    return message_of([&] {
      with_options(options, [&](auto& reader) {
        return detail::nndescent_factory<matrix<float>>::build(given(rows), reader, {});
      });
    });
  };
  CHECK_THAT(message({{"storage", "sq4"}}), ContainsSubstring("sq8") && ContainsSubstring("rabitq+half_precision"));
  CHECK_THAT(message({{"storage", "sq8"}, {"metric", "manhattan"}}), ContainsSubstring("that follow from products"));
  CHECK_THAT(message({{"n_neighbours", "5"}}), ContainsSubstring("did you mean n_neighbors?"));
  CHECK_THAT(message({{"n_neighbors", "-5"}}), ContainsSubstring("must be an integer from 0 on"));
  CHECK_THAT(message({{"storage", "rabitq"}, {"bits", "9"}}), ContainsSubstring("must be from 1 to 4"));
  CHECK_THAT(message({{"storage", "sq8"}, {"scales", "own"}}), ContainsSubstring("per_dimension"));
}
