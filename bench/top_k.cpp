// approx_min_k beside a plain minimum over the same arrays, which is as fast as memory allows.

#include <annulus/approx_top_k/approx_min_k.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <functional>
#include <random>

namespace {

/// Arrays of n floats, enough of them that a branch predictor cannot learn them by heart.
const std::vector<std::vector<float>>& arrays(std::size_t n, bool descending) {
  constexpr std::size_t few = 4, floats = std::size_t{1} << 22;
  static std::size_t kept_n = 0;
  static bool kept_order = false;
  static std::vector<std::vector<float>> kept;
  if (n == kept_n && descending == kept_order) return kept;
  kept.assign(std::clamp<std::size_t>(floats / n, few, 64), std::vector<float>(n));
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> uniform;
  for (auto& array : kept) {
    for (float& x : array) x = uniform(generator);
    if (descending) std::sort(array.begin(), array.end(), std::greater<>());
  }
  kept_n = n;
  kept_order = descending;
  return kept;
}

template <class F>
void run(benchmark::State& state, F f) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto& operands = arrays(n, state.range(1) != 0);
  std::size_t next = 0;
  for (auto _ : state) f(operands[next++ % operands.size()]);
  state.SetBytesProcessed(state.iterations() * state.range(0) * static_cast<std::int64_t>(sizeof(float)));
}

void BM_plain_min(benchmark::State& state) {
  namespace simd = annulus::simd;
  run(state, [](const std::vector<float>& x) {
    constexpr std::size_t unrolled = 8, width = simd::lanes<float>;
    simd::batch<float> least[unrolled];
    for (auto& l : least) l = simd::batch<float>(std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i + unrolled * width <= x.size(); i += unrolled * width)
      simd::unroll<unrolled>(
          [&](auto v) { least[v] = simd::min_skip_nan(simd::load(x.data() + i + v * width), least[v]); });
    benchmark::DoNotOptimize(least);
  });
}

void BM_approx_min_k(benchmark::State& state) {
  const auto k = static_cast<std::size_t>(state.range(2));
  const annulus::approx_top_k_params params{.recall_target = static_cast<double>(state.range(3)) / 100, .threads = 1};
  run(state, [&](const std::vector<float>& x) { benchmark::DoNotOptimize(annulus::approx_min_k(x, k, params)); });
}

// In the order of the arrays, so that each is made once.
const int registered = [] {
  for (const std::int64_t n : {16384, 1000000, 16000000})
    for (const std::int64_t descending : {0, 1}) {
      benchmark::RegisterBenchmark("BM_plain_min", BM_plain_min)
          ->ArgNames({"n", "descending"})
          ->Args({n, descending})
          ->Unit(benchmark::kMicrosecond);
      for (const std::int64_t k : {10, 100, 1000})
        for (const std::int64_t recall_percent : {95, 100})
          benchmark::RegisterBenchmark("BM_approx_min_k", BM_approx_min_k)
              ->ArgNames({"n", "descending", "k", "recall_percent"})
              ->Args({n, descending, k, recall_percent})
              ->Unit(benchmark::kMicrosecond);
    }
  return 0;
}();

}  // namespace
