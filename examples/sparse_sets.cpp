// Sets as sparse rows, and those most alike by their Jaccard distance: exactly, by a graph, and by min-wise hashing.

#include <annulus/core/base/random.hpp>
#include <annulus/core/result/recall.hpp>
#include <annulus/knn/sparse_knn.hpp>
#include <annulus/lsh/families/minhash.hpp>
#include <annulus/lsh/index.hpp>
#include <annulus/nndescent/index.hpp>

#include <cstdio>
#include <set>

int main() {
  // Baskets of goods: each holds some twenty of the thirty that are usual in one of 200 households, and a few others.
  constexpr std::size_t n = 4000, n_households = 200, n_goods = 5000, n_queries = 100, k = 5;
  const annulus::counter_random random(9);
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  for (std::uint64_t i = 0; i < n + n_queries; ++i) {
    std::set<std::int32_t> basket;  // in ascending order, as rows have to be
    for (std::uint64_t j = 0; j < 30; ++j) {
      const std::uint64_t usual = random.below(i % n_households * 30 + j, n_goods);
      const std::uint64_t any = random.below((1000 + i) * 1000 + j, n_goods);
      const double chance = random.uniform((1000 + i) * 1000 + 500 + j);
      if (chance < 0.7) basket.insert(static_cast<std::int32_t>(usual));
      else if (chance < 0.8) basket.insert(static_cast<std::int32_t>(any));
    }
    indices.insert(indices.end(), basket.begin(), basket.end());
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  const std::span<const std::int64_t> ends(indptr);
  const auto stored = static_cast<std::size_t>(indptr[n]);
  const annulus::csr_view<float> baskets(ends.first(n + 1), std::span(indices).first(stored), n_goods);  // no values
  std::vector<std::int64_t> query_indptr;
  for (const std::int64_t end : ends.subspan(n)) query_indptr.push_back(end - indptr[n]);
  const annulus::csr_view<float> queries(query_indptr, std::span(indices).subspan(stored), n_goods);

  const annulus::neighbors exact = annulus::knn(baskets, queries, k, annulus::jaccard{});
  std::printf("most like a basket of household %zu:", n % n_households);
  for (std::size_t j = 0; j < k; ++j)
    std::printf(" %u of %zu (%.2f)", exact.ids(0, j), exact.ids(0, j) % n_households, exact.distances(0, j));

  const annulus::nndescent_index graph(baskets, annulus::jaccard{});
  const double by_graph = annulus::recall(graph.search(queries, k), exact, k);
  const annulus::lsh_index hashes(baskets, annulus::minhash{}, {.n_projections = 2, .n_tables = 30});
  const double by_hashes = annulus::recall(hashes.search(queries, k), exact, k);
  std::printf("\nrecall of a graph %.3f, of hash tables %.3f\n", by_graph, by_hashes);

  return exact.ids(0, 0) % n_households == n % n_households && by_graph > 0.95 && by_hashes > 0.9 ? 0 : 1;
}
