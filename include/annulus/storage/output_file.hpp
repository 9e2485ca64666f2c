#pragma once

/// \file
/// Writes a file that appears whole or not at all, and that keeps the place, mode and owner of the one it
/// replaces, as far as the process may.

#include <annulus/storage/file.hpp>
#include <annulus/storage/system_files.hpp>

#include <array>
#include <cstdio>
#include <random>
#include <utility>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Writes a temporary file in the folder of `path`, which commit() puts in its place: until then, and after any crash
/// before, the old file is as it was. Without a commit the temporary file is removed; a process that is killed leaves
/// it behind, as annulus-<16 digits>.tmp.
///
/// A symbolic link stays, and what it leads to is replaced, or made. A new file has the rights that the process gives
/// new files (0666 less its umask). One that replaces another has its mode, and its owner and group where the process
/// may give files away; where it may not, group and others have the rights that both had. At no time can anyone read
/// the temporary file who cannot read the file that it replaces. Not kept are other hard links (they hold the old
/// bytes), access control lists, other extended attributes, and set-user-id bits. A file that may not be written is
/// refused, as is a folder in which none may be made. What is no regular file, as a pipe, a terminal or /dev/null, is
/// written to.
///
/// Under Windows a file has the rights that its folder gives, also where it replaces another. One that a program has
/// open is refused, unless it is mapped by this library: as Windows deletes no mapped file, the old one then stays as
/// annulus-<16 digits>.old, which may be deleted later.
class output_file {
 public:
  /// \throws std::system_error where the file may not be written, or the temporary file not be made.
  explicit output_file(const std::filesystem::path& path)
      : m_name(name_of_path(path)), m_path(followed(path)), m_old(path, m_name) {
    if (!m_old.is_special()) {
      make_temporary();
      return;
    }
    m_file = m_old.open_special(path);  // not where a link of /proc says it leads to
    if (m_file == nullptr) fail();
  }
  output_file(const output_file&) = delete;
  output_file& operator=(const output_file&) = delete;
  ~output_file() {
    if (m_file != nullptr) std::fclose(m_file);
    remove_temporary();
  }

  /// \throws std::system_error, as where the disk is full.
  void write(const void* from, std::size_t bytes) {
    if (std::fwrite(from, 1, bytes, m_file) != bytes) fail();
  }

  /// Flushes to the disk, closes and renames. \throws std::system_error where one of these fails. The new file outlives
  /// a power cut from then on, where the file system can flush folders; where it cannot, one of the two files does.
  void commit() {
    if (std::fflush(m_file) != 0) fail();
    // Else a rename may reach the disk before the bytes do, and a power cut leaves an empty file.
    if (!m_temporary.empty() && !m_old.complete(m_file, m_path)) fail();
    if (std::fclose(std::exchange(m_file, nullptr)) != 0) fail();
    if (m_temporary.empty()) return;
    replace_file(m_temporary, m_path, m_name);
    m_temporary.clear();
  }

 private:
  [[noreturn]] void fail() const { fail_system(errno, m_name); }

  /// Where symbolic links lead to, the last of which may lead to nothing yet.
  static std::filesystem::path followed(std::filesystem::path path) {
    if (path.empty()) fail_system(ENOENT, "");
    constexpr int most = 40;  // the limit of Linux
    for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(path)); ++links) {
      if (links == most) fail_system(ELOOP, name_of_path(path));
      path = path.parent_path() / std::filesystem::read_symlink(path);
    }
    return path;
  }

  /// A path whose name does not grow with the file's.
  std::filesystem::path temporary_path() const {
    std::random_device random;  // processes that write the same file have different ones
    std::array<char, 32> name;
    std::snprintf(name.data(), name.size(), "annulus-%08x%08x.tmp", random(), random());
    return m_path.parent_path() / name.data();
  }

  void remove_temporary() noexcept {
    std::error_code ignored;
    if (!m_temporary.empty()) std::filesystem::remove(m_temporary, ignored);
  }

  void make_temporary() {
    for (;;) {
      std::filesystem::path path = temporary_path();
      m_file = m_old.create_temporary(path);
      if (m_file != nullptr) {
        m_temporary = std::move(path);
        return;
      }
      if (const int error = errno; error != EEXIST)
        fail_system(error, m_name + ": a temporary file beside it cannot be made");
    }
  }

  std::string m_name;            ///< as it was given
  std::filesystem::path m_path;  ///< behind links
  std::filesystem::path m_temporary;
  replaced_file m_old;
  std::FILE* m_file = nullptr;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
