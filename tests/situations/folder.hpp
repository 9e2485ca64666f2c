#pragma once

// Where a situation saves its index.

#include <unistd.h>

#include <filesystem>
#include <string>

namespace situations {

/// A folder of this process's own, removed at the end.
class folder {
 public:
  folder() : m_path(std::filesystem::temp_directory_path() / ("annulus-situations-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(m_path);
  }
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  std::filesystem::path file() const { return m_path / "index"; }

 private:
  std::filesystem::path m_path;
};

}  // namespace situations
