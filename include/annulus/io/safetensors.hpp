#pragma once

/// \file
/// The header of safetensors files: a 64-bit length, JSON that names each tensor's type, shape and place, and a map of
/// strings, the metadata; then the tensors without a gap. Needs nlohmann/json 3.9 or newer and xxHash 0.8 or newer.

#include <annulus/core/archive.hpp>
#include <annulus/core/file.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <nlohmann/json.hpp>

#include <map>
#include <vector>

namespace annulus::inline ANNULUS_ARCH {

/// A tensor of a file: its type as safetensors names it ("F32", "U8", ...), its shape, and where its bytes are in the
/// file.
struct tensor_info {
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;
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

/// How many bytes a value of that type has; 0 for a type that is not known.
inline std::size_t tensor_value_bytes(std::string_view dtype) noexcept {
  if (dtype == "BOOL" || dtype == "F8_E4M3" || dtype == "F8_E5M2") return 1;
  if (dtype == "BF16") return 2;
  if (dtype.size() < 2 || std::string_view("FIU").find(dtype[0]) == std::string_view::npos) return 0;
  const std::string_view bits = dtype.substr(1);
  return bits == "8" ? dtype[0] == 'F' ? 0 : 1 : bits == "16" ? 2 : bits == "32" ? 4 : bits == "64" ? 8 : 0;
}

/// XXH3's 64 bits (Collet), as a file gives them: "xxh3:" and 16 digits of hexadecimal.
inline std::string checksum_of(const void* data, std::size_t bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  const std::uint64_t hash = XXH3_64bits(data, bytes);
  std::string text = "xxh3:";
  for (int shift = 60; shift >= 0; shift -= 4) text += digits[hash >> shift & 15];
  return text;
}

/// What a file says of its tensors, checked: types are known, places are as long as their shapes ask for, and lie one
/// behind the other up to the end of the file. Written by this library the header has a checksum of its own, which is
/// checked as well.
class safetensors_header {
 public:
  safetensors_header() = default;

  /// `text` stands behind the length in a file of file_bytes; fail(offset, reason...) throws.
  template <class Fail>
  safetensors_header(std::string_view text, std::uint64_t file_bytes, const Fail& fail)
      : m_data_begin(length_bytes + text.size()) {
    nlohmann::json header;
    try {
      header = nlohmann::json::parse(text);
    } catch (const nlohmann::json::parse_error& error) {
      fail(length_bytes + error.byte, "the header is not JSON: ", error.what());
    }
    if (!header.is_object()) fail(length_bytes, "the header is not a JSON object");
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") read_metadata(value, fail);
      else read_tensor(name, value, fail);
    }
    check_places(file_bytes, fail);
    if (const auto given = m_metadata.find(header_checksum_key); given != m_metadata.end()) {
      const std::string expected = given->second;
      m_metadata.erase(given);
      m_is_checked = true;
      if (header_checksum() != expected) fail(length_bytes, "the header is not as it was written: ", expected);
    }
  }

  /// A longer header is refused before it is read: those of this library have a hundredth of it.
  static constexpr std::uint64_t most_bytes = std::uint64_t{8} << 20;
  static constexpr std::uint64_t length_bytes = sizeof(std::uint64_t);

  const std::map<std::string, std::string, std::less<>>& metadata() const noexcept { return m_metadata; }
  const std::map<std::string, tensor_info, std::less<>>& tensors() const noexcept { return m_tensors; }
  bool is_checked() const noexcept { return m_is_checked; }  ///< had a checksum

  void set(std::string key, std::string value) { m_metadata[std::move(key)] = std::move(value); }
  /// Tensors are added in the order of the file, their places counted from the first.
  void add(std::string name, tensor_info tensor) { m_tensors[std::move(name)] = std::move(tensor); }

  /// The length and the header, padded so that what follows is aligned.
  std::string bytes() const {
    nlohmann::json all = json();
    all["__metadata__"][std::string(header_checksum_key)] = header_checksum();
    std::string text = all.dump();
    text.append((tensor_alignment - (length_bytes + text.size()) % tensor_alignment) % tensor_alignment, ' ');
    const std::uint64_t length = text.size();
    return std::string(reinterpret_cast<const char*>(&length), length_bytes) + text;
  }

 private:
  /// Keys are sorted, and there is one way to write each value: a header has the same checksum wherever it is read.
  nlohmann::json json() const {
    nlohmann::json all = nlohmann::json::object();
    for (const auto& [name, tensor] : m_tensors)
      all[name] = {{"dtype", tensor.dtype},
                   {"shape", tensor.shape},
                   {"data_offsets", {tensor.begin - m_data_begin, tensor.end - m_data_begin}}};
    all["__metadata__"] = m_metadata;
    return all;
  }
  std::string header_checksum() const {
    const std::string text = json().dump();
    return checksum_of(text.data(), text.size());
  }

  template <class Fail>
  void read_metadata(const nlohmann::json& metadata, const Fail& fail) {
    if (!metadata.is_object()) fail(length_bytes, "__metadata__ is not a JSON object");
    for (const auto& [key, value] : metadata.items()) {
      if (!value.is_string()) fail(length_bytes, "the metadata '", key, "' is not a string");
      m_metadata[key] = value.template get<std::string>();
    }
  }

  template <class Fail>
  void read_tensor(const std::string& name, const nlohmann::json& value, const Fail& fail) {
    const auto is_count = [](const nlohmann::json& number) { return number.is_number_unsigned(); };
    if (!value.is_object() || !value.contains("dtype") || !value["dtype"].is_string() || !value.contains("shape") ||
        !value["shape"].is_array() || !value.contains("data_offsets") || !value["data_offsets"].is_array() ||
        value["data_offsets"].size() != 2 || !std::ranges::all_of(value["shape"], is_count) ||
        !std::ranges::all_of(value["data_offsets"], is_count))
      fail(length_bytes, "the tensor '", name,
           "' lacks dtype, shape or data_offsets, or has others than numbers there");
    tensor_info tensor{
        value["dtype"].template get<std::string>(), {}, value["data_offsets"][0], value["data_offsets"][1]};
    std::uint64_t bytes = tensor_value_bytes(tensor.dtype);
    if (bytes == 0) fail(length_bytes, "the tensor '", name, "' has the unknown type ", tensor.dtype);
    for (const std::uint64_t size : value["shape"]) {
      tensor.shape.push_back(size);
      if (__builtin_mul_overflow(bytes, size, &bytes))
        fail(length_bytes, "the shape of '", name, "' overflows 64 bits");
    }
    if (tensor.end < tensor.begin || tensor.end - tensor.begin != bytes)
      fail(length_bytes, "the tensor '", name, "' asks for ", bytes, " bytes, from ", tensor.begin, " to ", tensor.end);
    m_tensors[name] = std::move(tensor);
  }

  /// Turns places into those in the file.
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
      if (place.first != end) fail(m_data_begin + end, "the tensors have a gap or overlap here");
      end = place.second;
    }
    if (end != file_bytes - m_data_begin)
      fail(m_data_begin + std::min(end, file_bytes - m_data_begin), "the tensors end at byte ", m_data_begin + end,
           ", the file at ", file_bytes);
  }

  bool m_is_checked = false;
  std::uint64_t m_data_begin = 0;
  std::map<std::string, std::string, std::less<>> m_metadata;
  std::map<std::string, tensor_info, std::less<>> m_tensors;
};

}  // namespace detail
}  // namespace annulus::inline ANNULUS_ARCH
