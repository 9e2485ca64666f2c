#include "errors.hpp"

#include <cstdarg>
#include <cstring>

namespace annulus_python {

namespace {

PyObject* format_error = nullptr;  // lives as long as the module

/// The library's words, in which names of files and bytes of damaged ones may be no UTF-8.
nb::object text_of(const annulus_error& error) {
  return nb::steal(
      PyUnicode_DecodeUTF8(error.message, static_cast<Py_ssize_t>(std::strlen(error.message)), "backslashreplace"));
}

}  // namespace

void raise(annulus_status status, const annulus_error& error) {
  switch (status) {
    case ANNULUS_INVALID_ARGUMENT:
      if (std::strstr(error.message, "ANNULUS_DYNAMIC_ROWS") != nullptr)
        PyErr_Format(PyExc_ValueError, "%s; or convert them: data.astype(numpy.float32)", error.message);
      else PyErr_SetObject(PyExc_ValueError, text_of(error).ptr());
      break;
    case ANNULUS_FORMAT_ERROR:
      PyErr_SetObject(format_error, text_of(error).ptr());
      break;
    case ANNULUS_SYSTEM_ERROR:
      // OSError becomes FileNotFoundError and the like by the number.
      PyErr_SetObject(PyExc_OSError, nb::make_tuple(error.code, text_of(error)).ptr());
      break;
    case ANNULUS_OUT_OF_MEMORY:
      PyErr_NoMemory();
      break;
    case ANNULUS_CANCELLED:
      PyErr_SetNone(PyExc_KeyboardInterrupt);
      break;
    default:
      PyErr_SetObject(PyExc_RuntimeError, text_of(error).ptr());
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

void bind_errors() {
  format_error = nb::getattr(nb::module_::import_("annulus._errors"), "FormatError").release().ptr();
}

}  // namespace annulus_python
