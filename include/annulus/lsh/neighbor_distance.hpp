#pragma once

/// \file
/// The distance of a row to its neighbours, estimated from a sample: the unit of the width of a family of functions.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/metric/prepared_query.hpp>
#include <annulus/lsh/tuning_sample.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A sample of `count` rows: one at random from each of `count` equal stretches of the data.
template <class T>
matrix<T> spread_rows(matrix_view<T> data, std::size_t count, std::uint64_t seed) {
  const counter_random random(seed, 0x7C);
  matrix<T> some(count, data.cols());
  const std::size_t each = data.rows() / count, rest = data.rows() % count;  // the first stretches are longer by one
  for (std::size_t i = 0, begin = 0; i < count; ++i) {
    const std::size_t length = each + (i < rest);
    std::ranges::copy(data.row(begin + random.below(i, length)), some.row(i).begin());
    begin += length;
  }
  return some;
}

/// The greatest magnitude of the finite coordinates; 1 where none is other than 0.
template <class T>
double greatest_coordinate(matrix_view<T> data) {
  double greatest = 0;
  for (std::size_t i = 0; i < data.rows(); ++i)
    for (const T x : data.row(i))
      if (is_finite(x)) greatest = std::max(greatest, static_cast<double>(std::abs(x)));
  return greatest > 0 ? greatest : 1;
}

/// The median distance of a row to its 10th nearest among the rows not equal to it, estimated from 256 rows and their
/// distances to 4096. Where all rows are equal, or fewer than two, the greatest coordinate stands for it, so that it is
/// never 0. Skips rows that are not finite. The same for every number of threads.
/// O(256 min(n, 4096) d).
template <class Metric, class T>
double neighbor_distance(matrix_view<T> data, const thread_team& team, std::uint64_t seed) {
  constexpr std::size_t n_queries = 256, n_rows = 4096, n_near = 33, k = 10;
  const matrix<T> rows = spread_rows(data, std::min(n_rows, data.rows()), seed),
                  queries = spread_rows(data, std::min(n_queries, data.rows()), seed + 1);
  const double growth = static_cast<double>(data.rows()) / static_cast<double>(rows.rows());
  std::vector<double> kth(queries.rows());
  parallel_for(team, queries.rows(), 16, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<rank_t<Metric, T>> ranks;
    for (std::size_t q = begin; q < end; ++q) {
      ranks.resize(rows.rows());
      prepared_query<Metric, T>(Metric{}, queries.row(q).data(), data.cols())(rows.data(), rows.cols(), rows.rows(),
                                                                              ranks.data());
      std::erase_if(ranks, [](auto rank) { return !(rank > 0); });
      if (ranks.empty()) continue;
      const std::size_t n = std::min(n_near, ranks.size());
      std::ranges::partial_sort(ranks, ranks.begin() + static_cast<std::ptrdiff_t>(n));
      const auto at = [&](std::size_t i) { return static_cast<double>(distance_of(Metric{}, ranks[i])); };
      kth[q] = distance_of_rank(at, n, double{k}, growth);
    }
  });
  const double distance = median_positive(std::move(kth));
  return distance > 0 ? distance : greatest_coordinate(matrix_view<T>(rows));
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
