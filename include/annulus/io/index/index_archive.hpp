#pragma once

/// \file
/// The archives of index files, as storage/archive.hpp describes them: index_writer and index_reader, which keep
/// numbers as metadata and arrays as tensors.

#include <annulus/core/rows/matrix.hpp>
#include <annulus/io/index/tensor_files.hpp>
#include <annulus/storage/output_file.hpp>

#include <charconv>
#include <initializer_list>
#include <locale>
#include <sstream>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

template <class T>
concept archived_number = std::is_arithmetic_v<T>;

/// The shortest text that reads back to the same bits.
template <archived_number T>
std::string to_text(T value) {
  if constexpr (std::same_as<T, bool>) return value ? "true" : "false";
  else {
    char text[64];
    const auto [end, error] = std::to_chars(text, text + sizeof text, value);
    return {text, end};
  }
}

/// Returns false where the text is not a number of this type.
template <archived_number T>
bool parse_number(std::string_view text, T& value) {
  if constexpr (std::same_as<T, bool>) {
    value = text == "true";
    return value || text == "false";
#if !defined(__cpp_lib_to_chars)  // as in libc++ before 20, whose from_chars reads integers alone
  } else if constexpr (std::is_floating_point_v<T>) {
    std::istringstream stream{std::string(text)};
    stream.imbue(std::locale::classic());
    return (stream >> std::noskipws >> value) && stream.peek() == std::istringstream::traits_type::eof();
#endif
  } else {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
  }
}

