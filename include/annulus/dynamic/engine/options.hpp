#pragma once

/// \file
/// Options by name, as the C interface hands them over: numbers and flags as text, weights and matrices as numbers, a
/// metric of the caller's as a function.

#include <annulus/annulus.h>
#include <annulus/core/base/errors.hpp>
#include <annulus/core/base/similar_name.hpp>
#include <annulus/dynamic/engine/caller_metric.hpp>

#include <charconv>
#include <concepts>
#include <initializer_list>
#include <locale>
#include <optional>
#include <sstream>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Reads options one after the other; each may be asked for once, and finish() refuses those that nobody asked for.
class option_reader {
 public:
  explicit option_reader(std::span<const annulus_option> options) : m_options(options), m_is_read(options.size()) {
    for (std::size_t i = 0; i < options.size(); ++i) {
      if (options[i].name == nullptr) invalid("option", i, "has no name");
      for (std::size_t j = 0; j < i; ++j)
        if (options[j].name == std::string_view(options[i].name)) invalid("option", options[i].name, "is given twice");
    }
  }

  /// Text, or `otherwise` where it is not given.
  std::string_view text(std::string_view name, std::string_view otherwise) {
    const annulus_option* const option = find(name);
    if (option == nullptr) return otherwise;
    if (option->text == nullptr && option->distance != nullptr)
      invalid(name, "a function", "must be text: functions are metrics of kinds flat and nndescent, knn and knn_graph");
    if (option->text == nullptr) invalid(name, "numbers", "must be text");
    return option->text;
  }
  /// The metric, where the option is given as a function.
  std::optional<caller_metric> function(std::string_view name) {
    for (std::size_t i = 0; i < m_options.size(); ++i)
      if (m_options[i].name == name && m_options[i].text == nullptr && m_options[i].distance != nullptr) {
        m_is_read[i] = true;
        m_known.push_back(name);
        return caller_metric{m_options[i].distance, m_options[i].user};
      }
    return {};
  }
  /// One of the names, by its place among them.
  std::size_t choice(std::string_view name, std::span<const std::string_view> names, std::size_t otherwise) {
    const std::string_view given = text(name, names[otherwise]);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (is_same_name(given, names[i])) return i;
    const std::string_view meant = most_similar(given, names);
    if (meant.empty()) invalid(name, given, "must be one of ", joined(names));
    invalid(name, given, "did you mean ", meant, "? It must be one of ", joined(names));
  }
  /// Fills `value`, a number or a flag, where the option is given. Returns whether it is.
  template <class T>
    requires std::is_arithmetic_v<T>
  bool read(std::string_view name, T& value) {
    const annulus_option* const option = find(name);
    if (option == nullptr) return false;
    if (option->text == nullptr) {
      if (option->numbers == nullptr || option->n_numbers != 1) invalid(name, option->n_numbers, "must be one number");
      if constexpr (std::integral<T>) invalid(name, "numbers", "must be text: an integer, true or false");
      else value = static_cast<T>(option->numbers[0]);
      return true;
    }
    const std::string_view given = option->text;
    if constexpr (std::same_as<T, bool>) {
      if (given != "true" && given != "false" && given != "1" && given != "0")
        invalid(name, given, "must be true or false");
      value = given == "true" || given == "1";
    } else if constexpr (std::floating_point<T>) {
      std::istringstream stream{std::string(given)};
      stream.imbue(std::locale::classic());
      if (!(stream >> value) || stream.peek() != std::istringstream::traits_type::eof())
        invalid(name, given, "must be a number");
    } else {
      const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
      if (error != std::errc{} || end != given.data() + given.size())
        invalid(name, given, std::unsigned_integral<T> ? "must be an integer from 0 on" : "must be an integer");
    }
    return true;
  }
  /// Numbers, none where they are not given.
  std::span<const double> numbers(std::string_view name) {
    const annulus_option* const option = find(name);
    if (option == nullptr) return {};
    if (option->text != nullptr) invalid(name, option->text, "must be numbers");
    if (option->ids != nullptr) invalid(name, "ids", "must be numbers");
    return {option->numbers, option->n_numbers};
  }

  /// A list of ids for each of n rows, none where the option is not given. \throws std::invalid_argument for another
  /// number of them.
  matrix<id_type> ids(std::string_view name, std::size_t n) {
    const annulus_option* const option = find(name);
    if (option == nullptr) return {};
    if (option->ids == nullptr) invalid(name, option->text == nullptr ? "numbers" : option->text, "must be ids");
    if (n == 0 || option->n_numbers % n != 0)
      invalid(name, option->n_numbers, "must be as many ids for each of the ", n, " rows");
    matrix<id_type> lists(n, option->n_numbers / n);
    std::copy_n(option->ids, option->n_numbers, lists.data());
    return lists;
  }

  /// Throws std::invalid_argument for an option that was not asked for: `owner` has none of that name.
  void finish(std::string_view owner) const {
    for (std::size_t i = 0; i < m_options.size(); ++i) {
      if (m_is_read[i]) continue;
      const std::string_view meant = most_similar(m_options[i].name, m_known);
      if (meant.empty()) invalid("option", m_options[i].name, owner, " takes ", joined(m_known));
      invalid("option", m_options[i].name, "did you mean ", meant, "? ", owner, " takes ", joined(m_known));
    }
  }

  static std::string joined(std::span<const std::string_view> names) {
    std::string text;
    for (const std::string_view name : names) text.append(text.empty() ? "" : ", ").append(name);
    return text;
  }

 private:
  const annulus_option* find(std::string_view name) {
    m_known.push_back(name);
    for (std::size_t i = 0; i < m_options.size(); ++i)
      if (m_options[i].name == name) {
        m_is_read[i] = true;
        return &m_options[i];
      }
    return nullptr;
  }

  std::span<const annulus_option> m_options;
  std::vector<bool> m_is_read;
  std::vector<std::string_view> m_known;  ///< all that were asked for; names are literals
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
