#include "catch.hpp"
#include "lsh/every_family.hpp"

using namespace annulus;
using lsh_tests::infinity;
using lsh_tests::no_id;
using lsh_tests::rows_between;
using lsh_tests::same_bits;

// Rows and queries of zeros, which have no direction, and inner products of rows of very different lengths.

namespace {

using float_rows = matrix<float>;

/// Rows whose coordinates are all positive, but for some of zeros; a query's are all negative, so that every product
/// with another row is.
float_rows positive_rows(std::size_t n, const std::vector<std::size_t>& zeros) {
  const counter_random random(3);
  float_rows rows(n, 8);
  for (std::size_t i = 0; i < n * 8; ++i) rows.data()[i] = static_cast<float>(0.2 + random.uniform(i));
  for (const std::size_t i : zeros) std::ranges::fill(rows.row(i), 0.0f);
  return rows;
}
float_rows negative_queries(std::size_t n) {
  float_rows queries = positive_rows(n, {});
  for (std::size_t i = 0; i < n * 8; ++i) queries.data()[i] *= -1;
  return queries;
}

const std::vector<std::size_t> zeros{17, 300, 301, 999};
const lsh_params long_keys{.n_projections = 15, .n_tables = 4};

/// Answers by the own buckets, by more, and for a recall.
const std::vector<lsh_search_params> requests{{}, {.n_probes = 1}, {.n_probes = 40}, {.recall_target = 0.9}};

/// How many of the k nearest, by distance, are missing from an answer.
template <class Metric>
std::size_t missing(const neighbors& found, const float_rows& rows, const float_rows& queries) {
  const auto truth = lsh_tests::exact<Metric>(rows, queries, found.ids.cols());
  std::size_t n = 0;
  for (std::size_t i = 0; i < queries.rows(); ++i)
    for (std::size_t j = 0; j < found.ids.cols(); ++j) n += found.distances(i, j) > truth.distances(i, j);
  return n;
}

template <class F>
void for_each_cosine_family(F f) {
  f(sign_random_projection{});
  f(cross_polytope{});
}

}  // namespace

// ---- Rows of zeros --------------------------------------------------------------------------------------------------

TEST_CASE("rows of zeros are found by inner product where all other products are negative", "[lsh][zero_rows]") {
  const auto rows = positive_rows(1000, zeros), queries = negative_queries(10);
  const lsh_index index(rows, simple_mips{}, long_keys);
  for (const auto& how : requests) {
    const auto found = index.search(queries, 4, how);
    for (std::size_t i = 0; i < 10; ++i)
      CHECK(std::ranges::equal(found.ids.row(i), std::vector<id_type>{17, 300, 301, 999}));
    CHECK(missing<inner_product>(index.search(queries, 2, how), rows, queries) == 0);
  }
}

TEST_CASE("rows of zeros are found by cosine where all others are further than at a right angle", "[lsh][zero_rows]") {
  const auto rows = positive_rows(1000, zeros), queries = negative_queries(10);
  for_each_cosine_family([&](const auto& family) {
    const lsh_index index(rows, family, long_keys);
    for (const auto& how : requests) {
      const auto found = index.search(queries, 4, how);
      for (std::size_t i = 0; i < 10; ++i)
        CHECK(std::ranges::equal(found.ids.row(i), std::vector<id_type>{17, 300, 301, 999}));
      CHECK(found.distances(0, 3) == 1);
    }
  });
}

TEST_CASE("rows of zeros that were inserted are found, and not those erased or filtered out", "[lsh][zero_rows]") {
  const auto rows = positive_rows(1000, zeros), queries = negative_queries(3);
  const auto check = [&](auto family) {
    lsh_index index(rows, family, long_keys);
    CHECK(index.insert(float_rows(2, 8)) == 1000);
    index.erase(300);
    index.update(5, float_rows(1, 8));
    const auto is_odd = [](id_type id) { return id % 2 == 1; };
    for (const auto& how : requests) {
      CHECK(std::ranges::equal(index.search(queries, 6, how).ids.row(1),
                               std::vector<id_type>{5, 17, 301, 999, 1000, 1001}));
      auto odd = how;
      odd.filter = is_odd;
      CHECK(std::ranges::equal(index.search(queries, 5, odd).ids.row(2), std::vector<id_type>{5, 17, 301, 999, 1001}));
    }
  };
  check(simple_mips{});
  check(sign_random_projection{});
  check(cross_polytope{});
}

