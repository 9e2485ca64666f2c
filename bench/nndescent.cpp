// How building and searching graphs grows with the number of rows: rows near a curved surface of 12 dimensions in 96,
// on one thread. A search is tuned to recall .95; its queries are rows of the same kind that are not in the index.

#include <benchmark/benchmark.h>
#include <annulus/nndescent/index.hpp>

namespace {

constexpr std::size_t d = 96, latent = 12, n_queries = 1000, k = 10;

annulus::matrix<float> surface_rows(std::size_t count, std::uint64_t stream) {
  annulus::matrix<float> rows(count, d), shape(d, latent + 1);
  const annulus::counter_random direction(1, 0), place(2, stream);
  for (std::size_t i = 0; i < d * (latent + 1); ++i) shape.data()[i] = static_cast<float>(direction.normal(i));
  for (std::size_t i = 0; i < count; ++i) {
    float x[latent];
    for (std::size_t j = 0; j < latent; ++j) x[j] = static_cast<float>(place.normal(i * latent + j));
    for (std::size_t c = 0; c < d; ++c) {
      float angle = shape(c, latent);
      for (std::size_t j = 0; j < latent; ++j) angle += 0.4f * shape(c, j) * x[j];
      rows(i, c) = std::sin(angle);
    }
  }
  return rows;
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgName("n")->Arg(50'000)->Arg(200'000)->Arg(800'000)->Iterations(1)->Unit(benchmark::kMillisecond);
}

void knn_graph(benchmark::State& state) {
  const auto rows = surface_rows(static_cast<std::size_t>(state.range(0)), 0);
  annulus::neighbors graph;
  for (auto _ : state) graph = annulus::build_knn_graph(rows, annulus::euclidean{}, {.threads = 1});
  state.counters["recall"] =
      annulus::estimate_recall(graph, rows, annulus::euclidean{}, {.n_samples = 500, .threads = 1});
}
BENCHMARK(knn_graph)->Apply(sizes);

void index(benchmark::State& state) {
  const auto rows = surface_rows(static_cast<std::size_t>(state.range(0)), 0), queries = surface_rows(n_queries, 1);
  const auto build = [&] {
    return annulus::nndescent_index(rows, annulus::euclidean{}, {.threads = 1}, annulus::sq8{});
  };
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
}
BENCHMARK(index)->Apply(sizes);

}  // namespace
