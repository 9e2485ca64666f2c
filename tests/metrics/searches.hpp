#pragma once

// Rows for metrics to search, and what is asked of exact search by each.

#include <annulus/core/base/random.hpp>
#include <annulus/core/result/recall.hpp>
#include <annulus/core/rows/bit_matrix.hpp>
#include <annulus/knn/sparse_knn.hpp>

#include <set>

#include "catch.hpp"

namespace metric_searches {

using annulus::csr_matrix;
using annulus::csr_view;
using annulus::id_type;
using annulus::matrix;
using annulus::matrix_view;
using annulus::neighbors;

constexpr std::size_t n_rows = 300, n_queries = 20, n_wanted = 10;

/// Rows in clusters, with queries like them: `make(centre, noise)` of two random numbers in [0, 1) for each coordinate.
template <class T, class F>
matrix<T> clustered(std::size_t n, std::size_t d, F make) {
  constexpr std::size_t clusters = 12;
  const annulus::counter_random centre(5, 1), noise(5, n);
  matrix<T> rows(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j)
      rows(i, j) = static_cast<T>(make(centre.uniform(i % clusters * d + j), noise.uniform(i * d + j)));
  return rows;
}

/// Positive values.
template <class T = float>
matrix<T> masses(std::size_t n, std::size_t d = 9) {
  return clustered<T>(n, d, [](double c, double x) { return c + 0.5 * x + 0.01; });
}

/// Of both signs.
inline matrix<float> vectors(std::size_t n, std::size_t d = 9) {
  return clustered<float>(n, d, [](double c, double x) { return 2 * c - 1 + 0.6 * x; });
}

/// Zeros and ones.
inline matrix<float> binary(std::size_t n, std::size_t d = 70) {
  return clustered<float>(n, d, [](double c, double x) { return 0.5 * c + 0.5 * x > 0.5; });
}

/// The ones of dense rows as bits.
inline annulus::bit_matrix packed_bits(const matrix<float>& rows) {
  annulus::bit_matrix bits(rows.rows(), rows.cols());
  for (std::size_t i = 0; i < rows.rows(); ++i)
    for (std::size_t j = 0; j < rows.cols(); ++j) bits.set(i, j, rows(i, j) != 0);
  return bits;
}

/// What is greater than `least`, and nothing of every 50th row.
inline csr_matrix<float> sparse_rows(const matrix<float>& rows, float least) {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    for (std::size_t j = 0; j < rows.cols(); ++j)
      if (rows(i, j) > least && i % 50 != 49) {
        indices.push_back(static_cast<std::int32_t>(j));
        values.push_back(rows(i, j));
      }
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  return {indptr, indices, values, rows.cols()};
}

template <class Metric, class T>
double distance(const Metric& metric, std::span<const T> a, std::span<const T> b) {
  return static_cast<double>(metric(a.data(), b.data(), a.size()));
}
template <class Metric, class T>
double distance(const Metric& metric, const annulus::sparse_row<T>& a, const annulus::sparse_row<T>& b) {
  return static_cast<double>(metric(a, b));
}

inline bool is_close(double a, double b) { return a == b || std::abs(a - b) <= 1e-6 + 1e-5 * std::abs(b); }

/// How many entries of exact search are not those of all distances sorted, or not the distances of their rows, or come
/// twice.
template <class View, class Metric>
std::size_t wrong_entries(const neighbors& found, const View& data, const View& queries, const Metric& metric) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    std::vector<double> sorted(data.size());
    for (std::size_t j = 0; j < data.size(); ++j) sorted[j] = distance(metric, queries.row(i), data.row(j));
    const std::vector<double> distances = sorted;
    std::ranges::sort(sorted);
    std::set<id_type> ids;
    for (std::size_t j = 0; j < found.ids.cols(); ++j) {
      const id_type id = found.ids(i, j);
      const double reported = static_cast<double>(found.distances(i, j));
      wrong += id >= data.size() || !ids.insert(id).second || !is_close(reported, distances[id]) ||
               !is_close(reported, sorted[j]);
    }
  }
  return wrong;
}

/// By knn, over rows of which the first are searched for among all.
template <class View, class Metric>
void check_knn(const View& data, const View& queries, const Metric& metric) {
  const neighbors found = annulus::knn(data, queries, n_wanted, metric, {.threads = 1});
  CHECK(wrong_entries(found, data, queries, metric) == 0);
}

template <class Metric>
void check_knn(const matrix<float>& rows, const Metric& metric) {
  const matrix_view<float> all = rows;
  check_knn(all.middle_rows(n_queries, all.rows() - n_queries), all.middle_rows(0, n_queries), metric);
}

}  // namespace metric_searches
