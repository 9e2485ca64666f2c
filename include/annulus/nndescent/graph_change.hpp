#pragma once

/// \file
/// A change of a search graph that is made as a whole or not at all.

#include <annulus/nndescent/adjacency.hpp>

#include <tuple>

namespace annulus::inline ANNULUS_ARCH::detail {

/// What blocks of as many values each held before they changed.
template <class T>
class undo_log {
 public:
  /// Of blocks 0 to n_blocks - 1; what comes behind them is new, and is not kept.
  undo_log(std::size_t n_blocks, std::size_t width) : m_width(width), m_is_kept(n_blocks, false) {}

  /// Block i is about to change.
  void keep(std::size_t i, std::span<const T> block) {
    if (i >= m_is_kept.size() || m_is_kept[i]) return;
    m_values.insert(m_values.end(), block.begin(), block.end());
    m_numbers.push_back(i);
    m_is_kept[i] = true;
  }
  /// f(i, block) for those that were kept.
  template <class F>
  void visit(F f) const noexcept {
    for (std::size_t j = 0; j < m_numbers.size(); ++j)
      f(m_numbers[j], std::span(m_values).subspan(j * m_width, m_width));
  }

 private:
  std::size_t m_width;
  std::vector<bool> m_is_kept;
  std::vector<std::size_t> m_numbers;
  std::vector<T> m_values;
};

/// Edges to change, as they were before.
class logged_edges {
 public:
  explicit logged_edges(adjacency& graph) : m_graph(&graph), m_before(graph.size(), graph.max_degree()) {}

  std::size_t size() const noexcept { return m_graph->size(); }
  std::span<const id_type> of(std::size_t i) const noexcept { return m_graph->of(i); }
  void assign(std::size_t i, std::span<const id_type> ids) {
    keep(i);
    m_graph->assign(i, ids);
  }
  bool add(std::size_t from, id_type to) {
    keep(from);
    return m_graph->add(from, to);
  }
  /// The last place of the block of row i goes to `id`; returns who had it.
  id_type replace_last(std::size_t i, id_type id) {
    keep(i);
    return std::exchange(m_graph->block(i).back(), id);
  }
  void undo() noexcept {
    m_before.visit([&](std::size_t i, std::span<const id_type> ids) { m_graph->assign(i, ids); });
  }

 private:
  void keep(std::size_t i) { m_before.keep(i, std::as_const(*m_graph).block(i)); }

  adjacency* m_graph;
  undo_log<id_type> m_before;
};

/// As long as it lives, what changes in a search graph is undone with its end, unless it was kept: ids and slots that
/// are new go, and their slots are free again; edges and lists of neighbours are to be changed through its logs. Rows
/// in slots that were free need no undoing. O(n) bits, and the blocks that change.
template <class Graph>
class graph_change {
 public:
  /// `moved` is to be an id that goes or gets another slot, or no_id.
  explicit graph_change(Graph& graph, id_type moved = no_id)
      : edges(graph.m_graph),
        m_graph(&graph),
        m_ids(graph.n_ids(), graph.m_knn.width()),
        m_distances(graph.n_ids(), graph.m_knn.width()),
        m_moved(moved),
        m_n_ids(graph.n_ids()),
        m_n_slots(graph.m_names.n_slots()),
        m_slot(moved != no_id ? graph.m_names.slot_of(moved) : no_id),
        m_counts(graph.counts()) {
    if (moved != no_id) keep_list(moved);
  }
  graph_change(const graph_change&) = delete;
  ~graph_change() {
    if (m_graph != nullptr) undo();
  }

  /// The list of an id is about to change.
  void keep_list(id_type id) {
    m_ids.keep(id, m_graph->m_knn.ids(id));
    m_distances.keep(id, m_graph->m_knn.distances(id));
  }
  /// All is well.
  void keep() noexcept { m_graph = nullptr; }

  logged_edges edges;

 private:
  /// Allocates nothing: whatever shrinks or is pushed had the room before.
  void undo() noexcept {
    Graph& g = *m_graph;
    for (std::size_t id = g.n_ids(); id-- > m_n_ids;)  // the last to take a free slot first
      g.m_names.give_back(static_cast<id_type>(id), m_n_slots);
    if (m_moved != no_id) {
      g.m_names.give_back(m_moved, m_n_slots);
      g.m_names.place(m_moved, m_slot);
    }
    edges.undo();
    m_ids.visit([&](std::size_t id, auto list) { g.m_knn.restore_ids(id, list); });
    m_distances.visit([&](std::size_t id, auto list) { g.m_knn.restore_distances(id, list); });
    g.resize_ids(m_n_ids);
    g.resize_slots(m_n_slots);
    g.counts() = m_counts;
  }

  Graph* m_graph;
  undo_log<id_type> m_ids;  ///< of the lists
  undo_log<float> m_distances;
  id_type m_moved;
  std::size_t m_n_ids, m_n_slots;
  id_type m_slot;
  std::tuple<std::size_t, std::size_t, std::size_t, id_type> m_counts;
};

}  // namespace annulus::inline ANNULUS_ARCH::detail
