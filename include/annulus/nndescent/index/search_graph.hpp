#pragma once

/// \file
/// The graph of an index with all that belongs to it (rows, edges, lists, ids, entry points): how it is built, changed,
/// saved and checked.

#include <annulus/nndescent/graph/copied_lists.hpp>
#include <annulus/nndescent/graph/equal_rows.hpp>
#include <annulus/nndescent/graph/knn_graph.hpp>
#include <annulus/nndescent/index/coarse_edges.hpp>
#include <annulus/nndescent/index/graph_params.hpp>
#include <annulus/nndescent/index/graph_query.hpp>
#include <annulus/nndescent/index/version_1_files.hpp>
#include <annulus/nndescent/index/vertex_removal.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A search graph over rows it owns, and the k-NN graph it was made from. Each different row is a vertex, whose number
/// is its place in memory; the ids of all rows like it stand there. Arguments are the callers' to check.
template <class Points, class Metric, class Storage>
class search_graph {
 public:
  using view_type = view_of<Points>;
  using row_type = row_t<view_type>;
  using walk_maker = walk_of<Points, Metric, Storage>;
  using walk_type = typename walk_maker::type;
  using scratch_type = graph_scratch<Points, Metric, walk_type>;
  using walker_type = graph_query<Points, Metric, walk_type>;

  search_graph(const view_type& data, Metric metric, const nndescent_params& params, Storage storage)
      : m_metric(std::move(metric)),
        m_params(resolved(params, data.size())),
        m_walk(walk_maker::make(data, m_metric, storage)),
        m_rows(data.dim()),
        m_graph(0, graph_stride(m_params)),
        m_knn(m_params.n_neighbors) {
    m_params.include_self = false;
    staged_progress progress(
        params.progress, {{"trees", 16}, {"descent", 68}, {"diversify", 8}, {"reverse edges", 5}, {"distances", 3}});
    m_params.progress = progress.callback();
    if (data.size() > 0) build(data);
    m_params.progress = {};
    progress.finish();
  }

  search_graph(unfilled, Metric metric)
      : m_metric(std::move(metric)), m_walk(unfilled{}, m_metric), m_knn(m_params.n_neighbors) {}

  /// \throws std::invalid_argument for rows that do not fit the storage; of those that are not finite others judge.
  static void check_storage(const view_type& rows, std::string_view name) {
    if constexpr (requires { walk_maker::greatest; })
      for (std::size_t i = 0; i < rows.size(); ++i)
        for (const auto x : rows.row(i))
          if (std::abs(static_cast<double>(x)) > walk_maker::greatest && is_finite_row(rows.row(i)))
            invalid(name, x, "row ", i, " must fit the storage, whose greatest number is ", walk_maker::greatest);
  }

  std::size_t size() const noexcept { return m_names.size(); }
  const vertex_names& names() const noexcept { return m_names; }
  std::size_t n_ids() const noexcept { return m_names.n_ids(); }  ///< given out so far
  bool holds(id_type id) const noexcept { return m_names.holds(id); }
  const walk_type& walk() const noexcept { return m_walk; }
  walker_type walker() const noexcept {
    const entry_points entries{m_tree, m_root, m_longest.size() > 0 ? &m_longest : nullptr};
    return {{m_walk, exact_rows(), m_metric, m_graph, entries, m_names, m_knn}};
  }

  /// A row of neighbours for each row that is there, by ascending id. Lists that lost some are searched for again,
  /// others meet those of their neighbours once rows came; under inner products all are searched for then, as a long
  /// row is a neighbour of rows that are far from it.
  neighbors knn_graph() const {
    std::vector<scratch_type> scratch(resolve_threads(m_params.threads), scratch_type(m_walk));
    const auto ids_at = [&](id_type v) { return m_names.ids_at(v); };
    const bool are_outdated = walker_type::is_product && m_n_since_build > 0;
    const auto list_of = [&](id_type v, std::size_t worker, std::vector<candidate<float>>& list) {
      list.clear();
      for (std::size_t j = 0; j < m_knn.width() && !are_outdated; ++j)
        if (const auto c = m_knn(v, j); c.id < m_names.n_vertices() && m_names.is_named(c.id)) list.push_back(c);
      if (list.size() < std::min(m_knn.width(), m_names.n_named() - 1))
        walker().neighbors_of(v, m_knn.width(), scratch[worker], list);
      else if (m_n_since_build > 0) walker().join_neighbors(v, m_knn.width(), scratch[worker], list);
      return m_names.has_copies() ? walker().distance_from_itself(v, scratch[worker]) : 0.0f;
    };
    return lists_with_copies(m_names.ids(), m_names.n_vertices(), m_knn.width(), false, m_params.threads, ids_at,
                             list_of);
  }

