// lsh_model over rows of floats.

#include "dynamic/lsh_checks.hpp"
#include "failing_allocations.hpp"
#include "lsh/indexes.hpp"

template struct annulus::detail::lsh_factory<annulus::matrix<float>>;

using namespace dynamic_tests;
using lsh_tests::clusters;

namespace {

auto build(const annulus_rows& rows, const option_list& options) {
  return with_options(options,
                      [&](auto& reader) { return detail::lsh_factory<matrix<float>>::build(rows, reader, {}); });
}

const matrix<float>& some_rows() {
  static const auto rows = clusters<float>(100, 6, 10, 1);
  return rows;
}

}  // namespace

TEST_CASE("an LSH index of run-time types answers as that of its types", "[dynamic][lsh]") {
  const auto rows = clusters<float>(300, 10, 30, 1), more = clusters<float>(20, 10, 30, 1, 0.9),
             other = clusters<float>(1, 10, 30, 1, 1.1);
  const auto check = [&](const auto& family, const option_list& options, std::string_view metric) {
    check_lsh<matrix<float>>(family, options, rows, more, other, metric, "rows of float32");
  };
  check(sign_random_projection{}, {{"metric", "cosine"}}, "cosine");
  check(cross_polytope{.n_rotations = 2}, {{"n_rotations", "2"}}, "cosine");
  check(p_stable_l2{}, {{"metric", "l2"}}, "euclidean");
  check(p_stable_l2{.width = 9}, {{"width", "9"}}, "euclidean");
  check(p_stable_l1{}, {}, "manhattan");
  check(simple_mips{.max_norm = 12}, {{"metric", "inner_product"}, {"max_norm", "12"}}, "inner_product");
}

TEST_CASE("the metric chooses the family of hash functions", "[dynamic][lsh]") {
  const annulus_rows rows = given(some_rows());
  CHECK(build(rows, {})->storage() == "p_stable_l2");
  CHECK(build(rows, {{"metric", "Euclidean"}})->storage() == "p_stable_l2");
  CHECK(build(rows, {{"metric", "cosine"}})->storage() == "sign_random_projection");
  CHECK(build(rows, {{"metric", "cityblock"}})->storage() == "p_stable_l1");
  CHECK(build(rows, {{"metric", "inner_product"}})->storage() == "simple_mips");
  CHECK(build(rows, {{"storage", "cross_polytope"}})->metric() == "cosine");
}

TEST_CASE("options that an LSH index cannot have are refused in words", "[dynamic][lsh]") {
  using Catch::Contains;
  const annulus_rows rows = given(some_rows());
  const auto refusal = [&](const option_list& options) { return message_of([&] { build(rows, options); }); };
  CHECK_THAT(refusal({{"family", "minhash"}}), Contains("rows of float32") && Contains("p_stable_l2 (euclidean)"));
  CHECK_THAT(refusal({{"metric", "chebyshev"}}), Contains("manhattan, cosine, inner_product"));
  CHECK_THAT(refusal({{"metric", "cosin"}}), Contains("did you mean cosine"));
  CHECK_THAT(refusal({{"metric", "euclidean"}, {"family", "cross_polytope"}}),
             Contains("lsh by cross_polytope") && Contains("cosine"));
  CHECK_THAT(refusal({{"widht", "3"}}), Contains("did you mean width"));
  CHECK_THAT(refusal({{"width", "3"}, {"metric", "cosine"}}), Contains("lsh by sign_random_projection"));
  CHECK_THAT(refusal({{"n_tables", "0"}}), Contains("n_tables"));
  const auto doubles = clusters<double>(10, 6, 2, 1);
  CHECK_THAT(message_of([&] { build(given(doubles), {}); }), Contains("rows of float64") && Contains("float32"));
}

TEST_CASE("parameters of searches that an LSH index has no use for are refused", "[dynamic][lsh]") {
  using Catch::Contains;
  const annulus_rows rows = given(some_rows());
  const auto model = build(rows, {});
  const auto refusal = [&](auto set) { return message_of([&] { search(*model, rows, 3, params_with(set)); }); };
  CHECK_THAT(refusal([](auto& p) { p.beam = 10; }), Contains("beam") && Contains("n_probes"));
  CHECK_THAT(refusal([](auto& p) { p.recall_target = 2; }), Contains("recall_target"));
  CHECK_THAT(message_of([&] { search(*model, rows, 0); }), Contains("k = 0"));
  CHECK_THAT(message_of([&] { search(*model, row_of(rows, 0), 0); }), Contains("k = 0"));
  CHECK_THAT(message_of([&] { model->candidates(rows, params_with([](auto& p) { p.recall_target = 0.5; })); }),
             Contains("lsh candidates"));
  CHECK_THAT(message_of([&] { model->graph(); }), Contains("nndescent"));
  CHECK_THAT(message_of([&] { model->erase(1000); }), Contains("1000"));
  const auto no_rows = build(rows, {{"only_index", "true"}});
  CHECK_THAT(message_of([&] { search(*no_rows, rows, 3); }), Contains("only_index"));
  CHECK(no_rows->candidates(rows, detail::default_search_params()).indices.size() >= some_rows().rows());
}

TEST_CASE("one LSH query allocates nothing once queries like it were answered", "[dynamic][lsh]") {
  const annulus_rows rows = given(some_rows());
  const auto model = build(rows, {});
  neighbors found(1, 3);
  const auto ask_all = [&] {
    const std::size_t before = allocations::n_made;
    for (std::size_t i = 0; i < rows.n; ++i) {
      const annulus_rows query{ANNULUS_DENSE, ANNULUS_F32, 1, rows.dim, some_rows().row(i).data(), 0, 1,
                               nullptr,       nullptr};
      model->search(query, 3, detail::default_search_params(), found.ids.data(), found.distances.data());
    }
    return allocations::n_made - before;
  };
  ask_all();
  CHECK(ask_all() == 0);
}

TEST_CASE("a file of hash tables by a family that does not take its rows is refused", "[dynamic][lsh]") {
  const scratch_folder folder;
  const auto path = folder / "lsh";
  build(given(some_rows()), {})->save(path);
  const auto refusal = [&](const std::string& family) {
    return message_of<format_error>([&] {
      detail::lsh_factory<matrix<float>>::open({path, false, "lsh_index", "rows of float32", "", family});
    });
  };
  CHECK_THAT(refusal("minhash"), Catch::Contains("minhash"));
  CHECK_THAT(refusal("p_stable_l1"), Catch::Contains("p_stable_l2"));
}
