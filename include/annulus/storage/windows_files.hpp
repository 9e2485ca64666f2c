#pragma once

/// \file
/// Files under Windows. system_files.hpp says what each function does.
///
/// What is used of the system is declared here: windows.h would leave its macros (min, near, ERROR, ...) in every
/// program that includes the library. The declarations are those of windows.h, before or after which this header may
/// stand.

#if defined(_WIN32)
#include <annulus/storage/file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <utility>

#include <fcntl.h>
#include <io.h>
#include <share.h>
#include <sys/stat.h>

extern "C" {
struct _SECURITY_ATTRIBUTES;
struct _OVERLAPPED;
struct _FILETIME;
__declspec(dllimport) void* __stdcall CreateFileW(const wchar_t* path, unsigned long access, unsigned long sharing,
                                                  _SECURITY_ATTRIBUTES*, unsigned long disposition,
                                                  unsigned long attributes, void* attributes_of);
__declspec(dllimport) int __stdcall CloseHandle(void* file);
__declspec(dllimport) unsigned long __stdcall GetFileType(void* file);
__declspec(dllimport) unsigned long __stdcall GetFileSize(void* file, unsigned long* high_half);
__declspec(dllimport) int __stdcall ReadFile(void* file, void* to, unsigned long bytes, unsigned long* read,
                                             _OVERLAPPED* place);
__declspec(dllimport) int __stdcall GetFileTime(void* file, _FILETIME* created, _FILETIME* accessed,
                                                _FILETIME* written);
__declspec(dllimport) void* __stdcall CreateFileMappingW(void* file, _SECURITY_ATTRIBUTES*, unsigned long protection,
                                                         unsigned long size_high, unsigned long size_low,
                                                         const wchar_t* name);
__declspec(dllimport) void* __stdcall MapViewOfFile(void* mapping, unsigned long access, unsigned long offset_high,
                                                    unsigned long offset_low, std::size_t bytes);
__declspec(dllimport) int __stdcall UnmapViewOfFile(const void* start);
__declspec(dllimport) int __stdcall MoveFileExW(const wchar_t* from, const wchar_t* to, unsigned long flags);
__declspec(dllimport) unsigned long __stdcall GetLastError();
}

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The values of windows.h, whose names are macros there.
namespace windows {

inline constexpr unsigned long read = 0x80000000, write = 0x40000000;  // GENERIC_READ, GENERIC_WRITE
inline constexpr unsigned long share_all = 7;                          // FILE_SHARE_READ, _WRITE and _DELETE
inline constexpr unsigned long open_existing = 3;                      // OPEN_EXISTING
inline constexpr unsigned long disk_file = 1;                          // FILE_TYPE_DISK
inline constexpr unsigned long pages_copied = 8, view_copied = 1;      // PAGE_WRITECOPY, FILE_MAP_COPY
inline constexpr unsigned long pages_read = 2, view_read = 4;          // PAGE_READONLY, FILE_MAP_READ
inline constexpr unsigned long replace_existing = 1;                   // MOVEFILE_REPLACE_EXISTING
inline constexpr unsigned long write_through = 8;                      // MOVEFILE_WRITE_THROUGH
inline constexpr unsigned long no_file = 2, no_folder = 3;             // ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND
inline constexpr unsigned long at_end = 38;                            // ERROR_HANDLE_EOF
inline constexpr unsigned long no_size = 0xFFFFFFFF;                   // INVALID_FILE_SIZE

}  // namespace windows

/// Throws for the system call that failed last, whose error is `error`.
[[noreturn, gnu::noinline, gnu::cold]] inline void fail_windows(unsigned long error, const std::string& file) {
  throw std::system_error(static_cast<int>(error), std::system_category(), file);
}

/// Owns a handle of the system.
class windows_handle {
 public:
  explicit windows_handle(void* handle) noexcept : m_handle(handle) {}
  windows_handle(windows_handle&& other) noexcept : m_handle(std::exchange(other.m_handle, nullptr)) {}
  windows_handle& operator=(windows_handle&& other) noexcept {
    std::swap(m_handle, other.m_handle);
    return *this;
  }
  ~windows_handle() {
    if (*this) CloseHandle(m_handle);
  }

  /// Functions return one of two values for none.
  explicit operator bool() const noexcept {
    return m_handle != nullptr && reinterpret_cast<std::intptr_t>(m_handle) != -1;
  }
  void* get() const noexcept { return m_handle; }

 private:
  void* m_handle;
};

/// A file that is there, opened for reading or writing.
inline windows_handle open_windows_file(const std::filesystem::path& path, unsigned long access) noexcept {
  return windows_handle(
      CreateFileW(path.c_str(), access, windows::share_all, nullptr, windows::open_existing, 0, nullptr));
}

/// A regular file, opened for reading.
inline windows_handle open_regular_file(const std::filesystem::path& path, const std::string& name) {
  windows_handle file = open_windows_file(path, windows::read);
  if (!file) fail_windows(GetLastError(), name);
  if (GetFileType(file.get()) != windows::disk_file) fail_system(EINVAL, name);
  return file;
}
inline std::uint64_t size_of_file(const windows_handle& file, const std::string& name) {
  unsigned long high_half = 0;
  const unsigned long low_half = GetFileSize(file.get(), &high_half);
  if (low_half == windows::no_size && GetLastError() != 0) fail_windows(GetLastError(), name);
  return std::uint64_t{high_half} << 32 | low_half;
}

