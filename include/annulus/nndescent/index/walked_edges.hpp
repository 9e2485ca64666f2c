#pragma once

/// \file
/// How walks read the edges of a graph: from its lists of neighbours, or together with their codes.

#include <annulus/core/simd/prefetch.hpp>
#include <annulus/nndescent/index/edges.hpp>
#include <annulus/nndescent/index/walk_scratch.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Of those that visit(meet) calls meet(id) for, at most `most`, the rows that were not met before go to s.ids, and are
/// fetched.
template <class Walk, class Visit>
void collect(const Walk& walk, std::size_t most, walk_scratch<Walk>& s, Visit visit) {
  ++s.hops;
  s.ids.resize(most);
  id_type* const ids = s.ids.data();
  visited_set::marker visited(s.visited);
  std::size_t count = 0;
  visit([&](id_type id) {
    ids[count] = id;
    count += visited.insert(id);
  });
  s.ids.resize(count);
  for (const id_type id : s.ids) walk.prefetch(id);
}

/// The neighbours of a row.
template <class Walk>
void collect_neighbors(const Walk& walk, const search_edges& graph, id_type id, walk_scratch<Walk>& s) {
  const auto neighbors = graph.block(id);
  collect(walk, neighbors.size(), s, [&, n = graph.size()](auto meet) {
    for (const id_type v : neighbors) {
      if (v >= n) break;  // no_id
      meet(v);
    }
  });
}

/// Those whose codes tell that they may rank up to `limit`; `rank` is that of the row.
template <class Walk>
void collect_promising(const Walk& walk, const edge_codes& codes, id_type id, float rank, float limit,
                       walk_scratch<Walk>& s) {
  collect(walk, codes.n_places(), s, [&, n = codes.size()](auto meet) {
    for (std::size_t group = 0; group < codes.n_groups(); ++group)
      codes.visit_promising(s.code_query, id, group, rank, limit, [&](id_type v, float) {
        if (v < n) meet(v);
      });
  });
}

/// The same neighbours wait in s.estimated, by the lower bounds of their ranks.
template <class Walk>
void estimate_promising(const Walk& walk, const edge_codes& codes, id_type id, float rank, float limit,
                        walk_scratch<Walk>& s) {
  ++s.hops;
  s.ids.clear();
  visited_set::marker visited(s.visited);
  for (std::size_t group = 0; group < codes.n_groups(); ++group) {
    const float most = std::min(limit, static_cast<float>(s.estimated.last_rank()));
    codes.visit_promising(s.code_query, id, group, rank, most, [&, n = codes.size()](id_type v, float bound) {
      if (v >= n || !visited.insert(v) || s.estimated.insert(bound, v) > 0) return;
      walk.prefetch(v);
      codes.prefetch(v);
    });
  }
}

/// The ranks of s.ids go to s.ranks.
template <class Walk>
void rank_collected(const Walk& walk, walk_scratch<Walk>& s) {
  s.ranks.resize(s.ids.size());
  walk.ranks(s.query, s.ids, s.ranks.data());
  s.distances += s.ids.size();
}

/// The rank of one row.
template <class Walk>
typename Walk::rank_type rank_row(const Walk& walk, id_type id, walk_scratch<Walk>& s) {
  typename Walk::rank_type rank;
  walk.ranks(s.query, std::span(&id, 1), &rank);
  ++s.distances;
  return rank;
}

/// The edges of a graph for one walk: with their codes, where the storage has such and the query is prepared for them.
template <class Walk>
class walked_edges {
  using codes_type = codes_of_edges_t<Walk>;

 public:
  walked_edges(const Walk& walk, const search_edges& graph, const codes_type& codes, const walk_scratch<Walk>& s)
      : m_walk(&walk), m_graph(&graph), m_codes(&codes) {
    if constexpr (has_edge_codes<Walk>) m_are_coded = s.code_query.is_prepared;
  }

  void prefetch(id_type id) const noexcept {
    if constexpr (has_edge_codes<Walk>)
      if (m_are_coded) return m_codes->prefetch(id);
    simd::prefetch(m_graph->block(id).data());
  }
  /// How many of the nearest rows may well be expanded next. Codes, which are many lines, are not fetched in vain.
  std::size_t likely_next() const noexcept { return m_are_coded ? 1 : 2; }
  /// What is likely to be expanded next.
  void prefetch_next(walk_scratch<Walk>& s) const noexcept {
    if constexpr (has_edge_codes<Walk>)
      if (const auto next = s.estimated.next()) {
        m_walk->prefetch(next->id());
        return m_codes->prefetch(next->id());
      }
    if (const auto next = s.pool.next()) prefetch(next->id());
  }
  /// The neighbours of a row at this rank that were not met before, and may rank up to limit(), go to s.ids, or where
  /// estimates lead to s.estimated.
  template <class Rank, class Limit>
  void collect(id_type id, [[maybe_unused]] Rank rank, [[maybe_unused]] Limit limit, walk_scratch<Walk>& s) const {
    if constexpr (has_edge_codes<Walk>)
      if (m_are_coded) {
        m_codes->prefetch(id);  // all lines at once, where they were not
        const float at = m_walk->square_rank(static_cast<double>(rank)), most = m_walk->square_rank(limit());
        return s.code_query.leads ? estimate_promising(*m_walk, *m_codes, id, at, most, s)
                                  : collect_promising(*m_walk, *m_codes, id, at, most, s);
      }
    collect_neighbors(*m_walk, *m_graph, id, s);
  }

 private:
  const Walk* m_walk;
  const search_edges* m_graph;
  const codes_type* m_codes;
  bool m_are_coded = false;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
