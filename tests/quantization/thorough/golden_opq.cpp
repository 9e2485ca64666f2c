#include <annulus/io/data/nanopq.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>

#include "catch.hpp"
#include "quantization/random_rows.hpp"

// The rotation, codewords and answers of nanopq 0.2.2 for the same vectors. Its products of rows and the rotation are
// summed in another order than ours: sub-vectors differ by some 1e-7 of a vector's length, so that codes may differ
// where two codewords are as near to within 1e-4, and distances, which are small differences of long vectors, by as
// much.

using annulus::matrix;
using annulus::read_npy;
using annulus::read_npy_array;

using optimized = annulus::optimized_product_quantizer<>;

namespace {

struct reference {
  std::string name;
  std::size_t m, ks;
  bool parametric_init;
  double mean_squared_error;  ///< of its fit, 20 rounds of k-means after 10 of rotation

  std::string file(const std::string& what) const { return ANNULUS_TEST_DATA_DIR "/pq/" + name + "_" + what + ".npy"; }

  optimized quantizer() const { return annulus::read_nanopq<>(file("codewords"), file("R")); }
};

const reference references[] = {{"opq_m8_ks16", 8, 16, false, 237.1523895263672},
                                {"opq_m4_ks256_parametric", 4, 256, true, 127.26477813720703}};

matrix<float> vectors() { return read_npy<float>(ANNULUS_TEST_DATA_DIR "/pq/vectors.npy"); }

std::vector<float> first_query() {
  const auto queries = read_npy<float>(ANNULUS_TEST_DATA_DIR "/pq/queries.npy");
  return {queries.row(0).begin(), queries.row(0).end()};
}

/// How many of `found` are further than `share` of the expected from it, or of `least` where that is more.
std::size_t n_apart(std::span<const float> found, std::span<const float> expected, double share, double least) {
  REQUIRE(found.size() == expected.size());
  std::size_t apart = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto a = static_cast<double>(found[i]), b = static_cast<double>(expected[i]);
    apart += !(std::abs(a - b) <= share * std::max(std::abs(b), least));
  }
  return apart;
}

}  // namespace

TEST_CASE("codes are those of nanopq for its rotation and codewords, but for ties", "[opq]") {
  const matrix<float> rows = vectors();
  for (const auto& golden : references) {
    const optimized quantizer = golden.quantizer();
    const auto codes = quantizer.encode(rows, {.threads = 1}), expected = read_npy<std::uint8_t>(golden.file("codes"));
    const matrix<float> rotated = quantizer.rotate(rows, {.threads = 1});
    const std::size_t ds = quantizer.ds();
    REQUIRE(expected.rows() == rows.rows());
    REQUIRE(expected.cols() == golden.m);
    std::size_t n_ties = 0;
    for (std::size_t r = 0; r < rows.rows(); ++r)
      for (std::size_t i = 0; i < golden.m; ++i) {
        if (codes(r, i) == expected(r, i)) continue;
        ++n_ties;
        const auto distance = [&](std::size_t c) {
          return squared_distance(rotated.row(r).subspan(i * ds, ds), quantizer.quantizer().codewords(i).row(c));
        };
        CHECK(distance(codes(r, i)) == Approx(distance(expected(r, i))).epsilon(1e-4));
      }
    CAPTURE(golden.name);
    CHECK(n_ties < 5);
  }
}

TEST_CASE("decoded vectors are those of nanopq", "[opq]") {
  for (const auto& golden : references) {
    const auto codes = read_npy<std::uint8_t>(golden.file("codes"));
    const matrix<float> decoded = golden.quantizer().decode(codes), expected = read_npy<float>(golden.file("decoded"));
    REQUIRE(decoded.rows() == expected.rows());
    REQUIRE(decoded.cols() == expected.cols());
    const std::size_t count = decoded.rows() * decoded.cols();
    CAPTURE(golden.name);
    CHECK(n_apart({decoded.data(), count}, {expected.data(), count}, 1e-4, 1) == 0);
  }
}

TEST_CASE("tables and distances are those of nanopq", "[opq]") {
  for (const auto& golden : references) {
    const auto table = golden.quantizer().dtable(first_query());
    const auto expected = read_npy<float>(golden.file("dtable0"));
    const std::size_t count = golden.m * golden.ks;
    CAPTURE(golden.name);
    REQUIRE(expected.rows() == golden.m);
    CHECK(n_apart({table.values().data(), count}, {expected.data(), count}, 1e-4, 0.1) == 0);
    const auto distances = table.adist(read_npy<std::uint8_t>(golden.file("codes")));
    CHECK(n_apart(distances, read_npy<float>(golden.file("adist0")).row(0), 1e-5, 0) == 0);
  }
}

TEST_CASE("a fit is as good as nanopq's, of as many rounds", "[opq]") {
  const matrix<float> rows = vectors();
  for (const auto& golden : references) {
    optimized quantizer(golden.m, golden.ks);
    quantizer.fit(rows, {.parametric_init = golden.parametric_init, .threads = 1});
    CAPTURE(golden.name);
    CHECK(quantizer.distortion(rows, {.threads = 1}).mean_squared_error <= 1.01 * golden.mean_squared_error);
    CHECK(golden.quantizer().distortion(rows, {.threads = 1}).mean_squared_error ==
          Approx(golden.mean_squared_error).epsilon(1e-4));  // the figure is of these codewords
  }
}
