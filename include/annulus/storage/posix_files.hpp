#pragma once

/// \file
/// Files under POSIX: Linux, macOS, BSD. system_files.hpp says what each function does.

#if !defined(_WIN32)
#include <annulus/storage/file.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/xattr.h>
#endif

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A regular file that is open for reading.
class read_descriptor {
 public:
  read_descriptor(const std::filesystem::path& path, const std::string& name, int flags = 0)
      // Without O_NONBLOCK a named pipe would wait for a writer.
      : number(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags)) {
    if (number < 0) fail_system(errno, name);
    const int error = fstat(number, &status) != 0 ? errno
                      : S_ISREG(status.st_mode)   ? 0
                      : S_ISDIR(status.st_mode)   ? EISDIR
                                                  : ENOTSUP;
    if (error == 0) return;
    close(number);
    fail_system(error, name);
  }
  read_descriptor(read_descriptor&& other) noexcept : number(std::exchange(other.number, -1)), status(other.status) {}
  read_descriptor& operator=(read_descriptor&& other) noexcept {
    std::swap(number, other.number);
    std::swap(status, other.status);
    return *this;
  }
  ~read_descriptor() {
    if (number >= 0) close(number);
  }

  int number;
  struct stat status {};  ///< when it was opened
};

inline std::span<std::byte> map_file(const std::filesystem::path& path, const std::string& name,
                                     file_mapping mapping = file_mapping::copy_on_write) {
  const read_descriptor file(path, name);
  const auto size = static_cast<std::size_t>(file.status.st_size);
  if (size == 0) return {};  // which mmap refuses
  const int rights = mapping == file_mapping::read_only ? PROT_READ : PROT_READ | PROT_WRITE;
  void* const start = mmap(nullptr, size, rights, MAP_PRIVATE | MAP_NORESERVE, file.number, 0);
  if (start == MAP_FAILED) fail_system(errno, name);
  return {static_cast<std::byte*>(start), size};
}

inline void unmap_file(std::span<std::byte> bytes) noexcept {
  if (!bytes.empty()) munmap(bytes.data(), bytes.size());
}

inline bool flush_to_disk(std::FILE* file) noexcept {
  const int number = fileno(file);
#if defined(F_FULLFSYNC)
  // macOS, where fsync leaves the bytes in the memory of the drive. Some file systems have fsync alone.
  if (fcntl(number, F_FULLFSYNC) == 0) return true;
#endif
  return fsync(number) == 0;
}

/// The stream of a file that was opened; closes it where that fails. Of a negative number, which is no file, nullptr.
inline std::FILE* stream_of(int number, const char* mode) noexcept {
  if (number < 0) return nullptr;
  std::FILE* const file = fdopen(number, mode);
  if (file == nullptr) {
    const int error = errno;
    close(number);
    errno = error;
  }
  return file;
}

inline std::FILE* open_to_append(const std::filesystem::path& path) noexcept {
  return stream_of(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666), "ab");
}

class file_lock {
 public:
  file_lock(const std::filesystem::path& path, const std::string& name)
      : m_path(path), m_number(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (m_number < 0) fail_system(errno, name);
    struct stat status;
    // Whoever had it may have removed the file since it was opened here.
    m_is_held = (flock(m_number, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) &&
                (fstat(m_number, &status) != 0 || status.st_nlink > 0);
  }
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;
  ~file_lock() {
    if (m_is_held) unlink(m_path.c_str());
    close(m_number);
  }
  bool is_held() const noexcept { return m_is_held; }

 private:
  std::filesystem::path m_path;
  int m_number;
  bool m_is_held = false;
};

class random_file {
 public:
  random_file(const std::filesystem::path& path, const std::string& name, [[maybe_unused]] bool is_direct)
      : m_file(path, name) {
#if defined(O_DIRECT)
    if (is_direct) open_direct(path, name);
#endif
  }

  std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(m_file.status.st_size); }
  std::size_t alignment() const noexcept { return m_alignment; }
  int descriptor() const noexcept { return m_file.number; }

  std::size_t read_at(std::uint64_t offset, void* to, std::size_t bytes, const std::string& name) const {
    for (;;) {
      const ssize_t got = pread(m_file.number, to, bytes, static_cast<off_t>(offset));
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) fail_system(errno, name);
    }
  }
  bool is_unchanged() const noexcept {
    struct stat now;
    return fstat(m_file.number, &now) == 0 && now.st_size == m_file.status.st_size &&
           written(now) == written(m_file.status);
  }

 private:
