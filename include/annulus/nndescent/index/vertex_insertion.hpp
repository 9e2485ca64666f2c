#pragma once

/// \file
/// Insertion into the graph of an index: a row that is there already shares its vertex; any other gets a vertex of its
/// own, which is searched for and linked to what was found.

#include <annulus/nndescent/index/coarse_edges.hpp>
#include <annulus/nndescent/index/vertex_removal.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A vertex that is stored and not linked yet.
template <class State>
struct new_vertex {
  id_type vertex;
  typename State::row_type row;
};

/// The vertex of a row: one that is there and equal, or a new one, which is added to `added`.
template <class State>
id_type vertex_for(State& g, const typename State::row_type& row, std::vector<new_vertex<State>>& added) {
  const std::uint32_t hash = hash_of(row);
  const id_type known = g.table.find(hash, [&](id_type v) { return are_equal(g.exact_rows().row(v), row); });
  if (known != no_id) return known;
  const auto vertex = static_cast<id_type>(g.names.n_vertices());
  added.push_back({vertex, row});
  g.resize_vertices(vertex + std::size_t{1});
  g.put(vertex, row);
  if (!g.keeps_rows()) return vertex;
  g.table.reserve(g.table.size() + 1);
  g.table.add(hash, vertex);
  return vertex;
}

/// Fits codes anew once a fifth of the rows were inserted since: codes fitted to other rows may not tell those apart.
template <class State>
void fit_codes_if_due([[maybe_unused]] State& g, [[maybe_unused]] graph_undo<State>& change) {
  constexpr std::size_t share = 5;
  if constexpr (State::fits_rows) {
    if (g.walk.is_lossless() || g.rows.size() == 0 || share * g.n_since_fit <= g.rows.size()) return;
    change.replace_walk(g.codes_of(g.rows.view(), g.params.threads));
    g.n_since_fit = 0;
  }
}

/// New vertices get their lists of neighbours, and enter those of older vertices. They have each other in theirs
/// already.
template <class State>
void enter_into_lists(State& g, std::span<const arrival> arrivals, logged_lists& lists) {
  const id_type first = arrivals[0].vertex;
  for (const arrival& a : arrivals) {
    g.lists.assign(a.vertex, a.near);
    for (const auto& c : a.near) {
      if (c.id >= first || !(c.rank < g.lists(c.id, g.lists.width() - 1).rank)) continue;
      lists.record(c.id);
      g.lists.enter(c.id, a.vertex, c.rank);
    }
  }
}

/// Links new vertices to what a search finds around each, and to each other, and enters them into lists, tree and
/// lengths.
template <class State>
void link_vertices(State& g, std::span<const new_vertex<State>> added,
                   std::vector<typename State::scratch_type>& scratch, const thread_team& team,
                   graph_undo<State>& change) {
  if (added.empty()) return;
  using walk_type = typename State::walk_type;
  g.n_since_fit += added.size();
  g.n_since_build += added.size();
  fit_codes_if_due(g, change);
  const std::size_t beam = 2 * std::max(g.params.n_neighbors, graph_degree(g.params));
  std::vector<id_type> vertices;
  for (const auto& v : added) vertices.push_back(v.vertex);
  const walk_space<walk_type> ranks = g.space();
  std::vector<arrival> arrivals(added.size());
  parallel_for(team, added.size(), 4, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    for (std::size_t i = begin; i < end; ++i) {
      arrivals[i].vertex = vertices[i];
      look_around(g.walker(), ranks, added[i].row, vertices, beam, scratch[worker], arrivals[i]);
    }
  });
  if (g.root == no_id) g.root = vertices[0];
  enter_into_lists<State>(g, arrivals, change.lists);
  arrival_linker(erased_space(ranks), change.edges, g.rule(), team)(arrivals);
  g.n_unreached += added.size();
  for (const arrival& a : arrivals) g.tree.add(a.leaf, a.vertex);
  g.add_lengths(vertices, [&](std::size_t i) { return added[i].row; });
}

