#include "dynamic/exact_checks.hpp"
#include "dynamic/function_metric.hpp"
#include "random_data.hpp"

using namespace annulus;
using namespace dynamic_tests;

template struct annulus::detail::metric_factory<matrix<float>>;
template struct annulus::detail::flat_factory<matrix<float>>;
template struct annulus::detail::metric_factory<csr_matrix<float>>;
template struct annulus::detail::flat_factory<csr_matrix<float>>;

TEST_CASE("exact search of run-time types finds what the templates find under every metric", "[dynamic]") {
  // haversine takes two coordinates alone
  for (const std::size_t d : {std::size_t{2}, dim_for<matrix<float>>})
    check_exact<matrix<float>>(count_rows<float>(150, d, 1), count_rows<float>(20, d, 2), d);
  const std::size_t d = dim_for<csr_matrix<float>>;
  check_exact<csr_matrix<float>>(sparse_count_rows<float>(120, d, 3), sparse_count_rows<float>(15, d, 4), d);
}

TEST_CASE("rows with columns apart are copied, and strides may be negative", "[dynamic]") {
  const matrix<float> rows = count_rows<float>(30, 8, 5), queries = count_rows<float>(4, 8, 6);
  matrix<float> turned(8, 30);
  for (std::size_t i = 0; i < 30; ++i)
    for (std::size_t j = 0; j < 8; ++j) turned(j, 29 - i) = rows(i, j);
  annulus_rows given_turned = given(rows);
  given_turned.data = turned.data() + 29;
  given_turned.row_stride = -1;
  given_turned.column_stride = 30;
  const auto model = with_options(
      {}, [&](auto& reader) { return detail::flat_factory<matrix<float>>::build(given_turned, reader, {}); });
  CHECK(search(*model, given(queries), 5) == knn(rows, matrix_view<float>(queries), 5));
}

TEST_CASE("exact search by a function finds what the templates find by a callable", "[dynamic]") {
  using factory = detail::flat_factory<matrix<float>>;
  callable metric;
  matrix<float> rows = normal_rows(200, 12, 1), queries = normal_rows(20, 12, 2);
  rows(17, 0) = queries(3, 0) = callable::mark;
  queries(5, 2) = std::numeric_limits<float>::quiet_NaN();
  const neighbors expected = knn(rows, queries, 200, metric);
  REQUIRE(expected.ids(3, 0) == no_id);
  REQUIRE(expected.ids(4, 198) != no_id);
  REQUIRE(expected.ids(4, 199) == no_id);
  neighbors found(20, 200);
  with_function(metric, {}, [&](auto& reader) {
    factory::knn(given(rows), given(queries), 200, reader, detail::default_search_params(), found.ids.data(),
                 found.distances.data());
    return 0;
  });
  CHECK(found == expected);
  const auto model = with_function(metric, {}, [&](auto& reader) { return factory::build(given(rows), reader, {}); });
  CHECK(model->metric() == "user");
  CHECK(search(*model, given(queries), 200) == expected);
  const scratch_folder folder;
  model->save(folder / "flat.index");
  for (const bool is_mapped : {false, true}) {
    const auto same = factory::open(file_of(folder / "flat.index", is_mapped, "flat_index", metric));
    CHECK(same->metric() == "user");
    same->verify();
    CHECK(search(*same, given(queries), 200) == expected);
  }
}

TEST_CASE("a function is no metric of other rows than dense ones of floats", "[dynamic]") {
  callable metric;
  const auto sparse = sparse_count_rows<float>(20, 12, 3);
  neighbors found(20, 2);
  CHECK_THAT(message_of([&] {
               with_function(metric, {}, [&](auto& reader) {
                 detail::flat_factory<csr_matrix<float>>::knn(given(sparse), given(sparse), 2, reader,
                                                              detail::default_search_params(), found.ids.data(),
                                                              found.distances.data());
                 return 0;
               });
             }),
             ContainsSubstring("dense rows of float32, not sparse rows of float32"));
}

TEST_CASE("errors of exact search list what is possible", "[dynamic]") {
  const matrix<float> rows = count_rows<float>(30, 8, 5);
  const auto message = [&](const option_list& options) {
    return message_of<std::invalid_argument>([&] {
      with_options(options,
                   [&](auto& reader) { return detail::flat_factory<matrix<float>>::build(given(rows), reader, {}); });
    });
  };
  CHECK_THAT(message({{"metric", "haversine"}}), ContainsSubstring("must be 2 for haversine"));
  CHECK_THAT(message({{"metric", "cosin"}}),
             ContainsSubstring("did you mean cosine?") && ContainsSubstring("euclidean, sqeuclidean"));
  CHECK_THAT(message({{"metric", "minkowski"}, {"p", "half"}}),
             ContainsSubstring("p = half") && ContainsSubstring("number"));
  CHECK_THAT(message({{"metric", "euclidean"}, {"thread", "2"}}), ContainsSubstring("did you mean threads?"));
  CHECK_THAT(message({{"metric", "euclidean"}, {"beam", "2"}}), ContainsSubstring("flat takes"));
  CHECK_THAT(message({{"metric", "euclidean"}, {"p", "2"}}), ContainsSubstring("has no parameter p"));
  CHECK_THAT(message({{"metric", "seuclidean"}}), ContainsSubstring("needs the parameter variance"));
  CHECK_THAT(message({{"metric", "cosine"}, {"metric", "cosine"}}), ContainsSubstring("is given twice"));

  const auto model = with_options(
      {}, [&](auto& reader) { return detail::flat_factory<matrix<float>>::build(given(rows), reader, {}); });
  const auto search_message = [&](auto set) {
    return message_of<std::invalid_argument>([&] { search(*model, given(rows), 3, params_with(set)); });
  };
  CHECK_THAT(search_message([](auto& p) { p.beam = 5; }),
             ContainsSubstring("beam") && ContainsSubstring("recall_target"));
  const id_type allowed[] = {1};
  const std::uint64_t words[] = {1};
  CHECK_THAT(search_message([&](auto& p) { p.allowed_ids = allowed, p.allowed_bits = words, p.n_allowed = 1; }),
             ContainsSubstring("at most one"));
  CHECK_THAT(message_of<std::invalid_argument>([&] { model->erase(1); }), ContainsSubstring("nndescent, lsh"));
  const matrix<double> doubles = count_rows<double>(3, 8, 5);
  CHECK_THAT(message_of<std::invalid_argument>([&] { search(*model, given(doubles), 3); }),
             ContainsSubstring("rows of float64") && ContainsSubstring("rows of float32"));
}
