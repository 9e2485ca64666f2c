// Writes small valid files of every kind into a folder for each target: inputs to begin a corpus with.
//
//     make_seeds FOLDER

#include <Eigen/Core>
#include <annulus/annulus.hpp>
#include <annulus/io/data/big_ann.hpp>
#include <annulus/io/data/scipy_npz.hpp>
#include <annulus/io/data/vecs.hpp>
#include <annulus/io/faiss/faiss_io.hpp>
#include <annulus/io/index/index_file.hpp>

namespace {

using namespace annulus;

template <class T>
matrix<T> rows(std::size_t n, std::size_t d, std::uint64_t seed = 0) {
  const counter_random random(seed);
  matrix<T> result(n, d);
  for (std::size_t i = 0; i < n * d; ++i) result.data()[i] = static_cast<T>(9 * random.uniform(i));
  return result;
}

csr_matrix<float> sparse_rows(std::size_t n) {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i % 3; j < 12; j += 1 + i % 4) {
      indices.push_back(static_cast<std::int32_t>(j));
      values.push_back(static_cast<float>(i + j));
    }
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  return {indptr, indices, values, 12};
}

template <class T, class... More>
void write_rows(const std::filesystem::path& folder) {
  const std::string name(detail::scalar_name<T>());
  if constexpr (requires { write_vecs("", rows<T>(1, 1)); }) write_vecs(folder / "vecs" / name, rows<T>(3, 4));
  if constexpr (requires { write_big_ann("", rows<T>(1, 1)); }) write_big_ann(folder / "big_ann" / name, rows<T>(3, 4));
  write_npy(folder / "npy" / name, rows<T>(3, 4));
  if constexpr (sizeof...(More) > 0) write_rows<More...>(folder);
}

void write_codecs(const std::filesystem::path& folder) {
  const auto data = rows<float>(40, 6);
  const matrix_view<float> few = matrix_view<float>(data).middle_rows(0, 20);
  const kmeans_params quick{.iter = 1};
  save(build_knn_graph(few, euclidean{}, {.n_neighbors = 3}), folder / "neighbors");
  save(product_quantizer<>(3, 4).fit(data, quick), folder / "pq");
  save(product_quantizer<>(2, 4, pq_metric::cosine).fit(data, quick), folder / "cosine");
  save(product_quantizer<>(4, 4, pq_metric::inner_product, pq_padding::zeros).fit(data, quick), folder / "padded");
  save(product_quantizer<std::uint16_t>(2, 16).fit(data, quick), folder / "pq16");
  save(product_quantizer<>(3, 4), folder / "unfitted");
  save(optimized_product_quantizer<>(3, 4).fit(data, {.pq_iter = 1, .rotation_iter = 1}), folder / "opq");
  save(rabitq_quantizer({.bits = 3}).fit(data), folder / "rabitq");
  save(rabitq_index(data, {.bits = 2, .code_dims = 4, .n_cells = 2}), folder / "rabitq_index");
  for (const std::size_t ks : {4u, 16u, 32u}) {
    fast_scan_index<> index(product_quantizer<>(3, ks).fit(data, quick));
    index.insert(data);
    save(index, folder / ("scan" + std::to_string(ks)));
  }
}

template <class Index>
void save_changed(Index index, const std::filesystem::path& path, const auto& more) {
  save(index, path);
  index.erase(2);
  index.insert(more);
  save(index, path.string() + "_changed");
}

void write_graphs(const std::filesystem::path& folder) {
  const auto data = rows<float>(24, 4);
  const nndescent_params params{.n_neighbors = 4};
  save_changed(nndescent_index(data, euclidean{}, params), folder / "full", rows<float>(2, 4, 1));
  save_changed(nndescent_index(data, euclidean{}, params, sq8{}), folder / "sq8", rows<float>(2, 4, 1));
  save(nndescent_index(data, euclidean{}, {.n_neighbors = 4, .keep_rows = false}, sq8{}), folder / "codes");
  save_changed(nndescent_index(rows<float>(12, 4), euclidean{}, params, rabitq<>{}), folder / "edge_codes",
               rows<float>(2, 4, 1));
  save_changed(nndescent_index(sparse_rows(24), euclidean{}, params), folder / "sparse", sparse_rows(2));
  save(nndescent_index(rows<float>(0, 4), euclidean{}, params), folder / "empty");
  matrix<float> copies(60, 4);
  for (std::size_t i = 0; i < 60; ++i) std::ranges::copy(data.row(i % 8 * (i % 3)), copies.row(i).begin());
  save_changed(nndescent_index(copies, euclidean{}, params), folder / "copies", copies);
}

template <class Family>
void write_tables(const std::filesystem::path& path, const auto& data, const auto& more) {
  save_changed(lsh_index(data, Family{}, {.n_projections = 4, .n_tables = 2}), path, more);
  save(lsh_index(data, Family{}, {.n_projections = 20, .n_tables = 1, .only_index = true}), path.string() + "_only");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  const std::filesystem::path folder = argv[1];
  for (const char* target : {"vecs", "big_ann", "npy", "faiss", "index_codecs", "index_nndescent", "index_lsh"})
    std::filesystem::create_directories(folder / target);

  write_rows<float, std::uint8_t, std::int32_t, std::int8_t, double, Eigen::half, std::int64_t, std::uint32_t>(folder);
  write_scipy_csr(folder / "npy" / "sparse", sparse_rows(5));
  write_npy(folder / "npy" / "bool", matrix<bool>(3, 4, true));
  write_npy(folder / "npy" / "cube", npy_array<float>{{2, 3, 2}, std::vector<float>(12, 1)});

  write_codecs(folder / "index_codecs");
  write_graphs(folder / "index_nndescent");
  write_tables<sign_random_projection>(folder / "index_lsh" / "signs", rows<float>(20, 4), rows<float>(2, 4, 1));
  write_tables<p_stable_l2>(folder / "index_lsh" / "stable", rows<float>(20, 4), rows<float>(2, 4, 1));
  write_tables<minhash>(folder / "index_lsh" / "sets", sparse_rows(20), sparse_rows(2));

  const auto data = rows<float>(40, 4);
  const kmeans_params quick{.iter = 1};
  const auto four_bits = product_quantizer<>(2, 16).fit(data, quick);
  fast_scan_index<> scan(four_bits);
  scan.insert(data);
  const auto optimized = optimized_product_quantizer<>(2, 4).fit(data, {.pq_iter = 1, .rotation_iter = 1});
  const auto faiss = folder / "faiss";
  write_faiss(faiss / "pq", faiss_pq(four_bits, four_bits.encode(data)));
  write_faiss(faiss / "scan", faiss_fast_scan(scan));
  write_faiss(faiss / "flat", faiss_flat(data, pq_metric::inner_product));
  write_faiss(faiss / "opq", faiss_pre_transform(optimized, optimized.encode(data)));
  write_faiss(faiss / "refined", faiss_refine_flat(faiss_fast_scan(scan), faiss_flat(data), 2));
}
