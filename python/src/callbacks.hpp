#pragma once

/// \file
/// What the library calls back: progress, which is also when signals are looked for, filters, and metrics in Python.

#include "errors.hpp"
#include "rows.hpp"

#include <chrono>
#include <memory>
#include <mutex>

namespace annulus_python {

/// Reports progress to Python and looks for signals, each at most every 50 ms, so that Ctrl-C ends a call.
class progress_report {
 public:
  /// Signals alone.
  progress_report() = default;
  /// None, True (a bar of tqdm's), or a function (stage, fraction, whole).
  explicit progress_report(nb::handle progress);
  ~progress_report();
  progress_report(const progress_report&) = delete;
  progress_report& operator=(const progress_report&) = delete;

  /// False: the call must end, as a signal's handler or `report` has thrown. Takes the GIL.
  bool operator()(const char* stage, double fraction, double whole);
  /// The same where nothing is to be reported.
  bool poll() { return (*this)(nullptr, 0, 0); }

  static int run(void* user, const char* stage, double fraction, double whole) {
    return (*static_cast<progress_report*>(user))(stage, fraction, whole);
  }
  kept_error& kept() noexcept { return m_kept; }

 private:
  using clock = std::chrono::steady_clock;
  nb::object m_report;  // of annulus._progress.start, or nothing
  clock::time_point m_next = clock::now() + interval;
  kept_error m_kept;

  static constexpr std::chrono::milliseconds interval{50};
};

/// A metric that is a function: of C, by its address, or of Python.
class user_metric {
 public:
  /// What annulus._metric.resolve returns: an address, beside what keeps the code there, or a function of Python.
  user_metric(std::uintptr_t address, nb::object owner) : m_address(address), m_function(std::move(owner)) {}
  explicit user_metric(nb::object function) : m_function(std::move(function)) {}
  user_metric(const user_metric&) = delete;
  user_metric& operator=(const user_metric&) = delete;

  bool is_python() const noexcept { return m_address == 0; }
  annulus_distance function() const noexcept {
    return is_python() ? &run : reinterpret_cast<annulus_distance>(m_address);
  }
  void* user() noexcept { return is_python() ? this : nullptr; }
  kept_error& kept() noexcept { return m_kept; }
  /// Calls that compare by a function of Python take turns, so that its exception ends the call that it comes from.
  std::recursive_timed_mutex& turn() noexcept { return m_turn; }
  /// What Python's garbage collector follows.
  nb::handle object() const noexcept { return m_function; }

 private:
  /// Throws where the function has thrown, to end the call: its exception is kept.
  static float run(const float* x, const float* y, std::size_t dim, void* user);

  std::uintptr_t m_address = 0;
  nb::object m_function;
  kept_error m_kept;
  std::recursive_timed_mutex m_turn;
};

/// Parameters of a search, which refer to this object.
class search_arguments {
 public:
  /// threads: 0 for all cores. `python_metric`: whether distances are of Python, where threads would wait for each
  /// other.
  search_arguments(Py_ssize_t threads, nb::handle recall_target, bool python_metric);
  search_arguments(const search_arguments&) = delete;
  search_arguments& operator=(const search_arguments&) = delete;

  /// None, or what annulus._convert.allowed makes of it for an index of n ids.
  void set_filter(nb::handle filter, std::size_t n);
  /// Reports progress, where the search does, to `report`.
  void set_progress(progress_report& report) {
    params.progress = &progress_report::run;
    params.progress_user = &report;
  }
  kept_error& kept() noexcept { return m_kept; }

  annulus_search_params params;

 private:
  static int allow(void* user, std::uint32_t id) noexcept;

  nb::object m_filter;
  buffer m_buffer;
  kept_error m_kept;
};

/// A number from 0 on, as sizes are. \throws ValueError, TypeError
std::size_t natural(Py_ssize_t value, const char* name);
std::size_t natural(nb::handle value, const char* name);

/// The number of threads that an argument asks for, 0 being all cores. The library asks the system for their number,
/// which takes longer than a small call.
std::size_t n_threads(Py_ssize_t threads);

}  // namespace annulus_python
