#include "catch.hpp"
#include "nndescent/index_by.hpp"

using namespace annulus;
using indexes::check_metric;
using indexes::find_in;

namespace {

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

TEST_CASE("bright images of 256 x 256 x 3 bytes are right in graphs and exact search", "[nndescent_index]") {
  constexpr std::size_t n = 60, d = 256 * 256 * 3;
  const counter_random random(3);
  matrix<std::uint8_t> images(n, d), queries(8, d);
  const auto fill = [&](matrix<std::uint8_t>& rows, std::size_t first) {  // some dark, most bright, some patches alike
    for (std::size_t i = 0; i < rows.rows(); ++i)
      for (std::size_t j = 0; j < d; ++j) {
        const auto noise = random.below((first + i) * d + j, 1 + 4 * i);
        rows(i, j) = static_cast<std::uint8_t>(i % 7 == 3 ? noise % 64 : 255 - noise % 128);
      }
  };
  fill(images, 0);
  fill(queries, n);
  const auto check = [&](auto metric, auto distance) {
    const nndescent_index index(images, metric);
    for (const auto& found : {knn(images, queries, 3, metric), index.search(queries, 3)})
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        std::vector<candidate<double>> naive;
        for (std::size_t i = 0; i < n; ++i) {
          double sum = 0, product = 0;
          for (std::size_t j = 0; j < d; ++j) {
            const double a = queries(q, j), b = images(i, j);
            sum += (a - b) * (a - b);
            product += a * b;
          }
          naive.push_back({distance(sum, product), static_cast<id_type>(i)});
        }
        std::ranges::sort(naive, std::less<>());
        for (std::size_t j = 0; j < 3; ++j) {
          CHECK(found.ids(q, j) == naive[j].id);
          CHECK(found.distances(q, j) == Approx(naive[j].rank).epsilon(1e-6));
        }
      }
  };
  check(euclidean{}, [](double sum, double) { return std::sqrt(sum); });
  check(inner_product{}, [](double, double product) { return -product; });
  CHECK_THROWS_WITH(nndescent_index(images, euclidean{}, {}, sq8{}), ContainsSubstring("at most 65536"));
}
