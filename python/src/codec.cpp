#include "arrays.hpp"
#include "callbacks.hpp"
#include "module.hpp"
#include "options.hpp"
#include "owned.hpp"

#include <cstring>

namespace annulus_python {

namespace {

/// A codec, which does not change: any number of threads may use it.
class codec {
 public:
  codec(nb::handle data, const nb::dict& arguments, nb::handle progress) {
    const options given(arguments);
    const rows_argument rows(data, "vectors", {.dim = 0});
    progress_report report(progress);
    call(
        [&](annulus_error* error) {
          return annulus_codec_train(rows.get(), given.data(), given.size(), &progress_report::run, &report,
                                     m_codec.out(), error);
        },
        report.kept());
    describe();
  }
  /// codewords: float32, m x ks x ds; rotation: float32, dim x dim, or None.
  codec(nb::handle codewords, nb::handle rotation, const nb::dict& arguments) {
    const options given(arguments);
    buffer words, turned;
    words.require(codewords, PyBUF_C_CONTIGUOUS);
    if (!rotation.is_none()) turned.require(rotation, PyBUF_C_CONTIGUOUS);
    const auto size = [&](int i) { return static_cast<std::size_t>(words.view().shape[i]); };
    call([&](annulus_error* error) {
      return annulus_codec_of(static_cast<const float*>(words.view().buf), static_cast<const float*>(turned.view().buf),
                              size(0), size(1), size(2), given.data(), given.size(), m_codec.out(), error);
    });
    describe();
  }
  const annulus_codec_shape& shape() const noexcept { return m_shape; }

  nb::object codewords() const {
    const new_array words(array_type::float32, {m_shape.m, m_shape.ks, m_shape.ds});
    call([&](annulus_error* error) { return annulus_codec_codewords(m_codec.get(), words.data<float>(), error); });
    return words.array;
  }
  nb::object rotation() const {
    if (m_shape.is_rotated == 0) return nb::none();
    const new_array turned(array_type::float32, {m_shape.dim, m_shape.dim});
    call([&](annulus_error* error) { return annulus_codec_rotation(m_codec.get(), turned.data<float>(), error); });
    return turned.array;
  }

  nb::object encode(nb::handle vectors, Py_ssize_t threads) const {
    const rows_argument rows(vectors, "vectors", {.dim = m_shape.dim});
    const array_type type = m_shape.code_bytes == 1   ? array_type::uint8
                            : m_shape.code_bytes == 2 ? array_type::uint16
                                                      : array_type::uint32;
    const new_array codes = rows.is_vector() ? new_array(type, {m_shape.m}) : new_array(type, {rows.size(), m_shape.m});
    const std::size_t at_most = n_threads(threads);
    call([&](annulus_error* error) {
      return annulus_codec_encode(m_codec.get(), rows.get(), at_most, codes.memory, error);
    });
    return codes.array;
  }
  nb::object decode(nb::handle codes, Py_ssize_t threads) const {
    const codes_argument taken(codes, m_shape);
    const new_array rows = taken.is_vector ? new_array(array_type::float32, {m_shape.dim})
                                           : new_array(array_type::float32, {taken.n, m_shape.dim});
    const std::size_t at_most = n_threads(threads);
    call([&](annulus_error* error) {
      return annulus_codec_decode(m_codec.get(), taken.data(), taken.n, at_most, rows.data<float>(), error);
    });
    return rows.array;
  }
  nb::object tables(nb::handle queries) const {
    const rows_argument rows(queries, "queries", {.dim = m_shape.dim});
    const new_array tables = rows.is_vector() ? new_array(array_type::float32, {m_shape.m, m_shape.ks})
                                              : new_array(array_type::float32, {rows.size(), m_shape.m, m_shape.ks});
    call([&](annulus_error* error) {
      return annulus_codec_tables(m_codec.get(), rows.get(), tables.data<float>(), error);
    });
    return tables.array;
  }
  /// table: m x ks.
  nb::object distances(nb::handle table, nb::handle codes, Py_ssize_t threads) const {
    buffer entries;
    entries.require(table, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT);
    const Py_buffer& view = entries.view();
    if (view.ndim != 2 || dtype_of_format(view.format) != ANNULUS_F32 ||
        static_cast<std::size_t>(view.shape[0]) != m_shape.m || static_cast<std::size_t>(view.shape[1]) != m_shape.ks)
      raise_value_error("table: must be float32 of shape (%zu, %zu)", m_shape.m, m_shape.ks);
    const codes_argument taken(codes, m_shape);
    const new_array distances(array_type::float32, {taken.n});
    const std::size_t at_most = n_threads(threads);
    call([&](annulus_error* error) {
      return annulus_codec_distances(m_codec.get(), static_cast<const float*>(view.buf), taken.data(), taken.n, at_most,
                                     distances.data<float>(), error);
    });
    return distances.array;
  }

