#include <annulus/io/data/nanopq.hpp>
#include <annulus/quantization/product_quantizer.hpp>

#include "catch.hpp"
#include "quantization/random_rows.hpp"

namespace golden_pq_tests {

using annulus::matrix;
using annulus::matrix_view;
using annulus::pq_metric;
using annulus::product_quantizer;

// What nanopq 0.2.2 gives for the same vectors.
namespace {

std::filesystem::path file(const std::string& name) {
  return std::filesystem::path(ANNULUS_TEST_DATA_DIR) / "pq" / (name + ".npy");
}

struct golden {
  std::string name;
  std::size_t m, ks;
  pq_metric metric;
  double mean_squared_error;  ///< after 20 rounds of k-means
};

const golden every_golden[] = {{"pq_m4_ks256_l2", 4, 256, pq_metric::sqeuclidean, 214.64987182617188},
                               {"pq_m8_ks16_l2", 8, 16, pq_metric::sqeuclidean, 340.4356994628906},
                               {"pq_m4_ks10_dot", 4, 10, pq_metric::inner_product, 615.8875732421875},
                               {"pq_m2_ks512_l2", 2, 512, pq_metric::sqeuclidean, 270.81488037109375}};

template <class Code>
product_quantizer<Code> quantizer_of(const golden& g) {
  return annulus::read_nanopq<Code>(file(g.name + "_codewords"), g.metric);
}

/// Whether each is near the other: relative to itself, and for inner products to the largest of all.
void check_values(std::span<const float> found, std::span<const float> expected, pq_metric metric) {
  constexpr double tolerance = 1e-5;
  REQUIRE(found.size() == expected.size());
  double margin = 0;
  if (metric == pq_metric::inner_product)
    for (const float x : expected) margin = std::max(margin, tolerance * std::abs(static_cast<double>(x)));
  for (std::size_t i = 0; i < found.size(); ++i)
    REQUIRE(static_cast<double>(found[i]) ==
            Approx(static_cast<double>(expected[i])).epsilon(tolerance).margin(margin));
}

template <class Code>
void check(const golden& g) {
  INFO(g.name);
  const auto vectors = annulus::read_npy<float>(file("vectors")), queries = annulus::read_npy<float>(file("queries"));
  const auto quantizer = quantizer_of<Code>(g);
  const auto codes = annulus::read_npy<Code>(file(g.name + "_codes"));
  const auto found = quantizer.encode(vectors);
  REQUIRE(found.rows() == codes.rows());
  REQUIRE(found.cols() == codes.cols());
  std::size_t differing = 0;
  for (std::size_t r = 0; r < codes.rows(); ++r)
    for (std::size_t i = 0; i < g.m; ++i) {
      if (found(r, i) == codes(r, i)) continue;
      ++differing;
      const auto part = vectors.row(r).subspan(i * quantizer.ds(), quantizer.ds());
      REQUIRE(squared_distance(part, quantizer.codewords(i).row(found(r, i))) ==
              Approx(squared_distance(part, quantizer.codewords(i).row(codes(r, i)))).epsilon(1e-5));
    }
  CHECK(differing < 5);

  CHECK(quantizer.decode(codes) == annulus::read_npy<float>(file(g.name + "_decoded")));
  const auto table = quantizer.dtable(queries.row(0));
  const auto expected = annulus::read_npy<float>(file(g.name + "_dtable0"));
  check_values({table.values().data(), g.m * g.ks}, {expected.data(), g.m * g.ks}, g.metric);
  check_values(table.adist(codes), annulus::read_npy_array<float>(file(g.name + "_adist0")).values, g.metric);
}

}  // namespace

TEST_CASE("for nanopq's codewords, codes, tables and distances are nanopq's", "[golden_pq]") {
  for (const golden& g : every_golden)
    if (g.ks <= 256) check<std::uint8_t>(g);
    else check<std::uint16_t>(g);
}

TEST_CASE("codewords trained here lose no more than nanopq's", "[golden_pq]") {
  const auto vectors = annulus::read_npy<float>(file("vectors"));
  for (const golden& g : every_golden) {
    constexpr std::size_t seeds = 3;
    double mean = 0;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      product_quantizer<std::uint16_t> quantizer(g.m, g.ks, g.metric);
      const double error = quantizer.fit(vectors, {.seed = seed}).distortion(vectors).mean_squared_error;
      UNSCOPED_INFO(g.name << ": " << error << " of " << g.mean_squared_error);
      mean += error / seeds;
    }
    CHECK(mean <= 1.01 * g.mean_squared_error);
  }
}

}  // namespace golden_pq_tests
