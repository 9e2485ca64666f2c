#include "nndescent/limited_searches.hpp"

namespace limited {

// What filters and radii leave of an answer, and the parts of a search.

// ---- Filters --------------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("a filter leaves the nearest of the rows that it allows", "[nndescent_index]", full_precision) {
  check_filter<TestType>();
}

TEMPLATE_TEST_CASE("a bitset and a callable of the same rows have the same answers", "[nndescent_index]",
                   full_precision) {
  check_kinds_of_filters<TestType>();
}

TEST_CASE("a filter that allows everything changes no answer much", "[nndescent_index]") {
  const auto truth = knn(data().rows, data().queries, k);
  const auto found =
      index_over<full_precision>().search(data().queries, k, {.beam = 20, .filter = std::vector<bool>(n, true)});
  const auto without = index_over<full_precision>().search(data().queries, k, {.beam = 20});
  CHECK(recall(found, truth, k) >= recall(without, truth, k) - 0.005);
}

TEMPLATE_TEST_CASE("a filter that allows one row finds it from anywhere", "[nndescent_index]", full_precision) {
  check_filter_of_one<TestType>();
}

TEMPLATE_TEST_CASE("a filter that allows nothing leaves padding alone", "[nndescent_index]", full_precision) {
  check_filter_of_none<TestType>();
}

TEST_CASE("a filter that allows fewer than k rows finds them all", "[nndescent_index]") {
  const auto first = [](id_type id) { return id < 7; };
  for (const std::size_t beam : {0u, 1u, 500u}) {
    const auto found = index_over<full_precision>().search(data().queries, k, {.beam = beam, .filter = first});
    CHECK(well_formed(found));
    for (std::size_t i = 0; i < 100; ++i) CHECK(indexes::holds_all(found.ids.row(i), 7));
  }
}

TEST_CASE("a filter that allows what is far from the query finds it", "[nndescent_index]") {
  // Rows of every other cluster, so that a query of a cluster that is not allowed has no allowed row around it.
  std::vector<bool> allowed(n);
  for (std::size_t i = 0; i < n; ++i) allowed[i] = i % 30 < 15;
  const auto truth = knn(data().rows, data().queries, k, euclidean{}, {.filter = allowed});
  for (const std::size_t beam : {0u, 40u}) {
    const auto found = index_over<full_precision>().search(data().queries, k, {.beam = beam, .filter = allowed});
    CAPTURE(beam);
    CHECK(recall(found, truth, k) >= 0.85);
  }
}

TEST_CASE("a filter is asked for ids that the index has given out only", "[nndescent_index]") {
  auto index = index_over<full_precision>();
  for (id_type id = 0; id < 700; ++id) index.erase(4 * id);
  std::size_t wrong = 0;
  const id_filter filter = [&](id_type id) {
    wrong += id >= n || (id % 4 == 0 && id < 2800);
    return true;
  };
  for (const std::size_t beam : {0u, 10u})
    static_cast<void>(index.search(data().queries, k, {.beam = beam, .threads = 1, .filter = filter}));
  static_cast<void>(index.radius_search(data().queries, 3, {.threads = 1, .filter = filter}));
  CHECK(wrong == 0);
}

// ---- Radius search --------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("a radius search finds the rows within it and no others", "[nndescent_index]", full_precision) {
  check_radius<TestType>();
}

TEST_CASE("a wider belt of a radius search finds as much or more", "[nndescent_index]") {
  double before = 0;
  for (const double epsilon : {0.0, 0.2, 0.5, std::numeric_limits<double>::infinity()}) {
    const auto balls = index_over<full_precision>().radius_search(data().queries, 2.5f, {.epsilon = epsilon});
    const auto scores = judge(balls, data().rows, data().queries, 2.5f, euclidean{}, every_row);
    CAPTURE(epsilon);
    CHECK(scores.wrong == 0);
    CHECK(scores.recall >= before);
    before = scores.recall;
  }
  CHECK(before == 1);  // an endless belt is all rows
}

