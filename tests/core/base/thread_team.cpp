#include <annulus/core/base/parallel.hpp>

#include "catch.hpp"
#include "failing_allocations.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <type_traits>

using namespace annulus;

namespace {

static_assert(!std::is_copy_constructible_v<thread_team> && !std::is_move_constructible_v<thread_team>);
static_assert(!std::is_copy_assignable_v<thread_team> && !std::is_move_assignable_v<thread_team>);
static_assert(std::is_convertible_v<std::size_t, thread_team>, "a number of threads is a team for one call");

/// The sum of 0 to n - 1, by blocks of `grain`.
std::size_t sum_below(const thread_team& team, std::size_t n, std::size_t grain) {
  std::atomic<std::size_t> sum{0};
  parallel_for(team, n, grain, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) sum += i;
  });
  return sum;
}

/// Runs two blocks that wait for each other, and returns the thread other than this one.
std::thread::id helper_of(const thread_team& team) {
  const auto caller = std::this_thread::get_id();
  std::atomic<int> begun{0};
  std::thread::id helper;
  parallel_for(team, 2, 1, [&](std::size_t, std::size_t, std::size_t) {
    if (std::this_thread::get_id() != caller) helper = std::this_thread::get_id();
    ++begun;
    while (begun < 2) std::this_thread::yield();
  });
  return helper;
}

}  // namespace

TEST_CASE("a team has as many threads as it was made for, 0 as many as there are cores", "[thread_team]") {
  CHECK(thread_team(3).size() == 3);
  CHECK(thread_team(0).size() == resolve_threads(0));
}

TEST_CASE("a team runs loop after loop", "[thread_team]") {
  for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
    const thread_team team(threads);
    std::size_t wrong = 0;
    for (std::size_t n = 0; n < 300; ++n) wrong += sum_below(team, n, 1 + n % 7) != n * (n - (n > 0)) / 2;
    CAPTURE(threads);
    CHECK(wrong == 0);
  }
}

TEST_CASE("the loops of a team run on the same threads", "[thread_team]") {
  const thread_team team(2);
  const std::thread::id first = helper_of(team);
  CHECK(first != std::thread::id());
  for (int i = 0; i < 20; ++i) CHECK(helper_of(team) == first);
}

TEST_CASE("a worker of a team is below its size, and has one block at a time", "[thread_team]") {
  const thread_team team(5);
  std::vector<std::atomic<int>> busy(team.size());
  std::atomic<std::size_t> beyond{0}, shared{0};
  for (std::size_t n = 1; n < 100; ++n)
    parallel_for(team, n, 1, [&](std::size_t, std::size_t, std::size_t worker) {
      if (worker >= team.size()) ++beyond;
      else {
        if (busy[worker]++ != 0) ++shared;
        --busy[worker];
      }
    });
  CHECK(beyond == 0);
  CHECK(shared == 0);
}

TEST_CASE("worker 0 of a team is the calling thread, the others are not", "[thread_team]") {
  const thread_team team(4);
  const auto caller = std::this_thread::get_id();
  std::atomic<std::size_t> wrong{0};
  for (int i = 0; i < 20; ++i)
    parallel_for(team, 50, 1, [&](std::size_t, std::size_t, std::size_t worker) {
      if ((worker == 0) != (std::this_thread::get_id() == caller)) ++wrong;
    });
  CHECK(wrong == 0);
}

TEST_CASE("a team of more threads than blocks does each block once", "[thread_team]") {
  const thread_team team(16);
  for (const std::size_t n : {1u, 2u, 3u, 15u}) CHECK(sum_below(team, n, 1) == n * (n - 1) / 2);
}

TEST_CASE("a loop of one block, and a team of one, start no thread", "[thread_team]") {
  const auto result = allocations::fail_each([](auto fail) {
    const thread_team one(1), many(8);
    std::size_t n = 0;
    const auto count = [&](std::size_t, std::size_t, std::size_t) { ++n; };
    fail([&] {
      parallel_for(one, 10, 1, count);
      parallel_for(many, 10, 10, count);
    });
    return n == 11;
  });
  CHECK(result.failures == 0);
}

TEST_CASE("a team can be used again after an exception", "[thread_team]") {
  const thread_team team(3);
  for (int i = 0; i < 50; ++i) {
    const auto fails = [](std::size_t begin, std::size_t, std::size_t) {
      if (begin % 5 == 4) throw std::runtime_error("block");
    };
    CHECK_THROWS_AS(parallel_for(team, 100, 1, fails), std::runtime_error);
    CHECK(sum_below(team, 100, 3) == 4950);
  }
}

