#pragma once

/// \file
/// An index whose arrays are written to disk piece by piece. annulus.hpp leaves this header out: it needs nlohmann/json
/// and xxHash.

#include <annulus/disk/build_folder.hpp>
#include <annulus/io/index/index_file.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// An array of an object, as an archive is given it.
struct archived_array {
  std::string dtype;
  std::vector<std::uint64_t> shape;
  const void* data;
  std::uint64_t bytes;
};

/// An archive that shows the fields of an object, as they would be saved, to on_text(name, value) and
/// on_array(name, archived_array).
template <class OnText, class OnArray>
class field_visitor : archive_names {
 public:
  static constexpr bool is_loading = false;

  field_visitor(OnText on_text, OnArray on_array) : m_on_text(std::move(on_text)), m_on_array(std::move(on_array)) {}

  template <archived_number T>
  void operator()(std::string_view name, const T& value) {
    m_on_text(full(name), to_text(value));
  }
  template <class T>
  void operator()(std::string_view name, const buffer<T>& values, std::initializer_list<std::uint64_t> shape) {
    as<T>(name, values, shape);
  }
  template <class Scalar, class T>
  void as(std::string_view name, const buffer<T>& values, std::initializer_list<std::uint64_t> shape) {
    m_on_array(full(name),
               archived_array{std::string(tensor_dtype<Scalar>()), shape, values.data(), values.size() * sizeof(T)});
  }
  template <class T>
  void part(std::string_view name, const T& object) {
    if (name.empty()) return persistence::persist(object, *this);
    within(name, [&] { persistence::persist(object, *this); });
  }
  void constant(std::string_view name, std::string_view text) { m_on_text(full(name), std::string(text)); }
  template <class Enum>
  void choice(std::string_view name, const Enum& value, std::initializer_list<std::string_view> names) {
    constant(name, names.begin()[static_cast<std::size_t>(value)]);
  }
  void expect(bool, std::string_view) const noexcept {}

 private:
  OnText m_on_text;
  OnArray m_on_array;
};

/// Numbers and arrays of an index, by the names they have in its file. An object that is empty tells which of its
/// arrays have a value or more for each row: those that are empty with it. These grow, as objects of some rows each are
/// appended; their rows add up to the "count" of the object. All other arrays stay as the empty object has them.
class index_layout {
 public:
  struct array {
    std::string dtype;
    std::vector<std::uint64_t> shape;
    std::string constant;  ///< the bytes of one that does not grow
    bool grows = false;
    std::uint64_t row_bytes = 0;  ///< of one that does
  };

  /// Takes in the fields of an object that is empty. Later ones of the same names replace earlier ones.
  template <class T>
  void define(std::string_view part, const T& empty) {
    define_by([&](auto& archive) { archive.part(part, empty); });
  }
  /// The same for f(archive), which hands over fields itself.
  template <class F>
  void define_by(F f) {
    field_visitor visitor([this](const std::string& name, std::string value) { m_texts[name] = std::move(value); },
                          [this](const std::string& name, const archived_array& given) { add(name, given); });
    f(visitor);
  }

  const header_metadata& texts() const noexcept { return m_texts; }
  const std::map<std::string, array, std::less<>>& arrays() const noexcept { return m_arrays; }

 private:
  void add(const std::string& name, const archived_array& given) {
    array a{given.dtype, given.shape, {}, given.bytes == 0, tensor_value_bytes(given.dtype)};
    if (given.bytes > 0) a.constant.assign(static_cast<const char*>(given.data), given.bytes);
    for (std::size_t i = 1; i < given.shape.size(); ++i) a.row_bytes *= given.shape[i];
    m_arrays[name] = std::move(a);
  }

  header_metadata m_texts;
  std::map<std::string, array, std::less<>> m_arrays;
};

/// An index whose arrays lie in files of a build: what index_reader reads it from.
class index_parts {
 public:
  explicit index_parts(build_folder& folder) : m_folder(&folder) {}

  index_layout& layout() noexcept { return m_layout; }
  const index_layout& layout() const noexcept { return m_layout; }

