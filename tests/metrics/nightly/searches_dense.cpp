#include <annulus/metrics/angular.hpp>
#include <annulus/metrics/dense.hpp>
#include <annulus/metrics/spatial.hpp>
#include <annulus/metrics/weighted.hpp>

#include "metrics/searches.hpp"

using namespace annulus;
using metric_searches::check_knn;
using metric_searches::n_rows;
using metric_searches::vectors;

TEST_CASE("knn by norms and quotients of differences is all distances sorted", "[metrics][knn]") {
  const auto rows = vectors(n_rows);
  check_knn(rows, minkowski(3));
  check_knn(rows, minkowski(2.25));
  check_knn(rows, canberra{});
  check_knn(rows, braycurtis{});
  check_knn(metric_searches::binary(n_rows), hamming{});
}

TEST_CASE("knn by weighted metrics is all distances sorted", "[metrics][knn]") {
  const auto rows = vectors(n_rows);
  const std::vector<double> weights{0.5, 1, 2, 3, 0.25, 1, 4, 1, 2};
  check_knn(rows, seuclidean(weights));
  check_knn(rows, wminkowski(weights, 1.5));
  matrix<double> vinv(9, 9, 0.5);
  for (std::size_t i = 0; i < 9; ++i) vinv(i, i) = 1 + weights[i];
  check_knn(rows, mahalanobis(vinv));
}

TEST_CASE("knn by angles and correlations is all distances sorted", "[metrics][knn]") {
  const auto rows = vectors(n_rows);
  check_knn(rows, correlation{});
  check_knn(rows, spearmanr{});
  check_knn(rows, true_angular{});
  check_knn(rows, dot{});
  check_knn(rows, tsss{});
}

TEST_CASE("knn by the angle between places on the sphere is all distances sorted", "[metrics][knn]") {
  check_knn(vectors(n_rows, 2), haversine{});
}