inline std::span<std::byte> map_file(const std::filesystem::path& path, const std::string& name,
                                     file_mapping mapping_kind = file_mapping::copy_on_write) {
  const windows_handle file = open_regular_file(path, name);
  const auto size = static_cast<std::size_t>(size_of_file(file, name));
  if (size == 0) return {};  // of which no mapping can be made
  const bool is_read = mapping_kind == file_mapping::read_only;
  const windows_handle mapping(
      CreateFileMappingW(file.get(), nullptr, is_read ? windows::pages_read : windows::pages_copied, 0, 0, nullptr));
  if (!mapping) fail_windows(GetLastError(), name);
  void* const start = MapViewOfFile(mapping.get(), is_read ? windows::view_read : windows::view_copied, 0, 0, size);
  if (start == nullptr) fail_windows(GetLastError(), name);
  return {static_cast<std::byte*>(start), size};
}

inline void unmap_file(std::span<std::byte> bytes) noexcept {
  if (!bytes.empty()) UnmapViewOfFile(bytes.data());
}

inline bool flush_to_disk(std::FILE* file) noexcept { return _commit(_fileno(file)) == 0; }

inline std::FILE* open_to_append(const std::filesystem::path& path) noexcept { return _wfopen(path.c_str(), L"abN"); }

class file_lock {
 public:
  file_lock(const std::filesystem::path& path, const std::string& name) {
    constexpr int flags = _O_RDWR | _O_CREAT | _O_TEMPORARY | _O_BINARY | _O_NOINHERIT;
    // EACCES: another has it, or removes it.
    if (_wsopen_s(&m_number, path.c_str(), flags, _SH_DENYRW, _S_IREAD | _S_IWRITE) != 0 && errno != EACCES)
      fail_system(errno, name);
  }
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;
  ~file_lock() {
    if (m_number >= 0) _close(m_number);
  }
  bool is_held() const noexcept { return m_number >= 0; }

 private:
  int m_number = -1;
};

class random_file {
 public:
  random_file(const std::filesystem::path& path, const std::string& name, bool)
      : m_file(open_regular_file(path, name)), m_size(size_of_file(m_file, name)), m_written(written()) {}

  std::uint64_t size() const noexcept { return m_size; }
  std::size_t alignment() const noexcept { return 1; }

  std::size_t read_at(std::uint64_t offset, void* to, std::size_t bytes, const std::string& name) const {
    struct {
      std::uintptr_t internal[2];
      std::uint64_t offset;
      void* event;
    } place{{0, 0}, offset, nullptr};  // an OVERLAPPED
    unsigned long got = 0;
    const auto most = static_cast<unsigned long>(std::min<std::size_t>(bytes, std::size_t{1} << 30));
    if (ReadFile(m_file.get(), to, most, &got, reinterpret_cast<_OVERLAPPED*>(&place)) == 0)
      if (const unsigned long error = GetLastError(); error != windows::at_end) fail_windows(error, name);
    return got;
  }
  bool is_unchanged() const noexcept {
    unsigned long high_half = 0;
    const std::uint64_t low_half = GetFileSize(m_file.get(), &high_half);
    return (std::uint64_t{high_half} << 32 | low_half) == m_size && written() == m_written;
  }

 private:
  /// When it was last written to; 0 where that is not known.
  std::uint64_t written() const noexcept {
    std::uint64_t time = 0;  // a FILETIME
    return GetFileTime(m_file.get(), nullptr, nullptr, reinterpret_cast<_FILETIME*>(&time)) != 0 ? time : 0;
  }

  windows_handle m_file;
  std::uint64_t m_size, m_written;
};

class replaced_file {
 public:
  replaced_file(const std::filesystem::path& path, const std::string& name) {
    const windows_handle file = open_windows_file(path, windows::write);
    if (file) m_is_special = GetFileType(file.get()) != windows::disk_file;
    else if (const unsigned long error = GetLastError(); error != windows::no_file && error != windows::no_folder)
      fail_windows(error, name);
  }

  bool is_special() const noexcept { return m_is_special; }

  std::FILE* open_special(const std::filesystem::path& path) const noexcept { return _wfopen(path.c_str(), L"wb"); }

  std::FILE* create_temporary(const std::filesystem::path& path) const noexcept {
    int number = -1;
    constexpr int flags = _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY | _O_NOINHERIT;
    if (_wsopen_s(&number, path.c_str(), flags, _SH_DENYNO, _S_IREAD | _S_IWRITE) != 0) return nullptr;
    std::FILE* const file = _fdopen(number, "wb");
    if (file == nullptr) {
      const int error = errno;
      _close(number);
      _wunlink(path.c_str());
      errno = error;
    }
    return file;
  }

  bool complete(std::FILE* file, const std::filesystem::path&) const noexcept { return flush_to_disk(file); }

 private:
  bool m_is_special = false;
};

inline void replace_file(const std::filesystem::path& temporary, const std::filesystem::path& path,
                         const std::string& name) {
  std::filesystem::path old = temporary;
  old.replace_extension("old");
  if (MoveFileExW(temporary.c_str(), path.c_str(), windows::replace_existing | windows::write_through) != 0) return;
  unsigned long error = GetLastError();
  // A file that is mapped can be renamed, but not be deleted, by which a rename replaces it.
  if (MoveFileExW(path.c_str(), old.c_str(), 0) == 0) fail_windows(error, name);
  if (MoveFileExW(temporary.c_str(), path.c_str(), windows::write_through) == 0) {
    error = GetLastError();
    MoveFileExW(old.c_str(), path.c_str(), 0);
    fail_windows(error, name);
  }
  _wunlink(old.c_str());
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
#endif
