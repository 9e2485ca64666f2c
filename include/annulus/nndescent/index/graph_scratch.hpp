#pragma once

/// \file
/// The scratch memory of one thread that searches a graph, and the cost of its searches.

#include <annulus/core/select/top_k.hpp>
#include <annulus/nndescent/index/best_first_search.hpp>
#include <annulus/nndescent/index/search_params.hpp>
#include <annulus/nndescent/index/sparse_walk.hpp>
#include <annulus/nndescent/index/walk_space.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The walk over the exact rows beside compressed ones.
template <class Points, class Metric, class Walk, class Rows>
struct exact_walk_of {
  using type = Walk;
};
template <class T, class Metric, class Walk, class Rows>
requires Walk::is_compressed struct exact_walk_of<matrix<T>, Metric, Walk, Rows> {
  using type = exact_walk<T, Metric, Rows>;
};
template <class Points, class Metric, class Walk, class Rows>
using exact_walk_of_t = typename exact_walk_of<Points, Metric, Walk, Rows>::type;

/// What one thread needs to search an index.
template <class Points, class Metric, class Walk, class Rows = owned_rows<Points>>
struct graph_scratch {
  struct nothing {};
  using of_exact_rows =
      std::conditional_t<Walk::is_compressed,
                         graph_scratch<Points, Metric, exact_walk_of_t<Points, Metric, Walk, Rows>, Rows>, nothing>;

  explicit graph_scratch(const Walk& walk_rows) : walk{walk_rows.make_query()} {}
  graph_scratch() requires(!Walk::is_compressed) : graph_scratch(Walk()) {}
  walk_scratch<Walk> walk;
  top_k<row_rank_t<Metric, row_t<view_of<Points>>>> best{1};
  top_k<typename Walk::rank_type> approximate{1};
  std::vector<candidate<typename Walk::rank_type>> within;
  std::vector<id_type> chosen;  ///< vertices that exact rows are to rank
  search_pool<typename Walk::rank_type> erased;
  std::vector<candidate<float>> promising_hubs;
  of_exact_rows exact = {};
  std::uint64_t scans = 0;
};

/// Means over the queries of what some threads spent.
template <class Scratch>
nndescent_search_stats mean_stats(const std::vector<Scratch>& scratch, std::size_t queries) {
  nndescent_search_stats stats;
  for (const Scratch& s : scratch) {
    stats.distances += static_cast<double>(s.walk.distances);
    stats.hops += static_cast<double>(s.walk.hops);
    stats.scans += static_cast<double>(s.scans);
  }
  const auto n = static_cast<double>(std::max<std::size_t>(queries, 1));
  return {stats.distances / n, stats.hops / n, stats.scans / n};
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
