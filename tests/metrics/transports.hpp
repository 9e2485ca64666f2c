#pragma once

// Distributions and costs for the tests of transport.

#include <annulus/core/base/random.hpp>
#include <annulus/metrics/transport.hpp>

#include <cmath>

namespace transports {

inline std::vector<float> random_mass(std::size_t d, std::uint64_t seed, double empty = 0.2) {
  const annulus::counter_random random(9, seed);
  std::vector<float> row(d);
  for (std::size_t i = 0; i < d; ++i)
    row[i] = random.uniform(2 * i) < empty ? 0.0f : static_cast<float>(random.uniform(2 * i + 1));
  row[seed % d] = 0.5f;
  return row;
}

inline annulus::matrix<double> random_costs(std::size_t d, std::uint64_t seed) {
  const annulus::counter_random random(10, seed);
  annulus::matrix<double> cost(d, d);
  for (std::size_t i = 0; i < d * d; ++i) cost.data()[i] = random.uniform(i);
  return cost;
}

/// |i - j|^p.
inline annulus::matrix<double> line_costs(std::size_t d, double p = 1) {
  annulus::matrix<double> cost(d, d);
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t j = 0; j < d; ++j) cost(i, j) = std::pow(i < j ? j - i : i - j, p);
  return cost;
}

inline annulus::detail::transport_problem problem_of(const std::vector<float>& a, const std::vector<float>& b,
                                                     const annulus::matrix<double>& cost) {
  return annulus::detail::make_problem(annulus::detail::bins_with_mass(a.data(), a.size()),
                                       annulus::detail::bins_with_mass(b.data(), b.size()),
                                       annulus::detail::transport_costs(cost));
}

struct stored {
  explicit stored(const std::vector<float>& row) : dim(row.size()) {
    for (std::size_t i = 0; i < row.size(); ++i)
      if (row[i] != 0 || i % 7 == 0) {  // now and then a zero, which is no mass
        indices.push_back(static_cast<std::int32_t>(i));
        values.push_back(row[i]);
      }
  }
  annulus::sparse_row<float> row() const { return {indices, values, dim}; }
  std::size_t dim;
  std::vector<std::int32_t> indices;
  std::vector<float> values;
};

template <class Metric>
double between(const Metric& metric, const std::vector<float>& a, const std::vector<float>& b) {
  return metric(a.data(), b.data(), a.size());
}

}  // namespace transports