TEST_CASE("a radius search keeps to its filter", "[nndescent_index]") {
  for (const double share : {0.5, 0.01}) {
    const auto allowed = share_of_rows(share);
    const auto balls = index_over<full_precision>().radius_search(data().queries, 5, {.filter = allowed});
    const auto scores = judge(balls, data().rows, data().queries, 5, euclidean{},
                              [&](id_type id) { return static_cast<bool>(allowed[id]); });
    CHECK(scores.wrong == 0);
    CHECK(scores.recall >= 0.95);
  }
}

TEST_CASE("a radius of 0 finds the duplicates of the query", "[nndescent_index]") {
  auto rows = data().rows;
  for (std::size_t i = 0; i < 40; ++i) std::ranges::copy(rows.row(5), rows.row(70 * i + 9).begin());
  const nndescent_index index(rows);
  for (const double epsilon : {0.0, 0.1, std::numeric_limits<double>::infinity()}) {
    const auto balls = index.radius_search(rows.row(5), 0, {.epsilon = epsilon});
    CAPTURE(epsilon);
    CHECK(balls.indices.size() == 41);
    CHECK(std::ranges::all_of(balls.distances, [](float x) { return x == 0; }));
  }
  CHECK(index.radius_search(data().queries, 0).indices.empty());
}

TEST_CASE("a small radius finds the row that the query is", "[nndescent_index]") {
  CHECK(found_themselves(index_over<full_precision>(), 0.0f) == n);
  CHECK(found_themselves(index_over<full_precision>(), 0.2f) == n);
}

TEST_CASE("a negative radius finds nothing where distances are not negative", "[nndescent_index]") {
  for (const float radius : {-1.0f, -infinity})
    CHECK(index_over<full_precision>().radius_search(data().queries, radius).indices.empty());
}

TEST_CASE("an infinite radius finds all rows", "[nndescent_index]") {
  for (const double epsilon : {0.0, 0.1, std::numeric_limits<double>::infinity()}) {
    const auto balls = index_over<full_precision>().radius_search(data().queries, infinity, {.epsilon = epsilon});
    CAPTURE(epsilon);
    CHECK(balls.indices.size() == 100 * n);
  }
}

// ---- The parts of a search ------------------------------------------------------------------------------------------

TEST_CASE("a visited set forgets all at once, also when its tags wrap around", "[search]") {
  detail::visited_set set;
  for (std::size_t search = 0; search < 1000; ++search) {
    set.reset(50 + search / 100);
    CHECK(set.insert(search % 49));
    CHECK(set.insert(49));
    CHECK(!set.insert(search % 49));
    CHECK(!set.insert(49));
  }
}

TEST_CASE("a pool keeps the nearest in their order", "[search]") {
  const counter_random random(5);
  detail::search_pool<float> pool;
  for (const std::size_t capacity : {1u, 2u, 7u, 64u, 300u}) {
    pool.reset(capacity);
    std::vector<candidate<float>> all;
    for (id_type i = 0; i < 200; ++i) {
      const auto rank = static_cast<float>(random.below(i + 1000 * capacity, 1000000));
      const std::size_t place = pool.insert(rank, i);
      all.push_back({rank, i});
      if (place < pool.size()) CHECK(pool[place].id() == i);
    }
    std::sort(all.begin(), all.end());
    REQUIRE(pool.size() == std::min<std::size_t>(capacity, 200));
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < pool.size(); ++i) wrong += pool[i].rank != all[i].rank || pool[i].id() != all[i].id;
    CHECK(wrong == 0);
  }
}

