#include <Eigen/Core>

#include "catch.hpp"
#include "nndescent/indexes.hpp"
#include "progress_watch.hpp"

#include <thread>

namespace index_tests {

using namespace annulus;
using graphs::infinity;
using graphs::not_a_number;
using indexes::clustered;
using indexes::count_of;
using indexes::rows_between;
using searches::same_bits;
using searches::well_formed;

namespace {

using float_rows = matrix<float>;
using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
constexpr std::size_t n = 2000, d = 16, k = 10;

const indexes::split<float>& data() {
  static const auto made = clustered<float>(n, d, 150, 30);
  return made;
}

const nndescent_index<float_rows>& plain() {
  static const nndescent_index index(data().rows);
  return index;
}

const nndescent_index<float_rows, euclidean, sq8>& compressed() {
  static const nndescent_index index(data().rows, euclidean{}, {}, sq8{});
  return index;
}

/// Calls f with an index of each kind that the tests of this file share.
template <class F>
void for_each_index(F f) {
  f(plain(), "full_precision");
  f(compressed(), "sq8");
}

bool same(const csr& a, const csr& b) {
  return a.indptr == b.indptr && a.indices == b.indices && a.distances == b.distances && a.n_columns == b.n_columns;
}

std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0u);
  std::mt19937_64 generator(seed);
  std::ranges::shuffle(numbers, generator);
  return numbers;
}

}  // namespace

// ---- Types ----------------------------------------------------------------------------------------------------------

TEST_CASE("the type of an index follows from its rows, metric and storage", "[nndescent_index]") {
  const auto few = rows_between(data().rows, 0, 50);
  const Eigen::Map<const row_major> map(few.data(), 50, d);
  const row_major eigen = map;
  const nndescent_index from_matrix(few);
  const nndescent_index from_view(matrix_view<float>(few), euclidean{});
  const nndescent_index from_eigen(eigen, euclidean{}, {.n_neighbors = 15});
  const nndescent_index from_map(map, euclidean{}, {.n_neighbors = 15}, sq8{});
  STATIC_REQUIRE(std::same_as<decltype(from_matrix), const nndescent_index<float_rows>>);
  STATIC_REQUIRE(std::same_as<decltype(from_view), const nndescent_index<float_rows>>);
  STATIC_REQUIRE(std::same_as<decltype(from_eigen), const nndescent_index<float_rows, euclidean>>);
  STATIC_REQUIRE(std::same_as<decltype(from_map), const nndescent_index<float_rows, euclidean, sq8>>);
  const auto expected = from_matrix.search(data().queries, k);
  CHECK(same_bits(from_view.search(data().queries, k), expected));
  CHECK(from_eigen.graph().ids.cols() == 15);
}

TEST_CASE("rows of any layout make the same index", "[nndescent_index]") {
  const auto few = rows_between(data().rows, 0, 300);
  row_major wide(302, d + 5);
  wide.setConstant(not_a_number);  // never to be read
  wide.block(1, 2, 300, d) = Eigen::Map<const row_major>(few.data(), 300, d);
  const nndescent_index expected(few);
  const nndescent_index from_block(wide.block(1, 2, 300, d));
  CHECK(same_bits(from_block.search(data().queries, k), expected.search(data().queries, k)));
  CHECK(same_bits(from_block.graph(), expected.graph()));
}

TEST_CASE("an index owns a copy of its rows", "[nndescent_index]") {
  auto rows = rows_between(data().rows, 0, 300);
  const nndescent_index index(rows);
  const nndescent_index compact(rows, euclidean{}, {}, sq8{});
  const auto expected = index.search(data().queries, k), other = compact.search(data().queries, k);
  std::ranges::fill(std::span(rows.data(), 300 * d), not_a_number);
  CHECK(same_bits(index.search(data().queries, k), expected));
  CHECK(same_bits(compact.search(data().queries, k), other));
}

