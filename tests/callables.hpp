#pragma once

// Manhattan distances as users write metrics.

#include <annulus/core/result/neighbors.hpp>

#include <cmath>
#include <random>
#include <span>

namespace callables {

template <class T>
annulus::matrix<T> rows(std::size_t n = 200, std::size_t d = 5) {
  std::mt19937 generator(1);
  annulus::matrix<T> values(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (T& value : values.row(i)) value = static_cast<T>(generator() % 100);
  return values;
}

inline std::size_t n_different(const annulus::neighbors& a, const annulus::neighbors& b) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < a.distances.rows(); ++i)
    for (std::size_t j = 0; j < a.distances.cols(); ++j) n += a.distances(i, j) != b.distances(i, j);
  return n;
}

template <class T>
double distance(std::span<const T> a, std::span<const T> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
  return sum;
}

template <class T>
float of_pointers(const T* a, const T* b, std::size_t d) {
  return static_cast<float>(distance<T>({a, d}, {b, d}));
}

struct of_spans final {
  double operator()(std::span<const float> a, std::span<const float> b) const { return distance(a, b); }
};

template <class Number>
struct returning {
  Number operator()(const float* a, const float* b, std::size_t d) const {
    return static_cast<Number>(distance<float>({a, d}, {b, d}));
  }
};

/// Nor can it be assigned.
class without_default {
 public:
  explicit without_default(int factor) : m_factor(factor) {}
  template <class T>
  double operator()(const T* a, const T* b, std::size_t d) const {
    return m_factor * distance<T>({a, d}, {b, d});
  }

 private:
  const int m_factor;
};

struct ranked_spans {
  double operator()(std::span<const float> a, std::span<const float> b) const { return to_distance(rank(a, b)); }
  static double rank(std::span<const float> a, std::span<const float> b) { return 2 * distance(a, b); }
  static double to_distance(double rank) { return rank / 2; }
};

}  // namespace callables
