#include <annulus/quantization/product_quantizer.hpp>

#include "catch.hpp"
#include "progress_watch.hpp"
#include "quantization/random_rows.hpp"
#include "random_data.hpp"

using annulus::id_type;
using annulus::matrix;
using annulus::matrix_view;
using annulus::neighbors;
using annulus::no_id;
using annulus::pq_metric;
using annulus::pq_search_params;
using annulus::product_quantizer;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

template <class Code>
matrix<Code> random_codes(std::size_t n, std::size_t m, std::size_t ks, std::uint64_t seed = 1) {
  std::mt19937_64 generator(seed);
  return ::random_codes<Code>(n, m, ks, generator);
}

template <class Code>
product_quantizer<Code> random_quantizer(std::size_t m, std::size_t ks, std::size_t ds,
                                         pq_metric metric = pq_metric::sqeuclidean) {
  return {m, random_rows(m * ks, ds, 1), metric};
}

/// All codes in the order of adist, those that the filter lets pass.
template <class Code>
neighbors sorted_by_adist(const product_quantizer<Code>& quantizer, const matrix<Code>& codes,
                          const matrix<float>& queries, std::size_t k, const annulus::id_filter& filter = {}) {
  neighbors result(queries.rows(), k);
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    std::vector<float> distances = quantizer.dtable(queries.row(q)).adist(codes);
    if (quantizer.metric() == pq_metric::inner_product)
      for (float& x : distances) x = -x;
    std::vector<std::pair<float, id_type>> order;
    for (id_type i = 0; i < codes.rows(); ++i)
      if (filter(i)) order.emplace_back(distances[i], i);
    std::ranges::sort(order);
    for (std::size_t j = 0; j < std::min(k, order.size()); ++j) {
      result.distances(q, j) = order[j].first;
      result.ids(q, j) = order[j].second;
    }
  }
  return result;
}

/// Checks many k for one set of codes.
template <class Code>
void check(const product_quantizer<Code>& quantizer, const matrix<Code>& codes, std::size_t n_queries) {
  const matrix<float> queries = random_rows(n_queries, quantizer.dim(), 2);
  const std::size_t n = codes.rows();
  for (const std::size_t k : {std::size_t{1}, std::size_t{2}, std::size_t{10}, n / 2 + 1, n, n + 3}) {
    CAPTURE(quantizer.m(), quantizer.ks(), n, n_queries, k);
    REQUIRE(quantizer.search(codes, queries, k) == sorted_by_adist(quantizer, codes, queries, k));
  }
}

bool is_empty(const neighbors& found, std::size_t row) {
  return std::ranges::all_of(found.ids.row(row), [](id_type id) { return id == no_id; }) &&
         std::ranges::all_of(found.distances.row(row), [](float x) { return x == infinity; });
}

}  // namespace

TEST_CASE("a search finds what sorting the distances by table does, for any number of queries", "[code_search]") {
  for (const pq_metric metric : {pq_metric::sqeuclidean, pq_metric::inner_product, pq_metric::cosine}) {
    const auto quantizer = random_quantizer<std::uint8_t>(4, 16, 2, metric);
    for (const std::size_t n_queries : {1u, 2u, 3u, 4u, 5u, 15u, 16u, 17u, 40u})
      check(quantizer, random_codes<std::uint8_t>(301, 4, 16), n_queries);
  }
}

TEST_CASE("a search finds what sorting the distances by table does, for any number of codes", "[code_search]") {
  const auto quantizer = random_quantizer<std::uint8_t>(3, 256, 1);
  for (const std::size_t n : {1u, 2u, 3u, 4u, 5u, 255u, 256u, 257u, 513u, 1000u})
    for (const std::size_t n_queries : {2u, 19u}) check(quantizer, random_codes<std::uint8_t>(n, 3, 256), n_queries);
}

TEST_CASE("a search finds what sorting the distances by table does, where tables are larger than the cache",
          "[code_search]") {
  for (const std::size_t n_queries : {3u, 21u}) {
    check(random_quantizer<std::uint8_t>(200, 256, 1), random_codes<std::uint8_t>(100, 200, 256), n_queries);
    check(random_quantizer<std::uint16_t>(60, 300, 1), random_codes<std::uint16_t>(301, 60, 300), n_queries);
    check(random_quantizer<std::uint16_t>(3, 20000, 1), random_codes<std::uint16_t>(50, 3, 20000), n_queries);
  }
}

TEST_CASE("of codes that are as near the lowest ids come first", "[code_search]") {
  const auto quantizer = random_quantizer<std::uint8_t>(2, 3, 2);  // nine different codes
  for (const std::size_t n_queries : {2u, 20u}) check(quantizer, random_codes<std::uint8_t>(600, 2, 3), n_queries);
  const neighbors found = quantizer.search(matrix<std::uint8_t>(50, 2, 1), random_rows(6, 4, 1), 40);
  for (std::size_t q = 0; q < 6; ++q)
    for (id_type j = 0; j < 40; ++j) REQUIRE(found.ids(q, j) == j);
}

