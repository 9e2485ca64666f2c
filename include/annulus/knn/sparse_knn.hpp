#pragma once

/// \file
/// k nearest neighbours by brute force among sparse rows, and among rows of any other point set that is not a matrix.

#include <annulus/core/kernels/norm_checks.hpp>
#include <annulus/core/metric/rewritten_metric.hpp>
#include <annulus/knn/knn.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

template <class Row>
bool is_searchable(const Row& row) noexcept {
  if constexpr (is_sparse_row<Row>) return is_finite_row(row);
  else return true;
}

/// All queries but those that are not finite.
template <class Points, class Rank>
neighbors search_points(const Points& data, const Points& queries, std::size_t k,
                        const erased_metric<Points, Rank>& metric, const knn_params& params) {
  neighbors result(queries.size(), k);
  if (queries.size() == 0 || data.size() == 0) {
    report(params.progress, "knn", 1.0);
    return result;
  }
  std::vector<char> skip(queries.size(), 0);
  for (std::size_t i = 0; i < queries.size(); ++i) skip[i] = !is_searchable(queries.row(i));
  scan(data, metric, queries, std::min(k, data.size()), params.filter, params.threads, params.progress, skip, result);
  return result;
}

}  // namespace detail

/// The k sparse rows nearest to each query, by brute force.
///
/// Always exact: recall_target is checked and otherwise ignored. Distances are floats, also of rows of double. Order
/// and values are those of the metric called on two rows; no answer depends on the batch or the number of threads. A
/// query with a NaN or an infinity gets no neighbours. The filter and a user's metric may be called from several
/// threads at once. Time O(m n) distances, each at most linear in the stored coordinates of the two rows. \param data n
/// rows, a csr_view or csr_matrix; sets without values under metrics of sets (Metric::is_set_metric) \param queries m
/// rows of the same dimension \param k at least 1 \param metric of such rows \param params see there \returns m x k ids
/// and distances, nearest first, ties by lower id, padded with no_id and +infinity where fewer than k rows are there or
/// pass the filter \throws
/// std::invalid_argument for k = 0, dimensions that differ, recall_target outside (0, 1] or NaN, data with a NaN or an
/// infinity (naming the row), rows that the metric refuses, sets without values under a metric that reads them, 2^32 -
/// 1 rows or more; annulus::cancelled when `progress` returns false.
template <detail::csr_like D, class Metric = euclidean>
  requires metric_for<Metric, csr_view<typename D::value_type>> neighbors
  knn(const D& data, const std::type_identity_t<csr_view<typename D::value_type>>& queries, std::size_t k,
      Metric metric = {}, const knn_params& params = {}) {
    static_assert(detail::argument_check<D, Metric>::value);
    const csr_view<typename D::value_type> rows = data;
    detail::check_search(rows, queries, k, params);
    if (rows.size() >= no_id) detail::invalid("data rows", rows.size(), "must be below 2^32 - 1");
    detail::check_has_values<Metric>(rows, "data");
    detail::check_has_values<Metric>(queries, "queries");
    const double norm = detail::greatest_norm(rows, "data", params.threads);
    detail::check_reach(metric, rows, norm, "data");
    detail::check_rows_for(metric, rows, "data");
    detail::check_rows_for(metric, queries, "queries");
    using view = csr_view<typename D::value_type>;
    const detail::erased_metric<view, detail::row_rank_t<Metric, row_t<view>>> erased(metric);
    const auto search = [&](const view& some_data, double, const view& some_queries, std::span<const double>,
                            const knn_params& some_params) {
      return detail::search_points(some_data, some_queries, k, erased, some_params);
    };
    return detail::search_any_size<view>(rows, norm, queries, k, metric, params, search);
  }

/// The same over any point set whose rows are neither of a matrix nor sparse. Rows are not checked for NaN and
/// infinity. \param data,queries,k,params as above \param metric takes two rows of the point set \returns as above
/// \throws std::invalid_argument and annulus::cancelled as above, but for values of rows.
template <point_set D, class Metric>
  requires(!detail::rows_like<D> && metric_for<Metric, D>)
neighbors knn(const D& data, const D& queries, std::size_t k, Metric metric, const knn_params& params = {}) {
  static_assert(detail::argument_check<D, Metric>::value);
  detail::check_search(data, queries, k, params);
  if (data.size() >= no_id) detail::invalid("data rows", data.size(), "must be below 2^32 - 1");
  const detail::erased_metric<D, detail::row_rank_t<Metric, row_t<D>>> erased(metric);
  return detail::search_points(data, queries, k, erased, params);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
