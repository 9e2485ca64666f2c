#include <annulus/quantization/fast_scan.hpp>

#include "catch.hpp"
#include "progress_watch.hpp"
#include "random_data.hpp"

#include <random>

namespace fast_scan_tests {

using namespace annulus;

namespace {

using pq8 = product_quantizer<std::uint8_t>;
using index_type = fast_scan_index<>;

matrix<float> random_rows(std::size_t n, std::size_t d, std::mt19937& generator) {
  std::normal_distribution<float> any;
  matrix<float> rows(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (float& x : rows.row(i)) x = any(generator);
  return rows;
}

pq8 random_quantizer(std::size_t m, std::size_t ks, std::size_t ds, pq_metric metric, std::mt19937& generator) {
  return pq8(m, random_rows(m * ks, ds, generator), metric);
}

index_type index_of(const pq8& quantizer, const matrix<std::uint8_t>& codes) {
  index_type index(quantizer);
  index.insert_codes(codes);
  return index;
}

/// The k nearest by the sums of bytes, by their definition; by floats where bytes are too coarse.
neighbors nearest_by_bytes(const pq8& quantizer, const matrix<std::uint8_t>& codes, const matrix<float>& queries,
                           std::size_t k, const id_filter& filter = {}) {
  neighbors result(queries.rows(), k);
  const std::size_t m = quantizer.m(), ks = quantizer.ks();
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    matrix<float> table = quantizer.dtable(queries.row(q)).values();
    if (quantizer.metric() == pq_metric::inner_product)
      for (std::size_t i = 0; i < m; ++i)
        for (float& x : table.row(i)) x = -x;
    std::vector<std::uint8_t> bytes(m * ks);
    std::vector<float> least(m);
    const bool mirrored = quantizer.metric() == pq_metric::inner_product;
    const auto quantized = detail::quantize_table(table, ks, bytes.data(), least, mirrored);
    if (quantized.is_coarse) {
      const auto found = quantizer.search(codes, queries.row(q), k, {.filter = filter});
      std::ranges::copy(found.ids.row(0), result.ids.row(q).begin());
      std::ranges::copy(found.distances.row(0), result.distances.row(q).begin());
      continue;
    }
    std::vector<candidate<std::uint32_t>> all;
    for (id_type i = 0; i < codes.rows(); ++i) {
      if (!filter(i)) continue;
      all.push_back({0, i});
      for (std::size_t j = 0; j < m; ++j) all.back().rank += bytes[j * ks + codes(i, j)];
    }
    std::ranges::sort(all, std::less<>());
    for (std::size_t j = 0; j < std::min(k, all.size()); ++j) {
      result.ids(q, j) = all[j].id;
      result.distances(q, j) = quantized.distance(all[j].rank);
    }
  }
  return result;
}

/// The k nearest rows by their distances.
template <class Metric>
neighbors nearest_rows(const matrix<float>& rows, matrix_view<float> queries, std::size_t k, const Metric& metric) {
  neighbors result(queries.rows(), k);
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    top_k<float> nearest(k);
    const prepared_query<Metric, float> rank(metric, queries.row(q).data(), queries.cols());
    for (id_type i = 0; i < rows.rows(); ++i) nearest.push(rank(rows.row(i).data()), i);
    std::size_t j = 0;
    for (const auto& c : nearest.sorted()) {
      result.ids(q, j) = c.id;
      result.distances(q, j++) = distance_of(metric, c.rank);
    }
  }
  return result;
}

struct shape {
  std::size_t n, m, ks, ds, k;
};
const std::vector<shape> shapes = {{1, 1, 1, 1, 1},      {31, 3, 16, 2, 5},     {64, 4, 7, 1, 70},
                                   {65, 1, 2, 3, 10},    {700, 16, 16, 2, 10},  {700, 9, 16, 3, 50},
                                   {64, 2, 17, 2, 3},    {1, 3, 256, 1, 2},     {700, 5, 256, 2, 10},
                                   {513, 8, 100, 1, 40}, {90, 40, 16, 1, 1000}, {8000, 40, 16, 1, 32}};
const auto metrics = {pq_metric::sqeuclidean, pq_metric::inner_product, pq_metric::cosine};

}  // namespace