TEST_CASE("a search by other codes is one by what they stand for", "[code_search]") {
  for (const pq_metric metric : {pq_metric::sqeuclidean, pq_metric::inner_product}) {
    const auto quantizer = random_quantizer<std::uint8_t>(5, 40, 3, metric);
    const auto codes = random_codes<std::uint8_t>(400, 5, 40), queries = random_codes<std::uint8_t>(21, 5, 40, 2);
    for (const std::size_t n_queries : {1u, 3u, 21u}) {
      const auto some = matrix_view<std::uint8_t>(queries).middle_rows(0, n_queries);
      REQUIRE(quantizer.search_symmetric(codes, some, 12) == quantizer.search(codes, quantizer.decode(some), 12));
    }
  }
  const auto quantizer = random_quantizer<std::uint8_t>(5, 40, 3);
  const auto codes = random_codes<std::uint8_t>(30, 5, 40);
  const neighbors found = quantizer.search_symmetric(codes, codes, 1);
  for (id_type i = 0; i < 30; ++i) {
    CHECK(found.ids(i, 0) == i);
    CHECK(found.distances(i, 0) == 0);
  }
}

TEST_CASE("under cosine, a search by other codes is by inner products with what they stand for", "[code_search]") {
  const auto quantizer = random_quantizer<std::uint8_t>(5, 40, 3, pq_metric::cosine);
  const auto codes = random_codes<std::uint8_t>(100, 5, 40), queries = random_codes<std::uint8_t>(3, 5, 40, 2);
  const matrix<float> decoded = quantizer.decode(codes), others = quantizer.decode(queries);
  const neighbors found = quantizer.search_symmetric(codes, queries, 100);
  for (std::size_t q = 0; q < 3; ++q)
    for (std::size_t j = 0; j < 100; ++j)
      REQUIRE(static_cast<double>(found.distances(q, j)) ==
              Approx(1 - inner_product(others.row(q), decoded.row(found.ids(q, j)))).margin(1e-4));
}

TEST_CASE("a search returns what its filter lets pass, be it a bitset or a callable", "[code_search]") {
  const auto quantizer = random_quantizer<std::uint8_t>(4, 16, 2);
  const auto codes = random_codes<std::uint8_t>(600, 4, 16);
  for (const std::size_t n_queries : {2u, 20u}) {
    const matrix<float> queries = random_rows(n_queries, 8, 2);
    for (const std::size_t part : {1u, 3u, 500u, 2000u}) {
      std::vector<bool> bits(600);
      for (std::size_t i = 0; i < 600; ++i) bits[i] = i % part == part / 2;
      const auto callable = [part](id_type i) { return i % part == part / 2; };
      const neighbors expected = sorted_by_adist(quantizer, codes, queries, 7, callable);
      CAPTURE(n_queries, part);
      CHECK(quantizer.search(codes, queries, 7, {.filter = bits}) == expected);
      CHECK(quantizer.search(codes, queries, 7, {.filter = callable}) == expected);
      CHECK(is_empty(expected, 0) == (part == 2000));
    }
    const std::vector<bool> first(100, true);
    CHECK(quantizer.search(codes, queries, 7, {.filter = first}) ==
          sorted_by_adist(quantizer, codes, queries, 7, [](id_type i) { return i < 100; }));
  }
}

TEST_CASE("a query that is not finite has no neighbours, and leaves the others theirs", "[code_search]") {
  const auto codes = random_codes<std::uint8_t>(200, 4, 16);
  for (const pq_metric metric : {pq_metric::sqeuclidean, pq_metric::inner_product, pq_metric::cosine}) {
    const auto quantizer = random_quantizer<std::uint8_t>(4, 16, 2, metric);
    for (const std::size_t n_queries : {1u, 3u, 16u, 40u}) {
      const matrix<float> queries = random_rows(n_queries, 8, 2);
      const neighbors expected = quantizer.search(codes, queries, 5);
      for (const float value : {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity})
        for (const std::size_t bad : {std::size_t{0}, n_queries / 2, n_queries - 1}) {
          matrix<float> broken = queries;
          broken(bad, 7) = value;
          const neighbors found = quantizer.search(codes, broken, 5);
          for (std::size_t q = 0; q < n_queries; ++q) {
            if (q == bad) REQUIRE(is_empty(found, q));
            else REQUIRE(std::ranges::equal(found.ids.row(q), expected.ids.row(q)));
          }
        }
    }
  }
}

TEST_CASE("every query of a batch has the answer that it has alone", "[code_search]") {
  for (const pq_metric metric : {pq_metric::sqeuclidean, pq_metric::inner_product, pq_metric::cosine}) {
    const auto quantizer = random_quantizer<std::uint8_t>(7, 50, 3, metric);
    const auto codes = random_codes<std::uint8_t>(777, 7, 50);
    const matrix<float> queries = random_rows(37, 21, 2);
    const neighbors together = quantizer.search(codes, queries, 9);
    for (std::size_t q = 0; q < 37; ++q) {
      const neighbors alone = quantizer.search(codes, matrix_view<float>(queries).middle_rows(q, 1), 9);
      REQUIRE(std::ranges::equal(alone.ids.row(0), together.ids.row(q)));
      REQUIRE(std::ranges::equal(alone.distances.row(0), together.distances.row(q)));
    }
  }
}

