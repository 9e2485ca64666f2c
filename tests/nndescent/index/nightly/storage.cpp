#include "catch.hpp"
#include "nndescent/index_by.hpp"

using namespace annulus;
using indexes::clustered;
using indexes::find_in;

namespace {

const indexes::split<float>& data() {
  static const auto made = clustered<float>(2000, 24);
  return made;
}

void check(const indexes::findings& found, double floor) {
  CHECK(found.is_well_formed);
  CHECK(found.wrong_distances == 0);
  CHECK(found.by_default >= floor);
  CHECK(found.by_beam >= floor - 0.01);
  CHECK(found.in_graph >= 0.95);
}

}  // namespace

TEMPLATE_TEST_CASE("floats at half precision are found by their exact distances", "[nndescent_index]", euclidean,
                   cosine, manhattan) {
  check(find_in(data(), TestType{}, {}, half_precision{}), 0.95);
}

TEMPLATE_TEST_CASE("floats as 8-bit codes are found by their exact distances", "[nndescent_index]", euclidean, cosine) {
  for (const auto scales : {scalar_scales::per_vector, scalar_scales::per_dimension})
    check(find_in(data(), TestType{}, {}, sq8{scales}), 0.97);
}

TEST_CASE("floats as 8-bit codes are found by inner products", "[nndescent_index]") {
  for (const auto scales : {scalar_scales::per_vector, scalar_scales::per_dimension})
    check(find_in(data(), inner_product{}, {}, sq8{scales}), 0.92);
}

TEST_CASE("dimensions of different spread are found as 8-bit codes", "[nndescent_index]") {
  auto stretched = data();
  for (auto* m : {&stretched.rows, &stretched.queries})
    for (std::size_t i = 0; i < m->rows(); ++i)
      for (std::size_t j = 0; j < 24; ++j) (*m)(i, j) = 100 + (*m)(i, j) * (j % 2 == 0 ? 1.0f : 20.0f);
  for (const auto scales : {scalar_scales::per_vector, scalar_scales::per_dimension})
    check(find_in(stretched, euclidean{}, {}, sq8{scales}), 0.95);
}

TEST_CASE("bytes as codes are found by their exact distances", "[nndescent_index]") {
  const auto bytes = clustered<std::uint8_t>(2000, 24);
  for (const auto scales : {scalar_scales::per_vector, scalar_scales::per_dimension}) {
    check(find_in(bytes, euclidean{}, {}, sq8{scales}), 0.97);
    check(find_in(bytes, euclidean{}, {.keep_rows = false}, sq8{scales}), 0.97);  // they are their own codes
  }
}
