#pragma once

/// \file
/// The graph behind an index: rows, edges and names, built at once and changed row by row.

#include <annulus/nndescent/graph_editor.hpp>
#include <annulus/nndescent/graph_params.hpp>
#include <annulus/nndescent/graph_walker.hpp>
#include <annulus/nndescent/knn_graph.hpp>
#include <annulus/nndescent/knn_lists.hpp>
#include <annulus/nndescent/slot_map.hpp>

namespace annulus::inline ANNULUS_ARCH::detail {

/// A search graph over rows it owns, and the k-NN graph it was made from. A row has an id for good, and a slot, its
/// place in memory, for as long as it is there. Arguments are the callers' to check.
template <class Points, class Metric, class Storage>
class search_graph {
 public:
  using view_type = view_of<Points>;
  using row_type = row_t<view_type>;
  using walk_maker = walk_of<Points, Metric, Storage>;
  using walk_type = typename walk_maker::type;
  using scratch_type = graph_scratch<Points, Metric, walk_type>;

  search_graph(const view_type& data, Metric metric, const nndescent_params& params, Storage storage)
      : m_metric(std::move(metric)),
        m_params(resolved(params, data.size())),
        m_walk(walk_maker::make(data, m_metric, storage)),
        m_rows(data.dim()),
        m_graph(0, graph_stride(m_params)),
        m_names(data.size()),
        m_knn(m_params.n_neighbors) {
    m_params.include_self = false;
    if (const std::size_t n = data.size(); n > 0) {
      const std::size_t width = list_width(std::max(m_params.n_neighbors, least_width), n);
      with_lists(data, m_metric, width, m_params, {}, [&](const auto& space, const auto& order, auto& lists) {
        build(data, space, order, lists);
        return 0;
      });
    }
    m_params.progress = {};
  }

  search_graph(unfilled, Metric metric)
      : m_metric(std::move(metric)), m_walk(unfilled{}, m_metric), m_names(0), m_knn(m_params.n_neighbors) {}

  /// \throws std::invalid_argument for rows that do not fit the storage.
  static void check_storage(const view_type& data) {
    if constexpr (requires { walk_maker::greatest; })
      for (std::size_t i = 0; i < data.size(); ++i)
        for (const auto x : data.row(i))
          if (std::abs(static_cast<double>(x)) > walk_maker::greatest)
            invalid("data", x, "row ", i, " must fit the storage, whose greatest number is ", walk_maker::greatest);
  }

  std::size_t size() const noexcept { return m_names.size(); }
  std::size_t n_ids() const noexcept { return m_names.n_ids(); }  ///< given out so far
  bool holds(id_type id) const noexcept { return m_names.holds(id); }
  const walk_type& walk() const noexcept { return m_walk; }
  graph_walker<Points, Metric, walk_type> walker() const noexcept {
    return {m_walk, exact_rows(), m_metric, m_graph, m_tree, m_root, m_names};
  }

  neighbors knn_graph() const { return current_graph(m_knn, m_names, exact_rows(), m_metric); }

  /// Takes in rows under new ids, the first of which it returns. Nothing has changed where it, or another of these,
  /// throws.
  id_type insert(const view_type& rows, scratch_type& scratch) {
    graph_change change(*this);
    const std::size_t first = n_ids();
    resize_ids(first + rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) add(static_cast<id_type>(first + i), rows.row(i), scratch, change);
    constexpr std::size_t batch = 16;
    settle(rows.size() >= batch, change);
    change.keep();
    return static_cast<id_type>(first);
  }

  void erase(id_type id) {
    if (!is_sparse(m_names.n_erased() + 1)) return forget(id);
    graph_change change(*this, id);
    forget(id);
    consolidate(change);
    change.keep();
  }

  /// Gives an id that is there another row.
  void update(id_type id, const row_type& row, scratch_type& scratch) {
    graph_change change(*this, id);
    forget(id);
    add(id, row, scratch, change);
    settle(false, change);
    if (is_sparse(m_names.n_erased())) consolidate(change);
    m_names.mark_moved(id);
    change.keep();
  }

  /// Routes the edges around erased rows, whose slots are free then.
  void consolidate() {
    if (m_names.n_erased() == 0) return;
    graph_change change(*this);
    consolidate(change);
    change.keep();
  }

