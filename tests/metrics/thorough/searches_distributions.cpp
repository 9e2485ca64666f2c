#include <annulus/metrics/distributions.hpp>
#include <annulus/metrics/sinkhorn.hpp>
#include <annulus/metrics/transport.hpp>
#include <annulus/metrics/wasserstein.hpp>

#include "metrics/searches.hpp"

using namespace annulus;
using metric_searches::check_knn;
using metric_searches::masses;
using metric_searches::n_rows;

TEST_CASE("knn by distances of distributions is all distances sorted", "[metrics][knn]") {
  const auto rows = masses(n_rows);
  check_knn(rows, hellinger{});
  check_knn(rows, jensen_shannon{});
  check_knn(rows, symmetric_kl{});
  check_knn(rows, wasserstein_1d{});
  check_knn(rows, wasserstein_1d(2));
  check_knn(rows, circular_kantorovich{});
}

TEST_CASE("knn by optimal transport is all distances sorted", "[metrics][knn]") {
  matrix<double> cost(5, 5);
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t j = 0; j < 5; ++j) cost(i, j) = std::sqrt(i > j ? i - j : j - i);
  const auto rows = masses(80, 5);
  check_knn(rows, kantorovich(cost));
  check_knn(rows, sinkhorn(cost, 0.5));
}

TEST_CASE("knn refuses rows and queries that are no distributions", "[metrics][knn]") {
  auto rows = masses(5, 3), negative = rows;
  negative(3, 1) = -0.5f;
  const std::string why = " = -0.5: row 3, coordinate 1 must hold mass that is not negative";
  CHECK_THROWS_WITH(knn(negative, rows, 2, hellinger{}), "annulus: data" + why);
  CHECK_THROWS_WITH(knn(negative, rows, 2, jensen_shannon{}), "annulus: data" + why);
  CHECK_THROWS_WITH(knn(rows, negative, 2, wasserstein_1d{}), "annulus: queries" + why);
  const csr_matrix<float> sparse({0, 1, 3}, {0, 2, 7}, {1, 2, -3}, 9);
  CHECK_THROWS_WITH(knn(sparse, sparse, 1, symmetric_kl{}),
                    "annulus: data = -3: row 1, coordinate 7 must hold mass that is not negative");
  auto huge = matrix<double>(2, 2, 1e308);
  CHECK_THROWS_WITH(knn(huge, huge, 1, hellinger{}), "annulus: data = a row: row 0 must hold mass of a finite sum");
}
