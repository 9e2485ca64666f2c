#include <annulus/knn/knn.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/families/simple_mips.hpp>

#include <set>

#include "catch.hpp"
#include "lsh/indexes.hpp"

namespace search_tests {

using namespace annulus;
using float_rows = matrix<float>;
using cosine_index = lsh_index<float_rows, sign_random_projection>;

namespace {

constexpr std::size_t dim = 16;

matrix_view<float> row_of(const float_rows& rows, std::size_t i) { return matrix_view<float>(rows).middle_rows(i, 1); }

/// Around each query 5 rows at a cosine distance, and 40 at .15 to .16; far from all of them 1000 others.
struct shells {
  static constexpr std::size_t n_queries = 20, n_near = 5, n_around = 40;
  float_rows rows, queries;

  shells(std::uint64_t seed, double near) : rows(n_queries * (n_near + n_around) + 1000, dim), queries(n_queries, dim) {
    const counter_random random(seed, 1);
    std::uint64_t counter = 0;
    const auto direction = [&](std::span<float> row) {
      for (float& x : row) x = static_cast<float>(random.normal(counter++));
    };
    for (std::size_t i = 0; i < rows.rows(); ++i) direction(rows.row(i));
    for (std::size_t q = 0; q < n_queries; ++q) {
      direction(queries.row(q));
      for (std::size_t i = 0; i < n_near + n_around; ++i) {
        const double distance = i < n_near ? near : 0.15 + 0.01 * random.uniform(counter++);
        place(queries.row(q), distance, rows.row(q * (n_near + n_around) + i));
      }
    }
  }

  /// The row goes to a distance from the query, in the plane of both.
  static void place(std::span<const float> query, double distance, std::span<float> row) {
    double square = 0, product = 0, rest = 0;
    for (std::size_t j = 0; j < dim; ++j) {
      square += static_cast<double>(query[j]) * static_cast<double>(query[j]);
      product += static_cast<double>(query[j]) * static_cast<double>(row[j]);
    }
    std::array<double, dim> across{};
    for (std::size_t j = 0; j < dim; ++j) {
      across[j] = static_cast<double>(row[j]) - product / square * static_cast<double>(query[j]);
      rest += across[j] * across[j];
    }
    const double along = (1 - distance) / std::sqrt(square), aside = std::sqrt(distance * (2 - distance) / rest);
    for (std::size_t j = 0; j < dim; ++j)
      row[j] = static_cast<float>(along * static_cast<double>(query[j]) + aside * across[j]);
  }
};

}  // namespace

TEST_CASE("a recall target is kept on average over the nearer and the further of the k rows", "[lsh][search]") {
  // Where 5 of the 10 nearest are found for sure, two in five of the others may be missed.
  for (const double near : {0.002, 0.15}) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const shells made(seed, near);
      const cosine_index index(made.rows, {}, {.n_projections = 12, .n_tables = 12, .seed = seed});
      const auto found = index.search(made.queries, 10, {.recall_target = 0.8});
      sum += recall(found, lsh_tests::exact<cosine>(made.rows, made.queries, 10), 10) / 10;
    }
    CAPTURE(near);
    CHECK(sum > 0.77);
    CHECK(sum < 0.88);
  }
}

TEST_CASE("past the own buckets come those of rows as near as the nearer half of what is found", "[lsh][search]") {
  const float_rows rows = lsh_tests::clusters<float>(2000, dim, 20, 1),
                   queries = lsh_tests::clusters<float>(20, dim, 20, 1);
  const lsh_params params{.n_projections = 8, .n_tables = 5, .seed = 2};
  const cosine_index index(rows, {}, params);
  const auto hasher = sign_random_projection{}.make_hasher<matrix_view<float>>(dim, 8, 5, 2);
  std::vector<std::uint64_t> keys(5 * rows.rows());
  hasher.hash(rows, 0, rows.rows(), 0, 5, keys.data());
  std::size_t wrong = 0, ended = 0;
  for (const std::size_t k : {1u, 2u, 3u, 10u, 25u})
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      const auto own = index.search(row_of(queries, q), k);
      if (own.ids(0, k - 1) == no_id) continue;
      std::vector<float> values(hasher.n_values());
      hasher.project(queries, q, 1, values.data());
      detail::probe_sequence<hasher_t<sign_random_projection, matrix_view<float>>> sequence;
      sequence.start(hasher, values.data());
      std::set<std::size_t> expected;
      detail::probe p;
      for (std::size_t i = 0; i < 60; ++i) {
        if (i == 5) sequence.spread(static_cast<double>(own.distances(0, (k + 1) / 2 - 1)));
        ended += !(i < 5 ? sequence.next_own(p) : sequence.next(p));
        for (std::size_t row = 0; row < rows.rows(); ++row)
          if (keys[p.table * rows.rows() + row] == p.key) expected.insert(row);
      }
      lsh_search_stats stats;
      index.search(row_of(queries, q), k, {.n_probes = 60}, &stats);
      wrong += stats.candidates != static_cast<double>(expected.size());
    }
  CHECK(wrong == 0);
  CHECK(ended == 0);
}

TEST_CASE("what was searched for before changes no answer", "[lsh][search]") {
  // Rows of length 1, each its own nearest: at the distance -1.
  const std::size_t n = 600;
  float_rows rows(n, dim);
  const counter_random random(3);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < 4; ++j)
      rows(i, (random.below(i, 4) * 4 + j)) = random.below(n + 4 * i + j, 2) ? 0.5f : -0.5f;
  const lsh_index<float_rows, simple_mips> index(rows, simple_mips{2}, {.n_projections = 9, .n_tables = 4});
  auto kept = index.make_scratch();
  std::size_t wrong = 0;
  for (const double target : {0.6, 0.9, 0.6})
    for (std::size_t i = 0; i < n; i += 7) {
      auto fresh = index.make_scratch();
      std::array<id_type, 1> ids[2];
      std::array<float, 1> distances[2];
      index.search(row_of(rows, i), ids[0], distances[0], kept, {.recall_target = target});
      index.search(row_of(rows, i), ids[1], distances[1], fresh, {.recall_target = target});
      wrong += ids[0] != ids[1] || kept.n_probes != fresh.n_probes;
      kept.n_probes = 0;
    }
  CHECK(wrong == 0);
}

TEST_CASE("more probes than there are buckets to look into end once all rows are found", "[lsh][search]") {
  const shells made(3, 0.02);
  const auto few = matrix_view<float>(made.rows).middle_rows(0, 50);
  const cosine_index index(few, {}, {.n_projections = 64, .n_tables = 10});
  const auto found = index.search(made.queries, 3, {.n_probes = std::numeric_limits<std::size_t>::max()});
  CHECK(found.ids == knn(few, made.queries, 3, cosine{}).ids);
}

}  // namespace search_tests
