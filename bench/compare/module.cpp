// annulus as a Python module, for run.py: the functions that are compared, and yardsticks.
// No call holds the GIL while it computes. std::invalid_argument becomes ValueError.

#include <Eigen/Core>
#include <annulus/approx_top_k/approx_min_k.hpp>
#include <annulus/core/simd/batch.hpp>
#include <annulus/knn/flat_index.hpp>
#include <annulus/knn/knn.hpp>
#include <annulus/version.hpp>

#include <chrono>
#include <memory>

#include "arrays.hpp"

namespace {

template <class T, class... Shape>
using input = nb::ndarray<const T, nb::c_contig, nb::device::cpu, Shape...>;

using ::to_numpy;
/// A numpy array over `values`, which lives on in its owner.
template <class T, class Owner>
nb::object to_numpy(T* values, const std::vector<std::size_t>& shape, std::shared_ptr<Owner> owner) {
  const nb::capsule keep(new std::shared_ptr<Owner>(std::move(owner)),
                         [](void* p) noexcept { delete static_cast<std::shared_ptr<Owner>*>(p); });
  return nb::ndarray<nb::numpy, T>(values, shape.size(), shape.data(), keep).cast();
}

template <bool Largest>
nb::tuple approx_top_k(const input<float>& operand, std::size_t k, std::size_t threads) {
  std::vector<std::size_t> shape;
  for (std::size_t i = 0; i < operand.ndim(); ++i) shape.push_back(operand.shape(i));
  auto found = std::make_shared<annulus::top_k_result<float>>();
  {
    const nb::gil_scoped_release unlocked;
    const annulus::tensor_view<float> view(operand.data(), shape);
    const annulus::approx_top_k_params params{.threads = threads};
    *found = Largest ? annulus::approx_max_k(view, k, params) : annulus::approx_min_k(view, k, params);
  }
  shape.back() = k;
  return nb::make_tuple(to_numpy(found->values.data(), shape, found), to_numpy(found->indices.data(), shape, found));
}

/// f(metric) for the metric of this name.
template <class F>
auto with_metric(const std::string& name, F f) {
  if (name == annulus::sqeuclidean::name) return f(annulus::sqeuclidean{});
  if (name == annulus::euclidean::name) return f(annulus::euclidean{});
  if (name == annulus::inner_product::name) return f(annulus::inner_product{});
  if (name == annulus::cosine::name) return f(annulus::cosine{});
  throw std::invalid_argument("metric = " + name + ": must be sqeuclidean, euclidean, inner_product or cosine");
}

template <class T>
nb::tuple knn(const rows_of<T>& data, const rows_of<T>& queries, std::size_t k, const std::string& metric,
              double recall_target, std::size_t threads) {
  annulus::neighbors found;
  {
    const nb::gil_scoped_release unlocked;
    const annulus::knn_params params{.recall_target = recall_target, .threads = threads};
    found = with_metric(metric, [&](auto m) { return annulus::knn(view(data), view(queries), k, m, params); });
  }
  return to_numpy(std::move(found));
}

/// A flat_index of any of the metrics.
template <class T>
class any_flat_index {
 public:
  any_flat_index(const rows_of<T>& data, const std::string& metric) {
    const nb::gil_scoped_release unlocked;
    with_metric(metric, [&](auto m) {
      const auto index = std::make_shared<decltype(annulus::flat_index(view(data), m))>(view(data), m);
      m_search = [index](annulus::matrix_view<T> queries, std::size_t k, const annulus::knn_params& params) {
        return index->search(queries, k, params);
      };
    });
  }

  nb::tuple search(const rows_of<T>& queries, std::size_t k, double recall_target, std::size_t threads) const {
    annulus::neighbors found;
    {
      const nb::gil_scoped_release unlocked;
      found = m_search(view(queries), k, {.recall_target = recall_target, .threads = threads});
    }
    return to_numpy(std::move(found));
  }

