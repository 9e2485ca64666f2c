#pragma once

// Random rows, and distances between rows by their definition.

#include <annulus/core/rows/matrix.hpp>

#include <random>

/// Normal coordinates about `centre`.
inline annulus::matrix<float> random_rows(std::size_t n, std::size_t d, std::uint64_t seed, double centre = 0,
                                          double deviation = 1) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> any;
  annulus::matrix<float> rows(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (float& x : rows.row(i)) x = static_cast<float>(centre + deviation * any(generator));
  return rows;
}

inline double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    const double difference = static_cast<double>(a[j]) - static_cast<double>(b[j]);
    sum += difference * difference;
  }
  return sum;
}

inline double inner_product(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += static_cast<double>(a[j]) * static_cast<double>(b[j]);
  return sum;
}
