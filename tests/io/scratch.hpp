#pragma once

#include <annulus/core/base/errors.hpp>

#include "catch.hpp"
#include "message_of.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

/// A folder that is gone when the test is over.
class scratch_folder {
 public:
  scratch_folder() {
    std::random_device random;
    m_path = std::filesystem::temp_directory_path() / ("annulus-test-" + std::to_string(random()));
    std::filesystem::create_directories(m_path);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
  }

  std::filesystem::path operator/(const std::string& name) const { return m_path / name; }

  std::size_t n_files() const {
    const std::filesystem::directory_iterator files(m_path);
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }

 private:
  std::filesystem::path m_path;
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::remove(path);  // some file systems wait for the disk where a file is overwritten
  std::ofstream(path, std::ios::binary) << bytes;
}

/// What read(path) says to a malformed file of these bytes: the message after the file's name, or "nothing".
template <class Read>
std::string complaint_about(const std::string& bytes, Read read) {
  const scratch_folder folder;
  const auto path = folder / "file";
  write_bytes(path, bytes);
  const std::string message = message_or_nothing<annulus::format_error>([&] { read(path); });
  if (message == "nothing") return message;
  REQUIRE(message.starts_with(path.string() + ": "));
  return message.substr(path.string().size() + 2);
}
