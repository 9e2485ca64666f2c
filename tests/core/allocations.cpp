// The sanitizers bring an operator new of their own.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ANNULUS_TEST_SANITIZED
#endif
#endif
#if !defined(ANNULUS_TEST_SANITIZED) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <annulus/core/metric.hpp>
#include <annulus/core/top_k.hpp>

#include "catch.hpp"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <random>

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
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

TEST_CASE("allocations are counted", "[allocations]") {
  const std::size_t before = allocations;
  const auto made = std::make_unique<std::vector<int>>(100);
  CHECK(allocations == before + 2);
}

TEST_CASE("top_k allocates nothing after its construction", "[allocations]") {
  std::mt19937_64 generator(1);
  std::vector<float> ranks(10000);
  for (auto& rank : ranks) rank = static_cast<float>(generator() % 1000);
  for (const std::size_t k : {1u, 32u, 33u, 500u}) {
    top_k<float> best(k);
    const std::size_t before = allocations;
    best.push_block(ranks.data(), ranks.size(), 0);
    const float nearest = best.sorted().front().rank;
    best.reset(k);
    const std::size_t after = allocations;
    CHECK(nearest == 0);
    CHECK(after == before);
  }
}

TEST_CASE("a query is prepared and compared without an allocation", "[allocations]") {
  const std::vector<float> rows(10 * 100, 1.0f);
  std::vector<float> ranks(10);
  const std::size_t before = allocations;
  prepared_query<cosine, float>(cosine{}, rows.data(), 100)(rows.data(), 100, 10, ranks.data());
  prepared_query<euclidean, float>(euclidean{}, rows.data(), 100)(rows.data(), 100, 10, ranks.data());
  const std::size_t after = allocations;
  CHECK(after == before);
}

#endif
