#include <annulus/io/data/vecs.hpp>

#include "catch.hpp"
#include "nndescent/index_by.hpp"

using namespace annulus;
using indexes::find_in;

namespace {

template <class Metric>
void check_floats(Metric metric, double floor) {
  for (const std::size_t d : {8u, 40u}) indexes::check_metric<float>(metric, floor, d);
}

}  // namespace

TEMPLATE_TEST_CASE("an index of floats finds nearly all neighbours", "[nndescent_index]", euclidean, sqeuclidean,
                   cosine, manhattan) {
  check_floats(TestType{}, 0.95);
}

TEST_CASE("an index of floats by the greatest difference finds most neighbours", "[nndescent_index]") {
  check_floats(chebyshev{}, 0.85);  // many rows are about equally near
}

TEST_CASE("an index of floats by inner products finds most neighbours", "[nndescent_index]") {
  check_floats(inner_product{}, 0.9);
}

TEST_CASE("an index of floats by a lambda finds nearly all neighbours", "[nndescent_index]") {
  const float power = 1.5f;
  check_floats(
      [power](const float* a, const float* b, std::size_t d) {
        float sum = 0;
        for (std::size_t i = 0; i < d; ++i) sum += std::pow(std::abs(a[i] - b[i]), power);
        return sum;
      },
      0.95);
}

TEST_CASE("an index of words by cosine finds nearly all neighbours", "[nndescent_index]") {
  const auto words = read_vecs<float>(ANNULUS_DEMO_DATA_DIR "/words-20k.fvecs");
  matrix<float> some(words.rows() / 4, words.cols());
  for (std::size_t i = 0; i < some.rows(); ++i) std::ranges::copy(words.row(4 * i), some.row(i).begin());
  const auto found = find_in(indexes::split<float>(some, 100), cosine{});
  CHECK(found.is_well_formed);
  CHECK(found.wrong_distances == 0);
  CHECK(found.by_default >= 0.95);
  CHECK(found.by_beam >= 0.9);
}
