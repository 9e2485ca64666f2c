#pragma once

/// \file
/// What every room that reads or writes files shares: reads checked against the size of the file, and writes that
/// appear whole or not at all.

#include <annulus/core/errors.hpp>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <system_error>

#if __has_include(<unistd.h>)
#include <fcntl.h>
#include <unistd.h>
#endif

#include <annulus/core/macros_off.hpp>

namespace annulus::inline ANNULUS_ARCH::detail {

static_assert(std::endian::native == std::endian::little, "annulus: the file formats are little-endian");

[[noreturn, gnu::noinline, gnu::cold]] inline void fail_system(int error, const std::string& file) {
  throw std::system_error(error, std::generic_category(), file);
}

template <class... Reason>
[[noreturn, gnu::noinline, gnu::cold]] void fail_format(const std::string& file, std::uint64_t offset,
                                                        const Reason&... reason) {
  std::ostringstream message;
  (message << ... << reason);
  throw format_error(file, offset, message.str());
}

/// Of a read that the file ended `missing` bytes before the end of.
template <class File>
[[noreturn, gnu::noinline, gnu::cold]] void fail_too_early(const File& file, std::uint64_t missing) {
  if (file.size() == 0) file.fail(0, "the file is empty");
  file.fail(file.size(), "the file ends here, ", missing, " bytes too early");
}

/// A regular file read from front to back. Nothing should be allocated for what size() does not justify.
class input_file {
 public:
  /// \throws std::system_error where the file is missing, cannot be opened, or is not a regular file.
  explicit input_file(const std::filesystem::path& path)
      : m_name(path.string()), m_size(std::filesystem::file_size(path)), m_stream(path, std::ios::binary) {
    if (!m_stream) fail_system(errno, m_name);
  }

  const std::string& name() const noexcept { return m_name; }
  std::uint64_t size() const noexcept { return m_size; }
  std::uint64_t offset() const noexcept { return m_offset; }

  void seek(std::uint64_t offset) {
    if (offset == m_offset) return;  // the stream would drop what it has read ahead
    m_stream.seekg(static_cast<std::streamoff>(offset));
    m_offset = offset;
  }

  /// \throws format_error where the file ends before `bytes` bytes; std::system_error where the system cannot read
  /// them.
  void read(void* to, std::size_t bytes) {
    m_stream.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
    const auto got = static_cast<std::uint64_t>(m_stream.gcount());
    if (m_stream.bad()) fail_system(errno, m_name);
    if (got != bytes) fail_too_early(*this, bytes - got);
    m_offset += bytes;
  }

  template <class T>
  T read_value() {
    T value;
    read(&value, sizeof(value));
    return value;
  }

  template <class... Reason>
  [[noreturn]] void fail(std::uint64_t offset, const Reason&... reason) const {
    fail_format(m_name, offset, reason...);
  }

 private:
  std::string m_name;
  std::uint64_t m_size;
  std::uint64_t m_offset = 0;
  std::ifstream m_stream;
};

/// Writes a temporary file beside `path`, which commit() puts in its place: until then, and after any crash before, the
/// old file is as it was. Without a commit the temporary file is removed; a process that is killed leaves it behind, as
/// path.tmp- and two numbers.
class output_file {
 public:
  /// \throws std::system_error where the temporary file cannot be created.
  explicit output_file(std::filesystem::path path) : m_path(std::move(path)), m_temporary(m_path) {
    std::random_device random;  // writers of the same file in several processes must not meet
    m_temporary += ".tmp-" + std::to_string(random()) + "-" + std::to_string(random());
    m_file = std::fopen(m_temporary.string().c_str(), "wb");
    if (m_file == nullptr) fail();
  }
  output_file(const output_file&) = delete;
  output_file& operator=(const output_file&) = delete;
  ~output_file() {
    if (m_file != nullptr) std::fclose(m_file);
    std::error_code ignored;
    if (!m_committed) std::filesystem::remove(m_temporary, ignored);
  }

  /// \throws std::system_error, as where the disk is full.
  void write(const void* from, std::size_t bytes) {
    if (std::fwrite(from, 1, bytes, m_file) != bytes) fail();
  }

  /// Flushes to the disk, closes and renames. \throws std::system_error where one of these fails. The new file outlives
  /// a power cut from then on, where the file system can flush folders; where it cannot, one of the two files does.
  void commit() {
    if (std::fflush(m_file) != 0) fail();
#if __has_include(<unistd.h>)
    // Else a rename may reach the disk before the bytes do, and a power cut leaves an empty file.
    if (fsync(fileno(m_file)) != 0) fail();
#endif
    if (std::fclose(std::exchange(m_file, nullptr)) != 0) fail();
    const std::filesystem::path folder = m_path.parent_path();  // allocates, and behind the rename nothing may throw
    std::filesystem::rename(m_temporary, m_path);
    m_committed = true;
    flush_folder(folder);
  }

 private:
  /// Where this fails the commit has not: the new file is in its place.
  static void flush_folder([[maybe_unused]] const std::filesystem::path& folder) noexcept {
#if __has_include(<unistd.h>)
    const int number = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (number < 0) return;
    fsync(number);
    close(number);
#endif
  }
  [[noreturn]] void fail() const { fail_system(errno, m_path.string()); }

  std::filesystem::path m_path, m_temporary;
  std::FILE* m_file = nullptr;
  bool m_committed = false;
};

}  // namespace annulus::inline ANNULUS_ARCH::detail

#include <annulus/core/macros_on.hpp>
