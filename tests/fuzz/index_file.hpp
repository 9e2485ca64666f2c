#pragma once

// Index files in parts, to be changed and written again with right offsets and checksums.

#include <annulus/io/index/index_archive.hpp>

#include <nlohmann/json.hpp>

#include "fuzz.hpp"

#include <vector>

namespace fuzz {

struct tensor {
  std::string name, dtype;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint8_t> values;
};

struct index_file {
  std::map<std::string, std::string> metadata;
  std::vector<tensor> tensors;  ///< in the order of the file, without padding

  /// Nothing where the file cannot be taken apart. Checksums need not be right.
  static std::optional<index_file> parse(bytes input) {
    std::uint64_t length = 0;
    if (input.size() < sizeof length) return {};
    std::memcpy(&length, input.data(), sizeof length);
    input = input.subspan(sizeof length);
    if (length > input.size()) return {};
    auto json =
        nlohmann::json::parse(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(length), nullptr, false);
    if (!json.is_object()) return {};
    if (auto metadata = json.find("__metadata__"); metadata != json.end() && metadata->is_object())
      metadata->erase(std::string(annulus::detail::header_checksum_key));
    input = input.subspan(length);
    const auto malformed = [](std::uint64_t, const auto&...) { throw std::runtime_error("malformed"); };
    try {
      const std::string text = json.dump();
      const std::uint64_t begin = sizeof length + text.size();
      return index_file({text, begin + input.size(), malformed}, input.data(), begin);
    } catch (const std::exception&) {
      return {};
    }
  }

  /// As index_writer writes it, but for what is in the parts. Without padding tensors follow each other directly.
  std::string bytes(bool is_padded = true) const {
    constexpr std::size_t alignment = annulus::detail::tensor_alignment;
    annulus::detail::safetensors_header header;
    std::string values;
    for (const auto& [key, value] : metadata) header.set(key, value);
    for (const tensor& t : tensors) {
      if (const std::size_t rest = (alignment - values.size() % alignment) % alignment; is_padded && rest > 0) {
        header.add("_pad" + std::to_string(values.size()), {"U8", {rest}, values.size(), values.size() + rest});
        values.append(rest, '\0');
      }
      header.set("checksum." + t.name, annulus::detail::checksum_of(t.values.data(), t.values.size()));
      header.add(t.name, {t.dtype, t.shape, values.size(), values.size() + t.values.size()});
      values.append(reinterpret_cast<const char*>(t.values.data()), t.values.size());
    }
    return header.bytes() + values;
  }

 private:
  index_file(const annulus::detail::safetensors_header& header, const std::uint8_t* values, std::uint64_t begin) {
    for (const auto& [key, value] : header.metadata()) metadata[key] = value;
    std::map<std::uint64_t, tensor> in_order;  // those without values are put behind the others
    for (const auto& [name, info] : header.tensors()) {
      if (name.starts_with("_pad")) continue;
      tensor t{name, info.dtype, info.shape, {values + info.begin - begin, values + info.end - begin}};
      if (info.begin == info.end) tensors.push_back(std::move(t));
      else in_order[info.begin] = std::move(t);
    }
    for (auto& [place, t] : in_order) tensors.push_back(std::move(t));
  }
};

}  // namespace fuzz
