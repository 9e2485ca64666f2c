#include <annulus/lsh/families/bit_sampling.hpp>
#include <annulus/lsh/families/minhash.hpp>

#include "lsh/index_changes.hpp"

// Changes of indexes of sparse rows and of bits; those of dense rows are in ../index_change.cpp.

using namespace annulus;
using lsh_tests::check_changes;
using lsh_tests::rows_between;

TEST_CASE("any changes of sparse rows leave an index that answers as brute force does", "[lsh][lsh_index]") {
  const auto sets = lsh_tests::set_clusters(220, 12, 3);
  check_changes<csr_matrix<float>>(rows_between(sets, 0, 200), rows_between(sets, 200, 220), minhash{},
                                   {.n_projections = 2, .n_tables = 4}, 60, 5);
}

TEST_CASE("any changes of rows of bits leave an index that answers as brute force does", "[lsh][lsh_index]") {
  const auto bits = lsh_tests::bit_clusters(320, 12, 12, 3);
  check_changes<matrix<std::uint8_t>>(rows_between(bits, 0, 300), rows_between(bits, 300, 320), bit_sampling{},
                                      {.n_projections = 9, .n_tables = 4}, 60, 6);
}
