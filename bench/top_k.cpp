// The k smallest of n elements and where they are: approx_min_k, by a plan and into given memory, beside a plain
// minimum over the same arrays, which is as fast as the memory that they lie in allows, and what the standard library
// has.
//
//   bench_top_k --benchmark_filter='n:10000/.*order:random'
//
// Arrays take turns, so that no branch predictor knows them by heart. Up to 1e5 elements they stay in the second-level
// cache, and those of 1e6 in the third.

#include <annulus/approx_top_k/accumulator.hpp>
#include <annulus/approx_top_k/approx_min_k.hpp>

#include <benchmark/benchmark.h>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <string>

namespace {

const std::map<std::string, std::function<float(std::mt19937&)>> orders{
    {"random", [](std::mt19937& generator) { return std::uniform_real_distribution<float>(-1, 1)(generator); }},
    {"few_values", [](std::mt19937& generator) { return static_cast<float>(generator() % 20); }},
    {"half_nan",
     [](std::mt19937& generator) { return generator() % 2 == 0 ? std::nanf("") : static_cast<float>(generator()); }},
    {"ascending", [](std::mt19937& generator) { return static_cast<float>(generator()); }},
    {"descending", [](std::mt19937& generator) { return static_cast<float>(generator()); }}};

/// Arrays of n elements, of 1.6 MB together or 6 of them.
template <class T>
const std::vector<std::vector<T>>& arrays(std::size_t n, const std::string& order) {
  static std::size_t kept_n = 0;
  static std::string kept_order;
  static std::vector<std::vector<T>> kept;
  if (n == kept_n && order == kept_order) return kept;
  kept.clear();
  kept.resize(std::clamp<std::size_t>(400'000 / n, n > 4'000'000 ? 2 : 6, 500), std::vector<T>(n));
  std::mt19937 generator(1);
  for (auto& array : kept) {
    for (T& x : array)
      if constexpr (std::is_integral_v<T>) x = static_cast<T>(generator());
      else x = static_cast<T>(orders.at(order)(generator));
    if (order == "ascending") std::sort(array.begin(), array.end());
    if (order == "descending") std::sort(array.begin(), array.end(), std::greater<>());
  }
  kept_n = n;
  kept_order = order;
  return kept;
}

template <class T, class F>
void run(benchmark::State& state, const std::string& order, F f) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto& operands = arrays<T>(n, order);
  for (std::size_t i = 0; i < operands.size(); ++i) f(operands[i]);
  std::size_t next = 0;
  for (auto _ : state) f(operands[next++ % operands.size()]);
  state.SetBytesProcessed(state.iterations() * state.range(0) * static_cast<std::int64_t>(sizeof(T)));
}

void plain_minimum(benchmark::State& state, const std::string& order) {
  namespace simd = annulus::simd;
  run<float>(state, order, [](const std::vector<float>& x) {
    constexpr std::size_t unrolled = 8, width = simd::lanes<float>;
    simd::batch<float> least[unrolled];
    for (auto& l : least) l = simd::batch<float>(std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i + unrolled * width <= x.size(); i += unrolled * width)
      simd::unroll<unrolled>(
          [&](auto v) { least[v] = simd::min_skip_nan(simd::load(x.data() + i + v * width), least[v]); });
    benchmark::DoNotOptimize(least);
  });
}

template <class T>
void approx_min_k(benchmark::State& state, const std::string& order) {
  const auto n = static_cast<std::size_t>(state.range(0)), k = static_cast<std::size_t>(state.range(1));
  const auto plan = annulus::plan_approx_top_k(n, k, {.threads = 1});
  std::vector<T> values(k);
  std::vector<std::int64_t> indices(k);
  annulus::approx_top_k_scratch<T> scratch;
  run<T>(state, order, [&](const std::vector<T>& x) {
    annulus::approx_min_k(x, plan, values, indices, scratch);
    benchmark::DoNotOptimize(values.data());
    benchmark::ClobberMemory();
  });
}

void approx_min_k_call(benchmark::State& state, const std::string& order) {
  const auto k = static_cast<std::size_t>(state.range(1));
  run<float>(state, order, [&](const std::vector<float>& x) {
    benchmark::DoNotOptimize(annulus::approx_min_k(x, k, {.threads = 1}));
  });
}

/// Pushed in blocks of 4,096.
void accumulator(benchmark::State& state, const std::string& order) {
  const auto n = static_cast<std::size_t>(state.range(0)), k = static_cast<std::size_t>(state.range(1));
  run<float>(state, order, [&](const std::vector<float>& x) {
    annulus::approx_top_k_accumulator<float> best(n, k);
    constexpr std::size_t block = 4096;
    for (std::size_t i = 0; i < n; i += block)
      best.push(std::span(x).subspan(i, std::min(block, n - i)), static_cast<std::int64_t>(i));
    benchmark::DoNotOptimize(best.finish());
  });
}

using pairs = std::vector<annulus::candidate<float, std::uint32_t>>;

/// Of pairs of a value and its index.
template <class Select>
void standard_library(benchmark::State& state, const std::string& order, Select select) {
  const auto k = static_cast<std::ptrdiff_t>(state.range(1));
  pairs items(static_cast<std::size_t>(state.range(0)));
  run<float>(state, order, [&](const std::vector<float>& x) {
    for (std::size_t i = 0; i < x.size(); ++i) items[i] = {x[i], static_cast<std::uint32_t>(i)};
    select(items, k);
    benchmark::DoNotOptimize(items.data());
  });
}

void nth_element_and_sort(benchmark::State& state, const std::string& order) {
  standard_library(state, order, [](pairs& items, std::ptrdiff_t k) {
    if (k < std::ssize(items)) std::nth_element(items.begin(), items.begin() + k, items.end());
    std::sort(items.begin(), items.begin() + k);
  });
}

void partial_sort(benchmark::State& state, const std::string& order) {
  standard_library(state, order, [](pairs& items, std::ptrdiff_t k) {
    std::partial_sort(items.begin(), items.begin() + k, items.end());
  });
}

/// Of the k smallest the share that the bins hold: as the plan expects it, and over arrays in random order.
void bins(benchmark::State& state) {
  constexpr int rounds = 200;
  const auto n = static_cast<std::size_t>(state.range(0)), k = static_cast<std::size_t>(state.range(1));
  const double target = static_cast<double>(state.range(2)) / 1000;
  const auto plan =
      annulus::plan_approx_top_k(n, k, {.recall_target = target, .aggregate_to_topk = false, .threads = 1});
  std::vector<float> x(n), values(plan.output_size);
  std::vector<std::int64_t> indices(plan.output_size);
  annulus::approx_top_k_scratch<float> scratch;
  std::iota(x.begin(), x.end(), 0.f);  // each is its rank
  std::mt19937 generator(1);
  std::ptrdiff_t found = 0;
  for (int round = 0; round < rounds; ++round) {
    std::shuffle(x.begin(), x.end(), generator);
    annulus::approx_min_k(x, plan, values, indices, scratch);
    found += std::count_if(values.begin(), values.end(), [&](float rank) { return rank < static_cast<float>(k); });
  }
  for (auto _ : state) {
    annulus::approx_min_k(x, plan, values, indices, scratch);
    benchmark::DoNotOptimize(values.data());
    benchmark::ClobberMemory();
  }
  state.counters["kept"] = static_cast<double>(plan.output_size);
  state.counters["expected"] = plan.expected_recall;
  state.counters["measured"] = static_cast<double>(found) / (rounds * static_cast<double>(k));
}

using function = void (*)(benchmark::State&, const std::string&);

void add(const char* name, function f, std::int64_t n, std::int64_t k, const std::string& order) {
  benchmark::RegisterBenchmark((std::string(name) + "/order:" + order).c_str(), f, order)
      ->ArgNames({"n", "k"})
      ->Args({n, k})
      ->Unit(benchmark::kMicrosecond);
}

// In the order of the arrays, so that each is made once.
const int registered = [] {
  for (const auto& [order, next] : orders)
    for (const std::int64_t n : {64, 256, 1'000, 10'000, 100'000, 1'000'000, 64'000'000}) {
      if (order != "random" && n != 10'000 && n != 1'000'000) continue;
      add("plain_minimum", plain_minimum, n, 1, order);
      std::int64_t before = 0;
      for (const std::int64_t k :
           {std::int64_t{1}, std::int64_t{10}, std::int64_t{100}, std::int64_t{1000}, n / 3, n}) {
        if (k <= before || k > n || (n > 1'000'000 && k > 1000)) continue;
        before = k;
        add("approx_min_k", approx_min_k<float>, n, k, order);
        if (order != "random" || n > 1'000'000) continue;
        add("nth_element_and_sort", nth_element_and_sort, n, k, order);
        if (k <= 1000) add("partial_sort", partial_sort, n, k, order);
        if (k == 10) add("approx_min_k_call", approx_min_k_call, n, k, order);
      }
    }
  for (const std::int64_t n : {10'000, 1'000'000})
    for (const std::int64_t k : {10, 1000}) {
      add("accumulator", accumulator, n, k, "random");
      add("double", approx_min_k<double>, n, k, "random");
      add("int32", approx_min_k<std::int32_t>, n, k, "random");
      add("int16", approx_min_k<std::int16_t>, n, k, "random");
      add("uint8", approx_min_k<std::uint8_t>, n, k, "random");
      add("half", approx_min_k<Eigen::half>, n, k, "random");
      add("bfloat16", approx_min_k<Eigen::bfloat16>, n, k, "random");
    }
  benchmark::RegisterBenchmark("bins", bins)
      ->ArgNames({"n", "k", "per_mille"})
      ->ArgsProduct({{10'000, 1'000'000}, {10, 100, 1000}, {800, 900, 950, 990}})
      ->Iterations(100)
      ->Unit(benchmark::kMicrosecond);
  return 0;
}();

}  // namespace
