// Builds the 15-NN graph of random points, exports it as UMAP, t-SNE and clustering take it, and keeps it in an index
// that can be searched and changed.

#include <annulus/nndescent/index.hpp>

#include <cstdio>

int main() {
  constexpr std::size_t n = 2000, d = 16, k = 15;
  annulus::matrix<float> data(n, d);
  const annulus::counter_random random(7);
  for (std::size_t i = 0; i < n * d; ++i) data.data()[i] = static_cast<float>(random.normal(i) + double(i / d % 5));

  const annulus::neighbors graph = annulus::build_knn_graph(data, annulus::euclidean{}, {.n_neighbors = k});
  std::printf("row 0: nearest %u at %.3f; recall of the graph %.3f\n", graph.ids(0, 0), graph.distances(0, 0),
              annulus::estimate_recall(graph, data));

  // indptr, indices and distances as scipy.sparse.csr_matrix((distances, indices, indptr)) takes them
  const annulus::csr united = annulus::graph_to_csr(graph, annulus::graph_edges::united);
  std::printf("%zu rows, %zu edges, of row 0:", united.indptr.size() - 1, united.indices.size());
  for (std::int64_t e = united.indptr[0]; e < united.indptr[1]; ++e)
    std::printf(" %d", united.indices[static_cast<std::size_t>(e)]);
  std::printf("\n");

  // UMAP(n_neighbors=16, precomputed_knn=(indices, distances)) counts each row as its own first neighbour
  const auto [indices, distances] = annulus::for_umap(graph);
  std::printf("for UMAP %zu x %zu: row 0 is itself %d at %.3f, then %d at %.3f\n", indices.rows(), indices.cols(),
              indices(0, 0), distances(0, 0), indices(0, 1), distances(0, 1));

  annulus::nndescent_index index(data, annulus::euclidean{}, {.n_neighbors = k});
  const annulus::id_type added = index.insert(data.row(42));  // a second row like 42
  index.erase(42);
  const annulus::tuned_search tuned = index.tune(data, 0.95);  // for queries like these
  std::printf("a beam of %zu finds %.3f of the neighbours%s\n", tuned.params.beam, tuned.recall,
              tuned.reached ? "" : ", and none finds .95");
  const annulus::neighbors found = index.search(data.row(42), 3, tuned.params);
  std::printf("nearest to row 42, now %u: %u at %.3f, %u at %.3f\n", added, found.ids(0, 0), found.distances(0, 0),
              found.ids(0, 1), found.distances(0, 1));
  return found.ids(0, 0) == added ? 0 : 1;
}
