#include <Eigen/Core>

#include "catch.hpp"
#include "nndescent/graphs.hpp"

using namespace annulus;
using graphs::clusters;
using graphs::same_bits;

namespace {

struct user_error {};

/// Throws on its n-th call.
struct failing_metric {
  std::shared_ptr<std::atomic<std::size_t>> calls_left;

  explicit failing_metric(std::size_t n) : calls_left(std::make_shared<std::atomic<std::size_t>>(n)) {}
  float operator()(const float* a, const float* b, std::size_t) const {
    if ((*calls_left)-- == 1) throw user_error();
    return std::abs(*a - *b);
  }
};

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

const matrix<float>& data() {
  static const auto rows = clusters<float>(400, 5, 3, 1);
  return rows;
}

const neighbors& expected() {
  static const auto graph = graphs::by<float>("euclidean").build(data(), {.n_neighbors = 7});
  return graph;
}

}  // namespace

TEST_CASE("an exception of a metric reaches the caller of build_knn_graph, whenever it is thrown",
          "[knn_graph][parallel]") {
  for (const std::size_t threads : {1u, 3u}) {
    const failing_metric counting(~std::size_t{0});
    const nndescent_params params{.n_neighbors = 7, .threads = threads};
    build_knn_graph(data(), counting, params);
    const std::size_t calls = ~std::size_t{0} - *counting.calls_left;
    for (const std::size_t part : {1u, 2u, 3u, 5u, 10u, 50u})
      CHECK_THROWS_AS(build_knn_graph(data(), failing_metric(calls / part), params), user_error);
    CHECK_THROWS_AS(build_knn_graph(data(), failing_metric(1), params), user_error);
  }
}

TEST_CASE("a metric may hold what it needs", "[knn_graph]") {
  const std::vector<float> weights{1, 1, 1, 1, 1};
  const auto weighted = [&weights](const float* a, const float* b, std::size_t d) {
    float sum = 0;
    for (std::size_t i = 0; i < d; ++i) sum += weights[i] * (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
  };
  const auto graph = build_knn_graph(data(), weighted, {.n_neighbors = 7});
  CHECK(recall(graph, expected(), 7) >= 0.98);
}

TEST_CASE("views with a stride are built of in place", "[knn_graph]") {
  matrix<float> wide(400, 9, graphs::not_a_number);  // never to be read
  for (std::size_t i = 0; i < 400; ++i) std::ranges::copy(data().row(i), wide.row(i).begin());
  CHECK(same_bits(build_knn_graph(matrix_view<float>(wide.data(), 400, 5, 9), euclidean{}, {.n_neighbors = 7}),
                  expected()));
}

TEST_CASE("row-major Eigen matrices and the columns of others are built of", "[knn_graph]") {
  const Eigen::Map<const row_major> map(data().data(), 400, 5);
  CHECK(same_bits(build_knn_graph(map, euclidean{}, {.n_neighbors = 7}), expected()));
  const Eigen::MatrixXf columns = map.transpose();
  CHECK(same_bits(build_knn_graph(columns_as_points(columns), euclidean{}, {.n_neighbors = 7}), expected()));
}

TEST_CASE("the metric is euclidean and the neighbours are 30 where nothing is said", "[knn_graph]") {
  const auto graph = build_knn_graph(data());
  CHECK(graph.ids.cols() == 30);
  CHECK(same_bits(graph, graphs::by<float>("euclidean").build(data(), {})));
}

TEST_CASE("bytes of a stride are built of without a read past their ends", "[knn_graph]") {
  const auto packed = clusters<std::uint8_t>(300, 11, 3, 2);
  std::vector<std::uint8_t> values(299 * 13 + 11);  // ends with its last row
  for (std::size_t i = 0; i < 300; ++i) std::copy_n(packed.row(i).data(), 11, values.data() + i * 13);
  const matrix_view<std::uint8_t> view(values.data(), 300, 11, 13);
  CHECK(same_bits(build_knn_graph(view, euclidean{}, {.n_neighbors = 7}),
                  graphs::by<std::uint8_t>("euclidean").build(packed, {.n_neighbors = 7})));
}
