#include <annulus/quantization/rotation.hpp>

#include "catch.hpp"
#include "quantization/rotations.hpp"

using annulus::eigenvalue_allocation;
using annulus::matrix;
using annulus::matrix_view;
using annulus::detail::parametric_rotation;
using annulus::detail::procrustes;
using annulus::detail::transposed;

namespace {

/// Of logarithms that are uniform from 0 to `greatest`.
std::vector<double> random_spectrum(std::size_t d, double greatest, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::uniform_real_distribution<double> any(0, greatest);
  std::vector<double> values(d);
  for (double& x : values) x = std::exp(any(generator));
  return values;
}

bool has_each_once(const matrix<std::uint32_t>& buckets, std::size_t d) {
  std::vector<std::uint32_t> all(buckets.data(), buckets.data() + buckets.rows() * buckets.cols()), expected(d);
  std::ranges::sort(all);
  std::iota(expected.begin(), expected.end(), 0u);
  return all == expected;
}

/// The greatest less the smallest of the sums of logarithms of a dealing: bucket i holds what stands in its row.
double spread(std::span<const double> eigenvalues, std::span<const std::uint32_t> dealt, std::size_t m) {
  std::vector<double> sums(m);
  for (std::size_t i = 0; i < dealt.size(); ++i) sums[i * m / dealt.size()] += std::log(eigenvalues[dealt[i]]);
  const auto [least, greatest] = std::ranges::minmax(sums);
  return greatest - least;
}

/// By sums of ln(eigenvalue) - ln(least) + 1, as nanopq has them.
matrix<std::uint32_t> dealt_by_logarithms(const std::vector<double>& eigenvalues, std::size_t m) {
  std::vector<std::pair<double, std::uint32_t>> left;
  for (std::size_t i = 0; i < eigenvalues.size(); ++i) left.emplace_back(-eigenvalues[i], i);
  std::ranges::sort(left);
  std::vector<double> sums(m);
  std::vector<std::vector<std::uint32_t>> buckets(m);
  for (const auto& [negative, dimension] : left) {
    const auto chosen = static_cast<std::size_t>(std::ranges::min_element(sums) - sums.begin());
    buckets[chosen].push_back(dimension);
    sums[chosen] += buckets[chosen].size() == left.size() / m
                        ? std::numeric_limits<double>::infinity()
                        : std::log(eigenvalues[dimension] / -left.back().first) + 1;
  }
  matrix<std::uint32_t> dealt(m, left.size() / m);
  for (std::size_t i = 0; i < m; ++i) std::ranges::copy(buckets[i], dealt.row(i).begin());
  return dealt;
}

/// Of vecs * r to targets, for the product vecs^T targets: the part that depends on r.
double trace(const matrix<float>& r, const matrix<float>& product) {
  return inner_product({r.data(), r.rows() * r.cols()}, {product.data(), r.rows() * r.cols()});
}

matrix<float> outer_product(std::span<const float> a, std::span<const float> b) {
  matrix<float> product(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < b.size(); ++j) product(i, j) = a[i] * b[j];
  return product;
}

/// Normal rows, turned, whose axes have deviations of 1, 0.8, 0.64 and so on.
matrix<float> turned_rows(std::size_t n, std::size_t d, std::uint64_t seed, float centre = 0) {
  matrix<float> rows = random_rows(n, d, seed);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) rows(i, j) *= std::pow(0.8f, static_cast<float>(j));
  matrix<float> turned = product_of(rows, random_rotation(d, seed + 1));
  for (std::size_t i = 0; i < n; ++i)
    for (float& x : turned.row(i)) x += centre;
  return turned;
}

matrix<double> covariance_of(const matrix<float>& rows) {
  const std::size_t n = rows.rows(), d = rows.cols();
  std::vector<double> mean(d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) mean[j] += static_cast<double>(rows(i, j)) / static_cast<double>(n);
  matrix<double> covariance(d, d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t a = 0; a < d; ++a)
      for (std::size_t b = 0; b < d; ++b)
        covariance(a, b) += (static_cast<double>(rows(i, a)) - mean[a]) * (static_cast<double>(rows(i, b)) - mean[b]) /
                            static_cast<double>(n - 1);
  return covariance;
}

}  // namespace

