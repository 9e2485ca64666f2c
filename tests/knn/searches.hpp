#pragma once

// knn beside brute force as plainly as it can be written, for every metric and element type that the tests share.

#include <annulus/core/result/recall.hpp>
#include <annulus/knn/knn.hpp>

#include <numeric>
#include <stdexcept>
#include <string_view>

#include "core/rows.hpp"

#include <annulus/core/base/macros_off.hpp>  // as in precise.hpp

namespace searches {

using annulus::id_filter;
using annulus::id_type;
using annulus::knn_params;
using annulus::matrix;
using annulus::neighbors;

/// One metric over rows of T. Each is compiled in one unit only.
template <class T>
struct search {
  std::string_view metric;
  neighbors (*knn)(const matrix<T>& data, const matrix<T>& queries, std::size_t k, const knn_params& params);
  /// What knn must return: the kernel's rank of every row that is finite and allowed, sorted by rank and id.
  neighbors (*naive)(const matrix<T>& data, const matrix<T>& queries, std::size_t k, const id_filter& filter);
  /// How many entries of a result are not nearest by the metric called on two rows, or not that distance to rounding:
  /// for rows of a size at which the kernel's ranks are no floats.
  std::size_t (*wrong)(const matrix<T>& data, const matrix<T>& queries, const neighbors& found);
};

/// All metrics tested over rows of T, of which each unit that is compiled adds its own.
template <class T>
std::vector<search<T>>& all() {
  static std::vector<search<T>> added;
  return added;
}
template <class T>
bool add(const std::vector<search<T>>& some) {
  all<T>().insert(all<T>().end(), some.begin(), some.end());
  return true;
}

template <class T>
const search<T>& by(std::string_view metric) {
  const auto found = std::ranges::find(all<T>(), metric, &search<T>::metric);
  if (found == all<T>().end()) throw std::out_of_range("no search by this metric over these types is compiled here");
  return *found;
}

template <class T>
matrix<T> random_rows(std::size_t n, std::size_t d, std::mt19937_64& generator) {
  return rows::random_matrix<T>(n, d, generator);
}

/// The rows of the given numbers, in their order.
template <class M>
M rows_of(const M& m, const std::vector<std::size_t>& numbers) {
  M some(numbers.size(), m.cols());
  for (std::size_t i = 0; i < numbers.size(); ++i) std::ranges::copy(m.row(numbers[i]), some.row(i).begin());
  return some;
}

inline neighbors rows_of(const neighbors& found, const std::vector<std::size_t>& numbers) {
  neighbors some;
  some.ids = rows_of(found.ids, numbers);
  some.distances = rows_of(found.distances, numbers);
  return some;
}

inline bool same_bits(const neighbors& a, const neighbors& b) {
  const auto bits = [](float x) { return std::bit_cast<std::uint32_t>(x); };
  const auto all_of = [](const neighbors& r) { return std::span(r.distances.data(), r.ids.rows() * r.ids.cols()); };
  return a.ids == b.ids && std::ranges::equal(all_of(a), all_of(b), {}, bits, bits);
}

/// Whether each row ascends, repeats no id and holds padding at its end alone.
inline bool well_formed(const neighbors& found) {
  for (std::size_t i = 0; i < found.ids.rows(); ++i) {
    const auto ids = found.ids.row(i);
    const auto distances = found.distances.row(i);
    const auto padding = std::ranges::find(ids, annulus::no_id);
    std::vector<annulus::id_type> sorted(ids.begin(), padding);
    std::ranges::sort(sorted);
    const auto is_infinite = [](float x) { return x == std::numeric_limits<float>::infinity(); };
    if (!std::ranges::is_sorted(distances) || std::ranges::adjacent_find(sorted) != sorted.end() ||
        std::any_of(padding, ids.end(), [](auto id) { return id != annulus::no_id; }) ||
        !std::ranges::all_of(distances.subspan(sorted.size()), is_infinite))
      return false;
  }
  return true;
}

}  // namespace searches

#include <annulus/core/base/macros_on.hpp>