  /// Takes in rows under new ids, the first of which it returns. Nothing has changed where it, or another of these,
  /// throws.
  id_type insert(const view_type& rows, std::size_t threads) {
    constexpr std::size_t round = 256;  // rows that are searched for before any of them is linked
    prepare_change();
    change_type change(*this);
    if constexpr (fits_rows)
      if (m_names.n_vertices() == 0 && rows.size() > 0) change.replace_walk(m_walk.fitted(rows));
    const auto first = static_cast<id_type>(n_ids());
    std::vector<scratch_type> scratch(std::min(resolve_threads(threads), rows.size()), scratch_type(m_walk));
    std::vector<id_type> vertices;
    std::vector<newcomer> fresh;
    for (std::size_t i = 0; i < rows.size();) {
      vertices.clear();
      fresh.clear();
      for (; i < rows.size() && fresh.size() < round; ++i) vertices.push_back(vertex_for(rows.row(i), fresh));
      link(fresh, scratch, change);
      for (const id_type vertex : vertices) m_names.add(vertex);
      settle(change);
    }
    change.keep();
    return first;
  }

  void erase(id_type id) {
    prepare_change();
    const id_type vertex = m_names.vertex_of(id);
    if (m_names.erase(id)) take_from_table(vertex);
  }

  /// Gives an id that is there another row.
  void update(id_type id, const row_type& row) {
    prepare_change();
    change_type change(*this);
    std::vector<newcomer> fresh;
    std::vector<scratch_type> scratch(1, scratch_type(m_walk));
    const id_type before = m_names.vertex_of(id), vertex = vertex_for(row, fresh);
    if (vertex == before) return;
    link(fresh, scratch, change);
    change.stand_also(id, vertex);
    settle(change);
    change.keep();
    if (m_names.leave_for(id, vertex)) take_from_table(before);
  }

  /// Routes the edges around vertices without a name, and closes their places.
  void consolidate() {
    if (m_names.n_unnamed() == 0) return;
    const auto is_gone = [&](id_type v) { return !m_names.is_named(v); };
    std::vector<scratch_type> scratch(resolve_threads(m_params.threads), scratch_type(m_walk));
    const auto around = [&](id_type v, std::size_t worker, std::vector<id_type>& ids) {
      std::vector<candidate<float>> found;
      walker().neighbors_of(v, graph_degree(m_params), scratch[worker], found);
      for (const auto& c : found) ids.push_back(c.id);
    };
    const walk_space<walk_type> ranks = space();
    search_edges mended = mended_graph(m_graph, ranks, rule(), m_params.threads, is_gone, around);

    std::vector<id_type> order, place(m_names.n_vertices(), no_id);
    for (id_type v = 0; v < m_names.n_vertices(); ++v)
      if (!is_gone(v)) {
        place[v] = static_cast<id_type>(order.size());
        order.push_back(v);
      }
    id_type root = m_root >= m_names.n_vertices() || is_gone(m_root) ? no_id : m_root;
    entry_tree tree = make_tree(mended, order, root);
    connect_all(mended, root);
    mended = mended.reordered(order, m_params.threads);
    vertex_names names = m_names;
    names.reorder(order);

    keep_walked(order);
    // Nothing of what follows can fail.
    tree.rename(place);
    m_tree = std::move(tree);
    m_root = order.empty() ? no_id : place[root];
    m_graph = std::move(mended);
    m_names = std::move(names);
    m_knn.reorder(order, place);
    m_table.rename(place);
    m_longest.rename(place);
    m_rows.keep_only(m_rows.size() > 0 ? std::span<const id_type>(order) : std::span<const id_type>());
    m_n_unreached = 0;
  }

