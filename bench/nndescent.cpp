// How building and searching graphs grows with the number of rows: rows near a curved surface of 12 dimensions in 96,
// on one thread. A search is tuned to recall .95; its queries are rows of the same kind that are not in the index.

#include <benchmark/benchmark.h>
#include <annulus/nndescent/index.hpp>
#include <annulus/nndescent/rabitq.hpp>

#include "surface_rows.hpp"

namespace {

constexpr std::size_t d = 96, n_queries = 1000, k = 10;

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgName("n")->Arg(50'000)->Arg(200'000)->Arg(800'000)->Iterations(1)->Unit(benchmark::kMillisecond);
}

void knn_graph(benchmark::State& state) {
  const auto rows = surface_rows(static_cast<std::size_t>(state.range(0)), d, 0);
  annulus::neighbors graph;
  for (auto _ : state) graph = annulus::build_knn_graph(rows, annulus::euclidean{}, {.threads = 1});
  state.counters["recall"] =
      annulus::estimate_recall(graph, rows, annulus::euclidean{}, {.n_samples = 500, .threads = 1});
}
BENCHMARK(knn_graph)->Apply(sizes);

/// Builds an index and searches it, with a beam that finds .95. Returns what a query cost.
template <class Storage>
annulus::nndescent_search_stats build_and_search(benchmark::State& state, Storage storage) {
  const auto rows = surface_rows(static_cast<std::size_t>(state.range(0)), d, 0),
             queries = surface_rows(n_queries, d, 1);
  const auto build = [&] { return annulus::nndescent_index(rows, annulus::euclidean{}, {.threads = 1}, storage); };
  std::optional<decltype(build())> built;
  for (auto _ : state) built.emplace(build());
  annulus::nndescent_search_params params = built->tune(0.95, {.n_queries = 500, .k = k, .threads = 1}).params;
  params.threads = 1;
  annulus::nndescent_search_stats stats;
  const auto start = std::chrono::steady_clock::now();
  const annulus::neighbors found = built->search(queries, k, params, &stats);
  const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
  state.counters["beam"] = static_cast<double>(params.beam);
  state.counters["recall"] =
      annulus::recall(found, annulus::knn(rows, queries, k, annulus::euclidean{}, {.threads = 1}), k);
  state.counters["distances"] = stats.distances;
  state.counters["hops"] = stats.hops;
  state.counters["us_a_query"] = time.count() / static_cast<double>(n_queries);
  return stats;
}

void index(benchmark::State& state) { build_and_search(state, annulus::sq8{}); }
BENCHMARK(index)->Apply(sizes);

/// What a walk costs that reads blocks of edges and rows, and computes nothing: the ns that a hop takes which reads a
/// block, then as many rows, whose places the block holds, and finds the next block in these.
double ns_of_reading(std::size_t n, std::size_t block_bytes, std::size_t row_bytes, std::size_t rows_a_hop) {
  constexpr std::size_t line = 64, hops = 1'000'000;
  annulus::detail::aligned_vector<std::uint32_t> blocks(n * block_bytes / 4), rows(n * row_bytes / 4);
  const annulus::counter_random random(3);
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = static_cast<std::uint32_t>(random.below(i, n));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::uint32_t>(random.below(~i, n));
  const auto fetch = [](const std::uint32_t* at, std::size_t bytes) {
    for (std::size_t b = 0; b < bytes; b += line) annulus::simd::prefetch(at + b / 4);
  };
  const auto sum = [](const std::uint32_t* at, std::size_t bytes) {
    std::uint32_t total = 0;
    for (std::size_t b = 0; b < bytes; b += line) total += at[b / 4];
    return total;
  };
  const auto start = std::chrono::steady_clock::now();
  std::uint32_t vertex = 0;
  for (std::size_t h = 0; h < hops; ++h) {
    const std::uint32_t* const block = blocks.data() + vertex * (block_bytes / 4);
    fetch(block, block_bytes);
    std::uint32_t total = sum(block, block_bytes);
    for (std::size_t j = 0; j < rows_a_hop; ++j) fetch(rows.data() + block[j] * (row_bytes / 4), row_bytes);
    for (std::size_t j = 0; j < rows_a_hop; ++j) total += sum(rows.data() + block[j] * (row_bytes / 4), row_bytes);
    vertex = static_cast<std::uint32_t>((total + h) % n);
  }
  benchmark::DoNotOptimize(vertex);
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
  return time.count() / static_cast<double>(hops);
}

void coded_index(benchmark::State& state) {
  const annulus::nndescent_search_stats stats = build_and_search(state, annulus::rabitq<annulus::sq8>{});
  constexpr std::size_t block_bytes = 256 + 4 * d, row_bytes = (d + 63) / 64 * 64;
  const double rows_a_hop = stats.distances / stats.hops;
  state.counters["lines_a_hop"] = (block_bytes + rows_a_hop * row_bytes) / 64;
  state.counters["ns_a_hop"] = 1000 * state.counters["us_a_query"] / stats.hops;
  state.counters["ns_of_reading"] = ns_of_reading(static_cast<std::size_t>(state.range(0)), block_bytes, row_bytes,
                                                  static_cast<std::size_t>(std::lround(rows_a_hop)));
}
BENCHMARK(coded_index)->Apply(sizes);

}  // namespace