  std::size_t memory_bytes() const noexcept {
    return m_walk.memory_bytes() + m_rows.memory_bytes() + m_graph.memory_bytes() + m_tree.memory_bytes() +
           m_names.memory_bytes() + m_knn.memory_bytes();
  }

  std::string defect() const {
    for (std::string found : {defect_of(walk_name, m_walk.defect()), defect_of("rows", defect_of_rows(m_rows)),
                              defect_of("graph", m_graph.defect()), defect_of("graph.neighbors", m_knn.defect()),
                              defect_of("tree", m_tree.defect(m_names.n_slots())), m_names.defect()})
      if (!found.empty()) return found;
    if (size() > 0 && m_root >= m_names.n_slots()) return "root: " + std::to_string(m_root) + " is no slot";
    if constexpr (refusing<Metric, row_type>)
      for (std::size_t i = 0; i < exact_rows().size(); ++i)
        if (const char* const reason = refusal(m_metric, exact_rows().row(i)))
          return "rows: row " + std::to_string(i) + ' ' + reason;
    return {};
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    persist_params(self.m_params, archive);
    archive("added_since_repair", self.m_n_added);
    archive("root", self.m_root);
    persistence::persist(self.m_names, archive);
    archive.part(walk_name, self.m_walk);
    const std::size_t n = self.m_names.n_slots(), n_exact = is_compressed && self.m_params.keep_rows ? n : 0;
    if constexpr (Archive::is_loading) {
      self.m_rows = owned_rows<Points>(self.m_walk.dim());
      self.m_graph = adjacency(0, graph_stride(self.m_params));
      self.m_knn = knn_lists(self.m_params.n_neighbors);
    }
    if constexpr (is_compressed) archive.part("rows", self.m_rows);
    archive.part("graph", self.m_graph);
    archive.part("graph.neighbors", self.m_knn);
    archive.part("tree", self.m_tree);
    archive.expect(self.m_walk.size() == n && self.m_rows.size() == n_exact && self.m_graph.size() == n,
                   "has not a row and edges for each slot");
    archive.expect(self.m_knn.size() == self.n_ids(), "has not a list of neighbours for each id");
  }

 private:
  using change_type = graph_change<search_graph>;
  friend change_type;

  auto counts() noexcept { return std::tuple_cat(m_names.counts(), std::tie(m_n_added, m_root)); }
  void resize_ids(std::size_t n) {
    m_knn.resize(n);
    m_names.resize_ids(n);
  }
  void resize_slots(std::size_t n) {
    m_names.resize_slots(n);
    m_graph.resize(n);
    m_walk.resize(n);
    if (is_compressed && m_params.keep_rows) m_rows.resize(n);
  }

  /// Gives the id a row, links it to what a search finds around it, and enters it into their lists.
  void add(id_type id, const row_type& row, scratch_type& scratch, change_type& change) {
    const std::size_t k = m_params.n_neighbors;
    const std::size_t beam = std::max(2 * k, 2 * graph_degree(m_params));
    std::vector<id_type> near(beam, no_id);
    std::vector<float> distances(beam, std::numeric_limits<float>::infinity());
    std::vector<candidate<float>> found;
    const auto& around = walker().neighborhood(row, beam, near, distances, scratch);
    for (std::size_t i = 0; i < around.size(); ++i)
      found.push_back({static_cast<float>(around[i].rank), around[i].id()});

    const id_type slot = m_names.next_slot();
    if (slot == m_names.n_slots()) resize_slots(slot + std::size_t{1});
    put(slot, row);
    m_names.take(id, slot);
    if (size() == 1) m_root = slot;
    graph_editor<walk_type>(m_walk, change.edges, rule()).link(slot, std::move(found));
    ++m_n_added;
    for (std::size_t i = 0; i < beam && near[i] != no_id; ++i) {
      change.keep_list(near[i]);
      enlist(id, near[i], distances[i]);
      enlist(near[i], id, distances[i]);
    }
  }

  void forget(id_type id) noexcept {
    m_names.erase(id);
    m_knn.clear(id);
  }

  /// Makes sure that all rows can be reached, where enough were added that some may have been cut off.
  void settle(bool is_end_of_batch, change_type& change) {
    constexpr std::size_t share = 50;
    if (m_n_added * share > size() || (is_end_of_batch && m_n_added > 0)) repair(change.edges);
  }

