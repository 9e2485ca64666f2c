#pragma once

/// \file
/// The parts of a graph index, all by vertex: rows, edges, lists of neighbours, ids, entry points; and what has to
/// change several of them together.

#include <annulus/nndescent/graph/equal_rows.hpp>
#include <annulus/nndescent/graph/params.hpp>
#include <annulus/nndescent/index/diversify.hpp>
#include <annulus/nndescent/index/edge_encoding.hpp>
#include <annulus/nndescent/index/graph_query.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

inline std::size_t graph_degree(const nndescent_params& params) noexcept {
  constexpr std::size_t least = 30;  // a k-NN graph may have fewer neighbours a row, a graph to search may not
  const auto k = static_cast<double>(std::max(params.n_neighbors, least));
  return std::max<std::size_t>(4, static_cast<std::size_t>(std::lround(params.pruning_degree_multiplier * k)));
}
/// Room for the edges and a spare one, in whole half cache lines.
inline std::size_t graph_stride(const nndescent_params& params) noexcept {
  return (graph_degree(params) + 1 + 7) / 8 * 8;
}

/// How edges are chosen, when the graph is built and when it changes.
template <class Metric>
diversify_rule diversify_rule_of(const nndescent_params& params) {
  const auto alpha = static_cast<float>(params.alpha);
  constexpr bool is_square = has_product_form<Metric>;  // euclidean ranks, and cosine distances, are squares
  constexpr bool is_signed = form_of<Metric>() == product_form::inner_product;
  const float factor = is_signed ? 1.0f : is_square ? alpha * alpha : alpha;
  return {graph_stride(params) - 1, params.diversify_prob, factor, counter_random(params.seed + 3)};
}

/// The parts of a graph index. Each distinct row is a vertex, whose number is its place in memory; the ids of all rows
/// equal to it belong to it. Building, insertion, removal and files are functions on it, in headers of their own.
template <class Points, class Metric, class Storage>
struct graph_state {
  using points_type = Points;
  using view_type = view_of<Points>;
  using row_type = row_t<view_type>;
  using metric_type = Metric;
  using walk_maker = walk_of<Points, Metric, Storage>;
  using walk_type = typename walk_maker::type;
  using scratch_type = graph_scratch<Points, Metric, walk_type>;
  using walker_type = graph_query<Points, Metric, walk_type>;

  using codes_type = codes_of_edges_t<walk_type>;
  static constexpr bool has_codes = has_edge_codes<walk_type>;
  static constexpr bool is_compressed = walk_type::is_compressed;
  /// Whether rows are walked over as codes that are fitted to them.
  static constexpr bool fits_rows = requires(const walk_type& w, const view_type& data) { w.fitted(data); };
  static constexpr std::size_t tree_leaf_size = 32;

  graph_state(const view_type& data, Metric m, const nndescent_params& given, Storage storage)
      : metric(std::move(m)),
        params(resolved(given, data.size())),
        walk(walk_maker::make(data, metric, storage)),
        rows(data.dim()),
        edges(0, graph_stride(params)),
        codes(make_codes(storage)),
        lists(params.n_neighbors) {
    params.include_self = false;
  }
  graph_state(unfilled, Metric m)
      : metric(std::move(m)), walk(unfilled{}, metric), codes(unfilled{}), lists(params.n_neighbors) {}

  Metric metric;
  nndescent_params params;
  std::size_t n_unreached = 0;    ///< vertices inserted since all were last known to be reachable from the root
  std::size_t n_since_fit = 0;    ///< vertices inserted since the codes of a storage were fitted to the rows
  std::size_t n_since_build = 0;  ///< vertices inserted since the lists of neighbours were built
  walk_type walk;
  owned_rows<Points> rows;  ///< the exact rows of a compressed storage
  search_edges edges;
  [[no_unique_address]] codes_type codes;  ///< of the edges, in some storages
  entry_tree tree;
  id_type root = no_id;
  vertex_names names;
  knn_lists lists;
  rows_by_length longest;  ///< under inner products
  row_table table;         ///< of all live vertices, where their rows are kept; empty until the first change

