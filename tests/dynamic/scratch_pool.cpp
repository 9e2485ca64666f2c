// scratch_pool: a scratch for each call at once, kept for the next.

#include <annulus/dynamic/engine/scratch_pool.hpp>

#include "catch.hpp"

#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>

using annulus::detail::scratch_pool;

TEST_CASE("a scratch that was returned is taken again", "[dynamic][scratch_pool]") {
  const scratch_pool<std::vector<int>> pool;
  pool.take()->assign(100, 7);
  CHECK(pool.take()->size() == 100);
  const auto first = pool.take(), second = pool.take();
  CHECK(first->size() == 100);
  CHECK(second->empty());
}

TEST_CASE("a copy of a pool of scratches has none of them", "[dynamic][scratch_pool]") {
  const scratch_pool<std::vector<int>> pool;
  pool.take()->push_back(1);
  const auto copy = pool;
  CHECK(copy.take()->empty());
  CHECK(pool.take()->size() == 1);
}

TEST_CASE("a cleared pool makes scratches anew", "[dynamic][scratch_pool]") {
  scratch_pool<std::vector<int>> pool;
  pool.take()->push_back(1);
  pool.clear();
  CHECK(pool.take()->empty());
}

TEST_CASE("no two threads hold the same scratch, and no more are made than are held at once",
          "[dynamic][scratch_pool]") {
  constexpr std::size_t n_threads = 4;
  const scratch_pool<std::atomic<int>> pool;
  std::atomic<std::size_t> made = 0, shared = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < n_threads; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        const auto scratch = pool.take([&] {
          ++made;
          return 0;
        });
        shared += scratch->fetch_add(1) != 0;
        scratch->fetch_sub(1);
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(shared == 0);
  CHECK(made >= 1);
  CHECK(made <= n_threads);
}

TEST_CASE("a scratch that cannot be made leaves the pool as it was", "[dynamic][scratch_pool]") {
  const scratch_pool<int> pool;
  CHECK_THROWS_AS(pool.take([]() -> int { throw std::runtime_error("no memory"); }), std::runtime_error);
  CHECK(*pool.take([] { return 3; }) == 3);
  CHECK(*pool.take([] { return 4; }) == 3);
}
