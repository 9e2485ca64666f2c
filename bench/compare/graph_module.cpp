// The graphs of the module annulus_compare, apart from the rest so that neither is compiled for the other's sake.
// Arrays and errors as in module.cpp.

#include <annulus/nndescent/graph/knn_graph.hpp>
#include <annulus/nndescent/half_precision.hpp>
#include <annulus/nndescent/index.hpp>
#include <annulus/nndescent/rabitq.hpp>

#include "graph_index.hpp"

namespace {

/// f(metric) for those metrics under which rows of T are compared; each is a whole library to compile.
template <class T, class F>
auto with_metric(const std::string& name, F f) {
  if (name == annulus::sqeuclidean::name) return f(annulus::sqeuclidean{});
  if constexpr (std::is_same_v<T, float>)
    if (name == annulus::cosine::name) return f(annulus::cosine{});
  throw std::invalid_argument("metric = " + name + ": must be sqeuclidean or, of float rows, cosine");
}

/// f(storage) for the storage of this name. Bytes are small already.
template <class T, class F>
auto with_storage(const std::string& name, F f) {
  if (name == "full_precision") return f(annulus::full_precision{});
  if (name == "rabitq") return f(annulus::rabitq<>{});
  if constexpr (std::is_same_v<T, float>) {
    if (name == "half_precision") return f(annulus::half_precision{});
    if (name == "sq8") return f(annulus::sq8{});
    if (name == "rabitq_sq8") return f(annulus::rabitq<annulus::sq8>{});
  }
  throw std::invalid_argument("storage = " + name +
                              ": must be full_precision or rabitq; of float rows, half_precision, sq8 or rabitq_sq8");
}

template <class T>
nb::tuple build_knn_graph(const rows_of<T>& data, const std::string& metric, std::size_t n_neighbors,
                          std::size_t threads) {
  annulus::neighbors graph;
  {
    const nb::gil_scoped_release unlocked;
    const annulus::nndescent_params params{.n_neighbors = n_neighbors, .threads = threads};
    graph = with_metric<T>(metric, [&](auto m) { return annulus::build_knn_graph(view(data), m, params); });
  }
  return to_numpy(std::move(graph));
}

/// An nndescent_index of any of the metrics and storages.
template <class T>
class any_graph_index : public erased_graph_index<rows_of<T>> {
 public:
  any_graph_index(const rows_of<T>& data, const std::string& metric, const std::string& storage,
                  std::size_t n_neighbors, std::size_t threads, bool keep_rows) {
    const nb::gil_scoped_release unlocked;
    const annulus::nndescent_params params{.n_neighbors = n_neighbors, .keep_rows = keep_rows, .threads = threads};
    with_metric<T>(metric, [&](auto m) {
      with_storage<T>(storage, [&](auto s) { this->hold(annulus::nndescent_index(view(data), m, params, s)); });
    });
  }
};

template <class T>
void bind(nb::module_& m, const char* index_name) {
  using index = any_graph_index<T>;
  bind_graph_index<index>(m, index_name);
  m.def(
      "NNDescentIndex",
      [](const rows_of<T>& data, const std::string& metric, const std::string& storage, std::size_t n_neighbors,
         std::size_t threads, bool keep_rows) { return index(data, metric, storage, n_neighbors, threads, keep_rows); },
      "data"_a.noconvert(), "metric"_a = "sqeuclidean", "storage"_a = "full_precision", "n_neighbors"_a = 30,
      "threads"_a = 1, "keep_rows"_a = true);
  m.def("build_knn_graph", &build_knn_graph<T>, "data"_a.noconvert(), "metric"_a = "sqeuclidean", "n_neighbors"_a = 30,
        "threads"_a = 1, "ids (uint32) and distances (float32), a row a row of data");
}

}  // namespace

void bind_graphs(nb::module_& m) {
  bind<float>(m, "NNDescentIndexFloat");
  bind<std::uint8_t>(m, "NNDescentIndexByte");
}
