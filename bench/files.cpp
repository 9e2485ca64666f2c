// Index files in the page cache: bytes a second of saving (to the disk, flushed), loading and checking, beside a copy
// in memory; and the time to map one.

#include <benchmark/benchmark.h>
#include <annulus/io/index/index_file.hpp>
#include <annulus/nndescent/index.hpp>

namespace {

using index_type = annulus::nndescent_index<annulus::matrix<float>>;

constexpr std::size_t d = 128;

/// Its edges are of no use: files know nothing of that.
index_type random_index(std::size_t n) {
  annulus::matrix<float> rows(n, d);
  const annulus::counter_random random(1);
  for (std::size_t i = 0; i < n * d; ++i) rows.data()[i] = static_cast<float>(random.uniform(i));
  return index_type(rows, {}, {.n_neighbors = 15, .n_iters = 1});
}

struct saved_file {
  std::filesystem::path path = std::filesystem::temp_directory_path() / "annulus-bench.index";
  index_type index;

  explicit saved_file(std::size_t n) : index(random_index(n)) { annulus::save(index, path); }
  ~saved_file() { std::filesystem::remove(path); }
  void count(benchmark::State& state) const {
    const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * bytes);
    state.counters["MB"] = static_cast<double>(bytes) * 1e-6;
  }
};

/// Measures f(file) for a file of state.range(0) rows.
template <class F>
void measure(benchmark::State& state, F f) {
  const saved_file file(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) f(file);
  file.count(state);
}

void save(benchmark::State& state) {
  measure(state, [](const saved_file& file) { annulus::save(file.index, file.path); });
}
void load(benchmark::State& state) {
  measure(state, [](const saved_file& file) { benchmark::DoNotOptimize(annulus::load_index<index_type>(file.path)); });
}
void verify_checksums(benchmark::State& state) {
  measure(state, [](const saved_file& file) { annulus::verify_index_file(file.path); });
}
void map(benchmark::State& state) {
  measure(state, [](const saved_file& file) { benchmark::DoNotOptimize(annulus::map_index<index_type>(file.path)); });
}
void copy_in_memory(benchmark::State& state) {
  measure(state, [](const saved_file& file) { benchmark::DoNotOptimize(index_type(file.index)); });
}

BENCHMARK(save)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(load)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(verify_checksums)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(map)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(copy_in_memory)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
