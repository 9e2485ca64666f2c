#include "module.hpp"

#include "arrays.hpp"
#include "callbacks.hpp"
#include "index_lock.hpp"
#include "index_text.hpp"
#include "options.hpp"
#include "owned.hpp"

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <algorithm>

namespace annulus_python {

namespace {

/// The name of a file, for the library.
std::string path_of(nb::handle path) {
  PyObject* bytes = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), &bytes) == 0) throw nb::python_error();
  return nb::steal<nb::bytes>(bytes).c_str();
}

/// \throws ValueError for what is no id, as the -1 that pads results.
std::uint32_t id_of(Py_ssize_t number) {
  if (number < 0 || static_cast<std::size_t>(number) >= ANNULUS_NO_ID)
    raise_value_error("id = %zd: is not in the index", number);
  return static_cast<std::uint32_t>(number);
}

/// Whether arrays of bools become packed bits: where the metric, or the family, compares bits.
bool compares_bits(const nb::dict& arguments) {
  const auto is = [&](const char* name, std::string_view prefix) {
    if (!arguments.contains(name)) return false;
    const nb::object value = arguments[name];
    return PyUnicode_Check(value.ptr()) && std::string_view(text_of(value, name)).starts_with(prefix);
  };
  return is("metric", "bit") || is("family", "bit");
}

/// The rows of an index by the library's words for them.
row_kind kind_of(std::string_view rows, std::size_t dim) {
  row_kind kind{.dim = dim};
  if (rows == "rows of bits") return {ANNULUS_BITS, ANNULUS_U8, dim};
  if (rows.starts_with("sparse")) kind.layout = ANNULUS_CSR;
  constexpr std::pair<std::string_view, annulus_dtype> types[] = {{"bfloat16", ANNULUS_BF16}, {"float16", ANNULUS_F16},
                                                                  {"float32", ANNULUS_F32},   {"float64", ANNULUS_F64},
                                                                  {"uint8", ANNULUS_U8},      {"int8", ANNULUS_I8}};
  for (const auto& [name, type] : types)
    if (rows.ends_with(name)) {
      kind.dtype = type;
      break;
    }
  return kind;
}

/// An index. Calls without the GIL: searches run beside each other, and changes wait for them and they for changes.
class index {
 public:
  index(nb::handle data, const nb::dict& arguments, nb::handle progress) {
    options given(arguments);
    given.set_threads();
    const rows_argument rows(data, "data", compares_bits(arguments));
    progress_report report(progress);
    m_metric = given.metric();
    call(
        [&](annulus_error* error) {
          return annulus_build(rows.get(), given.data(), given.size(), &progress_report::run, &report, m_index.out(),
                               error);
        },
        kept(), report.kept());
    describe();
  }
  index(nb::handle path, bool mapped, nb::handle metric) : m_metric(metric_of(metric)) {
    const std::string name = path_of(path);
    call(
        [&](annulus_error* error) {
          return m_metric ? annulus_open_with(name.c_str(), mapped, m_metric->function(), m_metric->user(),
                                              m_index.out(), error)
                          : annulus_open(name.c_str(), mapped, m_index.out(), error);
        },
        kept());
    describe();
  }
  /// A copy.
  explicit index(index& other) : m_metric(other.m_metric) {
    other.read([&](annulus_error* error) { return annulus_copy(other.m_index.get(), m_index.out(), error); });
    describe();
  }
  index(index&& other) noexcept
      : m_index(std::move(other.m_index)),
        m_metric(other.m_metric),
        m_kind(other.m_kind),
        m_has_progress(other.m_has_progress) {}

  const annulus_index* get() const {
    if (m_index.get() == nullptr) raise_value_error("the index is empty");
    return m_index.get();
  }
  /// For Python's garbage collector: a metric may refer to what holds the index. Copies of the index share theirs.
  nb::handle referred() const noexcept { return m_metric.use_count() == 1 ? m_metric->object() : nb::handle(); }
  void forget() noexcept {
    m_index = {};
    m_metric = nullptr;
  }

  const char* info(const char* name) const { return annulus_info(get(), name); }
  std::size_t size() {
    std::size_t size = 0;
    read([&](annulus_error*) { return size = annulus_size(m_index.get()), ANNULUS_OK; });
    return size;
  }
  std::size_t memory_bytes() {
    std::size_t bytes = 0;
    read([&](annulus_error*) { return bytes = annulus_memory_bytes(m_index.get()), ANNULUS_OK; });
    return bytes;
  }

