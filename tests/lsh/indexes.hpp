#pragma once

// Rows of every kind to index, and what an LSH index must answer, as plainly as it can be written.

#include <annulus/core/result/recall.hpp>
#include <annulus/lsh/index.hpp>

#include <map>
#include <string>

namespace lsh_tests {

using annulus::counter_random;
using annulus::csr;
using annulus::csr_matrix;
using annulus::id_type;
using annulus::lsh_candidates;
using annulus::matrix;
using annulus::neighbors;
using annulus::no_id;

constexpr float infinity = std::numeric_limits<float>::infinity(),
                not_a_number = std::numeric_limits<float>::quiet_NaN();

// ---- Rows -----------------------------------------------------------------------------------------------------------

/// n rows in normal clusters of deviation `spread` around centres of deviation 2.
template <class T>
matrix<T> clusters(std::size_t n, std::size_t d, std::size_t n_clusters, std::uint64_t seed, double spread = 1) {
  const counter_random centres(seed), points(seed, 1);
  matrix<T> m(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j)
      m(i, j) = static_cast<T>(2 * centres.normal(i % n_clusters * d + j) + spread * points.normal(i * d + j));
  return m;
}

/// n rows of packed bits, the same around their centres: an eighth of the bits differ.
inline matrix<std::uint8_t> bit_clusters(std::size_t n, std::size_t bytes, std::size_t n_clusters, std::uint64_t seed) {
  const counter_random centres(seed), points(seed, 1);
  matrix<std::uint8_t> m(n, bytes);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < bytes; ++j) {
      const std::uint64_t r = points.bits(i * bytes + j);
      m(i, j) = static_cast<std::uint8_t>(centres.bits(i % n_clusters * bytes + j) ^ (r & (r >> 8) & (r >> 16)));
    }
  return m;
}

/// n sets of about 25 members below 1000, of which those of a cluster share most.
inline csr_matrix<float> set_clusters(std::size_t n, std::size_t n_clusters, std::uint64_t seed) {
  const counter_random centres(seed), points(seed, 1);
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t m = 0; m < 1000; ++m) {
      const bool is_common = centres.below(i % n_clusters * 1000 + m, 40) == 0;
      if (points.below(i * 1000 + m, 400) < (is_common ? 340u : 2u)) indices.push_back(static_cast<std::int32_t>(m));
    }
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  std::vector<float> values(indices.size(), 1);
  return {std::move(indptr), std::move(indices), std::move(values), 1000};
}

