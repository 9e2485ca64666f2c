// Data as they come, on one thread: what equal rows cost a build, and what each room finds where columns or rows differ
// by orders of magnitude, where most coordinates are zero, and within a radius.

#include <benchmark/benchmark.h>
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/simple_mips.hpp>
#include <annulus/lsh/index.hpp>
#include <annulus/nndescent/index.hpp>
#include <annulus/quantization/fast_scan.hpp>

namespace {

using annulus::matrix;

matrix<float> random_rows(std::size_t n, std::size_t d, std::uint64_t stream) {
  matrix<float> rows(n, d);
  const annulus::counter_random random(1, stream);
  for (std::size_t i = 0; i < n * d; ++i) rows.data()[i] = static_cast<float>(random.normal(i));
  return rows;
}

/// 200 groups of rows, each coordinate at a distance of about 1 from its group's.
matrix<float> grouped_rows(std::size_t n, std::size_t d, std::uint64_t stream) {
  constexpr std::size_t n_groups = 200;
  const auto centres = random_rows(n_groups, d, 1000);
  auto rows = random_rows(n, d, stream);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) rows(i, j) = 4 * centres(i % n_groups, j) + rows(i, j);
  return rows;
}

matrix<float> scaled(matrix<float> rows, float factor) {
  for (std::size_t i = 0; i < rows.rows() * rows.cols(); ++i) rows.data()[i] *= factor;
  return rows;
}

auto argument(const benchmark::State& state, std::size_t i) { return static_cast<std::size_t>(state.range(i)); }