 private:
  std::function<annulus::neighbors(annulus::matrix_view<T>, std::size_t, const annulus::knn_params&)> m_search;
};

/// The minimum by plain loads, eight accumulators wide: no selection over the same array can be faster.
float plain_min(const float* data, std::size_t n) {
  namespace simd = annulus::simd;
  constexpr std::size_t width = simd::lanes<float>, chains = 8;
  simd::batch<float> least[chains];
  for (auto& l : least) l = simd::batch<float>(std::numeric_limits<float>::infinity());
  std::size_t i = 0;
  for (; i + chains * width <= n; i += chains * width)
    simd::unroll<chains>([&](auto c) { least[c] = simd::min_skip_nan(simd::load(data + i + c * width), least[c]); });
  float result = std::numeric_limits<float>::infinity();
  for (; i < n; ++i) result = std::min(result, data[i]);
  for (const auto& l : least) {
    alignas(64) float lane[width];
    l.store_aligned(lane);
    result = std::min(result, *std::min_element(lane, lane + width));
  }
  return result;
}

float plain_min_of_array(const input<float, nb::ndim<1>>& operand, std::size_t threads) {
  const nb::gil_scoped_release unlocked;
  const std::size_t n = operand.size(), share = std::max<std::size_t>(1, n / annulus::resolve_threads(threads) + 1);
  std::vector<float> least(n / share + 1, std::numeric_limits<float>::infinity());
  annulus::parallel_for(threads, n, share, [&](std::size_t begin, std::size_t end, std::size_t) {
    least[begin / share] = plain_min(operand.data() + begin, end - begin);
  });
  return *std::min_element(least.begin(), least.end());
}

/// Seconds that Eigen takes for m x n inner products of floats of length d, in tiles whose results stay in cache: a
/// yardstick for searches. No limit, as products of quantised rows are faster.
double gemm_seconds(std::size_t m, std::size_t n, std::size_t d, std::size_t threads) {
  const nb::gil_scoped_release unlocked;
  using rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  constexpr std::size_t tile_rows = 256, tile_cols = 256;
  const auto index = [](std::size_t i) { return static_cast<Eigen::Index>(i); };
  const rows a = rows::Random(index(m), index(d)), b = rows::Random(index(n), index(d));
  std::vector<rows> tiles(annulus::resolve_threads(threads), rows(index(tile_rows), index(tile_cols)));

  const auto start = std::chrono::steady_clock::now();
  annulus::parallel_for(threads, n, tile_cols, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    for (std::size_t i = 0; i < m; i += tile_rows) {
      const Eigen::Index height = index(std::min(m - i, tile_rows)), width = index(end - begin);
      tiles[worker].topLeftCorner(height, width).noalias() =
          a.middleRows(index(i), height) * b.middleRows(index(begin), width).transpose();
    }
  });
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

#define ANNULUS_TEXT_OF(name) #name
#define ANNULUS_TEXT(macro) ANNULUS_TEXT_OF(macro)

nb::dict build_info() {
  nb::dict info;
  info["annulus"] = std::to_string(ANNULUS_VERSION_MAJOR) + "." + std::to_string(ANNULUS_VERSION_MINOR) + "." +
                    std::to_string(ANNULUS_VERSION_PATCH);
  info["arch"] = ANNULUS_TEXT(ANNULUS_ARCH);
  info["eigen"] = ANNULUS_TEXT(EIGEN_WORLD_VERSION.EIGEN_MAJOR_VERSION.EIGEN_MINOR_VERSION);
  info["xsimd"] = ANNULUS_TEXT(XSIMD_VERSION_MAJOR.XSIMD_VERSION_MINOR.XSIMD_VERSION_PATCH);
#if defined(__clang__)
  info["compiler"] = "clang " __clang_version__;
#else
  info["compiler"] = "g++ " __VERSION__;
#endif
  return info;
}

template <class T>
void bind_knn(nb::module_& m, const char* index_name) {
  using index = any_flat_index<T>;
  nb::class_<index>(m, index_name)
      .def("search", &index::search, "queries"_a.noconvert(), "k"_a, "recall_target"_a = 1.0, "threads"_a = 1);
  m.def(
      "FlatIndex", [](const rows_of<T>& data, const std::string& metric) { return index(data, metric); },
      "data"_a.noconvert(), "metric"_a = "sqeuclidean");
  m.def("knn", &knn<T>, "data"_a.noconvert(), "queries"_a.noconvert(), "k"_a, "metric"_a = "sqeuclidean",
        "recall_target"_a = 1.0, "threads"_a = 1, "ids (uint32) and distances (float32), a row a query");
}

}  // namespace

void bind_graphs(nb::module_& m);       // graph_module.cpp
void bind_codecs(nb::module_& m);       // quantization_module.cpp
void bind_lsh(nb::module_& m);          // lsh_module.cpp
void bind_metrics(nb::module_& m);      // metrics_module.cpp
void bind_faiss_files(nb::module_& m);  // faiss_module.cpp
void bind_data_files(nb::module_& m);   // files_module.cpp

NB_MODULE(annulus_compare, m) {
  m.def("approx_min_k", &approx_top_k<false>, "operand"_a.noconvert(), "k"_a, "threads"_a = 1,
        "values and indices (int64) along the last dimension");
  m.def("approx_max_k", &approx_top_k<true>, "operand"_a.noconvert(), "k"_a, "threads"_a = 1,
        "values and indices (int64) along the last dimension");
  bind_knn<float>(m, "FlatIndexFloat");
  bind_knn<std::uint8_t>(m, "FlatIndexByte");
  bind_graphs(m);
  bind_codecs(m);
  bind_lsh(m);
  bind_metrics(m);
  bind_faiss_files(m);
  bind_data_files(m);
  m.def("plain_min", &plain_min_of_array, "operand"_a.noconvert(), "threads"_a = 1);
  m.def("gemm_seconds", &gemm_seconds, "m"_a, "n"_a, "d"_a, "threads"_a = 1);
  m.def("build_info", &build_info);
}
