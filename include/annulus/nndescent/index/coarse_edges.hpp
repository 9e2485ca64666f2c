#pragma once

/// \file
/// Long edges, between rows of a sample. Where rows come in groups, lists of nearest neighbours end within the group,
/// and few edges chosen from them, or none, lead to another group.

#include <annulus/nndescent/graph/build.hpp>
#include <annulus/nndescent/index/diversify.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

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
  const std::size_t max_given_up = rule.degree / 4;
  const std::size_t n = leaves.size();
  std::size_t n_thin = 0;
  for (const id_type u : leaves) n_thin += graph.of(u).size() < few_edges;

  diversifier<Space> diversify(space, rule);
  typename Space::ranker ranker(space);
  std::vector<id_type> ids, rows;
  std::vector<float> ranks;
  std::vector<candidate<float>> found;
  nndescent_params sample_params = params;
  sample_params.progress = {};
  for (std::size_t stride = 100 * n_thin < n ? step * step : step; n / stride >= least_rows; stride *= step) {
    rows.clear();
    for (std::size_t i = 0; i < n; i += stride) rows.push_back(order.empty() ? leaves[i] : order[leaves[i]]);
    const auto sample = gather_rows(data, std::span<const id_type>(rows));
    with_lists(view_of<std::remove_const_t<decltype(sample)>>(sample), metric, list_width(width, rows.size()),
               sample_params, {}, team, [&](const auto&, const row_order& place, const neighbor_lists& lists) {
                 for (std::size_t j = 0; j < rows.size(); ++j) {
                   const auto u = leaves[place[j] * stride];
                   ids.clear();
                   for (std::size_t i = 0; i < lists.count(j); ++i)
                     ids.push_back(leaves[place[lists(j, i).id()] * stride]);
                   ranks.resize(ids.size());
                   ranker.from(u, ids, ranks.data());
                   found.clear();
                   for (std::size_t i = 0; i < ids.size(); ++i) found.push_back({ranks[i], ids[i]});
                   std::sort(found.begin(), found.end());
                   diversify(u, found);
                   const std::vector<id_type> before(graph.of(u).begin(), graph.of(u).end());
                   const std::size_t stay = std::min(before.size(), rule.degree - max_given_up);
                   ids.assign(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(stay));
                   const auto add = [&](id_type v) {
                     if (ids.size() < rule.degree && std::ranges::find(ids, v) == ids.end()) ids.push_back(v);
                   };
                   for (const auto& c : found) add(c.id);
                   for (const id_type v : before) add(v);
                   graph.assign(u, ids);
                   for (const auto& c : found) graph.add(c.id, u);
                 }
                 return 0;
               });
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