  std::size_t memory_bytes() const noexcept {
    return m_walk.memory_bytes() + m_rows.memory_bytes() + m_graph.memory_bytes() + m_tree.memory_bytes() +
           m_names.memory_bytes() + m_knn.memory_bytes() + m_table.memory_bytes() + m_longest.memory_bytes();
  }

  std::string defect() const {
    for (std::string found : {defect_of(walk_name, m_walk.defect()), defect_of("rows", defect_of_rows(m_rows)),
                              defect_of("graph", m_graph.defect()), defect_of("graph.neighbors", m_knn.defect()),
                              defect_of("tree", m_tree.defect(m_names.n_vertices())), m_names.defect(),
                              defect_of("longest", m_longest.size() > 0 ? m_longest.defect(m_names.n_vertices()) : "")})
      if (!found.empty()) return found;
    if (size() > 0 && m_root >= m_names.n_vertices()) return "root: " + std::to_string(m_root) + " is no vertex";
    if constexpr (refusing<Metric, row_type>)
      for (std::size_t i = 0; i < exact_rows().size(); ++i)
        if (const row_refusal why = refusal(m_metric, exact_rows().row(i)))
          return "rows: row " + std::to_string(i) + ' ' + why.reason;
    return {};
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    persist_params(self.m_params, archive);
    archive("added_since_repair", self.m_n_unreached);
    archive("root", self.m_root);
    std::optional<names_of_version_1> old;
    if constexpr (Archive::is_loading)
      if (archive.version() == 1) self.m_names = old.emplace(archive).names;
    if (!old) {
      archive("added_since_fit", self.m_n_since_fit);
      archive("added_since_build", self.m_n_since_build);
      persistence::persist(self.m_names, archive);
    }
    archive.part(walk_name, self.m_walk);
    const std::size_t n = self.m_names.n_vertices(), n_exact = self.keeps_beside() ? n : 0;
    if constexpr (Archive::is_loading) {
      self.m_rows = owned_rows<Points>(self.m_walk.dim());
      self.m_graph = search_edges(0, graph_stride(self.m_params));
      self.m_knn = knn_lists(self.m_params.n_neighbors);
    }
    if constexpr (is_compressed) archive.part("rows", self.m_rows);
    archive.part("graph", self.m_graph);
    if constexpr (Archive::is_loading)
      if (old) archive.within("graph.neighbors", [&] { self.m_knn = old->lists(archive, self.m_params.n_neighbors); });
    if (!old) archive.part("graph.neighbors", self.m_knn);
    archive.part("tree", self.m_tree);
    if constexpr (Archive::is_loading)
      if (old) {
        self.m_tree.number_rows(n);
        self.m_n_since_build = 1;  // for all that is known
      }
    if constexpr (walker_type::is_product) {
      if (!old) archive.part("longest", self.m_longest);
      archive.expect(old || self.m_longest.size() == n || (self.m_longest.size() == 0 && !self.keeps_rows()),
                     "has not all rows in the order of their lengths");
    }
    archive.expect(
        self.m_walk.size() == n && self.m_rows.size() == n_exact && self.m_graph.size() == n && self.m_knn.size() == n,
        "has not a row, edges and a list of neighbours for each vertex");
    if constexpr (Archive::is_loading)
      if (old && self.keeps_rows()) {
        std::vector<id_type> vertices(n);
        std::iota(vertices.begin(), vertices.end(), id_type{0});
        self.note_lengths(vertices, [&](std::size_t i) { return self.exact_rows().row(i); });
      }
  }

 private:
  using change_type = graph_undo<search_graph>;
  friend change_type;

  /// A row that has its place and is to be linked.
  struct newcomer {
    id_type vertex;
    row_type row;
  };

  static constexpr std::string_view walk_name = std::same_as<Storage, full_precision> ? "rows" : "compressed";
  static constexpr bool is_compressed = !std::same_as<Storage, full_precision>;
  /// Whether rows are walked over as codes that are fitted to them.
  static constexpr bool fits_rows = requires(const walk_type& walk, const view_type& rows) { walk.fitted(rows); };
  /// The search graph is made from lists at least this wide: it gains more by that than the k-NN graph does. Not so of
  /// sparse rows and of metrics of bits: with as wide lists their descent takes half as long again, and searches gain a
  /// tenth.
  static constexpr std::size_t least_width = [] {
    if constexpr (is_sparse_row<row_type>) return 30;
    else return has_own_loop<Metric, typename Points::value_type> ? 30 : 46;
  }();
  static constexpr std::size_t start_leaf = 32;

