#pragma once

/// \file
/// parallel_for: the only function of the library that starts threads.

#include <annulus/core/base/progress.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The parameters of a call that has no others.
struct run_params {
  std::size_t threads = 0;  ///< 0: all cores. What is computed is the same for every number
};

/// The number of threads that `threads` asks for: itself, or all cores for 0.
inline std::size_t resolve_threads(std::size_t threads) noexcept {
  return threads != 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
}

namespace detail {

/// A callable that is known by its address.
struct block_function {
  const void* object;
  void (*call)(const void* object, std::size_t begin, std::size_t end, std::size_t worker);
};

/// parallel_for, compiled once instead of for every loop of a program.
inline void run_blocks(std::size_t threads, std::size_t n, std::size_t grain, block_function f,
                       const progress_callback& progress, std::string_view stage) {
  if (grain == 0) invalid("grain", grain, "must be at least 1");
  const std::size_t blocks = n / grain + (n % grain != 0);
  const std::size_t workers = std::min(resolve_threads(threads), blocks);
  std::atomic<std::size_t> next{0}, done{0};
  std::exception_ptr error;
  std::mutex error_mutex;

  const auto work = [&](std::size_t worker) noexcept {
    try {
      for (std::size_t block = next++; block < blocks; block = next++) {
        f.call(f.object, block * grain, std::min(n, block * grain + grain), worker);
        const std::size_t so_far = ++done;
        if (worker == 0 && so_far < blocks)
          report(progress, stage, static_cast<double>(so_far) / static_cast<double>(blocks));
      }
    } catch (...) {
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
      next = blocks;
    }
  };

  {
    std::vector<std::jthread> pool;  // joins when it goes out of scope
    try {
      for (std::size_t worker = 1; worker < workers; ++worker) pool.emplace_back(work, worker);
    } catch (const std::exception&) {  // blocks are handed out to whoever asks: fewer threads ask for more of them
    }
    if (workers > 0) work(0);
  }
  if (error) std::rethrow_exception(error);
  report(progress, stage, 1.0);
}

}  // namespace detail

/// Calls f(begin, end, worker) for the blocks [0, grain), [grain, 2 grain), ... of [0, n), each once, on up to
/// `threads` threads (0: all cores), this one among them as worker 0. Blocks depend on n and grain alone, so a result
/// that is a function of its block is the same for every number of threads. `worker` < resolve_threads(threads) names
/// scratch. Threads start with the call and end with it; where the system has no more of them, or no memory for one,
/// those that there are do all. The first exception (also of `progress`, which runs on this thread) stops the hand-out
/// of blocks and is rethrown here once all threads have ended. \throws std::invalid_argument for grain = 0.
template <class F>
void parallel_for(std::size_t threads, std::size_t n, std::size_t grain, F&& f, const progress_callback& progress = {},
                  std::string_view stage = {}) {
  const auto block = [&f](std::size_t begin, std::size_t end, std::size_t worker) { f(begin, end, worker); };
  const auto call = [](const void* object, std::size_t begin, std::size_t end, std::size_t worker) {
    (*static_cast<decltype(&block)>(object))(begin, end, worker);
  };
  detail::run_blocks(threads, n, grain, {&block, call}, progress, stage);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