TEST_CASE("rows of zeros cost nothing where nearer ones are found", "[lsh][zero_rows]") {
  auto rows = positive_rows(1000, {});
  for (std::size_t i = 500; i < 1000; ++i) std::ranges::fill(rows.row(i), 0.0f);
  const auto check = [&](auto family) {
    const lsh_index index(rows, family, {.n_projections = 16, .n_tables = 4});
    lsh_search_stats stats;
    const auto found = index.search(rows_between(rows, 0, 50), 1, {}, &stats);
    for (id_type i = 0; i < 50; ++i) CHECK(found.ids(i, 0) < 500);
    CHECK(stats.candidates < 500);
  };
  check(simple_mips{});
  check(sign_random_projection{});
  check(cross_polytope{});
}

TEST_CASE("rows of zeros are within a radius that reaches them, by any buckets", "[lsh][zero_rows]") {
  const auto rows = positive_rows(1000, zeros), queries = negative_queries(10);
  const auto check = [&](auto family, float at) {
    const lsh_index index(rows, family, long_keys);
    for (const auto& how : requests) {
      const csr reached = index.radius_search(queries, at, how);
      for (std::size_t i = 0; i < 10; ++i) {
        const auto begin = static_cast<std::size_t>(reached.indptr[i]);
        CHECK(reached.indptr[i + 1] - reached.indptr[i] == 4);
        CHECK(std::ranges::equal(std::span(reached.indices).subspan(begin, 4),
                                 std::vector<std::int32_t>{17, 300, 301, 999}));
      }
      CHECK(index.radius_search(queries, std::nextafter(at, -infinity), how).indices.empty());
    }
  };
  check(simple_mips{}, 0);
  check(sign_random_projection{}, 1);
  check(cross_polytope{}, 1);
}

TEST_CASE("an index of nothing but zeros finds them", "[lsh][zero_rows]") {
  const auto check = [&](auto family) {
    const lsh_index index(float_rows(5, 8), family, long_keys);
    for (const auto& how : requests)
      for (const float_rows& query : {float_rows(1, 8), negative_queries(1)})
        CHECK(std::ranges::equal(index.search(query, 6, how).ids.row(0), std::vector<id_type>{0, 1, 2, 3, 4, no_id}));
  };
  check(simple_mips{});
  check(sign_random_projection{});
  check(cross_polytope{});
}

// ---- Queries of zeros -----------------------------------------------------------------------------------------------

TEST_CASE("a query of zeros gets the nearest of all rows, ties by id", "[lsh][zero_rows]") {
  const auto rows = positive_rows(400, {17, 300});
  float_rows query(1, 8);
  query(0, 3) = -0.0f;
  const auto check = [&](auto family) {
    using metric = typename decltype(family)::metric;
    lsh_index index(rows, family, long_keys);
    for (const auto& how : requests) {
      CHECK(same_bits(index.search(query, 30, how), lsh_tests::exact<metric>(rows, query, 30)));
      for (const float radius : {-1.0f, 0.0f, 0.5f, 1.0f})
        CHECK(same_bits(index.radius_search(query, radius, how),
                        lsh_tests::exact_within<metric>(rows, query, radius, lsh_tests::same_ids(400), 400)));
    }
  };
  check(simple_mips{});
  check(sign_random_projection{});
  check(cross_polytope{});
}

TEST_CASE("a query of zeros compares no more than max_candidates rows", "[lsh][zero_rows]") {
  const lsh_index index(positive_rows(400, {}), simple_mips{}, long_keys);
  lsh_search_stats stats;
  index.search(float_rows(1, 8), 5, {.max_candidates = 20}, &stats);
  CHECK(stats.candidates == 20);
}

