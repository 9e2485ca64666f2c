#pragma once

/// \file
/// A walk that goes on until its result is covered: until every row met that could rank before the last of the result
/// is expanded. It serves searches that may return few rows, or far ones: in a plain walk other rows would fill the
/// pool, whose width is fixed.

#include <annulus/core/simd/prefetch.hpp>
#include <annulus/nndescent/index/best_first_search.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

enum class walk_end {
  covered,  ///< all rows met within the goal, and a margin of others beyond it, are expanded
  dry,      ///< every row met that may matter is expanded
  given_up  ///< a scan of all rows that pass is cheaper
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
  /// Whether a row of this rank would be kept.
  bool has_use_for(Rank rank) const noexcept { return m_found->could_take(rank); }
  /// Whether a row of this rank must be expanded.
  bool is_within(Rank rank) const noexcept { return m_found->could_take(rank, m_k); }
  /// How many rows the pool of the walk must have room for, beside the margin.
  std::size_t least() const noexcept { return m_k; }
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
/// walk has cost, or promises to cost, more ranks than the scan that could take its place. It begins as a plain walk
/// does, with a pool: as long as the goal lies among the nearest rows, that is quickest. Once the pool has no way on,
/// a heap of all that was met takes its place.
template <class Walk, class Allow, class Goal>
class covering_walk {
 public:
  using rank_type = typename Walk::rank_type;

  covering_walk(const Walk& walk, const search_edges& graph, const entry_points& entries, std::size_t margin,
                double scan_cost, const Allow& allow, Goal& goal, walk_scratch<Walk>& s)
      : m_walk(walk),
        m_graph(graph),
        m_entries(entries),
        m_margin(margin),
        m_budget(scan_cost / reads_here_and_there),
        m_n_hubs(
            std::min<std::size_t>(static_cast<std::size_t>(2 * detail::sqrt(static_cast<double>(graph.size()))), 256)),
        m_allow(allow),
        m_goal(goal),
        m_s(s),
        m_before(s.distances) {
    constexpr std::size_t others = 32;  // as near as the goal, which may not be returned
    m_s.pool.reset(goal.least() + margin + others);
    m_s.open.clear();
    m_s.hubs.clear();
    forget_rows(graph, s);
  }

  walk_end operator()() {
    if (begin_with_longest(
            m_walk, m_graph, m_entries, m_margin, m_s, [&] { meet_collected(); },
            [&](rank_type rank) { return m_goal.is_within(rank); }, [&] { return m_goal.progress(); }))
      return walk_end::covered;
    enter(m_walk, m_graph, m_entries, m_s, [&](id_type id, rank_type rank) { meet(id, rank); });
    meet_collected();
    return go_on();
  }

  /// How many rows it has ranked so far.
  std::uint64_t cost() const noexcept { return m_s.distances - m_before; }
  /// The hubs of the entry tree, from its root down: rows all over the data.
  std::span<const candidate<rank_type>> hubs() {
    meet_hubs();
    return m_s.hubs;
  }
  /// Goes down from a row that was met, to nearer and nearer ones, as long as there are such.
  void descend(id_type from) {
    for (rank_type nearest = std::numeric_limits<rank_type>::max();;) {
      collect_neighbors(m_walk, m_graph, from, m_s);
      meet_collected();
      if (m_s.ids.empty()) return;
      const auto at = static_cast<std::size_t>(std::ranges::min_element(m_s.ranks) - m_s.ranks.begin());
      if (!(m_s.ranks[at] < nearest)) return;
      nearest = m_s.ranks[at];
      from = m_s.ids[at];
    }
  }
  /// From what was met, to the end.
  walk_end go_on() {
    constexpr std::size_t check_every = 8, n_near = 4;
    constexpr double trial = 1.0 / 6;  // what of the budget is spent however little of the goal is covered
    for (std::size_t n_hops = 1;; ++n_hops) {
      if (cost() > n_near * m_n_hubs) meet_hubs();
      m_bound = m_goal.bound();
      if (is_covered()) return walk_end::covered;
      const candidate<rank_type> nearest = take_nearest();
      if (nearest.id == no_id) {
        if (m_has_met_hubs) return walk_end::dry;
        meet_hubs();
        continue;
      }
      const auto spent = static_cast<double>(cost());
      if (spent > m_budget) return walk_end::given_up;
      if (n_hops % check_every == 0) {  // as if the rest of the goal were as far apart as the part that is covered
        const double share = m_goal.share_within(nearest.rank);
        if (share < 1 && spent * (1 - share) > m_budget * (share + trial)) return walk_end::given_up;
      }
      collect_neighbors(m_walk, m_graph, nearest.id, m_s);
      prefetch_next();
      meet_collected();
    }
  }

