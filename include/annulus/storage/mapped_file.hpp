#pragma once

/// \file
/// A file as memory: mapped where the system can, read whole where it cannot.

#include <annulus/storage/file.hpp>

#include <cstring>
#include <span>
#include <utility>

#if __has_include(<sys/mman.h>)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#include <memory>
#include <new>
#endif

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The bytes of a regular file, from an address that is a multiple of 64. They are read from the disk when they are
/// touched, and the processes that map a file share its pages in memory. A page that is written to becomes this
/// process's own; the file is never changed.
///
/// A mapped file must not be truncated or written to in place: what is read may then change, and to read beyond the new
/// end ends the process (SIGBUS). Replacing it by a rename, as output_file does, or removing it is safe: the mapping
/// stays with the old file.
///
/// Where there is no mmap the file is read into memory.
class mapped_file {
 public:
  /// O(1), but for a platform without mmap. \throws std::system_error where the file is missing, cannot be opened or
  /// mapped, or is not a regular file.
  explicit mapped_file(const std::filesystem::path& path) : m_name(path.string()) {
#if __has_include(<sys/mman.h>)
    const descriptor file(path.c_str());
    struct stat status;
    if (file.number < 0 || fstat(file.number, &status) != 0) fail_system(errno, m_name);
    if (!S_ISREG(status.st_mode)) fail_system(S_ISDIR(status.st_mode) ? EISDIR : ENOTSUP, m_name);
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) return;  // which mmap refuses
    void* const start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file.number, 0);
    if (start == MAP_FAILED) fail_system(errno, m_name);
    m_bytes = {static_cast<std::byte*>(start), size};
#else
    input_file file(path);
    m_memory.reset(new (std::align_val_t{64}) std::byte[file.size()]);
    m_bytes = {m_memory.get(), static_cast<std::size_t>(file.size())};
    file.read(m_bytes.data(), m_bytes.size());
#endif
  }
  mapped_file(mapped_file&& other) noexcept { swap(other); }
  mapped_file& operator=(mapped_file&& other) noexcept {
    mapped_file(std::move(other)).swap(*this);
    return *this;
  }
#if __has_include(<sys/mman.h>)
  ~mapped_file() {
    if (!m_bytes.empty()) munmap(m_bytes.data(), m_bytes.size());
  }
#endif

  const std::string& name() const noexcept { return m_name; }  ///< the path, as messages give it
  std::span<std::byte> bytes() noexcept { return m_bytes; }
  std::span<const std::byte> bytes() const noexcept { return m_bytes; }

  template <class... Reason>
  [[noreturn]] void fail(std::uint64_t offset, const Reason&... reason) const {
    fail_format(m_name, offset, reason...);
  }

 private:
  void swap(mapped_file& other) noexcept {
    std::swap(m_name, other.m_name);
    std::swap(m_bytes, other.m_bytes);
#if !__has_include(<sys/mman.h>)
    std::swap(m_memory, other.m_memory);
#endif
  }

  std::string m_name;
  std::span<std::byte> m_bytes;

#if __has_include(<sys/mman.h>)
  struct descriptor {
    // Without O_NONBLOCK a named pipe would wait for a writer.
    explicit descriptor(const char* path) : number(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
      if (number >= 0) close(number);
    }
    int number;
  };
#else
  struct aligned_delete {
    void operator()(std::byte* memory) const { ::operator delete[](memory, std::align_val_t{64}); }
  };
  std::unique_ptr<std::byte[], aligned_delete> m_memory;
#endif
};

/// Reads a mapped file from front to back.
class mapped_reader : public sequential_reader<mapped_reader> {
 public:
  explicit mapped_reader(const mapped_file& file) noexcept : m_file(file) {}

  const std::string& name() const noexcept { return m_file.name(); }
  std::uint64_t size() const noexcept { return m_file.bytes().size(); }

  void read_next(void* to, std::size_t bytes) {
    check_follow(bytes);
    if (bytes > 0) std::memcpy(to, m_file.bytes().data() + m_offset, bytes);
  }

 private:
  const mapped_file& m_file;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
