#pragma once

// The file of an index, with a value changed here or there and the checksums of what it has become.

#include <annulus/io/index/index_file.hpp>

#include "io/scratch.hpp"

#include <span>

class edited_index {
 public:
  explicit edited_index(const std::filesystem::path& path) : m_bytes(bytes_of(path)) {
    const auto info = annulus::read_index_info(path);
    m_metadata = info.metadata;
    m_tensors = info.tensors;
  }

  const auto& metadata() const { return m_metadata; }
  const auto& tensors() const { return m_tensors; }
  void set(const std::string& key, const std::string& text) { m_metadata.at(key) = text; }

  /// The values of a tensor, to be changed.
  template <class T>
  std::span<T> values(const std::string& name) {
    const annulus::tensor_info& tensor = m_tensors.at(name);
    return {reinterpret_cast<T*>(m_bytes.data() + tensor.begin), (tensor.end - tensor.begin) / sizeof(T)};
  }
  std::span<char> bytes(const std::string& name) { return values<char>(name); }

  void save(const std::filesystem::path& path) const {
    using namespace annulus::detail;
    std::uint64_t data_begin = m_bytes.size();
    for (const auto& [name, tensor] : m_tensors) data_begin = std::min(data_begin, tensor.begin);
    safetensors_header header;
    for (const auto& [key, text] : m_metadata)
      if (!key.starts_with("checksum.")) header.set(key, text);
    for (const auto& [name, tensor] : m_tensors) {
      header.add(name, {tensor.dtype, tensor.shape, tensor.begin - data_begin, tensor.end - data_begin});
      if (!name.starts_with("_pad"))
        header.set("checksum." + name, checksum_of(m_bytes.data() + tensor.begin, tensor.end - tensor.begin));
    }
    write_bytes(path, header.bytes() + m_bytes.substr(data_begin));
  }

 private:
  std::string m_bytes;
  std::map<std::string, std::string, std::less<>> m_metadata;
  std::map<std::string, annulus::tensor_info, std::less<>> m_tensors;
};

/// An index in memory of its own, of which nothing was checked but header and checksums.
template <class Index, class... Args>
Index load_unverified(const std::filesystem::path& path, const Args&... args) {
  return annulus::detail::read_index<Index>(annulus::detail::loaded_tensors(path), args...);
}
