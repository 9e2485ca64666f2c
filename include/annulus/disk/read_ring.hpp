#pragma once

/// \file
/// Reads of a file that the kernel does meanwhile, by Linux's io_uring. Needs liburing where ANNULUS_WITH_LIBURING is
/// defined (as the CMake target annulus::disk does), which must be so in all units of a program or in none; without it
/// there are no rings. annulus.hpp leaves this header out.

#include <annulus/storage/system_files.hpp>

#include <cstddef>
#include <memory>

#if defined(ANNULUS_WITH_LIBURING)
#include <liburing.h>
#endif

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

#if defined(ANNULUS_WITH_LIBURING)

/// Reads that were handed to the kernel, at most as many as it has entries. For one thread at a time.
class read_ring {
 public:
  /// nullptr where the kernel has no io_uring or refuses it, as in many containers, or has no memory for it.
  static std::unique_ptr<read_ring> make(unsigned entries) {
    auto ring = std::unique_ptr<read_ring>(new read_ring);
    ring->m_is_open = io_uring_queue_init(entries, &ring->m_ring, 0) == 0;
    if (!ring->m_is_open) return nullptr;
    ring->m_entries = entries;
    return ring;
  }
  read_ring(const read_ring&) = delete;
  read_ring& operator=(const read_ring&) = delete;
  /// No read may be left.
  ~read_ring() {
    if (m_is_open) io_uring_queue_exit(&m_ring);
  }

  std::size_t entries() const noexcept { return m_entries; }

  /// Adds a read, known by `number`. There must be an entry for it.
  void add(const random_file& file, std::uint64_t offset, void* to, std::size_t bytes, std::size_t number) noexcept {
    io_uring_sqe* const entry = io_uring_get_sqe(&m_ring);
    io_uring_prep_read(entry, file.descriptor(), to, static_cast<unsigned>(bytes), offset);
    io_uring_sqe_set_data64(entry, number);
  }
  /// Hands the reads added, `n_added` of them, to the kernel, and returns how many it took, the first ones. Where that
  /// is not all of them, as when it has no memory, the ring is of no further use once those have ended.
  std::size_t submit(std::size_t n_added) noexcept {
    for (std::size_t n_taken = 0; n_taken < n_added;) {
      const int taken = io_uring_submit(&m_ring);
      if (taken > 0) n_taken += static_cast<std::size_t>(taken);
      else if (taken != -EINTR) return n_taken;
    }
    return n_added;
  }
  /// Waits until a read ends, and calls f(number, bytes read, or less than 0: an error) for all that have ended.
  template <class F>
  std::size_t wait(F f) noexcept {
    io_uring_cqe* entry = nullptr;
    while (io_uring_wait_cqe(&m_ring, &entry) != 0) {  // interrupted
    }
    unsigned head = 0, count = 0;
    io_uring_for_each_cqe(&m_ring, head, entry) {
      f(static_cast<std::size_t>(io_uring_cqe_get_data64(entry)), entry->res);
      ++count;
    }
    io_uring_cq_advance(&m_ring, count);
    return count;
  }

 private:
  read_ring() = default;

  io_uring m_ring{};
  unsigned m_entries = 0;
  bool m_is_open = false;
};

#else

/// Stands in the place of the ring where there is none.
class read_ring {
 public:
  static std::unique_ptr<read_ring> make(unsigned) noexcept { return nullptr; }
  std::size_t entries() const noexcept { return 0; }
  void add(const random_file&, std::uint64_t, void*, std::size_t, std::size_t) noexcept {}
  std::size_t submit(std::size_t) noexcept { return 0; }
  template <class F>
  std::size_t wait(F) noexcept {
    return 0;
  }
};

#endif

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
