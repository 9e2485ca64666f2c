#pragma once

/// \file
/// What a thread needs to search an LSH index, and the cost of its searches.

#include <annulus/core/select/sort_candidates.hpp>
#include <annulus/core/select/top_k.hpp>
#include <annulus/lsh/multi_probe.hpp>
#include <annulus/lsh/params.hpp>
#include <annulus/lsh/row_store.hpp>

#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Keeps its memory from query to query.
template <class Points, class Family>
struct lsh_scratch {
  using store = row_store<Points>;
  using metric = typename Family::metric;
  using hasher = hasher_t<Family, typename store::view_type>;
  using rank_type = typename store::template rank_type<metric>;

  std::vector<typename hasher::value_type> values;  ///< of the query
  probe_sequence<hasher> probes;
  std::vector<probe> chunk;         ///< the next probes, looked up together while their memory is fetched
  std::vector<std::uint64_t> seen;  ///< a bit for each row of the index: whether it is in `found`
  std::vector<id_type> found;       ///< rows, in the order of their first collision
  std::vector<id_type> collided;    ///< rows, once for each collision
  std::vector<rank_type> ranks;
  top_k<rank_type> best{1}, better{1};       ///< the k nearest, and the nearer half of them
  std::vector<candidate<rank_type>> within;  ///< the rows within a radius
  sort_scratch<rank_type, id_type> sorting;
  std::size_t n_candidates = 0, n_collisions = 0, n_probes = 0;

  /// Clears what a query found, also one that threw, for the next query of an index of n_rows.
  void forget_found(std::size_t n_rows) {
    for (const id_type row : found) seen[row / 64] = 0;
    found.clear();
    seen.resize((n_rows + 63) / 64);
  }

  bool is_found(std::size_t row) const noexcept { return (seen[row / 64] >> (row % 64) & 1) != 0; }
  void add_found(std::size_t row) {
    found.push_back(static_cast<id_type>(row));  // first: it may throw
    seen[row / 64] |= std::uint64_t{1} << (row % 64);
  }
};

/// The mean cost of n_queries queries, which these scratches served.
template <class Scratch>
lsh_search_stats mean_lsh_stats(const std::vector<Scratch>& scratch, std::size_t n_queries) {
  lsh_search_stats sum;
  for (const Scratch& s : scratch) {
    sum.candidates += static_cast<double>(s.n_candidates);
    sum.collisions += static_cast<double>(s.n_collisions);
    sum.probes += static_cast<double>(s.n_probes);
  }
  const auto n = static_cast<double>(std::max<std::size_t>(n_queries, 1));
  return {sum.candidates / n, sum.collisions / n, sum.probes / n};
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
