// Product quantisation on one thread, beside what bounds each part: assignment beside multiply-adds of its integer
// products, scans beside reading the codes.

#include <benchmark/benchmark.h>
#include <annulus/quantization/fast_scan.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>

namespace {

using annulus::matrix, annulus::matrix_view;

matrix<float> random_rows(std::size_t count, std::size_t d, std::uint64_t stream) {
  matrix<float> rows(count, d);
  const annulus::counter_random random(1, stream);
  for (std::size_t i = 0; i < count * d; ++i) rows.data()[i] = static_cast<float>(random.normal(i));
  return rows;
}

auto rate(std::size_t each) {
  return benchmark::Counter(static_cast<double>(each), benchmark::Counter::kIsIterationInvariantRate);
}
auto argument(const benchmark::State& state, std::size_t i) { return static_cast<std::size_t>(state.range(i)); }

void nearest_codeword(benchmark::State& state) {
  const std::size_t n = 16384, ds = argument(state, 0), ks = argument(state, 1);
  const auto points = random_rows(n, ds, 0);
  const auto trained = annulus::kmeans(points, ks, {.iter = 5, .threads = 1}).centroids;
  const annulus::detail::nearest_codeword nearest(trained);
  annulus::detail::nearest_codeword::scratch scratch(ds);
  std::vector<std::uint32_t> codes(n);
  for (auto _ : state) {
    nearest(points, codes, scratch);
    benchmark::DoNotOptimize(codes.data());
  }
  state.counters["points/s"] = rate(n);
  state.counters["OP/s"] = rate(2 * n * ds * ks);
}
BENCHMARK(nearest_codeword)->ArgNames({"ds", "ks"})->ArgsProduct({{4, 8, 16, 64}, {16, 256, 1024}});

/// The integer multiply-adds alone, of operands in registers.
void multiply_adds(benchmark::State& state) {
  using integers = annulus::simd::integers;
  constexpr std::size_t chains = 8, rounds = 1000;
  typename integers::sums_type sums[chains];
  for (auto& s : sums) s = integers::zero();
  auto a = integers::broadcast_word(0x00020003), b = integers::broadcast_word(0x00050007);
  benchmark::DoNotOptimize(a);
  benchmark::DoNotOptimize(b);
  for (auto _ : state) {
    for (std::size_t r = 0; r < rounds; ++r)
      annulus::simd::unroll<chains>([&](auto c) { sums[c] = integers::multiply_add(sums[c], a, b); });
    for (auto& s : sums) benchmark::DoNotOptimize(s);
  }
  state.counters["OP/s"] = rate(2 * chains * rounds * integers::bytes / 2);
}
BENCHMARK(multiply_adds);

/// Search for 64 queries over random codes: of `bits` bits, by tables of bytes (way 0), bytes and then floats (1), or
/// floats (2).
void scan(benchmark::State& state) {
  const std::size_t n = argument(state, 0), m = argument(state, 1), ks = std::size_t{1} << argument(state, 2);
  const auto way = state.range(3);
  const std::size_t d = 4 * m, n_queries = 64;
  const annulus::product_quantizer pq(m, random_rows(m * ks, 4, 0));
  const auto codes = pq.encode(random_rows(n, d, 1));
  annulus::fast_scan_index index(pq);
  index.insert_codes(codes);
  const auto queries = random_rows(n_queries * 16, d, 2);
  std::size_t turn = 0;
  for (auto _ : state) {
    const auto some = matrix_view<float>(queries).middle_rows(turn++ % 16 * n_queries, n_queries);
    if (way == 2) benchmark::DoNotOptimize(pq.search(codes, some, 10, {.threads = 1}));
    else benchmark::DoNotOptimize(index.search(some, 10, {.float_tables = way == 1, .threads = 1}));
  }
  state.counters["codes/s"] = rate(n * n_queries);
  state.counters["B/s"] = rate(n * n_queries * m * argument(state, 2) / 8);
}
BENCHMARK(scan)
    ->ArgNames({"n", "m", "bits", "way"})
    ->ArgsProduct({{100'000}, {16, 32, 96}, {4, 8}, {0, 1, 2}})
    ->Unit(benchmark::kMillisecond);

void rotate(benchmark::State& state) {
  const std::size_t n = 4096, d = argument(state, 0);
  const auto rows = random_rows(n, d, 0), rotation = random_rows(d, d, 1);
  for (auto _ : state) benchmark::DoNotOptimize(annulus::detail::multiplied(rows, rotation, 1));
  state.counters["FLOP/s"] = rate(2 * n * d * d);
}
BENCHMARK(rotate)->ArgName("d")->Arg(128)->Arg(384)->Arg(784)->Unit(benchmark::kMillisecond);

}  // namespace
