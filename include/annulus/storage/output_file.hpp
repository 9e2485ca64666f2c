#pragma once

/// \file
/// Writes a file that appears whole or not at all, and that keeps the place, mode and owner of the one it
/// replaces, as far as the process may.

#include <annulus/storage/file.hpp>

#include <array>
#include <cstdio>
#include <random>
#include <utility>

#if __has_include(<unistd.h>)
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif
#if defined(__linux__)
#include <sys/xattr.h>
#endif

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
class output_file {
 public:
  /// \throws std::system_error where the file may not be written, or the temporary file not be made.
  explicit output_file(std::filesystem::path path) : m_name(path.string()), m_path(followed(std::move(path))) {
    if (m_name.empty()) fail_system(ENOENT, m_name);
#if __has_include(<unistd.h>)
    int number = -1;
    if (find_old() && !S_ISREG(m_old.st_mode)) {
      number = open(m_name.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);  // not where a link of /proc says it leads to
      if (number < 0) fail();
    } else {
      number = make_temporary();
    }
    m_file = fdopen(number, "wb");
    if (m_file == nullptr) {
      const int error = errno;
      close(number);
      remove_temporary();
      fail_system(error, m_name);
    }
#else
    m_temporary = temporary_path();
    m_file = std::fopen(m_temporary.string().c_str(), "wb");
    if (m_file == nullptr) fail();
#endif
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
#if __has_include(<unistd.h>)
    if (!m_temporary.empty()) {
      if (m_has_old) take_rights();
      // Else a rename may reach the disk before the bytes do, and a power cut leaves an empty file.
      if (fsync(fileno(m_file)) != 0) fail();
    }
#endif
    if (std::fclose(std::exchange(m_file, nullptr)) != 0) fail();
    if (m_temporary.empty()) return;
    const std::filesystem::path folder = m_path.parent_path();  // allocates, and behind the rename nothing may throw
    std::filesystem::rename(m_temporary, m_path);
    m_temporary.clear();
    flush_folder(folder);
  }

 private:
  [[noreturn]] void fail() const { fail_system(errno, m_name); }

  /// Where symbolic links lead to, the last of which may lead to nothing yet.
  static std::filesystem::path followed(std::filesystem::path path) {
    constexpr int most = 40;  // the limit of Linux
    for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(path)); ++links) {
      if (links == most) fail_system(ELOOP, path.string());
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

#if __has_include(<unistd.h>)
  /// Whether a file of that name exists; throws where it may not be written.
  bool find_old() {
    m_has_old = stat(m_name.c_str(), &m_old) == 0;
    if (!m_has_old && errno != ENOENT) fail();
    if (!m_has_old) return false;
    if (S_ISDIR(m_old.st_mode)) fail_system(EISDIR, m_name);
    if (faccessat(AT_FDCWD, m_name.c_str(), W_OK, AT_EACCESS) != 0) fail();
    return true;
  }

  /// Until the file is complete, its owner alone has rights to it, of those that the old file gave.
  int make_temporary() {
    const mode_t mode = m_has_old ? m_old.st_mode & (S_IRUSR | S_IWUSR) : 0666;
    for (;;) {
      std::filesystem::path path = temporary_path();
      const int number = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
      if (number >= 0) {
        m_temporary = std::move(path);
        return number;
      }
      if (const int error = errno; error != EEXIST)
        fail_system(error, m_name + ": a temporary file beside it cannot be made");
    }
  }

  /// Owner, group and mode of the old file.
  void take_rights() const {
    const int number = fileno(m_file);
    struct stat now {};
    if (fstat(number, &now) != 0) fail();
    bool is_same_group = now.st_gid == m_old.st_gid;
    if (now.st_uid != m_old.st_uid || !is_same_group)
      is_same_group = fchown(number, m_old.st_uid, m_old.st_gid) == 0 || is_same_group ||
                      fchown(number, static_cast<uid_t>(-1), m_old.st_gid) == 0;
#if defined(__linux__)
    // One that comes from the folder would let others in; under one of its own the group's bits bounded others' rights.
    static_cast<void>(fremovexattr(number, "system.posix_acl_access"));
    if (getxattr(m_path.c_str(), "system.posix_acl_access", nullptr, 0) > 0) is_same_group = false;
#endif
    constexpr mode_t every = S_IRWXU | S_IRWXG | S_IRWXO;
    mode_t mode = m_old.st_mode & every;
    if (!is_same_group) {
      const mode_t both = mode >> 3 & mode & S_IRWXO;
      mode = (mode & S_IRWXU) | both << 3 | both;
    }
    // File systems without modes refuse, which does no harm where that of all their files is no wider.
    if ((now.st_mode & every) != mode && fchmod(number, mode) != 0 && (now.st_mode & every & ~mode) != 0) fail();
  }
#endif

  /// A failure here is none of the commit: the new file is in its place.
  static void flush_folder([[maybe_unused]] const std::filesystem::path& folder) noexcept {
#if __has_include(<unistd.h>)
    const int number = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (number < 0) return;
    fsync(number);
    close(number);
#endif
  }

  std::string m_name;            ///< as it was given
  std::filesystem::path m_path;  ///< behind links
  std::filesystem::path m_temporary;
#if __has_include(<unistd.h>)
  struct stat m_old {};
  bool m_has_old = false;
#endif
  std::FILE* m_file = nullptr;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
