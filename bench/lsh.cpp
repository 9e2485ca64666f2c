// Hash tables on one thread: hashing, building, probing and searching rows among which each query has one neighbour.

#include <benchmark/benchmark.h>
#include <annulus/knn/flat_index.hpp>
#include <annulus/lsh/families/bit_sampling.hpp>
#include <annulus/lsh/families/cross_polytope.hpp>
#include <annulus/lsh/families/minhash.hpp>
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/index.hpp>

namespace {

using annulus::matrix, annulus::matrix_view;

constexpr std::size_t dim = 128, n_queries = 1000;

auto rate(std::size_t each) {
  return benchmark::Counter(static_cast<double>(each), benchmark::Counter::kIsIterationInvariantRate);
}
auto argument(const benchmark::State& state, std::size_t i) { return static_cast<std::size_t>(state.range(i)); }

void to_unit_length(std::span<float> row) {
  double square = 0;
  for (const float x : row) square += static_cast<double>(x) * static_cast<double>(x);
  for (float& x : row) x = static_cast<float>(static_cast<double>(x) / std::sqrt(square));
}

/// Random directions.
matrix<float> random_rows(std::size_t n) {
  matrix<float> rows(n, dim);
  const annulus::counter_random random(1, 0);
  for (std::size_t i = 0; i < n * dim; ++i) rows.data()[i] = static_cast<float>(random.normal(i));
  for (std::size_t i = 0; i < n; ++i) to_unit_length(rows.row(i));
  return rows;
}

/// Directions near the first rows: query i's neighbour is row i, their cosine about 0.76. Others' are 0.5 at most.
matrix<float> near_rows(const matrix<float>& rows) {
  matrix<float> queries(n_queries, dim);
  const annulus::counter_random random(1, 1);
  const double noise = 0.85 / std::sqrt(static_cast<double>(dim));
  for (std::size_t i = 0; i < n_queries * dim; ++i)
    queries.data()[i] = rows.data()[i] + static_cast<float>(noise * random.normal(i));
  for (std::size_t i = 0; i < n_queries; ++i) to_unit_length(queries.row(i));
  return queries;
}

/// Keys of rows in all tables. K projections a table, L tables.
template <class Family>
void hash(benchmark::State& state, Family family) {
  const std::size_t n = 4096, k = argument(state, 0), l = argument(state, 1), block = 192;
  const auto rows = random_rows(n);
  const auto hasher = family.template make_hasher<matrix_view<float>>(dim, k, l, 1);
  std::vector<std::uint64_t> keys(l * block);
  for (auto _ : state)
    for (std::size_t begin = 0; begin < n; begin += block)
      hasher.hash(rows, begin, std::min(block, n - begin), 0, l, keys.data());
  state.counters["rows/s"] = rate(n);
  state.counters["keys/s"] = rate(n * l);
}
#define ANNULUS_SIZES ->ArgNames({"K", "L"})->ArgsProduct({{16, 24}, {10, 50}})->Unit(benchmark::kMillisecond)
BENCHMARK_CAPTURE(hash, sign_random_projection, annulus::sign_random_projection{}) ANNULUS_SIZES;
BENCHMARK_CAPTURE(hash, p_stable_l2, annulus::p_stable_l2{.width = 4}) ANNULUS_SIZES;
BENCHMARK_CAPTURE(hash, cross_polytope, annulus::cross_polytope{}) ANNULUS_SIZES;

/// Keys of rows of 256 bits.
void hash_bits(benchmark::State& state) {
  const std::size_t n = 4096, k = argument(state, 0), l = argument(state, 1);
  matrix<std::uint8_t> rows(n, 32);
  const annulus::counter_random random(1, 2);
  for (std::size_t i = 0; i < n * 32; ++i) rows.data()[i] = static_cast<std::uint8_t>(random.bits(i));
  const auto hasher = annulus::bit_sampling{}.make_hasher<matrix_view<std::uint8_t>>(32, k, l, 1);
  std::vector<std::uint64_t> keys(l * n);
  for (auto _ : state) hasher.hash(rows, 0, n, 0, l, keys.data());
  state.counters["rows/s"] = rate(n);
  state.counters["keys/s"] = rate(n * l);
}
BENCHMARK(hash_bits) ANNULUS_SIZES;

/// Keys of sets of 60 members. A function of a member is an operation.
void hash_sets(benchmark::State& state) {
  const std::size_t n = 512, members = 60, k = argument(state, 0), l = argument(state, 1);
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  const annulus::counter_random random(1, 3);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < members; ++j)
      indices.push_back(static_cast<std::int32_t>(1000 * j + random.below(members * i + j, 1000)));
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  const std::vector<std::uint8_t> values(indices.size(), 1);
  const annulus::csr_view<std::uint8_t> rows(indptr, indices, values, 1000 * members);
  const auto hasher = annulus::minhash{}.make_hasher<annulus::csr_view<std::uint8_t>>(rows.dim(), k, l, 1);
  std::vector<std::uint64_t> keys(l * n);
  for (auto _ : state) hasher.hash(rows, 0, n, 0, l, keys.data());
  state.counters["keys/s"] = rate(n * l);
  state.counters["OP/s"] = rate(n * members * k * l);
}
BENCHMARK(hash_sets)->ArgNames({"K", "L"})->Args({3, 50})->Unit(benchmark::kMillisecond);