TEST_CASE("codes and queries may have any stride", "[code_search]") {
  const auto quantizer = random_quantizer<std::uint8_t>(3, 16, 2);
  const auto codes = random_codes<std::uint8_t>(101, 3, 16);
  const matrix<float> queries = random_rows(6, 6, 2);
  matrix<std::uint8_t> wide_codes(101, 5, 200);
  matrix<float> wide_queries(6, 9, infinity);
  for (std::size_t i = 0; i < 101; ++i) std::ranges::copy(codes.row(i), wide_codes.row(i).begin() + 1);
  for (std::size_t q = 0; q < 6; ++q) std::ranges::copy(queries.row(q), wide_queries.row(q).begin() + 2);
  const matrix_view<std::uint8_t> strided_codes(wide_codes.data() + 1, 101, 3, 5);
  const matrix_view<float> strided_queries(wide_queries.data() + 2, 6, 6, 9);
  CHECK(quantizer.search(strided_codes, strided_queries, 8) == quantizer.search(codes, queries, 8));
}

TEST_CASE("a search gives the same bits for every number of threads", "[code_search]") {
  for (const pq_metric metric : {pq_metric::sqeuclidean, pq_metric::cosine}) {
    const auto quantizer = random_quantizer<std::uint8_t>(4, 30, 3, metric);
    const auto codes = random_codes<std::uint8_t>(400, 4, 30);
    const matrix<float> queries = random_rows(70, 12, 2);
    const neighbors one = quantizer.search(codes, queries, 6, {.threads = 1});
    for (const std::size_t threads : {0u, 2u, 3u, 8u})
      CHECK(quantizer.search(codes, queries, 6, {.threads = threads}) == one);
    const auto few = matrix_view<std::uint8_t>(codes).middle_rows(0, 70);
    CHECK(quantizer.search_symmetric(codes, few, 6, {.threads = 3}) ==
          quantizer.search_symmetric(codes, few, 6, {.threads = 1}));
  }
}

TEST_CASE("where there are no codes, rows are empty", "[code_search]") {
  const auto quantizer = random_quantizer<std::uint8_t>(4, 30, 3);
  const neighbors found = quantizer.search(matrix<std::uint8_t>(0, 4), random_rows(5, 12, 1), 3);
  REQUIRE(found.ids.rows() == 5);
  REQUIRE(found.ids.cols() == 3);
  for (std::size_t q = 0; q < 5; ++q) CHECK(is_empty(found, q));
}

TEST_CASE("no queries have no rows", "[code_search]") {
  const auto quantizer = random_quantizer<std::uint8_t>(4, 30, 3);
  const auto codes = random_codes<std::uint8_t>(10, 4, 30);
  CHECK(quantizer.search(codes, matrix<float>(0, 12), 3) == neighbors(0, 3));
  CHECK(quantizer.search_symmetric(codes, matrix<std::uint8_t>(0, 4), 3) == neighbors(0, 3));
}

TEST_CASE("a search reports its progress and can be cancelled", "[code_search]") {
  const auto quantizer = random_quantizer<std::uint8_t>(4, 30, 3);
  const auto codes = random_codes<std::uint8_t>(10, 4, 30);
  const matrix<float> queries = random_rows(200, 12, 1);
  std::vector<double> fractions;
  progress_watch watch;
  const auto record = [&](const annulus::progress_report& report) {
    watch.see(report);
    fractions.push_back(report.fraction);
    return true;
  };
  quantizer.search(codes, queries, 2, {.threads = 1, .progress = record});
  CHECK(fractions.size() > 1);
  CHECK(watch.fault({"product quantizer search"}) == "");
  progress_watch of_none;
  quantizer.search(matrix<std::uint8_t>(0, 4), queries, 2, {.progress = of_none.callback()});
  CHECK(of_none.fault({"product quantizer search"}) == "");
  CHECK(std::ranges::is_sorted(fractions));
  CHECK(fractions.back() == 1);
  const pq_search_params cancelling{.threads = 1, .progress = [](const annulus::progress_report&) { return false; }};
  CHECK_THROWS_AS(quantizer.search(codes, queries, 2, cancelling), annulus::cancelled);
  CHECK_THROWS_AS(quantizer.search_symmetric(codes, codes, 2, cancelling), annulus::cancelled);
}

TEST_CASE("an exception of the filter reaches the caller from any thread", "[code_search]") {
  const auto quantizer = random_quantizer<std::uint8_t>(4, 30, 3);
  const auto codes = random_codes<std::uint8_t>(10, 4, 30);
  const auto filter = [](id_type i) {
    if (i == 9) throw std::runtime_error("filter");
    return true;
  };
  for (const std::size_t threads : {1u, 3u})
    CHECK_THROWS_WITH(quantizer.search(codes, random_rows(100, 12, 1), 10, {.threads = threads, .filter = filter}),
                      ContainsSubstring("filter"));
}