TEST_CASE("a team can be used again after a cancellation", "[thread_team]") {
  const thread_team team(3);
  for (int i = 0; i < 50; ++i) {
    const progress_callback stop = [](const progress_report&) { return false; };
    CHECK_THROWS_AS(parallel_for(
                        team, 100, 1, [](std::size_t, std::size_t, std::size_t) {}, stop),
                    cancelled);
    CHECK(sum_below(team, 100, 3) == 4950);
  }
}

TEST_CASE("progress of a team's loops comes on the calling thread", "[thread_team]") {
  const thread_team team(4);
  const auto caller = std::this_thread::get_id();
  std::size_t elsewhere = 0, ends = 0;
  const progress_callback progress = [&](const progress_report& report) {
    elsewhere += std::this_thread::get_id() != caller;
    ends += report.fraction == 1.0;
    return true;
  };
  for (int i = 0; i < 20; ++i)
    parallel_for(
        team, 20, 1, [](std::size_t, std::size_t, std::size_t) {}, progress, "stage");
  CHECK(elsewhere == 0);
  CHECK(ends == 20);
}

TEST_CASE("a loop inside a block of its own team runs on the thread of that block", "[thread_team]") {
  const thread_team team(4);
  std::atomic<std::size_t> count{0}, elsewhere{0}, not_first{0};
  parallel_for(team, 20, 1, [&](std::size_t, std::size_t, std::size_t) {
    const auto here = std::this_thread::get_id();
    parallel_for(team, 5, 1, [&](std::size_t, std::size_t, std::size_t worker) {
      ++count;
      elsewhere += std::this_thread::get_id() != here;
      not_first += worker != 0;
    });
  });
  CHECK(count == 100);
  CHECK(elsewhere == 0);
  CHECK(not_first == 0);
  CHECK(helper_of(team) != std::thread::id());  // all of them are free again
}

TEST_CASE("an exception in a loop inside a block ends both loops", "[thread_team]") {
  const thread_team team(4);
  const auto work = [&](std::size_t, std::size_t, std::size_t) {
    parallel_for(team, 5, 1, [](std::size_t, std::size_t, std::size_t) { throw std::runtime_error("inner"); });
  };
  CHECK_THROWS_AS(parallel_for(team, 20, 1, work), std::runtime_error);
  CHECK(sum_below(team, 100, 3) == 4950);
}

TEST_CASE("a loop inside a block may have a team of its own", "[thread_team]") {
  const thread_team outer(3);
  std::atomic<std::size_t> sum{0};
  parallel_for(outer, 6, 1, [&](std::size_t, std::size_t, std::size_t) {
    const thread_team inner(2);
    for (int i = 0; i < 5; ++i) sum += sum_below(inner, 20, 1);
  });
  CHECK(sum == 6 * 5 * 190);
}

TEST_CASE("two threads may use a team at once", "[thread_team]") {
  const thread_team team(3);
  std::atomic<std::size_t> wrong{0};
  const auto use = [&] {
    for (int i = 0; i < 200; ++i) wrong += sum_below(team, 50, 1) != 1225;
  };
  std::thread other(use);
  use();
  other.join();
  CHECK(wrong == 0);
}

TEST_CASE("where only some threads of a team have the memory to start they do every block of every loop",
          "[thread_team]") {
  const auto result = allocations::fail_each([](auto fail) {
    std::vector<std::atomic<int>> covered(100);
    fail([&] {
      const thread_team team(8);
      for (int loop = 0; loop < 3; ++loop)
        parallel_for(team, covered.size(), 3, [&](std::size_t begin, std::size_t end, std::size_t) {
          for (std::size_t i = begin; i < end; ++i) ++covered[i];
        });
    });
    return std::all_of(covered.begin(), covered.end(), [](const auto& times) { return times == 3; });
  });
  CAPTURE(result);
  CHECK((result.failures >= 14 || !allocations::are_seen));
  CHECK(result.survived == result.failures);
  CHECK(result.leaking == 0);
  CHECK(result.disturbed == 0);
}

TEST_CASE("results that the blocks of a team write are seen by the caller, and by the next loop", "[thread_team]") {
  const thread_team team(4);
  std::vector<std::size_t> values(1000, 0), next(values.size());
  for (std::size_t loop = 0; loop < 200; ++loop) {
    parallel_for(team, values.size(), 37, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) next[i] = values[values.size() - 1 - i] + 1;
    });
    values.swap(next);
  }
  CHECK(std::accumulate(values.begin(), values.end(), std::size_t{0}) == 200 * values.size());
}
