#include <annulus/knn/flat_index.hpp>
#include <annulus/metrics/angular.hpp>
#include <annulus/metrics/distributions.hpp>
#include <annulus/metrics/weighted.hpp>

#include "metrics/searches.hpp"

// Exact search by metrics of this room among rows times a power of two.

using namespace annulus;
using metric_searches::n_queries;
using metric_searches::n_rows;

namespace {

constexpr std::size_t dim = 9, k = 5;

/// Multiples of 1/64 of either sign, or of neither, which stay exact times any power of two.
matrix<float> plain_rows(bool are_masses) {
  auto rows = are_masses ? metric_searches::masses(n_rows, dim) : metric_searches::vectors(n_rows, dim);
  for (std::size_t i = 0; i < n_rows * dim; ++i) rows.data()[i] = std::round(64 * rows.data()[i]) / 64;
  return rows;
}

matrix<float> scaled(matrix<float> rows, int exponent) {
  for (std::size_t i = 0; i < rows.rows() * rows.cols(); ++i) rows.data()[i] = std::ldexp(rows.data()[i], exponent);
  return rows;
}

std::vector<double> weights() { return {0.5, 1, 2, 3, 0.25, 1, 4, 1, 2}; }

matrix<double> inverse_covariance() {
  matrix<double> vinv(dim, dim, 0.5);
  for (std::size_t i = 0; i < dim; ++i) vinv(i, i) = 1 + weights()[i];
  return vinv;
}

/// Whether distances are those of rows of ordinary size times 2^exponent; to rounding where a metric has rounded rows
/// that are next to the least floats.
bool are_scaled(const neighbors& found, const neighbors& ordinary, int exponent, bool is_rounded) {
  if (found.ids != ordinary.ids) return false;
  for (std::size_t i = 0; i < found.distances.rows(); ++i)
    for (std::size_t j = 0; j < found.distances.cols(); ++j) {
      const float expected = std::ldexp(ordinary.distances(i, j), exponent), distance = found.distances(i, j);
      if (is_rounded ? std::abs(distance - expected) > 1e-6f * expected : distance != expected) return false;
    }
  return true;
}

/// By knn and by an index, of few queries, and of enough for tiles.
template <class Metric>
void check(const Metric& metric, int degree, const std::vector<int>& exponents, bool are_masses = false) {
  const matrix<float> rows = plain_rows(are_masses);
  for (const std::size_t batch : {std::size_t{1}, std::size_t{7}, n_queries}) {
    const matrix_view<float> all = rows;
    const neighbors expected = knn(all, all.middle_rows(0, batch), k, metric, {.threads = 1});
    for (const int e : exponents) {
      const matrix<float> other = scaled(rows, e);
      const matrix_view<float> data = other, queries = data.middle_rows(0, batch);
      const bool is_rounded = e < -100;
      CAPTURE(batch, e);
      CHECK(are_scaled(knn(data, queries, k, metric, {.threads = 1}), expected, degree * e, is_rounded));
      CHECK(are_scaled(flat_index(data, metric, {.threads = 1}).search(queries, k, {.threads = 1}), expected,
                       degree * e, is_rounded));
    }
  }
}

template <class Metric>
void check_sparse(const Metric& metric, int degree, const std::vector<int>& exponents) {
  const csr_matrix<float> rows = metric_searches::sparse_rows(plain_rows(true), 0.5f);
  const neighbors expected = knn(rows, rows, k, metric, {.threads = 1});
  for (const int e : exponents) {
    const auto other = detail::scaled_copy(
        csr_view<float>(rows), [e](std::size_t) { return -e; }, 1);
    CAPTURE(e);
    CHECK(are_scaled(knn(other, other, k, metric, {.threads = 1}), expected, degree * e, e < -100));
  }
}

const std::vector<int> all_sizes{-116, -60, -30, 30, 60, 116};

}  // namespace

TEST_CASE("knn by norms of rows times a power of two is that of the rows", "[sizes]") {
  check(minkowski(1.5), 1, all_sizes);
  check(minkowski(3), 1, all_sizes);
  check(minkowski(4), 1, all_sizes);
  check(minkowski(2.25), 1, all_sizes);
}

TEST_CASE("knn by weighted norms of rows times a power of two is that of the rows", "[sizes]") {
  check(seuclidean(weights()), 1, all_sizes);
  check(wminkowski(weights(), 3), 1, all_sizes);
  check(mahalanobis(matrix_view<double>(inverse_covariance())), 1, all_sizes);
}

TEST_CASE("knn by quotients and directions of rows times a power of two is that of the rows", "[sizes]") {
  check(canberra{}, 0, all_sizes);
  check(braycurtis{}, 0, all_sizes, true);
  check(correlation{}, 0, all_sizes);
  check(true_angular{}, 0, all_sizes);
  check(spearmanr{}, 0, all_sizes);
  check(hellinger{}, 0, all_sizes, true);
  check(jensen_shannon{}, 0, all_sizes, true);
}

TEST_CASE("knn by areas of rows times a power of two is that of the rows", "[sizes]") {
  check(tsss{}, 4, {-116, -60, -20, 20, 29});
  const matrix<float> large = scaled(plain_rows(false), 40);
  CHECK_THROWS_WITH(knn(large, matrix_view<float>(large), k, tsss{}), ContainsSubstring("row 0 "));
}

TEST_CASE("knn of sparse rows times a power of two is that of the rows", "[sizes]") {
  check_sparse(minkowski(3), 1, all_sizes);
  check_sparse(seuclidean(weights()), 1, all_sizes);
  check_sparse(wminkowski(weights(), 3), 1, all_sizes);
  check_sparse(mahalanobis(matrix_view<double>(inverse_covariance())), 1, all_sizes);
  check_sparse(canberra{}, 0, all_sizes);
  check_sparse(braycurtis{}, 0, all_sizes);
  check_sparse(correlation{}, 0, all_sizes);
  check_sparse(true_angular{}, 0, all_sizes);
  check_sparse(hellinger{}, 0, all_sizes);
  check_sparse(tsss{}, 4, {-116, -60, -20, 20, 29});
}

TEST_CASE("rows that weights take beyond floats are refused by number", "[sizes]") {
  matrix<float> rows(3, 2, 1.0f);
  rows(2, 1) = 1e30f;
  const std::vector<double> variance{1, 1e-20};
  CHECK_THROWS_WITH(knn(rows, matrix_view<float>(rows), 1, seuclidean(variance)), ContainsSubstring("row 2 "));
  const matrix_view<float> small = matrix_view<float>(rows).middle_rows(0, 2),
                           large = matrix_view<float>(rows).middle_rows(2, 1);
  CHECK_THROWS_WITH(knn(small, large, 1, seuclidean(variance)),
                    ContainsSubstring("queries") && ContainsSubstring("row 0 "));
}
