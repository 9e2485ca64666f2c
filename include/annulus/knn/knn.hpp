#pragma once

/// \file
/// k nearest neighbours by brute force.

#include <annulus/core/base/normal_distribution.hpp>
#include <annulus/core/metric/protocol_checks.hpp>
#include <annulus/core/metric/rewritten_metric.hpp>
#include <annulus/core/rows/value_checks.hpp>
#include <annulus/knn/any_size.hpp>
#include <annulus/knn/tile_search.hpp>

#include <optional>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// Searches for queries by tiles, in parallel over blocks of queries. Tiles of 8 bits are tried first where they may
/// suffice.
template <class T, class Rank>
void search_tiles(matrix_view<T> data, const erased_metric<matrix_view<T>, Rank>& metric, product_form form,
                  matrix_view<T> queries, std::size_t k, const knn_params& params, std::span<const char> skip,
                  neighbors& result) {
  const bool is_exact = params.recall_target == 1;
  float deviations = std::numeric_limits<float>::max();
  if (!is_exact) {
    // A neighbour has to stay with probability recall_target, also where the errors of quantisation are larger than all
    // differences: then the k-th smallest of n errors is that many deviations from 0.
    const double share = static_cast<double>(k) / static_cast<double>(data.rows());
    deviations = static_cast<float>(normal_upper_quantile(1 - params.recall_target) + normal_upper_quantile(share));
  }
  // The bound on the error of 8 bits lets many more candidates through, which pays for small k only.
  constexpr std::size_t small_k = 24, longest_bytes = 65536;
  const bool try_bytes = simd::has_byte_products && data.cols() <= longest_bytes && (!is_exact || k <= small_k);

  const std::size_t workers = std::min(resolve_threads(params.threads), queries.rows());
  const std::size_t share = (queries.rows() + workers - 1) / workers;
  const std::size_t grain = std::clamp<std::size_t>((std::size_t{8} << 20) / (2 * k + 256), 2 * tile_queries, 1024);
  using wide_search = tile_search<T, Rank, std::int16_t>;
  using narrow_search = std::conditional_t<simd::has_byte_products, tile_search<T, Rank, std::int8_t>, wide_search>;
  std::vector<std::optional<wide_search>> wide(workers);
  std::vector<std::optional<narrow_search>> narrow(workers);
  const auto search = [&](std::size_t begin, std::size_t end, std::size_t worker) {
    const auto step = [&](double part) {
      const double done = static_cast<double>(begin) + part * static_cast<double>(end - begin);
      if (worker == 0) report(params.progress, "knn", done / static_cast<double>(queries.rows()));
    };
    const auto attempt = [&](auto& searcher, std::size_t budget) {
      if (!searcher) searcher.emplace(data, metric, form, k, params.filter, deviations);
      return (*searcher)(queries, begin, end, skip, budget, result, step);
    };
    constexpr std::size_t no_limit = ~std::size_t{0};
    const std::size_t budget = is_exact ? (end - begin) * (data.rows() / 128 + 8 * k) : no_limit;
    if (!try_bytes || !attempt(narrow[worker], budget)) attempt(wide[worker], no_limit);
  };
  parallel_for(workers, queries.rows(), std::min(grain, share), search, params.progress, "knn");
}

/// Throws std::invalid_argument for arguments, other than the data, that a search refuses.
template <class View>
void check_search(const View& data, const View& queries, std::size_t k, const knn_params& params) {
  if (k == 0) invalid("k", k, "must be at least 1");
  if (!(is_number(params.recall_target) && params.recall_target > 0 && params.recall_target <= 1))
    invalid("recall_target", params.recall_target, "must be in (0, 1]");
  if (queries.dim() != data.dim() && queries.size() > 0 && data.size() > 0)
    invalid("query dimension", queries.dim(), "must equal the data's ", data.dim());
  checked_product(queries.size(), k, "queries * k");
}

