#pragma once

/// \file
/// Reads a file from front to back, every read checked against the size of the file; what all such readers share; how
/// messages name a file; and the functions that throw for files that are malformed or cannot be read.

#include <annulus/core/base/errors.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

static_assert(std::endian::native == std::endian::little, "annulus: the file formats are little-endian");

/// A path as messages give it: its bytes, and under Windows UTF-8, as string() may not know all of its characters.
inline std::string name_of_path(const std::filesystem::path& path) {
  const std::u8string name = path.u8string();
  return {reinterpret_cast<const char*>(name.data()), name.size()};
}
inline std::filesystem::path path_of_name(const std::string& name) { return std::u8string(name.begin(), name.end()); }

[[noreturn, gnu::noinline, gnu::cold]] inline void fail_system(int error, const std::string& file) {
  throw std::system_error(error, std::generic_category(), file);
}

/// What a process may do with the bytes of a mapped file: write to pages that become its own, or read. What can be
/// written counts as memory of the process where that is limited (RLIMIT_DATA), touched or not.
enum class file_mapping { copy_on_write, read_only };

template <class... Reason>
[[noreturn, gnu::noinline, gnu::cold]] void fail_format(const std::string& file, std::uint64_t offset,
                                                        const Reason&... reason) {
  std::string message;
  (append_to(message, reason), ...);
  throw format_error(file, offset, message);
}

/// Throws for a read that would need `missing` bytes more than the file has.
template <class File>
[[noreturn, gnu::noinline, gnu::cold]] void fail_too_early(const File& file, std::uint64_t missing) {
  if (file.size() == 0) file.fail(0, "the file is empty");
  file.fail(file.size(), "the file ends here, ", missing, " bytes too early");
}

/// The base of readers, from front to back, of bytes whose number is known. Reader has name(), as messages give it,
/// size(), and read_next(to, bytes), which reads from offset() on and throws where fewer bytes follow. Callers allocate
/// no more than size() justifies.
template <class Reader>
class sequential_reader {
 public:
  std::uint64_t offset() const noexcept { return m_offset; }

  /// \throws format_error where the file ends before `bytes` bytes, and what read_next throws.
  void read(void* to, std::size_t bytes) {
    static_cast<Reader&>(*this).read_next(to, bytes);
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
    fail_format(static_cast<const Reader&>(*this).name(), offset, reason...);
  }

 protected:
  /// \throws format_error unless `bytes` bytes follow.
  void check_follow(std::size_t bytes) const {
    const auto& reader = static_cast<const Reader&>(*this);
    const std::uint64_t left = reader.size() - m_offset;
    if (left < bytes) fail_too_early(reader, bytes - left);
  }

  std::uint64_t m_offset = 0;
};

/// Reads a regular file.
class input_file : public sequential_reader<input_file> {
 public:
  /// \throws std::system_error where the file is missing, cannot be opened, or is not a regular file.
  explicit input_file(const std::filesystem::path& path)
      : m_name(name_of_path(path)), m_size(std::filesystem::file_size(path)), m_stream(path, std::ios::binary) {
    if (!m_stream) fail_system(errno, m_name);
  }

  const std::string& name() const noexcept { return m_name; }
  std::uint64_t size() const noexcept { return m_size; }

  void seek(std::uint64_t offset) {
    if (offset == m_offset) return;  // the stream would drop what it has read ahead
    m_stream.seekg(static_cast<std::streamoff>(offset));
    m_offset = offset;
  }

  /// \throws std::system_error where the system cannot read the file.
  void read_next(void* to, std::size_t bytes) {
    m_stream.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
    const auto got = static_cast<std::uint64_t>(m_stream.gcount());
    if (m_stream.bad()) fail_system(errno, m_name);
    if (got != bytes) fail_too_early(*this, bytes - got);
  }

 private:
  std::string m_name;
  std::uint64_t m_size;
  std::ifstream m_stream;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
