#include "metrics/parameters.hpp"
#include "metrics/searches.hpp"

using namespace annulus;
using metric_searches::check_knn;
using metric_searches::masses;
using metric_searches::n_queries;
using metric_searches::sparse_rows;

namespace {

constexpr std::size_t dim = 12;

}  // namespace

TEST_CASE("knn over sparse rows is all distances sorted by every metric that takes them", "[metrics][knn]") {
  std::size_t metrics = 0;
  for (const metric_info& info : known_metrics) {
    if (!info.sparse) continue;
    CAPTURE(info.name);
    // Solvers are slow; every 50th row is empty.
    const auto rows = sparse_rows(masses(info.simd == "-" ? 55 : 200, dim), 0.9f);
    const auto queries = sparse_rows(masses(n_queries, dim), 0.9f);
    with_metric(
        info.name, parameters::some(info, dim), [&]<class M>(const M& metric) requires metric_for<M, csr_view<float>> {
          check_knn<csr_view<float>>(rows, queries, metric);
        });
    ++metrics;
  }
  CHECK(metrics == 33);
}

TEST_CASE("knn over sparse rows finds what knn over the full rows does", "[metrics][knn]") {
  const auto full = masses(200, dim);
  const auto rows = sparse_rows(full, 0.9f);
  matrix<float> same(full.rows(), dim);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows.row(i).indices.size(); ++j)
      same(i, static_cast<std::size_t>(rows.row(i).indices[j])) = rows.row(i).values[j];
  for (const std::string_view name : {"canberra", "correlation", "hellinger", "wasserstein_1d", "sokalsneath"}) {
    CAPTURE(name);
    with_metric(
        name, [&]<class M>(const M& metric) requires metric_for<M, csr_view<float>> {
          const auto of_sparse = knn(rows, rows, 5, metric, {.threads = 1});
          CHECK(metric_searches::wrong_entries(of_sparse, matrix_view<float>(same), matrix_view<float>(same), metric) ==
                0);
        });
  }
}

TEST_CASE("knn over sets without values finds what it does with them", "[metrics][knn]") {
  const auto rows = sparse_rows(masses(100, dim), 0.9f);
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::ranges::copy(rows.row(i).indices, std::back_inserter(indices));
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  const csr_matrix<float> sets(indptr, indices, dim);
  CHECK(knn(sets, sets, 5, dice{}, {.threads = 1}).ids == knn(rows, rows, 5, dice{}, {.threads = 1}).ids);
  CHECK_THROWS_AS(knn(sets, sets, 5, euclidean{}), std::invalid_argument);
}