TEST_CASE("by distances a row or query of zeros is as any other", "[lsh][zero_rows]") {
  const auto rows = positive_rows(400, {17, 300});
  const auto check = [&](const auto& family) {
    using metric = typename std::remove_cvref_t<decltype(family)>::metric;
    const lsh_index index(rows, family, {.n_projections = 6, .n_tables = 6});
    for (const float_rows& query : {float_rows(1, 8), rows_between(rows, 17, 18)}) {
      const auto found = index.search(query, 2);
      CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{17, 300}));
      CHECK(same_bits(index.search(query, 9, {.recall_target = 1}), lsh_tests::exact<metric>(rows, query, 9)));
    }
  };
  check(p_stable_l2{});
  check(p_stable_l1{});
}

TEST_CASE("rows and queries without a bit are as any other", "[lsh][zero_rows]") {
  auto rows = lsh_tests::bit_clusters(400, 8, 40, 1);
  for (const std::size_t i : {17u, 300u}) std::ranges::fill(rows.row(i), std::uint8_t{0});
  const lsh_index index(rows, bit_sampling{}, {.n_projections = 12, .n_tables = 5});
  const matrix<std::uint8_t> query(1, 8);
  for (const lsh_search_params& how : {lsh_search_params{}, {.n_probes = 1}, {.recall_target = 0.9}}) {
    CHECK(std::ranges::equal(index.search(query, 2, how).ids.row(0), std::vector<id_type>{17, 300}));
    CHECK(index.radius_search(query, 0, how).indices == std::vector<std::int32_t>{17, 300});
  }
}

TEST_CASE("empty sets are found by empty ones, and by others within a radius of 1", "[lsh][zero_rows]") {
  // Sets 0 and 2 are empty, and set 4 shares no member with set 1.
  const csr_matrix<float> sets({0, 0, 2, 2, 4, 6}, {1, 5, 1, 4, 2, 3}, std::vector<float>(6, 1), 9);
  const lsh_index index(sets, minhash{}, {.n_projections = 3, .n_tables = 4});
  const auto empty = rows_between(sets, 0, 1), other = rows_between(sets, 1, 2);
  for (const lsh_search_params& how : {lsh_search_params{}, {.recall_target = 0.9}, {.recall_target = 1}}) {
    CHECK(std::ranges::equal(index.search(empty, 2, how).ids.row(0), std::vector<id_type>{0, 2}));
    CHECK(index.radius_search(empty, 0.5f, how).indices == std::vector<std::int32_t>{0, 2});
    if (!how.recall_target) continue;
    CHECK(index.radius_search(empty, 1, how).indices == std::vector<std::int32_t>{0, 2, 1, 3, 4});
    CHECK(index.radius_search(other, 1, how).indices == std::vector<std::int32_t>{1, 3, 0, 2, 4});
  }
}

// ---- Inner products of rows of very different lengths ---------------------------------------------------------------

namespace {

/// Normal rows, each times a length of its own; the recall of the 5 greatest products, over some draws of functions.
template <class Length>
double recall_of_products(Length length, const lsh_search_params& how, lsh_search_stats& stats) {
  const std::size_t n = 3000, n_queries = 30;
  double sum = 0;
  constexpr std::uint64_t n_seeds = 8;
  for (std::uint64_t seed = 0; seed < n_seeds; ++seed) {
    auto rows = lsh_tests::clusters<float>(n + n_queries, 12, 300, seed);
    for (std::size_t i = 0; i < n; ++i)
      for (float& x : rows.row(i)) x *= static_cast<float>(length(i));
    const auto indexed = rows_between(rows, 0, n), queries = rows_between(rows, n, n + n_queries);
    const lsh_index index(indexed, simple_mips{}, {.n_projections = 8, .n_tables = 12, .seed = seed});
    sum += recall(index.search(queries, 5, how, &stats), lsh_tests::exact<inner_product>(indexed, queries, 5), 5);
  }
  return sum / n_seeds;
}

}  // namespace

