// lsh_model over rows of doubles.

#include "dynamic/lsh_checks.hpp"
#include "lsh/indexes.hpp"

template struct annulus::detail::lsh_factory<annulus::matrix<double>>;

using namespace dynamic_tests;
using lsh_tests::clusters;

TEST_CASE("an LSH index of doubles of run-time types answers as that of its types", "[dynamic][lsh]") {
  const auto rows = clusters<double>(300, 10, 30, 1), more = clusters<double>(20, 10, 30, 1, 0.9),
             other = clusters<double>(1, 10, 30, 1, 1.1);
  const auto check = [&](const auto& family, std::string_view metric) {
    check_lsh<matrix<double>>(family, {}, rows, more, other, metric, "rows of float64");
  };
  check(sign_random_projection{}, "cosine");
  check(cross_polytope{}, "cosine");
  check(p_stable_l2{}, "euclidean");
  check(p_stable_l1{}, "manhattan");
  check(simple_mips{}, "inner_product");
}
