#pragma once

// Operands and references for the tests of approximate top-k.

#include <annulus/approx_top_k/approx_min_k.hpp>

#include <numeric>
#include <random>

#include <annulus/core/base/macros_off.hpp>  // as in precise.hpp

namespace operands {

using places = std::vector<std::int64_t>;

template <class T>
inline constexpr bool is_real = !std::is_integral_v<T>;

/// All values of integers; real numbers in [-1, 1).
template <class T>
std::vector<T> random_values(std::size_t n, std::mt19937_64& generator) {
  std::vector<T> values(n);  // of exactly this size, so that a sanitizer sees any read past the end
  std::uniform_real_distribution<double> real(-1, 1);
  for (T& x : values)
    if constexpr (is_real<T>) x = static_cast<T>(real(generator));
    else x = static_cast<T>(generator());
  return values;
}

/// Few different values, so that most are tied; of real numbers some are NaN of both signs, infinite and -0, of
/// integers some are the largest and the smallest.
template <class T>
std::vector<T> tied_values(std::size_t n, std::mt19937_64& generator) {
  using limits = std::numeric_limits<T>;
  std::vector<T> special{limits::max(), limits::lowest(), T(0), T(1), T(2), T(3), T(3), T(3)};
  if constexpr (is_real<T>)
    special = {
        limits::infinity(), -limits::infinity(), limits::quiet_NaN(), -limits::quiet_NaN(), -T(0), T(0), T(1), T(1)};
  std::vector<T> values(n);
  for (T& x : values) x = special[generator() % special.size()];
  return values;
}

/// 0, ..., n - 1 such that each `stride`-th place from `shift` on (cyclically) has the smallest, in order.
inline std::vector<float> strided_values(std::size_t n, std::size_t stride, std::size_t shift) {
  std::vector<float> values(n);
  std::size_t rank = 0;
  for (std::size_t offset = 0; offset < stride; ++offset)
    for (std::size_t i = offset; i < n; i += stride) values[(i + shift) % n] = static_cast<float>(rank++);
  return values;
}

/// The indices of the k best by a sort: ties by lowest index, NaN last.
template <bool Largest = false, class T>
places k_best(const std::vector<T>& values, std::size_t k) {
  places order(values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto before = [&](std::int64_t a, std::int64_t b) {
    const T x = values[static_cast<std::size_t>(a)], y = values[static_cast<std::size_t>(b)];
    const bool x_is_nan = annulus::detail::is_nan(x), y_is_nan = annulus::detail::is_nan(y);
    if (x_is_nan || y_is_nan) return x_is_nan == y_is_nan ? a < b : y_is_nan;
    if (x == y) return a < b;
    return Largest ? x > y : x < y;
  };
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(k);
  std::partial_sort(order.begin(), end, order.end(), before);
  order.resize(k);
  return order;
}

/// Where `values` and `found` differ as numbers: NaN equals NaN.
template <class T>
bool are_values_at(const std::vector<T>& found, const std::vector<T>& values, const places& at) {
  if (found.size() != at.size()) return false;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const T x = values[static_cast<std::size_t>(at[i])];
    const bool is_nan = annulus::detail::is_nan(x);
    if (is_nan != annulus::detail::is_nan(found[i]) || (!is_nan && found[i] != x)) return false;
  }
  return true;
}

inline bool are_distinct(places at) {
  std::sort(at.begin(), at.end());
  return std::adjacent_find(at.begin(), at.end()) == at.end();
}

/// The share of the k smallest among what was found, for values that are the numbers 0, ..., n - 1.
inline double recall_of_ranks(const std::vector<float>& found, std::size_t k) {
  const auto hits = std::count_if(found.begin(), found.end(), [&](float x) { return x < static_cast<float>(k); });
  return static_cast<double>(hits) / static_cast<double>(k);
}

/// Mean and its standard error.
struct statistics {
  double sum = 0, squares = 0, count = 0;
  void add(double x) {
    sum += x;
    squares += x * x;
    ++count;
  }
  double mean() const { return sum / count; }
  double error() const { return std::sqrt(std::max(0.0, squares / count - mean() * mean()) / count); }
};

}  // namespace operands

#include <annulus/core/base/macros_on.hpp>
