#pragma once

/// \file
/// A walk that goes on until what it returns is covered: until every row met that could rank before the last of it was
/// looked at. Where few rows may be returned, or those far away, a walk with a pool of fixed width would be full of
/// others.

#include <annulus/nndescent/search.hpp>

namespace annulus::inline ANNULUS_ARCH::detail {

enum class walk_end {
  covered,  ///< all rows met within the goal, and a margin of others beyond it, were looked at
  dry,      ///< no row is left that was met, may matter, and was not looked at
  given_up  ///< to rank all rows that pass is cheaper
};

/// The k nearest rows that pass, collected in a pool.
template <class Rank>
class nearest_goal {
 public:
  nearest_goal(search_pool<Rank>& found, std::size_t k, std::size_t wanted, double epsilon)
      : m_found(&found), m_k(k), m_epsilon(epsilon) {
    found.reset(wanted);
  }
  void take(id_type id, Rank rank) { m_found->insert(rank, id); }
  /// Whether a row of this rank must be looked at.
  bool is_within(Rank rank) const noexcept { return m_found->could_take(rank, m_k); }
  /// The rank at which the walk may end, whatever the margin.
  double bound() const noexcept {
    return m_found->size() < m_k ? std::numeric_limits<double>::infinity()
                                 : bound_of((*m_found)[0].rank, (*m_found)[m_k - 1].rank, m_epsilon);
  }
  /// Another value once the goal has changed.
  double progress() const noexcept { return m_found->progress(m_k); }
  /// Which share of the goal ranks no further than this.
  double share_within(Rank rank) const noexcept {
    return static_cast<double>(m_found->count_within(rank)) / static_cast<double>(m_k);
  }

 private:
  search_pool<Rank>* m_found;
  std::size_t m_k;
  double m_epsilon;
};

/// Walks from the nearest row met to the next, until the goal and `margin` of the rows beyond it are covered, or the
/// walk has cost, or promises to cost, more ranks than the scan that could take its place.
template <class Walk, class Allow, class Goal>
walk_end covering_walk(const Walk& walk, const adjacency& graph, const entry_points& entries, std::size_t margin,
                       double scan_cost, Allow allow, Goal& goal, walk_scratch<Walk>& s) {
  using rank_type = typename Walk::rank_type;
  using candidate_type = candidate<rank_type>;
  // A walk reads rows here and there, which takes about twice as long a row as a scan.
  const double budget = scan_cost / 2;
  constexpr std::size_t check_every = 16;
  constexpr double trial = 1.0 / 6;  // what of it is spent however little of the goal is covered

  search_pool<rank_type>& beyond = s.pool;  // the nearest rows met that are not within the goal
  beyond.reset(margin);
  s.open.clear();
  const auto is_further = [](const candidate_type& a, const candidate_type& b) { return b < a; };
  const auto is_settled = [&](rank_type rank) {
    if (goal.is_within(rank)) return false;
    return (beyond.is_full() && (margin == 0 || !(rank < beyond[margin - 1].rank))) ||
           static_cast<double>(rank) > goal.bound();
  };
  const auto meet = [&](id_type id, rank_type rank) {
    if (std::isnan(static_cast<double>(rank))) return;
    if (allow(id)) goal.take(id, rank);
    if (is_settled(rank)) return;
    if (!goal.is_within(rank)) beyond.insert(rank, id);
    s.open.push_back({rank, id});
    std::push_heap(s.open.begin(), s.open.end(), is_further);
  };
  const auto rank_all = [&] {
    rank_collected(walk, s);
    for (std::size_t i = 0; i < s.ids.size(); ++i) meet(s.ids[i], s.ranks[i]);
  };

  const std::uint64_t before = s.distances;
  forget_rows(graph, s);
  if (begin_with_longest(
          walk, graph, entries, 8 * margin, s, rank_all, [&](rank_type rank) { return goal.is_within(rank); },
          [&] { return goal.progress(); }))
    return walk_end::covered;
  enter(walk, graph, entries, s, meet);
  rank_all();
  // What is looked for may lie in several places, which are far from each other.
  const auto n_hubs = static_cast<std::size_t>(2 * std::sqrt(static_cast<double>(graph.size())));
  entries.tree.top_hubs(graph.size(), std::min<std::size_t>(n_hubs, 256), s.ids);
  std::erase_if(s.ids, [&](id_type id) { return !s.visited.insert(id); });
  rank_all();
  for (std::size_t n_hops = 1; !s.open.empty(); ++n_hops) {
    const candidate_type nearest = s.open.front();
    if (is_settled(nearest.rank)) return walk_end::covered;
    const auto spent = static_cast<double>(s.distances - before);
    if (spent > budget) return walk_end::given_up;
    if (n_hops % check_every == 0) {  // as if the rest of the goal were as far apart as the part that is covered
      const double share = goal.share_within(nearest.rank);
      if (share < 1 && spent * (1 - share) > budget * (share + trial)) return walk_end::given_up;
    }
    std::pop_heap(s.open.begin(), s.open.end(), is_further);
    s.open.pop_back();
    collect_neighbors(walk, graph, nearest.id, s);
    if (!s.open.empty()) simd::prefetch(graph.block(s.open.front().id).data());
    rank_all();
  }
  return walk_end::dry;
}

}  // namespace annulus::inline ANNULUS_ARCH::detail
