#pragma once

/// \file
/// What searches of codes share that rank the best of what they find by the rows themselves.

#include <annulus/core/metric/common_metrics.hpp>
#include <annulus/core/select/top_k.hpp>
#include <annulus/core/simd/prefetch.hpp>
#include <annulus/quantization/scan/distance_table.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Throws std::invalid_argument for rows that are not those of so many codes, of vectors of this dimension.
inline void check_rows_of_codes(matrix_view<float> rows, std::size_t size, std::size_t dim, std::size_t k_factor) {
  if (k_factor == 0) invalid("k_factor", k_factor, "must be at least 1");
  if (rows.rows() != size) invalid("rows", rows.rows(), "must be as many as the codes, ", size);
  if (size > 0 && rows.cols() != dim) invalid("rows' dimension", rows.cols(), "must equal that of the codes, ", dim);
}

/// How many candidates are ranked for the k nearest of n.
inline std::size_t n_to_rank(std::size_t k, std::size_t k_factor, std::size_t n) noexcept {
  return std::min(k, n) > n / k_factor ? n : std::min(k, n) * k_factor;
}

/// f(metric) with the metric by which rows are ranked.
template <class F>
auto with_row_metric(pq_metric metric, F f) {
  switch (metric) {
    case pq_metric::inner_product:
      return f(inner_product{});
    case pq_metric::cosine:
      return f(cosine{});
    default:
      return f(sqeuclidean{});
  }
}

/// Ranks a range of candidates by their rows, rank(row) telling how.
template <class Rank, class Candidates>
void rank_by_rows(const Rank& rank, const Candidates& candidates, matrix_view<float> rows, top_k<float>& best) {
  constexpr std::size_t ahead = 8;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (i + ahead < candidates.size()) prefetch_row(rows.row(candidates[i + ahead].id).data(), rows.cols());
    best.push(rank(rows.row(candidates[i].id).data()), candidates[i].id);
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