TEMPLATE_TEST_CASE("a pool is a sorted list of which the nearest are kept, each as it was marked", "[search]", float,
                   double, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t) {
  struct row {
    TestType rank;
    id_type id;
    bool is_open;
  };
  const counter_random random(6);
  detail::search_pool<TestType> pool;
  std::size_t wrong = 0;
  for (const std::size_t capacity : {0u, 1u, 2u, 3u, 15u, 16u, 17u, 31u, 63u, 64u, 65u, 100u, 257u, 1000u})
    for (const std::uint64_t n_ranks : {1u, 5u, 1000000u}) {
      pool.reset(capacity);
      std::vector<row> expected;
      for (id_type id = 0; id < 600; ++id) {
        const std::uint64_t drawn = random.below(id + 1000 * capacity, n_ranks);
        TestType rank = static_cast<TestType>(drawn);
        if constexpr (std::is_signed_v<TestType>) rank -= static_cast<TestType>(n_ranks / 2);
        if (drawn % 7 == 3) rank = std::numeric_limits<TestType>::max();
        if constexpr (std::is_floating_point_v<TestType>)
          if (drawn % 7 == 4) rank = std::numeric_limits<TestType>::infinity();
        const auto at =
            std::ranges::find_if(expected, [&](const row& other) { return rank < other.rank; }) - expected.begin();
        const auto place = std::min(static_cast<std::size_t>(at), capacity);
        expected.insert(expected.begin() + at, {rank, id, true});
        if (expected.size() > capacity) expected.pop_back();
        wrong += pool.insert(rank, id) != place;
        if (id % 3 == 0 && pool.next()) {
          const auto open = std::ranges::find_if(expected, [](const row& other) { return other.is_open; });
          wrong += open == expected.end() || open->id != pool.next()->id();
          open->is_open = false;
          pool.close_next();
        }
      }
      REQUIRE(pool.size() == expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i)
        wrong += pool[i].id() != expected[i].id || pool[i].rank != expected[i].rank;
      for (const row& e : expected) {
        if (!e.is_open) continue;
        wrong += !pool.next() || pool.next()->id() != e.id;
        if (pool.next()) pool.close_next();
      }
      CHECK(!pool.next());
    }
  CHECK(wrong == 0);
}

TEST_CASE("a pool shows each entry once, the nearest first", "[search]") {
  detail::search_pool<float> pool;
  pool.reset(5);
  for (const id_type id : {3u, 1u, 4u}) pool.insert(static_cast<float>(id), id);
  CHECK(pool.next()->id() == 1);
  pool.close_next();
  CHECK(pool.next()->id() == 3);
  pool.close_next();
  pool.insert(0.5f, 7);  // nearer than what was looked at
  CHECK(pool.next()->id() == 7);
  pool.close_next();
  CHECK(pool.next()->id() == 4);
  pool.close_next();
  CHECK(!pool.next());
}

TEST_CASE("a pool takes no NaN, full or not", "[search]") {
  detail::search_pool<float> pool;
  pool.reset(2);
  CHECK(pool.insert(graphs::not_a_number, 1) == pool.size());
  pool.insert(1, 2);
  pool.insert(2, 3);
  CHECK(pool.insert(graphs::not_a_number, 4) == 2);
  CHECK(pool[0].id() == 2);
  CHECK(pool[1].id() == 3);
}

TEST_CASE("searches keep ranks of 64 bits that may be no sums of squares", "[search]") {
  using metric = detail::kernel_metric<kernels::squared_l2>;  // without a form
  STATIC_REQUIRE(std::same_as<detail::row_walk<std::uint8_t, std::uint8_t, metric>::rank_type, std::uint64_t>);
}