/// Once a sixteenth of the vertices came since all were last known to be reachable, makes sure that they are.
template <class State>
void connect_if_due(State& g, graph_undo<State>& change) {
  constexpr std::size_t share = 16;
  if (g.n_unreached * share <= g.names.n_vertices()) return;
  g.connect_all(change.edges, g.root);
  g.n_unreached = 0;
}

/// Once a fifth of the vertices came since the entry tree was built, builds it and the coarse edges anew, so that
/// searches start near the inserted rows too. O(n log n) ranks.
template <class State>
void rebuild_tree_if_due(State& g, graph_undo<State>& change) {
  constexpr std::size_t share = 5;
  const std::size_t n = g.names.n_vertices();
  if (g.tree.n_added() * share <= n || n <= State::tree_leaf_size) return;
  std::vector<id_type> live;
  for (id_type v = 0; v < n; ++v)
    if (g.names.is_live(v)) live.push_back(v);
  id_type root = g.root;
  entry_tree tree = g.make_tree(g.edges, std::move(live), root);
  if (g.keeps_rows()) {
    const walk_space<typename State::walk_type> ranks = g.space();
    add_coarse_edges(change.edges, g.exact_rows(), g.metric, {}, tree.rows(), erased_space(ranks), g.rule(), g.params,
                     g.params.threads);
  }
  change.replace_tree(std::move(tree));
}

/// Encodes the edges that a change has made, which is over but for that.
template <class State>
void encode_changes([[maybe_unused]] State& g, [[maybe_unused]] const graph_undo<State>& change) {
  if constexpr (State::has_codes) {
    if (change.n_vertices_before() == 0) fit_centre(g.walk, g.codes);
    edge_encoder encode(g.walk, g.codes);
    change.edges.visit_changed([&](std::size_t v) { encode(v, std::as_const(g.edges).block(v)); });
  }
}

/// Takes in rows under new ids, the first of which it returns. Changes nothing where it throws.
template <class State>
id_type insert_rows(State& g, const typename State::view_type& rows, const thread_team& team) {
  using scratch_type = typename State::scratch_type;
  constexpr std::size_t round = 256;  // rows that are searched for before any of them is linked
  prepare_change(g);
  graph_undo<State> change(g);
  if constexpr (State::fits_rows)
    if (g.names.n_vertices() == 0 && rows.size() > 0) change.replace_walk(g.walk.fitted(rows));
  const auto first = static_cast<id_type>(g.names.n_ids());
  std::vector<scratch_type> scratch(team.size(), scratch_type(g.walk));
  std::vector<id_type> vertices;
  std::vector<new_vertex<State>> added;
  for (std::size_t i = 0; i < rows.size();) {
    vertices.clear();
    added.clear();
    for (; i < rows.size() && added.size() < round; ++i) vertices.push_back(vertex_for(g, rows.row(i), added));
    link_vertices<State>(g, added, scratch, team, change);
    for (const id_type vertex : vertices) g.names.add(vertex);
    connect_if_due(g, change);
    rebuild_tree_if_due(g, change);
  }
  encode_changes<State>(g, change);
  change.commit();
  return first;
}

/// Gives an id that is there another row. Changes nothing where it throws.
template <class State>
void update_row(State& g, id_type id, const typename State::row_type& row) {
  using scratch_type = typename State::scratch_type;
  prepare_change(g);
  graph_undo<State> change(g);
  std::vector<new_vertex<State>> added;
  std::vector<scratch_type> scratch(1, scratch_type(g.walk));
  const id_type before = g.names.vertex_of(id), vertex = vertex_for(g, row, added);
  if (vertex == before) return;
  link_vertices<State>(g, added, scratch, 1, change);
  change.begin_move(id, vertex);
  connect_if_due(g, change);
  rebuild_tree_if_due(g, change);
  encode_changes<State>(g, change);
  change.commit();
  if (g.names.finish_move(id, vertex)) g.remove_from_table(before);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