 private:
  /// n x m codes, or one of m.
  struct codes_argument {
    codes_argument(nb::handle codes, const annulus_codec_shape& shape) {
      if (!take(codes, shape)) {
        converted = nb::module_::import_("annulus._convert").attr("codes")(codes, shape.m, shape.ks, shape.code_bytes);
        if (!take(converted, shape)) raise_value_error("codes: cannot be read");
      }
    }
    bool take(nb::handle codes, const annulus_codec_shape& shape) {
      if (!taken.take(codes, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)) return false;
      const Py_buffer& view = taken.view();
      const char* const format = view.format == nullptr ? "B" : view.format;
      const char* const wanted = shape.code_bytes == 1 ? "B" : shape.code_bytes == 2 ? "H" : "IL";
      if (format[0] == '\0' || format[1] != '\0' || std::strchr(wanted, *format) == nullptr || view.ndim < 1 ||
          view.ndim > 2 || static_cast<std::size_t>(view.itemsize) != shape.code_bytes ||
          static_cast<std::size_t>(view.shape[view.ndim - 1]) != shape.m)
        return false;
      is_vector = view.ndim == 1;
      n = is_vector ? 1 : static_cast<std::size_t>(view.shape[0]);
      return true;
    }
    const void* data() const noexcept { return taken.view().buf; }

    nb::object converted;  // before the buffer, which refers to it
    buffer taken;
    std::size_t n = 0;
    bool is_vector = false;
  };

  void describe() {
    call([&](annulus_error* error) { return annulus_codec_describe(m_codec.get(), &m_shape, error); });
  }

  owned<annulus_codec, &annulus_codec_free> m_codec;
  annulus_codec_shape m_shape;
};

}  // namespace

void bind_codec(nb::module_& module) {
  using nb::arg;
  nb::class_<codec>(module, "Codec", "A product quantizer; annulus.PQ and annulus.OPQ have one.")
      .def(nb::init<nb::handle, const nb::dict&, nb::handle>(), arg("vectors"), arg("options"), arg("progress").none())
      .def(nb::init<nb::handle, nb::handle, const nb::dict&>(), arg("codewords"), arg("rotation").none(),
           arg("options"))
      .def_prop_ro("dim", [](const codec& self) { return self.shape().dim; })
      .def_prop_ro("m", [](const codec& self) { return self.shape().m; })
      .def_prop_ro("ks", [](const codec& self) { return self.shape().ks; })
      .def_prop_ro("ds", [](const codec& self) { return self.shape().ds; })
      .def_prop_ro("code_bytes", [](const codec& self) { return self.shape().code_bytes; })
      .def("codewords", &codec::codewords)
      .def("rotation", &codec::rotation)
      .def("encode", &codec::encode, arg("vectors"), nb::kw_only(), arg("threads") = 0)
      .def("decode", &codec::decode, arg("codes"), nb::kw_only(), arg("threads") = 0)
      .def("tables", &codec::tables, arg("queries"))
      .def("distances", &codec::distances, arg("table"), arg("codes"), nb::kw_only(), arg("threads") = 0);
}

}  // namespace annulus_python
