// The allocations of a test program, counted, and failing where a test wants it (failing_allocations.hpp). They are
// malloc's, so that the sanitizers see them.

#include "failing_allocations.hpp"

#include <cstdlib>

namespace allocations {

std::atomic<std::size_t> n_made{0}, n_alive{0};
std::atomic<std::size_t> first_failure{never}, last_failure{never};

}  // namespace allocations

#if !defined(ANNULUS_TEST_THREAD_SANITIZER) && !defined(__SANITIZE_THREAD__)

namespace {

/// Null where it fails.
void* allocate(std::size_t n, std::size_t alignment) noexcept {
  const std::size_t number = allocations::n_made++;
  if (number >= allocations::first_failure && number <= allocations::last_failure) return nullptr;
  const std::size_t whole = (std::max<std::size_t>(n, 1) + alignment - 1) / alignment * alignment;
  void* const p = whole >= n ? std::aligned_alloc(alignment, whole) : nullptr;
  if (p != nullptr) ++allocations::n_alive;
  return p;
}
void* allocate_or_throw(std::size_t n, std::size_t alignment) {
  if (void* const p = allocate(n, alignment)) return p;
  throw std::bad_alloc();
}
void deallocate(void* p) noexcept {
  if (p != nullptr) --allocations::n_alive;
  std::free(p);
}

constexpr std::size_t usual = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

}  // namespace

using std::align_val_t, std::nothrow_t, std::size_t;

void* operator new(size_t n) { return allocate_or_throw(n, usual); }
void* operator new[](size_t n) { return allocate_or_throw(n, usual); }
void* operator new(size_t n, align_val_t a) { return allocate_or_throw(n, static_cast<size_t>(a)); }
void* operator new[](size_t n, align_val_t a) { return allocate_or_throw(n, static_cast<size_t>(a)); }
void* operator new(size_t n, const nothrow_t&) noexcept { return allocate(n, usual); }
void* operator new[](size_t n, const nothrow_t&) noexcept { return allocate(n, usual); }
void* operator new(size_t n, align_val_t a, const nothrow_t&) noexcept { return allocate(n, static_cast<size_t>(a)); }
void* operator new[](size_t n, align_val_t a, const nothrow_t&) noexcept { return allocate(n, static_cast<size_t>(a)); }

void operator delete(void* p) noexcept { deallocate(p); }
void operator delete[](void* p) noexcept { deallocate(p); }
void operator delete(void* p, size_t) noexcept { deallocate(p); }
void operator delete[](void* p, size_t) noexcept { deallocate(p); }
void operator delete(void* p, align_val_t) noexcept { deallocate(p); }
void operator delete[](void* p, align_val_t) noexcept { deallocate(p); }
void operator delete(void* p, size_t, align_val_t) noexcept { deallocate(p); }
void operator delete[](void* p, size_t, align_val_t) noexcept { deallocate(p); }
void operator delete(void* p, const nothrow_t&) noexcept { deallocate(p); }
void operator delete[](void* p, const nothrow_t&) noexcept { deallocate(p); }
void operator delete(void* p, align_val_t, const nothrow_t&) noexcept { deallocate(p); }
void operator delete[](void* p, align_val_t, const nothrow_t&) noexcept { deallocate(p); }

#endif