TEST_CASE("one huge row does not hide the others from inner products", "[lsh][zero_rows]") {
  lsh_search_stats with, without;
  const double tidy = recall_of_products([](std::size_t) { return 1; }, {}, without);
  const double found = recall_of_products([](std::size_t i) { return i == 77 ? 1e4 : 1.0; }, {}, with);
  CHECK(found > tidy - 0.05);
  CHECK(with.candidates < 1.1 * without.candidates);
}

TEST_CASE("rows whose lengths have a heavy tail are found by inner product", "[lsh][zero_rows]") {
  const counter_random random(9);
  const auto heavy = [&](std::size_t i) { return std::exp(1.5 * random.normal(i)); };
  lsh_search_stats stats;
  CHECK(recall_of_products(heavy, {}, stats) > 0.9);
  CHECK(stats.candidates < 1500);
  CHECK(recall_of_products(heavy, {.recall_target = 0.9}, stats) > 0.9);
  CHECK(stats.candidates < 1000);
}

TEST_CASE("a recall target is kept where all products are negative", "[lsh][zero_rows]") {
  const auto rows = positive_rows(1000, {}), queries = negative_queries(50);
  const auto truth = lsh_tests::exact<inner_product>(rows, queries, 10);
  constexpr std::uint64_t n_seeds = 20;
  for (const double target : {0.5, 0.9}) {
    double sum = 0, squares = 0, candidates = 0;
    for (std::uint64_t seed = 0; seed < n_seeds; ++seed) {
      const lsh_index index(rows, simple_mips{}, {.n_projections = 5, .n_tables = 8, .seed = seed});
      lsh_search_stats stats;
      const double found = recall(index.search(queries, 10, {.recall_target = target}, &stats), truth, 10);
      sum += found / n_seeds;
      squares += found * found / n_seeds;
      candidates += stats.candidates / n_seeds;
    }
    CAPTURE(target, sum, candidates);
    CHECK(sum > target - 3 * std::sqrt((squares - sum * sum) / (n_seeds - 1)));
  }
}

TEST_CASE("rows inserted later are found by inner product, however long they are", "[lsh][zero_rows]") {
  const auto rows = lsh_tests::clusters<float>(620, 10, 60, 1);
  const auto indexed = rows_between(rows, 0, 600), queries = rows_between(rows, 600, 620);
  lsh_index<float_rows, simple_mips> index(indexed, {}, {.n_projections = 10, .n_tables = 3});
  auto longer = indexed;
  for (float& x : std::span(longer.data(), 600 * 10)) x *= 100;
  CHECK(index.insert(rows_between(longer, 0, 30)) == 600);
  index.update(4, rows_between(longer, 4, 5));
  float_rows all(630, 10);
  std::copy_n(indexed.data(), 600 * 10, all.data());
  std::copy_n(longer.data(), 30 * 10, all.row(600).data());
  std::ranges::copy(longer.row(4), all.row(4).begin());
  const auto truth = lsh_tests::exact<inner_product>(all, queries, 5);  // of the longer ones
  CHECK(std::ranges::all_of(std::span(truth.ids.data(), 100), [](id_type id) { return id >= 600 || id == 4; }));
  for (const auto& how : requests) {
    CHECK(same_bits(index.search(queries, 5, how), truth));
    CHECK(same_bits(index.radius_search(queries, -500, how),
                    lsh_tests::exact_within<inner_product>(all, queries, -500, lsh_tests::same_ids(630), 630)));
  }
  CHECK(index.candidates(queries)[7].ids.size() >= 31);
}

TEST_CASE("without its rows an index has the longest among the candidates of every query", "[lsh][zero_rows]") {
  auto rows = lsh_tests::clusters<float>(600, 10, 60, 1);
  for (float& x : rows.row(44)) x *= 100;
  const lsh_index index(rows, simple_mips{}, {.n_projections = 20, .n_tables = 2, .only_index = true});
  for (const auto& c : index.candidates(rows)) CHECK(std::ranges::count(c.ids, 44u) == 1);
}
