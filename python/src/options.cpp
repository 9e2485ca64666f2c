#include "options.hpp"

#include <nanobind/stl/string.h>

#include <cstring>

namespace annulus_python {

options::options(const nb::dict& arguments) {
  for (const auto& [key, value] : arguments) {
    if (value.is_none()) continue;
    const char* const name = text_of(key, "option");
    const bool is_threads = std::string_view(name) == "threads";
    if (std::string_view(name) == "metric" && (m_metric = metric_of(value)) != nullptr)
      m_options.push_back({name, nullptr, nullptr, 0, m_metric->function(), m_metric->user(), nullptr});
    else if (!is_threads || PyObject_IsTrue(value.ptr()) == 1)  // 0 is the default
      add(name, value), m_has_threads = m_has_threads || is_threads;
  }
}

void options::set_threads() {
  if (m_metric && m_metric->is_python() && !m_has_threads) add_text("threads", "1");
}

void options::add(const char* name, nb::handle value) {
  if (PyUnicode_Check(value.ptr())) return add_text(name, text_of(value, name));
  if (PyBool_Check(value.ptr())) return add_text(name, value.ptr() == Py_True ? "true" : "false");
  if (PyLong_Check(value.ptr())) return add_text(name, nb::cast<std::string>(nb::str(value)));
  // Text of another number, or an array of float64, or of uint32: ids.
  const nb::object converted = nb::module_::import_("annulus._convert").attr("option")(name, value);
  if (PyUnicode_Check(converted.ptr())) return add_text(name, nb::cast<std::string>(converted));
  buffer& array = m_arrays.emplace_back();
  array.require(converted, PyBUF_C_CONTIGUOUS);
  const auto size = static_cast<std::size_t>(array.view().len / array.view().itemsize);
  const auto* const numbers = static_cast<const double*>(array.view().buf);
  const auto* const ids = static_cast<const std::uint32_t*>(array.view().buf);
  const bool are_ids = array.view().itemsize == sizeof(std::uint32_t);
  m_options.push_back({name, nullptr, are_ids ? nullptr : numbers, size, nullptr, nullptr, are_ids ? ids : nullptr});
}

void options::add_text(const char* name, std::string text) {
  m_options.push_back({name, m_texts.emplace_back(std::move(text)).c_str(), nullptr, 0, nullptr, nullptr, nullptr});
}

const char* text_of(nb::handle text, const char* name) {
  Py_ssize_t size = 0;
  const char* const utf8 = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (utf8 == nullptr) throw nb::python_error();
  if (std::strlen(utf8) != static_cast<std::size_t>(size)) raise_value_error("%s: has a zero in its text", name);
  return utf8;
}

std::shared_ptr<user_metric> metric_of(nb::handle metric) {
  if (metric.is_none() || PyUnicode_Check(metric.ptr())) return nullptr;
  const nb::object resolved = nb::module_::import_("annulus._metric").attr("resolve")(metric);
  if (PyTuple_Check(resolved.ptr()))
    return std::make_shared<user_metric>(nb::cast<std::uintptr_t>(resolved[0]), resolved[1]);
  return std::make_shared<user_metric>(resolved);
}

}  // namespace annulus_python
