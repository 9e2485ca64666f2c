#pragma once

/// \file
/// Chooses edges where a search graph changes: those of inserted rows and back to them, and those that replace edges to
/// removed rows.

#include <annulus/core/base/function_ref.hpp>
#include <annulus/nndescent/index/arrival.hpp>
#include <annulus/nndescent/index/edge_list.hpp>
#include <annulus/nndescent/index/graph_undo.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Chooses edges by the rule that built the graph; holds scratch.
template <class Space>
class edge_chooser {
 public:
  edge_chooser(const Space& space, const diversify_rule& rule)
      : m_diversify(space, rule), m_ranker(space), m_degree(rule.degree) {}

  /// Keeps of the neighbours of u, nearest first, those that the rule keeps.
  void diversify(id_type u, std::vector<candidate<float>>& neighbors) { m_diversify(u, neighbors); }

  /// `ids`, which may repeat, become the best neighbours of u among them.
  void choose(id_type u, std::vector<id_type>& ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    m_ranks.resize(ids.size());
    m_ranker.from(u, ids, m_ranks.data());
    m_candidates.clear();
    for (std::size_t i = 0; i < ids.size(); ++i) m_candidates.push_back({m_ranks[i], ids[i]});
    std::sort(m_candidates.begin(), m_candidates.end());
    const std::size_t limit = 2 * m_degree;  // the rule would hardly keep any of those further away
    if (m_candidates.size() > limit) m_candidates.resize(limit);
    if (m_candidates.size() > m_degree) m_diversify(u, m_candidates);
    ids.clear();
    for (const auto& c : m_candidates) ids.push_back(c.id);
  }

  /// Which of the neighbours of u is reached best by way of another: the place of the edge that is missed least.
  std::size_t least_needed(id_type u, std::span<const id_type> ids) {
    m_ranks.resize(ids.size());
    m_ranker.from(u, ids, m_ranks.data());
    const std::vector<float> direct = m_ranks;
    std::vector<float> last_step(ids.size(), std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      m_ranker.from(ids[i], ids, m_ranks.data());
      for (std::size_t j = 0; j < ids.size(); ++j)
        if (j != i) last_step[j] = std::min(last_step[j], m_ranks[j]);
    }
    std::size_t best = 0;  // by the quotient of the two, which may both be 0
    for (std::size_t j = 1; j < ids.size(); ++j)
      if (direct[j] * last_step[best] > direct[best] * last_step[j]) best = j;
    return best;
  }

  /// `ids` become the edges of u without removed vertices, for which is_removed(v) holds: the neighbours of a removed
  /// neighbour take its place, and where those are fewer than the degree, theirs. Returns whether u has an edge to a
  /// removed vertex; if not, `ids` is of no use.
  bool bypass(const search_edges& graph, id_type u, function_ref<bool(id_type)> is_removed, std::vector<id_type>& ids) {
    constexpr std::size_t max_passed = 64;
    ids.clear();
    m_passed.clear();
    const auto look_at = [&](id_type v) {
      if (!is_removed(v)) {
        if (v != u) ids.push_back(v);
      } else if (m_passed.size() < max_passed && std::ranges::find(m_passed, v) == m_passed.end()) {
        m_passed.push_back(v);
      }
    };
    for (const id_type v : graph.of(u)) look_at(v);
    if (m_passed.empty()) return false;
    const std::size_t n_next = m_passed.size();
    for (std::size_t i = 0; i < m_passed.size() && (i < n_next || ids.size() < m_degree); ++i)
      for (const id_type w : graph.of(m_passed[i])) look_at(w);
    choose(u, ids);
    return true;
  }

 private:
  diversifier<Space> m_diversify;
  typename Space::ranker m_ranker;
  std::size_t m_degree;
  std::vector<float> m_ranks;
  std::vector<candidate<float>> m_candidates;
  std::vector<id_type> m_passed;
};

/// The graph with no edges to or from vertices that is_removed(v) holds for: their neighbours take their place. Where
/// less than a quarter of the degree is left, add_nearest(v, worker, ids) adds what a search finds. O(n), and some
/// degree^2 ranks for each vertex that loses an edge.
template <class Space>
search_edges edges_without(const search_edges& graph, const Space& space, const diversify_rule& rule,
                           const thread_team& team, function_ref<bool(id_type)> is_removed,
                           function_ref<void(id_type, std::size_t, std::vector<id_type>&)> add_nearest) {
  search_edges result = graph;
  const std::size_t least = rule.degree / 4;
  std::vector<edge_chooser<Space>> choosers(team.size(), {space, rule});
  parallel_for(team, graph.size(), 64, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    std::vector<id_type> ids;
    for (auto v = static_cast<id_type>(begin); v < end; ++v) {
      if (is_removed(v)) {
        result.assign(v, {});
        continue;
      }
      if (!choosers[worker].bypass(graph, v, is_removed, ids)) continue;
      if (ids.size() < least) {
        add_nearest(v, worker, ids);
        choosers[worker].choose(v, ids);
      }
      result.assign(v, ids);
    }
  });
  return result;
}

