#pragma once

/// \file
/// Search among rows of any magnitude by a search that is right for ordinary magnitudes (scaled_rows.hpp): rows and
/// queries are scaled by powers of two. Where all are ordinary, nothing is scaled or copied.

#include <annulus/core/base/function_ref.hpp>
#include <annulus/core/metric/scaled_rows.hpp>
#include <annulus/core/result/neighbors.hpp>
#include <annulus/knn/params.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Appends the neighbours of row j of `found` that row i of `result` does not have, with distances times 2^exponent.
/// Returns whether the row is full then.
inline bool append_found(const neighbors& found, std::size_t j, int exponent, neighbors& result, std::size_t i) {
  const auto ids = result.ids.row(i);
  const auto before = std::ranges::find(ids, no_id);
  auto end = before;
  for (std::size_t column = 0; column < ids.size() && end != ids.end(); ++column) {
    const id_type id = found.ids(j, column);
    if (id == no_id) break;
    if (std::find(ids.begin(), before, id) != before) continue;
    result.distances(i, static_cast<std::size_t>(end - ids.begin())) = std::ldexp(found.distances(j, column), exponent);
    *end++ = id;
  }
  return end == ids.end();
}

/// A search that is right for rows whose ranks have full precision, except of rows too far away: f(data, norm, queries,
/// norms, params), where `norm` is the greatest of the data.
template <class View>
using ordinary_search =
    function_ref<neighbors(const View&, double, const View&, std::span<const double>, const knn_params&)>;

/// Under cosine: each row and each query is scaled by a power of two of its own.
template <class View>
neighbors search_directions(const View& data, double norm, const View& queries, std::span<const double> norms,
                            std::size_t, degrees degree, const knn_params& params, ordinary_search<View> search) {
  const auto exponent_for = [degree](double n) { return scale_exponent<typename View::value_type>(degree, n); };
  const auto is_ordinary = [&](double n) { return exponent_for(n) == 0; };
  if (is_ordinary(norm) && std::ranges::all_of(norms, is_ordinary)) return search(data, norm, queries, norms, params);

  const auto scaled = [&](const View& rows) {
    return scaled_copy(
        rows, [&](std::size_t i) { return exponent_for(norm_of(rows.row(i))); }, params.threads);
  };
  const auto asked = scaled(queries);
  const std::vector<double> asked_norms = norms_of(View(asked));
  // Rows that are small beside the others are left to the metric.
  if (is_ordinary(norm)) return search(data, norm, View(asked), asked_norms, params);
  const auto rows = scaled(data);
  return search(View(rows), greatest_norm(View(rows), "data", params.threads), View(asked), asked_norms, params);
}

/// Under inner products: all rows are scaled by one power of two, and each query by one of its own. Only up: products
/// of rows that check_reach lets pass do not overflow.
template <class View>
neighbors search_products(const View& data, double norm, const View& queries, std::span<const double> norms,
                          std::size_t, degrees degree, const knn_params& params, ordinary_search<View> search) {
  const auto exponent_for = [&](double n) { return std::min(scale_exponent<typename View::value_type>(degree, n), 0); };
  const int of_data = exponent_for(norm);
  std::vector<int> of_query(norms.size());
  std::ranges::transform(norms, of_query.begin(), exponent_for);
  if (of_data == 0 && std::ranges::count(of_query, 0) == std::ssize(of_query))
    return search(data, norm, queries, norms, params);

  const scaled_rows rows(data, of_data, params.threads);
  const auto asked = scaled_copy(
      queries, [&](std::size_t i) { return of_query[i]; }, params.threads);
  neighbors found = search(rows.view(), std::ldexp(norm, -of_data), View(asked), norms_of(View(asked)), params);
  for (std::size_t i = 0; i < norms.size(); ++i)
    for (float& distance : found.distances.row(i))
      distance = std::ldexp(distance, degree.distance / 2 * (of_query[i] + of_data));
  return found;
}

