#include <annulus/core/result/recall.hpp>
#include <annulus/knn/knn.hpp>
#include <annulus/lsh/families/minhash.hpp>
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/index.hpp>
#include <annulus/lsh/tuning.hpp>

#include "catch.hpp"
#include "message_of.hpp"

#include <numeric>

using namespace annulus;

namespace {

/// Rows about random centres.
matrix<float> clustered(std::size_t n, std::size_t d, std::uint64_t seed, float scale = 1) {
  const std::size_t n_centres = 100;
  matrix<float> rows(n, d);
  const counter_random centres(1), noise(seed);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j)
      rows(i, j) = scale * static_cast<float>(centres.normal(noise.below(n * d + i, n_centres) * d + j) +
                                              0.4 * noise.normal(i * d + j));
  return rows;
}

using sample_of_floats = detail::tuning_sample<matrix<float>, euclidean>;

/// A family, of width 4 where it has one.
template <class Family>
Family with_width() {
  Family family;
  if constexpr (requires { family.width; }) family.width = 4;
  return family;
}

/// Any constant costs: what is tested does not depend on the clock.
constexpr detail::lsh_costs some_costs{1e-8, 1e-8, 1e-8};
constexpr double no_limit = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("the profile of a query has the distances of its neighbours and counts every row", "[lsh][tuning]") {
  const auto data = clustered(500, 6, 2), queries = clustered(20, 6, 3);
  const sample_of_floats sample(data, matrix_view<float>(queries), 100, 10, 500, 1);
  REQUIRE(sample.n_queries() == 20);
  for (std::size_t i = 0; i < sample.n_queries(); ++i) {
    const neighbors all = knn(data, queries.row(sample.query(i)), 500);
    const auto& profile = sample.profile(i);
    REQUIRE(profile.near.size() == 5);
    CHECK(profile.near.front() == static_cast<double>(all.distances(0, 0)));
    CHECK(profile.near.back() == static_cast<double>(all.distances(0, 9)));
    double counted = 0;
    for (const auto& group : profile.others) {
      // As many rows are nearer than the middle of a group as it and those before it hold.
      const auto nearer = std::ranges::count_if(
          all.distances.row(0), [&](float distance) { return static_cast<double>(distance) <= group.distance; });
      CHECK(static_cast<double>(nearer) > counted);
      counted += group.count;
      CHECK(static_cast<double>(nearer) <= counted);
    }
    CHECK(counted == Approx(500));
  }
}

TEST_CASE("rows taken as queries are not their own neighbours", "[lsh][tuning]") {
  const auto data = clustered(300, 6, 2);
  const sample_of_floats sample(data, {}, 50, 1, 300, 1);
  REQUIRE(sample.n_queries() == 50);
  for (std::size_t i = 0; i < 50; ++i) {
    CHECK(sample.profile(i).near.front() ==
          static_cast<double>(knn(data, data.row(sample.query(i)), 2).distances(0, 1)));
    CHECK(std::accumulate(sample.profile(i).others.begin(), sample.profile(i).others.end(), 0.0,
                          [](double sum, const auto& group) { return sum + group.count; }) == Approx(299));
  }
}

TEST_CASE("a sample of a tenth foretells how far the neighbours in all rows are", "[lsh][tuning]") {
  const auto data = clustered(5000, 4, 2), queries = clustered(100, 4, 3);
  const auto tenth = matrix_view<float>(data).middle_rows(0, 500);
  const sample_of_floats all(data, matrix_view<float>(queries), 100, 5, 5000, 1);
  const sample_of_floats part(tenth, matrix_view<float>(queries), 100, 5, 5000, 1);
  CHECK(part.growth() == 10);
  CHECK(part.scale() == Approx(all.scale()).epsilon(0.15));
  double rows = 0;
  for (const auto& group : part.profile(0).others) rows += group.count;
  CHECK(rows == Approx(5000));
}

TEMPLATE_TEST_CASE("predicted recall and candidates are those of indexes of many seeds", "[lsh][tuning]", p_stable_l2,
                   sign_random_projection) {
  using metric = typename TestType::metric;
  const auto data = clustered(2000, 12, 2), queries = clustered(60, 12, 3);
  const detail::tuning_sample<matrix<float>, metric> sample(data, matrix_view<float>(queries), 60, 5, 2000, 1);
  const neighbors truth = knn(data, queries, 5, metric{});
  constexpr int n_seeds = 12;
  double found = 0, candidates = 0, predicted = 0;
  for (std::uint64_t seed = 0; seed < n_seeds; ++seed) {
    const TestType family = with_width<TestType>();
    const auto hasher = family.template make_hasher<matrix_view<float>>(12, 10, 6, seed);
    const auto prediction = detail::lsh_predictor(hasher, sample, 5, 60)(0.9, 1.2, some_costs, no_limit);
    CHECK(prediction.recall == 0.9);
    predicted += prediction.candidates;
    const lsh_index index(data, family, {.n_projections = 10, .n_tables = 6, .seed = seed, .threads = 1});
    lsh_search_stats stats;
    const auto result = index.search(queries, 5, {.n_probes = prediction.n_probes, .threads = 1}, &stats);
    CHECK(stats.probes == static_cast<double>(prediction.n_probes));
    found += recall(result, truth, 5);
    candidates += stats.candidates;
  }
  CHECK(found / n_seeds == Approx(0.9).margin(0.02));
  CHECK(candidates / n_seeds == Approx(predicted / n_seeds).epsilon(0.1));
}

