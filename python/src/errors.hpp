#pragma once

/// \file
/// What the library and callbacks report, as exceptions of Python; and calls of the library without the GIL.

#include <annulus/annulus.h>
#include <nanobind/nanobind.h>

#include <atomic>
#include <exception>

namespace annulus_python {

namespace nb = nanobind;

/// The exception of Python that a status stands for: ValueError, FormatError (a ValueError), OSError, MemoryError,
/// KeyboardInterrupt or RuntimeError.
[[noreturn]] void raise(annulus_status status, const annulus_error& error);
[[noreturn]] void raise_value_error(const char* format, ...) __attribute__((format(printf, 1, 2)));

void bind_errors();

/// The first exception of callbacks, which threads may call at once, kept until the call of the library has ended.
class kept_error {
 public:
  bool is_set() const noexcept { return m_is_set.load(std::memory_order_relaxed); }
  /// Keeps the exception that is being handled. Needs the GIL.
  void keep_current() noexcept {
    if (!m_is_set.exchange(true)) m_error = std::current_exception();
  }
  /// Takes over what another has kept.
  void take(kept_error& other) noexcept {
    if (!other.is_set()) return;
    m_error = std::exchange(other.m_error, nullptr);
    m_is_set = true;
    other.m_is_set = false;
  }
  /// Throws what was kept, and forgets it. Needs the GIL.
  void rethrow_if_any() {
    if (!is_set()) return;
    const std::exception_ptr error = std::exchange(m_error, nullptr);
    m_is_set = false;
    if (error) std::rethrow_exception(error);
  }

 private:
  std::atomic<bool> m_is_set = false;
  std::exception_ptr m_error;
};

/// f(&error), a call of the library, without the GIL. Exceptions of callbacks, which `kept` have, come first.
template <class F, class... Kept>
void call(F&& f, Kept&... kept) {
  annulus_error error;  // written where it fails only
  annulus_status status;
  {
    const nb::gil_scoped_release released;
    status = f(&error);
  }
  (kept.rethrow_if_any(), ...);
  if (status != ANNULUS_OK) raise(status, error);
}

}  // namespace annulus_python
