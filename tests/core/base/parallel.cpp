#include <annulus/core/base/parallel.hpp>

#include "catch.hpp"
#include "failing_allocations.hpp"
#include "message_of.hpp"

#include <array>
#include <memory>

#if defined(__GLIBC__)
#include <pthread.h>
#endif

using namespace annulus;

namespace {

struct user_error : std::runtime_error {
  explicit user_error(std::size_t block) : std::runtime_error("block " + std::to_string(block)) {}
};

using block = std::pair<std::size_t, std::size_t>;

/// Counts itself as long as it lives.
struct stay {
  std::atomic<int>& count;
  explicit stay(std::atomic<int>& c) : count(c) { ++count; }
  ~stay() { --count; }
  stay(const stay&) = delete;
};

/// The blocks that are handed out, sorted.
std::vector<block> blocks_of(std::size_t threads, std::size_t n, std::size_t grain) {
  std::vector<block> blocks;
  std::mutex mutex;
  parallel_for(threads, n, grain, [&](std::size_t begin, std::size_t end, std::size_t) {
    const std::lock_guard lock(mutex);
    blocks.push_back({begin, end});
  });
  std::sort(blocks.begin(), blocks.end());
  return blocks;
}

const auto do_nothing = [](std::size_t, std::size_t, std::size_t) {};

}  // namespace

TEST_CASE("every index is covered once", "[parallel]") {
  for (const std::size_t threads : {0u, 1u, 2u, 3u, 8u})
    for (const std::size_t n : {0u, 1u, 2u, 7u, 100u})
      for (const std::size_t grain : {1u, 2u, 3u, 7u, 99u, 100u, 1000u}) {
        std::vector<std::atomic<int>> covered(n);
        parallel_for(threads, n, grain, [&](std::size_t begin, std::size_t end, std::size_t) {
          for (std::size_t i = begin; i < end; ++i) ++covered[i];
        });
        CAPTURE(threads, n, grain);
        CHECK(std::all_of(covered.begin(), covered.end(), [](const auto& times) { return times == 1; }));
      }
}

TEST_CASE("blocks are a grain long, but for the last", "[parallel]") {
  CHECK(blocks_of(1, 10, 4) == std::vector<block>{{0, 4}, {4, 8}, {8, 10}});
  CHECK(blocks_of(1, 8, 4) == std::vector<block>{{0, 4}, {4, 8}});
  CHECK(blocks_of(1, 3, std::numeric_limits<std::size_t>::max()) == std::vector<block>{{0, 3}});
  CHECK(blocks_of(1, 0, 4).empty());
}

TEST_CASE("blocks do not depend on the number of threads", "[parallel]") {
  const auto expected = blocks_of(1, 100, 7);
  for (const std::size_t threads : {0u, 2u, 3u, 8u}) CHECK(blocks_of(threads, 100, 7) == expected);
}

TEST_CASE("one thread takes the blocks in order", "[parallel]") {
  std::vector<std::size_t> begins;
  parallel_for(1, 10, 3, [&](std::size_t begin, std::size_t, std::size_t) { begins.push_back(begin); });
  CHECK(begins == std::vector<std::size_t>{0, 3, 6, 9});
}

TEST_CASE("a worker is below the number of threads, and has one block at a time", "[parallel]") {
  for (const std::size_t threads : {0u, 1u, 3u, 8u}) {
    const std::size_t limit = resolve_threads(threads);
    std::vector<std::atomic<int>> busy(limit);
    std::atomic<std::size_t> beyond{0}, shared{0};
    parallel_for(threads, 200, 1, [&](std::size_t, std::size_t, std::size_t worker) {
      if (worker >= limit) ++beyond;
      else {
        if (busy[worker]++ != 0) ++shared;
        --busy[worker];
      }
    });
    CHECK(beyond == 0);
    CHECK(shared == 0);
  }
}

TEST_CASE("worker 0 is the calling thread, the others are not", "[parallel]") {
  const auto caller = std::this_thread::get_id();
  std::atomic<std::size_t> wrong{0};
  parallel_for(4, 200, 1, [&](std::size_t, std::size_t, std::size_t worker) {
    if ((worker == 0) != (std::this_thread::get_id() == caller)) ++wrong;
  });
  CHECK(wrong == 0);
}

TEST_CASE("several threads work at once", "[parallel]") {
  // Each of two blocks waits for the other to begin.
  std::atomic<int> begun{0};
  parallel_for(2, 2, 1, [&](std::size_t, std::size_t, std::size_t) {
    ++begun;
    while (begun < 2) std::this_thread::yield();
  });
  CHECK(begun == 2);
}

