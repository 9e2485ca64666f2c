#pragma once

/// \file
/// A k-NN graph in the forms that UMAP, scikit-learn and scipy take.

#include <annulus/core/result/neighbors.hpp>
#include <annulus/core/select/candidate.hpp>

#include <algorithm>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Which edges of a k-NN graph a matrix shall have.
enum class graph_edges {
  directed,  ///< i -> j where j is a neighbour of i
  united,    ///< both ways where either is a neighbour of the other
  mutual,    ///< both ways where each is a neighbour of the other
  for_umap   ///< united, and of each row to itself at distance 0: what UMAP(metric="precomputed") takes
};

/// A k-NN graph as a sparse matrix of distances, for UMAP, t-SNE or clustering. Zeros are stored, and have to stay:
/// scipy's eliminate_zeros would cut edges between equal rows. An edge found from both ends at different distances (of
/// a metric that is not symmetric) takes the smaller. O(n k log k). \param graph n x k ids of rows and distances
/// \param edges which the matrix has \returns n x n, each row in ascending order of distance
/// \throws std::invalid_argument for n beyond int32 or an id that is not below n.
inline csr graph_to_csr(const neighbors& graph, graph_edges edges = graph_edges::directed) {
  const std::size_t n = graph.ids.rows();
  const csr directed = to_csr(graph, n);
  if (edges == graph_edges::directed) return directed;

  struct edge {
    id_type to;
    float distance;
    bool is_forward;
  };
  std::vector<std::vector<edge>> all(n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < graph.ids.cols(); ++j) {
      const id_type to = graph.ids(i, j);
      if (to == no_id || (to == i && edges == graph_edges::for_umap)) continue;
      all[i].push_back({to, graph.distances(i, j), true});
      if (to != i) all[to].push_back({static_cast<id_type>(i), graph.distances(i, j), false});
    }
  if (edges == graph_edges::for_umap)
    for (std::size_t i = 0; i < n; ++i) all[i].push_back({static_cast<id_type>(i), 0.0f, true});
  csr result{{0}, {}, {}, n};
  for (std::size_t i = 0; i < n; ++i) {
    auto& row = all[i];
    std::sort(row.begin(), row.end(),
              [](const edge& a, const edge& b) { return a.to != b.to ? a.to < b.to : a.distance < b.distance; });
    std::vector<candidate<float>> kept;
    for (auto first = row.begin(); first != row.end();) {
      auto last = first;
      bool forward = false, backward = false;
      for (; last != row.end() && last->to == first->to; ++last) (last->is_forward ? forward : backward) = true;
      if (edges != graph_edges::mutual || (forward && backward) || first->to == i)
        kept.push_back({first->distance, first->to});
      first = last;
    }
    std::sort(kept.begin(), kept.end());
    for (const auto& c : kept) {
      result.indices.push_back(static_cast<std::int32_t>(c.id));
      result.distances.push_back(c.rank);
    }
    result.indptr.push_back(static_cast<std::int64_t>(result.indices.size()));
  }
  return result;
}

/// A k-NN graph as umap-learn takes it, UMAP(precomputed_knn=(indices, distances)), and PyNNDescent's neighbor_graph
/// gives it. A row is its own first neighbour, at distance 0; others follow, nearest first; where fewer are known come
/// -1 and +infinity.
struct umap_graph {
  matrix<std::int32_t> indices;  ///< n x n_neighbors
  matrix<float> distances;       ///< n x n_neighbors
};

/// The graph for UMAP, whether or not rows are among their own neighbours in it. O(n k). \param graph n x k ids of rows
/// and distances \param n_neighbors UMAP's, which counts the row itself; 0: as many as the graph has \returns indices
/// and distances \throws std::invalid_argument for more neighbours than the graph has, more than 2^31 - 1 rows, or an
/// id that is no row.
inline umap_graph for_umap(const neighbors& graph, std::size_t n_neighbors = 0) {
  const std::size_t n = graph.ids.rows(), k = graph.ids.cols();
  if (n > std::size_t{std::numeric_limits<std::int32_t>::max()})
    detail::invalid("graph rows", n, "must fit the 32-bit ids of UMAP");
  bool has_self = false;
  for (std::size_t i = 0; i < n; ++i)
    for (const id_type id : graph.ids.row(i)) {
      if (id != no_id && id >= n) detail::invalid("id", id, "row ", i, " must be below n = ", n);
      has_self = has_self || id == i;
    }
  const std::size_t max_neighbors = k + 1 - (has_self ? 1 : 0);
  if (n_neighbors > max_neighbors)
    detail::invalid("n_neighbors", n_neighbors, "counts the row itself, and the graph has no more than ",
                    max_neighbors);
  if (n_neighbors == 0) n_neighbors = max_neighbors;
  umap_graph result{matrix<std::int32_t>(n, n_neighbors, -1),
                    matrix<float>(n, n_neighbors, std::numeric_limits<float>::infinity())};
  for (std::size_t i = 0; i < n; ++i) {
    result.indices(i, 0) = static_cast<std::int32_t>(i);
    result.distances(i, 0) = 0;
    std::size_t place = 1;
    for (std::size_t j = 0; j < k && place < n_neighbors; ++j) {
      const id_type id = graph.ids(i, j);
      if (id == no_id || id == i) continue;
      result.indices(i, place) = static_cast<std::int32_t>(id);
      result.distances(i, place++) = graph.distances(i, j);
    }
  }
  return result;
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