  void save(nb::handle path) {
    const std::string name = path_of(path);
    read([&](annulus_error* error) { return annulus_save(m_index.get(), name.c_str(), error); });
  }
  void verify() {
    read([&](annulus_error* error) { return annulus_verify(m_index.get(), error); });
  }

  nb::object search(nb::handle queries, Py_ssize_t k, Py_ssize_t beam, double epsilon, bool by_estimates,
                    Py_ssize_t n_probes, Py_ssize_t max_candidates, nb::handle recall_target, nb::handle k_factor,
                    bool float_tables, nb::handle filter, Py_ssize_t threads, nb::handle progress) {
    search_arguments given(threads, recall_target, has_python_metric());
    given.params.beam = natural(beam, "beam");
    given.params.epsilon = epsilon;
    given.params.by_estimates = by_estimates;
    given.params.n_probes = natural(n_probes, "n_probes");
    given.params.max_candidates = natural(max_candidates, "max_candidates");
    given.params.float_tables = float_tables;
    if (!k_factor.is_none()) {
      given.params.k_factor = natural(k_factor, "k_factor");
      if (given.params.k_factor == 0) raise_value_error("k_factor = 0: must be at least 1");
    }
    given.set_filter(filter, size());
    const rows_argument rows(queries, "queries", m_kind);
    const std::size_t n = rows.size(), width = natural(k, "k");
    const bool is_vector = rows.is_vector();
    const new_array ids = is_vector ? new_array(array_type::int32, {width}) : new_array(array_type::int32, {n, width});
    const new_array distances =
        is_vector ? new_array(array_type::float32, {width}) : new_array(array_type::float32, {n, width});
    in_pieces(rows, given, progress, [&](const annulus_rows* piece, std::size_t begin, annulus_error* error) {
      return annulus_search(m_index.get(), piece, width, &given.params, ids.data<std::uint32_t>() + begin * width,
                            distances.data<float>() + begin * width, error);
    });
    return make_neighbors(ids.array, distances.array);
  }

  nb::object radius_search(nb::handle queries, float radius, Py_ssize_t beam, double epsilon, bool by_estimates,
                           Py_ssize_t n_probes, Py_ssize_t max_candidates, nb::handle recall_target, nb::handle filter,
                           Py_ssize_t threads) {
    search_arguments given(threads, recall_target, has_python_metric());
    given.params.beam = natural(beam, "beam");
    given.params.epsilon = epsilon;
    given.params.by_estimates = by_estimates;
    given.params.n_probes = natural(n_probes, "n_probes");
    given.params.max_candidates = natural(max_candidates, "max_candidates");
    given.set_filter(filter, size());
    const rows_argument rows(queries, "queries", m_kind);
    annulus_lists found{};
    read(
        [&](annulus_error* error) {
          return annulus_radius_search(m_index.get(), rows.get(), radius, &given.params, &found, error);
        },
        given.kept());
    return take_lists(found);
  }

  nb::object candidates(nb::handle queries, Py_ssize_t n_probes, Py_ssize_t max_candidates, nb::handle recall_target,
                        nb::handle filter, Py_ssize_t threads) {
    search_arguments given(threads, recall_target, has_python_metric());
    given.params.n_probes = natural(n_probes, "n_probes");
    given.params.max_candidates = natural(max_candidates, "max_candidates");
    given.set_filter(filter, size());
    const rows_argument rows(queries, "queries", m_kind);
    annulus_lists found{};
    read(
        [&](annulus_error* error) {
          return annulus_candidates(m_index.get(), rows.get(), &given.params, &found, error);
        },
        given.kept());
    return take_lists(found);
  }

  /// The number of buckets, the mean, deviation, least and greatest of their sizes, and the bytes of all tables.
  nb::tuple describe_buckets() {
    annulus_buckets found;
    read([&](annulus_error* error) { return annulus_describe_buckets(get(), &found, error); });
    return nb::make_tuple(found.n_buckets, found.mean, found.sd, found.min, found.max, found.bytes);
  }