/// The rows of the given numbers, in their order.
template <class T>
matrix<T> rows_of(const matrix<T>& m, const std::vector<std::size_t>& numbers) {
  matrix<T> some(numbers.size(), m.cols());
  for (std::size_t i = 0; i < numbers.size(); ++i) std::ranges::copy(m.row(numbers[i]), some.row(i).begin());
  return some;
}
template <class T>
csr_matrix<T> rows_of(const csr_matrix<T>& m, const std::vector<std::size_t>& numbers) {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<T> values;
  for (const std::size_t i : numbers) {
    const auto row = m.row(i);
    indices.insert(indices.end(), row.indices.begin(), row.indices.end());
    values.insert(values.end(), row.values.begin(), row.values.end());
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  return {std::move(indptr), std::move(indices), std::move(values), m.dim()};
}

template <class Points>
Points rows_between(const Points& m, std::size_t begin, std::size_t end) {
  std::vector<std::size_t> numbers;
  for (std::size_t i = begin; i < end; ++i) numbers.push_back(i);
  return rows_of(m, numbers);
}

/// Queries are like the rows, but none of them.
template <class Points>
struct split {
  Points rows, queries;
  split(const Points& all, std::size_t n_queries)
      : rows(rows_between(all, 0, all.size() - n_queries)),
        queries(rows_between(all, all.size() - n_queries, all.size())) {}
};

// ---- Answers --------------------------------------------------------------------------------------------------------

template <class Metric, class Row>
auto rank_between(const Row& a, const Row& b) {
  if constexpr (requires { a.indices; }) return static_cast<float>(Metric{}(a, b));
  else return annulus::rank_of(Metric{}, a.data(), b.data(), a.size());
}

/// The nearest of some rows, each known by the id it is paired with.
template <class Metric, class Points>
void nearest(const Points& rows, const std::map<id_type, std::size_t>& row_of_id, const annulus::row_t<Points>& query,
             std::span<id_type> ids, std::span<float> distances) {
  using rank_type = decltype(rank_between<Metric>(query, query));
  std::vector<std::pair<rank_type, id_type>> all;
  for (const auto& [id, row] : row_of_id) all.emplace_back(rank_between<Metric>(query, rows.row(row)), id);
  std::ranges::sort(all);
  for (std::size_t j = 0; j < std::min(all.size(), ids.size()); ++j) {
    ids[j] = all[j].second;
    distances[j] = annulus::distance_of(Metric{}, all[j].first);
  }
}

/// The distances of a metric, as results have them.
template <class Metric, class Row>
float distance_between(const Row& a, const Row& b) {
  return annulus::distance_of(Metric{}, rank_between<Metric>(a, b));
}

/// Row i has id i.
inline std::map<id_type, std::size_t> same_ids(std::size_t n) {
  std::map<id_type, std::size_t> ids;
  for (std::size_t i = 0; i < n; ++i) ids[static_cast<id_type>(i)] = i;
  return ids;
}

/// Brute force.
template <class Metric, class Points>
neighbors exact(const Points& rows, const Points& queries, std::size_t k,
                const std::map<id_type, std::size_t>& row_of_id) {
  neighbors found(queries.size(), k);
  const Points& const_rows = rows;
  for (std::size_t i = 0; i < queries.size(); ++i)
    nearest<Metric>(const_rows, row_of_id, queries.row(i), found.ids.row(i), found.distances.row(i));
  return found;
}
template <class Metric, class Points>
neighbors exact(const Points& rows, const Points& queries, std::size_t k) {
  return exact<Metric>(rows, queries, k, same_ids(rows.size()));
}

/// All rows within a radius, by brute force, of which only those that `may_be_found(query, id)`.
template <class Metric, class Points, class F>
csr exact_within(const Points& rows, const Points& queries, float radius,
                 const std::map<id_type, std::size_t>& row_of_id, std::size_t n_ids, F may_be_found) {
  csr found{{0}, {}, {}, n_ids};
  const Points& const_rows = rows;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    std::vector<std::pair<decltype(rank_between<Metric>(queries.row(i), queries.row(i))), id_type>> near;
    for (const auto& [id, row] : row_of_id) {
      const auto rank = rank_between<Metric>(queries.row(i), const_rows.row(row));
      if (annulus::distance_of(Metric{}, rank) <= radius && may_be_found(i, id)) near.emplace_back(rank, id);
    }
    std::ranges::sort(near);
    for (const auto& [rank, id] : near) {
      found.indices.push_back(static_cast<std::int32_t>(id));
      found.distances.push_back(annulus::distance_of(Metric{}, rank));
    }
    found.indptr.push_back(static_cast<std::int64_t>(found.indices.size()));
  }
  return found;
}
template <class Metric, class Points>
csr exact_within(const Points& rows, const Points& queries, float radius,
                 const std::map<id_type, std::size_t>& row_of_id, std::size_t n_ids) {
  return exact_within<Metric>(rows, queries, radius, row_of_id, n_ids, [](std::size_t, id_type) { return true; });
}

/// Brute force among the candidates of each query.
template <class Metric, class Points>
neighbors exact_among(const std::vector<lsh_candidates>& candidates, const Points& rows, const Points& queries,
                      std::size_t k, const std::map<id_type, std::size_t>& row_of_id) {
  neighbors found(queries.size(), k);
  for (std::size_t i = 0; i < queries.size(); ++i) {
    std::map<id_type, std::size_t> some;
    for (const id_type id : candidates[i].ids) some[id] = row_of_id.at(id);
    nearest<Metric>(rows, some, queries.row(i), found.ids.row(i), found.distances.row(i));
  }
  return found;
}