  /// Appends the rows of an object to the arrays that grow.
  template <class T>
  void append(std::string_view part, const T& object) {
    field_visitor visitor([](const std::string&, const std::string&) {},
                          [this](const std::string& name, const archived_array& a) {
                            if (m_layout.arrays().at(name).grows) m_folder->append(file_of(name), a.data, a.bytes);
                          });
    visitor.part(part, object);
  }
  /// Keeps a whole object in files and the journal.
  template <class T>
  void store(std::string_view part, const T& object) {
    field_visitor visitor(
        [this](const std::string& name, const std::string& value) { m_folder->set(stored_text + name, value); },
        [this](const std::string& name, const archived_array& a) {
          std::string text = a.dtype;
          for (const std::uint64_t size : a.shape) text += ' ' + std::to_string(size);
          m_folder->set(stored_array + name, std::move(text));
          m_folder->append(file_of(name), a.data, a.bytes);
        });
    visitor.part(part, object);
  }

  /// Loads what was defined and appended to, or stored, and committed, into an object that holds nothing. Its arrays
  /// stay in the files, and must only be read.
  template <class T>
  void load(std::string_view part, T& object) {
    prepare();
    index_reader<index_parts> reader(*this);
    if (part.empty()) persistence::persist(object, reader);
    else reader.part(part, object);
  }

  template <archived_number T>
  void store_number(const std::string& name, T value) {
    m_folder->set(stored_text + name, to_text(value));
  }

  // For index_reader.
  const safetensors_header& header() const noexcept { return m_header; }
  template <class T>
  buffer<T> read(const std::string& name, const tensor_info& tensor) {
    const auto found = m_layout.arrays().find(name);
    if (found != m_layout.arrays().end() && !found->second.grows && !is_stored(name))
      return copied<T>(found->second.constant);
    if (tensor.end == 0) return {};
    auto file = m_folder->map(file_of(name));
    T* const data = reinterpret_cast<T*>(file->bytes().data());
    return {std::move(file), data, static_cast<std::size_t>(tensor.end) / sizeof(T)};
  }
  template <class... Reason>
  [[noreturn]] void fail(std::uint64_t offset, const Reason&... reason) const {
    fail_format("the parts of an index", offset, reason...);
  }

 private:
  template <class T>
  static buffer<T> copied(const std::string& bytes) {
    auto values = buffer<T>::for_overwrite(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  static constexpr const char *stored_text = "number.", *stored_array = "array.";

  static std::string file_of(const std::string& name) { return "array." + name; }
  bool is_stored(const std::string& name) const { return m_folder->has(stored_array + name); }

  /// Makes a header of what is there by now.
  void prepare() {
    m_header = {};
    header_metadata texts = m_layout.texts();
    texts["format_version"] = std::to_string(index_format_version);
    for (const auto& [name, a] : m_layout.arrays()) {
      if (is_stored(name)) continue;
      tensor_info info{a.dtype, a.shape, 0, a.constant.size()};
      if (a.grows) {
        info.end = m_folder->bytes(file_of(name));
        const std::uint64_t rows = a.row_bytes == 0 ? 0 : info.end / a.row_bytes;
        if (!info.shape.empty()) info.shape[0] = rows;
        std::string& count = texts[name.substr(0, name.rfind('.') + 1) + "count"];
        std::uint64_t most = 0;
        parse_number(count, most);
        count = std::to_string(std::max(most, rows));
      }
      m_header.add(name, std::move(info));
    }
    m_folder->visit_values([&](const std::string& name, const std::string& value) {
      if (name.starts_with(stored_text)) texts[name.substr(std::string_view(stored_text).size())] = value;
      if (!name.starts_with(stored_array)) return;
      std::istringstream words(value);
      tensor_info info;
      words >> info.dtype;
      for (std::uint64_t size = 0; words >> size;) info.shape.push_back(size);
      const std::string tensor = name.substr(std::string_view(stored_array).size());
      info.end = m_folder->bytes(file_of(tensor));
      m_header.add(tensor, std::move(info));
    });
    for (auto& [name, value] : texts) m_header.set(name, value);
  }

  build_folder* m_folder;
  index_layout m_layout;
  safetensors_header m_header;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
