#include <annulus/nndescent/rabitq.hpp>

#include "catch.hpp"
#include "failing_allocations.hpp"
#include "nndescent/indexes.hpp"

using namespace annulus;

namespace {

constexpr std::size_t n_queries = 50;

/// How many allocations it takes to ask all queries once more, with a scratch that has seen them all.
template <class Index>
std::size_t n_allocations(const Index& index, const matrix<float>& queries, std::size_t k,
                          const nndescent_search_params& params) {
  auto scratch = index.make_scratch();
  std::vector<id_type> ids(k);
  std::vector<float> distances(k);
  const auto search_all = [&] {
    for (std::size_t i = 0; i < queries.rows(); ++i) index.search(queries.row(i), ids, distances, scratch, params);
  };
  search_all();
  const std::size_t before = allocations::n_made;
  search_all();
  const std::size_t made = allocations::n_made - before;
  CHECK(ids[k - 1] != no_id);
  return made;
}

/// Every share-th of n ids in each form of a filter.
std::vector<id_filter> filters(std::size_t n, std::size_t share) {
  std::vector<bool> allowed(n);
  std::vector<id_type> list;
  for (std::size_t i = 0; i < n; i += share) {
    allowed[i] = true;
    list.push_back(static_cast<id_type>(i));
  }
  return {id_filter(allowed), id_filter::of(list), [share](id_type id) { return id % share == 0; }};
}

}  // namespace

TEMPLATE_TEST_CASE("a query with a scratch that has seen it allocates nothing", "[allocations]", full_precision,
                   half_precision, sq8, rabitq<>, rabitq<sq8>) {
  const auto data = indexes::clustered<float>(2000, 20, n_queries);
  nndescent_index index(data.rows, cosine{}, {}, TestType{});
  for (const bool is_changed : {false, true}) {
    if (is_changed) {
      for (id_type id = 1; id < 900; id += 3) index.erase(id);
      index.insert(indexes::rows_between(data.rows, 0, 100));  // a second time
    }
    for (const std::size_t beam : {0u, 10u, 100u}) {
      CAPTURE(is_changed, beam);
      CHECK(n_allocations(index, data.queries, 10, {.beam = beam}) == 0);
      for (const id_filter& filter : filters(2000, 2))
        CHECK(n_allocations(index, data.queries, 10, {.beam = beam, .filter = filter}) == 0);
    }
  }
}

TEMPLATE_TEST_CASE("a query that walks through rows that may not be returned allocates nothing", "[allocations]",
                   full_precision, sq8, rabitq<sq8>) {
  const auto data = indexes::clustered<float>(8000, 6, n_queries);
  const nndescent_index index(data.rows, euclidean{}, {.n_neighbors = 10}, TestType{});
  for (const id_filter& filter : filters(8000, 3)) {
    nndescent_search_stats stats;
    static_cast<void>(index.search(data.queries, 2, {.filter = filter}, &stats));
    CHECK(stats.scans < 0.5);
    CHECK(n_allocations(index, data.queries, 2, {.filter = filter}) == 0);
  }
}

TEST_CASE("a query whose nearest rows codes cannot tell apart allocates nothing", "[allocations]") {
  auto data = indexes::clustered<float>(3000, 6, n_queries);
  for (std::size_t i = 0; i < 3000; i += 2)  // all at one place but for what codes cannot hold
    for (std::size_t j = 0; j < 6; ++j) data.rows(i, j) = 1 + 1e-5f * data.rows(i, j);
  for (std::size_t i = 0; i < n_queries; ++i) std::ranges::fill(data.queries.row(i), 1 + 1e-6f * static_cast<float>(i));
  const nndescent_index index(data.rows, euclidean{}, {.n_neighbors = 10}, sq8{});
  CHECK(n_allocations(index, data.queries, 10, {}) == 0);
  CHECK(recall(index.search(data.queries, 10), knn(data.rows, data.queries, 10), 10) >= 0.95);
}

TEST_CASE("a query of sparse rows with a scratch that has seen it allocates nothing", "[allocations]") {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;
  const counter_random random(1);
  for (std::size_t i = 0; i < 3000; ++i) {
    for (std::size_t j = i % 3; j < 30; j += 1 + random.below(40 * i + j, 7)) {
      indices.push_back(static_cast<std::int32_t>(j));
      values.push_back(static_cast<float>(random.normal(40 * i + j)));
    }
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  const csr_matrix<float> rows(indptr, indices, values, 30);
  const nndescent_index index(rows, cosine{}, {.n_neighbors = 10});
  auto scratch = index.make_scratch();
  std::vector<id_type> ids(10);
  std::vector<float> distances(10);
  for (const nndescent_search_params& params :
       {nndescent_search_params{}, {.beam = 50}, {.filter = filters(3000, 4)[0]}}) {
    const auto search_all = [&] {
      for (std::size_t i = 0; i < 50; ++i) index.search(rows.row(i), ids, distances, scratch, params);
    };
    search_all();
    const std::size_t before = allocations::n_made;
    search_all();
    const std::size_t after = allocations::n_made;
    CHECK(after == before);
  }
}
