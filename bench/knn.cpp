// knn on one thread, as if it did the 2 n m d operations of all inner products, beside a float GEMM that does them.

#include <benchmark/benchmark.h>
#include <Eigen/Core>
#include <annulus/core/base/random.hpp>
#include <annulus/knn/knn.hpp>

namespace {

constexpr std::size_t n = 100'000, m = 256;
using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

annulus::matrix<float> random_rows(std::size_t count, std::size_t d, std::uint64_t stream) {
  annulus::matrix<float> rows(count, d);
  const annulus::counter_random random(1, stream);
  for (std::size_t i = 0; i < count * d; ++i) rows.data()[i] = static_cast<float>(random.uniform(i)) - 0.5f;
  return rows;
}

void count_operations(benchmark::State& state, std::size_t d) {
  const double each = 2.0 * static_cast<double>(n) * static_cast<double>(m) * static_cast<double>(d);
  state.counters["FLOP/s"] = benchmark::Counter(each, benchmark::Counter::kIsIterationInvariantRate);
}

void knn(benchmark::State& state) {
  const auto d = static_cast<std::size_t>(state.range(0)), k = static_cast<std::size_t>(state.range(1));
  const double target = static_cast<double>(state.range(2)) / 100;
  const auto rows = random_rows(n, d, 0), queries = random_rows(m, d, 1);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        annulus::knn(rows, queries, k, annulus::euclidean{}, {.recall_target = target, .threads = 1}));
  count_operations(state, d);
}
BENCHMARK(knn)
    ->ArgNames({"d", "k", "recall%"})
    ->ArgsProduct({{128, 384, 784}, {1, 10, 100, 1000}, {100, 95}})
    ->Unit(benchmark::kMillisecond);

/// All products, a block of rows at a time whose products stay in cache.
void gemm(benchmark::State& state) {
  constexpr Eigen::Index block = 1000;
  const auto d = static_cast<std::size_t>(state.range(0));
  const auto rows = random_rows(n, d, 0), queries = random_rows(m, d, 1);
  const auto dim = static_cast<Eigen::Index>(d);
  const Eigen::Map<const row_major> x(rows.data(), n, dim), q(queries.data(), m, dim);
  row_major products(m, block);
  for (auto _ : state)
    for (Eigen::Index first = 0; first < x.rows(); first += block) {
      products.noalias() = q * x.middleRows(first, block).transpose();
      benchmark::DoNotOptimize(products.data());
      benchmark::ClobberMemory();
    }
  count_operations(state, d);
}
BENCHMARK(gemm)->ArgName("d")->Arg(128)->Arg(384)->Arg(784)->Unit(benchmark::kMillisecond);

}  // namespace
