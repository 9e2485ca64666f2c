#pragma once

/// \file
/// The JSON of a safetensors header, read and written without a tree of values: the destructor of such a tree
/// allocates, and ends a program that is out of memory. Needs nlohmann/json 3.9 or newer.

#include <annulus/storage/archive.hpp>

#include <nlohmann/json.hpp>

#include <map>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

using header_metadata = std::map<std::string, std::string, std::less<>>;

inline constexpr std::string_view metadata_name = "__metadata__";

/// A tensor of a header: "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}.
struct header_tensor {
  std::string dtype;
  std::vector<std::uint64_t> shape, offsets;
};

/// The events of the parser. Passes each tensor to take(name, header_tensor&&), and calls fail(position, reason...),
/// which throws, for anything that a header must not contain. Positions are in the text, 0 where unknown.
template <class Take, class Fail>
class header_parser {
 public:
  header_parser(header_metadata& metadata, const Take& take, const Fail& fail)
      : m_metadata(metadata), m_take(take), m_fail(fail) {}

  bool start_object(std::size_t) {
    if (m_depth > 1) return misplaced();
    if (++m_depth == 1) return true;
    if (is_metadata() && std::exchange(m_has_metadata, true)) return twice(m_name);
    m_tensor = {};
    m_has_shape = m_has_offsets = false;
    return true;
  }
  bool end_object() {
    if (--m_depth == 0 || is_metadata()) return true;
    if (m_tensor.dtype.empty() || !m_has_shape || !m_has_offsets || m_tensor.offsets.size() != 2) return misplaced();
    m_take(m_name, std::move(m_tensor));
    return true;
  }
  bool key(std::string& text) {
    (m_depth == 1 ? m_name : m_field) = std::move(text);
    return true;
  }
  bool start_array(std::size_t) {
    const bool is_shape = m_field == "shape";
    if (m_depth != 2 || is_metadata() || !(is_shape || m_field == "data_offsets")) return misplaced();
    if (std::exchange(is_shape ? m_has_shape : m_has_offsets, true)) return twice(m_field);
    m_numbers = is_shape ? &m_tensor.shape : &m_tensor.offsets;
    ++m_depth;
    return true;
  }
  bool end_array() {
    --m_depth;
    return true;
  }
  bool string(std::string& text) {
    if (m_depth != 2 || (!is_metadata() && m_field != "dtype")) return misplaced();
    if (!is_metadata()) {
      if (!m_tensor.dtype.empty()) return twice(m_field);
      m_tensor.dtype = std::move(text);
    } else if (!m_metadata.try_emplace(m_field, std::move(text)).second) {
      return twice(m_field);
    }
    return true;
  }
  bool number_unsigned(std::uint64_t number) {
    if (m_depth != 3) return misplaced();
    m_numbers->push_back(number);
    return true;
  }
  bool number_integer(std::int64_t) { return misplaced(); }
  bool number_float(double, const std::string&) { return misplaced(); }
  bool boolean(bool) { return misplaced(); }
  bool null() { return misplaced(); }
  template <class Binary>
  bool binary(Binary&) {
    return misplaced();
  }
  template <class Error>
  bool parse_error(std::size_t position, const std::string&, const Error& error) {
    m_fail(position - std::min<std::size_t>(position, 1), "the header is not JSON: ", error.what());  // counts from 1
    return false;
  }

 private:
  bool is_metadata() const noexcept { return m_name == metadata_name; }
  bool twice(const std::string& name) {
    m_fail(0, "the name '", name, "' is given twice");
    return false;
  }
  bool misplaced() {
    if (m_depth == 0) m_fail(0, "the header is not a JSON object");
    if (!is_metadata())
      m_fail(0, "the tensor '", m_name, "' lacks dtype, shape or data_offsets, or has others than numbers there");
    if (m_depth == 1) m_fail(0, "__metadata__ is not a JSON object");
    m_fail(0, "the metadata '", m_field, "' is not a string");
    return false;
  }

  header_metadata& m_metadata;
  const Take& m_take;
  const Fail& m_fail;
  int m_depth = 0;
  std::string m_name, m_field;  ///< the keys of the current value
  header_tensor m_tensor;
  std::vector<std::uint64_t>* m_numbers = nullptr;  ///< the current array
  bool m_has_metadata = false, m_has_shape = false, m_has_offsets = false;
};

/// The text as a JSON string.
inline std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

/// The JSON object of these names and values, which are JSON.
inline std::string json_object(const header_metadata& values) {
  std::string text;
  for (const auto& [name, value] : values) text += (text.empty() ? '{' : ',') + quoted(name) + ':' + value;
  return (text.empty() ? "{" : text) + '}';
}

inline std::string json_array(const std::vector<std::uint64_t>& numbers) {
  std::string text;
  for (const std::uint64_t number : numbers) text += (text.empty() ? '[' : ',') + std::to_string(number);
  return (text.empty() ? "[" : text) + ']';
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
