#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>

#include "io/index_lsh.hpp"

using namespace annulus;
using saved_lsh::returns;

TEST_CASE("an lsh_index by the signs of projections returns from its file", "[index_file]") {
  CHECK(returns(lsh_tests::clusters<float>(70, 9, 5, 1), sign_random_projection{}));
}

TEST_CASE("an lsh_index by Cauchy projections returns from its file with its width", "[index_file]") {
  CHECK(returns(lsh_tests::clusters<float>(70, 9, 5, 1), p_stable_l1{.width = 9}));
}