/// The search itself, over data whose greatest norm is known, as are the queries'. `tiles` is search_tiles for metrics
/// that have a product form, and null for others and where the build's integer products are slow.
template <class T, class Rank>
neighbors search_rows(matrix_view<T> data, double norm, matrix_view<T> queries, std::span<const double> norms,
                      std::size_t k, const erased_metric<matrix_view<T>, Rank>& metric, product_form form,
                      decltype(&search_tiles<T, Rank>) tiles, const knn_params& params) {
  neighbors result(queries.rows(), k);
  if (queries.rows() == 0 || data.rows() == 0) return result;

  // A query that is not finite has no neighbours; a zero vector under cosine, or one of extreme magnitude, is not in a
  // tile. Packing the data into tiles takes about as long as scans for few_queries queries.
  constexpr std::size_t few_queries = 16;
  constexpr double largest = 1e15, smallest = 1e-12;
  const bool is_exact = params.recall_target == 1, is_many = queries.rows() >= few_queries || !is_exact;
  std::vector<char> not_by_tiles(queries.rows(), 1), not_by_scan(queries.rows(), 1);
  for (std::size_t i = 0; i < queries.rows(); ++i) {
    if (is_nan(norms[i])) continue;
    const bool is_small = form == product_form::cosine ? norms[i] < smallest : norms[i] + norm < smallest;
    const bool by_tiles = tiles != nullptr && is_many && !is_small && norms[i] + norm < largest;
    (by_tiles ? not_by_tiles : not_by_scan)[i] = 0;
  }

  k = std::min(k, data.rows());
  const auto n_tiled = std::ranges::count(not_by_tiles, 0), n_scanned = std::ranges::count(not_by_scan, 0);
  const double tiled = n_scanned > 0 ? static_cast<double>(n_tiled) / static_cast<double>(queries.rows()) : 1.0;
  if (n_tiled > 0) {
    knn_params part = params;
    part.progress = part_of(params.progress, 0, tiled);
    tiles(data, metric, form, queries, k, part, not_by_tiles, result);
  }
  if (n_scanned > 0)
    scan(data, metric, queries, k, params.filter, params.threads, part_of(params.progress, tiled, 1), not_by_scan,
         result);
  return result;
}

/// Rows as a metric compares them. \throws std::invalid_argument for rows that no search takes, or not this metric.
template <class Metric, class T>
compared_rows<Metric, matrix_view<T>> compared_data(const Metric& metric, matrix_view<T> rows,
                                                    const thread_team& team) {
  if (rows.rows() >= no_id) invalid("data rows", rows.rows(), "must be below 2^32 - 1");
  if constexpr (rewrites_rows<Metric, T>) check_rows(rows, "data", team);
  check_rows_for(metric, rows, "data");
  return {metric, rows, team};
}

/// The greatest norm of rows as the metric of Points compares them, where a search needs it; bytes need no other check.
/// \throws std::invalid_argument for a row that is not finite, or so long that its distances may be no floats.
template <class Points, class Metric, class View>
double checked_norm(const Metric& metric, std::size_t dim, const View& rows, const thread_team& team) {
  const auto base = compared_metric<Points>(metric, dim);
  if constexpr (is_byte<typename View::value_type> && !has_product_form<decltype(base)>) return 0;
  const bool is_rewritten = compared<Metric, Points>::is_rewritten;
  const double norm =
      is_rewritten ? greatest_norm(rows, "data", team, overflows_rewritten) : greatest_norm(rows, "data", team);
  check_reach(base, rows, norm, "data");
  return norm;
}

