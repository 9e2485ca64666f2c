#pragma once

// Random rows for the tests of metrics over coordinates, and what is asked of all such metrics.

#include <annulus/core/base/random.hpp>
#include <annulus/core/rows/csr_matrix.hpp>

#include <cmath>
#include <functional>
#include <vector>

namespace dense_rows {

using annulus::sparse_row;
using reference = std::function<double(const std::vector<double>&, const std::vector<double>&)>;

/// Small whole and half numbers, of which some are equal and some 0: exact in every element type.
template <class T>
std::vector<T> row_of(std::size_t d, std::uint64_t seed) {
  std::vector<T> row(d);  // of exactly this size, so that a sanitizer sees any read past the end
  const annulus::counter_random random(seed, 7);
  for (std::size_t i = 0; i < d; ++i) {
    const int value = static_cast<int>(random.below(i, 21)) - (std::same_as<T, std::uint8_t> ? 0 : 10);
    if constexpr (annulus::detail::is_byte<T>) row[i] = static_cast<T>(value);
    else row[i] = static_cast<T>(static_cast<float>(value) / 2);
  }
  return row;
}

/// Normally distributed.
template <class T>
std::vector<T> normal_row(std::size_t d, std::uint64_t seed) {
  std::vector<T> row(d);
  const annulus::counter_random random(seed);
  for (std::size_t i = 0; i < d; ++i) row[i] = static_cast<T>(random.normal(i));
  return row;
}

template <class T>
std::vector<double> doubles(const T* row, std::size_t d) {
  std::vector<double> result(d);
  for (std::size_t i = 0; i < d; ++i) result[i] = static_cast<double>(row[i]);
  return result;
}

inline bool is_near(double value, double expected, double tolerance) {
  if (!annulus::detail::is_finite(expected)) return value == expected;
  return std::abs(value - expected) <= tolerance * std::max(1.0, std::abs(expected));
}

/// The lengths from `first` to 130 at which a metric is not its reference, for rows that start anywhere.
template <class T, class Metric>
std::vector<std::size_t> wrong_lengths(const Metric& metric, const reference& expected, std::size_t first = 0,
                                       double tolerance = 2e-5) {
  std::vector<std::size_t> wrong;
  for (std::size_t d = first; d <= 130; ++d) {
    const std::size_t offset = d % 4;
    const auto a = row_of<T>(offset + d, 2 * d), b = row_of<T>(1 + d, 2 * d + 1);
    const T *const x = a.data() + offset, *const y = b.data() + 1;
    const double want = expected(doubles(x, d), doubles(y, d));
    if (!is_near(static_cast<double>(metric(x, y, d)), want, tolerance)) wrong.push_back(d);
  }
  return wrong;
}

/// A sparse row and the dense one that it stands for. About `share` of the coordinates are stored, some of them zeros.
template <class T>
struct stored_row {
  stored_row(std::size_t d, double share, std::uint64_t seed) : full(d, T(0)) {
    const auto values = row_of<T>(d, seed);
    const annulus::counter_random random(seed, 8);
    for (std::size_t i = 0; i < d; ++i)
      if (random.uniform(i) < share) {
        indices.push_back(static_cast<std::int32_t>(i));
        stored.push_back(values[i]);
        full[i] = values[i];
      }
  }
  sparse_row<T> sparse() const { return {indices, stored, full.size()}; }

  std::vector<std::int32_t> indices;
  std::vector<T> stored, full;
};

/// The dimensions at which a metric of sparse rows is not the same of full ones.
template <class T, class Metric>
std::vector<std::size_t> wrong_dimensions(const Metric& metric, double tolerance = 2e-5) {
  std::vector<std::size_t> wrong;
  for (const std::size_t d : {1u, 2u, 5u, 17u, 40u, 130u, 700u})
    for (const double share : {0.0, 0.1, 0.5, 1.0}) {
      const stored_row<T> a(d, share, d), b(d, std::min(1.0, 2 * share), d + 1);
      const auto want = static_cast<double>(metric(a.full.data(), b.full.data(), d));
      const auto got = static_cast<double>(metric(a.sparse(), b.sparse()));
      const auto turned = static_cast<double>(metric(b.sparse(), a.sparse()));
      if (!is_near(got, want, tolerance) || !is_near(turned, want, tolerance)) wrong.push_back(d);
    }
  return wrong;
}

/// Whether d(a, b) == d(b, a) to the last bit, and d(a, a) == 0, for random rows.
template <class Metric>
bool is_symmetric_and_zero_of_equals(const Metric& metric, std::size_t d = 37) {
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto a = normal_row<float>(d, 2 * i), b = normal_row<float>(d, 2 * i + 1);
    if (metric(a.data(), b.data(), d) != metric(b.data(), a.data(), d)) return false;
    if (metric(a.data(), a.data(), d) != 0) return false;
  }
  return true;
}

/// Whether d(a, c) <= d(a, b) + d(b, c), to rounding.
template <class Metric>
bool keeps_triangles(const Metric& metric, std::size_t d = 5) {
  for (std::uint64_t i = 0; i < 300; ++i) {
    const auto a = normal_row<float>(d, 3 * i), b = normal_row<float>(d, 3 * i + 1),
               c = normal_row<float>(d, 3 * i + 2);
    const auto between = [&](const auto& x, const auto& y) {
      return static_cast<double>(metric(x.data(), y.data(), d));
    };
    if (between(a, c) > (between(a, b) + between(b, c)) * (1 + 1e-5)) return false;
  }
  return true;
}

}  // namespace dense_rows
