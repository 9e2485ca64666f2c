#pragma once

/// \file
/// The scratch memory of walks of a graph.

#include <annulus/nndescent/index/edge_codes.hpp>
#include <annulus/nndescent/index/search_pool.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The codes of edges that go with a walk.
template <class Walk>
struct codes_of_edges {
  using type = no_edge_codes;
};
template <class Walk>
  requires requires { typename Walk::codes_type; }
struct codes_of_edges<Walk> {
  using type = typename Walk::codes_type;
};
template <class Walk>
using codes_of_edges_t = typename codes_of_edges<Walk>::type;
template <class Walk>
inline constexpr bool has_edge_codes = !std::same_as<codes_of_edges_t<Walk>, no_edge_codes>;

/// What one thread needs to search; keeps its memory from query to query.
template <class Walk>
struct walk_scratch {
  using rank_type = typename Walk::rank_type;

  typename Walk::query query;
  [[no_unique_address]] typename codes_of_edges_t<Walk>::query code_query = {};
  visited_set visited = {};
  search_pool<rank_type> pool = {};              ///< the nearest found, which lead the way
  search_pool<float> estimated = {};             ///< rows that are not ranked yet, where estimates lead
  search_pool<rank_type> found = {};             ///< the nearest that may be returned, where that is not all of them
  std::vector<candidate<rank_type>> open = {};   ///< a heap of what a covering walk may go on from
  std::vector<candidate<rank_type>> hubs = {};   ///< hubs all over the data, from which it may go down
  std::vector<candidate<double>> branches = {};  ///< nodes of the tree that were passed by, and by what margin
  std::vector<id_type> ids = {};
  std::vector<rank_type> ranks = {};
  std::uint64_t distances = 0, hops = 0;
  id_type hidden = no_id;                                         ///< a row to search as if it were not there
  double query_length = std::numeric_limits<double>::infinity();  ///< under inner products
};

/// Before a walk: no row was met yet.
template <class Walk>
void forget_rows(const search_edges& graph, walk_scratch<Walk>& s) {
  s.visited.reset(graph.size());
  if (s.hidden != no_id) s.visited.insert(s.hidden);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
