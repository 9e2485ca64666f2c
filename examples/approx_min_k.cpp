// Nearest neighbours of many queries: distances by one matrix product, then the ten smallest of each row.

#include <Eigen/Core>
#include <annulus/approx_top_k/approx_min_k.hpp>

#include <algorithm>
#include <cstdio>

using rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

int main() {
  constexpr std::size_t k = 10;
  const rows queries = rows::Random(50, 64), data = rows::Random(1024, 64);

  // |q - x|^2 / 2 but for |q|^2 / 2, which does not change the order within a row.
  const rows distances = (-(queries * data.transpose())).rowwise() + 0.5f * data.rowwise().squaredNorm().transpose();

  const auto found = annulus::approx_min_k(distances, k, {.recall_target = 0.95});
  const auto exact = annulus::approx_min_k(distances, k, {.recall_target = 1.0});

  std::size_t hits = 0;
  for (std::size_t i = 0; i < found.indices.size(); i += k)
    for (std::size_t j = 0; j < k; ++j)
      hits += std::count(&exact.indices[i], &exact.indices[i] + k, found.indices[i + j]) > 0;
  const double recall = static_cast<double>(hits) / static_cast<double>(found.indices.size());

  std::printf("nearest to query 0:");
  for (std::size_t j = 0; j < k; ++j) std::printf(" %d", static_cast<int>(found.indices[j]));
  std::printf("\nrecall %.3f, planned %.3f\n", recall,
              annulus::plan_approx_top_k(1024, k, {.recall_target = 0.95}).expected_recall);
  return recall >= 0.95 ? 0 : 1;
}