/// An index of n rows.
template <class Family>
void build(benchmark::State& state, Family family) {
  const auto rows = random_rows(argument(state, 0));
  const annulus::lsh_params params{.n_projections = argument(state, 1), .n_tables = argument(state, 2), .threads = 1};
  std::size_t bytes = 0;
  for (auto _ : state) bytes = annulus::lsh_index(rows, family, params).describe().bytes;
  state.counters["rows/s"] = rate(rows.rows());
  state.counters["bytes"] = static_cast<double>(bytes) / static_cast<double>(rows.rows() * params.n_tables);
}
#define ANNULUS_BUILDS ->ArgNames({"n", "K", "L"})->Args({100'000, 16, 50})->Unit(benchmark::kMillisecond)
BENCHMARK_CAPTURE(build, sign_random_projection, annulus::sign_random_projection{}) ANNULUS_BUILDS;
BENCHMARK_CAPTURE(build, cross_polytope, annulus::cross_polytope{}) ANNULUS_BUILDS;

/// The nearest row, for all queries: by so many probes, or for a recall in percent.
template <class Family>
void search(benchmark::State& state, Family family) {
  const std::size_t n = argument(state, 0), probes = argument(state, 3);
  const auto rows = random_rows(n), queries = near_rows(rows);
  const annulus::lsh_index index(rows, family,
                                 {.n_projections = argument(state, 1), .n_tables = argument(state, 2), .threads = 1});
  std::optional<double> target;
  if (state.range(4) > 0) target = static_cast<double>(state.range(4)) / 100;
  const annulus::lsh_search_params params{.n_probes = probes, .recall_target = target, .threads = 1};
  annulus::lsh_search_stats stats;
  annulus::neighbors found;
  for (auto _ : state) found = index.search(queries, 1, params, &stats);
  double hits = 0;
  for (std::size_t i = 0; i < n_queries; ++i) hits += found.ids(i, 0) == i;
  state.counters["recall"] = hits / n_queries;
  state.counters["candidates"] = stats.candidates;
  state.counters["probes"] = stats.probes;
  state.counters["queries/s"] = rate(n_queries);
}
#define ANNULUS_SEARCHES(K, L, ...)                                    \
  ->ArgNames({"n", "K", "L", "probes", "target"})                      \
      ->ArgsProduct({{100'000}, {K}, {L}, {__VA_ARGS__}, {0}})         \
      ->ArgsProduct({{10'000, 100'000, 400'000}, {K}, {L}, {0}, {90}}) \
      ->Unit(benchmark::kMillisecond)
BENCHMARK_CAPTURE(search, sign_random_projection, annulus::sign_random_projection{})
ANNULUS_SEARCHES(16, 50, 100, 150, 200);
BENCHMARK_CAPTURE(search, cross_polytope, annulus::cross_polytope{}) ANNULUS_SEARCHES(16, 50, 0, 75, 100);
BENCHMARK_CAPTURE(search, cross_polytope_few_tables, annulus::cross_polytope{}) ANNULUS_SEARCHES(16, 10, 50, 75, 100);

/// The nearest row of one query at a time, each another one, and the same by comparing all rows.
template <class Family>
void single(benchmark::State& state, Family family) {
  const auto rows = random_rows(argument(state, 0)), queries = near_rows(rows);
  const annulus::lsh_index index(rows, family,
                                 {.n_projections = argument(state, 1), .n_tables = argument(state, 2), .threads = 1});
  const annulus::lsh_search_params params{.n_probes = argument(state, 3), .threads = 1};
  auto scratch = index.make_scratch();
  std::array<annulus::id_type, 1> id;
  std::array<float, 1> distance;
  std::size_t i = 0, hits = 0;
  for (auto _ : state) {
    const std::size_t query = i++ % n_queries;
    index.search(matrix_view<float>(queries.row(query)), id, distance, scratch, params);
    hits += id[0] == query;
  }
  state.counters["recall"] = static_cast<double>(hits) / static_cast<double>(i);
}
#define ANNULUS_SINGLE(K, L, T) \
  ->ArgNames({"n", "K", "L", "probes"})->Args({100'000, K, L, T})->Unit(benchmark::kMicrosecond)
BENCHMARK_CAPTURE(single, cross_polytope, annulus::cross_polytope{}) ANNULUS_SINGLE(16, 50, 45);
BENCHMARK_CAPTURE(single, cross_polytope, annulus::cross_polytope{}) ANNULUS_SINGLE(16, 10, 75);
BENCHMARK_CAPTURE(single, cross_polytope, annulus::cross_polytope{}) ANNULUS_SINGLE(17, 10, 115);
BENCHMARK_CAPTURE(single, sign_random_projection, annulus::sign_random_projection{}) ANNULUS_SINGLE(16, 50, 120);

void single_exact(benchmark::State& state) {
  const auto rows = random_rows(argument(state, 0)), queries = near_rows(rows);
  const annulus::flat_index index(rows, annulus::cosine{});
  std::size_t i = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(index.search(matrix_view<float>(queries.row(i++ % n_queries)), 1, {.threads = 1}));
}
BENCHMARK(single_exact)->ArgName("n")->Arg(100'000)->Unit(benchmark::kMicrosecond);

}  // namespace