inline std::string text_of_shape(std::span<const std::uint64_t> shape) {
  std::string text = "[";
  for (const std::uint64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

/// Names of fields, prefixed by the names of the enclosing objects.
class archive_names {
 protected:
  std::string full(std::string_view name) const { return m_prefix + std::string(name); }
  std::string owner() const { return m_prefix.empty() ? "the index " : m_prefix.substr(0, m_prefix.size() - 1) + " "; }
  /// Calls f, which sees names prefixed by `name.`
  template <class F>
  void within(std::string_view name, F f) {
    const std::size_t length = m_prefix.size();
    m_prefix += name;
    m_prefix += '.';
    f();
    m_prefix.resize(length);
  }

 private:
  std::string m_prefix;
};

/// Collects the fields of an object, which must not change until they are written.
class index_writer : archive_names {
 public:
  static constexpr bool is_loading = false;

  void set(std::string key, std::string value) { m_header.set(std::move(key), std::move(value)); }

  template <archived_number T>
  void operator()(std::string_view name, const T& value) {
    set(full(name), to_text(value));
  }
  template <class T>
  void operator()(std::string_view name, const buffer<T>& values, std::initializer_list<std::uint64_t> shape) {
    as<T>(name, values, shape);
  }
  template <class Scalar, class T>
  void as(std::string_view name, const buffer<T>& values, std::initializer_list<std::uint64_t> shape) {
    static_assert(sizeof(T) % sizeof(Scalar) == 0);
    add<Scalar>(name, values.data(), values.size() * sizeof(T), shape);
  }
  template <class T>
  void operator()(std::string_view name, const matrix<T>& rows) {
    add<T>(name, rows.data(), rows.rows() * rows.cols() * sizeof(T), {rows.rows(), rows.cols()});
  }
  template <class T>
  void part(std::string_view name, const T& object) {
    within(name, [&] { persistence::persist(object, *this); });
  }
  void constant(std::string_view name, std::string_view text) { set(full(name), std::string(text)); }
  template <class Enum>
  void choice(std::string_view name, const Enum& value, std::initializer_list<std::string_view> names) {
    constant(name, names.begin()[static_cast<std::size_t>(value)]);
  }
  void expect(bool, std::string_view) const noexcept {}

  /// \throws std::system_error where the file cannot be written.
  void write(const std::filesystem::path& path) {
    static constexpr char padding[tensor_alignment] = {};
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < m_tensors.size(); ++i) {  // grows: paddings are inserted
      auto& info = m_tensors[i].info;
      info.end += end;
      info.begin = std::exchange(end, info.end);
      m_header.add(m_tensors[i].name, info);
      const std::uint64_t rest = (tensor_alignment - end % tensor_alignment) % tensor_alignment;
      if (rest > 0 && i + 1 < m_tensors.size())
        m_tensors.insert(m_tensors.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                         {"_pad" + std::to_string(i), {"U8", {rest}, 0, rest}, padding});
    }
    output_file file(path);
    const std::string header = m_header.bytes();
    file.write(header.data(), header.size());
    for (const tensor& t : m_tensors) file.write(t.data, t.info.end - t.info.begin);
    file.commit();
  }

 private:
  struct tensor {
    std::string name;
    tensor_info info;
    const void* data;
  };

  template <class Scalar>
  void add(std::string_view name, const void* data, std::uint64_t bytes, std::vector<std::uint64_t> shape) {
    set("checksum." + full(name), checksum_of(data, bytes));
    m_tensors.push_back({full(name), {std::string(tensor_dtype<Scalar>()), std::move(shape), 0, bytes}, data});
  }

  safetensors_header m_header;
  std::vector<tensor> m_tensors;
};

/// Fills the fields of an object from loaded_tensors or mapped_tensors.
template <class File>
class index_reader : archive_names {
 public:
  static constexpr bool is_loading = true;
  using archive_names::within;

  explicit index_reader(File& file) : m_file(&file) {}

  template <archived_number T>
  void operator()(std::string_view name, T& value) {
    const std::string& text = metadata(name);
    if (!parse_number(text, value)) fail(full(name), " = '", text, "' is not a number of the type of this field");
  }
  template <class T>
  void operator()(std::string_view name, buffer<T>& values, std::initializer_list<std::uint64_t> shape) {
    as<T>(name, values, shape);
  }
  template <class Scalar, class T>
  void as(std::string_view name, buffer<T>& values, std::initializer_list<std::uint64_t> shape) {
    const auto& [key, tensor] = find(name);
    if (tensor.dtype != tensor_dtype<Scalar>() || !std::ranges::equal(tensor.shape, shape))
      fail("the tensor '", key, "' is ", tensor.dtype, ' ', text_of_shape(tensor.shape), ", where ",
           tensor_dtype<Scalar>(), ' ', text_of_shape({shape.begin(), shape.size()}), " belongs");
    values = m_file->template read<T>(key, tensor);
  }
  template <class T>
  void operator()(std::string_view name, matrix<T>& rows) {
    const auto& [key, tensor] = find(name);
    if (tensor.dtype != tensor_dtype<T>() || tensor.shape.size() != 2)
      fail("the tensor '", key, "' is ", tensor.dtype, ' ', text_of_shape(tensor.shape), ", where a matrix of ",
           tensor_dtype<T>(), " belongs");
    rows = matrix<T>(tensor.shape[0], tensor.shape[1], m_file->template read<T>(key, tensor));
  }
  template <class T>
  void part(std::string_view name, T& object) {
    within(name, [&] { persistence::persist(object, *this); });
  }
  void constant(std::string_view name, std::string_view text) {
    if (const std::string& given = metadata(name); given != text)
      fail(full(name), " is ", given, ", not the ", text, " asked for");
  }
  template <class Enum>
  void choice(std::string_view name, Enum& value, std::initializer_list<std::string_view> names) {
    const std::string& text = metadata(name);
    const auto found = std::ranges::find(names, text);
    if (found == names.end()) fail(full(name), " is ", text, ", which is not one of the known values");
    value = static_cast<Enum>(found - names.begin());
  }
  void expect(bool condition, std::string_view reason) const {
    if (!condition) fail(owner(), reason);
  }
  /// Whether the file has a number of this name; older formats may lack it.
  bool has(std::string_view name) const { return m_file->header().metadata().contains(full(name)); }
  /// The version of the format of the file.
  int version() const {
    const auto& all = m_file->header().metadata();
    const auto found = all.find("format_version");
    int number = 0;
    if (found == all.end() || !parse_number(found->second, number)) fail("the metadata has no format_version");
    return number;
  }
  template <class F>
  void rebuild(F f) const {
    try {
      f();
    } catch (const std::invalid_argument& error) {
      fail(owner(), error.what());
    }
  }

 private:
  template <class... Reason>
  [[noreturn]] void fail(const Reason&... reason) const {
    m_file->fail(safetensors_header::length_bytes, reason...);
  }
  const auto& find(std::string_view name) const {
    const auto& tensors = m_file->header().tensors();
    const auto found = tensors.find(full(name));
    if (found == tensors.end()) fail("the tensor '", full(name), "' is missing");
    return *found;
  }
  const std::string& metadata(std::string_view name) const {
    const auto& all = m_file->header().metadata();
    const auto found = all.find(full(name));
    if (found == all.end()) fail("the metadata '", full(name), "' is missing");
    return found->second;
  }

  File* m_file;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