TEST_CASE("every dimension is dealt to one bucket, and all buckets are of one size", "[rotation]") {
  for (const auto& [d, m] : {std::pair<std::size_t, std::size_t>{1, 1}, {8, 1}, {8, 8}, {12, 4}, {128, 16}, {384, 48}})
    for (const double greatest : {0.0, 5.0, 100.0, 600.0}) {
      const auto buckets = eigenvalue_allocation(random_spectrum(d, greatest, d), m);
      CAPTURE(d, m, greatest);
      CHECK(buckets.rows() == m);
      CHECK(buckets.cols() == d / m);
      CHECK(has_each_once(buckets, d));
    }
}

TEST_CASE("buckets are balanced: better than in order, and than dealt at random", "[rotation]") {
  for (const auto& [d, m] : {std::pair<std::size_t, std::size_t>{8, 2}, {12, 4}, {32, 8}, {128, 8}}) {
    double total_found = 0, total_of_random = 0;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      std::mt19937_64 generator(seed);
      const auto eigenvalues = random_spectrum(d, 10, seed);
      const auto buckets = eigenvalue_allocation(eigenvalues, m);
      const double found = spread(eigenvalues, {buckets.data(), d}, m);
      std::vector<std::uint32_t> order(d);
      std::iota(order.begin(), order.end(), 0u);
      double of_random = 0;
      for (int times = 0; times < 20; ++times) {
        std::ranges::shuffle(order, generator);
        of_random += spread(eigenvalues, order, m) / 20;
      }
      std::ranges::sort(order, std::ranges::greater(), [&](auto i) { return eigenvalues[i]; });
      CAPTURE(d, m, seed);
      total_found += found;
      total_of_random += of_random;
      CHECK(found < 0.4 * spread(eigenvalues, order, m));
    }
    CHECK(total_found < 0.4 * total_of_random);
  }
}

TEST_CASE("the largest eigenvalue left goes to the bucket whose product is the smallest", "[rotation]") {
  for (const auto& [d, m] : {std::pair<std::size_t, std::size_t>{8, 2}, {30, 5}, {128, 16}})
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const auto eigenvalues = random_spectrum(d, std::log(1e9), seed);
      CAPTURE(d, m, seed);
      CHECK(eigenvalue_allocation(eigenvalues, m) == dealt_by_logarithms(eigenvalues, m));
    }
}

TEST_CASE("the dealing depends on the ratios of eigenvalues alone", "[rotation]") {
  const auto eigenvalues = random_spectrum(64, 8, 1);
  const auto buckets = eigenvalue_allocation(eigenvalues, 8);
  for (const double factor : {0x1p-900, 0x1p-20, 0x1p3, 0x1p900}) {
    auto scaled = eigenvalues;
    for (double& x : scaled) x *= factor;
    CHECK(eigenvalue_allocation(scaled, 8) == buckets);
  }
}

TEST_CASE("eigenvalues of nothing but rounding do not outweigh the others", "[rotation]") {
  for (const double tiny : {0.0, 1e-300, 1e-30, std::numeric_limits<double>::denorm_min()}) {
    auto eigenvalues = random_spectrum(16, 5, 1);
    std::ranges::fill(std::span(eigenvalues).last(8), tiny);
    const auto buckets = eigenvalue_allocation(eigenvalues, 4);
    CAPTURE(tiny);
    REQUIRE(has_each_once(buckets, 16));
    for (std::size_t i = 0; i < 4; ++i)  // two that count in each, as there would be without the rest
      CHECK(std::ranges::count_if(buckets.row(i), [](auto dimension) { return dimension < 8; }) == 2);
  }
  CHECK(has_each_once(eigenvalue_allocation(std::vector<double>(12, 0.0), 3), 12));
  CHECK(has_each_once(eigenvalue_allocation(std::vector<double>(12, 1e-320), 3), 12));
}

