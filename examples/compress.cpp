// Compresses vectors 32-fold, searches the codes, ranks what they find by the vectors, and keeps the codebook in a file
// that numpy opens.

#include <annulus/core/result/recall.hpp>
#include <annulus/io/data/npy.hpp>
#include <annulus/knn/knn.hpp>
#include <annulus/quantization/fast_scan.hpp>

#include <cstdio>
#include <filesystem>

namespace {
annulus::matrix<float> normal_rows(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  annulus::matrix<float> m(rows, cols);
  const annulus::counter_random random(seed);
  for (std::size_t i = 0; i < rows * cols; ++i) m.data()[i] = static_cast<float>(random.normal(i));
  return m;
}
}  // namespace

int main() {
  // Vectors with some structure, as embeddings have: mixtures of 12 numbers, and a little noise.
  constexpr std::size_t n = 10000, d = 128, hidden = 12, n_queries = 200, k = 10;
  const auto factors = normal_rows(n + n_queries, hidden, 3), mixing = normal_rows(hidden, d, 4);
  auto data = normal_rows(n + n_queries, d, 5);
  for (std::size_t i = 0; i < data.rows(); ++i)
    for (std::size_t j = 0; j < d; ++j) {
      data(i, j) *= 0.1f;
      for (std::size_t h = 0; h < hidden; ++h) data(i, j) += factors(i, h) * mixing(h, j);
    }
  const auto rows = annulus::matrix_view<float>(data).middle_rows(0, n);
  const auto queries = annulus::matrix_view<float>(data).middle_rows(n, n_queries);

  annulus::product_quantizer pq(16);  // 16 sub-spaces of 256 codewords: 16 bytes for 128 floats
  pq.fit(rows.middle_rows(0, 6000));
  const annulus::matrix<std::uint8_t> codes = pq.encode(rows);
  std::printf("%zu bytes a vector instead of %zu; mean squared error %.2f\n", codes.cols(), d * sizeof(float),
              pq.distortion(rows).mean_squared_error);

  const annulus::neighbors truth = annulus::knn(rows, queries, k, annulus::sqeuclidean{});
  const annulus::fast_scan_index index(pq, rows);
  const annulus::neighbors by_codes = index.search(queries, k), by_rows = index.search(queries, k, rows);
  // Distances by codes are estimates, so what was found is looked up among the true neighbours by number.
  const double found = annulus::recall_by_id(by_codes, truth, k), ranked = annulus::recall(by_rows, truth, k);
  std::printf("recall@%zu: %.3f by codes alone, %.3f ranked by the vectors\n", k, found, ranked);

  const auto file = std::filesystem::temp_directory_path() / "annulus-example-codewords.npy";
  annulus::write_npy(file, pq.codewords());
  const bool same =
      annulus::product_quantizer(16, annulus::read_npy<float>(file)).encode(queries) == pq.encode(queries);
  std::filesystem::remove(file);
  return same && ranked > found ? 0 : 1;
}
