#include <annulus/lsh/families/cross_polytope.hpp>

#include "catch.hpp"
#include "lsh/planted.hpp"

using namespace annulus;
using lsh_tests::same_bits;

TEST_CASE("cross-polytopes find the rows planted by cosine", "[lsh][lsh_index]") {
  lsh_tests::check_planted<cosine>(lsh_tests::planted_rows<float>(), cross_polytope{},
                                   {.n_projections = 10, .n_tables = 10});
}

TEST_CASE("an index of cross-polytopes answers a query alone as in a batch, and with any number of threads",
          "[lsh][lsh_index]") {
  const auto planted = lsh_tests::planted_rows<float>();
  const lsh_index index(planted.rows, cross_polytope{}, {.n_projections = 11, .n_tables = 5, .threads = 3});
  const lsh_index by_one(planted.rows, cross_polytope{}, {.n_projections = 11, .n_tables = 5, .threads = 1});
  auto scratch = index.make_scratch();
  for (const lsh_search_params& params : {lsh_search_params{}, {.n_probes = 60}, {.recall_target = 0.8}}) {
    neighbors single(30, 5);
    for (std::size_t i = 0; i < 30; ++i)
      index.search(planted.queries.row(i), single.ids.row(i), single.distances.row(i), scratch, params);
    auto with_threads = params;
    for (const std::size_t threads : {1u, 2u, 8u}) {
      with_threads.threads = threads;
      CHECK(same_bits(index.search(planted.queries, 5, with_threads), single));
      CHECK(same_bits(by_one.search(planted.queries, 5, with_threads), single));
    }
  }
}

TEST_CASE("an index of cross-polytopes holds what was inserted and not what was erased", "[lsh][lsh_index]") {
  const auto planted = lsh_tests::planted_rows<float>(400);
  lsh_index<matrix<float>, cross_polytope> index(20, {}, {.n_projections = 7, .n_tables = 5});
  index.insert(lsh_tests::rows_between(planted.rows, 0, 100));
  index.insert(lsh_tests::rows_between(planted.rows, 100, 400));
  for (id_type id = 0; id < 60; ++id) index.erase(id);
  auto left = lsh_tests::same_ids(400);
  for (id_type id = 0; id < 60; ++id) left.erase(id);
  const lsh_tests::key_model<matrix<float>, cross_polytope> model(planted.rows, planted.queries, {}, index.params());
  const auto candidates = model.candidates(left);
  CHECK(lsh_tests::same(index.candidates(planted.queries), candidates));
  index.compact();
  CHECK(lsh_tests::same(index.candidates(planted.queries), candidates));
}
