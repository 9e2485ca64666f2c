#pragma once

/// \file
/// Builds the graph of an index from all of its rows at once: lists by NN-descent, edges from the lists, vertices in
/// the order of the leaves of the entry tree.

#include <annulus/nndescent/graph/knn_graph.hpp>
#include <annulus/nndescent/index/coarse_edges.hpp>
#include <annulus/nndescent/index/graph_state.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The search graph is made from lists at least this wide: it gains more by that than the k-NN graph does. Not so of
/// sparse rows and of metrics of bits: with as wide lists their descent takes half as long again, and searches gain a
/// tenth. A metric whose type is known at run time alone tells which it is.
template <class Points, class Metric>
std::size_t least_list_width([[maybe_unused]] const Metric& metric) noexcept {
  if constexpr (is_sparse_row<row_t<view_of<Points>>>) return 30;
  else if constexpr (requires { metric.compares_whole_rows(); }) return metric.compares_whole_rows() ? 30 : 46;
  else return has_own_loop<Metric, typename Points::value_type> ? 30 : 46;
}

/// Makes a vertex of each of these rows, all of which differ; returns the vertex of each. Row i of `space` and `lists`
/// is row order[i] of the data.
template <class State, class Space>
std::vector<id_type> build_vertices(State& g, const typename State::view_type& data, const Space& space,
                                    const row_order& order, neighbor_lists& lists, const thread_team& team) {
  const std::size_t n = data.size();
  std::vector<std::uint32_t> in_degrees(n, 0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < lists.count(i); ++j) ++in_degrees[lists(i, j).id()];
  const auto hub = static_cast<id_type>(std::ranges::max_element(in_degrees) - in_degrees.begin());
  std::vector<id_type> rows(n), place(n), vertices(n);
  std::iota(rows.begin(), rows.end(), id_type{0});
  g.tree = entry_tree(space, std::move(rows), in_degrees, State::tree_leaf_size, g.params.seed);
  const std::vector<id_type> leaves(g.tree.rows().begin(), g.tree.rows().end());
  for (std::size_t i = 0; i < n; ++i) place[leaves[i]] = static_cast<id_type>(i);
  g.tree.rename(place);
  g.root = place[hub];
  search_edges graph = build_search_graph(space, lists, g.rule(), team, g.params.progress);
  row_order in_order(n);
  std::iota(in_order.begin(), in_order.end(), id_type{0});
  add_coarse_edges(graph, data, g.metric, order, in_order, space, g.rule(), g.params, team);
  g.edges = graph.reordered(leaves, team);

  g.resize_vertices(n);
  for (std::size_t i = 0; i < n; ++i) vertices[order[i]] = place[i];
  const neighbors nearest = exact_graph(data, g.metric, order, lists, g.params, team);
  std::vector<candidate<float>> list;
  for (std::size_t i = 0; i < n; ++i) {
    list.clear();
    for (std::size_t j = 0; j < g.lists.width() && nearest.ids(i, j) != no_id; ++j)
      list.push_back({nearest.distances(i, j), vertices[nearest.ids(i, j)]});
    std::sort(list.begin(), list.end());
    g.lists.assign(vertices[i], list);
    g.put(vertices[i], data.row(i));
  }
  g.add_lengths(vertices, [&](std::size_t i) { return data.row(i); });
  return vertices;
}

/// Fills the places for edges with the nearest of the lists of neighbours, but one, which stays for what comes in.
/// Codes of 32 neighbours are estimated at once, however few there are.
template <class State>
void fill_edges(State& g) {
  std::vector<id_type> ids;
  for (std::size_t v = 0; v < g.edges.size(); ++v) {
    const auto before = std::as_const(g.edges).of(v);
    ids.assign(before.begin(), before.end());
    for (std::size_t j = 0; j < g.lists.width() && ids.size() + 1 < g.edges.max_degree(); ++j)
      if (const id_type id = g.lists(v, j).id; id != no_id && std::ranges::find(ids, id) == ids.end())
        ids.push_back(id);
    g.edges.assign(v, ids);
  }
}

/// Builds the graph of these rows, equal ones included, into a state that has none yet.
template <class State>
void build_graph(State& g, const typename State::view_type& all, const initial_graph& initial,
                 const progress_callback& callback, const thread_team& team) {
  staged_progress progress(callback,
                           {{"trees", 16}, {"descent", 68}, {"diversify", 8}, {"reverse edges", 5}, {"distances", 3}});
  g.params.progress = progress.callback();
  if (all.size() > 0) {
    const std::size_t least_width = least_list_width<typename State::points_type>(g.metric);
    const row_groups groups = group_equal_rows(all, team);
    const distinct_rows<typename State::view_type> distinct(all, groups);
    const typename State::view_type& data = distinct.view();
    const std::size_t width = list_width(std::max(g.params.n_neighbors, least_width), data.size());
    const matrix<id_type> of_groups = groups.has_copies() ? initial_of_groups(initial, groups) : matrix<id_type>();
    const initial_graph start = groups.has_copies() ? initial_graph(of_groups) : initial;
    with_lists(data, g.metric, width, g.params, start, team,
               [&](const erased_space& space, const row_order& order, neighbor_lists& lists) {
                 const std::vector<id_type> vertices = build_vertices(g, data, space, order, lists, team);
                 if (!groups.has_copies()) g.names.assign(data.size(), vertices);
                 else {
                   std::vector<id_type> vertex_of(all.size());
                   for (std::size_t i = 0; i < vertex_of.size(); ++i) vertex_of[i] = vertices[groups.group_of[i]];
                   g.names.assign(data.size(), vertex_of);
                 }
               });
    g.connect_all(g.edges, g.root);
    if constexpr (State::has_codes) {
      fill_edges(g);
      encode_all(g.walk, g.edges, g.codes, team);
    }
  }
  g.params.progress = {};
  progress.finish();
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