TEST_CASE("a search by bytes finds what summing the bytes of all codes finds", "[fast_scan]") {
  std::mt19937 generator(1);
  for (const auto& s : shapes)
    for (const auto metric : metrics) {
      CAPTURE(s.n, s.m, s.ks, s.k, static_cast<int>(metric));
      const auto quantizer = random_quantizer(s.m, s.ks, s.ds, metric, generator);
      const auto codes = random_codes<std::uint8_t>(s.n, s.m, s.ks, generator);
      const auto queries = random_rows(11, s.m * s.ds, generator);
      REQUIRE(index_of(quantizer, codes).search(queries, s.k, {.threads = 1}) ==
              nearest_by_bytes(quantizer, codes, queries, s.k));
    }
}

TEST_CASE("a search by float tables finds exactly what the quantiser's own search finds", "[fast_scan]") {
  std::mt19937 generator(2);
  for (const auto& s : shapes)
    for (const auto metric : metrics) {
      CAPTURE(s.n, s.m, s.ks, s.k, static_cast<int>(metric));
      const auto quantizer = random_quantizer(s.m, s.ks, s.ds, metric, generator);
      const auto codes = random_codes<std::uint8_t>(s.n, s.m, s.ks, generator);
      const auto queries = random_rows(11, s.m * s.ds, generator);
      REQUIRE(index_of(quantizer, codes).search(queries, s.k, {.float_tables = true, .threads = 1}) ==
              quantizer.search(codes, queries, s.k));
    }
}

namespace {

/// Codes of 8 sub-spaces whose codewords are changed by change(codewords, ks), and what both searches find.
template <class Change>
void check_by_floats(pq_metric metric, std::size_t ks, Change change, bool expect_floats = true) {
  std::mt19937 generator(3);
  matrix<float> codewords = random_rows(8 * ks, 2, generator);
  change(codewords);
  const pq8 quantizer(8, codewords, metric);
  const auto codes = random_codes<std::uint8_t>(600, 8, ks, generator);
  const auto queries = random_rows(9, 16, generator);
  const auto index = index_of(quantizer, codes);
  const auto exact = quantizer.search(codes, queries, 10);
  CAPTURE(ks, static_cast<int>(metric));
  CHECK(index.search(queries, 10, {.float_tables = true}) == exact);
  // A query that is at about a right angle to what is wide has tables of which bytes do tell.
  const auto found = index.search(queries, 10);
  std::size_t n_exact = 0;
  for (std::size_t i = 0; i < queries.rows(); ++i)
    n_exact += std::ranges::equal(found.distances.row(i), exact.distances.row(i));
  CAPTURE(n_exact);
  if (expect_floats) CHECK(n_exact >= queries.rows() - (metric == pq_metric::inner_product ? 2 : 0));
  else CHECK(n_exact < queries.rows() / 2);
  const auto rows = quantizer.decode(codes);
  CHECK(index.search(queries, 10, rows, {.k_factor = 60}) ==
        index.search(queries, 10, rows, {.float_tables = true, .k_factor = 60}));
}

}  // namespace

TEST_CASE("float tables decide, unasked, among codes that the bytes cannot tell apart", "[fast_scan]") {
  for (const auto metric : {pq_metric::sqeuclidean, pq_metric::inner_product})
    for (const std::size_t ks : {16u, 60u}) {
      const auto scale_space = [&](matrix<float>& codewords, std::size_t space, float by) {
        for (std::size_t c = 0; c < ks; ++c)
          for (float& x : codewords.row(space * ks + c)) x *= by;
      };
      // A codeword of an outlier, in one sub-space or in each of them.
      check_by_floats(metric, ks, [](auto& codewords) { codewords(0, 0) = codewords(0, 1) = 1e3f; });
      check_by_floats(metric, ks, [&](auto& codewords) {
        for (std::size_t m = 0; m < 8; ++m) codewords(m * ks, 0) = codewords(m * ks, 1) = 1e4f;
      });
      // Sub-spaces far wider than the others.
      for (const std::size_t n_wide : {1u, 2u, 3u})
        check_by_floats(metric, ks, [&](auto& codewords) {
          for (std::size_t m = 0; m < n_wide; ++m) scale_space(codewords, m, 300);
        });
      // All alike.
      check_by_floats(
          metric, ks, [](auto&) {}, false);
    }
}

