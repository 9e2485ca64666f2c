#pragma once

/// \file
/// Long edges, between rows of a sample. Where rows come in groups, lists of nearest neighbours end within the group,
/// and few edges chosen from them, or none, lead to another group.

#include <annulus/nndescent/graph/build.hpp>
#include <annulus/nndescent/index/diversify.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Adds the edges of one k-NN graph among some rows; holds scratch.
template <class Space>
class coarse_level {
 public:
  coarse_level(const Space& space, const diversify_rule& rule)
      : m_diversify(space, rule), m_ranker(space), m_degree(rule.degree) {}

  /// Row j of `lists` is the row leaves[place[j] * stride] of the graph.
  template <class Graph>
  void add_edges(Graph& graph, std::span<const id_type> leaves, std::size_t stride, const row_order& place,
                 const neighbor_lists& lists) {
    const std::size_t max_given_up = m_degree / 4;
    for (std::size_t j = 0; j < lists.size(); ++j) {
      const auto u = leaves[place[j] * stride];
      m_ids.clear();
      for (std::size_t i = 0; i < lists.count(j); ++i) m_ids.push_back(leaves[place[lists(j, i).id()] * stride]);
      m_ranks.resize(m_ids.size());
      m_ranker.from(u, m_ids, m_ranks.data());
      m_found.clear();
      for (std::size_t i = 0; i < m_ids.size(); ++i) m_found.push_back({m_ranks[i], m_ids[i]});
      std::sort(m_found.begin(), m_found.end());
      m_diversify(u, m_found);
      const std::vector<id_type> before(graph.of(u).begin(), graph.of(u).end());
      const std::size_t stay = std::min(before.size(), m_degree - max_given_up);
      m_ids.assign(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(stay));
      const auto add = [&](id_type v) {
        if (m_ids.size() < m_degree && std::ranges::find(m_ids, v) == m_ids.end()) m_ids.push_back(v);
      };
      for (const auto& c : m_found) add(c.id);
      for (const id_type v : before) add(v);
      graph.assign(u, m_ids);
      for (const auto& c : m_found) graph.add(c.id, u);
    }
  }

 private:
  diversifier<Space> m_diversify;
  typename Space::ranker m_ranker;
  std::size_t m_degree;
  std::vector<id_type> m_ids;
  std::vector<float> m_ranks;
  std::vector<candidate<float>> m_found;
};

/// Adds edges among every 256th row, every 4096th and so on, in the order of the leaves, in which rows that are alike
/// stand side by side: each level is a k-NN graph of its own. Data of which some rows have few edges, as
/// near-duplicates and rows along a curve have, get another level of every 16th row. An edge both ways, while there are
/// places left; a row gives up to a quarter of its furthest neighbours for it. Row i of the graph is row order[i] of
/// `data`, and i-th in the order of the leaves is row leaves[i] of the graph.
template <class Graph, class Rows, class Metric, class Space>
void add_coarse_edges(Graph& graph, const Rows& data, const Metric& metric, const row_order& order,
                      std::span<const id_type> leaves, const Space& space, const diversify_rule& rule,
                      const nndescent_params& params, const thread_team& team) {
  constexpr std::size_t step = 16, least_rows = 16, width = 22, few_edges = 10;
  const std::size_t n = leaves.size();
  std::size_t n_thin = 0;
  for (const id_type u : leaves) n_thin += graph.of(u).size() < few_edges;

  coarse_level<Space> level(space, rule);
  nndescent_params sample_params = params;
  sample_params.progress = {};
  for (std::size_t stride = 100 * n_thin < n ? step * step : step; n / stride >= least_rows; stride *= step) {
    std::vector<id_type> rows;
    for (std::size_t i = 0; i < n; i += stride) rows.push_back(order.empty() ? leaves[i] : order[leaves[i]]);
    const auto sample = gather_rows(data, std::span<const id_type>(rows));
    with_lists(view_of<std::remove_const_t<decltype(sample)>>(sample), metric, list_width(width, rows.size()),
               sample_params, {}, team, [&](const erased_space&, const row_order& place, const neighbor_lists& lists) {
                 level.add_edges(graph, leaves, stride, place, lists);
               });
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
