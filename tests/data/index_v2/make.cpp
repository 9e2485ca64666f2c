// Made the files beside it but for nndescent_index and nndescent_index_sq8, by annulus 1.0.0: a file of each kind of
// index, and of graph indexes one of each storage and kind of rows.
//
//   c++ -std=c++20 -Iinclude -Itests -isystem /usr/include/eigen3 tests/data/index_v2/make.cpp && ./a.out FOLDER
#define ANNULUS_TEST_DATA_DIR ""
#include <annulus/annulus.hpp>
#include <annulus/dynamic/engine/pq_index.hpp>
#include <annulus/dynamic/engine/ranked_codes.hpp>
#include <annulus/io/index/index_file.hpp>
#include <annulus/nndescent/half_precision.hpp>

#include "io/index_samples.hpp"

using namespace annulus;

int main(int, char** argv) {
  const auto keep = [&](const auto& index, const char* name) {
    save(index, std::filesystem::path(argv[1]) / (std::string(name) + ".safetensors"));
  };
  const matrix<float> rows = sample_rows(60, 6, 1);
  keep(flat_index(rows, manhattan{}), "flat_index");
  keep(knn(rows, sample_rows(4, 6, 2), 3), "neighbors");
  keep(lsh_index(rows, p_stable_l2{.width = 4}, {.n_projections = 3, .n_tables = 2}), "lsh_index");

  const auto pq = product_quantizer<std::uint8_t>(3, 16).fit(rows, {.iter = 2});
  const auto opq = optimized_product_quantizer<std::uint8_t>(3, 16).fit(rows, {.pq_iter = 2, .rotation_iter = 2});
  keep(pq, "product_quantizer");
  keep(opq, "optimized_product_quantizer");
  // As annulus::dynamic keeps them.
  keep(detail::ranked_codes(detail::pq_index(pq, matrix_view<float>(rows)), rows, false, false), "pq_index");
  keep(detail::ranked_codes(detail::pq_index(opq, matrix_view<float>(rows)), rows, true, true), "pq_index_rotated");
  keep(detail::ranked_codes(rabitq_index(rows, {.n_cells = 4}), rows, true, false), "rabitq_index_with_rows");
  keep(fast_scan_index(pq, rows), "fast_scan_index");
  keep(rabitq_quantizer({.bits = 2}).fit(rows), "rabitq_quantizer");
  keep(rabitq_index(rows, {.n_cells = 4}), "rabitq_index");

  const nndescent_params params{.n_neighbors = 5};
  keep(nndescent_index(rows, euclidean{}, params, half_precision{}), "nndescent_index_half_precision");
  keep(nndescent_index(rows, cosine{}, params, rabitq<sq8>{}), "nndescent_index_rabitq_sq8");
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;
  bit_matrix bits(60, 20);
  for (std::size_t i = 0; i < 60; ++i) {
    for (std::size_t j = 0; j < 20; ++j)
      if (const std::uint64_t drawn = counter_random(3).below(i * 20 + j, 12); drawn < 4) {
        indices.push_back(static_cast<std::int32_t>(j));
        values.push_back(static_cast<float>(drawn + 1) / 4);
        bits.set(i, j);
      }
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  keep(nndescent_index(csr_matrix<float>(indptr, indices, values, 20), euclidean{}, params), "nndescent_index_sparse");
  keep(nndescent_index(bits, bit_hamming{}, params), "nndescent_index_bits");
}