TEST_CASE("0 threads are all cores", "[parallel]") {
  CHECK(resolve_threads(0) >= 1);
  CHECK(resolve_threads(0) <= std::max(1u, std::thread::hardware_concurrency()));
  CHECK(resolve_threads(5) == 5);
}

#if defined(__linux__)
TEST_CASE("a thread may use the cores that it is bound to", "[parallel]") {
  std::size_t n_usable = 0;
  std::thread([&] {
    cpu_set_t cores;
    REQUIRE(sched_getaffinity(0, sizeof(cores), &cores) == 0);
    int first = 0;
    while (!CPU_ISSET(first, &cores)) ++first;
    CPU_ZERO(&cores);
    CPU_SET(first, &cores);
    REQUIRE(sched_setaffinity(0, sizeof(cores), &cores) == 0);
    n_usable = detail::usable_cores();
  }).join();
  CHECK(n_usable == 1);
}
#endif

TEST_CASE("an exception from any block reaches the caller, once all threads have ended", "[parallel]") {
  for (const std::size_t threads : {1u, 2u, 3u, 8u})
    for (const std::size_t bad : {0u, 1u, 10u, 19u}) {
      std::atomic<int> running{0};
      const auto message = message_of<user_error>([&] {
        parallel_for(threads, 20, 1, [&](std::size_t begin, std::size_t, std::size_t) {
          const stay here(running);
          if (begin == bad) throw user_error(begin);
        });
      });
      CAPTURE(threads, bad);
      CHECK(message == "block " + std::to_string(bad));
      CHECK(running == 0);
    }
}

TEST_CASE("an exception on a thread other than the caller's reaches the caller", "[parallel]") {
  std::atomic<bool> thrown{false};
  const auto work = [&](std::size_t begin, std::size_t, std::size_t worker) {
    if (worker == 1) {
      thrown = true;
      throw user_error(begin);
    }
    while (!thrown) std::this_thread::yield();
  };
  CHECK_THROWS_AS(parallel_for(2, 2, 1, work), user_error);
}

TEST_CASE("of many exceptions one reaches the caller", "[parallel]") {
  const auto work = [](std::size_t begin, std::size_t, std::size_t) { throw user_error(begin); };
  for (const std::size_t threads : {1u, 2u, 8u}) CHECK_THROWS_AS(parallel_for(threads, 100, 1, work), user_error);
}

TEST_CASE("an exception that is no std::exception reaches the caller", "[parallel]") {
  CHECK_THROWS_AS(parallel_for(2, 10, 1, [](std::size_t, std::size_t, std::size_t) { throw 42; }), int);
}

TEST_CASE("no block is handed out after an exception", "[parallel]") {
  std::size_t calls = 0;
  const auto work = [&](std::size_t begin, std::size_t, std::size_t) {
    ++calls;
    if (begin == 3) throw user_error(begin);
  };
  CHECK_THROWS_AS(parallel_for(1, 100, 1, work), user_error);
  CHECK(calls == 4);
}

TEST_CASE("an exception stops the other threads long before all blocks are done", "[parallel]") {
  constexpr std::size_t n = 100000;
  std::atomic<bool> thrown{false};
  std::atomic<std::size_t> calls{0};
  const auto work = [&](std::size_t begin, std::size_t, std::size_t worker) {
    ++calls;
    if (worker == 1) {
      thrown = true;
      throw user_error(begin);
    }
    do std::this_thread::yield();
    while (!thrown);
  };
  CHECK_THROWS_AS(parallel_for(2, n, 1, work), user_error);
  CHECK(calls < n);
}

TEST_CASE("a grain of 0 is refused", "[parallel]") {
  CHECK_THROWS_AS(parallel_for(1, 10, 0, do_nothing), std::invalid_argument);
  CHECK_THROWS_AS(parallel_for(1, 0, 0, do_nothing), std::invalid_argument);
}