TEST_CASE("an index knows its size, dimension and metric", "[nndescent_index]") {
  CHECK(plain().size() == n);
  CHECK(plain().dim() == d);
  CHECK(plain().memory_bytes() >= n * (d + 31 + 60) * sizeof(float));
  STATIC_REQUIRE(std::same_as<decltype(plain().metric()), const euclidean&>);
  const nndescent_index<float_rows, euclidean, sq8> bare(data().rows, {}, {.keep_rows = false});
  CHECK(bare.memory_bytes() + n * d * sizeof(float) == compressed().memory_bytes());
}

// ---- What an answer depends on --------------------------------------------------------------------------------------

TEST_CASE("the threads of a build do not change an index", "[nndescent_index]") {
  const auto rows = rows_between(data().rows, 0, 1200);
  const nndescent_index one(rows, euclidean{}, {.n_neighbors = 15, .threads = 1});
  for (const std::size_t threads : {2u, 3u, 8u}) {
    const nndescent_params params{.n_neighbors = 15, .threads = threads};
    const nndescent_index index(rows, euclidean{}, params);
    CAPTURE(threads);
    CHECK(same_bits(index.search(data().queries, k, {.beam = 10}), one.search(data().queries, k, {.beam = 10})));
    CHECK(same_bits(index.graph(), one.graph()));
  }
}

TEST_CASE("the threads of a search do not change its answers", "[nndescent_index]") {
  const std::vector<nndescent_search_params> all{{}, {.beam = 15}, {.filter = [](id_type id) { return id % 3 == 0; }}};
  for_each_index([&](const auto& index, const char* storage) {
    for (std::size_t p = 0; p < all.size(); ++p) {
      auto params = all[p];
      params.threads = 1;
      nndescent_search_stats cost;
      const auto expected = index.search(data().queries, k, params, &cost);
      const auto ball = index.radius_search(data().queries, 3, params);
      for (const std::size_t threads : {0u, 2u, 3u, 8u}) {
        params.threads = threads;
        nndescent_search_stats stats;
        CAPTURE(storage, p, threads);
        CHECK(same_bits(index.search(data().queries, k, params, &stats), expected));
        CHECK(same(index.radius_search(data().queries, 3, params), ball));
        CHECK(stats.distances == cost.distances);
        CHECK(stats.hops == cost.hops);
      }
    }
  });
}

TEST_CASE("the queries beside it do not change a query's answer", "[nndescent_index]") {
  for_each_index([](const auto& index, const char* storage) {
    for (const nndescent_search_params& params :
         {nndescent_search_params{}, {.beam = 12}, {.beam = 12, .filter = [](id_type id) { return id % 4 != 0; }}}) {
      const auto together = index.search(data().queries, k, params);
      for (const std::size_t size : {1u, 2u, 33u, 149u}) {
        auto some = shuffled(150, size);
        some.resize(size);
        CAPTURE(storage, size);
        CHECK(same_bits(index.search(searches::rows_of(data().queries, some), k, params),
                        searches::rows_of(together, some)));
      }
    }
  });
}

TEST_CASE("a scratch finds what a batch does, query after query", "[nndescent_index]") {
  for_each_index([](const auto& index, const char* storage) {
    auto scratch = index.make_scratch();
    for (const nndescent_search_params& params :
         {nndescent_search_params{}, {.beam = 12}, {.filter = [](id_type id) { return id % 2 == 1; }}}) {
      const auto expected = index.search(data().queries, k, params);
      neighbors found(150, k);
      for (const std::size_t i : shuffled(150, 1))
        index.search(data().queries.row(i), found.ids.row(i), found.distances.row(i), scratch, params);
      CAPTURE(storage);
      CHECK(same_bits(found, expected));
    }
    std::vector<id_type> ids(n + 5);  // after a long answer a short one
    std::vector<float> distances(n + 5);
    index.search(data().queries.row(0), ids, distances, scratch);
    CHECK(indexes::holds_all(ids, n));
    index.search(data().queries.row(0), std::span(ids).first(k), std::span(distances).first(k), scratch);
    CHECK(std::ranges::equal(std::span(ids).first(k), index.search(data().queries, k).ids.row(0)));
  });
}

