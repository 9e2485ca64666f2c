#pragma once

/// \file
/// Undoes a change of a search graph that fails midway, so that a change is made as a whole or not at all.

#include <annulus/nndescent/index/edges.hpp>
#include <annulus/nndescent/index/entry_tree.hpp>
#include <annulus/nndescent/index/knn_lists.hpp>

#include <optional>
#include <unordered_set>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// What blocks of `width` values held before they changed. O(blocks that change).
template <class T>
class undo_log {
 public:
  /// For blocks 0 to n_blocks - 1. Those behind them are new, and are not recorded.
  undo_log(std::size_t n_blocks, std::size_t width) : m_n_blocks(n_blocks), m_width(width) {}

  std::size_t n_blocks() const noexcept { return m_n_blocks; }
  /// Records block i, which is about to change.
  void record(std::size_t i, std::span<const T> block) {
    if (i >= m_n_blocks || m_is_recorded.contains(i)) return;
    m_values.insert(m_values.end(), block.begin(), block.end());
    m_numbers.push_back(i);
    m_is_recorded.insert(i);
  }
  /// f(i, block) for those that were recorded.
  template <class F>
  void visit(F f) const {
    for (std::size_t j = 0; j < m_numbers.size(); ++j)
      f(m_numbers[j], std::span(m_values).subspan(j * m_width, m_width));
  }

 private:
  std::size_t m_n_blocks, m_width;
  std::unordered_set<std::size_t> m_is_recorded;
  std::vector<std::size_t> m_numbers;
  std::vector<T> m_values;
};

/// Edges to change, as they were before.
class logged_edges {
 public:
  explicit logged_edges(search_edges& graph) : m_graph(&graph), m_before(graph.size(), graph.max_degree()) {}

  std::size_t size() const noexcept { return m_graph->size(); }
  std::span<const id_type> of(std::size_t i) const noexcept { return m_graph->of(i); }
  /// Records the edges of row i, which are about to change.
  void record(std::size_t i) { m_before.record(i, std::as_const(*m_graph).block(i)); }
  /// For rows that were recorded or are new. Several threads may assign to different ones.
  void assign_recorded(std::size_t i, std::span<const id_type> ids) noexcept { m_graph->assign(i, ids); }
  void assign(std::size_t i, std::span<const id_type> ids) {
    record(i);
    m_graph->assign(i, ids);
  }
  bool add(std::size_t from, id_type to) {
    record(from);
    return m_graph->add(from, to);
  }
  /// f(i) for the rows whose edges may have changed: those recorded, and new ones.
  template <class F>
  void visit_changed(F f) const {
    m_before.visit([&](std::size_t i, std::span<const id_type>) { f(i); });
    for (std::size_t i = m_before.n_blocks(); i < size(); ++i) f(i);
  }
  void undo() noexcept {
    m_before.visit([&](std::size_t i, std::span<const id_type> ids) { m_graph->assign(i, ids); });
  }

 private:
  search_edges* m_graph;
  undo_log<id_type> m_before;
};

/// Lists of neighbours to change, as they were before.
class logged_lists {
 public:
  explicit logged_lists(knn_lists& lists) : m_lists(&lists), m_before(lists.size(), lists.width()) {}

  /// Records list i, which is about to change.
  void record(std::size_t i) {
    m_list.clear();
    for (std::size_t j = 0; j < m_lists->width(); ++j) m_list.push_back((*m_lists)(i, j));
    m_before.record(i, m_list);
  }
  knn_lists& lists() noexcept { return *m_lists; }
  void undo() noexcept {
    m_before.visit([&](std::size_t i, std::span<const candidate<float>> list) { m_lists->assign(i, list); });
  }

 private:
  knn_lists* m_lists;
  std::vector<candidate<float>> m_list;
  undo_log<candidate<float>> m_before;
};

/// Undoes a change of a graph_state when it is destroyed before commit(): removes new ids and vertices, and restores
/// what was changed through its members, edges and lists of neighbours among it.
template <class Graph>
class graph_undo {
 public:
  explicit graph_undo(Graph& graph)
      : edges(graph.edges),
        lists(graph.lists),
        m_graph(&graph),
        m_n_ids(graph.names.n_ids()),
        m_n_vertices(graph.names.n_vertices()),
        m_root(graph.root),
        m_n_unreached(graph.n_unreached),
        m_n_since_fit(graph.n_since_fit),
        m_n_since_build(graph.n_since_build),
        m_n_added(graph.tree.n_added()) {}
  graph_undo(const graph_undo&) = delete;
  ~graph_undo() {
    if (m_graph != nullptr) undo();
  }

  /// An id is about to move to another vertex. At most one a change.
  void begin_move(id_type id, id_type vertex) {
    m_graph->names.begin_move(id, vertex);
    m_mover = id;
    m_goal = vertex;
  }
  /// The graph is about to get other codes of its rows.
  void replace_walk(typename Graph::walk_type walk) noexcept {
    std::swap(m_graph->walk, walk);
    if (!m_walk) m_walk = std::move(walk);
  }
  /// The graph is about to get another tree.
  void replace_tree(entry_tree tree) noexcept {
    std::swap(m_graph->tree, tree);
    if (!m_tree) m_tree = std::move(tree);
  }
  std::size_t n_vertices_before() const noexcept { return m_n_vertices; }
  /// The change is complete.
  void commit() noexcept { m_graph = nullptr; }

  logged_edges edges;
  logged_lists lists;

 private:
  /// Allocates nothing.
  void undo() noexcept {
    Graph& g = *m_graph;
    while (g.names.n_ids() > m_n_ids) g.names.take_back();
    if (m_mover != no_id) g.names.cancel_move(m_mover, m_goal);
    edges.undo();
    lists.undo();
    if constexpr (Graph::fits_rows)
      if (m_walk) g.walk = std::move(*m_walk);
    g.drop_vertices(m_n_vertices);
    if (m_tree) g.tree = std::move(*m_tree);
    g.tree.take_back(m_n_added);
    g.root = m_root;
    g.n_unreached = m_n_unreached;
    g.n_since_fit = m_n_since_fit;
    g.n_since_build = m_n_since_build;
  }

  Graph* m_graph;
  id_type m_mover = no_id, m_goal = no_id;
  std::optional<typename Graph::walk_type> m_walk;
  std::optional<entry_tree> m_tree;
  std::size_t m_n_ids, m_n_vertices;
  id_type m_root;
  std::size_t m_n_unreached, m_n_since_fit, m_n_since_build, m_n_added;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
