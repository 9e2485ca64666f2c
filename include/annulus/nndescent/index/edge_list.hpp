#pragma once

/// \file
/// The edges of one row while others are added to them. A new edge is compared with each of the old ones; those are not
/// compared with each other again.

#include <annulus/nndescent/index/diversify.hpp>
#include <annulus/nndescent/index/walk_space.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The edges of one row, to which others are added one by one: where there are more than the degree, one is dropped, as
/// the rule has it of the new edge with each of the old ones. These are not weighed against each other again, which
/// would take as many ranks for each of them. Holds scratch.
template <class Space>
class edge_list {
 public:
  edge_list(const Space& space, const diversify_rule& rule) : m_ranker(space), m_rule(rule) {}

  void assign(id_type from, std::span<const id_type> ids) {
    m_from = from;
    m_edges.clear();
    m_ranks.resize(ids.size());
    m_ranker.from(from, ids, m_ranks.data());
    for (std::size_t i = 0; i < ids.size(); ++i) m_edges.push_back({m_ranks[i], ids[i]});
  }

  /// Takes in an edge, unless another is a shortcut to its end. Returns which went for it, or no_id.
  id_type take(const candidate<float>& edge) {
    m_ids.clear();
    for (const auto& e : m_edges) m_ids.push_back(e.id);
    m_ranks.resize(m_ids.size());
    m_ranker.from(edge.id, m_ids, m_ranks.data());
    const bool is_spared = m_rule.spares(m_from, edge.id);
    std::size_t leaving = 0;  // the furthest, unless the new edge is a shortcut to others
    float greatest = 0;
    for (std::size_t i = 0; i < m_edges.size(); ++i) {
      const candidate<float>& old = m_edges[i];
      if (old < edge) {
        if (!is_spared && m_rule.shortcut(edge.rank, m_ranks[i]) > m_rule.factor) return no_id;
      } else if (const float s = m_rule.shortcut(old.rank, m_ranks[i]);
                 s > greatest && !m_rule.spares(m_from, old.id)) {
        greatest = s;
        leaving = i;
      }
      if (greatest == 0 && m_edges[leaving] < old) leaving = i;
    }
    if (m_edges.size() < m_rule.degree) {
      m_edges.push_back(edge);
      return no_id;
    }
    if (m_edges[leaving] < edge) return no_id;
    return std::exchange(m_edges[leaving], edge).id;
  }

  /// Nearest first.
  std::span<const id_type> sorted() {
    std::sort(m_edges.begin(), m_edges.end());
    m_ids.clear();
    for (const auto& e : m_edges) m_ids.push_back(e.id);
    return m_ids;
  }

 private:
  typename Space::ranker m_ranker;
  diversify_rule m_rule;
  id_type m_from = no_id;
  std::vector<candidate<float>> m_edges;
  std::vector<id_type> m_ids;
  std::vector<float> m_ranks;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
