// The headers of the library stand beside all others in one unit.
#include <annulus/annulus.hpp>
#include <annulus/dynamic/dynamic_codec.hpp>
#include <annulus/dynamic/dynamic_functions.hpp>
#include <annulus/dynamic/dynamic_index.hpp>

#include "catch.hpp"

using namespace annulus;

TEST_CASE("rows known at run time are made from the rows of the templates", "[dynamic]") {
  const matrix<std::uint8_t> bytes(3, 5);
  const any_rows of_matrix(bytes);
  CHECK(of_matrix.type() == dtype::u8);
  CHECK(of_matrix.size() == 3);
  CHECK(of_matrix.dim() == 5);
  const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> eigen(4, 2);
  CHECK(any_rows(eigen).size() == 4);
  CHECK(any_rows(eigen).type() == dtype::f32);
}
