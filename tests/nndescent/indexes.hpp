#pragma once

// Rows to index and rows to search for, and what the tests of an index ask of its answers.

#include <annulus/nndescent/half_precision.hpp>
#include <annulus/nndescent/index.hpp>

#include "nndescent/graphs.hpp"

namespace indexes {

using annulus::id_type;
using annulus::matrix;
using annulus::neighbors;
using annulus::no_id;

template <class T>
matrix<T> rows_between(const matrix<T>& m, std::size_t begin, std::size_t end) {
  matrix<T> some(end - begin, m.cols());
  std::copy_n(m.data() + begin * m.cols(), some.rows() * some.cols(), some.data());
  return some;
}

template <class T>
matrix<T> joined(const matrix<T>& a, const matrix<T>& b) {
  matrix<T> both(a.rows() + b.rows(), a.cols());
  std::copy_n(b.data(), b.rows() * b.cols(), std::copy_n(a.data(), a.rows() * a.cols(), both.data()));
  return both;
}

/// Queries are like the rows, but none of them.
template <class T>
struct split {
  matrix<T> rows, queries;
  split(const matrix<T>& all, std::size_t n_queries)
      : rows(rows_between(all, 0, all.rows() - n_queries)),
        queries(rows_between(all, all.rows() - n_queries, all.rows())) {}
};

template <class T>
split<T> clustered(std::size_t n, std::size_t d, std::size_t n_queries = 100, std::size_t n_clusters = 20) {
  return {graphs::clusters<T>(n + n_queries, d, n_clusters, d), n_queries};
}

/// How many distances are not what the metric says of that pair, to the bit.
template <class T, class Metric>
std::size_t wrong_distances(const neighbors& found, const matrix<T>& rows, const matrix<T>& queries,
                            const Metric& metric) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < found.ids.rows(); ++i)
    for (std::size_t j = 0; j < found.ids.cols(); ++j) {
      const id_type id = found.ids(i, j);
      if (id == no_id) continue;
      wrong +=
          id >= rows.rows() ||
          found.distances(i, j) != static_cast<float>(metric(queries.row(i).data(), rows.row(id).data(), rows.cols()));
    }
  return wrong;
}

/// How many of an answer's rows are found.
inline std::size_t count_of(std::span<const id_type> ids) {
  return ids.size() - static_cast<std::size_t>(std::ranges::count(ids, no_id));
}

/// Whether all of the ids from 0 to n - 1 are there, and padding follows.
inline bool holds_all(std::span<const id_type> ids, std::size_t n) {
  std::vector<id_type> sorted(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(std::min(n, ids.size())));
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != i) return false;
  return count_of(ids) == n;
}

}  // namespace indexes