  /// Whether so many erased rows are worth a consolidation.
  bool is_sparse(std::size_t n_erased) const noexcept { return 5 * n_erased > m_names.n_used(); }

  /// The last step of a change: what it does to the free slots is not undone.
  void consolidate(change_type& change) {
    const auto is_gone = [&](id_type slot) { return !m_names.is_here(slot); };
    graph_editor<walk_type> editor(m_walk, change.edges, rule());
    for (id_type slot = 0; slot < m_names.n_slots(); ++slot)
      if (!is_gone(slot)) editor.mend(slot, is_gone);
    auto vacant = m_names.vacant();
    for (const id_type slot : vacant) change.edges.assign(slot, {});
    repair(change.edges);
    m_names.set_free(std::move(vacant));
  }

  static constexpr std::string_view walk_name = std::same_as<Storage, full_precision> ? "rows" : "compressed";
  static constexpr bool is_compressed = !std::same_as<Storage, full_precision>;
  /// The search graph is made from lists at least this wide: it gains more by that than the k-NN graph does. Not so of
  /// bits and sparse rows: with as wide lists their descent takes half as long again, and searches gain a tenth.
  static constexpr std::size_t least_width = [] {
    if constexpr (is_sparse_row<row_type>) return 30;
    else return counts_bits<Metric, typename Points::value_type> ? 30 : 46;
  }();

  template <class Space>
  void build(const view_type& data, const Space& space, const row_order& order, neighbor_lists& lists) {
    const std::size_t n = data.size();
    std::vector<std::uint32_t> in_degrees(n, 0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < lists.count(i); ++j) ++in_degrees[lists(i, j).id()];
    const auto hub = static_cast<id_type>(std::ranges::max_element(in_degrees) - in_degrees.begin());
    constexpr std::size_t start_leaf = 32;
    const auto leaves = m_tree.build(space, in_degrees, start_leaf, m_params.seed);
    m_root = static_cast<id_type>(std::ranges::find(leaves, hub) - leaves.begin());
    m_graph = build_search_graph(space, lists, rule(), m_params.threads, m_params.progress)
                  .reordered(leaves, m_params.threads);

    m_knn.assign(exact_graph(data, m_metric, order, lists, m_params));

    resize_slots(n);
    for (std::size_t slot = 0; slot < n; ++slot) {
      const id_type id = order[leaves[slot]];
      m_names.place(id, static_cast<id_type>(slot));
      put(slot, data.row(id));
    }
    repair(m_graph);
  }

  /// Compressed storages have two sides of a row.
  void put(std::size_t slot, const row_type& row) {
    m_walk.assign(slot, row);
    if (is_compressed && m_params.keep_rows) m_rows.assign(slot, row);
  }

  /// Enters a neighbour into the k-NN list of id.
  void enlist(id_type id, id_type neighbor, float distance) {
    m_knn.enter(id, neighbor, distance, [&](id_type other) { return !holds(other); });
  }

  /// Every row in reach of the root.
  template <class Edges>
  void repair(Edges& edges) {
    m_n_added = 0;
    if (size() == 0) return;
    const auto is_here = [&](id_type slot) { return m_names.is_here(slot); };
    if (!is_here(m_root))
      for (m_root = 0; !is_here(m_root);) ++m_root;
    const walk_space<walk_type> space(m_walk);
    typename walk_space<walk_type>::ranker ranker(space);
    connect(
        edges, m_root, [&](id_type u, std::span<const id_type> ids, float* out) { ranker.from(u, ids, out); }, is_here);
  }

  diversify_rule rule() const { return diversify_rule_of<Metric>(m_params); }

  const owned_rows<Points>& exact_rows() const noexcept {
    if constexpr (is_compressed) return m_rows;
    else return m_walk.rows();
  }

  Metric m_metric;
  nndescent_params m_params;
  std::size_t m_n_added = 0;  ///< since all rows were last known to be in reach
  walk_type m_walk;           ///< by slot, as are the exact rows of a compressed storage and the edges
  owned_rows<Points> m_rows;
  adjacency m_graph;
  hub_tree m_tree;
  id_type m_root = 0;
  slot_map m_names;
  knn_lists m_knn;
};

}  // namespace annulus::inline ANNULUS_ARCH::detail
