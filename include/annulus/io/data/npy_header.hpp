#pragma once

/// \file
/// The header of numpy's .npy files (numpy.lib.format, versions 1.0 to 3.0): a magic string, the version, a length, and
/// a Python dict of the dtype, the order and the shape, after which the values follow to the end of the file.

#include <annulus/core/rows/element_types.hpp>
#include <annulus/storage/file_kind.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <optional>
#include <span>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// numpy's f2, f4 and f8, u1 to u8, i1 to i8, and b1, its bool.
template <class T>
concept npy_scalar = std::same_as<T, bool> || std::same_as<T, Eigen::half> || std::same_as<T, float> ||
    std::same_as<T, double> || std::same_as<T, std::uint8_t> || std::same_as<T, std::uint16_t> ||
    std::same_as<T, std::uint32_t> || std::same_as<T, std::uint64_t> || std::same_as<T, std::int8_t> ||
    std::same_as<T, std::int16_t> || std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t>;

namespace detail {

inline constexpr std::string_view npy_magic = "\x93NUMPY";
inline constexpr std::size_t npy_max_dimensions = 64;  // numpy's own limit

/// numpy's name of a type, as in "<f4" and "|u1".
template <npy_scalar T>
std::string npy_dtype() {
  const char kind = std::same_as<T, bool> ? 'b' : !std::is_integral_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u';
  return {sizeof(T) == 1 ? '|' : '<', kind, static_cast<char>('0' + sizeof(T))};
}

/// The number of values of an array of this shape; nullopt where its bytes exceed the address space, also with sizes of
/// zero left out: numpy has no such arrays.
inline std::optional<std::size_t> npy_count(std::span<const std::size_t> shape, std::size_t value_bytes) {
  std::size_t room = std::numeric_limits<std::ptrdiff_t>::max() / value_bytes, count = 1;
  for (const std::size_t size : shape) {
    if (size > room) return std::nullopt;
    room /= std::max<std::size_t>(size, 1);
    count *= size;
  }
  return count;
}

/// Reads a Python literal from front to back; skips spaces.
class npy_literal {
 public:
  npy_literal(const std::string& file, std::uint64_t start, std::string_view text)
      : m_file(file), m_end(start + text.size()), m_rest(text) {
    advance(0);
  }

  std::uint64_t offset() const noexcept { return m_end - m_rest.size(); }  ///< in the file, of the next token
  bool at_end() const noexcept { return m_rest.empty(); }
  bool is_next(char c) const noexcept { return m_rest.starts_with(c); }

  template <class... Reason>
  [[noreturn]] void fail(const Reason&... reason) const {
    fail_format(m_file, offset(), reason...);
  }

  bool take(std::string_view token) noexcept {
    if (!m_rest.starts_with(token)) return false;
    advance(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) fail("the header must go on with ", token);
  }

  std::string_view string() {
    if (!is_next('\'') && !is_next('"')) fail("the header must go on with a string in quotes");
    const auto length = m_rest.substr(1, longest_string + 1).find(m_rest.front());
    if (length == m_rest.npos) fail("the string does not end within ", longest_string, " bytes");
    const auto value = m_rest.substr(1, length);
    advance(length + 2);
    return value;
  }

  bool boolean() {
    if (take("True")) return true;
    if (take("False")) return false;
    fail("the header must go on with True or False");
  }

  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> values;
    expect("(");
    while (!take(")")) {
      if (values.size() == npy_max_dimensions) fail("there are more than ", npy_max_dimensions, " dimensions");
      values.push_back(number());
      if (values.size() == 1 || !is_next(')')) expect(",");  // (3) is no tuple, (3,) is
    }
    return values;
  }

 private:
  static constexpr std::size_t longest_string = 64;

  std::size_t number() {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(m_rest.data(), m_rest.data() + m_rest.size(), value);
    const auto digits = static_cast<std::size_t>(end - m_rest.data());
    if (error == std::errc::result_out_of_range) fail("a size is beyond the address space");
    if (error != std::errc{} || (is_next('0') && digits > 1)) fail("the header must go on with a size");
    advance(digits);
    take("L");  // as Python 2 writes sizes
    return value;
  }

  void advance(std::size_t count) noexcept {
    m_rest.remove_prefix(count);
    m_rest.remove_prefix(std::min(m_rest.find_first_not_of(" \t\r\n"), m_rest.size()));
  }

  const std::string& m_file;
  std::uint64_t m_end;
  std::string_view m_rest;
};

