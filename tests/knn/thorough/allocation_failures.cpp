#include <annulus/knn/flat_index.hpp>
#include <annulus/knn/sparse_knn.hpp>

#include "catch.hpp"
#include "failing_allocations.hpp"
#include "knn/searches.hpp"

using namespace annulus;

namespace {

matrix<float> rows_of(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  return searches::random_rows<float>(n, 12, generator);
}

}  // namespace

TEST_CASE("knn throws wherever an allocation fails and is as good as before", "[knn][allocations]") {
  const auto data = rows_of(700, 1), queries = rows_of(40, 2);
  const auto result = allocations::fail_call([&] { return knn(data, queries, 5, cosine{}, {.threads = 1}); });
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("knn throws or has fewer threads where an allocation fails", "[knn][allocations]") {
  const auto data = rows_of(200, 1), queries = rows_of(150, 2);
  const auto result = allocations::fail_call([&] { return knn(data, queries, 5, cosine{}, {.threads = 2}); }, 30);
  CAPTURE(result);
  CHECK(result.is_harmless());
}

TEST_CASE("knn of sparse rows throws wherever an allocation fails", "[knn][allocations]") {
  const csr_matrix<float> data({0, 2, 4, 5}, {0, 3, 1, 3, 2}, {1, 2, 3, 4, 5}, 4);
  const auto result = allocations::fail_call([&] { return knn(data, data, 2, euclidean{}, {.threads = 1}); });
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("a flat index throws from a search wherever an allocation fails", "[knn][allocations]") {
  const auto queries = rows_of(40, 2);
  const flat_index index(rows_of(700, 1), euclidean{});
  const auto result = allocations::fail_call([&] { return index.search(queries, 5, {.threads = 1}); });
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("a flat index is as before wherever an allocation of an insertion fails", "[knn][allocations]") {
  const auto more = rows_of(9, 3), queries = rows_of(10, 2);
  const flat_index index(rows_of(50, 1), cosine{});
  const auto result = allocations::fail_change(
      index, [&](auto& changed) { changed.insert(more, {.threads = 1}); },
      [&](const auto& i) { return std::pair(i.size(), i.search(queries, 60, {.threads = 1})); });
  CAPTURE(result);
  CHECK(result.is_clean());
}