TEST_CASE("tables of any range give the order that floats give, or a byte's rounding of it", "[fast_scan]") {
  for (const std::size_t ks : {16u, 60u}) {
    std::mt19937 generator(13);
    const matrix<float> codewords = random_rows(8 * ks, 2, generator);
    const auto codes = random_codes<std::uint8_t>(500, 8, ks, generator);
    const auto queries = random_rows(9, 16, generator);
    const auto expected = index_of(pq8(8, codewords), codes).search(queries, 10);
    const auto floats = pq8(8, codewords).search(codes, queries, 10);
    for (int exponent = -74; exponent <= 56; ++exponent) {
      // Powers of two change no digit, until squares are below the least normal float: there bytes are as good still,
      // or floats rank what is left of them.
      const auto scaled = [&](matrix<float> rows) {
        for (std::size_t i = 0; i < rows.rows(); ++i)
          for (float& x : rows.row(i)) x = std::ldexp(x, exponent);
        return rows;
      };
      const pq8 quantizer(8, scaled(codewords));
      const auto index = index_of(quantizer, codes);
      const auto found = index.search(scaled(queries), 10);
      CAPTURE(ks, exponent);
      CHECK(index.search(scaled(queries), 10, {.float_tables = true}) == quantizer.search(codes, scaled(queries), 10));
      if (exponent >= -50) {
        CHECK(found.ids == expected.ids);
        CHECK(quantizer.search(codes, scaled(queries), 10).ids == floats.ids);
      } else if (exponent <= -64) {
        CHECK(found == quantizer.search(codes, scaled(queries), 10));
      }
    }
  }
}

TEST_CASE("codes that are all the same come by id", "[fast_scan]") {
  std::mt19937 generator(4);
  for (const std::size_t ks : {16u, 256u})
    for (const bool floats : {false, true}) {
      const auto quantizer = random_quantizer(3, ks, 2, pq_metric::sqeuclidean, generator);
      const auto index = index_of(quantizer, matrix<std::uint8_t>(500, 3, 7));
      for (const std::size_t k : {5u, 100u}) {
        const auto found = index.search(random_rows(6, 6, generator), k, {.float_tables = floats});
        for (std::size_t q = 0; q < 6; ++q)
          for (std::size_t j = 0; j < k; ++j) REQUIRE(found.ids(q, j) == j);
      }
    }
}

TEST_CASE("candidates are ranked by the rows, and enough of them make the search exact", "[fast_scan]") {
  std::mt19937 generator(5);
  for (const std::size_t ks : {16u, 50u}) {
    const auto rows = random_rows(300, 12, generator), queries = random_rows(10, 12, generator);
    const auto check = [&](pq_metric pq, const auto& metric) {
      const auto exact = nearest_rows(rows, queries, 7, metric);
      const auto nearest_by_rows = [&](std::size_t q) {
        return nearest_rows(rows, matrix_view<float>(queries).middle_rows(q, 1), 300, metric);
      };
      const auto quantizer = random_quantizer(4, ks, 3, pq, generator);
      const index_type index(quantizer, rows);
      CAPTURE(ks, static_cast<int>(pq));
      for (const bool floats : {false, true})
        CHECK(index.search(queries, 7, rows, {.float_tables = floats, .k_factor = 300}) == exact);
      // With fewer candidates: the best of those that the bytes choose.
      for (const std::size_t factor : {1u, 3u}) {
        const auto chosen = index.search(queries, 7 * factor);
        const auto ranked = index.search(queries, 7, rows, {.k_factor = factor});
        for (std::size_t q = 0; q < 10; ++q) {
          std::vector<id_type> expected;
          const auto all = nearest_by_rows(q);
          for (const id_type id : all.ids.row(0))
            if (std::ranges::find(chosen.ids.row(q), id) != chosen.ids.row(q).end() && expected.size() < 7)
              expected.push_back(id);
          CHECK(std::ranges::equal(ranked.ids.row(q), expected));
        }
      }
    };
    check(pq_metric::sqeuclidean, sqeuclidean{});
    check(pq_metric::inner_product, annulus::inner_product{});
    check(pq_metric::cosine, cosine{});
  }
}

