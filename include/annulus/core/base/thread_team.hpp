#pragma once

/// \file
/// thread_team: threads that one call starts once and uses for all of its loops.

#include <annulus/core/base/config.hpp>
#include <annulus/core/base/function_ref.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {
/// The cores that this thread may run on, which taskset, containers, Slurm and mpirun may make fewer than there are.
inline std::size_t usable_cores() noexcept {
#if defined(__linux__)
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) return static_cast<std::size_t>(CPU_COUNT(&cores));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}
}  // namespace detail

/// \param threads a number, or 0 \returns that number, or for 0 that of the cores that the process might use when the
/// library first asked
inline std::size_t resolve_threads(std::size_t threads) noexcept {
  if (threads != 0) return threads;
  static const std::size_t n_cores = detail::usable_cores();
  return n_cores;
}

/// Threads for the loops of one call (parallel_for), this one among them. The first loop of more than one block starts
/// the others; they sleep between loops and end with the team. A number of threads converts to a team, so that a
/// function that takes `const thread_team&` can be given either. Where the system has no more threads, or no memory for
/// one, the team stays smaller than size(). A team serves one loop at a time: a loop that begins while another of the
/// same team is running, as inside one of its blocks, runs on the calling thread alone. Neither moves nor copies.
class thread_team {
 public:
  /// \param threads how many; 0: as many as there are cores
  thread_team(std::size_t threads) noexcept : m_size(resolve_threads(threads)) {}
  thread_team(const thread_team&) = delete;
  thread_team& operator=(const thread_team&) = delete;
  ~thread_team() {
    if (m_threads.empty()) return;
    {
      const std::lock_guard lock(m_mutex);
      m_is_ending = true;
    }
    m_wake.notify_all();
    for (std::thread& thread : m_threads) thread.join();
  }

  /// \returns how many threads work at a time, at most. Numbers of workers, which name scratch, are below it
  std::size_t size() const noexcept { return m_size; }

  /// Calls f(0) on this thread and f(worker), worker < size(), on others that get there before any of these calls has
  /// ended. Returns when all calls have. For parallel_for. \param n_workers how many threads at most, this one among
  /// them \param f hands out the work, and must not throw
  void run(std::size_t n_workers, detail::function_ref<void(std::size_t worker)> f) const noexcept {
    if (n_workers < 2 || m_size < 2 || m_is_busy.exchange(true, std::memory_order_acquire)) {
      f(0);
      return;
    }
    start(std::min(n_workers, m_size) - 1);
    const std::size_t n_helpers = std::min(n_workers - 1, m_threads.size());
    {
      const std::lock_guard lock(m_mutex);
      m_function = &f;
      m_n_wanted = n_helpers;
    }
    for (std::size_t i = 0; i < n_helpers; ++i) m_wake.notify_one();
    f(0);
    {
      std::unique_lock lock(m_mutex);
      m_n_wanted = 0;  // threads that have not woken by now go on sleeping: nobody waits for them
      m_has_ended.wait(lock, [this] { return m_n_active == 0; });
    }
    m_is_busy.store(false, std::memory_order_release);
  }

 private:
  /// Starts threads until there are n, unless the system refused one before.
  void start(std::size_t n) const noexcept {
    if (m_threads.size() >= n || !m_can_start) return;
    try {
      m_threads.reserve(n);
      for (std::size_t worker = m_threads.size() + 1; worker <= n; ++worker)
        m_threads.emplace_back([this, worker] { work(worker); });
    } catch (const std::exception&) {
      m_can_start = false;
    }
  }

  void work(std::size_t worker) const noexcept {
    std::unique_lock lock(m_mutex);
    for (;;) {
      m_wake.wait(lock, [this] { return m_is_ending || m_n_wanted > 0; });
      if (m_is_ending) return;
      --m_n_wanted;
      ++m_n_active;
      const detail::function_ref f = *m_function;
      lock.unlock();
      f(worker);
      lock.lock();
      m_n_wanted = 0;  // the work has been handed out
      if (--m_n_active == 0) m_has_ended.notify_one();
    }
  }

  std::size_t m_size;
  mutable std::atomic<bool> m_is_busy{false};  ///< a loop is running
  mutable std::vector<std::thread> m_threads;  ///< changed by the loop that is running alone
  mutable bool m_can_start = true;

  mutable std::mutex m_mutex;  ///< of all below
  mutable std::condition_variable m_wake, m_has_ended;
  mutable const detail::function_ref<void(std::size_t)>* m_function = nullptr;  ///< of the loop that is running
  mutable std::size_t m_n_wanted = 0;  ///< how many more threads may take part in the loop that is running
  mutable std::size_t m_n_active = 0;  ///< how many do, this one apart
  bool m_is_ending = false;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
