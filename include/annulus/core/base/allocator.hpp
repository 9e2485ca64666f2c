#pragma once

/// \file
/// An allocator that aligns to cache lines and takes large blocks from the system, in huge pages.

#include <annulus/core/base/config.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

#if defined(__linux__)
inline constexpr bool maps_pages = true;
inline constexpr std::size_t page_bytes = 65536, huge_page_bytes = std::size_t{2} << 20;

inline std::size_t whole_pages(std::size_t bytes) noexcept {
  return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

/// Zeroed memory that begins at a boundary of huge pages.
inline void* map_pages(std::size_t bytes) {
  const std::size_t length = whole_pages(bytes) + huge_page_bytes;
  void* const mapped = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  char* const begin = static_cast<char*>(mapped);
  const std::size_t before =
      (huge_page_bytes - reinterpret_cast<std::uintptr_t>(begin) % huge_page_bytes) % huge_page_bytes;
  if (before > 0) ::munmap(begin, before);
  if (before < huge_page_bytes) ::munmap(begin + before + whole_pages(bytes), huge_page_bytes - before);
  ::madvise(begin + before, bytes, MADV_HUGEPAGE);  // advice, which may be refused
  return begin + before;
}
inline void unmap_pages(void* p, std::size_t bytes) noexcept { ::munmap(p, whole_pages(bytes)); }
#else
inline constexpr bool maps_pages = false;
inline void* map_pages(std::size_t) { throw std::bad_alloc(); }
inline void unmap_pages(void*, std::size_t) noexcept {}
#endif

/// Allocates on cache-line boundaries, which are also those of the widest SIMD register. On Linux, blocks of 8 MiB and
/// more are mapped in huge pages, which makes searches with their random accesses a tenth faster, and go back to the
/// system when they are freed.
template <class T>
struct aligned_allocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};
  aligned_allocator() = default;
  template <class U>
  aligned_allocator(const aligned_allocator<U>&) noexcept {}
  T* allocate(std::size_t n) {
    if (is_large(n)) return static_cast<T*>(map_pages(n * sizeof(T)));
    return static_cast<T*>(::operator new(n * sizeof(T), alignment));
  }
  void deallocate(T* p, std::size_t n) noexcept {
    if (is_large(n)) unmap_pages(p, n * sizeof(T));
    else ::operator delete(p, alignment);
  }
  friend bool operator==(const aligned_allocator&, const aligned_allocator&) { return true; }

 private:
  static constexpr bool is_large(std::size_t n) noexcept { return maps_pages && n * sizeof(T) >= std::size_t{8} << 20; }
};

template <class T>
using aligned_vector = std::vector<T, aligned_allocator<T>>;

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