  bool keeps_beside() const noexcept { return is_compressed && params.keep_rows; }
  bool keeps_rows() const noexcept { return !is_compressed || params.keep_rows; }
  const owned_rows<Points>& exact_rows() const noexcept {
    if constexpr (is_compressed) return rows;
    else return walk.rows();
  }
  diversify_rule rule() const { return diversify_rule_of<Metric>(params); }
  walker_type walker() const noexcept { return walker_over(exact_rows()); }
  /// The same where the exact rows are elsewhere.
  template <class Rows>
  graph_query<Points, Metric, walk_type, Rows> walker_over(const Rows& exact) const noexcept {
    const entry_points entries{tree, root, longest.size() > 0 ? &longest : nullptr};
    return {{walk, exact, metric, edges, codes, entries, names, lists}};
  }
  /// Ranks between vertices.
  walk_space<walk_type> space() const {
    if constexpr (is_compressed)
      if (rows.size() > 0)
        return walk_space<walk_type>(walk, [exact = exact_walk(rows, metric)](id_type a, id_type b) {
          return static_cast<float>(exact.rank(a, b));
        });
    return walk_space<walk_type>(walk);
  }

  void resize_vertices(std::size_t n) {
    names.resize(n);
    edges.resize(n);
    lists.resize(n);
    walk.resize(n);
    codes.resize(n);
    if (keeps_beside()) rows.resize(n);
  }
  /// Stores the row of a vertex: what is walked over, and the exact row beside it.
  void put(std::size_t vertex, const row_type& row) {
    walk.assign(vertex, row);
    if (keeps_beside()) rows.assign(vertex, row);
  }
  void remove_from_table(id_type vertex) noexcept {
    if (table.empty()) return;
    const std::uint32_t hash = hash_of(exact_rows().row(vertex));
    if (table.find(hash, [&](id_type v) { return v == vertex; }) != no_id) table.remove(hash, vertex);
  }
  /// Removes the newest vertices, so that n are left. Allocates nothing.
  void drop_vertices(std::size_t n) noexcept {
    for (std::size_t v = exact_rows().size(); v-- > n;) remove_from_table(static_cast<id_type>(v));
    longest.drop_from(n);
    resize_vertices(n);
  }

  /// Enters the lengths of new vertices, row_of(i) being the row of vertices[i]. Where the lengths of older ones are
  /// not known, as in files of version 1 without exact rows, no order is kept.
  template <class RowOf>
  void add_lengths([[maybe_unused]] std::span<const id_type> vertices, [[maybe_unused]] RowOf row_of) {
    if constexpr (walker_type::is_product) {
      if (longest.size() + vertices.size() != names.n_vertices()) return;
      std::vector<candidate<float>> lengths(vertices.size());
      for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = {length_bound(norm_of(row_of(i))), vertices[i]};
      longest.add(std::move(lengths));
    }
  }

  /// Codes that are fitted to these rows.
  walk_type codes_of(const view_type& data, const thread_team& team) const {
    walk_type fitted = walk.fitted(data);
    fitted.assign_all(data, team);
    return fitted;
  }

  /// A tree over some vertices, by the in-degrees of a graph. Where new_root is no_id, it becomes the vertex of the
  /// greatest in-degree.
  entry_tree make_tree(const search_edges& graph, std::vector<id_type> vertices, id_type& new_root) const {
    std::vector<std::uint32_t> in_degrees(graph.size(), 0);
    for (std::size_t v = 0; v < graph.size(); ++v)
      for (const id_type to : graph.of(v)) ++in_degrees[to];
    if (new_root == no_id && !vertices.empty())
      new_root = *std::ranges::max_element(vertices, {}, [&](id_type v) { return in_degrees[v]; });
    const walk_space<walk_type> ranks(walk);
    return entry_tree(erased_space(ranks), std::move(vertices), in_degrees, tree_leaf_size, params.seed);
  }

  codes_type make_codes([[maybe_unused]] const Storage& storage) const {
    if constexpr (has_codes) return walk_maker::make_codes(walk.dim(), edges.max_degree(), storage, params.seed + 4);
    else return {};
  }
  /// Adds edges until every live vertex can be reached from a root.
  template <class Edges>
  void connect_all(Edges& graph, id_type from) const {
    if (names.size() == 0) return;
    const walk_space<walk_type> ranks = space();
    typename walk_space<walk_type>::ranker ranker(ranks);
    connect(
        graph, from, [&](id_type u, std::span<const id_type> ids, float* out) { ranker.from(u, ids, out); },
        [&](id_type v) { return names.is_live(v); });
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