/// What a file says of its array. The dict is taken as numpy writes it: three keys in any order, nothing else.
class npy_header {
 public:
  /// Leaves the file at its first value. \throws format_error for anything but a header of version 1.0, 2.0 or 3.0.
  template <class File>
  explicit npy_header(File& file) {
    std::array<char, npy_magic.size()> magic;
    file.read(magic.data(), magic.size());
    if (!std::ranges::equal(magic, npy_magic))
      fail_unrecognised(file.name(), "npy", 0, "npy files begin with \\x93NUMPY, this one does not");
    const unsigned major = file.template read_value<std::uint8_t>(), minor = file.template read_value<std::uint8_t>();
    if (major < 1 || major > 3 || minor > 0)
      file.fail(npy_magic.size(), "version ", major, ".", minor, " is none of 1.0, 2.0 and 3.0");

    const std::uint64_t length_offset = file.offset();
    const std::uint32_t length =
        major == 1 ? file.template read_value<std::uint16_t>() : file.template read_value<std::uint32_t>();
    const std::uint64_t start = file.offset();
    if (start + length > file.size()) file.fail(length_offset, "a header of ", length, " bytes passes the file's end");
    std::string text(length, ' ');
    file.read(text.data(), text.size());
    parse(npy_literal(file.name(), start, text));
    for (std::size_t key = 0; key < keys.size(); ++key)
      if (m_offsets[key] == 0) file.fail(start, "the key '", keys[key], "' is missing");
    m_data_offset = file.offset();
  }

  const std::string& dtype() const noexcept { return m_dtype; }
  /// Whether the values are of type T, in the byte order of this machine.
  template <npy_scalar T>
  bool holds() const {
    const std::string name = npy_dtype<T>();
    return m_dtype == name || m_dtype == '=' + name.substr(1) || m_dtype == '<' + name.substr(1);
  }
  bool is_fortran_order() const noexcept { return m_is_fortran_order; }
  const std::vector<std::size_t>& shape() const noexcept { return m_shape; }
  std::uint64_t shape_offset() const noexcept { return m_offsets[shape_key]; }  ///< where the file gives the shape
  std::uint64_t order_offset() const noexcept { return m_offsets[order_key]; }
  std::uint64_t data_offset() const noexcept { return m_data_offset; }

  /// The number of values, checked to be of type T (or bools, asked for as bytes) and to end where the file does.
  /// \throws format_error for another dtype, a shape beyond the address space, and values too few or too many.
  template <npy_scalar T, class File>
  std::size_t count(const File& file) const {
    if (!holds<T>() && !(std::same_as<T, std::uint8_t> && holds<bool>())) fail_of_dtype(file, npy_dtype<T>());
    const auto values = npy_count(m_shape, sizeof(T));
    if (!values) file.fail(shape_offset(), "the shape's product overflows the address space");
    const std::uint64_t there = file.size() - m_data_offset, due = *values * sizeof(T);
    if (there < due) file.fail(file.size(), "the file ends here, ", due - there, " bytes too early");
    if (there > due) file.fail(m_data_offset + due, "the values end here, the file ", there - due, " bytes later");
    return *values;
  }

  template <class File>
  [[noreturn]] void fail_of_dtype(const File& file, const std::string& wanted) const {
    file.fail(m_offsets[dtype_key], "dtype '", m_dtype, "' is ", m_dtype.starts_with('>') ? "big-endian, " : "",
              "not the '", wanted, "' that is asked for");
  }

 private:
  enum : std::size_t { dtype_key, order_key, shape_key };
  static constexpr std::array<std::string_view, 3> keys{"descr", "fortran_order", "shape"};

  void parse(npy_literal text) {
    text.expect("{");
    while (!text.take("}")) {
      const npy_literal at_key = text;
      const std::string_view name = text.string();
      const auto key = static_cast<std::size_t>(std::ranges::find(keys, name) - keys.begin());
      if (key == keys.size()) at_key.fail("unknown key '", name, "'");
      if (m_offsets[key] != 0) at_key.fail("the key '", name, "' comes twice");
      text.expect(":");
      m_offsets[key] = text.offset();
      if (key == dtype_key && text.is_next('[')) text.fail("arrays of records cannot be read");
      if (key == dtype_key) m_dtype = text.string();
      else if (key == order_key) m_is_fortran_order = text.boolean();
      else m_shape = text.tuple();
      if (!text.is_next('}')) text.expect(",");
    }
    if (!text.at_end()) text.fail("only spaces may follow the header's }");
  }

  std::string m_dtype;
  bool m_is_fortran_order = false;
  std::vector<std::size_t> m_shape;
  std::array<std::uint64_t, 3> m_offsets{};  ///< of each key's value, 0 until it is found
  std::uint64_t m_data_offset = 0;
};

/// What numpy writes before the values of a C-ordered array, byte for byte; a multiple of 64 bytes.
inline std::string npy_header_bytes(std::string_view dtype, std::span<const std::size_t> shape) {
  std::string text = "{'descr': '" + std::string(dtype) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  text += shape.size() == 1 ? ",), }" : "), }";
  // Room for the first size to grow to numpy's 21 digits in place.
  if (!shape.empty()) text.append(21 - std::to_string(shape[0]).size(), ' ');
  const std::size_t prefix = npy_magic.size() + 2 + sizeof(std::uint16_t);
  text.append(64 - (prefix + text.size() + 1) % 64, ' ') += '\n';
  const auto length = static_cast<std::uint16_t>(text.size());
  return std::string(npy_magic) + '\1' + '\0' + static_cast<char>(length & 0xFF) + static_cast<char>(length >> 8) +
         text;
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
