#include "arrays.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace annulus_python {

namespace {

// Looked up once; they live as long as the process.
PyObject *numpy_empty = nullptr, *numpy_array = nullptr;
PyObject* dtypes[7] = {};
PyObject *neighbors_type = nullptr, *lists_type = nullptr, *top_k_type = nullptr;

template <class... Arguments>
nb::object make(PyObject* type, Arguments... arguments) {
  PyObject* const values[] = {nullptr, arguments.ptr()...};  // room for a self, by which the call saves an allocation
  PyObject* const made =
      PyObject_Vectorcall(type, values + 1, sizeof...(arguments) | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
  if (made == nullptr) throw nb::python_error();
  return nb::steal(made);
}

struct freed_lists {
  annulus_lists& lists;
  ~freed_lists() { annulus_lists_free(&lists); }
};

}  // namespace

new_array::new_array(array_type type, std::initializer_list<std::size_t> shape) {
  const nb::object tuple = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(shape.size())));
  for (std::size_t i = 0; i < shape.size(); ++i)
    PyTuple_SetItem(tuple.ptr(), static_cast<Py_ssize_t>(i), PyLong_FromSize_t(std::data(shape)[i]));
  allocate(type, tuple.ptr());
}

new_array::new_array(array_type type, nb::handle shape) { allocate(type, shape.ptr()); }

void new_array::allocate(array_type type, PyObject* shape) {
  PyObject* const arguments[] = {nullptr, shape, dtypes[static_cast<int>(type)]};
  array = nb::steal(PyObject_Vectorcall(numpy_empty, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr));
  Py_buffer view;
  if (!array.is_valid() || PyObject_GetBuffer(array.ptr(), &view, PyBUF_WRITABLE) != 0) throw nb::python_error();
  memory = view.buf;
  PyBuffer_Release(&view);
}

bool may_be_masked(nb::handle object) noexcept {
  PyTypeObject *const type = Py_TYPE(object.ptr()), *const array = reinterpret_cast<PyTypeObject*>(numpy_array);
  return type != array && PyType_IsSubtype(type, array) != 0 && PyObject_HasAttrString(object.ptr(), "mask") != 0;
}

nb::object make_neighbors(nb::handle ids, nb::handle distances) { return make(neighbors_type, ids, distances); }
nb::object make_lists(nb::handle indptr, nb::handle ids, nb::handle values) {
  return make(lists_type, indptr, ids, values);
}
nb::object make_top_k(nb::handle values, nb::handle indices) { return make(top_k_type, values, indices); }

nb::object take_lists(annulus_lists& lists) {
  const freed_lists freed{lists};
  const auto size = static_cast<std::size_t>(lists.indptr[lists.n]);
  const new_array indptr(array_type::int64, {lists.n + 1}), ids(array_type::int32, {size}),
      values(array_type::float32, {size});
  std::copy_n(lists.indptr, lists.n + 1, indptr.data<std::int64_t>());
  std::copy_n(lists.ids, size, ids.data<std::uint32_t>());
  std::copy_n(lists.values, size, values.data<float>());
  return make_lists(indptr.array, ids.array, values.array);
}

nb::object take_padded_lists(annulus_lists& lists) {
  const freed_lists freed{lists};
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < lists.n; ++i) longest = std::max(longest, lists.indptr[i + 1] - lists.indptr[i]);
  const auto width = static_cast<std::size_t>(longest);
  const new_array ids(array_type::int32, {lists.n, width}), distances(array_type::float32, {lists.n, width});
  for (std::size_t i = 0; i < lists.n; ++i) {
    const auto begin = lists.indptr[i], end = lists.indptr[i + 1];
    auto* const id = std::copy(lists.ids + begin, lists.ids + end, ids.data<std::uint32_t>() + i * width);
    auto* const distance = std::copy(lists.values + begin, lists.values + end, distances.data<float>() + i * width);
    const auto padding = width - static_cast<std::size_t>(end - begin);
    std::fill_n(id, padding, ANNULUS_NO_ID);
    std::fill_n(distance, padding, HUGE_VALF);
  }
  return make_neighbors(ids.array, distances.array);
}

void bind_arrays() {
  const nb::module_ numpy = nb::module_::import_("numpy"), results = nb::module_::import_("annulus._results");
  numpy_empty = nb::getattr(numpy, "empty").release().ptr();
  numpy_array = nb::getattr(numpy, "ndarray").release().ptr();
  const char* const names[] = {"int32", "int64", "float32", "float64", "uint8", "uint16", "uint32"};
  for (std::size_t i = 0; i < std::size(names); ++i) dtypes[i] = numpy.attr("dtype")(names[i]).release().ptr();
  neighbors_type = nb::getattr(results, "Neighbors").release().ptr();
  lists_type = nb::getattr(results, "NeighborLists").release().ptr();
  top_k_type = nb::getattr(results, "TopK").release().ptr();
}

}  // namespace annulus_python