/// An index of 50,000 rows, each `copies` times.
void build_of_copies(benchmark::State& state) {
  const std::size_t n = 50'000, d = 64, copies = argument(state, 0);
  const auto distinct = grouped_rows(n / copies, d, 0);
  matrix<float> rows(n, d);
  for (std::size_t i = 0; i < n; ++i) std::ranges::copy(distinct.row(i % distinct.rows()), rows.row(i).begin());
  for (auto _ : state) benchmark::DoNotOptimize(annulus::nndescent_index(rows, annulus::sqeuclidean{}, {.threads = 1}));
  state.counters["rows/s"] = benchmark::Counter(n, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(build_of_copies)->ArgName("copies")->Arg(1)->Arg(2)->Arg(10)->Arg(1000)->Unit(benchmark::kMillisecond);

enum columns { alike, far_from_zero, time_stamp, small_beside_large };

matrix<float> rows_of(columns kind, std::size_t n, std::uint64_t stream) {
  auto rows = grouped_rows(n, 8, stream);
  for (std::size_t i = 0; i < n; ++i) {
    if (kind == far_from_zero) rows(i, 0) = 1e5f + rows(i, 0);
    if (kind == time_stamp) rows(i, 0) = 1.7e9f + 1e5f * rows(i, 0);
    if (kind == small_beside_large)
      for (std::size_t j = 0; j < 8; ++j) rows(i, j) *= j % 2 == 0 ? 1e-3f : 1e6f;
  }
  return rows;
}

/// The share of the ten nearest that 8-bit rows of a graph and codes of 8 bits by tables of bytes find.
void columns_of_unlike_scale(benchmark::State& state) {
  const auto kind = static_cast<columns>(state.range(0));
  const auto rows = rows_of(kind, 20'000, 0), queries = rows_of(kind, 500, 1);
  const auto truth = annulus::knn(rows, queries, 10, annulus::sqeuclidean{}, {.threads = 1});
  annulus::product_quantizer quantizer(8, 256);
  quantizer.fit(rows, {.threads = 1});
  annulus::fast_scan_index by_bytes(quantizer);
  by_bytes.insert(rows, {.threads = 1});
  const auto codes = quantizer.encode(rows, {.threads = 1});
  annulus::neighbors of_graph, of_bytes, of_floats;
  for (auto _ : state) {
    const annulus::nndescent_index graph(rows, annulus::sqeuclidean{}, {.threads = 1}, annulus::sq8{});
    of_graph = graph.search(queries, 10, {.threads = 1});
    of_bytes = by_bytes.search(queries, 10, {.threads = 1});
    of_floats = quantizer.search(codes, queries, 10, {.threads = 1});
  }
  state.counters["sq8"] = annulus::recall(of_graph, truth, 10);
  state.counters["fast_scan"] = annulus::recall_by_id(of_bytes, truth, 10);
  state.counters["float_tables"] = annulus::recall_by_id(of_floats, truth, 10);
}
BENCHMARK(columns_of_unlike_scale)->ArgName("kind")->DenseRange(0, 3)->Iterations(1)->Unit(benchmark::kMillisecond);

/// Rows times 10^e: the share of the ten nearest found by exact search, and by a graph, codes by tables of bytes and
/// hash tables. All but exact search refuse rows whose squares, or those of differences, leave the range of floats.
void scale_of_rows(benchmark::State& state) {
  const float factor = std::pow(10.0f, static_cast<float>(state.range(0)));
  const bool is_exact_only = std::abs(state.range(0)) > 16;
  const auto rows = scaled(grouped_rows(10'000, 32, 0), factor), queries = scaled(grouped_rows(500, 32, 1), factor);
  const auto truth = annulus::knn(grouped_rows(10'000, 32, 0), grouped_rows(500, 32, 1), 10, annulus::euclidean{});
  annulus::neighbors exact, by_graph, by_codes, by_tables;
  for (auto _ : state) {
    exact = annulus::knn(rows, queries, 10, annulus::euclidean{}, {.threads = 1});
    if (is_exact_only) continue;
    by_graph = annulus::nndescent_index(rows, annulus::euclidean{}, {.threads = 1}).search(queries, 10, {.threads = 1});
    annulus::product_quantizer quantizer(8, 256);
    by_codes = annulus::fast_scan_index(quantizer.fit(rows, {.threads = 1}), rows).search(queries, 10, {.threads = 1});
    by_tables = annulus::lsh_index(rows, annulus::p_stable_l2{}, {.n_projections = 8, .n_tables = 20, .threads = 1})
                    .search(queries, 10, {.recall_target = 0.95, .threads = 1});
  }
  state.counters["knn"] = annulus::recall_by_id(exact, truth, 10);
  if (is_exact_only) return;
  state.counters["graph"] = annulus::recall_by_id(by_graph, truth, 10);
  state.counters["fast_scan"] = annulus::recall_by_id(by_codes, truth, 10);
  state.counters["lsh"] = annulus::recall_by_id(by_tables, truth, 10);
}
BENCHMARK(scale_of_rows)
    ->ArgName("e")
    ->Arg(-36)
    ->DenseRange(-10, 15, 5)
    ->Arg(36)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

/// The share of the rows within a radius that hash tables find with a width from the data: half the queries have some.
void radius_by_tables(benchmark::State& state) {
  const auto rows = grouped_rows(50'000, 32, 0), queries = grouped_rows(500, 32, 1);
  const float radius = 6;
  const double target = static_cast<double>(state.range(0)) / 100;
  const annulus::lsh_index index(rows, annulus::p_stable_l2{}, {.n_projections = 8, .n_tables = 20, .threads = 1});
  annulus::csr found;
  for (auto _ : state) found = index.radius_search(queries, radius, {.recall_target = target, .threads = 1});
  const auto nearest = annulus::knn(rows, queries, 500, annulus::euclidean{}, {.threads = 1});
  const auto within = std::ranges::count_if(std::span(nearest.distances.data(), 500 * 500),
                                            [&](float distance) { return distance <= radius; });
  state.counters["within"] = static_cast<double>(within);
  state.counters["recall"] = static_cast<double>(found.indices.size()) / static_cast<double>(within);
  state.counters["queries/s"] = benchmark::Counter(500, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(radius_by_tables)->ArgName("target")->Arg(80)->Arg(90)->Arg(95)->Unit(benchmark::kMillisecond);

/// Largest products by hash tables where half the rows are zero.
void products_with_zero_rows(benchmark::State& state) {
  auto rows = random_rows(10'000, 32, 0);
  for (std::size_t i = 0; i < rows.rows(); i += 2) std::ranges::fill(rows.row(i), 0.0f);
  const auto queries = random_rows(500, 32, 1);
  const auto truth = annulus::knn(rows, queries, 10, annulus::inner_product{}, {.threads = 1});
  annulus::neighbors found;
  for (auto _ : state) {
    const annulus::lsh_index index(rows, annulus::simple_mips{}, {.n_projections = 10, .n_tables = 40, .threads = 1});
    found = index.search(queries, 10, {.recall_target = 0.9, .threads = 1});
  }
  state.counters["recall"] = annulus::recall(found, truth, 10);
}
BENCHMARK(products_with_zero_rows)->Iterations(1)->Unit(benchmark::kMillisecond);

/// Codewords of vectors whose coordinates are zero but for `percent` of their sub-vectors.
void codewords_of_sparse_rows(benchmark::State& state) {
  const std::size_t n = 20'000, m = 8, ds = 4;
  auto rows = random_rows(n, m * ds, 0);
  const annulus::counter_random random(1, 9);
  for (std::size_t i = 0; i < n * m; ++i)
    if (random.below(i, 100) >= argument(state, 0)) std::fill_n(rows.data() + i * ds, ds, 0.0f);
  annulus::distortion_report report;
  for (auto _ : state) {
    annulus::product_quantizer quantizer(m, 256);
    report = quantizer.fit(rows, {.threads = 1}).distortion(rows, {.threads = 1});
  }
  double unused = 0;
  for (const std::size_t count : report.unused_codewords) unused += static_cast<double>(count);
  state.counters["mse"] = report.mean_squared_error;
  state.counters["unused"] = unused;
}
BENCHMARK(codewords_of_sparse_rows)->ArgName("percent")->Arg(5)->Arg(100)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
