#include "arrays.hpp"
#include "callbacks.hpp"
#include "module.hpp"
#include "options.hpp"

#include <annulus/metrics/table.hpp>

namespace annulus_python {

namespace {

nb::object knn(nb::handle data, nb::handle queries, Py_ssize_t k, const nb::dict& arguments, bool pack_bits,
               nb::handle recall_target, nb::handle filter, Py_ssize_t threads, nb::handle progress) {
  options given(arguments);
  search_arguments search(threads, recall_target, given.metric() && given.metric()->is_python());
  const rows_argument rows(data, "data", pack_bits), asked(queries, "queries", rows.kind());
  search.set_filter(filter, rows.size());
  progress_report report(progress);
  search.set_progress(report);
  const std::size_t n = asked.size(), width = natural(k, "k");
  const bool is_vector = asked.is_vector();
  const new_array ids = is_vector ? new_array(array_type::int32, {width}) : new_array(array_type::int32, {n, width});
  const new_array distances =
      is_vector ? new_array(array_type::float32, {width}) : new_array(array_type::float32, {n, width});
  call(
      [&](annulus_error* error) {
        return annulus_knn(rows.get(), asked.get(), width, given.data(), given.size(), &search.params,
                           ids.data<std::uint32_t>(), distances.data<float>(), error);
      },
      given.kept(), search.kept(), report.kept());
  return make_neighbors(ids.array, distances.array);
}

nb::object knn_graph(nb::handle data, Py_ssize_t n_neighbors, const nb::dict& arguments, bool pack_bits,
                     nb::handle progress) {
  options given(arguments);
  given.set_threads();
  const rows_argument rows(data, "data", pack_bits);
  progress_report report(progress);
  const std::size_t n = rows.size(), width = natural(n_neighbors, "n_neighbors");
  const new_array ids(array_type::int32, {n, width}), distances(array_type::float32, {n, width});
  call(
      [&](annulus_error* error) {
        return annulus_knn_graph(rows.get(), width, given.data(), given.size(), &progress_report::run, &report,
                                 ids.data<std::uint32_t>(), distances.data<float>(), error);
      },
      given.kept(), report.kept());
  return make_neighbors(ids.array, distances.array);
}

/// The buffer of an operand as rows of its last dimension, where it can be read so; n_rows is the product of the
/// others.
bool take_operand(buffer& taken, nb::handle operand, annulus_rows& rows) {
  if (!PyObject_CheckBuffer(operand.ptr()) || may_be_masked(operand) || !taken.take(operand, PyBUF_RECORDS_RO))
    return false;
  const Py_buffer& view = taken.view();
  const int dtype = dtype_of_format(view.format);
  if (dtype < 0 || view.ndim < 1 ||
      reinterpret_cast<std::uintptr_t>(view.buf) % static_cast<std::size_t>(view.itemsize))
    return false;
  const int last = view.ndim - 1;
  std::size_t n = 1;
  for (int i = 0; i < last; ++i) {
    n *= static_cast<std::size_t>(view.shape[i]);
    if (i + 1 < last && view.strides[i] != view.strides[i + 1] * view.shape[i + 1]) return false;
  }
  const Py_ssize_t row_stride = last > 0 ? view.strides[last - 1] : view.shape[last] * view.itemsize;
  if (row_stride % view.itemsize != 0 || view.strides[last] % view.itemsize != 0) return false;
  rows = {ANNULUS_DENSE,
          static_cast<annulus_dtype>(dtype),
          n,
          static_cast<std::size_t>(view.shape[last]),
          view.buf,
          row_stride / view.itemsize,
          view.strides[last] / view.itemsize,
          nullptr,
          nullptr};
  return true;
}

nb::object approx_top_k(nb::handle operand, Py_ssize_t k, Py_ssize_t reduction_dimension, double recall_target,
                        Py_ssize_t reduction_input_size_override, bool aggregate_to_topk, Py_ssize_t threads,
                        bool largest) {
  buffer taken;
  annulus_rows rows;
  const bool is_taken = take_operand(taken, operand, rows);
  const int n_dimensions = taken.view().ndim;
  if (!is_taken || (reduction_dimension != -1 && reduction_dimension != n_dimensions - 1)) {
    const nb::object general = nb::module_::import_("annulus._top_k").attr("general");
    return general(operand, k, reduction_dimension, recall_target, reduction_input_size_override, aggregate_to_topk,
                   threads, largest);
  }
  annulus_option given[3] = {{"recall_target", nullptr, &recall_target, 1, nullptr, nullptr, nullptr}};
  std::size_t n_options = 1;
  char override_text[24], threads_text[24];
  if (reduction_input_size_override != -1) {
    std::snprintf(override_text, sizeof override_text, "%zd", reduction_input_size_override);
    given[n_options++] = {"reduction_input_size_override", override_text, nullptr, 0, nullptr, nullptr, nullptr};
  }
  // The library's default, for which it asks the system for the number of cores: that takes longer than a small call.
  if (threads == 0 && rows.n * rows.dim < std::size_t{1} << 23) {
    given[n_options++] = {"threads", "1", nullptr, 0, nullptr, nullptr, nullptr};
  } else if (threads != 0) {
    std::snprintf(threads_text, sizeof threads_text, "%zd", threads);
    given[n_options++] = {"threads", threads_text, nullptr, 0, nullptr, nullptr, nullptr};
  }
  const std::size_t width = natural(k, "k");
  if (width > rows.dim) raise_value_error("k = %zd: must be from 1 to the reduced size %zu", k, rows.dim);
  const array_type type = rows.dtype == ANNULUS_F64 ? array_type::float64 : array_type::float32;
  const auto make = [&](array_type of) {
    if (n_dimensions == 1) return new_array(of, {width});
    if (n_dimensions == 2) return new_array(of, {rows.n, width});
    nb::list shape;
    for (int i = 0; i + 1 < n_dimensions; ++i) shape.append(taken.view().shape[i]);
    shape.append(width);
    return new_array(of, nb::tuple(shape));
  };
  const new_array values = make(type), indices = make(array_type::int32);
  call([&](annulus_error* error) {
    return annulus_approx_top_k(&rows, width, largest, given, n_options, values.memory, indices.data<std::uint32_t>(),
                                error);
  });
  if (rows.dtype == ANNULUS_F32 || rows.dtype == ANNULUS_F64) return make_top_k(values.array, indices.array);
  const char* const name = rows.dtype == ANNULUS_F16 ? "float16" : rows.dtype == ANNULUS_U8 ? "uint8" : "int8";
  return make_top_k(values.array.attr("astype")(name), indices.array);
}

constexpr char knn_signature[] =
    "def knn(data: object, queries: object, k: int, options: dict, pack_bits: bool, recall_target: float | None, "
    "filter: object | None, threads: int, progress: object | None) -> annulus._results.Neighbors";
constexpr char knn_graph_signature[] =
    "def knn_graph(data: object, n_neighbors: int, options: dict, pack_bits: bool, progress: object | None) "
    "-> annulus._results.Neighbors";
constexpr char approx_min_k_signature[] =
    "def approx_min_k(operand: object, k: int, reduction_dimension: int = -1, recall_target: float = 0.95, "
    "reduction_input_size_override: int = -1, aggregate_to_topk: bool = True, *, threads: int = 0) "
    "-> annulus._results.TopK";
constexpr char approx_max_k_signature[] =
    "def approx_max_k(operand: object, k: int, reduction_dimension: int = -1, recall_target: float = 0.95, "
    "reduction_input_size_override: int = -1, aggregate_to_topk: bool = True, *, threads: int = 0) "
    "-> annulus._results.TopK";
constexpr char approx_min_k_text[] =
    R"(The k smallest numbers along a dimension, nearly, best first: jax.lax.approx_min_k on a CPU.

O(size), and less memory than 100 KiB beside the results.

Parameters
----------
operand : array of one dimension or more
    Floats, or integers of at most 32 bits.
k : int
    1 to the size of the reduced dimension.
reduction_dimension : int, default -1
    Which dimension is reduced; negative numbers count from the last.
recall_target : float, default 0.95
    In (0, 1]: the share of the k smallest that is expected to be found.
reduction_input_size_override : int, default -1
    The size of the whole, where the operand is a part of it; -1: the operand's own.
aggregate_to_topk : bool, default True
    Of no effect: there are always k results, in order.
threads : int, default 0
    0: one for every 4 million numbers.

Returns
-------
TopK
    values of the operand's type and indices int32, of the operand's shape but for k in place of the reduced dimension.

Raises
------
ValueError, TypeError
    For arguments that do not fit.)";
constexpr char approx_max_k_text[] = R"(The k greatest numbers along a dimension, nearly, best first.

Parameters
----------
operand, k, reduction_dimension, recall_target, reduction_input_size_override, aggregate_to_topk, threads
    As of approx_min_k.

Returns
-------
TopK
    As approx_min_k.

Raises
------
ValueError, TypeError
    As approx_min_k.)";

}  // namespace

