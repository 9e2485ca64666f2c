#pragma once

/// \file
/// The graph behind an index: rows, edges and names, built at once and changed row by row.

#include <annulus/nndescent/graph_editor.hpp>
#include <annulus/nndescent/graph_walker.hpp>
#include <annulus/nndescent/knn_graph.hpp>

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
        m_graph(0, stride()),
        m_slots(data.size(), no_id),
        m_moved(data.size(), 0),
        m_knn(data.size() * m_params.n_neighbors, nothing) {
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

  /// \throws std::invalid_argument for rows that do not fit the storage.
  static void check_storage(const view_type& data) {
    if constexpr (requires { walk_maker::greatest; })
      for (std::size_t i = 0; i < data.size(); ++i)
        for (const auto x : data.row(i))
          if (std::abs(static_cast<double>(x)) > walk_maker::greatest)
            invalid("data", x, "row ", i, " must fit the storage, whose greatest number is ", walk_maker::greatest);
  }

  std::size_t size() const noexcept { return m_size; }
  std::size_t n_ids() const noexcept { return m_slots.size(); }  ///< given out so far
  bool holds(id_type id) const noexcept { return id < m_slots.size() && m_slots[id] != no_id; }
  const walk_type& walk() const noexcept { return m_walk; }
  graph_walker<Points, Metric, walk_type> walker() const noexcept {
    return {m_walk, exact_rows(), m_metric, m_graph, m_tree, m_root, m_ids, m_size};
  }

  neighbors knn_graph() const {
    const std::size_t k = m_params.n_neighbors;
    neighbors result(m_slots.size(), k);
    std::vector<candidate<float>> row;
    for (std::size_t i = 0; i < m_slots.size(); ++i) {
      if (m_slots[i] == no_id) continue;
      row.clear();
      for (std::size_t j = 0; j < k; ++j) {
        candidate<float> c = m_knn[i * k + j];
        if (c.id == no_id || m_slots[c.id] == no_id) continue;
        if (m_moved[c.id] != 0) {  // its row is another since
          if (exact_rows().size() == 0) continue;
          const row_query<Metric, row_type> rank(m_metric, exact_rows().row(m_slots[i]));
          c.rank = distance_of(m_metric, rank(exact_rows().row(m_slots[c.id])));
        }
        row.push_back(c);
      }
      std::sort(row.begin(), row.end());
      for (std::size_t j = 0; j < row.size(); ++j) {
        result.ids(i, j) = row[j].id;
        result.distances(i, j) = row[j].rank;
      }
    }
    return result;
  }

  /// Room for `count` more ids, whose rows are to be added. Returns the first.
  id_type reserve_ids(std::size_t count) {
    const auto first = static_cast<id_type>(m_slots.size());
    m_knn.resize((m_slots.size() + count) * m_params.n_neighbors, nothing);
    m_moved.resize(m_slots.size() + count, 0);
    m_slots.resize(m_slots.size() + count, no_id);
    return first;
  }

  /// Gives the id a row, links it to what a search finds around it, and enters it into their lists.
  void add(id_type id, const row_type& row, scratch_type& scratch) {
    const std::size_t k = m_params.n_neighbors;
    const std::size_t beam = std::max(2 * k, 2 * degree());
    std::vector<id_type> near(beam, no_id);
    std::vector<float> distances(beam, std::numeric_limits<float>::infinity());
    std::vector<candidate<float>> found;
    const auto& around = walker().neighborhood(row, beam, near, distances, scratch);
    for (std::size_t i = 0; i < around.size(); ++i)
      found.push_back({static_cast<float>(around[i].rank), around[i].id()});

    id_type slot = static_cast<id_type>(m_ids.size());
    if (m_free.empty()) {
      m_ids.push_back(no_id);
      m_graph.resize(m_ids.size());
      m_walk.resize(m_ids.size());
      if (is_compressed && m_params.keep_rows) m_rows.resize(m_ids.size());
    } else {
      slot = m_free.back();
      m_free.pop_back();
    }
    put(slot, row);
    m_ids[slot] = id;
    m_slots[id] = slot;
    if (m_size++ == 0) m_root = slot;
    graph_editor<walk_type>(m_walk, m_graph, rule()).link(slot, std::move(found));
    ++m_n_added;
    for (std::size_t i = 0; i < beam && near[i] != no_id; ++i) {
      enlist(id, near[i], distances[i]);
      enlist(near[i], id, distances[i]);
    }
  }

  void erase(id_type id) {
    m_ids[m_slots[id]] = no_id;
    m_slots[id] = no_id;
    --m_size;
    ++m_n_erased;
    std::fill_n(list_of(id), m_params.n_neighbors, nothing);
  }

  /// Gives an id that is there another row.
  void update(id_type id, const row_type& row, scratch_type& scratch) {
    erase(id);
    add(id, row, scratch);
    m_moved[id] = 1;
  }

  /// Makes sure that all rows can be reached, where enough were added that some may have been cut off.
  void settle(bool is_end_of_batch) {
    constexpr std::size_t share = 50;
    if (m_n_added * share > m_size || (is_end_of_batch && m_n_added > 0)) repair();
  }

  /// Whether so many rows were erased that consolidate pays.
  bool is_sparse() const noexcept { return 5 * m_n_erased > m_ids.size() - m_free.size(); }

  /// Routes the edges around erased rows, whose slots are free then.
  void consolidate() {
    if (m_n_erased == 0) return;
    const auto is_gone = [&](id_type slot) { return m_ids[slot] == no_id; };
    graph_editor<walk_type> editor(m_walk, m_graph, rule());
    for (id_type slot = 0; slot < m_ids.size(); ++slot)
      if (!is_gone(slot)) editor.mend(slot, is_gone);
    m_free.clear();
    for (id_type slot = 0; slot < m_ids.size(); ++slot)
      if (is_gone(slot)) {
        m_graph.assign(slot, {});
        m_free.push_back(slot);
      }
    m_n_erased = 0;
    repair();
  }

  std::size_t memory_bytes() const noexcept {
    return m_walk.memory_bytes() + m_rows.memory_bytes() + m_graph.memory_bytes() + m_tree.memory_bytes() +
           (m_ids.capacity() + m_slots.capacity() + m_free.capacity()) * sizeof(id_type) +
           m_knn.capacity() * sizeof(candidate<float>);
  }

 private:
  static constexpr bool is_compressed = !std::same_as<Storage, full_precision>;
  static constexpr candidate<float> nothing{std::numeric_limits<float>::infinity(), no_id};
  /// The search graph is made from lists at least this wide: it gains more by that than the k-NN graph does. Not so of
  /// bits and sparse rows: with as wide lists their descent takes half as long again, and searches gain a tenth.
  static constexpr std::size_t least_width = [] {
    if constexpr (is_sparse_row<row_type>) return 30;
    else return counts_bits<Metric, typename Points::value_type> ? 30 : 46;
  }();

  template <class Space>
  void build(const view_type& data, const Space& space, const row_order& order, neighbor_lists& lists) {
    const std::size_t n = data.size(), k = m_params.n_neighbors;
    std::vector<std::uint32_t> in_degrees(n, 0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < lists.count(i); ++j) ++in_degrees[lists(i, j).id()];
    const auto hub = static_cast<id_type>(std::ranges::max_element(in_degrees) - in_degrees.begin());
    constexpr std::size_t start_leaf = 32;
    const auto leaves = m_tree.build(space, in_degrees, start_leaf, m_params.seed);
    m_root = static_cast<id_type>(std::ranges::find(leaves, hub) - leaves.begin());
    m_graph = build_search_graph(space, lists, rule(), m_params.threads, m_params.progress)
                  .reordered(leaves, m_params.threads);

    const neighbors graph = exact_graph(data, m_metric, order, lists, m_params);
    for (std::size_t i = 0; i < n * k; ++i) m_knn[i] = {graph.distances.data()[i], graph.ids.data()[i]};

    m_ids.resize(n);
    m_walk.resize(n);
    if (is_compressed && m_params.keep_rows) m_rows.resize(n);
    for (std::size_t slot = 0; slot < n; ++slot) {
      const id_type id = order[leaves[slot]];
      m_ids[slot] = id;
      m_slots[id] = static_cast<id_type>(slot);
      put(slot, data.row(id));
    }
    m_size = n;
    repair();
  }

  /// Compressed storages have two sides of a row.
  void put(std::size_t slot, const row_type& row) {
    m_walk.assign(slot, row);
    if (is_compressed && m_params.keep_rows) m_rows.assign(slot, row);
  }

  /// Enters a neighbour into the k-NN list of id.
  void enlist(id_type id, id_type neighbor, float distance) {
    const auto first = list_of(id);
    const auto last = first + static_cast<std::ptrdiff_t>(m_params.n_neighbors);
    const candidate<float> c{distance, neighbor};
    const auto gone = std::remove_if(
        first, last, [&](const auto& x) { return x.id == no_id || x.id == neighbor || m_slots[x.id] == no_id; });
    std::fill(gone, last, nothing);
    const auto at = std::upper_bound(first, last, c);
    if (at == last) return;
    std::move_backward(at, last - 1, last);
    *at = c;
  }

  /// Every row in reach of the root.
  void repair() {
    m_n_added = 0;
    if (m_size == 0) return;
    const auto is_here = [&](id_type slot) { return m_ids[slot] != no_id; };
    if (!is_here(m_root))
      m_root =
          static_cast<id_type>(std::ranges::find_if(m_ids, [](id_type id) { return id != no_id; }) - m_ids.begin());
    const walk_space<walk_type> space(m_walk);
    typename walk_space<walk_type>::ranker ranker(space);
    connect(
        m_graph, m_root, [&](id_type u, std::span<const id_type> ids, float* out) { ranker.from(u, ids, out); },
        is_here);
  }

  std::size_t degree() const noexcept {
    constexpr std::size_t least = 30;  // a k-NN graph may be thin, a graph to search may not
    const auto k = static_cast<double>(std::max(m_params.n_neighbors, least));
    return std::max<std::size_t>(4, static_cast<std::size_t>(std::lround(m_params.pruning_degree_multiplier * k)));
  }
  /// Room for the edges and a spare one, in whole half cache lines.
  std::size_t stride() const noexcept { return (degree() + 1 + 7) / 8 * 8; }

  diversify_rule rule() const {
    const auto alpha = static_cast<float>(m_params.alpha);
    constexpr bool is_square = has_product_form<Metric>();  // euclidean ranks, and cosine distances, are squares
    constexpr bool is_signed = form_of<Metric>() == product_form::inner_product;
    const float factor = is_signed ? 1.0f : is_square ? alpha * alpha : alpha;
    return {stride() - 1, m_params.diversify_prob, factor, counter_random(m_params.seed + 3)};
  }

  const owned_rows<Points>& exact_rows() const noexcept {
    if constexpr (is_compressed) return m_rows;
    else return m_walk.rows();
  }
  auto list_of(id_type id) noexcept { return m_knn.begin() + static_cast<std::ptrdiff_t>(id * m_params.n_neighbors); }

  Metric m_metric;
  nndescent_params m_params;
  std::size_t m_size = 0, m_n_erased = 0, m_n_added = 0;
  walk_type m_walk;  ///< by slot, as are the exact rows of a compressed storage, the edges and the ids
  owned_rows<Points> m_rows;
  adjacency m_graph;
  hub_tree m_tree;
  id_type m_root = 0;
  std::vector<id_type> m_ids, m_slots;  ///< no_id for what was erased
  std::vector<std::uint8_t> m_moved;    ///< ids that were updated: distances in others' lists are out of date
  std::vector<id_type> m_free;          ///< slots for new rows
  std::vector<candidate<float>> m_knn;  ///< n_neighbors an id
};

}  // namespace annulus::inline ANNULUS_ARCH::detail
