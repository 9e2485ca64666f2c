#include "callbacks.hpp"

#include <annulus/core/base/thread_team.hpp>

namespace annulus_python {

progress_report::progress_report(nb::handle progress) {
  if (!progress.is_none() && progress.ptr() != Py_False)
    m_report = nb::module_::import_("annulus._progress").attr("start")(progress);
}

progress_report::~progress_report() {
  if (!m_report.is_valid()) return;
  nb::error_scope error;  // of the call, which may have one
  try {
    m_report.attr("close")();
  } catch (...) {
  }
}

bool progress_report::operator()(const char* stage, double fraction, double whole) {
  if (m_kept.is_set()) return false;
  const clock::time_point now = clock::now();
  if (now < m_next) return true;
  const nb::gil_scoped_acquire gil;
  try {
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (stage != nullptr && m_report.is_valid()) m_report(stage, fraction, whole);
  } catch (...) {
    m_kept.keep_current();
    return false;
  }
  m_next = clock::now() + interval;
  return true;
}

namespace {

/// Ends a call of the library, which then undoes a change.
struct callback_failed : std::exception {
  const char* what() const noexcept override { return "annulus: a callback failed"; }
};

}  // namespace

float user_metric::run(const float* x, const float* y, std::size_t dim, void* user) {
  user_metric& self = *static_cast<user_metric*>(user);
  if (self.m_kept.is_set()) throw callback_failed();  // on another thread
  const nb::gil_scoped_acquire gil;
  try {
    const auto view = [&](const float* row) {
      return nb::steal(PyMemoryView_FromMemory(const_cast<char*>(reinterpret_cast<const char*>(row)),
                                               static_cast<Py_ssize_t>(dim * sizeof(float)), PyBUF_READ));
    };
    const nb::object distance = self.m_function(view(x), view(y));
    const double value = PyFloat_AsDouble(distance.ptr());
    if (value == -1 && PyErr_Occurred() != nullptr) throw nb::python_error();
    return static_cast<float>(value);
  } catch (...) {
    self.m_kept.keep_current();
  }
  throw callback_failed();
}

search_arguments::search_arguments(Py_ssize_t threads, nb::handle recall_target, bool python_metric) {
  annulus_search_defaults(&params);
  params.threads = python_metric && threads == 0 ? 1 : n_threads(threads);
  if (recall_target.is_none()) return;
  params.recall_target = PyFloat_AsDouble(recall_target.ptr());
  if (params.recall_target == -1 && PyErr_Occurred() != nullptr) throw nb::python_error();
  if (params.recall_target == 0)
    raise_value_error("recall_target = 0: must be in (0, 1]");  // the library's "not given"
}

void search_arguments::set_filter(nb::handle filter, std::size_t n) {
  if (filter.is_none()) return;
  // An array of ids or of packed bits with their number, the address of a function of C, or a function of Python.
  const nb::object allowed = nb::module_::import_("annulus._convert").attr("allowed")(filter, n);
  const nb::object kind = allowed[0];
  m_filter = allowed[1];
  switch (nb::cast<int>(kind)) {
    case 0:
    case 1:
      m_buffer.require(m_filter, PyBUF_C_CONTIGUOUS);
      if (nb::cast<int>(kind) == 0) params.allowed_ids = static_cast<const std::uint32_t*>(m_buffer.view().buf);
      else params.allowed_bits = static_cast<const std::uint64_t*>(m_buffer.view().buf);
      params.n_allowed = nb::cast<std::size_t>(allowed[2]);
      break;
    case 2:
      params.allow = reinterpret_cast<int (*)(void*, std::uint32_t)>(nb::cast<std::uintptr_t>(allowed[2]));
      break;
    default:
      params.allow = &allow;
      params.allow_user = this;
  }
}

int search_arguments::allow(void* user, std::uint32_t id) noexcept {
  search_arguments& self = *static_cast<search_arguments*>(user);
  if (self.m_kept.is_set()) return 0;
  const nb::gil_scoped_acquire gil;
  try {
    const int is_allowed = PyObject_IsTrue(self.m_filter(id).ptr());
    if (is_allowed < 0) throw nb::python_error();
    return is_allowed;
  } catch (...) {
    self.m_kept.keep_current();
    return 0;
  }
}

std::size_t n_threads(Py_ssize_t threads) {
  return threads == 0 ? annulus::resolve_threads(0) : natural(threads, "threads");
}

std::size_t natural(nb::handle value, const char* name) {
  const Py_ssize_t number = PyNumber_AsSsize_t(value.ptr(), PyExc_OverflowError);
  if (number == -1 && PyErr_Occurred() != nullptr) throw nb::python_error();
  return natural(number, name);
}

std::size_t natural(Py_ssize_t value, const char* name) {
  if (value < 0) raise_value_error("%s = %zd: must be from 0 on", name, value);
  return static_cast<std::size_t>(value);
}

}  // namespace annulus_python
