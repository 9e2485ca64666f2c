#pragma once

/// \file
/// The graph of an index as one object: its parts, and what can be done to them.

#include <annulus/nndescent/graph/copied_lists.hpp>
#include <annulus/nndescent/index/graph_build.hpp>
#include <annulus/nndescent/index/graph_files.hpp>
#include <annulus/nndescent/index/vertex_insertion.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Reaches the graph of an index, for searches of another kind than its own.
struct graph_access;

/// A search graph over rows that it owns, and the k-NN graph it was made from. Callers check the arguments. What
/// changes it changes nothing where it throws.
template <class Points, class Metric, class Storage>
class search_graph {
  using state_type = graph_state<Points, Metric, Storage>;

 public:
  using view_type = typename state_type::view_type;
  using row_type = typename state_type::row_type;
  using walk_type = typename state_type::walk_type;
  using scratch_type = typename state_type::scratch_type;
  using walker_type = typename state_type::walker_type;

  search_graph(const view_type& data, Metric metric, const nndescent_params& params, Storage storage,
               const thread_team& team)
      : m_state(data, std::move(metric), params, storage) {
    build_graph(m_state, data, params.progress, team);
  }
  search_graph(unfilled, Metric metric) : m_state(unfilled{}, std::move(metric)) {}

  /// \throws std::invalid_argument for rows that do not fit the storage. Rows that are not finite are not looked at:
  /// others refuse those.
  static void check_storage(const view_type& rows, std::string_view name) {
    using walk_maker = typename state_type::walk_maker;
    if constexpr (requires { walk_maker::greatest; })
      for (std::size_t i = 0; i < rows.size(); ++i)
        for (const auto x : rows.row(i))
          if (std::abs(static_cast<double>(x)) > walk_maker::greatest && is_finite_row(rows.row(i)))
            invalid(name, x, "row ", i, " must fit the storage, whose greatest number is ", walk_maker::greatest);
  }

  std::size_t size() const noexcept { return m_state.names.size(); }
  const vertex_names& names() const noexcept { return m_state.names; }
  std::size_t n_ids() const noexcept { return m_state.names.n_ids(); }  ///< given out so far
  bool holds(id_type id) const noexcept { return m_state.names.holds(id); }
  const walk_type& walk() const noexcept { return m_state.walk; }
  walker_type walker() const noexcept { return m_state.walker(); }
  /// The same where the exact rows are elsewhere.
  template <class Rows>
  auto walker_over(const Rows& exact) const noexcept {
    return m_state.walker_over(exact);
  }
  /// Keeps of the k-NN graph what searches ask for alone. It can neither be asked for nor changed any more.
  void forget_lists() { m_state.lists.keep_reach(); }

  /// A row of neighbours for each row that is there, by ascending id. Lists that lost some are searched for again,
  /// others meet those of their neighbours once rows were inserted; under inner products all are searched for then, as
  /// a long row is a neighbour of rows that are far from it.
  neighbors knn_graph() const {
    const state_type& g = m_state;
    const std::size_t width = g.lists.width();
    std::vector<scratch_type> scratch(resolve_threads(g.params.threads), scratch_type(g.walk));
    const auto ids_at = [&](id_type v) { return g.names.ids_at(v); };
    const bool are_outdated = walker_type::is_product && g.n_since_build > 0;
    const auto list_of = [&](id_type v, std::size_t worker, std::vector<candidate<float>>& list) {
      list.clear();
      for (std::size_t j = 0; j < width && !are_outdated; ++j)
        if (const auto c = g.lists(v, j); c.id < g.names.n_vertices() && g.names.is_live(c.id)) list.push_back(c);
      if (list.size() < std::min(width, g.names.n_live() - 1)) walker().neighbors_of(v, width, scratch[worker], list);
      else if (g.n_since_build > 0) walker().join_neighbors(v, width, scratch[worker], list);
      return g.names.has_copies() ? walker().distance_from_itself(v, scratch[worker]) : 0.0f;
    };
    return lists_with_copies(g.names.ids(), g.names.n_vertices(), width, false, g.params.threads, ids_at, list_of);
  }

  /// Takes in rows under new ids, the first of which it returns.
  id_type insert(const view_type& rows, const thread_team& team) { return insert_rows(m_state, rows, team); }
  void erase(id_type id) { erase_id(m_state, id); }
  /// Gives an id that is there another row.
  void update(id_type id, const row_type& row) { update_row(m_state, id, row); }
  /// Routes the edges around erased vertices, and frees their memory.
  void consolidate() { consolidate_graph(m_state); }

  std::size_t memory_bytes() const noexcept {
    const state_type& g = m_state;
    return g.walk.memory_bytes() + g.rows.memory_bytes() + g.edges.memory_bytes() + g.tree.memory_bytes() +
           g.codes.memory_bytes() + g.names.memory_bytes() + g.lists.memory_bytes() + g.table.memory_bytes() +
           g.longest.memory_bytes();
  }

  std::string defect() const { return defect_of_graph(m_state); }
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    persist_graph(self.m_state, archive);
  }

 private:
  state_type m_state;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
