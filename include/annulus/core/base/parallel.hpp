#pragma once

/// \file
/// parallel_for: loops whose blocks the threads of a team share.

#include <annulus/core/base/function_ref.hpp>
#include <annulus/core/base/progress.hpp>
#include <annulus/core/base/thread_team.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The parameters of a call that has no others.
struct run_params {
  std::size_t threads = 0;  ///< 0: all cores. What is computed is the same for every number
};

namespace detail {

/// parallel_for, compiled once instead of for every loop of a program.
inline void run_blocks(const thread_team& team, std::size_t n, std::size_t grain,
                       function_ref<void(std::size_t begin, std::size_t end, std::size_t worker)> f,
                       const progress_callback& progress, std::string_view stage) {
  if (grain == 0) invalid("grain", grain, "must be at least 1");
  const std::size_t blocks = n / grain + (n % grain != 0);
  std::atomic<std::size_t> next{0}, done{0};
  std::exception_ptr error;
  std::mutex error_mutex;

  const auto work = [&](std::size_t worker) noexcept {
    try {
      for (std::size_t block = next++; block < blocks; block = next++) {
        f(block * grain, std::min(n, block * grain + grain), worker);
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
  if (blocks > 0) team.run(blocks, work);
  if (error) std::rethrow_exception(error);
  report(progress, stage, 1.0);
}

}  // namespace detail

/// Calls f for the blocks [0, grain), [grain, 2 grain), ... of [0, n), each once. Blocks depend on n and grain alone,
/// so a result that is a function of its block is the same for every number of threads. A loop of one block, one on a
/// team of one, and one on a team that is running another loop, as in a block of that loop, runs on this thread alone.
/// \param team whose threads run the blocks, this one among them as worker 0; or a number of threads (0: all cores),
/// which start with the call and end with it \param n the number of items \param grain items of a block
/// \param f called as f(begin, end, worker); `worker` < team.size() names scratch \param progress called on this thread
/// \param stage what it is told \throws std::invalid_argument for grain = 0, and the first exception of f or progress,
/// which stops the hand-out of blocks, once no thread works any more; the team can be used again.
template <class F>
void parallel_for(const thread_team& team, std::size_t n, std::size_t grain, F&& f,
                  const progress_callback& progress = {}, std::string_view stage = {}) {
  const auto block = [&f](std::size_t begin, std::size_t end, std::size_t worker) { f(begin, end, worker); };
  detail::run_blocks(team, n, grain, block, progress, stage);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