/// Links arrivals to what was found around them, and that back to them: every target by itself, so that threads do not
/// meet and the edges are the same for any number of them. The team must outlive it.
template <class Space>
class arrival_linker {
 public:
  arrival_linker(const Space& space, logged_edges& graph, const diversify_rule& rule, const thread_team& team)
      : m_graph(&graph),
        m_team(&team),
        m_degree(rule.degree),
        m_choosers(team.size(), {space, rule}),
        m_edges(team.size(), {space, rule}) {}

  void operator()(std::span<arrival> arrivals) {
    parallel_for(*m_team, arrivals.size(), 8, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      std::vector<id_type> ids;
      for (std::size_t i = begin; i < end; ++i) {
        m_choosers[worker].diversify(arrivals[i].vertex, arrivals[i].found);
        ids.clear();
        for (const auto& c : arrivals[i].found) ids.push_back(c.id);
        m_graph->assign_recorded(arrivals[i].vertex, ids);
      }
    });

    m_links.clear();
    for (const arrival& a : arrivals)
      for (const auto* list : {&a.found, &a.erased})
        for (const auto& c : *list) m_links.push_back({c.id, {c.rank, a.vertex}});
    std::sort(m_links.begin(), m_links.end());
    m_begins.clear();
    for (std::size_t i = 0; i < m_links.size(); ++i)
      if (i == 0 || m_links[i].from != m_links[i - 1].from) {
        m_begins.push_back(i);
        m_graph->record(m_links[i].from);
      }
    m_losses.assign(m_begins.size(), {});
    parallel_for(*m_team, m_begins.size(), 8, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t i = begin; i < end; ++i) link_back(links_of(i), m_edges[worker], m_losses[i]);
    });

    for (const auto& losses : m_losses)  // the way to a row that lost its place goes by who took it
      for (const loss& l : losses) m_graph->add(l.taken_by, l.lost);
    for (const arrival& a : arrivals) ensure_link(a);
  }

 private:
  /// An edge back to an arrival.
  struct link {
    id_type from;
    candidate<float> to;
    friend bool operator<(const link& a, const link& b) noexcept {
      return a.from != b.from ? a.from < b.from : a.to < b.to;
    }
  };
  struct loss {
    id_type taken_by, lost;
  };

  /// Those of the i-th row, nearest first.
  std::span<const link> links_of(std::size_t i) const noexcept {
    const std::size_t end = i + 1 < m_begins.size() ? m_begins[i + 1] : m_links.size();
    return std::span(m_links).subspan(m_begins[i], end - m_begins[i]);
  }

  void link_back(std::span<const link> links, edge_list<Space>& edges, std::vector<loss>& losses) {
    const id_type from = links[0].from;
    const auto before = m_graph->of(from);
    const auto is_new = [&](const link& l) { return std::ranges::find(before, l.to.id) == before.end(); };
    if (before.size() + links.size() > m_degree) {
      edges.assign(from, before);
      for (const link& l : links)
        if (is_new(l))
          if (const id_type lost = edges.take(l.to); lost != no_id) losses.push_back({l.to.id, lost});
      m_graph->assign_recorded(from, edges.sorted());
    } else {
      std::vector<id_type> ids(before.begin(), before.end());
      for (const link& l : links)
        if (is_new(l)) ids.push_back(l.to.id);
      m_graph->assign_recorded(from, ids);
    }
  }

  /// A row that none found worth an edge gets one from the nearest with a place left, or from the nearest, in the place
  /// of the edge that is missed least, which the row takes on.
  void ensure_link(const arrival& a) {
    const auto leads_here = [&](const auto& c) {
      const auto ids = m_graph->of(c.id);
      return std::ranges::find(ids, a.vertex) != ids.end();
    };
    if (a.found.empty() || std::ranges::any_of(a.found, leads_here)) return;
    for (const auto& c : a.found)
      if (m_graph->add(c.id, a.vertex)) return;
    const id_type nearest = a.found[0].id;
    const auto before = m_graph->of(nearest);
    std::vector<id_type> ids(before.begin(), before.end());
    const id_type lost = std::exchange(ids[m_choosers[0].least_needed(nearest, ids)], a.vertex);
    m_graph->record(nearest);
    m_graph->assign_recorded(nearest, ids);
    m_graph->add(a.vertex, lost);
  }

  logged_edges* m_graph;
  const thread_team* m_team;
  std::size_t m_degree;
  std::vector<edge_chooser<Space>> m_choosers;
  std::vector<edge_list<Space>> m_edges;
  std::vector<link> m_links;
  std::vector<std::size_t> m_begins;        ///< of each row that gets edges, in m_links
  std::vector<std::vector<loss>> m_losses;  ///< of those rows
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
