#include <annulus/metrics/weighted.hpp>

#include "catch.hpp"
#include "metrics/dense_rows.hpp"

using namespace annulus;
using dense_rows::is_near;
using dense_rows::wrong_dimensions;

namespace {

using lengths = std::vector<std::size_t>;
using row = std::vector<double>;
const lengths none;

row weights_of(std::size_t d) {
  row weights(d);
  const counter_random random(3);
  for (std::size_t i = 0; i < d; ++i) weights[i] = 0.25 + 2 * random.uniform(i);
  return weights;
}

/// a^T a of a random matrix of `rank` rows.
matrix<double> product_of_rank(std::size_t d, std::size_t rank) {
  matrix<double> result(d, d);
  for (std::size_t k = 0; k < rank; ++k) {
    const auto factor = dense_rows::normal_row<double>(d, 100 + k);
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = 0; j < d; ++j) result(i, j) += factor[i] * factor[j];
  }
  return result;
}

double mahalanobis_of(const matrix<double>& v, const row& a, const row& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a.size(); ++j) sum += (a[i] - b[i]) * v(i, j) * (a[j] - b[j]);
  return std::sqrt(std::max(sum, 0.0));
}

/// The lengths at which the metric that make(d) gives is not its reference.
template <class T, class Make, class Formula>
lengths wrong_lengths(Make make, Formula formula, double tolerance = 2e-5) {
  lengths wrong;
  for (std::size_t d = 1; d <= 130; d += d < 40 ? 1 : 9) {
    const auto a = dense_rows::row_of<T>(d, 2 * d), b = dense_rows::row_of<T>(d, 2 * d + 1);
    const double want = formula(d, dense_rows::doubles(a.data(), d), dense_rows::doubles(b.data(), d));
    if (!is_near(static_cast<double>(make(d)(a.data(), b.data(), d)), want, tolerance)) wrong.push_back(d);
  }
  return wrong;
}

/// The dimensions at which sparse rows are not what full ones are.
template <class T, class Make>
lengths wrong_sparse(Make make, double tolerance = 2e-5) {
  lengths wrong;
  for (const std::size_t d : {1u, 2u, 17u, 40u, 130u, 400u})
    for (const double share : {0.0, 0.1, 0.5, 1.0}) {
      const dense_rows::stored_row<T> a(d, share, d), b(d, 1 - share / 2, d + 1);
      const auto metric = make(d);
      const auto want = static_cast<double>(metric(a.full.data(), b.full.data(), d));
      if (!is_near(static_cast<double>(metric(a.sparse(), b.sparse())), want, tolerance)) wrong.push_back(d);
    }
  return wrong;
}

double seuclidean_of(std::size_t d, const row& a, const row& b) {
  const row variance = weights_of(d);
  double sum = 0;
  for (std::size_t i = 0; i < d; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]) / variance[i];
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("seuclidean is its formula for every length") {
  const auto make = [](std::size_t d) { return seuclidean(weights_of(d)); };
  CHECK(wrong_lengths<float>(make, seuclidean_of) == none);
  CHECK(wrong_lengths<double>(make, seuclidean_of, 1e-13) == none);
  CHECK(wrong_lengths<std::uint8_t>(make, seuclidean_of) == none);
}

TEST_CASE("wminkowski is its formula for every p and length") {
  for (const double p : {1.0, 1.5, 2.0, 3.0, 1.7}) {
    const auto make = [p](std::size_t d) { return wminkowski(weights_of(d), p); };
    const auto formula = [p](std::size_t d, const row& a, const row& b) {
      const row w = weights_of(d);
      double sum = 0;
      for (std::size_t i = 0; i < d; ++i) sum += w[i] * std::pow(std::abs(a[i] - b[i]), p);
      return std::pow(sum, 1 / p);
    };
    CHECK(wrong_lengths<float>(make, formula) == none);
    CHECK(wrong_sparse<float>(make) == none);
  }
}

TEST_CASE("weights of 0 leave coordinates out") {
  const wminkowski metric(row{0, 1, 0}, 3);
  const float a[] = {1, 2, 3}, b[] = {9, 4, 9};
  CHECK(is_near(metric(a, b, 3), 2, 1e-6));
  CHECK(metric.p() == 3);
}

TEST_CASE("seuclidean and mahalanobis of sparse rows are those of full rows") {
  CHECK(wrong_sparse<float>([](std::size_t d) { return seuclidean(weights_of(d)); }) == none);
  CHECK(wrong_sparse<double>([](std::size_t d) { return seuclidean(weights_of(d)); }, 1e-12) == none);
  CHECK(wrong_sparse<float>([](std::size_t d) { return mahalanobis(product_of_rank(d, d)); }, 1e-4) == none);
}

TEST_CASE("mahalanobis is its formula for every length and type") {
  const auto make = [](std::size_t d) { return mahalanobis(product_of_rank(d, d)); };
  const auto formula = [](std::size_t d, const row& a, const row& b) {
    return mahalanobis_of(product_of_rank(d, d), a, b);
  };
  CHECK(wrong_lengths<float>(make, formula, 1e-4) == none);
  CHECK(wrong_lengths<double>(make, formula, 1e-10) == none);
  CHECK(wrong_lengths<std::uint8_t>(make, formula, 1e-4) == none);
}

TEST_CASE("mahalanobis takes matrices of any rank and rows of as few coordinates") {
  for (const std::size_t rank : {0u, 1u, 3u, 11u}) {
    const matrix<double> v = product_of_rank(12, rank);
    const mahalanobis metric(v);
    CHECK(metric.embedded_dim(12) == std::max(rank, std::size_t{1}));
    const auto a = dense_rows::normal_row<double>(12, 1), b = dense_rows::normal_row<double>(12, 2);
    CHECK(is_near(metric(a.data(), b.data(), 12), mahalanobis_of(v, a, b), 1e-9));
  }
}