  std::uint32_t insert(nb::handle data, Py_ssize_t threads) {
    const rows_argument rows(data, "data", m_kind);
    const std::size_t n_threads = threads_of(natural(threads, "threads"));
    std::uint32_t first = ANNULUS_NO_ID;
    change([&](annulus_error* error) { return annulus_insert(m_index.get(), rows.get(), n_threads, &first, error); });
    return first;
  }
  void erase(Py_ssize_t number) {
    const std::uint32_t id = id_of(number);
    change([&](annulus_error* error) { return annulus_erase(m_index.get(), id, error); });
  }
  void update(Py_ssize_t number, nb::handle row) {
    const std::uint32_t id = id_of(number);
    const rows_argument rows(row, "row", m_kind);
    change([&](annulus_error* error) { return annulus_update(m_index.get(), id, rows.get(), error); });
  }
  void consolidate() {
    change([&](annulus_error* error) { return annulus_consolidate(m_index.get(), error); });
  }

  /// The parameters of a search, its recall, and whether this is what was asked for.
  nb::tuple tune(double recall_target, Py_ssize_t k, nb::handle queries, Py_ssize_t n_queries, Py_ssize_t threads) {
    annulus_tuned tuned;
    const std::size_t width = natural(k, "k"), n_tried = natural(n_queries, "n_queries"),
                      n_threads = threads_of(natural(threads, "threads"));
    const auto run = [&](const annulus_rows* rows) {
      read([&](annulus_error* error) {
        return annulus_tune(m_index.get(), rows, recall_target, width, n_tried, n_threads, &tuned, error);
      });
    };
    if (queries.is_none()) run(nullptr);
    else run(rows_argument(queries, "queries", m_kind).get());
    nb::dict params;
    params["beam"] = tuned.params.beam;
    params["epsilon"] = tuned.params.epsilon;
    if (tuned.params.by_estimates != 0) params["by_estimates"] = true;
    return nb::make_tuple(params, tuned.recall, tuned.reached != 0);
  }
  nb::object graph() {
    annulus_lists lists{};
    read([&](annulus_error* error) { return annulus_graph(m_index.get(), &lists, error); });
    return take_padded_lists(lists);
  }

 private:
  void describe() {
    m_kind = kind_of(info("rows"), annulus_dim(m_index.get()));
    const std::string_view kind = info("kind");
    m_has_progress = kind != "nndescent" && kind != "lsh";
  }
  kept_error& kept() noexcept { return m_metric ? m_metric->kept() : m_no_metric; }
  bool has_python_metric() const noexcept { return m_metric && m_metric->is_python(); }
  std::size_t threads_of(std::size_t threads) const noexcept {
    return threads == 0 && has_python_metric() ? 1 : threads;
  }

  template <class F, class... Kept>
  void read(F&& f, Kept&... others) {
    locked(index_lock::use::read, f, others...);
  }
  template <class F>
  void change(F&& f) {
    locked(index_lock::use::change, f);
  }
  template <class F, class... Kept>
  void locked(index_lock::use use, F& f, Kept&... others) {
    get();
    m_lock.check(use);
    progress_report signals;
    kept_error of_metric;
    call(
        [&](annulus_error* error) {
          annulus_status status = ANNULUS_CANCELLED;
          m_lock.with(use, has_python_metric() ? m_metric.get() : nullptr, signals, [&] {
            status = f(error);
            of_metric.take(kept());  // in its turn: the next may fail too
          });
          return status;
        },
        of_metric, others..., signals.kept());
  }

  /// f(rows, begin, error) for pieces of the queries, between which it looks for signals, where searches do not do so
  /// themselves. A piece is sized to take a fifth of a second.
  template <class F>
  void in_pieces(const rows_argument& rows, search_arguments& given, nb::handle progress, F f) {
    constexpr std::size_t first = 512, least = 16;
    constexpr double seconds = 0.2;
    const std::size_t n = rows.size();
    if (n <= first && !m_metric && progress.is_none())
      return read([&](annulus_error* error) { return f(rows.get(), 0, error); }, given.kept());
    progress_report report(progress);
    if (m_has_progress) {
      given.set_progress(report);
      return read([&](annulus_error* error) { return f(rows.get(), 0, error); }, given.kept(), report.kept());
    }
    piece_of_rows piece(*rows.get());
    std::size_t begin = 0, size = std::min(first, n);
    read(
        [&](annulus_error* error) {
          do {
            const auto start = std::chrono::steady_clock::now();
            const annulus_status status = f(piece.take(begin, size), begin, error);
            if (status != ANNULUS_OK) return status;
            begin += size;
            const double share = static_cast<double>(begin) / static_cast<double>(n);
            if (given.kept().is_set() || !report("searching", share, share)) return ANNULUS_CANCELLED;
            const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
            const double scale = std::clamp(seconds / std::max(taken.count(), 1e-9), 1.0 / 64, 64.0);
            size = std::min(std::max(static_cast<std::size_t>(static_cast<double>(size) * scale), least), n - begin);
          } while (begin < n);
          return ANNULUS_OK;
        },
        given.kept(), report.kept());
  }