TEMPLATE_TEST_CASE("searches keep sums of squares of bytes in 32 bits", "[search]", std::uint8_t, std::int8_t) {
  using walk_type = detail::row_walk<TestType, TestType, euclidean>;
  STATIC_REQUIRE(std::same_as<typename walk_type::rank_type, std::uint32_t>);
  STATIC_REQUIRE(std::same_as<typename detail::row_walk<TestType, TestType, manhattan>::rank_type, std::uint32_t>);
  STATIC_REQUIRE(std::same_as<typename detail::row_walk<float, float, euclidean>::rank_type, float>);
  for (const std::size_t dim : {3u, 128u, 66'051u, 66'052u, 300'000u}) {
    walk_type walk(dim, {});
    walk.resize(2);
    walk.assign(0, std::vector<TestType>(dim, std::numeric_limits<TestType>::min()));
    walk.assign(1, std::vector<TestType>(dim, std::numeric_limits<TestType>::max()));
    auto query = walk.make_query();
    walk.prepare_row(0, query);
    const std::array<id_type, 2> ids{0, 1};
    std::array<std::uint32_t, 2> ranks{};
    walk.ranks(query, ids, ranks.data());
    const double sum = 255.0 * 255 * static_cast<double>(dim);
    CAPTURE(dim);
    CHECK(walk.has_exact_ranks() == (sum < 0x1p32));
    CHECK(ranks[0] == 0);
    CHECK(static_cast<double>(walk.full_rank(ranks[1])) <= sum);
    CHECK(static_cast<double>(walk.full_rank(ranks[1])) >= sum * (walk.has_exact_ranks() ? 1 : 1 - 0x1p-30));
  }
}

TEST_CASE("a bound lies epsilon of the spread beyond the k-th", "[search]") {
  CHECK(detail::bound_of(1.0f, 3.0f, 0.0) == 3.0);
  CHECK(detail::bound_of(1.0f, 3.0f, 0.5) == 4.0);
  CHECK(detail::bound_of(-3.0f, -1.0f, 0.5) == 0.0);
  CHECK(!annulus::detail::is_finite(detail::bound_of(1.0f, 3.0f, std::numeric_limits<double>::infinity())));
}

// ---- Groups far from each other -------------------------------------------------------------------------------------

/// Rows of 12 groups, in their order, in 24 dimensions, where all groups are about as far from each other; and queries
/// from the groups, every fourth of them halfway between two.
struct far_groups {
  static constexpr std::size_t n_groups = 12, dim = 24, n_queries = 400;
  matrix<float> rows, queries{n_queries, dim};

  explicit far_groups(std::size_t group_size) : rows(n_groups * group_size, dim) {
    for (std::size_t i = 0; i < rows.rows(); ++i) point(i / group_size, i, rows.row(i));
    std::vector<float> other(dim);
    for (std::size_t i = 0; i < n_queries; ++i) {
      point(i % n_groups, rows.rows() + i, queries.row(i));
      if (i % 4 != 0) continue;
      point(i / 4 % n_groups, rows.rows() + n_queries + i, other);
      for (std::size_t j = 0; j < dim; ++j) queries(i, j) = (queries(i, j) + other[j]) / 2;
    }
  }

 private:
  static void point(std::size_t group, std::size_t stream, std::span<float> out) {
    const counter_random centre(11, group), noise(12, stream);
    for (std::size_t j = 0; j < dim; ++j) out[j] = static_cast<float>(centre.normal(j) + 0.3 * noise.normal(j));
  }
};

/// How many answers have none of the k nearest.
std::size_t n_lost(const neighbors& found, const neighbors& truth) {
  std::size_t lost = 0;
  for (std::size_t i = 0; i < truth.ids.rows(); ++i)
    lost += found.distances(i, 0) > truth.distances(i, truth.ids.cols() - 1);
  return lost;
}

TEST_CASE("a search for a row of one group does not end in another", "[nndescent_index]") {
  const far_groups groups(500);
  const auto truth = knn(groups.rows, groups.queries, k);
  const nndescent_index index(groups.rows);
  const auto found = index.search(groups.queries, k, {.beam = 100});
  CHECK(n_lost(found, truth) == 0);
  CHECK(recall(found, truth, k) >= 0.995);
  CHECK(n_lost(index.search(groups.queries, k), truth) <= groups.n_queries / 100);
}

TEST_CASE("a search finds the group of a query where groups were inserted one after another", "[nndescent_index]") {
  const far_groups groups(125);
  const auto truth = knn(groups.rows, groups.queries, k);
  nndescent_index<matrix<float>> index(matrix<float>(0, groups.dim));
  index.insert(groups.rows);
  const auto found = index.search(groups.queries, k, {.beam = 100});
  CHECK(n_lost(found, truth) == 0);
  CHECK(recall(found, truth, k) >= 0.995);
}

}  // namespace limited