#if defined(O_DIRECT)
  /// Some file systems refuse O_DIRECT when a file is opened, others when it is read; disks differ in their alignment.
  void open_direct(const std::filesystem::path& path, const std::string& name) {
    constexpr std::size_t sector = 512, page = 4096;
    try {
      read_descriptor file(path, name, O_DIRECT);
      const std::unique_ptr<std::byte[]> memory(new std::byte[3 * page]);
      const auto place = reinterpret_cast<std::uintptr_t>(memory.get());
      std::byte* const aligned = memory.get() + (page - place % page) + sector;  // and at no multiple of a page
      for (const std::size_t alignment : {sector, page})
        if (pread(file.number, alignment == page ? aligned - sector : aligned, alignment, 0) >= 0) {
          m_file = std::move(file);
          m_alignment = alignment;
          return;
        }
    } catch (const std::system_error&) {  // it stays buffered
    }
  }
#endif
  /// The time of the last write, in ns.
  static std::int64_t written(const struct stat& status) noexcept {
#if defined(__APPLE__)
    const auto& time = status.st_mtimespec;
#else
    const auto& time = status.st_mtim;
#endif
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  }

  read_descriptor m_file;
  std::size_t m_alignment = 1;
};

class replaced_file {
 public:
  replaced_file(const std::filesystem::path& path, const std::string& name) {
    m_exists = stat(path.c_str(), &m_status) == 0;
    if (!m_exists && errno != ENOENT) fail_system(errno, name);
    if (!m_exists) return;
    if (S_ISDIR(m_status.st_mode)) fail_system(EISDIR, name);
    if (faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) fail_system(errno, name);
  }

  bool is_special() const noexcept { return m_exists && !S_ISREG(m_status.st_mode); }

  std::FILE* open_special(const std::filesystem::path& path) const noexcept {
    return stream_of(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY), "wb");
  }

  std::FILE* create_temporary(const std::filesystem::path& path) const noexcept {
    constexpr unsigned of_owner = S_IRUSR | S_IWUSR, of_new_files = 0666;
    const unsigned mode = m_exists ? m_status.st_mode & of_owner : of_new_files;
    const int number = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    std::FILE* const file = stream_of(number, "wb");
    if (number >= 0 && file == nullptr) {
      const int error = errno;
      unlink(path.c_str());
      errno = error;
    }
    return file;
  }

  bool complete(std::FILE* file, const std::filesystem::path& path) const noexcept {
    return (!m_exists || give_rights(fileno(file), path.c_str())) && flush_to_disk(file);
  }

 private:
  /// Owner, group and mode.
  bool give_rights(int number, [[maybe_unused]] const char* path) const noexcept {
    struct stat now {};
    if (fstat(number, &now) != 0) return false;
    bool is_same_group = now.st_gid == m_status.st_gid;
    if (now.st_uid != m_status.st_uid || !is_same_group)
      is_same_group = fchown(number, m_status.st_uid, m_status.st_gid) == 0 || is_same_group ||
                      fchown(number, static_cast<uid_t>(-1), m_status.st_gid) == 0;
#if defined(__linux__)
    // One that comes from the folder would let others in; under one of its own the group's bits bounded others' rights.
    static_cast<void>(fremovexattr(number, "system.posix_acl_access"));
    if (getxattr(path, "system.posix_acl_access", nullptr, 0) > 0) is_same_group = false;
#endif
    constexpr unsigned every = S_IRWXU | S_IRWXG | S_IRWXO;
    unsigned mode = m_status.st_mode & every;
    if (!is_same_group) {
      const unsigned both = mode >> 3 & mode & S_IRWXO;
      mode = (mode & S_IRWXU) | both << 3 | both;
    }
    // File systems without modes refuse, which does no harm where that of all their files is no wider.
    return (now.st_mode & every) == mode || fchmod(number, static_cast<mode_t>(mode)) == 0 ||
           (now.st_mode & every & ~mode) == 0;
  }

  struct stat m_status {};
  bool m_exists = false;
};

inline void replace_file(const std::filesystem::path& temporary, const std::filesystem::path& path,
                         const std::string& name) {
  const std::filesystem::path folder = path.parent_path();  // allocates, and behind the rename nothing may throw
  if (std::rename(temporary.c_str(), path.c_str()) != 0) fail_system(errno, name);
  const int number = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (number < 0) return;
  fsync(number);  // a failure is none of the replacement: the new file is in its place
  close(number);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
#endif
