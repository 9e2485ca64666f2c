// Parameters of an LSH index chosen from a sample, searches to a recall, changes, and sets by their Jaccard distance.

#include <annulus/core/result/recall.hpp>
#include <annulus/knn/knn.hpp>
#include <annulus/lsh/families/minhash.hpp>
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/index.hpp>
#include <annulus/lsh/tuning.hpp>

#include <cstdio>

int main() {
  // Rows in clusters, and queries beside some of them.
  constexpr std::size_t n = 20000, d = 64, n_clusters = 2000, n_queries = 200, k = 5;
  const annulus::counter_random random(1);
  annulus::matrix<float> data(n + n_queries, d);
  for (std::size_t i = 0; i < data.rows(); ++i)
    for (std::size_t j = 0; j < d; ++j)
      data(i, j) =
          static_cast<float>(random.normal(i % n_clusters * d + j) + 0.3 * random.normal((n_clusters + i) * d + j));
  const auto rows = annulus::matrix_view<float>(data).middle_rows(0, n);
  const auto queries = annulus::matrix_view<float>(data).middle_rows(n, n_queries);
  const annulus::neighbors truth = annulus::knn(rows, queries, k);

  const auto chosen = annulus::suggest_lsh_params(rows, annulus::p_stable_l2{}, 0.9,
                                                  {.k = k, .memory_limit = n * 100, .n_queries = 50});
  std::printf("%zu tables of %zu projections %.1f wide, %zu probes: recall %.2f predicted by %.0f candidates a query\n",
              chosen.params.n_tables, chosen.params.n_projections, chosen.family.width, chosen.search.n_probes,
              chosen.recall, chosen.candidates);

  annulus::lsh_index index(rows, chosen.family, chosen.params);
  annulus::lsh_search_stats cost;
  const double found = annulus::recall(index.search(queries, k, chosen.search, &cost), truth, k);
  std::printf("recall %.3f by %.0f candidates; ", found, cost.candidates);
  const double by_target = annulus::recall(index.search(queries, k, {.recall_target = 0.95}, &cost), truth, k);
  std::printf("with recall_target .95 %.3f by %.0f\n", by_target, cost.candidates);

  const annulus::id_type first = index.insert(queries);
  const bool is_found = index.search(queries.middle_rows(0, 1), 1).ids(0, 0) == first;
  index.erase(first);
  const bool is_gone = index.search(queries.middle_rows(0, 1), 1).ids(0, 0) != first;

  // Three sets of numbers below 100: {1, 2, 3, 4}, {2, 3, 4, 5} and {70, 80}.
  const annulus::csr_matrix<float> sets({0, 4, 8, 10}, {1, 2, 3, 4, 2, 3, 4, 5, 70, 80}, std::vector<float>(10, 1.0f),
                                        100);
  const annulus::lsh_index by_sets(sets, annulus::minhash{}, {.n_projections = 2, .n_tables = 20});
  const annulus::neighbors alike = by_sets.search(sets, 2);
  std::printf("nearest to {1, 2, 3, 4}: set %u at a Jaccard distance of %.2f\n", alike.ids(0, 1),
              alike.distances(0, 1));

  return found > 0.8 && by_target > 0.9 && is_found && is_gone && alike.ids(0, 1) == 1 ? 0 : 1;
}
