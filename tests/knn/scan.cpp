#include <annulus/knn/scan.hpp>

#include "catch.hpp"
#include "knn/search_by.hpp"

using namespace annulus;
using searches::same_bits;

namespace {

/// So large that several threads share the rows of one query; all but the first coordinates are zero.
constexpr std::size_t n = 500, d = 8192;

matrix<float> random_starts(std::size_t count, std::uint64_t seed) {
  matrix<float> m(count, d);
  std::mt19937_64 generator(seed);
  for (std::size_t i = 0; i < count; ++i) m(i, 0) = std::uniform_real_distribution<float>(-1, 1)(generator);
  return m;
}

const matrix<float>& data() {
  static const auto rows = random_starts(n, 1);
  return rows;
}

const auto by_start = [](const float* a, const float* b, std::size_t) { return std::abs(*a - *b); };
/// As knn does, for queries whose `skip` is not set, or all.
template <class T, class Metric>
neighbors scanned(matrix_view<T> rows, const Metric& metric, matrix_view<T> queries, std::size_t k, std::size_t threads,
                  const id_filter& filter = {}, std::vector<char> skip = {}) {
  neighbors found(queries.rows(), k);
  skip.resize(queries.rows());
  const detail::erased_metric<matrix_view<T>, rank_t<Metric, T>> erased(metric);
  detail::scan<matrix_view<T>>(rows, erased, queries, k, filter, threads, {}, skip, found);
  return found;
}
neighbors scanned(const auto& metric, const matrix<float>& queries, std::size_t k, std::size_t threads,
                  const id_filter& filter = {}, const std::vector<char>& skip = {}) {
  return scanned<float>(data(), metric, queries, k, threads, filter, skip);
}

}  // namespace

TEST_CASE("threads that share the rows of a query find what a sort of all rows does", "[scan]") {
  const id_filter odd = [](id_type id) { return id % 2 == 1; };
  for (const std::size_t m : {1u, 2u, 7u})
    for (const std::size_t k : {1u, 20u, 100u, 500u})
      for (const std::size_t threads : {1u, 2u, 3u, 8u})
        for (const auto& filter : {id_filter{}, odd}) {
          const auto queries = random_starts(m, 2);
          CAPTURE(m, k, threads);
          CHECK(same_bits(scanned(by_start, queries, k, threads, filter),
                          searches::naive_knn(data(), queries, k, filter, by_start)));
        }
}

TEST_CASE("a tie between rows of different threads goes to the lower id", "[scan]") {
  const auto all_alike = [](const float*, const float*, std::size_t) { return 1.0f; };
  std::vector<id_type> lowest(400);
  std::iota(lowest.begin(), lowest.end(), 0u);
  for (const std::size_t threads : {1u, 2u, 8u})
    CHECK(std::ranges::equal(scanned(all_alike, random_starts(1, 2), 400, threads).ids.row(0), lowest));
}

TEST_CASE("a query that is passed over keeps its row of the result", "[scan]") {
  for (const std::size_t m : {3u, 90u})
    for (const std::size_t threads : {1u, 8u}) {
      const auto queries = random_starts(m, 3);
      std::vector<char> odd(m);
      for (std::size_t i = 0; i < m; ++i) odd[i] = i % 2 == 1;
      const neighbors found = scanned(by_start, queries, 5, threads, {}, odd);
      auto expected = searches::naive_knn(data(), queries, 5, {}, by_start);
      for (std::size_t i = 1; i < m; i += 2) {
        std::ranges::fill(expected.ids.row(i), no_id);
        std::ranges::fill(expected.distances.row(i), std::numeric_limits<float>::infinity());
      }
      CAPTURE(m, threads);
      CHECK(same_bits(found, expected));
    }
}

TEST_CASE("a row at a distance of NaN or infinity is no neighbour", "[scan]") {
  const auto near_only = [](const float* a, const float* b, std::size_t) {
    if (*b < -0.5f) return std::numeric_limits<float>::quiet_NaN();
    return *b > 0.5f ? std::numeric_limits<float>::infinity() : std::abs(*a - *b);
  };
  const auto found = scanned(near_only, random_starts(1, 4), n, 2);
  std::size_t near = 0;
  for (std::size_t i = 0; i < n; ++i) near += std::abs(data()(i, 0)) <= 0.5f;
  CHECK(searches::well_formed(found));
  CHECK(static_cast<std::size_t>(std::ranges::count(found.ids.row(0), no_id)) == n - near);
}

TEST_CASE("a metric may hold state, and is called in place once a pair", "[scan]") {
  std::atomic<std::size_t> calls = 0;
  const auto counted = [&calls, weight = 2.0](const float* a, const float* b, std::size_t) {
    ++calls;
    return weight * static_cast<double>(std::abs(*a - *b));
  };
  const auto found = scanned(counted, random_starts(3, 5), 5, 2);
  CHECK(calls == 3 * n);
  CHECK(found.ids == scanned(by_start, random_starts(3, 5), 5, 1).ids);
}

TEST_CASE("rows that lie across cache lines are found as those that do not", "[scan]") {
  constexpr std::size_t rows = 300, dim = 32, queries = 20, padding = 5;
  std::mt19937_64 generator(9);
  std::vector<float> values(rows * dim + padding), asked(queries * dim + padding);
  for (auto* some : {&values, &asked})
    for (float& x : *some) x = std::uniform_real_distribution<float>(-1, 1)(generator);
  for (std::size_t offset = 0; offset < padding; offset += 2) {
    matrix<float> whole(rows, dim), whole_queries(queries, dim);
    std::copy_n(values.data() + offset, rows * dim, whole.data());
    std::copy_n(asked.data() + offset, queries * dim, whole_queries.data());
    const auto found =
        scanned<float>({values.data() + offset, rows, dim}, manhattan{}, {asked.data() + offset, queries, dim}, 7, 1);
    const auto expected = scanned<float>(whole, manhattan{}, whole_queries, 7, 1);
    CHECK(same_bits(found, expected));
  }
}