  bool keeps_beside() const noexcept { return is_compressed && m_params.keep_rows; }
  bool keeps_rows() const noexcept { return !is_compressed || m_params.keep_rows; }
  const owned_rows<Points>& exact_rows() const noexcept {
    if constexpr (is_compressed) return m_rows;
    else return m_walk.rows();
  }
  diversify_rule rule() const { return diversify_rule_of<Metric>(m_params); }

  void build(const view_type& all) {
    const row_groups groups = group_equal_rows(all, m_params.threads);
    const distinct_rows<view_type> distinct(all, groups);
    const view_type& data = distinct.view();
    const std::size_t width = list_width(std::max(m_params.n_neighbors, least_width), data.size());
    with_lists(data, m_metric, width, m_params, {},
               [&](const auto& space, const row_order& order, neighbor_lists& lists) {
                 const std::vector<id_type> vertices = build(data, space, order, lists);
                 if (!groups.has_copies()) m_names.assign(data.size(), vertices);
                 else {
                   std::vector<id_type> named(all.size());
                   for (std::size_t i = 0; i < named.size(); ++i) named[i] = vertices[groups.group_of[i]];
                   m_names.assign(data.size(), named);
                 }
                 return 0;
               });
    connect_all(m_graph, m_root);
  }

  /// Returns the vertex of each row.
  template <class Space>
  std::vector<id_type> build(const view_type& data, const Space& space, const row_order& order, neighbor_lists& lists) {
    const std::size_t n = data.size();
    std::vector<std::uint32_t> in_degrees(n, 0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < lists.count(i); ++j) ++in_degrees[lists(i, j).id()];
    const auto hub = static_cast<id_type>(std::ranges::max_element(in_degrees) - in_degrees.begin());
    std::vector<id_type> rows(n), place(n), vertices(n);
    std::iota(rows.begin(), rows.end(), id_type{0});
    m_tree = entry_tree(space, std::move(rows), in_degrees, start_leaf, m_params.seed);
    const std::vector<id_type> leaves(m_tree.rows().begin(), m_tree.rows().end());
    for (std::size_t i = 0; i < n; ++i) place[leaves[i]] = static_cast<id_type>(i);
    m_tree.rename(place);
    m_root = place[hub];
    search_edges graph = build_search_graph(space, lists, rule(), m_params.threads, m_params.progress);
    row_order in_order(n);
    std::iota(in_order.begin(), in_order.end(), id_type{0});
    add_coarse_edges(graph, data, m_metric, order, in_order, space, rule(), m_params);
    m_graph = graph.reordered(leaves, m_params.threads);

    resize_vertices(n);
    for (std::size_t i = 0; i < n; ++i) vertices[order[i]] = place[i];
    const neighbors nearest = exact_graph(data, m_metric, order, lists, m_params);
    std::vector<candidate<float>> list;
    for (std::size_t i = 0; i < n; ++i) {
      list.clear();
      for (std::size_t j = 0; j < m_knn.width() && nearest.ids(i, j) != no_id; ++j)
        list.push_back({nearest.distances(i, j), vertices[nearest.ids(i, j)]});
      std::sort(list.begin(), list.end());
      m_knn.assign(vertices[i], list);
      put(vertices[i], data.row(i));
    }
    note_lengths(vertices, [&](std::size_t i) { return data.row(i); });
    return vertices;
  }

  void resize_vertices(std::size_t n) {
    m_names.resize(n);
    m_graph.resize(n);
    m_knn.resize(n);
    m_walk.resize(n);
    if (keeps_beside()) m_rows.resize(n);
  }
  /// Compressed storages have two sides of a row.
  void put(std::size_t vertex, const row_type& row) {
    m_walk.assign(vertex, row);
    if (keeps_beside()) m_rows.assign(vertex, row);
  }

