#include <Eigen/Core>
#include <annulus/core/metric/common_metrics.hpp>
#include <annulus/core/rows/bit_matrix.hpp>

#include "catch.hpp"

using namespace annulus;

namespace {

struct points_on_a_circle {
  std::size_t size() const { return 8; }
  std::size_t dim() const { return 2; }
  double row(std::size_t i) const { return static_cast<double>(i); }
};

}  // namespace

TEST_CASE("whatever has a size, a dimension and rows is a point set", "[points]") {
  STATIC_REQUIRE(point_set<matrix<float>>);
  STATIC_REQUIRE(point_set<matrix_view<Eigen::half>>);
  STATIC_REQUIRE(point_set<csr_matrix<float>>);
  STATIC_REQUIRE(point_set<csr_view<double>>);
  STATIC_REQUIRE(point_set<bit_matrix>);
  STATIC_REQUIRE(point_set<points_on_a_circle>);
  STATIC_REQUIRE(!point_set<std::vector<float>>);
  STATIC_REQUIRE(!point_set<float>);
}

TEST_CASE("row_t is what a point set calls a row", "[points]") {
  STATIC_REQUIRE(std::same_as<row_t<matrix<float>>, std::span<const float>>);
  STATIC_REQUIRE(std::same_as<row_t<csr_view<float>>, sparse_row<float>>);
  STATIC_REQUIRE(std::same_as<row_t<bit_matrix>, std::span<const std::uint8_t>>);
  STATIC_REQUIRE(std::same_as<row_t<points_on_a_circle>, double>);
}

TEST_CASE("a callable of two pointers and a length is a metric over dense rows", "[metric_for]") {
  const auto lambda = [](const float* a, const float* b, std::size_t) { return *a - *b; };
  STATIC_REQUIRE(metric_for<decltype(lambda), matrix<float>>);
  STATIC_REQUIRE(metric_for<decltype(lambda), matrix_view<float>>);
  STATIC_REQUIRE(!metric_for<decltype(lambda), matrix<double>>);
  STATIC_REQUIRE(metric_for<float (*)(const float*, const float*, std::size_t), matrix<float>>);
}

TEST_CASE("a callable of two rows is a metric over any points", "[metric_for]") {
  const auto of_sparse = [](const sparse_row<float>& a, const sparse_row<float>& b) { return a.dim - b.dim; };
  const auto of_spans = [](std::span<const float> a, std::span<const float> b) { return a[0] - b[0]; };
  const auto of_angles = [](double a, double b) { return a - b; };
  STATIC_REQUIRE(metric_for<decltype(of_sparse), csr_matrix<float>>);
  STATIC_REQUIRE(metric_for<decltype(of_sparse), csr_view<float>>);
  STATIC_REQUIRE(metric_for<decltype(of_spans), matrix<float>>);
  STATIC_REQUIRE(metric_for<decltype(of_angles), points_on_a_circle>);
  STATIC_REQUIRE(!metric_for<decltype(of_angles), matrix<float>>);
}

TEST_CASE("a callable over dense rows is no metric over sparse rows", "[metric_for]") {
  const auto lambda = [](const float* a, const float* b, std::size_t) { return *a - *b; };
  STATIC_REQUIRE(!metric_for<decltype(lambda), csr_matrix<float>>);
  STATIC_REQUIRE(!metric_for<bit_hamming, csr_view<float>>);
}

TEST_CASE("what returns no number, or cannot be called as const, is no metric", "[metric_for]") {
  const auto returns_text = [](const float*, const float*, std::size_t) { return std::string(); };
  auto counts = [n = 0](const float*, const float*, std::size_t) mutable { return ++n; };
  STATIC_REQUIRE(!metric_for<decltype(returns_text), matrix<float>>);
  STATIC_REQUIRE(!metric_for<decltype(counts), matrix<float>>);
  STATIC_REQUIRE(!metric_for<int, matrix<float>>);
}

TEST_CASE("the shipped metrics take every element type that rows may have", "[metric_for]") {
  STATIC_REQUIRE(metric_for<euclidean, matrix<float>>);
  STATIC_REQUIRE(metric_for<sqeuclidean, matrix<double>>);
  STATIC_REQUIRE(metric_for<inner_product, matrix<Eigen::half>>);
  STATIC_REQUIRE(metric_for<cosine, matrix<Eigen::bfloat16>>);
  STATIC_REQUIRE(metric_for<manhattan, matrix<std::uint8_t>>);
  STATIC_REQUIRE(metric_for<chebyshev, matrix<std::int8_t>>);
  STATIC_REQUIRE(metric_for<bit_hamming, bit_matrix>);
  STATIC_REQUIRE(!metric_for<euclidean, matrix<int>>);
  STATIC_REQUIRE(!metric_for<bit_hamming, matrix<float>>);
}

TEST_CASE("metric_members has each member of the protocol as the protocol has it", "[metric_for]") {
  using row = std::span<const float>;
  STATIC_REQUIRE(metric_for<metric_members, matrix<float>>);
  STATIC_REQUIRE(has_name<metric_members>);
  STATIC_REQUIRE(has_rank<metric_members, row>);
  STATIC_REQUIRE(has_to_distance<metric_members, double>);
  STATIC_REQUIRE(ranks_blocks<metric_members, float>);
  STATIC_REQUIRE(ranks_chosen_rows<metric_members, float>);
  STATIC_REQUIRE(has_kernel<metric_members, float>);
  STATIC_REQUIRE(has_form<metric_members>);
  STATIC_REQUIRE(has_angular_flag<metric_members>);
  STATIC_REQUIRE(has_set_flag<metric_members>);
  STATIC_REQUIRE(has_degree<metric_members>);
  STATIC_REQUIRE(bounds_sums<metric_members>);
  STATIC_REQUIRE(checks_dimension<metric_members>);
  STATIC_REQUIRE(refuses_rows<metric_members, row>);
  STATIC_REQUIRE(rewrites_rows<metric_members, float>);
  STATIC_REQUIRE(has_bit_count<metric_members>);
}
