#include <annulus/nndescent/half_precision.hpp>
#include <annulus/nndescent/rabitq.hpp>

#include "catch.hpp"
#include "nndescent/failures.hpp"
#include "nndescent/graphs.hpp"

using namespace annulus;

namespace {

matrix<float> clusters(std::size_t n, std::uint64_t seed) { return graphs::clusters<float>(n, 9, 5, seed); }

/// n rows of up to eight of 40 coordinates.
csr_matrix<float> sparse_rows(std::size_t n, std::uint64_t seed) {
  const counter_random random(seed);
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;
  for (std::size_t i = 0; i < n; ++i) {
    std::int32_t at = -1;
    for (std::size_t j = 0; j < 8 && at < 33; ++j) {
      at += 1 + static_cast<std::int32_t>(random.below(16 * i + 2 * j, 6));
      indices.push_back(at);
      values.push_back(static_cast<float>(0.5 + random.uniform(16 * i + 2 * j + 1)));
    }
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  return {std::move(indptr), std::move(indices), std::move(values), 40};
}

template <class Index, class Points>
void check(const Index& index, const Points& more, const Points& queries) {
  const failures::changes<Index> changes(index, more, queries, failures::few);
  for (const auto& result : {changes.of_searches(1), changes.of_insertions(), changes.of_updates(),
                             changes.of_erasures(), changes.of_consolidations()}) {
    CAPTURE(result);
    CHECK(result.is_clean());
  }
}

}  // namespace

TEST_CASE("a compressed index is as before wherever an allocation fails", "[nndescent][allocations]") {
  check(nndescent_index(clusters(200, 1), euclidean{}, failures::one_thread, half_precision{}), clusters(30, 2),
        clusters(10, 3));
}

TEST_CASE("an index without its rows is as before wherever an allocation fails", "[nndescent][allocations]") {
  auto params = failures::one_thread;
  params.keep_rows = false;
  check(nndescent_index(clusters(200, 1), euclidean{}, params, sq8{}), clusters(30, 2), clusters(10, 3));
}

TEST_CASE("an index with codes of its edges is as before wherever an allocation fails", "[nndescent][allocations]") {
  check(nndescent_index(clusters(200, 1), inner_product{}, failures::one_thread, rabitq<>{.bits = 2}), clusters(30, 2),
        clusters(10, 3));
  check(nndescent_index(clusters(200, 1), euclidean{}, failures::one_thread, rabitq<sq8>{}), clusters(30, 2),
        clusters(10, 3));
}

TEST_CASE("a consolidation of codes of edges is made as a whole wherever an allocation fails",
          "[nndescent][allocations]") {
  using index_type = nndescent_index<matrix<float>, euclidean, rabitq<sq8>>;
  const failures::changes<index_type> changes(index_type(clusters(200, 1), {}, failures::one_thread), clusters(30, 2),
                                              clusters(10, 3), allocations::never);
  const auto result = changes.of_consolidations();
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("an index of sparse rows is as before wherever an allocation fails", "[nndescent][allocations]") {
  check(nndescent_index(sparse_rows(200, 1), cosine{}, failures::one_thread), sparse_rows(30, 2), sparse_rows(10, 3));
}
