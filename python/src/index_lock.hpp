#pragma once

/// \file
/// The lock of an index: searches share it, a change has it alone.

#include "callbacks.hpp"

#include <mutex>
#include <shared_mutex>

namespace annulus_python {

/// Waiting ends at Ctrl-C. A callback, which runs within a call, may read the index that the call reads: it does not
/// wait for the call to end. That it changes the index, or reads one that the call changes, is an error where it runs
/// on the thread of the call; on other threads it waits for ever.
class index_lock {
 public:
  enum class use { read, change };

  /// Calls f() with the lock, and with the turn of `metric`, unless that is null. Without the GIL. False: a signal's
  /// handler threw while it waited, which `signals` keeps.
  template <class F>
  bool with(use wanted, user_metric* metric, progress_report& signals, F&& f) {
    if (is_held_here()) return f(), true;
    std::shared_lock shared(m_mutex, std::defer_lock);
    std::unique_lock alone(m_mutex, std::defer_lock);
    if (wanted == use::read ? !wait(shared, signals) : !wait(alone, signals)) return false;
    std::unique_lock<std::recursive_timed_mutex> turn;
    if (metric != nullptr) turn = std::unique_lock(metric->turn(), std::defer_lock);
    if (metric != nullptr && !wait(turn, signals)) return false;
    const held here(this, wanted);
    return f(), true;
  }
  /// \throws RuntimeError for a use within a call of this thread that it cannot have.
  void check(use wanted) const {
    if (!is_held_here() || (wanted == use::read && current.use == use::read)) return;
    PyErr_SetString(PyExc_RuntimeError, wanted == use::change
                                            ? "the index cannot be changed by what one of its own calls calls back"
                                            : "the index is being changed by the call that called back");
    throw nb::python_error();
  }

 private:
  /// What this thread is at: null, or the lock that it has.
  struct call_here {
    const index_lock* lock;
    index_lock::use use;
  };
  static inline thread_local call_here current{nullptr, use::read};
  class held {
   public:
    held(const index_lock* lock, index_lock::use use) noexcept : m_outer(std::exchange(current, {lock, use})) {}
    held(const held&) = delete;
    held& operator=(const held&) = delete;
    ~held() { current = m_outer; }

   private:
    call_here m_outer;
  };

  bool is_held_here() const noexcept { return current.lock == this; }

  template <class Lock>
  static bool wait(Lock& lock, progress_report& signals) {
    if (lock.try_lock()) return true;
    while (!lock.try_lock_for(std::chrono::milliseconds(50)))
      if (!signals.poll()) return false;
    return true;
  }

  std::shared_timed_mutex m_mutex;
};

}  // namespace annulus_python