TEST_CASE("a scratch serves through more searches than its tags count", "[nndescent_index]") {
  const nndescent_index index(rows_between(data().rows, 0, 100));
  const auto expected = index.search(data().queries, k);
  auto scratch = index.make_scratch();
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 1500; ++i) {
    neighbors found(1, k);
    index.search(data().queries.row(i % 150), found.ids.row(0), found.distances.row(0), scratch);
    wrong += !std::ranges::equal(found.ids.row(0), expected.ids.row(i % 150));
  }
  CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("a scratch of another index serves as well as its own", "[nndescent_index]", full_precision, sq8) {
  using index_type = nndescent_index<float_rows, euclidean, TestType>;
  const auto few = clustered<float>(40, 3, 5), many = clustered<float>(900, 33, 5);
  const index_type small_index(few.rows), large_index(many.rows);
  auto scratch = small_index.make_scratch(), other = large_index.make_scratch();
  const auto check = [](const index_type& index, const auto& queries, auto& of_other) {
    const auto expected = index.search(queries, 4, {.beam = 20});
    neighbors found(queries.rows(), 4);
    for (std::size_t i = 0; i < queries.rows(); ++i)
      index.search(queries.row(i), found.ids.row(i), found.distances.row(i), of_other, {.beam = 20});
    CHECK(same_bits(found, expected));
  };
  check(large_index, many.queries, scratch);
  check(small_index, few.queries, other);
}

TEST_CASE("a scratch serves an index that has grown since", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 1000));
  auto scratch = index.make_scratch();
  neighbors found(1, k);
  index.search(data().queries.row(0), found.ids.row(0), found.distances.row(0), scratch);
  index.insert(rows_between(data().rows, 1000, n));
  const auto expected = index.search(data().queries, k);
  for (std::size_t i = 0; i < 150; ++i) {
    index.search(data().queries.row(i), found.ids.row(0), found.distances.row(0), scratch);
    CHECK(std::ranges::equal(found.ids.row(0), expected.ids.row(i)));
  }
}

TEST_CASE("several threads may search one index at once", "[nndescent_index]") {
  const auto odd = [](id_type id) { return id % 2 == 1; };
  const std::vector<nndescent_search_params> all{
      {.threads = 1}, {.beam = 20, .threads = 2}, {.threads = 3, .filter = odd}};
  std::vector<neighbors> expected, found(6), compact(6);
  std::vector<csr> balls(6);
  for (const auto& params : all) expected.push_back(plain().search(data().queries, k, params));
  const auto ball = plain().radius_search(data().queries, 3);
  const auto coded = compressed().search(data().queries, k);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < found.size(); ++t)
      threads.emplace_back([&, t] {
        found[t] = plain().search(data().queries, k, all[t % 3]);
        balls[t] = plain().radius_search(data().queries, 3, {.threads = 1});
        compact[t] = compressed().search(data().queries, k, {.threads = 1});
      });
  }
  for (std::size_t t = 0; t < found.size(); ++t) {
    CHECK(same_bits(found[t], expected[t % 3]));
    CHECK(same(balls[t], ball));
    CHECK(same_bits(compact[t], coded));
  }
}

TEST_CASE("one seed makes one index, and another seed as good a one", "[nndescent_index]") {
  const nndescent_index index(data().rows, euclidean{}, {.n_neighbors = 15, .seed = 7});
  const auto truth = knn(data().rows, data().queries, k);
  CHECK(recall(index.search(data().queries, k), truth, k) >= 0.96);
  const nndescent_index again(data().rows, euclidean{}, {.n_neighbors = 15, .seed = 7});
  CHECK(same_bits(index.search(data().queries, k, {.beam = 10}), again.search(data().queries, k, {.beam = 10})));
}

// ---- Cost and tuning ------------------------------------------------------------------------------------------------

