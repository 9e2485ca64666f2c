#pragma once

// The plain search, and what compiles an entry of the lists of searches.hpp.

#include "knn/searches.hpp"

#include "denormals.hpp"

#include <annulus/core/base/macros_off.hpp>  // as in precise.hpp

namespace searches {

template <class T, class Metric>
neighbors naive_knn(const matrix<T>& data, const matrix<T>& queries, std::size_t k, const id_filter& filter,
                    const Metric& metric) {
  using rank = annulus::rank_t<Metric, T>;
  const auto is_finite = [](T x) { return annulus::detail::is_finite(x); };
  neighbors result(queries.rows(), k);
  for (std::size_t i = 0; i < queries.rows(); ++i) {
    if (!std::ranges::all_of(queries.row(i), is_finite)) continue;
    std::vector<annulus::candidate<rank>> ranked;
    for (std::size_t j = 0; j < data.rows(); ++j) {
      const auto id = static_cast<annulus::id_type>(j);
      const rank r = annulus::rank_of(metric, queries.row(i).data(), data.row(j).data(), data.cols());
      if (filter(id) && (std::is_integral_v<rank> || r < std::numeric_limits<rank>::infinity()))
        ranked.push_back({r, id});
    }
    std::ranges::sort(ranked, [](const auto& a, const auto& b) { return a < b; });
    for (std::size_t j = 0; j < std::min(k, ranked.size()); ++j) {
      result.ids(i, j) = ranked[j].id;
      result.distances(i, j) = annulus::distance_of(metric, ranked[j].rank);
    }
  }
  return result;
}

template <class T, class Metric>
std::size_t wrong_entries(const matrix<T>& data, const matrix<T>& queries, const neighbors& found,
                          const Metric& metric) {
  // Where denormals are zero, so are the terms of a sum that are.
  const float least =
      denormals_are_zero() ? static_cast<float>(data.cols()) * std::numeric_limits<float>::min() : 1e-42f;
  const auto is_close = [least](float value, double distance) {
    const auto expected = static_cast<float>(distance);  // as results hold it
    return value == expected || std::abs(value - expected) <= 1e-6f * std::abs(expected) + least;
  };
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < queries.rows(); ++i) {
    std::vector<double> distances(data.rows());
    for (std::size_t j = 0; j < data.rows(); ++j)
      distances[j] = static_cast<double>(metric(queries.row(i).data(), data.row(j).data(), data.cols()));
    std::vector<double> sorted = distances;
    std::ranges::sort(sorted);
    for (std::size_t j = 0; j < found.ids.cols(); ++j) {
      const id_type id = found.ids(i, j);
      if (j >= data.rows()) wrong += id != annulus::no_id;
      else
        wrong += id == annulus::no_id || !is_close(found.distances(i, j), sorted[j]) ||
                 !is_close(found.distances(i, j), distances[id]);
    }
  }
  return wrong + !well_formed(found);
}

/// A metric that holds nothing: a captureless lambda too.
template <class T, class Metric>
search<T> search_by(std::string_view name, Metric) {
  return {name,
          [](const matrix<T>& data, const matrix<T>& queries, std::size_t k, const knn_params& params) {
            return annulus::knn(data, queries, k, Metric{}, params);
          },
          [](const matrix<T>& data, const matrix<T>& queries, std::size_t k, const id_filter& filter) {
            return naive_knn(data, queries, k, filter, Metric{});
          },
          [](const matrix<T>& data, const matrix<T>& queries, const neighbors& found) {
            return wrong_entries(data, queries, found, Metric{});
          }};
}

/// The three that most rooms use, over rows of any type.
template <class T>
std::vector<search<T>> common() {
  return {search_by<T>("euclidean", annulus::euclidean{}), search_by<T>("inner_product", annulus::inner_product{}),
          search_by<T>("cosine", annulus::cosine{})};
}

}  // namespace searches

#include <annulus/core/base/macros_on.hpp>
