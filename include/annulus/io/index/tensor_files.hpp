#pragma once

/// \file
/// The tensors of a safetensors file: read into memory, or mapped where they are.

#include <annulus/io/index/safetensors.hpp>
#include <annulus/storage/file_kind.hpp>
#include <annulus/storage/mapped_file.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Throws format_error where the bytes of a tensor do not have their checksum.
template <class File>
void check_tensor(const File& file, const std::string& name, const tensor_info& tensor, const void* data) {
  const auto& metadata = file.header().metadata();
  const auto given = metadata.find("checksum." + name);
  if (given == metadata.end()) {
    if (!name.starts_with("_pad")) file.fail(tensor.begin, "the tensor '", name, "' has no checksum");
  } else if (checksum_of(data, tensor.end - tensor.begin) != given->second) {
    file.fail(tensor.begin, "the tensor '", name, "' is not as it was written: its checksum differs");
  }
}

/// Reads the length of the header, with which a file begins.
template <class File>
std::uint64_t read_header_length(File& file) {
  const auto length = file.template read_value<std::uint64_t>();
  if (length == 0 || length > file.size() - safetensors_header::length_bytes || length > safetensors_header::max_bytes)
    fail_unrecognised(file.name(), "safetensors", 0,
                      "this is no safetensors file: by its first 8 bytes it has a header of ", length,
                      " bytes, which are at most ", safetensors_header::max_bytes, "; the file has ", file.size());
  return length;
}

/// Tensors read into memory, and compared with their checksums.
class loaded_tensors {
 public:
  explicit loaded_tensors(const std::filesystem::path& path) : m_file(path) {
    std::string text(read_header_length(m_file), ' ');
    m_file.read(text.data(), text.size());
    m_header = {text, m_file.size(), [&](std::uint64_t at, const auto&... reason) { fail(at, reason...); }};
  }
  const safetensors_header& header() const noexcept { return m_header; }

  template <class T>
  buffer<T> read(const std::string& name, const tensor_info& tensor) {
    auto values = buffer<T>::for_overwrite((tensor.end - tensor.begin) / sizeof(T));
    m_file.seek(tensor.begin);
    m_file.read(values.data(), values.size() * sizeof(T));
    check_tensor(*this, name, tensor, values.data());
    return values;
  }
  template <class... Reason>
  [[noreturn]] void fail(std::uint64_t offset, const Reason&... reason) const {
    m_file.fail(offset, reason...);
  }

 private:
  input_file m_file;
  safetensors_header m_header;
};

/// Tensors of a mapped file.
class mapped_tensors {
 public:
  explicit mapped_tensors(const std::filesystem::path& path) : m_file(std::make_shared<mapped_file>(path)) {
    mapped_reader reader(*m_file);
    const std::uint64_t length = read_header_length(reader);
    const auto bytes = this->bytes();
    m_header = {{reinterpret_cast<const char*>(bytes.data()) + reader.offset(), length},
                bytes.size(),
                [&](std::uint64_t at, const auto&... reason) { fail(at, reason...); }};
  }
  const safetensors_header& header() const noexcept { return m_header; }
  std::span<const std::byte> bytes() const noexcept { return std::as_const(*m_file).bytes(); }

  template <class T>
  buffer<T> read(const std::string& name, const tensor_info& tensor) {
    if (tensor.begin % tensor_alignment != 0)
      fail(tensor.begin, "the tensor '", name, "' is not aligned: load it instead");
    T* const begin = reinterpret_cast<T*>(m_file->bytes().data() + tensor.begin);
    return {m_file, begin, (tensor.end - tensor.begin) / sizeof(T)};
  }
  template <class... Reason>
  [[noreturn]] void fail(std::uint64_t offset, const Reason&... reason) const {
    m_file->fail(offset, reason...);
  }

 private:
  std::shared_ptr<mapped_file> m_file;
  safetensors_header m_header;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