TEST_CASE("a wider beam costs more and finds more", "[nndescent_index]") {
  const auto truth = knn(data().rows, data().queries, k);
  for_each_index([&](const auto& index, const char* storage) {
    double found = 0;
    nndescent_search_stats before;
    for (const std::size_t beam : {10u, 30u, 100u, 300u}) {
      nndescent_search_stats stats;
      const double now = recall(index.search(data().queries, k, {.beam = beam}, &stats), truth, k);
      CAPTURE(storage, beam);
      CHECK(stats.distances > before.distances);
      CHECK(stats.hops > before.hops);
      CHECK(stats.hops <= stats.distances);
      CHECK(stats.distances <= n + 100);  // each row once, and the tree's
      CHECK(now >= found - 0.005);
      before = stats;
      found = now;
    }
    CHECK(found >= 0.99);
  });
}

TEST_CASE("a greater epsilon costs more and finds more", "[nndescent_index]") {
  const auto truth = knn(data().rows, data().queries, k);
  double found = 0, cost = 0;
  for (const double epsilon : {0.0, 0.1, 0.3}) {
    nndescent_search_stats stats;
    const double now = recall(plain().search(data().queries, k, {.epsilon = epsilon}, &stats), truth, k);
    CHECK(stats.distances >= cost);
    CHECK(now >= found - 0.005);
    cost = stats.distances;
    found = now;
  }
  CHECK(found >= 0.96);
}

TEST_CASE("a tuned beam reaches its target on other queries, and grows with it", "[nndescent_index]") {
  const auto all = clustered<float>(3000, 32, 600, 10);
  const nndescent_index index(all.rows, euclidean{}, {.n_neighbors = 10, .pruning_degree_multiplier = 0.3});
  const auto truth = knn(all.rows, all.queries, k);
  std::size_t beam = 0;
  for (const double target : {0.8, 0.9, 0.95, 0.99}) {
    const auto tuned = index.tune(target, {.n_queries = 600, .k = k});
    CAPTURE(target, tuned.params.beam);
    CHECK(tuned.reached);
    CHECK(tuned.recall >= target);
    CHECK(tuned.params.beam >= std::max(beam, k));
    CHECK(recall(index.search(all.queries, k, tuned.params), truth, k) >= target - 0.02);
    beam = tuned.params.beam;
  }
  CHECK(beam > k);
}

TEST_CASE("a search is tuned in the same way by any number of threads", "[nndescent_index]") {
  const auto expected = compressed().tune(0.95, {.n_queries = 100, .k = k, .threads = 1}),
             by_queries = compressed().tune(data().queries, 0.95, {.k = k, .threads = 1});
  const auto other = compressed().tune(0.95, {.n_queries = 100, .k = k, .threads = 3}),
             other_by_queries = compressed().tune(data().queries, 0.95, {.k = k, .threads = 3});
  CHECK(other.params.beam == expected.params.beam);
  CHECK(other.recall == expected.recall);
  CHECK(other_by_queries.params.beam == by_queries.params.beam);
  CHECK(other_by_queries.recall == by_queries.recall);
}

TEST_CASE("an index of a few rows is tuned", "[nndescent_index]") {
  const nndescent_index index(rows_between(data().rows, 0, 5));
  const auto tuned = index.tune(0.95, {.n_queries = 300, .k = k});
  CHECK(tuned.reached);
  CHECK(indexes::holds_all(index.search(data().queries, k, tuned.params).ids.row(0), 5));
}

TEST_CASE("an index with erased rows is tuned", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 600));
  for (id_type id = 0; id < 590; ++id) index.erase(id);
  const auto tuned = index.tune(0.95);
  CHECK(tuned.params.beam >= k);
  CHECK(count_of(index.search(data().queries, 5, tuned.params).ids.row(0)) == 5);
}

// ---- The k-NN graph -------------------------------------------------------------------------------------------------

TEST_CASE("the k-NN graph of an index is as good as one built alone", "[nndescent_index]") {
  for (const std::size_t n_neighbors : {5u, 50u}) {
    const nndescent_index index(data().rows, euclidean{}, {.n_neighbors = n_neighbors});
    const auto graph = index.graph();
    CAPTURE(n_neighbors);
    CHECK(graphs::well_formed(graph));
    CHECK(graph.ids.cols() == n_neighbors);
    CHECK(graphs::holes(graph) == 0);
    CHECK(estimate_recall(graph, data().rows, euclidean{}, {.n_samples = 200}) >= 0.97);
    CHECK(indexes::wrong_distances(graph, data().rows, data().rows, euclidean{}) == 0);
  }
}

