#pragma once

/// \file
/// A file as memory.

#include <annulus/storage/file.hpp>
#include <annulus/storage/system_files.hpp>

#include <cstring>
#include <span>
#include <utility>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The bytes of a regular file, from an address that is a multiple of 64. They are read from the disk when they are
/// touched, and the processes that map a file share its pages in memory. A page that is written to becomes this
/// process's own; the file is never changed.
///
/// A mapped file must not be truncated or written to in place: what is read may then change, and to read beyond the new
/// end ends the process (SIGBUS). Replacing it by a rename, as output_file does, is safe, and so is removing it, which
/// Windows refuses: the mapping stays with the old file.
class mapped_file {
 public:
  /// O(1). Bytes mapped to be read only must not be written to. \throws std::system_error where the file is missing,
  /// cannot be opened or mapped, or is not a regular file.
  explicit mapped_file(const std::filesystem::path& path, file_mapping mapping = file_mapping::copy_on_write)
      : m_name(name_of_path(path)), m_bytes(map_file(path, m_name, mapping)) {}
  mapped_file(mapped_file&& other) noexcept { swap(other); }
  mapped_file& operator=(mapped_file&& other) noexcept {
    mapped_file(std::move(other)).swap(*this);
    return *this;
  }
  ~mapped_file() { unmap_file(m_bytes); }

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
  }

  std::string m_name;
  std::span<std::byte> m_bytes;
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
