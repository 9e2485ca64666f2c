#pragma once

/// \file
/// From the edges of all pieces to the graph of the index: entry tree, long edges, reachability, codes of edges.
/// annulus.hpp leaves this header out.

#include <annulus/disk/merged_lists.hpp>
#include <annulus/nndescent/index/graph_build.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// What fill_edges needs of a state.
struct edges_and_lists {
  search_edges& edges;
  const knn_lists& lists;
};

/// Stores the parts of the index that are made of all edges at once: "graph", "tree", names, root, rows by length. The
/// edges are in memory meanwhile, 4 bytes each, and up to 80 bytes a row beside them.
template <class State, class Space>
void finish_graph(const piece_job<typename State::points_type::value_type, typename State::metric_type>& job, State& g,
                  const Space& space, matrix_view<typename State::points_type::value_type> rows,
                  const piece_vertices& vertices, index_parts& parts, const progress_callback& progress) {
  const std::size_t n = vertices.size();
  const auto reached = [&](double share) { report(progress, "graph", share); };
  knn_lists lists(g.lists.width());
  parts.load("graph.neighbors", lists);
  search_edges in_files(0, g.edges.max_degree());
  parts.load("joined", in_files);
  search_edges edges = std::as_const(in_files);  // in memory

  std::vector<std::uint32_t> in_degrees(n, 0);
  for (std::size_t v = 0; v < n; ++v)
    for (std::size_t j = 0; j < lists.width(); ++j)
      if (const id_type to = lists(v, j).id; to != no_id) ++in_degrees[to];
  g.root = static_cast<id_type>(std::ranges::max_element(in_degrees) - in_degrees.begin());
  std::vector<id_type> all(n);
  std::iota(all.begin(), all.end(), id_type{0});
  g.tree = entry_tree(space, std::move(all), in_degrees, State::tree_leaf_size, g.params.seed);
  reached(0.3);
  add_coarse_edges(edges, rows, g.metric, {}, g.tree.rows(), space, g.rule(), g.params, job.team);
  reached(0.6);
  typename Space::ranker ranker(space);
  connect(
      edges, g.root, [&](id_type u, std::span<const id_type> ids, float* out) { ranker.from(u, ids, out); },
      [](id_type) { return true; });
  reached(0.8);
  if constexpr (State::has_codes) {
    edges_and_lists both{edges, lists};
    fill_edges(both);
  }
  g.names.assign(n, vertices.vertex_of);
  if constexpr (State::walker_type::is_product) {
    std::vector<candidate<float>> lengths(n);
    for (std::size_t v = 0; v < n; ++v) lengths[v] = {length_bound(norm_of(rows.row(v))), static_cast<id_type>(v)};
    g.longest.add(std::move(lengths));
    parts.store("longest", g.longest);
  }
  parts.store("graph", edges);
  parts.store("tree", g.tree);
  parts.store("", g.names);
  parts.store_number("root", g.root);
  reached(1);
}

/// Encodes the edges of vertices from `first` on, as many as memory allows, and appends their codes to the index.
/// Returns the vertex behind the last. Each row that these need is rotated once.
template <class Walk>
std::size_t encode_some(const Walk& walk, const search_edges& edges, const edge_codes& empty, std::size_t first,
                        std::size_t memory_bytes, std::vector<id_type>& place, index_parts& parts,
                        const thread_team& team) {
  const std::size_t n = edges.size(), dim = empty.dim(), row_bytes = dim * sizeof(float);
  std::vector<id_type> needed;
  const auto need = [&](id_type v) {
    if (place[v] != no_id) return;
    place[v] = static_cast<id_type>(needed.size());
    needed.push_back(v);
  };
  std::size_t end = first;
  while (end < n && (end == first || needed.size() * row_bytes + (end - first) * empty.vertex_bytes() < memory_bytes)) {
    need(static_cast<id_type>(end));
    for (const id_type to : edges.of(end)) need(to);
    ++end;
  }
  auto rows = buffer<float>::for_overwrite(needed.size() * dim);
  parallel_for(team, needed.size(), 256, [&](std::size_t from, std::size_t to, std::size_t) {
    for (std::size_t i = from; i < to; ++i) {
      walk.decode(needed[i], empty.centre().data(), rows.data() + i * dim);
      empty.prepare_row(rows.data() + i * dim);
    }
  });
  edge_codes codes = empty;
  codes.resize(end - first);
  std::vector<edge_codes::scratch> scratch(team.size(), edge_codes::scratch(codes));
  parallel_for(team, end - first, 256, [&](std::size_t from, std::size_t to, std::size_t worker) {
    for (std::size_t i = from; i < to; ++i) {
      std::size_t j = 0;
      const float* const row = rows.data() + place[first + i] * dim;
      for (const id_type other : edges.of(first + i))
        codes.put_edge(i, j++, other, row, rows.data() + place[other] * dim, scratch[worker]);
    }
  });
  for (const id_type v : needed) place[v] = no_id;
  parts.append("codes", codes);
  return end;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