/// Searches data in the form in which the metric compares them, of known greatest norm.
template <class T, class Metric, class View>
neighbors search_compared(const View& data, double norm, matrix_view<T> queries, std::size_t k, const Metric& metric,
                          const knn_params& params) {
  check_rows_for(metric, queries, "queries");
  const compared_rows<Metric, matrix_view<T>> asked(metric, queries, params.threads);
  if constexpr (rewrites_rows<Metric, T> && !is_byte<typename View::value_type>)
    greatest_norm(asked.view(), "queries", params.threads, overflows_rewritten);
  const auto base = compared_metric<matrix<T>>(metric, queries.cols());
  using U = typename View::value_type;
  using base_type = std::remove_const_t<decltype(base)>;
  using rank_type = rank_t<base_type, U>;
  decltype(&search_tiles<U, rank_type>) tiles = nullptr;
  if constexpr (has_product_form<base_type> && simd::has_fast_integers) tiles = &search_tiles<U, rank_type>;
  const erased_metric<View, rank_type> erased(base);
  const auto search = [&](const View& some_data, double greatest, const View& some_queries,
                          std::span<const double> norms, const knn_params& some_params) {
    return search_rows(some_data, greatest, some_queries, norms, k, erased, form_of<base_type>(), tiles, some_params);
  };
  neighbors result = search_any_size(data, norm, asked.view(), k, base, params, search);
  if constexpr (rewrites_rows<Metric, T>)
    for (std::size_t i = 0; i < queries.rows(); ++i)
      if (!all_finite(queries.row(i))) {
        std::ranges::fill(result.ids.row(i), no_id);
        std::ranges::fill(result.distances.row(i), std::numeric_limits<float>::infinity());
      }
  return result;
}

}  // namespace detail

/// The k rows nearest to each query, by brute force.
///
/// Exact with recall_target = 1: order and values are those of the one-to-one kernel. euclidean, sqeuclidean,
/// inner_product and cosine select by tiles of integer products, at two to three times the speed of a float GEMM, and
/// every candidate within the rounding bound is ranked by the kernel (VA-file: Weber, Schek, Blott 1998); fewer than 16
/// queries, and other metrics, pass over the rows with the kernel, to the same result. Below 1, a true neighbour is
/// kept with at least that probability, which lets those four metrics use 8-bit tiles for any k where the build has the
/// instructions (VNNI). They do so for batches of any size; small batches are faster with recall_target = 1. A query's
/// answer never depends on its batch or on the number of threads.
///
/// Time O(m n d). Memory beyond the result: O(threads x (tile + queries of a block x k)); the m x n distances are never
/// stored. Distances are floats, also of rows of double. A query with a NaN or an infinity gets no neighbours. The
/// filter and a user's metric may be called from several threads at once. \param data n x d \param queries m x d
/// \param k at least 1 \param metric of such rows \param params see there \returns m x k ids and distances, nearest
/// first, ties by lower id, padded with no_id and +infinity where fewer than k rows are there or pass the filter
/// \throws std::invalid_argument for k = 0, dimensions that differ, recall_target outside (0, 1] or NaN, data with a
/// NaN or an infinity (naming the row), data or queries that the metric refuses, 2^32 - 1 rows or more;
/// annulus::cancelled when `progress` returns false.
template <matrix_like D, class Metric = euclidean>
  requires metric_for<Metric, matrix_view<value_t<D>>> neighbors knn(const D& data, matrix_view<value_t<D>> queries,
                                                                     std::size_t k, Metric metric = {},
                                                                     const knn_params& params = {}) {
    static_assert(detail::argument_check<D, Metric>::value);
    detail::check_is_point_set<D>();
    const Metric told = detail::told_of_bits(std::move(metric), data);
    const matrix_view<value_t<D>> rows = data;
    detail::check_search(rows, queries, k, params);
    const thread_team team(params.threads);
    const auto compared = detail::compared_data(told, rows, team);
    const double norm = detail::checked_norm<matrix<value_t<D>>>(told, rows.cols(), compared.view(), team);
    return detail::search_compared(compared.view(), norm, queries, k, told, params);
  }

// For the error in words where data or metric do not fit.
template <class D, class Queries, class Metric = euclidean>
  requires(!detail::searched_by<D, std::decay_t<Metric>> && detail::explained<D, Metric>)
neighbors knn(const D&, const Queries&, std::size_t, const Metric& = {}, const knn_params& = {}) {
  static_assert(detail::argument_check<D, Metric>::value);
  return {};
}
// A metric of other rows than these. Compilers print the line that is deleted.
// clang-format off
template <class D, class Queries, class Metric>
  requires(!detail::searched_by<D, std::decay_t<Metric>> && !detail::explained<D, Metric>)
neighbors knn(const D&, const Queries&, std::size_t, const Metric&, const knn_params& = {}) = delete;  // the metric takes no such rows; a callable for with_metric needs `requires metric_for<...>`
// clang-format on

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
