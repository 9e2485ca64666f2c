#include <annulus/metrics/angular.hpp>
#include <annulus/metrics/binary.hpp>
#include <annulus/metrics/dense.hpp>
#include <annulus/metrics/distributions.hpp>
#include <annulus/metrics/transport.hpp>
#include <annulus/metrics/wasserstein.hpp>
#include <annulus/metrics/weighted.hpp>

#include "catch.hpp"
#include "core/sparse_rows.hpp"

using namespace annulus;
using sparse_rows::random_row;
using sparse_rows::stored_row;

namespace {

constexpr std::size_t dim = 40;

std::vector<double> factors() {
  std::vector<double> all(dim);
  for (std::size_t i = 0; i < dim; ++i) all[i] = 0.5 + static_cast<double>(i % 7);
  return all;
}

matrix<double> ground_cost() {
  matrix<double> cost(dim, dim);
  for (std::size_t i = 0; i < dim; ++i)
    for (std::size_t j = 0; j < dim; ++j) cost(i, j) = std::abs(static_cast<double>(i) - static_cast<double>(j));
  return cost;
}

matrix<double> inverse_covariance() {
  matrix<double> m(dim, dim);
  for (std::size_t i = 0; i < dim; ++i) {
    m(i, i) = 2;
    if (i > 0) m(i, i - 1) = m(i - 1, i) = 0.5;
  }
  return m;
}

/// f(metric, whether it takes masses alone) for the metrics of metrics/ that take sparse rows.
template <class F>
void for_sparse_metrics(F f) {
  constexpr bool any = false, of_masses = true;
  f(minkowski(1.5), any);
  f(minkowski(3), any);
  f(canberra{}, any);
  f(braycurtis{}, of_masses);  // of other rows its denominator may be next to nothing
  f(hamming{}, any);
  f(correlation{}, any);
  f(true_angular{}, any);
  f(dot{}, any);
  f(tsss{}, any);
  f(seuclidean(factors()), any);
  f(wminkowski(factors(), 3), any);
  f(mahalanobis(matrix_view<double>(inverse_covariance())), any);
  f(hellinger{}, of_masses);
  f(jensen_shannon{}, of_masses);
  f(symmetric_kl{}, of_masses);
  f(wasserstein_1d(1), of_masses);
  f(wasserstein_1d(2), of_masses);
  f(circular_kantorovich(1), of_masses);
  f(kantorovich(ground_cost()), of_masses);
  f(jaccard{}, any);
  f(dice{}, any);
  f(matching{}, any);
  f(kulsinski{}, any);
  f(rogerstanimoto{}, any);
  f(russellrao{}, any);
  f(sokalsneath{}, any);
  f(sokalmichener{}, any);
  f(yule{}, any);
}

/// A row without stored zeros, which would be members of sets.
stored_row<float> nonzero_row(std::size_t stored, std::uint64_t seed, bool of_masses) {
  auto row = random_row<float>(stored, dim, seed);
  for (float& v : row.values) {
    if (v == 0) v = 5;
    if (of_masses) v = std::abs(v);
  }
  return row;
}

/// f(a, b) for rows that store from nothing to everything.
template <class F>
void for_rows(bool of_masses, F f) {
  for (std::size_t n = 0; n <= dim; n += 4)
    for (std::size_t m = 0; m <= dim; m += 5) f(nonzero_row(n, n, of_masses), nonzero_row(m, 100 + m, of_masses));
}

}  // namespace

TEST_CASE("a metric over sparse rows gives what it gives over the full rows", "[sparse]") {
  for_sparse_metrics([](const auto& metric, bool of_masses) {
    INFO(metric.name);
    for_rows(of_masses, [&](const auto& a, const auto& b) {
      const auto x = a.dense(), y = b.dense();
      const auto expected = static_cast<double>(metric(x.data(), y.data(), dim));
      INFO(a.indices.size() << " and " << b.indices.size() << " stored");
      REQUIRE(static_cast<double>(metric(a.row(), b.row())) == Approx(expected).epsilon(2e-5).margin(2e-5));
    });
  });
}

TEST_CASE("a metric over sparse rows is symmetric", "[sparse]") {
  for_sparse_metrics([](const auto& metric, bool of_masses) {
    INFO(metric.name);
    for_rows(of_masses, [&](const auto& a, const auto& b) {
      const auto forth = static_cast<double>(metric(a.row(), b.row()));
      REQUIRE(static_cast<double>(metric(b.row(), a.row())) == Approx(forth).epsilon(1e-6).margin(1e-12));
    });
  });
}

TEST_CASE("a sparse row is at distance zero from itself under every metric but the product of unit rows", "[sparse]") {
  for_sparse_metrics([]<class Metric>(const Metric& metric, bool of_masses) {
    if constexpr (!std::same_as<Metric, dot>) {
      INFO(metric.name);
      for (std::size_t n = 0; n <= dim; ++n) {
        const auto row = nonzero_row(n, n, of_masses), copy = row;
        REQUIRE(metric(row.row(), copy.row()) == 0);
      }
    }
  });
}

TEST_CASE("sets need no values under metrics of sets", "[sparse]") {
  const auto check = [](const auto& metric) {
    INFO(metric.name);
    for_rows(false, [&](const auto& a, const auto& b) {
      const sparse_row<float> x{a.indices, {}, dim}, y{b.indices, {}, dim};
      REQUIRE(metric(x, y) == metric(a.row(), b.row()));
    });
  };
  check(jaccard{});
  check(dice{});
  check(matching{});
  check(kulsinski{});
  check(rogerstanimoto{});
  check(russellrao{});
  check(sokalsneath{});
  check(sokalmichener{});
  check(yule{});
}
