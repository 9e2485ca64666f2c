// What one pair of rows costs under each metric: a query against many rows, of which metrics that rewrite rows have
// rewritten these beforehand, as a search has. All rows are in the second-level cache.

#include <benchmark/benchmark.h>
#include <annulus/core/base/random.hpp>
#include <annulus/metrics/named.hpp>

namespace {

using namespace annulus;

constexpr std::size_t n_rows = 256, dim = 128, few_bins = 32, sparse_dim = 100'000, stored = 60;

/// Positive numbers, as distributions are.
template <class T>
matrix<T> random_rows(std::size_t d) {
  const counter_random random(1);
  matrix<T> rows(n_rows, d);
  for (std::size_t i = 0; i < n_rows * d; ++i) rows.data()[i] = static_cast<T>(1.5 + 0.25 * random.normal(i));
  return rows;
}
template <>
matrix<std::uint8_t> random_rows(std::size_t d) {
  const counter_random random(1);
  matrix<std::uint8_t> rows(n_rows, d);
  for (std::size_t i = 0; i < n_rows * d; ++i) rows.data()[i] = static_cast<std::uint8_t>(random.below(i, 256));
  return rows;
}

/// Rows whose first coordinates are stored most often, as frequent words are.
csr_matrix<float> random_sparse_rows() {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;
  for (std::size_t i = 0; i < n_rows; ++i) {
    const counter_random random(2, i);
    std::vector<std::int32_t> row;
    for (std::uint64_t draw = 0; row.size() < stored; ++draw) {
      const double share = static_cast<double>(random.below(draw, 1u << 30)) / (1u << 30);
      const auto index = static_cast<std::int32_t>(std::pow(static_cast<double>(sparse_dim), share)) - 1;
      if (std::ranges::find(row, index) == row.end()) row.push_back(index);
    }
    std::ranges::sort(row);
    indices.insert(indices.end(), row.begin(), row.end());
    for (const std::int32_t index : row) values.push_back(1 + static_cast<float>(index % 7));
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  return {std::move(indptr), std::move(indices), std::move(values), sparse_dim};
}

/// A value for each parameter that has no default; of a norm one that is no special case.
metric_params some_parameters(const metric_info& metric, std::size_t d) {
  const auto takes = [&](std::string_view name) { return metric.find_parameter(name) != nullptr; };
  metric_params params;
  if (takes("w")) params.w.assign(d, 0.5);
  if (takes("variance")) params.variance.assign(d, 2.0);
  if (takes("vinv")) {
    params.vinv = matrix<double>(d, d, 0.1);
    for (std::size_t i = 0; i < d; ++i) params.vinv(i, i) = 1;
  }
  if (takes("cost")) {
    params.cost = matrix<double>(d, d);
    for (std::size_t i = 0; i < d * d; ++i)
      params.cost.data()[i] =
          std::abs(static_cast<double>(i / d) - static_cast<double>(i % d)) / static_cast<double>(d);
  }
  return params;
}

void count_pairs(benchmark::State& state, std::size_t pairs) {
  using counter = benchmark::Counter;
  state.counters["pair"] = counter(static_cast<double>(pairs), counter::kIsIterationInvariantRate | counter::kInvert);
}

template <class T>
void dense_pairs(benchmark::State& state, const metric_info& named, std::size_t d, const metric_params& params) {
  const matrix<T> all = random_rows<T>(d);
  const matrix_view<T> rows = all;
  with_metric(
      named.name, params, [&]<class M>(M metric) requires metric_for<M, matrix_view<T>> {
        const detail::compared_rows<M, matrix_view<T>> taken(metric, rows, 1);
        const auto compared = taken.view();
        const auto base = detail::compared_metric<matrix<T>>(metric, d);
        using element = typename std::remove_cvref_t<decltype(compared)>::value_type;
        std::vector<rank_t<std::remove_cvref_t<decltype(base)>, element>> ranks(n_rows);
        std::size_t query = 0;
        for (auto _ : state) {
          const prepared_query prepared(base, compared.row(query++ % n_rows).data(), compared.cols());
          prepared(compared.data(), compared.stride(), n_rows, ranks.data());
          benchmark::DoNotOptimize(ranks.data());
          benchmark::ClobberMemory();
        }
      });
  count_pairs(state, n_rows);
}

void sparse_pairs(benchmark::State& state, const metric_info& named) {
  const csr_matrix<float> rows = random_sparse_rows();
  const metric_params params = some_parameters(named, sparse_dim);
  with_metric(
      named.name, params, [&]<class M>(M metric) requires metric_for<M, csr_view<float>> {
        std::size_t query = 0;
        for (auto _ : state) {
          const detail::row_query rank(metric, rows.row(query++ % n_rows));
          for (std::size_t i = 0; i < n_rows; ++i) benchmark::DoNotOptimize(rank(rows.row(i)));
        }
      });
  count_pairs(state, n_rows);
}

[[maybe_unused]] const bool added = [] {
  for (const metric_info& metric : known_metrics) {
    const auto add = [&](std::string_view rows, auto f) {
      benchmark::RegisterBenchmark(std::string(metric.name).append(1, '/').append(rows).c_str(), f);
    };
    if (metric.name == "haversine") {
      add("d=2", [&](auto& state) { dense_pairs<float>(state, metric, 2, {}); });
    } else if (metric.dense) {
      const std::size_t d = metric.find_parameter("cost") != nullptr ? few_bins : dim;
      const metric_params params = some_parameters(metric, d);
      add("d=" + std::to_string(d),
          [&metric, d, params](auto& state) { dense_pairs<float>(state, metric, d, params); });
    }
    // Of a parameter for each pair of coordinates there would be too many.
    if (metric.sparse && metric.find_parameter("vinv") == nullptr && metric.find_parameter("cost") == nullptr)
      add("sparse", [&](auto& state) { sparse_pairs(state, metric); });
    if (metric.bits) add("bytes=32", [&](auto& state) { dense_pairs<std::uint8_t>(state, metric, 32, {}); });
  }
  return true;
}();

}  // namespace
