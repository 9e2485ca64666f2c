#pragma once

/// \file
/// The header of safetensors files: a 64-bit length, JSON that names each tensor's type, shape and place, and a map of
/// strings, the metadata; then the tensors without a gap. Needs nlohmann/json 3.9 or newer and xxHash 0.8 or newer.

#include <annulus/core/rows/element_types.hpp>
#include <annulus/io/index/safetensors_json.hpp>
#include <annulus/storage/file.hpp>

#if defined(XXH_INLINE_ALL)
#include <xxhash.h>
#else
#define XXH_INLINE_ALL
#include <xxhash.h>
#undef XXH_INLINE_ALL
#endif

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// A tensor of a file.
struct tensor_info {
  std::string dtype;                 ///< as safetensors names it: "F32", "U8", ...
  std::vector<std::uint64_t> shape;  ///< the length of each dimension
  std::uint64_t begin = 0;           ///< where its bytes begin in the file
  std::uint64_t end = 0;             ///< where they end
};

namespace detail {

inline constexpr std::size_t tensor_alignment = 64;
inline constexpr std::string_view header_checksum_key = "checksum";

/// safetensors' name of a type.
template <class T>
constexpr std::string_view tensor_dtype() noexcept {
  if constexpr (std::same_as<T, Eigen::half>) return "F16";
  else if constexpr (std::same_as<T, Eigen::bfloat16>) return "BF16";
  else if constexpr (std::floating_point<T>) return sizeof(T) == 4 ? "F32" : "F64";
  else if constexpr (std::is_signed_v<T>)
    return sizeof(T) == 1 ? "I8" : sizeof(T) == 2 ? "I16" : sizeof(T) == 4 ? "I32" : "I64";
  else return sizeof(T) == 1 ? "U8" : sizeof(T) == 2 ? "U16" : sizeof(T) == 4 ? "U32" : "U64";
}

/// The number of bytes of a value of that type; 0 for an unknown type.
inline std::size_t tensor_value_bytes(std::string_view dtype) noexcept {
  if (dtype == "BOOL" || dtype == "F8_E4M3" || dtype == "F8_E5M2") return 1;
  if (dtype == "BF16") return 2;
  if (dtype.size() < 2 || std::string_view("FIU").find(dtype[0]) == std::string_view::npos) return 0;
  const std::string_view bits = dtype.substr(1);
  return bits == "8" ? dtype[0] == 'F' ? 0 : 1 : bits == "16" ? 2 : bits == "32" ? 4 : bits == "64" ? 8 : 0;
}

/// XXH3's 64 bits (Collet), as a file gives them: "xxh3:" and 16 digits of hexadecimal.
inline std::string text_of_checksum(std::uint64_t hash) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "xxh3:";
  for (int shift = 60; shift >= 0; shift -= 4) text += digits[hash >> shift & 15];
  return text;
}
inline std::string checksum_of(const void* data, std::size_t bytes) {
  return text_of_checksum(XXH3_64bits(data, bytes));
}

/// The tensors and metadata of a file. Reading checks that types are known, that each tensor is as long as its shape
/// requires, and that the tensors fill the file without gaps; and the checksum of the header, which this library
/// writes.
class safetensors_header {
 public:
  safetensors_header() = default;

  /// `text` follows the length in a file of file_bytes; fail(offset, reason...) throws.
  template <class Fail>
  safetensors_header(std::string_view text, std::uint64_t file_bytes, const Fail& fail)
      : m_data_begin(length_bytes + text.size()) {
    const auto take = [&](const std::string& name, header_tensor&& tensor) {
      take_tensor(name, std::move(tensor), fail);
    };
    const auto refuse = [&](std::uint64_t at, const auto&... reason) { fail(length_bytes + at, reason...); };
    // The parser takes a zero byte for the end.
    if (const auto zero = text.find('\0'); zero != text.npos) refuse(zero, "the header is not JSON: a zero byte");
    header_parser parser(m_metadata, take, refuse);
    nlohmann::json::sax_parse(text.begin(), text.end(), &parser);
    check_places(file_bytes, fail);
    if (const auto given = m_metadata.find(header_checksum_key); given != m_metadata.end()) {
      const std::string expected = given->second;
      m_metadata.erase(given);
      m_is_checked = true;
      if (header_checksum() != expected) fail(length_bytes, "the header is not as it was written: ", expected);
    }
  }