  owned<annulus_index, &annulus_free> m_index;
  std::shared_ptr<user_metric> m_metric;
  kept_error m_no_metric;
  row_kind m_kind;
  bool m_has_progress = false;  // of searches
  index_lock m_lock;
};

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  if (!nb::inst_ready(self)) return 0;
  Py_VISIT(nb::inst_ptr<index>(self)->referred().ptr());
  return 0;
}

int clear(PyObject* self) {
  if (nb::inst_ready(self)) nb::inst_ptr<index>(self)->forget();
  return 0;
}

PyType_Slot slots[] = {
    {Py_tp_traverse, reinterpret_cast<void*>(&traverse)}, {Py_tp_clear, reinterpret_cast<void*>(&clear)}, {0, nullptr}};

}  // namespace

void bind_index(nb::module_& module) {
  using nb::arg;
  nb::class_<index>(module, "Index", nb::type_slots(slots), text::index)
      .def(nb::init<nb::handle, const nb::dict&, nb::handle>(), arg("data"), arg("options"), arg("progress").none())
      .def(
          "__init__", [](index* self, index& other) { new (self) index(std::move(other)); }, arg("other"))
      .def_static(
          "_open", [](nb::handle path, bool mapped, nb::handle metric) { return new index(path, mapped, metric); },
          arg("path"), arg("mapped"), arg("metric").none(), nb::rv_policy::take_ownership)
      .def(
          "_copy", [](index& self) { return new index(self); }, nb::rv_policy::take_ownership)
      .def("search", &index::search, arg("queries"), arg("k") = 10, nb::kw_only(), arg("beam") = 0,
           arg("epsilon") = 0.1, arg("by_estimates") = false, arg("n_probes") = 0, arg("max_candidates") = 0,
           arg("recall_target") = nb::none(), arg("k_factor") = nb::none(), arg("float_tables") = false,
           arg("filter") = nb::none(), arg("threads") = 0, arg("progress") = nb::none(),
           nb::sig(text::search_signature), text::search)
      .def("radius_search", &index::radius_search, arg("queries"), arg("radius"), nb::kw_only(), arg("beam") = 0,
           arg("epsilon") = 0.1, arg("by_estimates") = false, arg("n_probes") = 0, arg("max_candidates") = 0,
           arg("recall_target") = nb::none(), arg("filter") = nb::none(), arg("threads") = 0,
           nb::sig(text::radius_search_signature), text::radius_search)
      .def("candidates", &index::candidates, arg("queries"), nb::kw_only(), arg("n_probes") = 0,
           arg("max_candidates") = 0, arg("recall_target") = nb::none(), arg("filter") = nb::none(), arg("threads") = 0,
           nb::sig(text::candidates_signature), text::candidates)
      .def("_describe_buckets", &index::describe_buckets)
      .def("insert", &index::insert, arg("rows"), nb::kw_only(), arg("threads") = 0, text::insert)
      .def("erase", &index::erase, arg("id"), text::erase)
      .def("update", &index::update, arg("id"), arg("row"), text::update)
      .def("consolidate", &index::consolidate, text::consolidate)
      .def("_tune", &index::tune, arg("recall_target"), arg("k"), arg("queries").none(), arg("n_queries"),
           arg("threads"))
      .def("graph", &index::graph, nb::sig(text::graph_signature), text::graph)
      .def("save", &index::save, arg("path"), text::save)
      .def("verify", &index::verify, text::verify)
      .def("info", &index::info, arg("name"), nb::sig("def info(self, name: str) -> str | None"), text::info)
      .def("__len__", &index::size)
      .def_prop_ro("size", &index::size, "int: rows.")
      .def_prop_ro(
          "dim", [](const index& self) { return annulus_dim(self.get()); }, "int: coordinates of a row; of bits, bits.")
      .def_prop_ro("memory_bytes", &index::memory_bytes, "int: bytes of memory.")
      .def_prop_ro(
          "kind", [](const index& self) { return self.info("kind"); }, R"(str: "nndescent" and the like.)")
      .def_prop_ro(
          "metric", [](const index& self) { return self.info("metric"); }, R"(str: its name; "user" of a function.)");
}

}  // namespace annulus_python
