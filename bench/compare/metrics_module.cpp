// The metrics of the module annulus_compare by their names: exact search under all of them, graphs under some, each of
// which is a whole library to compile. Arrays and errors as in module.cpp.

#include <annulus/knn/sparse_knn.hpp>
#include <annulus/metrics/named.hpp>
#include <annulus/nndescent/index.hpp>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>
#include "graph_index.hpp"

namespace {

template <class T>
using array_of = nb::ndarray<const T, nb::c_contig, nb::device::cpu, nb::ndim<1>>;

/// Sparse rows over arrays that numpy keeps; sets where there are no values.
class csr_rows {
 public:
  csr_rows(array_of<std::int64_t> indptr, array_of<std::int32_t> indices, std::optional<array_of<float>> values,
           std::size_t dim)
      : m_indptr(std::move(indptr)), m_indices(std::move(indices)), m_values(std::move(values)) {
    const auto span = [](const auto& array) { return std::span(array.data(), array.size()); };
    if (m_values) m_view = {span(m_indptr), span(m_indices), span(*m_values), dim};
    else m_view = {span(m_indptr), span(m_indices), dim};
  }
  const annulus::csr_view<float>& view() const { return m_view; }

 private:
  array_of<std::int64_t> m_indptr;
  array_of<std::int32_t> m_indices;
  std::optional<array_of<float>> m_values;
  annulus::csr_view<float> m_view;
};

using ::view;
const annulus::csr_view<float>& view(const csr_rows& rows) { return rows.view(); }

template <class Rows>
using view_of = std::remove_cvref_t<decltype(view(std::declval<const Rows&>()))>;

/// The k nearest under the metric of this name, of all that take such rows.
template <class Rows>
nb::tuple knn(const Rows& data, const Rows& queries, std::size_t k, const std::string& metric, std::size_t threads,
              const annulus::metric_params& metric_params) {
  using rows = view_of<Rows>;
  annulus::neighbors found = unlocked([&] {
    const annulus::knn_params params{.threads = threads};
    return annulus::with_metric(
        metric, metric_params, [&]<class M>(M m) requires annulus::metric_for<M, rows> {
          return annulus::knn(view(data), view(queries), k, m, params);
        });
  });
  return to_numpy(std::move(found));
}

annulus::matrix<double> square(const std::optional<rows_of<double>>& array) {
  if (!array) return {};
  annulus::matrix<double> result(array->shape(0), array->shape(1));
  std::copy_n(array->data(), array->size(), result.data());
  return result;
}

/// Whether graphs of such rows are compared under the metric.
template <class Rows, class M>
constexpr bool has_graph() {
  const auto is_one_of = []<class... Ms>(std::tuple<Ms...>*) { return (std::same_as<M, Ms> || ...); };
  using namespace annulus;
  if constexpr (std::same_as<Rows, csr_rows>)
    return is_one_of(static_cast<std::tuple<jaccard, hellinger, cosine>*>(nullptr));
  else if constexpr (std::same_as<Rows, rows_of<float>>)
    return is_one_of(static_cast<std::tuple<correlation, hellinger>*>(nullptr));
  else return is_one_of(static_cast<std::tuple<bit_hamming, bit_jaccard>*>(nullptr));
}

/// An nndescent_index of such rows under any of these metrics.
template <class Rows>
class graph_index : public erased_graph_index<Rows> {
 public:
  graph_index(const Rows& data, const std::string& metric, std::size_t n_neighbors, std::size_t threads) {
    const nb::gil_scoped_release released;
    const annulus::nndescent_params params{.n_neighbors = n_neighbors, .threads = threads};
    annulus::with_metric(
        metric, [&]<class M>(M m) requires(has_graph<Rows, M>()) {
          this->hold(annulus::nndescent_index(view(data), m, params));
        });
  }
};

/// Arrays convert to neither of the other types; a csr_rows is no array.
template <class Rows>
void bind(nb::module_& m, const char* index_name) {
  m.def(
      "metric_knn",
      [](const Rows& data, const Rows& queries, std::size_t k, const std::string& metric, std::size_t threads,
         std::optional<double> p, std::vector<double> w, std::vector<double> variance,
         const std::optional<rows_of<double>>& vinv, const std::optional<rows_of<double>>& cost,
         std::optional<double> regularization) {
        return knn(data, queries, k, metric, threads,
                   {.p = p,
                    .w = std::move(w),
                    .variance = std::move(variance),
                    .vinv = square(vinv),
                    .cost = square(cost),
                    .regularization = regularization});
      },
      "data"_a.noconvert(), "queries"_a.noconvert(), "k"_a, "metric"_a, "threads"_a = 1, "p"_a = nb::none(),
      "w"_a = std::vector<double>(), "variance"_a = std::vector<double>(), "vinv"_a = nb::none(), "cost"_a = nb::none(),
      "regularization"_a = nb::none(), "ids (uint32) and distances (float32), a row a query");

  using index = graph_index<Rows>;
  bind_graph_index<index>(m, index_name);
  m.def(
      "MetricIndex",
      [](const Rows& data, const std::string& metric, std::size_t n_neighbors, std::size_t threads) {
        return index(data, metric, n_neighbors, threads);
      },
      "data"_a.noconvert(), "metric"_a, "n_neighbors"_a = 30, "threads"_a = 1);
}

}  // namespace

void bind_metrics(nb::module_& m) {
  nb::class_<csr_rows>(m, "CsrRows")
      .def(nb::init<array_of<std::int64_t>, array_of<std::int32_t>, std::optional<array_of<float>>, std::size_t>(),
           "indptr"_a.noconvert(), "indices"_a.noconvert(), "values"_a.none(), "dim"_a);
  bind<rows_of<float>>(m, "MetricIndexFloat");
  bind<rows_of<std::uint8_t>>(m, "MetricIndexBits");
  bind<csr_rows>(m, "MetricIndexCsr");
}
