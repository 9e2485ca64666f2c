#include <Eigen/Core>
#include <annulus/approx_top_k/row_top_k.hpp>

#include "approx_top_k/reductions.hpp"

#include "precise.hpp"

using namespace annulus;
using reductions::both_are_exact;
using reductions::is_exact;

namespace {

/// Random values, with the smallest ones, of `different` values, in a single bin of a plan: one in each chunk.
std::vector<float> crowded_bin(std::size_t n, std::size_t k, const approx_top_k_plan& plan, std::size_t bin,
                               std::size_t different, std::mt19937_64& generator) {
  auto values = operands::random_values<float>(n, generator);
  detail::bin_table<float> table;
  table.reset(plan.bins, plan.per_bin);
  const std::size_t group = detail::group_size(n, k, plan.bins), block = detail::block_lanes;
  for (std::size_t chunk = 0; (chunk + 1) * plan.bins * group <= n; ++chunk) {
    const std::size_t lane = table.lane(bin, chunk);
    values[chunk * plan.bins * group + lane / block * block * group + lane % block] =
        -2.0f - static_cast<float>(generator() % different);
  }
  return values;
}

struct problem {
  std::size_t n, k;
  double recall_target;
};

approx_top_k_params bins_of(const problem& p) { return {.recall_target = p.recall_target, .aggregate_to_topk = false}; }

/// What the bins keep of one order of the operand, shifted in several ways.
double mean_recall(const problem& p, std::size_t stride) {
  std::mt19937_64 generator(stride);
  operands::statistics recall;
  for (int shift = 0; shift < 4; ++shift) {
    const auto values = operands::strided_values(p.n, stride, generator() % p.n);
    recall.add(operands::recall_of_ranks(approx_min_k(values, p.k, bins_of(p)).values, p.k));
  }
  return recall.mean();
}

/// Over random orders: the mean recall of the bins must be what the plan expects and the target asks for.
void check_mean_recall(const problem& p, std::size_t trials, std::mt19937_64& generator) {
  const auto plan = plan_approx_top_k(p.n, p.k, bins_of(p));
  REQUIRE(!plan.exact);
  operands::statistics recall;
  auto values = operands::strided_values(p.n, 1, 0);
  for (std::size_t trial = 0; trial < trials; ++trial) {
    std::shuffle(values.begin(), values.end(), generator);
    recall.add(operands::recall_of_ranks(approx_min_k(values, p.k, bins_of(p)).values, p.k));
  }
  CAPTURE(p.n, p.k, p.recall_target, plan.bins, plan.per_bin, recall.mean(), recall.error());
  CHECK(recall.mean() >= plan.expected_recall - 3 * recall.error());
  CHECK(recall.mean() >= p.recall_target - 3 * recall.error());
}

/// Where bins are approximate, with lanes of 1 to 32 elements; some lengths end in the middle of a block or lane.
const std::vector<problem> approximate_problems{{16384, 100, 0.9}, {16384, 1000, 0.95}, {20011, 30, 0.8},
                                                {50000, 10, 0.9},  {50021, 300, 0.99},  {99999, 2000, 0.7}};

}  // namespace

TEMPLATE_TEST_CASE("a recall target of 1 gives what a sort gives, at every length", "[row_top_k]", float, Eigen::half,
                   std::uint8_t) {
  reductions::check_every_length<TestType>();
}

TEST_CASE("k = n sorts, for every recall target", "[row_top_k]") {
  std::mt19937_64 generator(2);
  for (const std::size_t n : {1u, 2u, 100u, 1024u, 5000u})
    for (const double recall_target : {0.1, 0.95, 1.0}) {
      const auto values = operands::tied_values<float>(n, generator);
      CHECK(is_exact<false>(approx_min_k(values, n, {.recall_target = recall_target}), values, n));
    }
}

TEST_CASE("the k best are exact where one bin would have all of them", "[row_top_k]") {
  std::mt19937_64 generator(3);
  for (const std::size_t n : {20000u, 50000u})
    for (const std::size_t k : {2u, 10u, 100u}) {
      const auto plan = plan_approx_top_k(n, k, bins_of({n, k, 0.95}));
      REQUIRE(plan.bins < n);
      for (const std::size_t bin : {std::size_t{0}, std::size_t{17}, plan.bins - 1})
        for (const std::size_t threads : {1u, 3u})
          CHECK(both_are_exact(crowded_bin(n, k, plan, bin, 50, generator), k, threads));
    }
}