TEST_CASE("rows that a filter refuses are never found, and those behind them are", "[fast_scan]") {
  std::mt19937 generator(6);
  for (const std::size_t ks : {16u, 80u}) {
    const auto quantizer = random_quantizer(4, ks, 3, pq_metric::sqeuclidean, generator);
    const auto rows = random_rows(400, 12, generator), queries = random_rows(5, 12, generator);
    const index_type index(quantizer, rows);
    const id_filter third([](id_type id) { return id % 3 == 0; });
    CHECK(index.search(queries, 9, {.filter = third}) == nearest_by_bytes(quantizer, index.codes(), queries, 9, third));
    CHECK(index.search(queries, 9, {.float_tables = true, .filter = third}) ==
          quantizer.search(index.codes(), queries, 9, {.filter = third}));
    const auto ranked = index.search(queries, 9, rows, {.k_factor = 1000, .filter = third});
    for (std::size_t q = 0; q < 5; ++q)
      for (const id_type id : ranked.ids.row(q)) CHECK(id % 3 == 0);
    const auto two = index.search(queries, 3, {.filter = [](id_type id) { return id == 7 || id == 399; }});
    CHECK(two.ids(0, 1) != no_id);
    CHECK(two.ids(0, 2) == no_id);
    CHECK(two.distances(0, 2) == std::numeric_limits<float>::infinity());
  }
}

TEST_CASE("the bits do not depend on the number of threads, nor on the queries beside one", "[fast_scan]") {
  std::mt19937 generator(7);
  for (const std::size_t ks : {16u, 40u}) {
    const index_type index(random_quantizer(4, ks, 2, pq_metric::cosine, generator), random_rows(333, 8, generator));
    const auto queries = random_rows(150, 8, generator), rows = random_rows(333, 8, generator);
    for (const bool floats : {false, true}) {
      const auto found = index.search(queries, 10, {.float_tables = floats, .threads = 1});
      const auto ranked = index.search(queries, 10, rows, {.float_tables = floats, .threads = 1});
      for (const std::size_t threads : {2u, 3u, 8u}) {
        CHECK(index.search(queries, 10, {.float_tables = floats, .threads = threads}) == found);
        CHECK(index.search(queries, 10, rows, {.float_tables = floats, .threads = threads}) == ranked);
      }
      for (std::size_t q = 0; q < 150; q += 17) {
        const auto alone = index.search(queries.row(q), 10, {.float_tables = floats});
        CHECK(std::ranges::equal(alone.ids.row(0), found.ids.row(q)));
        CHECK(std::ranges::equal(alone.distances.row(0), found.distances.row(q)));
      }
    }
  }
}

TEST_CASE("a query that is not finite, or whose table is not, has no neighbours and harms no other", "[fast_scan]") {
  std::mt19937 generator(8);
  for (const std::size_t ks : {16u, 40u}) {
    const index_type index(random_quantizer(2, ks, 2, pq_metric::sqeuclidean, generator),
                           random_rows(100, 4, generator));
    auto queries = random_rows(20, 4, generator);
    const auto rows = random_rows(100, 4, generator);
    const auto before = index.search(queries, 3);
    queries(1, 2) = std::numeric_limits<float>::quiet_NaN();
    queries(2, 0) = -std::numeric_limits<float>::infinity();
    queries(17, 3) = 1e30f;
    for (const auto& found :
         {index.search(queries, 3), index.search(queries, 3, rows), index.search(queries, 3, {.float_tables = true})})
      for (const std::size_t q : {1u, 2u, 17u}) {
        CHECK(std::ranges::all_of(found.ids.row(q), [](id_type id) { return id == no_id; }));
        CHECK(std::ranges::all_of(found.distances.row(q),
                                  [](float x) { return !annulus::detail::is_finite(x) && x > 0; }));
      }
    const auto after = index.search(queries, 3);
    for (const std::size_t q : {0u, 3u, 16u, 18u}) CHECK(std::ranges::equal(before.ids.row(q), after.ids.row(q)));
  }
}

