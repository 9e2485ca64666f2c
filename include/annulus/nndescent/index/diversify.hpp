#pragma once

/// \file
/// From a k-NN graph to one that is good to walk: few edges a row, in different directions, and their reverse edges.
/// (connect, in edges.hpp, then adds a path to every row.)

#include <annulus/core/base/random.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/select/candidate.hpp>
#include <annulus/nndescent/graph/neighbor_lists.hpp>
#include <annulus/nndescent/index/edges.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Which neighbours to keep. An edge goes where a kept neighbour is nearer to its end than its start is, by the factor
/// alpha: the longest side of a triangle (Arya, Mount 1993; alpha: Subramanya et al. 2019). Ranks of flat space are
/// squares of distances, so that alpha is squared; ranks that can be negative take no factor.
struct diversify_rule {
  std::size_t degree;
  double prob;
  float factor;
  counter_random coin;

  /// How many times shorter than an edge the last step of another way to its end is. Rows at distance 0 from each other
  /// are as good as one another: the first stands for all, and the others follow where there is room.
  float shortcut(float edge, float last_step) const noexcept {
    if (last_step > edge) return 0;
    if (last_step > 0) return edge / last_step;
    return edge == last_step && factor > 1 ? factor : std::numeric_limits<float>::infinity();
  }
  /// Whether an edge stays, whatever the shortcut.
  bool spares(std::size_t from, id_type to) const noexcept { return prob < 1 && coin.uniform(from << 32 | to) >= prob; }
};

/// Thins out lists of neighbours; holds scratch.
template <class Space>
class diversifier {
 public:
  using candidate_type = candidate<float>;

  diversifier(const Space& space, const diversify_rule& rule) : m_ranker(space), m_rule(rule) {}

  /// Keeps of the neighbours of row u, nearest first, those that the rule keeps.
  void operator()(std::size_t u, std::vector<candidate_type>& neighbors) {
    m_open.assign(neighbors.begin(), neighbors.end());
    m_shortcut.assign(m_open.size(), 0);
    m_is_kept.assign(m_open.size(), 0);
    std::size_t n_kept = 0;
    for (const float limit : {1.0f, m_rule.factor}) {
      for (std::size_t i = 0; i < m_open.size() && n_kept < m_rule.degree; ++i) {
        if (m_is_kept[i] || m_shortcut[i] > limit) continue;
        m_is_kept[i] = 1;
        ++n_kept;
        m_ids.clear();
        m_places.clear();
        for (std::size_t j = i + 1; j < m_open.size(); ++j)
          if (!m_is_kept[j] && m_shortcut[j] <= m_rule.factor) {
            m_ids.push_back(m_open[j].id);
            m_places.push_back(j);
          }
        m_ranks.resize(m_ids.size());
        m_ranker.from(m_open[i].id, m_ids, m_ranks.data());
        for (std::size_t j = 0; j < m_ids.size(); ++j) {
          if (m_rule.spares(u, m_ids[j])) continue;
          float& s = m_shortcut[m_places[j]];
          s = std::max(s, m_rule.shortcut(m_open[m_places[j]].rank, m_ranks[j]));
        }
      }
    }
    neighbors.clear();
    for (std::size_t i = 0; i < m_open.size(); ++i)
      if (m_is_kept[i]) neighbors.push_back(m_open[i]);
  }

 private:
  typename Space::ranker m_ranker;
  diversify_rule m_rule;
  std::vector<candidate_type> m_open;
  std::vector<id_type> m_ids;
  std::vector<float> m_ranks, m_shortcut;
  std::vector<std::size_t> m_places;
  std::vector<std::uint8_t> m_is_kept;
};

/// A vertex's own edges together with those that lead to it, thinned out where there are more than rule.degree.
template <class Space>
void join_edges(std::size_t vertex, std::vector<candidate<float>>& row, const diversify_rule& rule,
                diversifier<Space>& thin_out) {
  std::sort(row.begin(), row.end());
  row.erase(std::unique(row.begin(), row.end()), row.end());
  constexpr std::size_t max_degrees = 8;  // of a hub, which has far more reverse edges, the nearest are enough
  if (row.size() > max_degrees * rule.degree) row.resize(max_degrees * rule.degree);
  if (row.size() > rule.degree) thin_out(vertex, row);
}

/// The graph to search: the lists thinned out, joined by their reverse and thinned out again where a row has more than
/// rule.degree neighbours. One more place a row is left free. O(n width degree) ranks.
template <class Space>
search_edges build_search_graph(const Space& space, const neighbor_lists& lists, const diversify_rule& rule,
                                const thread_team& team, const progress_callback& progress) {
  const std::size_t n = space.size();
  matrix<candidate<float>> kept(n, rule.degree, candidate<float>{0, no_id});
  const auto count = [&](std::size_t u) {
    const auto row = kept.row(u);
    return static_cast<std::size_t>(std::ranges::find(row, no_id, [](const auto& c) { return c.id; }) - row.begin());
  };
  std::vector<diversifier<Space>> diversifiers(team.size(), {space, rule});
  parallel_for(
      team, n, 256,
      [&](std::size_t begin, std::size_t end, std::size_t worker) {
        std::vector<candidate<float>> row;
        for (std::size_t u = begin; u < end; ++u) {
          row.clear();
          for (std::size_t j = 0; j < lists.count(u); ++j) row.push_back({lists.rank(u, j), lists(u, j).id()});
          diversifiers[worker](u, row);
          std::ranges::copy(row, kept.row(u).begin());
        }
      },
      progress, "diversify");

  const grouped_ids reverse = group_by_key(n, n, team, [&](std::size_t u, auto f) {
    for (std::size_t j = 0; j < count(u); ++j) f(kept(u, j).id);
  });
  search_edges graph(n, rule.degree + 1);
  parallel_for(
      team, n, 256,
      [&](std::size_t begin, std::size_t end, std::size_t worker) {
        std::vector<candidate<float>> row;
        std::vector<id_type> ids;
        for (std::size_t v = begin; v < end; ++v) {
          row.assign(kept.row(v).begin(), kept.row(v).begin() + static_cast<std::ptrdiff_t>(count(v)));
          for (const id_type u : reverse.of(v))
            row.push_back({std::ranges::find(kept.row(u), v, [](const auto& c) { return c.id; })->rank, u});
          join_edges(v, row, rule, diversifiers[worker]);
          ids.clear();
          for (const auto& c : row) ids.push_back(c.id);
          graph.assign(v, ids);
        }
      },
      progress, "reverse edges");
  return graph;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
