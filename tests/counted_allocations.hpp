#pragma once

// Counts every allocation of a test program. To be included by one of its files; the sanitizers bring an operator new
// of their own, so under them there is no ANNULUS_TEST_COUNTS_ALLOCATIONS.

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ANNULUS_TEST_SANITIZED
#endif
#endif
#if !defined(ANNULUS_TEST_SANITIZED) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ANNULUS_TEST_COUNTS_ALLOCATIONS

#include <annulus/core/matrix.hpp>

#include "catch.hpp"

#include <atomic>
#include <cstdlib>
#include <memory>

namespace {
std::atomic<std::size_t> allocations{0};
}  // namespace

// Not inlined, as g++ takes the pairs for mismatched then.
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
  const annulus::matrix<float> rows(3, 4);
  CHECK(allocations == before + 3);
}

#endif