/// Under metrics of differences: rows and queries are scaled together. A query is searched for at its own scale, zero
/// at that of the smallest row. Rows that overflow at that scale, or whose distances do, are further away than all
/// others: where fewer than k are found, searches at coarser scales find them.
template <class View>
neighbors search_differences(const View& data, double norm, const View& queries, std::span<const double> norms,
                             std::size_t k, degrees degree, const knn_params& params, ordinary_search<View> search) {
  using T = typename View::value_type;
  std::vector<int> exponents(queries.size());
  std::vector<id_type> waiting;
  int finest = 0, coarsest = scale_exponent<T>(degree, norm);
  const double least = std::ranges::count(norms, 0.0) > 0 ? least_norm(data) : 0;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (is_nan(norms[i])) continue;
    exponents[i] = scale_exponent<T>(degree, norms[i] > 0 ? norms[i] : least);
    finest = waiting.empty() ? exponents[i] : std::min(finest, exponents[i]);
    coarsest = std::max(coarsest, exponents[i]);
    waiting.push_back(static_cast<id_type>(i));
  }
  if (finest == 0 && coarsest == 0) return search(data, norm, queries, norms, params);

  constexpr int step = norm_range<lane_t<T>>::step;
  neighbors result(queries.size(), k);
  while (!waiting.empty()) {
    int exponent = coarsest;
    for (const id_type i : waiting) exponent = std::min(exponent, exponents[i]);
    const auto others =
        std::stable_partition(waiting.begin(), waiting.end(), [&](id_type i) { return exponents[i] == exponent; });
    const std::vector<id_type> now(waiting.begin(), others);
    waiting.erase(waiting.begin(), others);

    knn_params part = params;
    const double all = coarsest - finest + step;
    part.progress = part_of(params.progress, (exponent - finest) / all, (exponent - finest + step) / all);
    const scaled_rows rows(data, exponent, params.threads);
    const auto gathered = gather_rows(queries, now);
    const scaled_rows asked(View(gathered), exponent, params.threads);
    std::vector<double> asked_norms(now.size());
    std::ranges::transform(now, asked_norms.begin(), [&](id_type i) { return std::ldexp(norms[i], -exponent); });
    const double rows_norm = std::ldexp(norm, -exponent);
    const neighbors found = search(rows.view(), rows_norm, asked.view(), asked_norms, part);
    for (std::size_t j = 0; j < now.size(); ++j) {
      const id_type i = now[j];
      const bool is_full = append_found(found, j, degree.distance * exponent, result, i);
      if (is_full || !is_too_long<T>(degree, rows_norm)) continue;
      exponents[i] += step;
      waiting.push_back(i);
    }
  }
  return result;
}

/// One of the three above; null for metrics that do not tell how they grow with the rows.
template <class View>
using scaled_search = decltype(&search_directions<View>);
template <class View, class Metric>
constexpr scaled_search<View> scaled_search_for() noexcept {
  if constexpr (!has_degree<Metric>) return nullptr;
  else if constexpr (is_cosine<Metric>) return &search_directions<View>;
  else if constexpr (form_of<Metric>() == product_form::inner_product) return &search_products<View>;
  else return &search_differences<View>;
}

template <class View>
neighbors search_any_size(const View& data, double norm, const View& queries, std::size_t k, degrees degree,
                          scaled_search<View> scaled, function_ref<void(double)> check_greatest,
                          const knn_params& given, ordinary_search<View> search) {
  const std::vector<double> norms = norms_of(queries);
  double greatest = 0;
  for (const double n : norms) greatest = std::max(greatest, n);
  check_greatest(greatest);
  staged_progress progress(given.progress, {{"knn", 1}});
  knn_params params = given;
  params.progress = progress.callback();
  neighbors found = scaled == nullptr ? search(data, norm, queries, norms, params)
                                      : scaled(data, norm, queries, norms, k, degree, params, search);
  progress.finish();
  return found;
}

/// Searches by `search` among rows of any magnitude. \throws std::invalid_argument for a query so long that its
/// distances may be no floats.
template <class View, class Metric>
neighbors search_any_size(const View& data, double norm, const View& queries, std::size_t k, const Metric& metric,
                          const knn_params& params, std::type_identity_t<ordinary_search<View>> search) {
  degrees degree = degrees::unknown();
  if constexpr (has_degree<Metric>) degree = metric.degree();
  return search_any_size<View>(
      data, norm, queries, k, degree, degree.is_known ? scaled_search_for<View, Metric>() : nullptr,
      [&](double greatest) { check_reach(metric, queries, greatest, "queries"); }, params, search);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
