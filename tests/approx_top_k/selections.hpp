#pragma once

// Rows of every kind, for the tests of what selects the k best of a row.

#include "approx_top_k/operands.hpp"

#include <annulus/core/base/macros_off.hpp>  // as in precise.hpp

namespace selections {

template <class T>
bool is_before(T a, T b) {
  return annulus::candidate<T>{a, 0} < annulus::candidate<T>{b, 0};
}

/// Constant but for some, which are scattered: NaN, or the largest of the type.
template <class T>
std::vector<T> mostly_one_value(std::size_t n, T value, std::mt19937_64& generator) {
  std::vector<T> row(n, value);
  for (std::size_t i = 0; i < n; i += 1 + generator() % (n / 4 + 1))
    row[i] = static_cast<T>(static_cast<float>(i % 50));
  return row;
}

/// Rows of n elements: random, tied, sorted both ways, constant, of few elements that count, and of infinities or the
/// extremes of the type alone. Of long ones the first two, which differ the most.
template <class T>
std::vector<std::vector<T>> rows_of_all_kinds(std::size_t n, std::mt19937_64& generator) {
  using limits = std::numeric_limits<T>;
  auto random = operands::random_values<T>(n, generator);
  std::vector<std::vector<T>> rows{random, operands::tied_values<T>(n, generator)};
  if (n > 10000) return rows;
  std::sort(random.begin(), random.end(), is_before<T>);
  rows.push_back(random);
  std::reverse(random.begin(), random.end());
  rows.push_back(random);
  rows.push_back(std::vector<T>(n, T(3)));
  T greatest = limits::max(), absent = greatest, least = limits::lowest();
  if constexpr (operands::is_real<T>) {
    greatest = limits::infinity();
    least = -greatest;
    absent = limits::quiet_NaN();
  }
  rows.push_back(mostly_one_value<T>(n, absent, generator));
  if constexpr (operands::is_real<T>) rows.push_back(mostly_one_value<T>(n, -absent, generator));
  rows.push_back(mostly_one_value<T>(n, least, generator));
  for (T& x : random) x = generator() % 2 == 0 ? greatest : least;
  rows.push_back(random);
  return rows;
}

/// Sizes k of selections from n elements, in ascending order; of many elements not most of them, which take long to
/// sort.
inline std::vector<std::size_t> sizes_of_selections(std::size_t n) {
  std::vector<std::size_t> sizes{1, 2, 10, 50, n / 10, n / 3, n / 2 + 1, n};
  std::erase_if(sizes, [n](std::size_t k) { return k == 0 || k > n || (n > 10000 && k > n / 10); });
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

inline const std::vector<std::size_t> lengths{1, 2, 7, 15, 16, 17, 33, 64, 100, 257, 1000, 4099, 70001, 200003};

/// Calls check(row, k, indices of the k best).
template <class T, bool Largest, class Check>
void for_all_rows(const std::vector<std::size_t>& row_lengths, Check check) {
  std::mt19937_64 generator(1);
  for (const std::size_t n : row_lengths)
    for (const auto& row : rows_of_all_kinds<T>(n, generator)) {
      const auto sizes = sizes_of_selections(n);
      const auto best = operands::k_best<Largest>(row, sizes.back());
      for (const std::size_t k : sizes)
        check(row, k, operands::places(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(k)));
    }
}

}  // namespace selections

#include <annulus/core/base/macros_on.hpp>
