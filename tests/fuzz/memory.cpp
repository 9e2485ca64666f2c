// Memory for the fuzz targets, which ends the program where too much is asked for at once: by operator new, or from the
// system (the linker puts __wrap_mmap in the place of mmap).

#include "fuzz.hpp"

#include <new>

namespace fuzz {
std::size_t most_at_once = no_limit;
}

namespace {

void check_size(std::size_t n) {
  if (n <= fuzz::most_at_once) return;
  std::fprintf(stderr, "fuzz: %zu bytes are asked for at once, the input justifies %zu\n", n, fuzz::most_at_once);
  std::abort();
}

void* allocate_or_null(std::size_t n, std::size_t alignment) noexcept {
  check_size(n);
  const std::size_t least = n > 0 ? n : 1;
  if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) return std::malloc(least);
  void* p = nullptr;  // of exactly that size, so that the sanitizer sees its end
  return posix_memalign(&p, alignment, least) == 0 ? p : nullptr;
}
void* allocate(std::size_t n, std::size_t alignment) {
  if (void* const p = allocate_or_null(n, alignment)) return p;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t n) { return allocate(n, 1); }
void* operator new[](std::size_t n) { return allocate(n, 1); }
void* operator new(std::size_t n, std::align_val_t a) { return allocate(n, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return allocate(n, static_cast<std::size_t>(a)); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return allocate_or_null(n, 1); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return allocate_or_null(n, 1); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }

/// The address sanitizer's settings: short stacks and a small quarantine make it twice as fast on small inputs.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "malloc_context_size=4:quarantine_size_mb=16"; }

extern "C" void* __real_mmap(void* address, std::size_t length, int protection, int flags, int descriptor, off_t at);
extern "C" void* __wrap_mmap(void* address, std::size_t length, int protection, int flags, int descriptor, off_t at) {
  constexpr std::size_t alignment_of_pages = std::size_t{4} << 20;  // what an aligned mapping asks for on top
  if (length > alignment_of_pages) check_size(length - alignment_of_pages);
  return __real_mmap(address, length, protection, flags, descriptor, at);
}
