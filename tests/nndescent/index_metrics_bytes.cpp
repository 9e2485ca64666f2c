#include "catch.hpp"
#include "nndescent/index_by.hpp"

using namespace annulus;
using indexes::clustered;
using indexes::find_in;

namespace {

template <class T, class Metric>
void check_metric(Metric metric, double floor, std::size_t d) {
  const auto found = find_in(clustered<T>(2000, d), metric);
  CAPTURE(d);
  CHECK(found.is_well_formed);
  CHECK(found.wrong_distances == 0);
  CHECK(found.by_default >= floor);
  CHECK(found.by_beam >= floor - 0.01);
  CHECK(found.in_graph >= floor - 0.02);
}

/// Random bits around some patterns, packed in bytes.
indexes::split<std::uint8_t> bits(std::size_t n, std::size_t bytes) {
  const counter_random patterns(1), flips(2);
  matrix<std::uint8_t> m(n + 100, bytes);
  for (std::size_t i = 0; i < m.rows(); ++i)
    for (std::size_t j = 0; j < bytes; ++j) {
      auto byte = static_cast<unsigned>(patterns.below(i % 20 * bytes + j, 256));
      for (unsigned b = 0; b < 8; ++b)
        if (flips.uniform((i * bytes + j) * 8 + b) < 0.15) byte ^= 1u << b;
      m(i, j) = static_cast<std::uint8_t>(byte);
    }
  return {m, 100};
}

}  // namespace

TEMPLATE_TEST_CASE("an index of unsigned bytes finds nearly all neighbours", "[nndescent_index]", euclidean, cosine,
                   chebyshev) {
  check_metric<std::uint8_t>(TestType{}, 0.95, 32);
}

TEST_CASE("an index of unsigned bytes by inner products finds most neighbours", "[nndescent_index]") {
  check_metric<std::uint8_t>(inner_product{}, 0.9, 32);
}

TEST_CASE("an index of bits by Hamming distance finds nearly all neighbours", "[nndescent_index]") {
  const auto found = find_in(bits(2000, 32), bit_hamming{});
  CHECK(found.is_well_formed);
  CHECK(found.wrong_distances == 0);
  CHECK(found.by_default >= 0.85);
  CHECK(found.by_beam >= 0.85);
}