TEST_CASE("an index without codes, and searches without queries, give padding or nothing", "[fast_scan]") {
  std::mt19937 generator(9);
  for (const std::size_t ks : {16u, 40u}) {
    const index_type index(random_quantizer(2, ks, 2, pq_metric::sqeuclidean, generator));
    CHECK(index.size() == 0);
    CHECK(index.memory_bytes() == 0);
    CHECK(index.codes().rows() == 0);
    const auto queries = random_rows(3, 4, generator);
    CHECK(index.search(queries, 2) == neighbors(3, 2));
    CHECK(index.search(queries, 2, matrix<float>(0, 4)) == neighbors(3, 2));
    CHECK(index.search(matrix<float>(0, 4), 2) == neighbors(0, 2));
  }
}

TEST_CASE("codes and vectors inserted in parts are those inserted at once", "[fast_scan]") {
  std::mt19937 generator(10);
  for (const std::size_t ks : {16u, 256u}) {
    const auto quantizer = random_quantizer(5, ks, 2, pq_metric::sqeuclidean, generator);
    const auto rows = random_rows(130, 10, generator);
    const index_type whole(quantizer, rows, {.threads = 1});
    index_type parts(quantizer);
    CHECK(parts.insert(matrix_view<float>(rows).middle_rows(0, 50)) == 0);
    CHECK(parts.insert_codes(quantizer.encode(matrix_view<float>(rows).middle_rows(50, 80))) == 50);
    CHECK(parts.insert_codes(matrix<std::uint8_t>()) == 130);
    CHECK(whole.codes() == quantizer.encode(rows));
    CHECK(parts.codes() == whole.codes());
    CHECK(parts.code(129, 4) == whole.codes()(129, 4));
    CHECK(parts.memory_bytes() == (ks == 16 ? whole.memory_bytes() : 192 * 5));
    CHECK(parts.quantizer() == quantizer);
    CHECK(parts.dim() == 10);
  }
}

TEST_CASE("what an index cannot do is refused, and changes nothing", "[fast_scan]") {
  std::mt19937 generator(11);
  const auto quantizer = random_quantizer(2, 10, 2, pq_metric::sqeuclidean, generator);
  index_type index(quantizer, random_rows(40, 4, generator));
  const auto queries = random_rows(3, 4, generator);
  CHECK_THROWS_AS(index_type(pq8(2, 16)), std::invalid_argument);
  CHECK_THROWS_AS(index.search(queries, 0), std::invalid_argument);
  CHECK_THROWS_AS(index.search(random_rows(3, 5, generator), 1), std::invalid_argument);
  CHECK_THROWS_AS(index.search(queries, 1, random_rows(39, 4, generator)), std::invalid_argument);
  CHECK_THROWS_AS(index.search(queries, 1, random_rows(40, 5, generator)), std::invalid_argument);
  CHECK_THROWS_AS(index.search(queries, 1, random_rows(40, 4, generator), {.k_factor = 0}), std::invalid_argument);
  matrix<std::uint8_t> codes(3, 2, 9);
  codes(2, 1) = 10;
  CHECK_THROWS_AS(index.insert_codes(codes), std::invalid_argument);
  CHECK_THROWS_AS(index.insert_codes(matrix<std::uint8_t>(3, 3)), std::invalid_argument);
  CHECK_THROWS_AS(index.insert(random_rows(3, 5, generator)), std::invalid_argument);
  CHECK_THROWS_AS(index.code(40, 0), std::invalid_argument);
  CHECK_THROWS_AS(index.code(0, 2), std::invalid_argument);
  CHECK(index.size() == 40);
}

TEST_CASE("a search that its callback cancels throws", "[fast_scan]") {
  std::mt19937 generator(12);
  const index_type index(random_quantizer(2, 16, 2, pq_metric::sqeuclidean, generator), random_rows(40, 4, generator));
  for (const index_type& searched : {index, index_type(index.quantizer())}) {
    progress_watch watch;
    searched.search(random_rows(300, 4, generator), 2, {.progress = watch.callback()});
    CHECK(watch.fault({"fast_scan"}) == "");
  }
  const progress_callback stop = [](const progress_report&) { return false; };
  CHECK_THROWS_AS(index.search(random_rows(3, 4, generator), 2, {.progress = stop}), cancelled);
}

}  // namespace fast_scan_tests
