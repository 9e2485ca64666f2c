#pragma once

/// \file
/// The state of a long build on disk: files that grow, and a journal of how far they are, so that a build which was
/// killed goes on where it was. annulus.hpp leaves this header out: it needs nlohmann/json and xxHash
/// (io/index/safetensors.hpp).

#include <annulus/io/index/index_archive.hpp>

#include <cstdio>
#include <memory>
#include <optional>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A file that is written at its end, with the checksum of what it holds.
class growing_file {
 public:
  explicit growing_file(std::filesystem::path path) : m_path(std::move(path)) { XXH3_64bits_reset(&m_hash); }
  growing_file(const growing_file&) = delete;
  growing_file& operator=(const growing_file&) = delete;
  ~growing_file() {
    if (m_file != nullptr) std::fclose(m_file);
  }

  const std::filesystem::path& path() const noexcept { return m_path; }
  std::string name() const { return name_of_path(m_path); }
  std::uint64_t bytes() const noexcept { return m_bytes; }
  std::string checksum() const { return text_of_checksum(XXH3_64bits_digest(&m_hash)); }

  /// \throws std::system_error, as where the disk is full.
  void append(const void* data, std::size_t bytes) {
    if (m_file == nullptr) {
      m_file = open_to_append(m_path);
      if (m_file == nullptr) fail();
      std::setvbuf(m_file, nullptr, _IOFBF, std::size_t{1} << 16);
    }
    if (bytes == 0) return;
    if (std::fwrite(data, 1, bytes, m_file) != bytes) fail();
    XXH3_64bits_update(&m_hash, data, bytes);
    m_bytes += bytes;
  }
  /// Brings what was written to the disk, and closes. \throws std::system_error where that fails.
  void flush() {
    if (m_file == nullptr) return;
    if (std::fflush(m_file) != 0 || !flush_to_disk(m_file)) fail();
    if (std::fclose(std::exchange(m_file, nullptr)) != 0) fail();
  }
  /// Takes up a file of which a journal knows `bytes` bytes and their checksum; what was written since is cut off.
  /// \throws format_error where these bytes are not there as they were.
  void take_up(std::uint64_t bytes, const std::string& checksum) {
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(m_path, error);
    if (error || size < bytes) fail_format(name(), error ? 0 : size, "the file lacks bytes that the journal knows of");
    if (size > bytes) std::filesystem::resize_file(m_path, bytes);
    input_file file(m_path);
    std::vector<char> block(std::size_t{1} << 20);
    for (m_bytes = 0; m_bytes < bytes;) {
      const auto next = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), bytes - m_bytes));
      file.read(block.data(), next);
      XXH3_64bits_update(&m_hash, block.data(), next);
      m_bytes += next;
    }
    if (this->checksum() != checksum) fail_format(name(), 0, "the file is not as it was written: its checksum differs");
  }

 private:
  [[noreturn]] void fail() const { fail_system(errno, name()); }

  std::filesystem::path m_path;
  std::FILE* m_file = nullptr;
  std::uint64_t m_bytes = 0;
  XXH3_state_t m_hash;
};

/// The folder of one build. Files are appended to, and numbers set, in memory; commit() makes all of it lasting at
/// once: it flushes the files, then replaces the journal, a safetensors file without tensors that knows size and
/// checksum of each. What was written after the last commit does not exist for a build that is taken up.
///
/// A folder serves one build at a time, which holds its lock. Files are named *.part but for journal and lock; others
/// are left alone.
class build_folder {
 public:
  /// Opens the folder, and makes it where there is none. Where it has the journal of a build of the same `identity`,
  /// which says by names and values what is built of what, that build is taken up; with `restart` it is thrown away.
  /// \throws std::invalid_argument where the build there is another one, where it is under way, and where files named
  /// *.part are of no build; format_error where files are damaged, std::system_error where they cannot be read or
  /// written.
  build_folder(std::filesystem::path path, const header_metadata& identity, bool restart) : m_path(std::move(path)) {
    std::filesystem::create_directories(m_path);
    lock();
    const bool is_new = !std::filesystem::exists(journal_path());
    if (is_new) check_no_parts();
    else if (!restart) take_up(identity);
    for (const auto& [name, value] : identity) m_journal[identity_prefix + name] = value;
    if (is_new || restart) commit();  // before there is any other file, which has to be known as one of a build
    if (!is_new) remove_strangers();
  }

  /// Whether a build in a folder writes or removes files of this path itself.
  static bool uses(const std::filesystem::path& folder, const std::filesystem::path& path) {
    const std::string name = name_of_path(path.filename());
    const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
    std::error_code ignored;
    return (name == journal_name || name == lock_name || is_part(name)) &&
           std::filesystem::equivalent(parent, folder, ignored);
  }

  bool has(const std::string& name) const { return m_journal.contains(value_prefix + name); }
  const std::string& text(const std::string& name) const { return m_journal.at(value_prefix + name); }
  std::size_t number(const std::string& name, std::size_t otherwise = 0) const {
    std::size_t value = otherwise;
    if (has(name)) parse_number(text(name), value);
    return value;
  }
  void set(const std::string& name, std::string value) { m_journal[value_prefix + name] = std::move(value); }
  void set(const std::string& name, std::size_t value) { set(name, std::to_string(value)); }

  /// f(name, text) for each value.
  template <class F>
  void visit_values(F f) const {
    const std::string_view prefix = value_prefix;
    for (const auto& [key, value] : m_journal)
      if (key.starts_with(prefix)) f(key.substr(prefix.size()), value);
  }

