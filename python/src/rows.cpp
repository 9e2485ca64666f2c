#include "rows.hpp"

#include "arrays.hpp"

#include <cstring>

namespace annulus_python {

namespace {

constexpr std::size_t bytes_of[] = {4, 8, 2, 2, 1, 1};  // by annulus_dtype

/// Calls annulus._convert.rows, which returns a Rows or an array whose buffer can be read as it is.
nb::object converted(nb::handle object, const char* name, const row_kind* kind, bool pack_bits) {
  const nb::object convert = nb::module_::import_("annulus._convert").attr("rows");
  if (kind == nullptr) return convert(object, name, nb::none(), pack_bits);
  return convert(object, name, nb::make_tuple(static_cast<int>(kind->layout), static_cast<int>(kind->dtype), kind->dim),
                 kind->layout == ANNULUS_BITS);
}

/// The data of an array of a type and a number of dimensions that _convert.py has seen to.
struct plain_array {
  explicit plain_array(nb::handle array) {
    taken.require(array, PyBUF_C_CONTIGUOUS);
    data = taken.view().buf;
    size = static_cast<std::size_t>(taken.view().shape[0]);
  }
  buffer taken;
  const void* data;
  std::size_t size;
};

}  // namespace

bool buffer::take(nb::handle object, int flags) noexcept {
  release();
  if (PyObject_GetBuffer(object.ptr(), &m_view, flags) == 0) return true;
  PyErr_Clear();
  m_view = {};
  return false;
}

void buffer::require(nb::handle object, int flags) {
  release();
  if (PyObject_GetBuffer(object.ptr(), &m_view, flags) == 0) return;
  m_view = {};
  throw nb::python_error();
}

int dtype_of_format(const char* format) noexcept {
  if (format == nullptr) return ANNULUS_U8;
  if (*format == '@' || *format == '=' || *format == '<') ++format;
  if (format[0] == '\0' || format[1] != '\0') return -1;
  switch (*format) {
    case 'f':
      return ANNULUS_F32;
    case 'd':
      return ANNULUS_F64;
    case 'e':
      return ANNULUS_F16;
    case 'B':
      return ANNULUS_U8;
    case 'b':
      return ANNULUS_I8;
    default:
      return -1;
  }
}

// The arrays are kept, so their memory stays where it is when the buffers are released.
prepared_rows prepared_rows::csr(nb::handle indptr, nb::handle indices, nb::handle values, std::size_t dim) {
  prepared_rows rows;
  const plain_array begins(indptr), columns(indices);
  rows.m_rows.layout = ANNULUS_CSR;
  rows.m_rows.n = begins.size - 1;
  rows.m_rows.dim = dim;
  rows.m_rows.indptr = static_cast<const std::int64_t*>(begins.data);
  rows.m_rows.indices = static_cast<const std::int32_t*>(columns.data);
  if (!values.is_none()) {
    const plain_array numbers(values);
    rows.m_rows.data = numbers.data;
    rows.m_rows.dtype = numbers.taken.view().itemsize == 8 ? ANNULUS_F64 : ANNULUS_F32;
  }
  rows.m_arrays = nb::make_tuple(indptr, indices, values);
  return rows;
}

prepared_rows prepared_rows::bits(nb::handle packed, std::size_t n_bits) {
  prepared_rows rows;
  const plain_array bytes(packed);
  rows.m_rows = {ANNULUS_BITS, ANNULUS_U8, bytes.size, n_bits, bytes.data, bytes.taken.view().shape[1], 1,
                 nullptr,      nullptr};
  rows.m_arrays = nb::borrow(packed);
  return rows;
}

prepared_rows prepared_rows::bfloat16(nb::handle halves) {
  prepared_rows rows;
  const plain_array numbers(halves);
  const std::ptrdiff_t dim = numbers.taken.view().shape[1];
  rows.m_rows = {ANNULUS_DENSE, ANNULUS_BF16, numbers.size, static_cast<std::size_t>(dim), numbers.data, dim, 1,
                 nullptr,       nullptr};
  rows.m_arrays = nb::borrow(halves);
  return rows;
}

rows_argument::rows_argument(nb::handle object, const char* name, bool pack_bits) {
  if (!take(object)) {
    m_converted = converted(object, name, nullptr, pack_bits);
    if (!take(m_converted)) raise_value_error("%s: its numbers cannot be read", name);
  }
  if (m_is_vector) raise_value_error("%s: must have two dimensions, rows by coordinates", name);
}

rows_argument::rows_argument(nb::handle object, const char* name, const row_kind& kind) {
  const auto fits = [&] { return m_rows.layout == kind.layout && m_rows.dtype == kind.dtype; };
  if (take(object) && fits()) return;
  m_is_vector = false;
  m_converted = converted(object, name, &kind, false);
  if (m_converted.is(object)) return;  // the library says why such rows do not fit
  if (!take(m_converted)) raise_value_error("%s: its numbers cannot be read", name);
}

bool rows_argument::take(nb::handle object) {
  if (nb::isinstance<prepared_rows>(object)) {
    m_rows = nb::cast<const prepared_rows&>(object).get();
    return true;
  }
  if (may_be_masked(object)) return false;
  return take_buffer(object) || take_dlpack(object);
}

bool rows_argument::take_buffer(nb::handle object) {
  if (!PyObject_CheckBuffer(object.ptr()) || !m_buffer.take(object, PyBUF_RECORDS_RO)) return false;
  const Py_buffer& view = m_buffer.view();
  const int dtype = dtype_of_format(view.format);
  if (dtype < 0 || view.ndim < 1 || view.ndim > 2) return false;
  std::int64_t shape[2], strides[2];
  for (int i = 0; i < view.ndim; ++i) {
    if (view.strides[i] % view.itemsize != 0) return false;
    shape[i] = view.shape[i];
    strides[i] = view.strides[i] / view.itemsize;
  }
  return set_dense(dtype, view.buf, static_cast<std::size_t>(view.ndim), shape, strides);
}

bool rows_argument::take_dlpack(nb::handle object) {
  if (!nb::hasattr(object, "__dlpack__") || !nb::try_cast(object, m_tensor) || !m_tensor.is_valid()) return false;
  const nb::dlpack::dtype type = m_tensor.dtype();
  if (type.lanes != 1) return false;
  int dtype = -1;
  if (type.code == static_cast<std::uint8_t>(nb::dlpack::dtype_code::Float))
    dtype = type.bits == 32 ? ANNULUS_F32 : type.bits == 64 ? ANNULUS_F64 : type.bits == 16 ? ANNULUS_F16 : -1;
  else if (type.code == static_cast<std::uint8_t>(nb::dlpack::dtype_code::Bfloat) && type.bits == 16)
    dtype = ANNULUS_BF16;
  else if (type.code == static_cast<std::uint8_t>(nb::dlpack::dtype_code::UInt) && type.bits == 8) dtype = ANNULUS_U8;
  else if (type.code == static_cast<std::uint8_t>(nb::dlpack::dtype_code::Int) && type.bits == 8) dtype = ANNULUS_I8;
  if (dtype < 0 || m_tensor.ndim() < 1 || m_tensor.ndim() > 2) return false;
  return set_dense(dtype, m_tensor.data(), m_tensor.ndim(), m_tensor.shape_ptr(), m_tensor.stride_ptr());
}

bool rows_argument::set_dense(int dtype, const void* data, std::size_t n_dimensions, const std::int64_t* shape,
                              const std::int64_t* strides) noexcept {
  if (reinterpret_cast<std::uintptr_t>(data) % bytes_of[dtype] != 0) return false;
  m_is_vector = n_dimensions == 1;
  const auto dim = shape[n_dimensions - 1];
  m_rows = {ANNULUS_DENSE,
            static_cast<annulus_dtype>(dtype),
            m_is_vector ? 1 : static_cast<std::size_t>(shape[0]),
            static_cast<std::size_t>(dim),
            data,
            static_cast<std::ptrdiff_t>(m_is_vector ? dim : strides[0]),
            static_cast<std::ptrdiff_t>(strides[n_dimensions - 1]),
            nullptr,
            nullptr};
  return true;
}

const annulus_rows* piece_of_rows::take(std::size_t begin, std::size_t n) {
  m_piece.n = n;
  if (m_whole.layout != ANNULUS_CSR) {
    const auto offset = static_cast<std::ptrdiff_t>(begin) * m_whole.row_stride;
    m_piece.data =
        static_cast<const char*>(m_whole.data) + offset * static_cast<std::ptrdiff_t>(bytes_of[m_whole.dtype]);
    return &m_piece;
  }
  const std::int64_t first = m_whole.indptr[begin];
  if (!m_indptr) m_indptr.reset(new std::int64_t[m_whole.n + 1]);
  for (std::size_t i = 0; i <= n; ++i) m_indptr[i] = m_whole.indptr[begin + i] - first;
  m_piece.indptr = m_indptr.get();
  m_piece.indices = m_whole.indices + first;
  if (m_whole.data != nullptr)
    m_piece.data = static_cast<const char*>(m_whole.data) + first * static_cast<std::int64_t>(bytes_of[m_whole.dtype]);
  return &m_piece;
}

void bind_rows(nb::module_& module) {
  nb::class_<prepared_rows>(
      module, "Rows",
      "Rows that are prepared once: packed bits (`annulus.bits`) and sets (`annulus.sets`). Taken wherever "
      "rows are.")
      .def_static("_csr", &prepared_rows::csr, nb::arg("indptr"), nb::arg("indices"), nb::arg("values").none(),
                  nb::arg("dim"))
      .def_static("_bits", &prepared_rows::bits)
      .def_static("_bfloat16", &prepared_rows::bfloat16)
      .def("__len__", [](const prepared_rows& rows) { return rows.get().n; })
      .def_prop_ro(
          "shape", [](const prepared_rows& rows) { return nb::make_tuple(rows.get().n, rows.get().dim); },
          "(rows, coordinates of a row; of bits, bits).");
}

}  // namespace annulus_python