TEST_CASE("equal eigenvalues are dealt by their numbers", "[rotation]") {
  const auto buckets = eigenvalue_allocation(std::vector<double>(6, 2.0), 3);
  for (std::uint32_t i = 0; i < 3; ++i) {
    CHECK(buckets(i, 0) == i);
    CHECK(buckets(i, 1) == i + 3);
  }
}

TEST_CASE("eigenvalues that cannot be dealt are refused", "[rotation]") {
  const auto deal = [](std::vector<double> eigenvalues, std::size_t m) {
    return eigenvalue_allocation(eigenvalues, m);
  };
  constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(deal({1, 2}, 0), std::invalid_argument);
  CHECK_THROWS_AS(deal({}, 1), std::invalid_argument);
  CHECK_THROWS_AS(deal({1, 2, 3}, 2), std::invalid_argument);
  CHECK_THROWS_AS(deal({1, 2}, 3), std::invalid_argument);
  CHECK_THROWS_AS(deal({1, not_a_number}, 2), std::invalid_argument);
  CHECK_THROWS_AS(deal({not_a_number, 1}, 1), std::invalid_argument);
  CHECK_THROWS_AS(deal({1, -1e-300}, 2), std::invalid_argument);
}

TEST_CASE("a matrix is transposed", "[rotation]") {
  const matrix<float> m = random_rows(3, 5, 1), t = transposed(m);
  REQUIRE(t.rows() == 5);
  REQUIRE(t.cols() == 3);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 5; ++j) CHECK(t(j, i) == m(i, j));
}

TEST_CASE("no rotation is nearer to the targets than that of Procrustes", "[rotation]") {
  for (const std::size_t d : {1u, 2u, 8u, 33u}) {
    const matrix<float> product = random_rows(d, d, d);
    const matrix<float> r = procrustes(product);
    CAPTURE(d);
    CHECK(off_orthogonal(r) < 1e-5);
    for (std::uint64_t seed = 0; seed < 100; ++seed)
      REQUIRE(trace(r, product) >= trace(random_rotation(d, seed), product) - 1e-5);
    // At the best rotation r^T product is symmetric and its eigenvalues are not negative, so nor are its parts' traces.
    const matrix<float> turned = product_of(transposed(r), product);
    for (std::size_t i = 0; i < d; ++i) {
      CHECK(turned(i, i) >= -1e-4f);
      for (std::size_t j = 0; j < i; ++j) CHECK(std::abs(turned(i, j) - turned(j, i)) < 1e-4f);
    }
  }
}

TEST_CASE("the rotation between a set of points and the same points rotated is found", "[rotation]") {
  for (const std::size_t d : {1u, 2u, 8u, 40u}) {
    const matrix<float> rows = random_rows(200, d, 1), rotation = random_rotation(d, 2);
    const matrix<float> found = procrustes(product_of(transposed(rows), product_of(rows, rotation)));
    CAPTURE(d);
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = 0; j < d; ++j) REQUIRE(std::abs(found(i, j) - rotation(i, j)) < 1e-5f);
  }
}

TEST_CASE("Procrustes is orthogonal where the product is singular, tiny or large", "[rotation]") {
  for (const std::size_t d : {1u, 2u, 8u, 33u, 100u}) {
    const matrix<float> normal = random_rows(2, d, 1);
    const matrix<float> rank_one = outer_product(normal.row(0), normal.row(1));
    CAPTURE(d);
    CHECK(off_orthogonal(procrustes(matrix<float>(d, d))) < 1e-5);
    const matrix<float> ones(d, d, 1.0f);
    CHECK(off_orthogonal(procrustes(ones)) < 1e-5);
    CHECK(trace(procrustes(ones), ones) == Approx(d).epsilon(1e-5));  // the one singular value
    CHECK(off_orthogonal(procrustes(rank_one)) < 1e-5);
    CHECK(trace(procrustes(rank_one), rank_one) == Approx(std::sqrt(trace(rank_one, rank_one))).epsilon(1e-5));
    for (const float factor : {1e-35f, 1e35f}) {
      matrix<float> scaled = random_rows(d, d, 2);
      for (std::size_t i = 0; i < d; ++i)
        for (float& x : scaled.row(i)) x *= factor;
      CHECK(off_orthogonal(procrustes(scaled)) < 1e-5);
    }
  }
}

