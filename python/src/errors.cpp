#include "errors.hpp"

#include <cstdarg>

namespace annulus_python {

namespace {

PyObject* format_error = nullptr;  // lives as long as the module

}  // namespace

void raise(annulus_status status, const annulus_error& error) {
  switch (status) {
    case ANNULUS_INVALID_ARGUMENT:
      PyErr_SetString(PyExc_ValueError, error.message);
      break;
    case ANNULUS_FORMAT_ERROR:
      PyErr_SetString(format_error, error.message);
      break;
    case ANNULUS_SYSTEM_ERROR:
      // OSError becomes FileNotFoundError and the like by the number.
      PyErr_SetObject(PyExc_OSError, nb::make_tuple(error.code, error.message).ptr());
      break;
    case ANNULUS_OUT_OF_MEMORY:
      PyErr_NoMemory();
      break;
    case ANNULUS_CANCELLED:
      PyErr_SetNone(PyExc_KeyboardInterrupt);
      break;
    default:
      PyErr_SetString(PyExc_RuntimeError, error.message);
  }
  throw nb::python_error();
}

void raise_value_error(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  PyErr_FormatV(PyExc_ValueError, format, arguments);
  va_end(arguments);
  throw nb::python_error();
}

void bind_errors(nb::module_& module) {
  format_error =
      PyErr_NewExceptionWithDoc("annulus.FormatError", "A file is damaged, or holds something else.", PyExc_ValueError, nullptr);
  if (format_error == nullptr) throw nb::python_error();
  module.attr("FormatError") = nb::handle(format_error);
}

}  // namespace annulus_python