  /// Many erased rows make for long ways: the graph is consolidated before it changes any further.
  void prepare_change() {
    constexpr std::size_t share = 5;
    if (share * m_names.n_unnamed() > m_names.n_vertices()) consolidate();
    if (!m_table.empty() || !keeps_rows()) return;
    row_table table;
    table.reserve(m_names.n_named());
    for (id_type v = 0; v < m_names.n_vertices(); ++v)
      if (m_names.is_named(v)) table.add(hash_of(exact_rows().row(v)), v);
    m_table = std::move(table);
  }
  /// The vertex where rows like this one stand: one that is there, or a new one, which is added to `fresh`.
  id_type vertex_for(const row_type& row, std::vector<newcomer>& fresh) {
    const std::uint32_t hash = hash_of(row);
    const id_type known = m_table.find(hash, [&](id_type v) { return are_equal(exact_rows().row(v), row); });
    if (known != no_id) return known;
    const auto vertex = static_cast<id_type>(m_names.n_vertices());
    fresh.push_back({vertex, row});
    resize_vertices(vertex + std::size_t{1});
    put(vertex, row);
    if (!keeps_rows()) return vertex;
    m_table.reserve(m_table.size() + 1);
    m_table.add(hash, vertex);
    return vertex;
  }
  void take_from_table(id_type vertex) noexcept {
    if (m_table.empty()) return;
    const std::uint32_t hash = hash_of(exact_rows().row(vertex));
    if (m_table.find(hash, [&](id_type v) { return v == vertex; }) != no_id) m_table.remove(hash, vertex);
  }
  /// Takes back the newest vertices, of which n are to be left.
  void drop_vertices(std::size_t n) noexcept {
    for (std::size_t v = exact_rows().size(); v-- > n;) take_from_table(static_cast<id_type>(v));
    m_longest.drop_from(n);
    resize_vertices(n);
  }