TEST_CASE("the k-NN graph of an index does not list rows themselves", "[nndescent_index]") {
  const nndescent_index index(rows_between(data().rows, 0, 500), euclidean{}, {.include_self = true});
  CHECK(graphs::well_formed(index.graph()));
}

// ---- Progress and exceptions ----------------------------------------------------------------------------------------

namespace {

struct user_error : std::exception {};

const progress_callback throws_user_error = [](const progress_report&) -> bool { throw user_error(); };

}  // namespace

TEST_CASE("progress of a build names its stages and ends each at 1", "[nndescent_index]") {
  const auto caller = std::this_thread::get_id();
  for (const std::size_t threads : {1u, 3u}) {
    std::vector<std::string> stages;
    double last = 1;
    std::size_t wrong = 0;
    progress_watch watch;
    const progress_callback progress = [&](const progress_report& report) {
      watch.see(report);
      const std::string_view stage = report.stage;
      const double fraction = report.fraction;
      if (stages.empty() || stages.back() != stage) {
        wrong += last != 1;
        stages.emplace_back(stage);
      }
      wrong += !(fraction >= 0 && fraction <= 1) || std::this_thread::get_id() != caller || stage.empty();
      last = fraction;
      return true;
    };
    const nndescent_index index(rows_between(data().rows, 0, 1200), euclidean{},
                                {.threads = threads, .progress = progress});
    CHECK(wrong == 0);
    CHECK(last == 1);
    CHECK(watch.fault({"trees", "descent", "diversify", "reverse edges", "distances"}) == "");
    for (const auto* stage : {"trees", "descent", "distances", "diversify", "reverse edges"}) {
      CAPTURE(stage);
      CHECK(std::ranges::find(stages, stage) != stages.end());
    }
  }
}

TEST_CASE("progress that returns false cancels a build in any stage", "[nndescent_index]") {
  const auto few = rows_between(data().rows, 0, 600);  // so many that a stage reports on its way
  for (const std::size_t threads : {1u, 3u}) {
    std::size_t calls = 0, last = 0;
    const progress_callback progress = [&](const progress_report&) { return ++calls != last; };
    const nndescent_params params{.threads = threads, .progress = progress};
    static_cast<void>(nndescent_index(few, euclidean{}, params));
    const std::size_t all = threads == 1 ? calls : 5;  // how often depends on the threads
    for (last = 1; last <= all; ++last) {
      calls = 0;
      CAPTURE(threads, last);
      CHECK_THROWS_AS(nndescent_index(few, euclidean{}, params), cancelled);
    }
  }
}

TEST_CASE("a cancelled build is cancelled in the stage that said so", "[nndescent_index]") {
  const auto few = rows_between(data().rows, 0, 600);  // so many that a stage reports on its way
  for (const std::string wanted : {"trees", "descent", "distances", "diversify", "reverse edges"}) {
    const progress_callback progress = [&](const progress_report& report) { return report.stage != wanted; };
    CAPTURE(wanted);
    CHECK_THROWS_AS(nndescent_index(few, euclidean{}, {.progress = progress}), cancelled);
    CHECK_THROWS_AS(nndescent_index(few, euclidean{}, {.progress = progress}, sq8{}), cancelled);
  }
}

TEST_CASE("an exception of the progress callback reaches the caller of a build", "[nndescent_index]") {
  CHECK_THROWS_AS(nndescent_index(data().rows, euclidean{}, {.progress = throws_user_error}), user_error);
}

TEST_CASE("an exception of a filter reaches the caller of a search", "[nndescent_index]") {
  const id_filter filter = [](id_type) -> bool { throw user_error(); };
  for (const std::size_t threads : {1u, 3u}) {
    CHECK_THROWS_AS(plain().search(data().queries, k, {.threads = threads, .filter = filter}), user_error);
    CHECK_THROWS_AS(plain().radius_search(data().queries, infinity, {.threads = threads, .filter = filter}),
                    user_error);
  }
}

}  // namespace index_tests
