// One query against many rows, beside the speed at which the rows can be loaded at all.

#include <benchmark/benchmark.h>
#include <Eigen/Core>
#include <annulus/core/kernels/dense_kernels.hpp>
#include <annulus/core/rows/matrix.hpp>

#include <algorithm>
#include <random>

namespace {

using namespace annulus;

constexpr std::int64_t l1 = 24 << 10, l2 = 512 << 10, memory = 200 << 20;

/// As many rows of d random elements as fill so many bytes.
template <class T>
matrix<T> random_rows(std::size_t d, std::size_t bytes) {
  matrix<T> rows(bytes / (d * sizeof(T)), d);
  const std::size_t size = rows.rows() * d, some = std::min<std::size_t>(size, 99'991);  // to draw all takes too long
  std::mt19937 generator(1);
  for (std::size_t i = 0; i < some; ++i) rows.data()[i] = static_cast<T>(static_cast<float>(generator() % 100));
  for (std::size_t i = some; i < size; ++i) rows.data()[i] = rows.data()[i - some];
  return rows;
}

/// bytes/s counts what has to come from where the rows are: in L1 the query too, which is loaded once a row.
template <class Kernel, class T>
void one_to_many_rows(benchmark::State& state) {
  const auto d = static_cast<std::size_t>(state.range(0));
  const auto rows = random_rows<T>(d, static_cast<std::size_t>(state.range(1)));
  const std::vector<T> query(rows.row(0).begin(), rows.row(0).end());
  std::vector<kernel_result<Kernel, T>> out(rows.rows());
  for (auto _ : state) {
    one_to_many<Kernel>(query.data(), d, rows.data(), d, rows.rows(), out.data());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  const std::int64_t bytes = static_cast<std::int64_t>(rows.rows() * d * sizeof(T)) * (state.range(1) == l1 ? 2 : 1);
  state.SetBytesProcessed(state.iterations() * bytes);
}

/// The greatest value, by the widest loads and in as many chains as it takes to wait for nothing else.
[[gnu::noinline]] simd::batch<float> greatest(const float* values, std::size_t count) {
  using vector = simd::batch<float>;
  constexpr std::size_t chains = 8, width = simd::lanes<float>;
  vector most[chains];
  simd::unroll<chains>([&](auto c) { most[c] = vector(0.0f); });
  for (std::size_t i = 0; i + chains * width <= count; i += chains * width)
    simd::unroll<chains>([&](auto c) { most[c] = xsimd::max(most[c], simd::load(values + i + c * width)); });
  simd::unroll<chains - 1>([&](auto c) { most[0] = xsimd::max(most[0], most[c + 1]); });
  return most[0];
}

/// The limit.
void loads(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  const matrix<float> values(1, bytes / sizeof(float), 1);
  for (auto _ : state) benchmark::DoNotOptimize(greatest(values.data(), values.cols()));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

BENCHMARK(loads)->ArgName("bytes")->Arg(l1)->Arg(l2)->Arg(memory);

template <class Kernel>
constexpr const char* name_of = std::same_as<Kernel, kernels::squared_l2> ? "squared_l2" : "inner_product";

template <class Kernel, class T>
void add(const char* type) {
  const auto name = std::string(name_of<Kernel>) + '<' + type + '>';
  benchmark::RegisterBenchmark(name.c_str(), one_to_many_rows<Kernel, T>)
      ->ArgNames({"d", "bytes"})
      ->ArgsProduct({{128, 384, 784}, {l1, l2, memory}});
}

[[maybe_unused]] const bool added = [] {
  add<kernels::squared_l2, float>("float");
  add<kernels::inner_product, float>("float");
  add<kernels::squared_l2, std::uint8_t>("uint8");
  add<kernels::inner_product, std::uint8_t>("uint8");
  add<kernels::squared_l2, Eigen::half>("half");
  add<kernels::inner_product, Eigen::half>("half");
  return true;
}();

}  // namespace