  /// Links new vertices to what a search finds around each, and to each other, and enters them into lists of
  /// neighbours.
  void link(std::span<const newcomer> fresh, std::vector<scratch_type>& scratch, change_type& change) {
    if (fresh.empty()) return;
    m_n_since_fit += fresh.size();
    m_n_since_build += fresh.size();
    fit_codes(change);
    const std::size_t beam = 2 * std::max(m_params.n_neighbors, graph_degree(m_params));
    std::vector<id_type> vertices;
    for (const newcomer& f : fresh) vertices.push_back(f.vertex);
    const walk_space<walk_type> ranks = space();
    std::vector<arrival> arrivals(fresh.size());
    parallel_for(scratch.size(), fresh.size(), 4, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t i = begin; i < end; ++i) {
        arrivals[i].vertex = vertices[i];
        look_around(walker(), ranks, fresh[i].row, vertices, beam, scratch[worker], arrivals[i]);
      }
    });
    if (m_root == no_id) m_root = vertices[0];
    enter_into_lists(arrivals, change.lists);
    arrival_linker<walk_type>(ranks, change.edges, rule(), scratch.size())(arrivals);
    m_n_unreached += fresh.size();
    for (const arrival& a : arrivals) m_tree.add(a.leaf, a.vertex);
    note_lengths(vertices, [&](std::size_t i) { return fresh[i].row; });
  }

  /// row_of(i) stands at vertex vertices[i] from now on. Where the lengths of others are not known, as in files of
  /// version 1 without exact rows, no order is kept.
  template <class RowOf>
  void note_lengths([[maybe_unused]] std::span<const id_type> vertices, [[maybe_unused]] RowOf row_of) {
    if constexpr (walker_type::is_product) {
      if (m_longest.size() + vertices.size() != m_names.n_vertices()) return;
      std::vector<candidate<float>> lengths(vertices.size());
      for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = {length_bound(norm_of(row_of(i))), vertices[i]};
      m_longest.add(std::move(lengths));
    }
  }

  /// Codes that were fitted to other rows may not tell those apart that came since.
  void fit_codes([[maybe_unused]] change_type& change) {
    constexpr std::size_t share = 5;
    if constexpr (fits_rows) {
      if (m_walk.is_lossless() || m_rows.size() == 0 || share * m_n_since_fit <= m_rows.size()) return;
      change.replace_walk(codes_of(m_rows.view()));
      m_n_since_fit = 0;
    }
  }

  /// Codes that are fitted to these rows.
  walk_type codes_of(const view_type& rows) const {
    walk_type fitted = m_walk.fitted(rows);
    fitted.assign_all(rows, m_params.threads);
    return fitted;
  }
  /// Of what is walked over, the rows of those vertices stay, and codes are fitted to them.
  void keep_walked(std::span<const id_type> order) {
    if constexpr (fits_rows)
      if (!m_walk.is_lossless() && m_rows.size() > 0) {
        const auto kept = gather_rows(m_rows.view(), order);
        m_walk = codes_of(kept);
        m_n_since_fit = 0;
        return;
      }
    m_walk.keep_only(order);
  }

  /// New vertices know each other already.
  void enter_into_lists(std::span<const arrival> arrivals, logged_lists& lists) {
    const id_type first = arrivals[0].vertex;
    for (const arrival& a : arrivals) {
      m_knn.assign(a.vertex, a.near);
      for (const auto& c : a.near) {
        if (c.id >= first || !(c.rank < m_knn(c.id, m_knn.width() - 1).rank)) continue;
        lists.keep(c.id);
        m_knn.enter(c.id, a.vertex, c.rank);
      }
    }
  }

  /// Once enough rows came, sees to it that searches start near them and that all can be reached.
  void settle(change_type& change) {
    constexpr std::size_t share_outside = 5, share_unreached = 16;
    const std::size_t n = m_names.n_vertices();
    if (m_n_unreached * share_unreached > n) {
      connect_all(change.edges, m_root);
      m_n_unreached = 0;
    }
    if (m_tree.n_added() * share_outside > n && n > start_leaf) {
      std::vector<id_type> named;
      for (id_type v = 0; v < n; ++v)
        if (m_names.is_named(v)) named.push_back(v);
      id_type root = m_root;
      entry_tree tree = make_tree(m_graph, std::move(named), root);
      if (keeps_rows())
        add_coarse_edges(change.edges, exact_rows(), m_metric, {}, tree.rows(), space(), rule(), m_params);
      change.replace_tree(std::move(tree));
    }
  }

  /// A tree over some vertices, by the in-degrees of a graph; the root becomes that of the most, unless there is one.
  entry_tree make_tree(const search_edges& graph, std::vector<id_type> vertices, id_type& root) const {
    std::vector<std::uint32_t> in_degrees(graph.size(), 0);
    for (std::size_t v = 0; v < graph.size(); ++v)
      for (const id_type to : graph.of(v)) ++in_degrees[to];
    if (root == no_id && !vertices.empty())
      root = *std::ranges::max_element(vertices, {}, [&](id_type v) { return in_degrees[v]; });
    const walk_space<walk_type> ranks(m_walk);
    return entry_tree(ranks, std::move(vertices), in_degrees, start_leaf, m_params.seed);
  }

  /// Ranks between vertices.
  walk_space<walk_type> space() const {
    if constexpr (is_compressed)
      if (m_rows.size() > 0)
        return walk_space<walk_type>(m_walk, [exact = exact_walk(m_rows, m_metric)](id_type a, id_type b) {
          return static_cast<float>(exact.rank(a, b));
        });
    return walk_space<walk_type>(m_walk);
  }

  /// Every vertex with a name in reach of the root.
  template <class Edges>
  void connect_all(Edges& edges, id_type root) const {
    if (size() == 0) return;
    const walk_space<walk_type> ranks = space();
    typename walk_space<walk_type>::ranker ranker(ranks);
    connect(
        edges, root, [&](id_type u, std::span<const id_type> ids, float* out) { ranker.from(u, ids, out); },
        [&](id_type v) { return m_names.is_named(v); });
  }

  Metric m_metric;
  nndescent_params m_params;
  std::size_t m_n_unreached = 0;    ///< vertices that came since all were last known to be in reach of the root
  std::size_t m_n_since_fit = 0;    ///< and since the codes of a storage were fitted to the rows
  std::size_t m_n_since_build = 0;  ///< and since the lists of neighbours were made
  walk_type m_walk;                 ///< by vertex, as are the exact rows of a compressed storage, edges and lists
  owned_rows<Points> m_rows;
  search_edges m_graph;
  entry_tree m_tree;
  id_type m_root = no_id;
  vertex_names m_names;
  knn_lists m_knn;
  rows_by_length m_longest;  ///< under inner products
  row_table m_table;         ///< of all vertices with a name, once the index changes, where their rows are kept
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
