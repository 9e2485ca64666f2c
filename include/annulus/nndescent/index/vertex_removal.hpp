#pragma once

/// \file
/// Removal from the graph of an index. A row is erased in its names alone; its vertex stays, as a place that walks pass
/// through, until the graph is consolidated: edges are routed around erased vertices, and their memory is freed.

#include <annulus/nndescent/index/graph_edit.hpp>
#include <annulus/nndescent/index/graph_state.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Of what is walked over, the rows of these vertices stay, and codes are fitted to them anew.
template <class State>
void keep_walked_rows(State& g, std::span<const id_type> order, const thread_team& team) {
  if constexpr (State::fits_rows)
    if (!g.walk.is_lossless() && g.rows.size() > 0) {
      const auto kept = gather_rows(g.rows.view(), order);
      g.walk = g.codes_of(kept, team);
      g.n_since_fit = 0;
      return;
    }
  g.walk.keep_only(order);
}

/// Routes the edges around erased vertices and removes these; the others keep their order. Changes nothing where it
/// throws. O(n d).
template <class State>
void consolidate_graph(State& g) {
  if (g.names.n_erased() == 0) return;
  using scratch_type = typename State::scratch_type;
  const thread_team team(g.params.threads);
  const auto is_erased = [&](id_type v) { return !g.names.is_live(v); };
  std::vector<scratch_type> scratch(team.size(), scratch_type(g.walk));
  const auto add_nearest = [&](id_type v, std::size_t worker, std::vector<id_type>& ids) {
    std::vector<candidate<float>> found;
    g.walker().neighbors_of(v, graph_degree(g.params), scratch[worker], found);
    for (const auto& c : found) ids.push_back(c.id);
  };
  const walk_space<typename State::walk_type> ranks = g.space();
  search_edges edges = edges_without(g.edges, erased_space(ranks), g.rule(), team, is_erased, add_nearest);

  const std::size_t n = g.names.n_vertices();
  std::vector<id_type> order, place(n, no_id);
  for (id_type v = 0; v < n; ++v)
    if (!is_erased(v)) {
      place[v] = static_cast<id_type>(order.size());
      order.push_back(v);
    }
  id_type root = g.root >= n || is_erased(g.root) ? no_id : g.root;
  entry_tree tree = g.make_tree(edges, order, root);
  g.connect_all(edges, root);
  edges = edges.reordered(order, team);
  vertex_names names = g.names;
  names.reorder(order);

  std::optional<edge_encoder<typename State::walk_type>> encode;
  if constexpr (State::has_codes) encode.emplace(g.walk, g.codes);
  keep_walked_rows(g, order, team);
  // Nothing from here on throws.
  if constexpr (State::has_codes) {
    g.codes.reorder(order, place);
    for (std::size_t v = 0; v < order.size(); ++v) (*encode)(v, std::as_const(edges).block(v));
  }
  tree.rename(place);
  g.tree = std::move(tree);
  g.root = order.empty() ? no_id : place[root];
  g.edges = std::move(edges);
  g.names = std::move(names);
  g.lists.reorder(order, place);
  g.table.rename(place);
  g.longest.rename(place);
  g.rows.keep_only(g.rows.size() > 0 ? std::span<const id_type>(order) : std::span<const id_type>());
  g.n_unreached = 0;
}

/// Before a change: consolidates once a fifth of the vertices are erased, since walks through erased ones are long, and
/// fills the table by which equal rows are found.
template <class State>
void prepare_change(State& g) {
  constexpr std::size_t share = 5;
  if (share * g.names.n_erased() > g.names.n_vertices()) consolidate_graph(g);
  if (!g.table.empty() || !g.keeps_rows()) return;
  row_table table;
  table.reserve(g.names.n_live());
  for (id_type v = 0; v < g.names.n_vertices(); ++v)
    if (g.names.is_live(v)) table.add(hash_of(g.exact_rows().row(v)), v);
  g.table = std::move(table);
}

/// Erases an id that is there.
template <class State>
void erase_id(State& g, id_type id) {
  prepare_change(g);
  const id_type vertex = g.names.vertex_of(id);
  if (g.names.erase(id)) g.remove_from_table(vertex);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