TEST_CASE("the k best are exact where one bin would have what is tied with the k-th", "[row_top_k]") {
  std::mt19937_64 generator(15);
  const std::size_t n = 50000;
  std::size_t wrong = 0;
  for (const std::size_t k : {10u, 50u, 100u}) {
    const auto plan = plan_approx_top_k(n, k, bins_of({n, k, 0.95}));
    REQUIRE(plan.bins < n);
    for (int trial = 0; trial < 20; ++trial) {
      auto values = crowded_bin(n, k, plan, generator() % plan.bins, 1, generator);
      for (std::size_t i = 0; i < k; ++i) values[generator() % n] = -2;
      wrong += !both_are_exact(values, k);
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("the k best are exact where most elements are tied with the k-th", "[row_top_k]") {
  std::mt19937_64 generator(4);
  std::size_t wrong = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const std::size_t n = 12000 + generator() % 3000, k = 1 + generator() % 60, rarity = 2 + generator() % 200;
    std::vector<float> values(n);
    for (float& x : values) x = generator() % rarity == 0 ? 0.0f : 1.0f;
    wrong += !both_are_exact(values, k);
  }
  CHECK(wrong == 0);
}

TEST_CASE("the mean recall is at least what the plan expects, for random order", "[row_top_k]") {
  std::mt19937_64 generator(5);
  for (const auto& p : approximate_problems) check_mean_recall(p, 20, generator);
}

TEST_CASE("the mean recall is at least what the plan expects, at lengths around whole chunks", "[row_top_k]") {
  std::mt19937_64 generator(14);
  for (const std::size_t whole : {8192u, 16384u})
    for (const std::size_t n : {whole - 17, whole - 1, whole, whole + 1, whole + 15, whole + 17, whole + 255})
      check_mean_recall({n, 50, 0.9}, 10, generator);
}

// The deal is fixed, so that a single order may be lucky or not; over all orders it is as random ones.
TEST_CASE("the mean recall over sorted and strided orders is at least what the plan expects", "[row_top_k]") {
  for (const auto& p : approximate_problems) {
    const auto plan = plan_approx_top_k(p.n, p.k, bins_of(p));
    const std::size_t bins = plan.bins, chunk = bins * detail::group_size(p.n, p.k, bins);
    operands::statistics recall;
    for (const std::size_t stride : {std::size_t{1}, std::size_t{2}, std::size_t{16}, std::size_t{64}, bins / 2, bins,
                                     bins + 1, 2 * bins, chunk, chunk - 1, std::size_t{1000}, p.n - 1}) {
      recall.add(mean_recall(p, stride));
      CAPTURE(p.n, p.k, stride);
      CHECK(mean_recall(p, stride) > plan.expected_recall - 0.1);
    }
    CAPTURE(p.n, p.k, p.recall_target, bins, plan.per_bin, recall.mean(), recall.error());
    CHECK(recall.mean() >= plan.expected_recall - 3 * recall.error());
  }
}

TEST_CASE("the smallest element is always found, and at its lowest index", "[row_top_k]") {
  std::mt19937_64 generator(6);
  std::size_t missed = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t n = 1 + generator() % 12000, k = 1 + generator() % (1 + n / 50);
    auto values = operands::random_values<float>(n, generator);
    if (trial % 2 == 0)
      for (float& x : values) x = std::floor(x * 5);
    for (const bool aggregate : {true, false}) {
      const auto found = approx_min_k(values, k, {.recall_target = 0.2, .aggregate_to_topk = aggregate}).indices;
      missed += std::count(found.begin(), found.end(), operands::k_best(values, 1)[0]) != 1;
    }
  }
  CHECK(missed == 0);
}

TEST_CASE("the smallest element is found wherever it is, at lengths around whole tiles", "[row_top_k]") {
  std::size_t missed = 0;
  for (const std::size_t n : {127u, 128u, 129u, 255u, 256u, 257u, 511u, 512u, 513u, 1023u, 1024u, 1025u, 1040u, 2049u})
    for (std::size_t place = 0; place < n; place += 1 + (place < n - 40) * 6) {
      std::vector<float> values(n, 1);
      values[place] = 0;
      for (const std::size_t k : {1u, 3u})
        missed += approx_min_k(values, k, {.recall_target = 0.5}).indices[0] != static_cast<std::int64_t>(place);
    }
  CHECK(missed == 0);
}

TEST_CASE("every recall target finds the k best, ties by lowest index", "[row_top_k]") {
  std::mt19937_64 generator(7);
  for (const auto& [n, k, recall_target] : approximate_problems) {
    auto values = operands::random_values<float>(n, generator);
    for (float& x : values) x = std::floor(x * static_cast<float>(n) / 50);
    CHECK(is_exact<false>(approx_min_k(values, k, {.recall_target = recall_target}), values, k));
    CHECK(is_exact<true>(approx_max_k(values, k, {.recall_target = recall_target}), values, k));
  }
}

TEST_CASE("of a constant the first k are found", "[row_top_k]") {
  for (const auto& [n, k, recall_target] : approximate_problems)
    for (const double target : {recall_target, 1.0})
      for (const float value : {0.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
        CHECK(is_exact<false>(approx_min_k(std::vector<float>(n, value), k, {.recall_target = target}),
                              std::vector<float>(n, value), k));
}

TEST_CASE("negative zero and zero are tied", "[row_top_k]") {
  std::mt19937_64 generator(8);
  std::vector<float> values(20000);
  for (float& x : values) x = generator() % 2 == 0 ? -0.0f : 0.0f;
  for (const std::size_t k : {1u, 20u, 500u})
    for (const double recall_target : {0.9, 1.0}) {
      const auto [found, at] = approx_min_k(values, k, {.recall_target = recall_target});
      CHECK(at == operands::k_best(values, k));
      for (std::size_t i = 0; i < k; ++i) REQUIRE(std::signbit(found[i]) == std::signbit(values[i]));
    }
}

TEST_CASE("NaN and infinities leave no place to nothing, and come in order", "[row_top_k]") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  std::mt19937_64 generator(9);
  for (const auto& [n, k, recall_target] : approximate_problems)
    for (const std::size_t finite : {std::size_t{0}, k / 2, k, 2 * k}) {
      std::vector<float> values(n, std::numeric_limits<float>::quiet_NaN());
      for (std::size_t i = 0; i < k / 4; ++i) values[generator() % n] = infinity;
      for (std::size_t i = 0; i < finite; ++i) values[generator() % n] = static_cast<float>(generator() % 100);
      values[generator() % n] = -infinity;
      const auto smallest = approx_min_k(values, k, {.recall_target = recall_target});
      const auto largest = approx_max_k(values, k, {.recall_target = recall_target});
      CAPTURE(n, k, finite);
      CHECK(is_exact<false>(smallest, values, k));
      CHECK(is_exact<true>(largest, values, k));
    }
}

TEST_CASE("without aggregation there are at least k distinct candidates, and no recall is lost", "[row_top_k]") {
  std::mt19937_64 generator(10);
  for (const auto& [n, k, recall_target] : approximate_problems) {
    auto values = operands::strided_values(n, 1, 0);
    const auto plan = plan_approx_top_k(n, k, {.recall_target = recall_target, .aggregate_to_topk = false});
    operands::statistics recall;
    for (int trial = 0; trial < 10; ++trial) {
      std::shuffle(values.begin(), values.end(), generator);
      const auto [found, at] = approx_min_k(values, k, {.recall_target = recall_target, .aggregate_to_topk = false});
      CHECK(found.size() == plan.output_size);
      CHECK(found.size() >= k);
      CHECK(operands::are_distinct(at));
      CHECK(operands::are_values_at(found, values, at));
      recall.add(operands::recall_of_ranks(found, k));
    }
    CAPTURE(n, k, recall_target, recall.mean(), recall.error());
    CHECK(recall.mean() >= plan.expected_recall - 3 * recall.error());
  }
}

TEST_CASE("without aggregation there are as many candidates where most elements are NaN", "[row_top_k]") {
  std::mt19937_64 generator(11);
  for (const auto& [n, k, recall_target] : approximate_problems) {
    std::vector<float> values(n, std::numeric_limits<float>::quiet_NaN());
    for (std::size_t i = 0; i < n / 20; ++i) values[generator() % n] = static_cast<float>(i);
    const auto plan = plan_approx_top_k(n, k, {.recall_target = recall_target, .aggregate_to_topk = false});
    const auto [found, at] = approx_min_k(values, k, {.recall_target = recall_target, .aggregate_to_topk = false});
    CHECK(found.size() == plan.output_size);
    CHECK(operands::are_distinct(at));
    CHECK(operands::are_values_at(found, values, at));
  }
}

TEST_CASE("the number of threads changes no bit of the result", "[row_top_k]") {
  std::mt19937_64 generator(12);
  for (const auto& [n, k, recall_target] : approximate_problems)
    for (const double target : {recall_target, 1.0})
      for (const bool aggregate : {true, false}) {
        const auto values = operands::tied_values<float>(n, generator);
        const auto random = operands::random_values<float>(n, generator);
        approx_top_k_params params{.recall_target = target, .aggregate_to_topk = aggregate};
        const auto tied_alone = approx_max_k(values, k, params).indices;
        const auto alone = approx_min_k(random, k, params).indices;
        for (const std::size_t threads : {2u, 3u, 8u}) {
          params.threads = threads;
          CHECK(approx_max_k(values, k, params).indices == tied_alone);
          CHECK(approx_min_k(random, k, params).indices == alone);
        }
      }
}

TEST_CASE("the scratch of one row leaves nothing behind for the next", "[row_top_k]") {
  std::mt19937_64 generator(13);
  const std::size_t n = 20011, k = 30;
  for (const bool aggregate : {false, true}) {
    const approx_top_k_params params{.recall_target = 0.8, .aggregate_to_topk = aggregate};
    const auto plan = plan_approx_top_k(n, k, params);
    detail::row_top_k<float, false> reduce(plan);
    for (int trial = 0; trial < 10; ++trial) {
      const auto row = trial % 3 == 0 ? std::vector<float>(n, std::numeric_limits<float>::quiet_NaN())
                                      : operands::random_values<float>(n, generator);
      top_k_result<float> again{std::vector<float>(plan.output_size), operands::places(plan.output_size)};
      reduce(row.data(), again.values.data(), again.indices.data());
      CHECK(again.indices == approx_min_k(row, k, params).indices);
    }
  }
}
