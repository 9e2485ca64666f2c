// The sanitizers bring an operator new of their own.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ANNULUS_TEST_SANITIZED
#endif
#endif
#if !defined(ANNULUS_TEST_SANITIZED) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include "catch.hpp"
#include "nndescent/indexes.hpp"

#include <atomic>
#include <cstdlib>

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

TEST_CASE("allocations of either kind are counted", "[allocations]") {
  const std::size_t before = allocations;
  const auto made = std::make_unique<std::vector<int>>(100);
  const matrix<float> rows(3, 4);
  CHECK(allocations == before + 3);
}

TEMPLATE_TEST_CASE("a query with a scratch that has seen it allocates nothing", "[allocations]", full_precision,
                   half_precision, sq8) {
  const auto data = indexes::clustered<float>(2000, 20, 50);
  const nndescent_index index(data.rows, cosine{}, {}, TestType{});
  std::vector<bool> odd(2000);
  for (std::size_t i = 1; i < 2000; i += 2) odd[i] = true;
  for (const search_params& params : {search_params{}, {.beam = 100}, {.filter = odd}, {.beam = 10, .filter = odd}}) {
    auto scratch = index.make_scratch();
    std::vector<id_type> ids(10);
    std::vector<float> distances(10);
    const auto search_all = [&] {
      for (std::size_t i = 0; i < 50; ++i) index.search(data.queries.row(i), ids, distances, scratch, params);
    };
    search_all();
    const std::size_t before = allocations;
    search_all();
    const std::size_t after = allocations;
    CHECK(after == before);
    CHECK(ids[9] != no_id);
  }
}

#endif
