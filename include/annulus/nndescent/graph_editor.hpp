#pragma once

/// \file
/// Changing a search graph in place: a row linked in, rows taken out.

#include <annulus/nndescent/graph_change.hpp>
#include <annulus/nndescent/prune.hpp>
#include <annulus/nndescent/storage.hpp>

namespace annulus::inline ANNULUS_ARCH::detail {

/// Edits the edges over the rows of a walk by the rule that built them; holds scratch.
template <class Walk>
class graph_editor {
 public:
  graph_editor(const Walk& walk, logged_edges& graph, const diversify_rule& rule)
      : m_graph(&graph), m_space(walk), m_diversify(m_space, rule), m_ranker(m_space), m_degree(rule.degree) {}

  /// Links row u to the best of `found`, nearest first, and those back to it.
  void link(id_type u, std::vector<candidate<float>> found) {
    m_diversify(u, found);
    m_ids.clear();
    for (const auto& c : found) m_ids.push_back(c.id);
    m_graph->assign(u, m_ids);
    bool is_linked = false;
    for (const auto& c : found) is_linked |= link_back(c.id, u);
    if (is_linked || found.empty()) return;
    // None found it worth an edge: the nearest with a place left keeps it there, or hands over one that u takes on.
    for (const auto& c : found)
      if (m_graph->add(c.id, u)) return;
    const id_type other = m_graph->replace_last(found[0].id, u);
    m_graph->add(u, other);
  }

  /// Gives row u new neighbours for those that `is_gone` holds for: theirs.
  template <class IsGone>
  void mend(id_type u, IsGone is_gone) {
    m_ids.clear();
    bool is_whole = true;
    for (const id_type v : m_graph->of(u)) {
      if (!is_gone(v)) {
        m_ids.push_back(v);
        continue;
      }
      is_whole = false;
      for (const id_type w : m_graph->of(v))
        if (w != u && !is_gone(w)) m_ids.push_back(w);
    }
    if (!is_whole) choose(u);
  }

 private:
  /// Whether v has an edge to u afterwards.
  bool link_back(id_type v, id_type u) {
    const auto ids = m_graph->of(v);
    if (std::ranges::find(ids, u) != ids.end()) return true;
    if (ids.size() < m_degree) return m_graph->add(v, u);
    m_before.assign(ids.begin(), ids.end());
    m_ids = m_before;
    m_ids.push_back(u);
    choose(v);
    const auto now = m_graph->of(v);
    const auto has = [&](id_type id) { return std::ranges::find(now, id) != now.end(); };
    if (!has(u)) {
      m_graph->assign(v, m_before);
      return false;
    }
    for (const id_type w : m_before)  // v may have been the only way to it: by u it stays in reach
      if (!has(w)) m_graph->add(u, w);
    return true;
  }

  /// The edges of u become the best of m_ids.
  void choose(id_type u) {
    std::sort(m_ids.begin(), m_ids.end());
    m_ids.erase(std::unique(m_ids.begin(), m_ids.end()), m_ids.end());
    m_ranks.resize(m_ids.size());
    m_ranker.from(u, m_ids, m_ranks.data());
    m_candidates.clear();
    for (std::size_t i = 0; i < m_ids.size(); ++i) m_candidates.push_back({m_ranks[i], m_ids[i]});
    std::sort(m_candidates.begin(), m_candidates.end());
    if (m_candidates.size() > m_degree) m_diversify(u, m_candidates);
    m_ids.clear();
    for (const auto& c : m_candidates) m_ids.push_back(c.id);
    m_graph->assign(u, m_ids);
  }

  logged_edges* m_graph;
  walk_space<Walk> m_space;
  diversifier<walk_space<Walk>> m_diversify;
  typename walk_space<Walk>::ranker m_ranker;
  std::size_t m_degree;
  std::vector<id_type> m_ids, m_before;
  std::vector<float> m_ranks;
  std::vector<candidate<float>> m_candidates;
};

}  // namespace annulus::inline ANNULUS_ARCH::detail
