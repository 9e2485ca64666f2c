#pragma once

// Random rows for the tests of everything that reads rows.

#include <annulus/core/kernels/dense_operations.hpp>
#include <annulus/core/rows/matrix.hpp>

#include <algorithm>
#include <random>
#include <vector>

namespace rows {

/// 8-bit types take all their values, floating-point types those in [-1, 1].
template <class T>
std::vector<T> random_values(std::size_t n, std::mt19937_64& generator) {
  std::vector<T> values(n);  // of exactly this size, so that a sanitizer sees any read past the end
  if constexpr (annulus::detail::is_byte<T>) {
    std::uniform_int_distribution<int> any(std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    for (T& x : values) x = static_cast<T>(any(generator));
  } else {
    std::uniform_real_distribution<double> any(-1, 1);
    for (T& x : values) x = static_cast<T>(any(generator));
  }
  return values;
}

template <class T>
annulus::matrix<T> random_matrix(std::size_t n, std::size_t d, std::mt19937_64& generator) {
  annulus::matrix<T> m(n, d);
  std::ranges::copy(random_values<T>(n * d, generator), m.data());
  return m;
}
template <class T>
annulus::matrix<T> random_matrix(std::size_t n, std::size_t d, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  return random_matrix<T>(n, d, generator);
}

template <class T>
std::vector<double> as_doubles(const std::vector<T>& values) {
  std::vector<double> result;
  for (const T x : values) result.push_back(static_cast<double>(x));
  return result;
}

}  // namespace rows
