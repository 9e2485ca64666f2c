#pragma once

// A metric as a callable of the templates, and the same as a function of the C interface.

#include "dynamic/given.hpp"

namespace dynamic_tests {

/// The greatest difference of two coordinates, in units; NaN where one of the rows starts with the mark.
struct callable {
  static constexpr float mark = 99;
  float unit = 0.5f;

  float operator()(const float* a, const float* b, std::size_t d) const {
    if (a[0] == mark || b[0] == mark) return std::numeric_limits<float>::quiet_NaN();
    float greatest = 0;
    for (std::size_t j = 0; j < d; ++j) greatest = std::max(greatest, std::abs(a[j] - b[j]));
    return greatest / unit;
  }
};
inline float call(const float* a, const float* b, std::size_t d, void* user) {
  return (*static_cast<const callable*>(user))(a, b, d);
}

/// build(reader) with these options, and the metric.
template <class Build>
auto with_function(callable& metric, const option_list& list, Build build) {
  std::vector<annulus_option> options{{"metric", nullptr, nullptr, 0, call, &metric, nullptr}};
  for (const auto& [name, text] : list) options.push_back({name, text, nullptr, 0, nullptr, nullptr});
  detail::option_reader reader(options);
  return build(reader);
}

/// The file of such an index of rows of floats.
inline detail::file_description file_of(const std::filesystem::path& path, bool is_mapped, const char* kind,
                                        callable& metric) {
  return {path, is_mapped, kind, "rows of float32", "user", "full_precision", detail::caller_metric{call, &metric}};
}

}  // namespace dynamic_tests
