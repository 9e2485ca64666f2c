#pragma once

/// \file
/// Named members of a struct as the options of the C interface.

#include <annulus/core/rows/matrix.hpp>
#include <annulus/dynamic/user_metric.hpp>

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Options that refer to the members they are made of, or to text of their own. Members that are empty are not given.
class c_options {
 public:
  c_options() = default;
  /// Those of a spec; without its kind, where the function that is called gives it.
  template <class Spec>
  explicit c_options(const Spec& spec, bool with_kind = true) : m_with_kind(with_kind) {
    spec.visit(*this);
  }
  c_options(const c_options&) = delete;
  c_options& operator=(const c_options&) = delete;

  // Not inlined where many members are visited: compilers take three times as long.
  [[gnu::noinline]] void operator()(const char* name, const std::string& value) {
    if (!m_with_kind && std::string_view(name) == "kind") return;
    if (!value.empty()) m_options.push_back({name, value.c_str(), nullptr, 0, nullptr, nullptr, nullptr});
  }
  template <class T>
  [[gnu::noinline]] void operator()(const char* name, const std::optional<T>& value) {
    if (value) m_options.push_back({name, text_of(*value), nullptr, 0, nullptr, nullptr, nullptr});
  }
  void operator()(const char* name, const std::vector<double>& values) {
    if (!values.empty()) m_options.push_back({name, nullptr, values.data(), values.size(), nullptr, nullptr, nullptr});
  }
  void operator()(const char* name, const matrix<double>& values) {
    if (values.rows() > 0)
      m_options.push_back({name, nullptr, values.data(), values.rows() * values.cols(), nullptr, nullptr, nullptr});
  }
  void operator()(const char* name, const matrix<id_type>& ids) {
    if (ids.rows() > 0)
      m_options.push_back({name, nullptr, nullptr, ids.rows() * ids.cols(), nullptr, nullptr, ids.data()});
  }
  void operator()(const char* name, const user_metric& metric) {
    if (metric.function != nullptr)
      m_options.push_back({name, nullptr, nullptr, 0, metric.function, metric.user, nullptr});
  }

  const annulus_option* data() const noexcept { return m_options.data(); }
  std::size_t size() const noexcept { return m_options.size(); }

 private:
  template <class T>
  const char* text_of(T value) {
    if constexpr (std::same_as<T, bool>) {
      return value ? "true" : "false";
    } else {
      constexpr std::size_t size = 32;  // the shortest digits that are read as the same number
      char* const text = m_texts.emplace_back(new char[size]()).get();
      std::to_chars(text, text + size - 1, value);
      return text;
    }
  }

  bool m_with_kind = true;
  std::vector<annulus_option> m_options;
  std::vector<std::unique_ptr<char[]>> m_texts;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
