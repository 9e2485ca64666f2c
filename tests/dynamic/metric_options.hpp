#pragma once

// Options for every metric that has a name, and rows that all of them take.

#include <annulus/metrics/named.hpp>

#include "dynamic/given.hpp"
#include "metrics/parameters.hpp"

namespace dynamic_tests {

/// A metric with a value for each of its parameters, as options.
class metric_options {
 public:
  metric_options(const metric_info& metric, std::size_t dim) : m_params(parameters::some(metric, dim)) {
    m_options.push_back({"metric", metric.name.data(), nullptr, 0, nullptr, nullptr, nullptr});
    if (m_params.p) add("p", &*m_params.p, 1);
    if (!m_params.w.empty()) add("w", m_params.w.data(), m_params.w.size());
    if (!m_params.variance.empty()) add("variance", m_params.variance.data(), m_params.variance.size());
    if (m_params.vinv.rows() > 0) add("vinv", m_params.vinv.data(), dim * dim);
    if (m_params.cost.rows() > 0) add("cost", m_params.cost.data(), dim * dim);
  }
  metric_options& with(const char* name, const char* text) {
    m_options.push_back({name, text, nullptr, 0, nullptr, nullptr, nullptr});
    return *this;
  }
  /// build(reader)
  template <class Build>
  auto operator()(Build build) const {
    detail::option_reader reader(m_options);
    return build(reader);
  }
  const metric_params& params() const noexcept { return m_params; }

 private:
  void add(const char* name, const double* numbers, std::size_t n) {
    m_options.push_back({name, nullptr, numbers, n, nullptr, nullptr, nullptr});
  }

  metric_params m_params;
  std::vector<annulus_option> m_options;
};

/// Whole numbers from 0 to 4, not all zero, so that distributions have mass and some coordinates are equal.
template <class T>
matrix<T> count_rows(std::size_t n, std::size_t d, std::uint64_t seed) {
  const counter_random random(seed);
  matrix<T> rows(n, d);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < d; ++j) rows(i, j) = static_cast<T>(static_cast<float>(random.bits(i * d + j) % 5));
    rows(i, i % d) = static_cast<T>(1.0f);
  }
  return rows;
}
/// The same, without the zeros.
template <class T>
sparse_rows<T> sparse_count_rows(std::size_t n, std::size_t d, std::uint64_t seed) {
  const matrix<T> dense = count_rows<T>(n, d, seed);
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<T> values;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < d; ++j)
      if (dense(i, j) != T(0)) {
        indices.push_back(static_cast<std::int32_t>(j));
        values.push_back(dense(i, j));
      }
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  return {std::move(indptr), std::move(indices), std::move(values), d};
}

}  // namespace dynamic_tests