 private:
  // A walk reads rows here and there, which takes about twice as long a row as a scan.
  static constexpr double reads_here_and_there = 2;

  // What is looked for may lie in several places, which are far from each other. Where it lies around the query, the
  // walk is over before the hubs are worth their ranks.
  void meet_hubs() {
    if (std::exchange(m_has_met_hubs, true)) return;
    m_entries.tree.top_hubs(m_graph.size(), m_n_hubs, m_s.ids);
    std::erase_if(m_s.ids, [&](id_type id) { return !m_s.visited.insert(id); });
    meet_collected();
    for (std::size_t i = 0; i < m_s.ids.size(); ++i) m_s.hubs.push_back({m_s.ranks[i], m_s.ids[i]});
  }
  void meet_collected() {
    rank_collected(m_walk, m_s);
    for (std::size_t i = 0; i < m_s.ids.size(); ++i) meet(m_s.ids[i], m_s.ranks[i]);
  }
  void meet(id_type id, rank_type rank) {
    if (is_nan(rank)) return;
    if (m_goal.has_use_for(rank) && m_allow(id)) m_goal.take(id, rank);
    if (!m_has_heap) {
      if (static_cast<double>(rank) > m_bound) return;
      m_s.open.push_back({rank, id});
      m_s.pool.insert(rank, id);
    } else if (!may_end_before(rank)) {
      if (!m_goal.is_within(rank)) m_s.pool.insert(rank, id);
      m_s.open.push_back({rank, id});
      std::push_heap(m_s.open.begin(), m_s.open.end(), is_further);
    }
  }

  bool is_covered() const {
    if (m_has_heap) return !m_s.open.empty() && may_end_before(m_s.open.front().rank);
    const search_pool<rank_type>& met = m_s.pool;
    const std::size_t n_within = met.count_while([&](rank_type rank) { return m_goal.is_within(rank); });
    if (n_within == met.size()) return false;  // the goal may extend beyond the pool
    const std::size_t place = met.first_open();
    return place >= n_within + m_margin ||
           (place >= n_within && place < met.size() && static_cast<double>(met[place].rank) > m_bound);
  }
  /// By the heap, beside which the pool holds the nearest rows met that are not within the goal.
  bool may_end_before(rank_type rank) const {
    if (m_goal.is_within(rank)) return false;
    const search_pool<rank_type>& beyond = m_s.pool;
    return (beyond.is_full() && (m_margin == 0 || !(rank < beyond[m_margin - 1].rank))) ||
           static_cast<double>(rank) > m_bound;
  }

  /// The nearest row met that is not expanded, which the caller is to expand; no_id where none is left.
  candidate<rank_type> take_nearest() {
    if (!m_has_heap) {
      if (const auto nearest = m_s.pool.next()) {
        const candidate<rank_type> taken{nearest->rank, nearest->id()};
        m_s.pool.close_next();
        return taken;
      }
      if (m_s.pool.is_full()) make_heap();
    }
    if (!m_has_heap || m_s.open.empty()) return {rank_type{}, no_id};
    const candidate<rank_type> taken = m_s.open.front();
    std::pop_heap(m_s.open.begin(), m_s.open.end(), is_further);
    m_s.open.pop_back();
    return taken;
  }
  /// Makes a heap of the rows met behind the last of the pool, all of which is expanded.
  void make_heap() {
    m_has_heap = true;
    const rank_type reached = m_s.pool[m_s.pool.size() - 1].rank;
    m_s.pool.reset(m_margin);
    for (const auto& met : m_s.open)
      if (!m_goal.is_within(met.rank)) m_s.pool.insert(met.rank, met.id);
    std::erase_if(m_s.open, [&](const auto& met) { return met.rank < reached; });
    std::make_heap(m_s.open.begin(), m_s.open.end(), is_further);
  }
  void prefetch_next() {
    id_type next = no_id;
    if (!m_has_heap) {
      if (const auto nearest = m_s.pool.next()) next = nearest->id();
    } else if (!m_s.open.empty()) {
      next = m_s.open.front().id;
    }
    if (next != no_id) simd::prefetch(m_graph.block(next).data());
  }
  static bool is_further(const candidate<rank_type>& a, const candidate<rank_type>& b) { return b < a; }

  const Walk& m_walk;
  const search_edges& m_graph;
  const entry_points& m_entries;
  std::size_t m_margin;
  double m_budget;
  double m_bound = std::numeric_limits<double>::infinity();
  std::size_t m_n_hubs;
  bool m_has_met_hubs = false, m_has_heap = false;
  const Allow& m_allow;
  Goal& m_goal;
  walk_scratch<Walk>& m_s;
  std::uint64_t m_before;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
