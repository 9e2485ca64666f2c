// Two threads of parallel_for add to one number: the thread sanitizer is to see that race.
#include <annulus/core/base/parallel.hpp>

#include <atomic>

int main() {
  std::atomic<int> here{0};
  int total = 0;
  annulus::parallel_for(2, 2, 1, [&](std::size_t, std::size_t, std::size_t) {
    // Each waits for the other, in a way that orders nothing else, so that neither thread takes both blocks.
    here.fetch_add(1, std::memory_order_relaxed);
    while (here.load(std::memory_order_relaxed) < 2) std::this_thread::yield();
    ++total;
  });
  return total == 0;
}
