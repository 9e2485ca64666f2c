// The sanitizers bring an operator new of their own.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ANNULUS_TEST_SANITIZED
#endif
#endif
#if !defined(ANNULUS_TEST_SANITIZED) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <atomic>
#include <cstdlib>
#include <memory>

#include "catch.hpp"
#include "lsh/two_indexes.hpp"

using namespace annulus;

namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

// What is called for every allocation of the whole test program; inlined, g++ takes the pairs for mismatched.
[[gnu::noinline]] void* operator new(std::size_t n) {
  ++allocations;
  if (void* p = std::malloc(n == 0 ? 1 : n)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t n, std::align_val_t alignment) {
  ++allocations;
  const auto a = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(a, (n + a - 1) / a * a + (n == 0 ? a : 0))) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

TEST_CASE("allocations of either kind are counted", "[lsh][allocations]") {
  const std::size_t before = allocations;
  const auto made = std::make_unique<std::vector<int>>(100);
  const matrix<float> rows(3, 4);
  CHECK(allocations == before + 3);
}

TEST_CASE("a query with a scratch that has seen it allocates nothing", "[lsh][allocations]") {
  std::vector<bool> odd(1500);
  for (std::size_t i = 1; i < 1500; i += 2) odd[i] = true;
  const std::vector<lsh_search_params> all{{},
                                           {.n_probes = 2},
                                           {.n_probes = 300},
                                           {.n_probes = 300, .filter = odd},
                                           {.n_probes = 300, .max_candidates = 40},
                                           {.recall_target = 0.5},
                                           {.recall_target = 0.99},
                                           {.recall_target = 0.9, .filter = odd}};
  lsh_tests::for_both([&](const auto& index) {
    for (std::size_t p = 0; p < all.size(); ++p) {
      auto scratch = index.make_scratch();
      std::vector<id_type> ids(10);
      std::vector<float> distances(10);
      const auto search_all = [&] {
        for (std::size_t i = 0; i < 60; ++i)
          index.search(lsh_tests::data().queries.row(i), ids, distances, scratch, all[p]);
      };
      search_all();
      const std::size_t before = allocations;
      search_all();
      const std::size_t after = allocations;
      CAPTURE(p);
      CHECK(after == before);
      CHECK(ids[0] != no_id);
    }
  });
}

#endif