void bind_functions(nb::module_& module) {
  using nb::arg;
  module.def("instruction_set", &annulus_instruction_set,
             R"(The instruction set that was chosen. The environment variable ANNULUS_ISA forces one.

Returns
-------
str
    Such as "x86-64-v3"; "" where ANNULUS_ISA names one that there is not: then every call fails.)");
  module.def("version", &annulus_version, R"(The version of the library, as "1.0.0".)");
  nb::list metrics;
  for (const auto& metric : annulus::known_metrics) metrics.append(nb::str(metric.name.data(), metric.name.size()));
  module.attr("metrics") = nb::tuple(metrics);
  module.def("knn", &knn, arg("data"), arg("queries"), arg("k"), arg("options"), arg("pack_bits"),
             arg("recall_target").none(), arg("filter").none(), arg("threads"), arg("progress").none(),
             nb::sig(knn_signature));
  module.def("knn_graph", &knn_graph, arg("data"), arg("n_neighbors"), arg("options"), arg("pack_bits"),
             arg("progress").none(), nb::sig(knn_graph_signature));
  const auto def_top_k = [&](const char* name, const char* signature, const char* text, auto function) {
    module.def(name, function, nb::sig(signature), text, arg("operand"), arg("k"), arg("reduction_dimension") = -1,
               arg("recall_target") = 0.95, arg("reduction_input_size_override") = -1, arg("aggregate_to_topk") = true,
               nb::kw_only(), arg("threads") = 0);
  };
  def_top_k("approx_min_k", approx_min_k_signature, approx_min_k_text,
            [](nb::handle operand, Py_ssize_t k, Py_ssize_t dimension, double recall_target, Py_ssize_t size_override,
               bool aggregate, Py_ssize_t threads) {
              return approx_top_k(operand, k, dimension, recall_target, size_override, aggregate, threads, false);
            });
  def_top_k("approx_max_k", approx_max_k_signature, approx_max_k_text,
            [](nb::handle operand, Py_ssize_t k, Py_ssize_t dimension, double recall_target, Py_ssize_t size_override,
               bool aggregate, Py_ssize_t threads) {
              return approx_top_k(operand, k, dimension, recall_target, size_override, aggregate, threads, true);
            });
}

}  // namespace annulus_python