/// For every query the rows whose keys equal the query's in some table, by the hasher of an index's own parameters.
template <class Points, class Family>
class key_model {
 public:
  key_model(const Points& rows, const Points& queries, const Family& family, const annulus::lsh_params& params)
      : m_hasher(
            family.template make_hasher<view_type>(rows.dim(), params.n_projections, params.n_tables, params.seed)),
        m_keys(m_hasher.n_tables(), rows.size()),
        m_query_keys(queries.size(), m_hasher.n_tables()) {
    m_hasher.hash(rows, 0, rows.size(), 0, m_hasher.n_tables(), m_keys.data());
    std::vector<typename hasher_type::value_type> values(m_hasher.n_values());
    for (std::size_t i = 0; i < queries.size(); ++i) {
      m_hasher.project(queries, i, 1, values.data());
      m_hasher.keys(values.data(), m_query_keys.row(i).data());
    }
  }

  std::vector<lsh_candidates> candidates(const std::map<id_type, std::size_t>& row_of_id) const {
    std::vector<lsh_candidates> result(m_query_keys.rows());
    for (std::size_t i = 0; i < result.size(); ++i) {
      std::vector<std::pair<std::int64_t, id_type>> counted;
      for (const auto& [id, row] : row_of_id) {
        std::int64_t count = 0;
        for (std::size_t t = 0; t < m_keys.rows(); ++t) count += m_keys(t, row) == m_query_keys(i, t);
        if (count > 0) counted.emplace_back(-count, id);
      }
      std::ranges::sort(counted);
      for (const auto& [minus, id] : counted) {
        result[i].ids.push_back(id);
        result[i].collisions.push_back(static_cast<std::uint32_t>(-minus));
      }
    }
    return result;
  }

  const matrix<std::uint64_t>& keys() const { return m_keys; }  ///< [table][row]

 private:
  using view_type = annulus::detail::view_of<Points>;
  using hasher_type = annulus::hasher_t<Family, view_type>;
  hasher_type m_hasher;
  matrix<std::uint64_t> m_keys, m_query_keys;
};

inline bool same_bits(const neighbors& a, const neighbors& b) {
  const auto bits = [](float x) { return std::bit_cast<std::uint32_t>(x); };
  const auto all_of = [](const neighbors& r) { return std::span(r.distances.data(), r.ids.rows() * r.ids.cols()); };
  return a.ids == b.ids && std::ranges::equal(all_of(a), all_of(b), {}, bits, bits);
}

inline bool same_bits(const csr& a, const csr& b) {
  const auto bits = [](float x) { return std::bit_cast<std::uint32_t>(x); };
  return a.indptr == b.indptr && a.indices == b.indices && a.n_columns == b.n_columns &&
         std::ranges::equal(a.distances, b.distances, {}, bits, bits);
}

inline bool same(const std::vector<lsh_candidates>& a, const std::vector<lsh_candidates>& b) {
  return std::ranges::equal(a, b, [](const lsh_candidates& x, const lsh_candidates& y) {
    return x.ids == y.ids && x.collisions == y.collisions;
  });
}

/// Whether each row ascends by distance, ties of equal rank aside, repeats no id and holds padding at its end alone.
inline bool well_formed(const neighbors& found) {
  for (std::size_t i = 0; i < found.ids.rows(); ++i) {
    const auto ids = found.ids.row(i);
    const auto distances = found.distances.row(i);
    const auto padding = std::ranges::find(ids, no_id);
    std::vector<id_type> sorted(ids.begin(), padding);
    std::ranges::sort(sorted);
    if (!std::ranges::is_sorted(distances) || std::ranges::adjacent_find(sorted) != sorted.end() ||
        std::any_of(padding, ids.end(), [](id_type id) { return id != no_id; }) ||
        !std::ranges::all_of(distances.subspan(sorted.size()), [](float x) { return x == infinity; }))
      return false;
  }
  return true;
}

/// How many of an answer's rows are found.
inline std::size_t count_of(std::span<const id_type> ids) {
  return ids.size() - static_cast<std::size_t>(std::ranges::count(ids, no_id));
}

}  // namespace lsh_tests
