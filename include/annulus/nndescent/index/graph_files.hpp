#pragma once

/// \file
/// How the parts of a graph index are saved and loaded, and what may be wrong with those of a file.

#include <annulus/core/metric/rewritten_metric.hpp>
#include <annulus/nndescent/index/graph_state.hpp>
#include <annulus/nndescent/index/version_1_files.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// All but threads, progress and include_self, which an index does not keep.
template <class Params, class Archive>
void persist_params(Params& params, Archive& archive) {
  archive("n_neighbors", params.n_neighbors);
  archive("n_trees", params.n_trees);
  archive("leaf_size", params.leaf_size);
  archive("max_candidates", params.max_candidates);
  archive("n_iters", params.n_iters);
  archive("delta", params.delta);
  archive("pruning_degree_multiplier", params.pruning_degree_multiplier);
  archive("diversify_prob", params.diversify_prob);
  archive("alpha", params.alpha);
  archive("tree_init", params.tree_init);
  archive("keep_rows", params.keep_rows);
  archive("seed", params.seed);
  if constexpr (Archive::is_loading) archive.rebuild([&] { params = resolved(params, 0); });
}

/// The name in files of what is walked over.
template <class State>
constexpr std::string_view walk_name() noexcept {
  return State::is_compressed ? "compressed" : "rows";
}

/// Saves a state, or loads it into one that holds nothing yet; `Graph` is const where it is saved. Of files of version
/// 1 what they lack is computed.
template <class Graph, class Archive>
void persist_graph(Graph& g, Archive& archive) {
  using state_type = std::remove_const_t<Graph>;
  persist_params(g.params, archive);
  archive("added_since_repair", g.n_unreached);
  archive("root", g.root);
  std::optional<names_of_version_1> old;
  if constexpr (Archive::is_loading)
    if (archive.version() == 1) g.names = old.emplace(archive).names;
  if (!old) {
    archive("added_since_fit", g.n_since_fit);
    archive("added_since_build", g.n_since_build);
    persistence::persist(g.names, archive);
  }
  archive.part(walk_name<state_type>(), g.walk);
  const std::size_t n = g.names.n_vertices(), n_exact = g.keeps_beside() ? n : 0;
  if constexpr (Archive::is_loading) {
    g.rows = owned_rows<typename state_type::points_type>(g.walk.dim());
    g.edges = search_edges(0, graph_stride(g.params));
    g.lists = knn_lists(g.params.n_neighbors);
  }
  if constexpr (state_type::is_compressed) archive.part("rows", g.rows);
  archive.part("graph", g.edges);
  if constexpr (state_type::has_codes) archive.part("codes", g.codes);
  if constexpr (Archive::is_loading)
    if (old) archive.within("graph.neighbors", [&] { g.lists = old->lists(archive, g.params.n_neighbors); });
  if (!old) archive.part("graph.neighbors", g.lists);
  archive.part("tree", g.tree);
  if constexpr (Archive::is_loading)
    if (old) {
      g.tree.number_rows(n);
      g.n_since_build = 1;  // such files do not tell
    }
  if constexpr (state_type::walker_type::is_product) {
    if (!old) archive.part("longest", g.longest);
    archive.expect(old || g.longest.size() == n || (g.longest.size() == 0 && !g.keeps_rows()),
                   "does not have all rows in the order of their lengths");
  }
  if constexpr (state_type::has_codes)
    archive.expect(g.codes.form() == state_type::metric_type::form && g.codes.size() == n &&
                       g.codes.dim() == g.walk.dim() && g.codes.n_places() >= g.edges.max_degree(),
                   "does not have codes of edges for each vertex, of the rows' dimension and the metric's form");
  archive.expect(g.walk.size() == n && g.rows.size() == n_exact && g.edges.size() == n && g.lists.size() == n,
                 "does not have a row, edges and a list of neighbours for each vertex");
  if constexpr (Archive::is_loading)
    if (old && g.keeps_rows()) {
      std::vector<id_type> vertices(n);
      std::iota(vertices.begin(), vertices.end(), id_type{0});
      g.add_lengths(vertices, [&](std::size_t i) { return g.exact_rows().row(i); });
    }
}

/// What is wrong with a state that was loaded: empty, or the first defect.
template <class State>
std::string defect_of_graph(const State& g) {
  const std::size_t n = g.names.n_vertices();
  for (std::string found : {defect_of(walk_name<State>(), g.walk.defect()), defect_of("rows", defect_of_rows(g.rows)),
                            defect_of("graph", g.edges.defect()), defect_of("codes", g.codes.defect(g.edges)),
                            defect_of("graph.neighbors", g.lists.defect()), defect_of("tree", g.tree.defect(n)),
                            g.names.defect(), defect_of("longest", g.longest.size() > 0 ? g.longest.defect(n) : "")})
    if (!found.empty()) return found;
  if (g.names.size() > 0 && g.root >= n) return "root: " + std::to_string(g.root) + " is no vertex";
  if constexpr (refuses_rows<typename State::metric_type, typename State::row_type>)
    for (std::size_t i = 0; i < g.exact_rows().size(); ++i)
      if (const row_refusal why = refusal(g.metric, g.exact_rows().row(i)))
        return "rows: row " + std::to_string(i) + ' ' + why.reason;
  return {};
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