  /// Writes at the end of a file, which is made where it is not there.
  void append(const std::string& name, const void* data, std::size_t bytes) { file(name).append(data, bytes); }
  std::uint64_t bytes(const std::string& name) const {
    const auto found = m_files.find(name);
    return found == m_files.end() ? 0 : found->second.bytes();
  }
  /// A file is no more from the next commit on.
  void drop(const std::string& name) {
    const auto found = m_files.find(name);
    if (found == m_files.end()) return;
    m_dropped.push_back(found->second.path());
    m_files.erase(found);
    m_journal.erase(file_prefix + name);
  }

  void commit() {
    safetensors_header journal;
    for (auto& [name, file] : m_files) {
      file.flush();
      m_journal[file_prefix + name] = std::to_string(file.bytes()) + " " + file.checksum();
    }
    for (const auto& [name, value] : m_journal) journal.set(name, value);
    const std::string bytes = journal.bytes();
    output_file out(journal_path());
    out.write(bytes.data(), bytes.size());
    out.commit();
    std::error_code ignored;
    for (const auto& path : std::exchange(m_dropped, {})) std::filesystem::remove(path, ignored);
  }

  /// The bytes of a file as they were last committed, to be read only.
  std::shared_ptr<mapped_file> map(const std::string& name) const {
    return std::make_shared<mapped_file>(part_path(name), file_mapping::read_only);
  }

  void drop_all() {
    while (!m_files.empty()) drop(std::string(m_files.begin()->first));
  }
  /// Removes the journal of a build that has no files any more, and the folder where it is empty then.
  void remove() {
    std::error_code ignored;
    std::filesystem::remove(journal_path(), ignored);
    m_lock.reset();
    std::filesystem::remove(m_path, ignored);  // not where other files are in it
  }

  /// The bytes of all files.
  std::uint64_t total_bytes() const {
    std::uint64_t total = 0;
    for (const auto& [name, file] : m_files) total += file.bytes();
    return total;
  }

 private:
  static constexpr const char *identity_prefix = "of.", *value_prefix = "value.", *file_prefix = "file.";

  static constexpr const char *journal_name = "journal", *lock_name = "lock";

  std::filesystem::path journal_path() const { return m_path / journal_name; }
  std::filesystem::path part_path(const std::string& name) const { return m_path / (name + ".part"); }

  growing_file& file(const std::string& name) { return m_files.try_emplace(name, part_path(name)).first->second; }

  void lock() {
    const std::filesystem::path path = m_path / lock_name;
    if (m_lock.emplace(path, name_of_path(path)).is_held()) return;
    invalid("folder", name_of_path(m_path), "another build is at work in it; wait for its end, or name another folder");
  }

  static bool is_part(const std::string& name) { return name.ends_with(".part"); }
  void check_no_parts() const {
    for (const auto& entry : std::filesystem::directory_iterator(m_path))
      if (is_part(name_of_path(entry.path().filename())))
        invalid("folder", name_of_path(m_path), "has ", name_of_path(entry.path().filename()),
                ", which is of no build: name another folder, or remove it");
  }

  void take_up(const header_metadata& identity) {
    m_journal = loaded_tensors(journal_path()).header().metadata();
    const std::string path = name_of_path(m_path);
    for (const auto& [name, value] : identity) {
      const auto found = m_journal.find(identity_prefix + name);
      if (found == m_journal.end() || found->second != value)
        invalid("folder", path, "holds a build that has ", name, " = ",
                found == m_journal.end() ? std::string("nothing") : found->second, ", where this one has ", value,
                "; finish that one, set restart to throw it away, or name another folder");
    }
    for (const auto& [key, value] : m_journal) {
      const std::string_view prefix = file_prefix;
      if (!key.starts_with(prefix)) continue;
      const std::size_t space = value.find(' ');
      std::uint64_t bytes = 0;
      if (space == value.npos || !parse_number(std::string_view(value).substr(0, space), bytes))
        fail_format(name_of_path(journal_path()), 0, key, " = '", value, "' is no size and checksum");
      file(key.substr(prefix.size())).take_up(bytes, value.substr(space + 1));
    }
  }

  /// Removes what a build that was killed wrote after its last commit.
  void remove_strangers() {
    std::vector<std::filesystem::path> strangers;
    for (const auto& entry : std::filesystem::directory_iterator(m_path)) {
      const std::string name = name_of_path(entry.path().filename());
      const bool is_unknown = is_part(name) && !m_files.contains(name.substr(0, name.size() - 5));
      if (is_unknown || (name.starts_with("annulus-") && name.ends_with(".tmp"))) strangers.push_back(entry.path());
    }
    for (const auto& path : strangers) std::filesystem::remove(path);
  }

  std::filesystem::path m_path;
  std::optional<file_lock> m_lock;
  header_metadata m_journal;
  std::map<std::string, growing_file, std::less<>> m_files;
  std::vector<std::filesystem::path> m_dropped;
};

/// The values of type T of a file of a build, which stays mapped as long as this lives.
template <class T>
class mapped_values {
 public:
  mapped_values(const build_folder& folder, const std::string& name) {
    if (folder.bytes(name) > 0) m_file = folder.map(name);
  }
  std::span<const T> all() const noexcept {
    if (m_file == nullptr) return {};
    const auto bytes = std::as_const(*m_file).bytes();
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

 private:
  std::shared_ptr<mapped_file> m_file;
};

/// Appends values of type T.
template <class T>
void append_values(build_folder& folder, const std::string& name, std::span<const T> values) {
  folder.append(name, values.data(), values.size_bytes());
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