TEST_CASE("Procrustes keeps every direction of products of few", "[rotation]") {
  for (const std::size_t d : {8u, 33u, 100u})
    for (const float ratio : {0.5f, 1e-3f}) {
      const matrix<float> left = random_rotation(d, 1), right = random_rotation(d, 2);
      matrix<float> product(d, d);
      double best = 0;  // the sum of the singular values
      float value = 1;
      for (std::size_t i = 0; i < 3; ++i, value *= ratio) {
        const matrix<float> part = outer_product(left.row(i), right.row(i));
        for (std::size_t j = 0; j < d * d; ++j) product.data()[j] += value * part.data()[j];
        best += static_cast<double>(value);
      }
      const matrix<float> r = procrustes(product);
      CAPTURE(d, ratio);
      CHECK(off_orthogonal(r) < 1e-5);
      CHECK(trace(r, product) == Approx(best).epsilon(1e-5));
    }
}

TEST_CASE("rows are uncorrelated along their principal axes", "[rotation]") {
  for (const std::size_t d : {2u, 12u, 32u})
    for (const float centre : {0.0f, 1000.0f}) {
      const matrix<float> rows = turned_rows(1500, d, 1, centre);
      const matrix<float> r = parametric_rotation(rows, 2);
      CHECK(off_orthogonal(r) < 1e-5);
      const matrix<double> covariance = covariance_of(product_of(rows, r));
      CAPTURE(d, centre);
      for (std::size_t i = 0; i < d; ++i)  // where all axes were dealt, variances range from 1 to a thousandth
        for (std::size_t j = 0; j < i; ++j) REQUIRE(std::abs(covariance(i, j)) < (centre == 0 ? 1e-5 : 1e-3));
    }
}

TEST_CASE("principal axes are dealt to sub-spaces by their variances", "[rotation]") {
  constexpr std::size_t d = 12, m = 3;
  const matrix<float> rows = turned_rows(1500, d, 1);
  const matrix<double> covariance = covariance_of(product_of(rows, parametric_rotation(rows, m)));
  std::vector<double> variances;
  for (std::size_t i = 0; i < d; ++i) variances.push_back(covariance(i, i));
  std::vector<double> sorted = variances;
  std::ranges::sort(sorted);
  const auto buckets = eigenvalue_allocation(sorted, m);
  for (std::size_t i = 0; i < d; ++i) CHECK(variances[i] == Approx(sorted[buckets.data()[i]]).epsilon(1e-6));
  CHECK(spread(variances, std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, m) < 0.5);
}

TEST_CASE("principal axes are orthogonal for constant rows, one row, and fewer rows than dimensions", "[rotation]") {
  for (const std::size_t n : {1u, 2u, 3u, 20u}) {
    CHECK(off_orthogonal(parametric_rotation(random_rows(n, 8, n), 4)) < 1e-5);
    CHECK(off_orthogonal(parametric_rotation(matrix<float>(n, 8, 0.1f), 2)) < 1e-5);
    CHECK(off_orthogonal(parametric_rotation(matrix<float>(n, 8), 2)) < 1e-5);
  }
}

TEST_CASE("principal axes do not depend on the scale or on what lies between rows", "[rotation]") {
  const matrix<float> rows = turned_rows(100, 8, 3);
  const matrix<float> r = parametric_rotation(rows, 2);
  for (const float factor : {0x1p-60f, 0x1p60f}) {
    matrix<float> scaled(100, 11, std::numeric_limits<float>::quiet_NaN());
    for (std::size_t i = 0; i < 100; ++i)
      for (std::size_t j = 0; j < 8; ++j) scaled(i, j) = rows(i, j) * factor;
    CHECK(parametric_rotation({scaled.data(), 100, 8, 11}, 2) == r);
  }
}
