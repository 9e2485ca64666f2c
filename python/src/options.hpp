#pragma once

/// \file
/// Keyword arguments as the options of the library.

#include "callbacks.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace annulus_python {

/// Options that refer to this object. Arguments that are None are not given.
class options {
 public:
  explicit options(const nb::dict& arguments);
  options(const options&) = delete;
  options& operator=(const options&) = delete;

  /// Of calls that have the option: one thread for a metric of Python, at which others would wait, unless one is given.
  void set_threads();
  const annulus_option* data() const noexcept { return m_options.data(); }
  std::size_t size() const noexcept { return m_options.size(); }
  /// The metric, where it is a function.
  const std::shared_ptr<user_metric>& metric() const noexcept { return m_metric; }
  /// Where exceptions of the metric are kept.
  kept_error& kept() noexcept { return m_metric ? m_metric->kept() : m_no_metric; }

 private:
  void add(const char* name, nb::handle value);
  void add_text(const char* name, std::string text);

  bool m_has_threads = false;
  std::vector<annulus_option> m_options;
  std::deque<std::string> m_texts;
  std::deque<buffer> m_arrays;
  std::shared_ptr<user_metric> m_metric;
  kept_error m_no_metric;
};

/// The text of a str, without zeros in it, at which C would end it; lives as long as that. \throws ValueError
const char* text_of(nb::handle text, const char* name);

/// What annulus._metric.resolve returns, as a metric; null where it is a name.
std::shared_ptr<user_metric> metric_of(nb::handle metric);

}  // namespace annulus_python
