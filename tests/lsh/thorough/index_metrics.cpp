#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/families/simple_mips.hpp>

#include "catch.hpp"
#include "lsh/planted.hpp"

using namespace annulus;
using lsh_tests::check_planted;

TEST_CASE("sign random projections find the rows planted by cosine", "[lsh][lsh_index]") {
  check_planted<cosine>(lsh_tests::planted_rows<float>(), sign_random_projection{},
                        {.n_projections = 10, .n_tables = 10});
  check_planted<cosine>(lsh_tests::planted_rows<double>(), sign_random_projection{},
                        {.n_projections = 10, .n_tables = 10});
}

TEST_CASE("Gaussian lines find the rows planted by Euclidean distance", "[lsh][lsh_index]") {
  check_planted<euclidean>(lsh_tests::planted_rows<float>(), p_stable_l2{.width = 9},
                           {.n_projections = 8, .n_tables = 10});
}

TEST_CASE("Cauchy lines find the rows planted by Manhattan distance", "[lsh][lsh_index]") {
  check_planted<manhattan>(lsh_tests::planted_rows<double>(), p_stable_l1{.width = 60},
                           {.n_projections = 6, .n_tables = 10});
}

TEST_CASE("hyperplanes over rows of one length find the rows planted by inner product", "[lsh][lsh_index]") {
  auto planted = lsh_tests::planted_rows<float>();
  const counter_random random(7);
  for (std::size_t i = 0; i < planted.rows.rows(); ++i) {
    const float scale = i < 30 ? 1.5f : 0.5f + static_cast<float>(random.uniform(i));
    for (float& x : planted.rows.row(i)) x *= scale;
  }
  check_planted<inner_product>(planted, simple_mips{}, {.n_projections = 7, .n_tables = 16});
}

TEST_CASE("a query of infinite products gets nothing, in a batch and from a scratch", "[lsh][lsh_index]") {
  auto planted = lsh_tests::planted_rows<float>(200);
  const lsh_index index(planted.rows, simple_mips{}, {.n_projections = 3, .n_tables = 2});
  planted.queries(0, 3) = lsh_tests::infinity;
  const lsh_search_params params{.n_probes = 16};
  CHECK(lsh_tests::count_of(index.search(planted.queries, 5, params).ids.row(0)) == 0);
  auto scratch = index.make_scratch();
  neighbors found(1, 5);
  index.search(planted.queries.row(0), found.ids.row(0), found.distances.row(0), scratch, params);
  CHECK(lsh_tests::same_bits(found, neighbors(1, 5)));
}