TEST_CASE("progress rises to 1, on the calling thread, with the name of its stage", "[parallel]") {
  const auto caller = std::this_thread::get_id();
  for (const std::size_t threads : {1u, 2u, 8u})
    for (const std::size_t n : {0u, 1u, 50u}) {
      std::vector<double> fractions;
      std::size_t elsewhere = 0, misnamed = 0;
      const progress_callback progress = [&](const progress_report& report) {
        fractions.push_back(report.fraction);
        elsewhere += std::this_thread::get_id() != caller;
        misnamed += report.stage != "descent";
        return true;
      };
      std::atomic<bool> shared{threads == 1 || n == 1};  // whether another thread has had a block, where there is one
      const auto work = [&](std::size_t, std::size_t, std::size_t worker) {
        if (worker != 0) shared = true;
        while (!shared) std::this_thread::yield();
      };
      parallel_for(threads, n, 1, work, progress, "descent");
      CAPTURE(threads, n);
      REQUIRE(!fractions.empty());
      CHECK(fractions.back() == 1.0);
      CHECK(fractions.front() >= 0.0);
      CHECK(std::is_sorted(fractions.begin(), fractions.end()));
      CHECK(elsewhere == 0);
      CHECK(misnamed == 0);
    }
}

TEST_CASE("one thread reports after each block", "[parallel]") {
  std::vector<double> fractions;
  const progress_callback progress = [&](const progress_report& report) {
    fractions.push_back(report.fraction);
    return true;
  };
  parallel_for(1, 4, 1, do_nothing, progress);
  CHECK(fractions == std::vector<double>{0.25, 0.5, 0.75, 1.0});
}

TEST_CASE("progress that returns false cancels", "[parallel]") {
  const progress_callback stop = [](const progress_report&) { return false; };
  for (const std::size_t threads : {1u, 2u, 8u})
    CHECK_THROWS_AS(parallel_for(threads, 50, 1, do_nothing, stop), cancelled);
}

TEST_CASE("no block is handed out after a cancellation", "[parallel]") {
  std::size_t calls = 0;
  const auto work = [&](std::size_t, std::size_t, std::size_t) { ++calls; };
  const progress_callback stop = [](const progress_report&) { return false; };
  CHECK_THROWS_AS(parallel_for(1, 50, 1, work, stop), cancelled);
  CHECK(calls == 1);
}

TEST_CASE("an exception from the progress callback reaches the caller", "[parallel]") {
  const progress_callback fail = [](const progress_report&) -> bool { throw user_error(0); };
  for (const std::size_t threads : {1u, 2u, 8u})
    CHECK_THROWS_AS(parallel_for(threads, 50, 1, do_nothing, fail), user_error);
}

TEST_CASE("calls may be nested", "[parallel]") {
  std::atomic<int> count{0};
  parallel_for(2, 4, 1, [&](std::size_t, std::size_t, std::size_t) {
    parallel_for(2, 5, 1, [&](std::size_t, std::size_t, std::size_t) { ++count; });
  });
  CHECK(count == 20);
}

TEST_CASE("where only some threads have the memory to start they do every block", "[parallel]") {
  constexpr std::size_t n = 100;
  const auto result = allocations::fail_each([&](auto fail) {
    std::vector<std::atomic<int>> covered(n);
    fail([&] {
      parallel_for(8, n, 3, [&](std::size_t begin, std::size_t end, std::size_t) {
        for (std::size_t i = begin; i < end; ++i) ++covered[i];
      });
    });
    return std::all_of(covered.begin(), covered.end(), [](const auto& times) { return times == 1; });
  });
  CAPTURE(result);
  CHECK((result.failures >= 14 || !allocations::are_seen));  // a thread's own allocation, for seven of them, twice
  CHECK(result.survived == result.failures);
  CHECK(result.leaking == 0);
  CHECK(result.disturbed == 0);
}

#if defined(__GLIBC__)

TEST_CASE("where the system starts no thread this one does every block", "[parallel]") {
  // No stack of that size fits an address space.
  struct endless_stacks {
    pthread_attr_t usual, endless;
    endless_stacks() {
      pthread_getattr_default_np(&usual);
      pthread_getattr_default_np(&endless);
      pthread_attr_setstacksize(&endless, std::size_t{1} << 48);
      pthread_setattr_default_np(&endless);
    }
    ~endless_stacks() {
      pthread_setattr_default_np(&usual);
      pthread_attr_destroy(&usual);
      pthread_attr_destroy(&endless);
    }
  };
  std::vector<block> blocks;
  std::size_t elsewhere = 0;
  bool has_started = true;
  {
    const endless_stacks none_starts;
    try {
      std::jthread([] {});
    } catch (const std::system_error&) {
      has_started = false;
    }
    parallel_for(8, 10, 4, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      blocks.push_back({begin, end});
      elsewhere += worker != 0;
    });
  }
  CHECK(!has_started);
  CHECK(blocks == std::vector<block>{{0, 4}, {4, 8}, {8, 10}});
  CHECK(elsewhere == 0);
}

#endif
