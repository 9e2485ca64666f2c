// What a build for one instruction set takes beside another: compiled with -march=x86-64 and with -march=x86-64-v3.
// 50,000 rows of 128 floats on one thread, 1,000 queries in a batch or 100 of them alone.

#include <annulus/knn/knn.hpp>
#include <annulus/lsh/families/cross_polytope.hpp>
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/index.hpp>
#include <annulus/quantization/fast_scan.hpp>
#include <annulus/quantization/rabitq_index.hpp>

#include <benchmark/benchmark.h>

#include <string>

namespace {

using annulus::matrix, annulus::matrix_view;

matrix<float> random_rows(std::size_t count, std::uint64_t stream) {
  constexpr std::size_t d = 128;
  matrix<float> rows(count, d);
  const annulus::counter_random random(1, stream);
  for (std::size_t i = 0; i < count * d; ++i) rows.data()[i] = static_cast<float>(random.normal(i));
  return rows;
}

const matrix<float> rows = random_rows(50'000, 0), queries = random_rows(1000, 1);
constexpr std::size_t k = 10;

template <class F>
void add(const std::string& name, F f) {
  benchmark::RegisterBenchmark(name.c_str(), [f](benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(f());
  })->Unit(benchmark::kMillisecond);
}

/// `search` is called with some queries.
template <class F>
void add_searches(const std::string& name, F search) {
  add(name + ", a batch", [search] { return search(matrix_view<float>(queries)); });
  add(name + ", 100 queries alone", [search] {
    for (std::size_t i = 0; i < 99; ++i)
      benchmark::DoNotOptimize(search(matrix_view<float>(queries).middle_rows(i, 1)));
    return search(matrix_view<float>(queries).middle_rows(99, 1));
  });
}

void add_codes(const std::string& bits, std::size_t m, std::size_t codewords) {
  auto pq = std::make_shared<annulus::product_quantizer<>>(m, codewords);
  add("training a product quantiser, " + bits, [m, codewords] {
    return annulus::product_quantizer(m, codewords).fit(rows, {.iter = 5, .threads = 1}).codewords().rows();
  });
  pq->fit(rows, {.iter = 5, .threads = 1});
  add("encoding, " + bits, [pq] { return pq->encode(rows, {.threads = 1}); });
  auto codes = std::make_shared<matrix<std::uint8_t>>(pq->encode(rows));
  auto index = std::make_shared<annulus::fast_scan_index<>>(*pq);
  index->insert_codes(*codes);
  add_searches("fast scan, " + bits,
               [index](matrix_view<float> some) { return index->search(some, k, {.threads = 1}); });
  add_searches("the quantiser's own search, " + bits,
               [pq, codes](matrix_view<float> some) { return pq->search(*codes, some, k, {.threads = 1}); });
}

template <class Family>
void add_tables(const std::string& name, Family family) {
  add("building hash tables, " + name, [family] {
    return annulus::lsh_index(rows, family, {.n_projections = 16, .n_tables = 10, .threads = 1}).size();
  });
}

const int registered = [] {
  add_searches("exact search", [](matrix_view<float> some) {
    return annulus::knn(rows, some, k, annulus::sqeuclidean{}, {.threads = 1});
  });
  add_codes("4-bit codes", 32, 16);
  add_codes("8-bit codes", 16, 256);
  add("building a rabitq_index", [] { return annulus::rabitq_index(rows, {.threads = 1}).size(); });
  auto bits = std::make_shared<annulus::rabitq_index>(rows, annulus::rabitq_index_params{.threads = 1});
  add_searches("rabitq_index",
               [bits](matrix_view<float> some) { return bits->search(some, k, rows, {.k_factor = 16, .threads = 1}); });
  add_tables("sign_random_projection", annulus::sign_random_projection{});
  add_tables("p_stable_l2", annulus::p_stable_l2{.width = 4});
  add_tables("cross_polytope", annulus::cross_polytope{});
  return 0;
}();

}  // namespace