TEST_CASE("a prediction is given up where probes run out, or take too long", "[lsh][tuning]") {
  const auto data = clustered(300, 8, 2);
  const sample_of_floats sample(data, {}, 20, 5, 300, 1);
  const p_stable_l2 narrow{.width = 1e-3};
  const auto hasher = narrow.make_hasher<matrix_view<float>>(8, 3, 2, 1);
  CHECK(detail::lsh_predictor(hasher, sample, 5, 20)(0.9, 1.2, some_costs, no_limit).n_probes == 0);
  const auto wide = p_stable_l2{.width = 4}.make_hasher<matrix_view<float>>(8, 3, 2, 1);
  CHECK(detail::lsh_predictor(wide, sample, 5, 20)(0.9, 1.2, some_costs, no_limit).n_probes > 0);
  CHECK(detail::lsh_predictor(wide, sample, 5, 20)(0.9, 1.2, some_costs, 0.0).n_probes == 0);
}

TEST_CASE("suggested parameters reach the recall on queries that were not seen", "[lsh][tuning]") {
  const auto data = clustered(3000, 12, 2), queries = clustered(300, 12, 4);
  const auto chosen = suggest_lsh_params(data, p_stable_l2{}, 0.9, {.k = 5, .n_queries = 60});
  CHECK(chosen.recall > 0.9);
  CHECK(chosen.recall < 0.92);
  CHECK(chosen.candidates > 0);
  CHECK(chosen.candidates < 3000);
  CHECK(chosen.seconds > 0);
  CHECK(chosen.scan_seconds > 0);
  const lsh_index index(data, chosen.family, chosen.params);
  const double found = recall(index.search(queries, 5, chosen.search), knn(data, queries, 5), 5);
  CHECK(found > 0.84);
  CHECK(found < 0.97);
}

TEST_CASE("the width follows from the distances, whatever their scale", "[lsh][tuning]") {
  const lsh_tuning tuning{.k = 5, .n_queries = 20};
  const sample_of_floats sample(clustered(800, 8, 2), {}, 20, 5, 800, tuning.seed);
  for (const float scale : {1e-6f, 1.0f, 1e6f}) {
    const double width = suggest_lsh_params(clustered(800, 8, 2, scale), p_stable_l2{}, 0.8, tuning).family.width;
    CHECK(width > 1.9 * sample.scale() * static_cast<double>(scale));
    CHECK(width < 8.1 * sample.scale() * static_cast<double>(scale));
  }
}

TEST_CASE("tables stay within the memory limit, and nothing is suggested where none fit", "[lsh][tuning]") {
  const auto data = clustered(1000, 8, 2);
  const auto some =
      suggest_lsh_params(data, sign_random_projection{}, 0.8, {.k = 3, .memory_limit = 10 * 6 * 1000, .n_queries = 20});
  CHECK(some.params.n_tables <= 10);
  CHECK(some.recall > 0);
  const auto none = suggest_lsh_params(data, sign_random_projection{}, 0.8, {.memory_limit = 1000, .n_queries = 20});
  CHECK(none.recall == 0);
  CHECK(none.search.n_probes == 0);
}

TEST_CASE("parameters for sets are suggested as well", "[lsh][tuning]") {
  std::vector<std::int64_t> begins{0};
  std::vector<std::int32_t> members;
  const counter_random random(5);
  for (std::size_t i = 0; i < 400; ++i) {  // eight of the ten numbers of one of 40 groups
    for (std::size_t j = 0, out = random.below(2 * i, 10), also = random.below(2 * i + 1, 10); j < 10; ++j)
      if (j != out && j != also) members.push_back(static_cast<std::int32_t>(i % 40 * 10 + j));
    begins.push_back(static_cast<std::int64_t>(members.size()));
  }
  const csr_matrix<float> sets(begins, members, std::vector<float>(members.size(), 1.0f), 400);
  const auto chosen = suggest_lsh_params(sets, minhash{}, 0.8, {.k = 3, .n_queries = 20});
  CHECK(chosen.recall > 0.8);
  CHECK(chosen.recall < 0.83);
  CHECK(chosen.candidates < 100);
}

TEST_CASE("what no parameters can be suggested for is refused by name", "[lsh][tuning]") {
  const auto data = clustered(100, 4, 2);
  const auto refused = [&](const matrix<float>& sample, double recall, const lsh_tuning& tuning,
                           const matrix<float>& queries = {}) {
    return message_of([&] { suggest_lsh_params(sample, p_stable_l2{}, recall, tuning, matrix_view<float>(queries)); });
  };
  const auto names = [](const std::string& message, const char* argument) {
    return message.find(argument) != std::string::npos;
  };
  CHECK(names(refused(matrix<float>(1, 4), 0.9, {}), "sample rows"));
  CHECK(names(refused(data, 0.0, {}), "recall"));
  CHECK(names(refused(data, 1.0, {}), "recall"));
  CHECK(names(refused(data, std::numeric_limits<double>::quiet_NaN(), {}), "recall"));
  CHECK(names(refused(data, 0.9, {.k = 0}), "k = 0"));
  CHECK(names(refused(data, 0.9, {.n_queries = 0}), "n_queries"));
  CHECK(names(refused(data, 0.9, {.n_rows = 99}), "n_rows"));
  CHECK(names(refused(data, 0.9, {}, clustered(5, 3, 1)), "query dimension"));
  matrix<float> holed = data;
  holed(7, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK(names(refused(holed, 0.9, {}), "row 7"));
  CHECK(names(refused(data, 0.9, {}, holed), "row 7"));
}
