#include <annulus/lsh/families/cross_polytope.hpp>
#include <annulus/lsh/families/simple_mips.hpp>

#include "io/index_lsh.hpp"

using namespace annulus;
using saved_lsh::returns;

TEST_CASE("an lsh_index by cross-polytopes returns from its file", "[index_file]") {
  CHECK(returns(lsh_tests::clusters<double>(70, 9, 5, 1), cross_polytope{.n_rotations = 2}));
}

TEST_CASE("an lsh_index for inner products returns from its file with the norm it was fitted to", "[index_file]") {
  CHECK(returns(lsh_tests::clusters<float>(70, 9, 5, 1), simple_mips{}));
}
