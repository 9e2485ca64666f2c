#include "io/index_sq8.hpp"

using namespace annulus;
using namespace sq8_files;

TEST_CASE("an index of doubles as codes and wide dimensions comes back, also once it was changed", "[index_file]") {
  CHECK(returns<double, euclidean>());
  CHECK(returns<double, cosine>());
  CHECK(returns<double, inner_product>());
}

TEST_CASE("an index of codes and wide dimensions by inner products comes back", "[index_file]") {
  CHECK(returns<float, inner_product>());
}