TEST_CASE("mahalanobis takes a matrix of rank 3 that was rounded to floats") {
  const matrix<double> v = product_of_rank(12, 3);
  matrix<float> rounded(12, 12);
  for (std::size_t i = 0; i < 12; ++i)
    for (std::size_t j = 0; j < 12; ++j) rounded(i, j) = static_cast<float>(v(i, j));
  const mahalanobis metric(rounded);
  const auto a = dense_rows::normal_row<float>(12, 1), b = dense_rows::normal_row<float>(12, 2);
  const double expected = mahalanobis_of(v, dense_rows::doubles(a.data(), 12), dense_rows::doubles(b.data(), 12));
  CHECK(is_near(metric(a.data(), b.data(), 12), expected, 1e-3));
}

TEST_CASE("mahalanobis keeps coordinates of very different scales") {
  matrix<double> v(3, 3);
  v(0, 0) = 1e-20;
  v(1, 1) = 1;
  v(2, 2) = 1e20;
  const double a[] = {3e10, 4, 0}, b[] = {0, 0, 12e-10};
  CHECK(is_near(mahalanobis(v)(a, b, 3), 13, 1e-12));
}

TEST_CASE("mahalanobis refuses matrices that are not square and symmetric and positive") {
  const auto refused = [](std::vector<double> values, std::size_t rows, const char* reason) {
    const matrix_view<double> view(values.data(), rows, values.size() / rows);
    CHECK_THROWS_WITH(mahalanobis(view), ContainsSubstring("vinv") && ContainsSubstring(reason));
  };
  refused({1, 0, 0, 1, 0, 0}, 2, "must equal its rows");
  refused({1, 0.5, 0.4, 1}, 2, "mirror");
  refused({1, 2, 2, 1}, 2, "positive semidefinite");
  refused({1, 0.9, 0.9, 0.9, 1, -0.9, 0.9, -0.9, 1}, 3, "positive semidefinite");
  refused({0, 0.5, 0.5, 1}, 2, "positive semidefinite");
  refused({-1, 0, 0, 1}, 2, "at least 0");
  refused({std::nan(""), 0, 0, 1}, 2, "at least 0");
  refused({1, HUGE_VAL, HUGE_VAL, 1}, 2, "must be finite");
  CHECK_THROWS_AS(mahalanobis(matrix<double>(0, 0)), std::invalid_argument);
}

TEST_CASE("weights and variances out of range are refused with their coordinate") {
  CHECK_THROWS_WITH(seuclidean(row{1, 0}), ContainsSubstring("variance = 0: coordinate 1 "));
  for (const double bad : {-1.0, std::nan(""), HUGE_VAL, 1e-320})
    CHECK_THROWS_AS(seuclidean(row{1, bad}), std::invalid_argument);
  CHECK_THROWS_WITH(wminkowski(row{1, 1, -2}, 3), ContainsSubstring("w = -2: coordinate 2 "));
  for (const double bad : {std::nan(""), HUGE_VAL}) CHECK_THROWS_AS(wminkowski(row{bad}, 3), std::invalid_argument);
  CHECK_THROWS_WITH(wminkowski(row{1}, 0.5), ContainsSubstring("p = 0.5"));
}

TEST_CASE("weighted metrics refuse rows of another length") {
  const auto refuses = [](const auto& metric) {
    const float a[4] = {}, b[4] = {};
    const std::vector<std::int32_t> indices{3};
    const std::vector<float> values{1};
    const sparse_row<float> longer{indices, values, 4};
    CHECK_NOTHROW(metric.check_dimension(3));
    CHECK_THROWS_WITH(metric.check_dimension(4), ContainsSubstring("dimension = 4"));
    CHECK_THROWS_AS(metric(a, b, 4), std::invalid_argument);
    CHECK_THROWS_AS(metric(longer, longer), std::invalid_argument);
  };
  refuses(seuclidean(row{1, 1, 1}));
  refuses(wminkowski(row{1, 1, 1}, 3));
  refuses(mahalanobis(product_of_rank(3, 3)));
}

TEST_CASE("weighted metrics are symmetric and 0 for equal rows and keep triangles") {
  const auto check = [](auto make) {
    CHECK(dense_rows::is_symmetric_and_zero_of_equals(make(37)));
    CHECK(dense_rows::keeps_triangles(make(5)));
  };
  check([](std::size_t d) { return seuclidean(weights_of(d)); });
  check([](std::size_t d) { return wminkowski(weights_of(d), 3); });
  check([](std::size_t d) { return mahalanobis(product_of_rank(d, d)); });
}

TEST_CASE("sparse rows of another dimension than the weights are refused on either side", "[weighted]") {
  const std::vector<double> ones(4, 1.0);
  matrix<double> identity(4, 4);
  for (std::size_t i = 0; i < 4; ++i) identity(i, i) = 1;
  const csr_matrix<float> narrow({0, 1}, {3}, {1}, 4), wide({0, 1}, {70000}, {1}, 70001);
  const auto a = csr_view<float>(narrow).row(0), b = csr_view<float>(wide).row(0);
  const auto check = [&](const auto& metric) {
    CHECK_NOTHROW(metric(a, a));
    CHECK_THROWS_AS(metric(a, b), std::invalid_argument);
    CHECK_THROWS_AS(metric(b, a), std::invalid_argument);
  };
  check(seuclidean(ones));
  check(wminkowski(ones));
  check(mahalanobis(identity));
}