  /// Longer headers are refused before they are read; those of this library have a hundredth of that.
  static constexpr std::uint64_t max_bytes = std::uint64_t{8} << 20;
  static constexpr std::uint64_t length_bytes = sizeof(std::uint64_t);

  const header_metadata& metadata() const noexcept { return m_metadata; }
  const std::map<std::string, tensor_info, std::less<>>& tensors() const noexcept { return m_tensors; }
  bool is_checked() const noexcept { return m_is_checked; }  ///< whether the header had a checksum

  void set(std::string key, std::string value) { m_metadata[std::move(key)] = std::move(value); }
  /// Adds tensors in the order of the file, with offsets from the begin of the first.
  void add(std::string name, tensor_info tensor) { m_tensors[std::move(name)] = std::move(tensor); }

  /// The bytes of length and header, padded so that the tensors are aligned.
  std::string bytes() const {
    header_metadata metadata = m_metadata;
    metadata[std::string(header_checksum_key)] = header_checksum();
    std::string text = json(metadata);
    text.append((tensor_alignment - (length_bytes + text.size()) % tensor_alignment) % tensor_alignment, ' ');
    const std::uint64_t length = text.size();
    return std::string(reinterpret_cast<const char*>(&length), length_bytes) + text;
  }

 private:
  /// With sorted keys and one form of each value, so that a header has the same checksum wherever it is read.
  std::string json(const header_metadata& metadata) const {
    header_metadata texts, all;
    for (const auto& [key, value] : metadata) texts[key] = quoted(value);
    all[std::string(metadata_name)] = json_object(texts);
    for (const auto& [name, tensor] : m_tensors)
      all[name] = json_object({{"dtype", quoted(tensor.dtype)},
                               {"shape", json_array(tensor.shape)},
                               {"data_offsets", json_array({tensor.begin - m_data_begin, tensor.end - m_data_begin})}});
    return json_object(all);
  }
  std::string header_checksum() const {
    const std::string text = json(m_metadata);
    return checksum_of(text.data(), text.size());
  }

  template <class Fail>
  void take_tensor(const std::string& name, header_tensor&& given, const Fail& fail) {
    tensor_info tensor{std::move(given.dtype), std::move(given.shape), given.offsets[0], given.offsets[1]};
    std::uint64_t bytes = tensor_value_bytes(tensor.dtype);
    if (bytes == 0) fail(length_bytes, "the tensor '", name, "' has the unknown type ", tensor.dtype);
    for (const std::uint64_t size : tensor.shape) {
      if (size > 0 && bytes > std::numeric_limits<std::uint64_t>::max() / size)
        fail(length_bytes, "the shape of '", name, "' overflows 64 bits");
      bytes *= size;
    }
    if (tensor.end < tensor.begin || tensor.end - tensor.begin != bytes)
      fail(length_bytes, "the tensor '", name, "' asks for ", bytes, " bytes, from ", tensor.begin, " to ", tensor.end);
    if (!m_tensors.try_emplace(name, std::move(tensor)).second)
      fail(length_bytes, "the name '", name, "' is given twice");
  }

  /// Checks that tensors follow each other up to the end of the file, and turns their offsets into those in the file.
  template <class Fail>
  void check_places(std::uint64_t file_bytes, const Fail& fail) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> places;
    for (auto& [name, tensor] : m_tensors) {
      places.emplace_back(tensor.begin, tensor.end);
      tensor.begin += m_data_begin;
      tensor.end += m_data_begin;
    }
    std::sort(places.begin(), places.end());
    std::uint64_t end = 0;
    for (const auto& place : places) {
      if (place.first != end) fail(std::min(m_data_begin + end, file_bytes), "the tensors have a gap or overlap here");
      end = place.second;
    }
    if (end != file_bytes - m_data_begin)
      fail(m_data_begin + std::min(end, file_bytes - m_data_begin), "the tensors end at byte ", m_data_begin + end,
           ", the file at ", file_bytes);
  }

  bool m_is_checked = false;
  std::uint64_t m_data_begin = 0;
  header_metadata m_metadata;
  std::map<std::string, tensor_info, std::less<>> m_tensors;
};

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
