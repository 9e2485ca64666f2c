#include <annulus/approx_top_k/plan.hpp>

#include "approx_top_k/operands.hpp"
#include "catch.hpp"

#include <fstream>
#include <sstream>

using namespace annulus;

namespace {

/// A line of the sizes that XLA gives its output.
struct xla_case {
  std::size_t n, k;
  double recall_target;
  std::ptrdiff_t override_size;
  std::size_t rank, output_size;
};

std::vector<xla_case> xla_cases() {
  std::ifstream file(ANNULUS_TEST_DATA_DIR "/approx_min_k_output_size.csv");
  std::string line;
  std::getline(file, line);  // the names of the columns
  std::vector<xla_case> cases;
  while (std::getline(file, line)) {
    std::replace(line.begin(), line.end(), ',', ' ');
    xla_case c{};
    std::istringstream(line) >> c.n >> c.k >> c.recall_target >> c.override_size >> c.rank >> c.output_size;
    cases.push_back(c);
  }
  return cases;
}

approx_top_k_params xla_params(const xla_case& c) {
  return {.recall_target = c.recall_target,
          .reduction_input_size_override = c.override_size,
          .aggregate_to_topk = false,
          .policy = bin_policy::xla_compatible};
}

/// E[min(r, per_bin)] where r of the k best of n are among `size` drawn from the n.
long double exact_expected_kept(std::size_t n, std::size_t k, std::size_t size, std::size_t per_bin) {
  const auto log_choose = [](std::size_t a, std::size_t b) {
    const auto log_factorial = [](std::size_t x) { return std::lgamma(static_cast<long double>(x) + 1); };
    return log_factorial(a) - log_factorial(b) - log_factorial(a - b);
  };
  long double expected = 0;
  for (std::size_t r = k + size > n ? k + size - n : 0; r <= std::min(k, size); ++r)
    expected += static_cast<long double>(std::min(r, per_bin)) *
                std::exp(log_choose(k, r) + log_choose(n - k, size - r) - log_choose(n, size));
  return expected;
}

/// Recall where the k best of n are at random places, dealt as the partial reduction deals them.
operands::statistics simulated_recall(std::size_t n, std::size_t k, std::size_t bins, std::size_t per_bin,
                                      std::size_t trials, std::mt19937_64& generator) {
  const std::size_t group = detail::group_size(n, k, bins), block = detail::block_lanes * group;
  operands::statistics recall;
  for (std::size_t trial = 0; trial < trials; ++trial) {
    std::vector<bool> taken(n);
    std::vector<std::size_t> starts(n / (bins * group) + 1), count(bins);
    for (auto& start : starts) start = generator() % bins;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < k;) {
      const std::size_t place = generator() % n;
      if (taken[place]) continue;
      taken[place] = true;
      ++i;
      const std::size_t chunk = place / (bins * group), j = place % (bins * group);
      const std::size_t lane = j / block * detail::block_lanes + j % detail::block_lanes;
      kept += ++count[(lane + starts[chunk]) % bins] <= per_bin;
    }
    recall.add(static_cast<double>(kept) / static_cast<double>(k));
  }
  return recall;
}

}  // namespace

TEST_CASE("the xla_compatible policy gives XLA's output sizes", "[plan]") {
  const auto cases = xla_cases();
  REQUIRE(cases.size() == 2044);
  std::size_t wrong = 0;
  for (const auto& c : cases) wrong += plan_approx_top_k(c.n, c.k, xla_params(c), c.rank).output_size != c.output_size;
  CHECK(wrong == 0);
}

TEST_CASE("with aggregation the xla_compatible policy gives k", "[plan]") {
  std::size_t wrong = 0;
  for (const auto& c : xla_cases()) {
    auto params = xla_params(c);
    params.aggregate_to_topk = true;
    wrong += plan_approx_top_k(c.n, c.k, params, c.rank).output_size != c.k;
  }
  CHECK(wrong == 0);
}

TEST_CASE("what a bin is expected to keep agrees with the hypergeometric distribution", "[plan]") {
  for (const std::size_t n : {100u, 1000u, 30000u})
    for (const std::size_t k : {1u, 2u, 3u, 10u, 100u, 1000u})
      for (const std::size_t size : {1u, 2u, 5u, 16u, 50u, 400u})
        for (const std::size_t per_bin : {1u, 2u, 3u, 4u}) {
          if (k + size > n) continue;
          CAPTURE(n, k, size, per_bin);
          const auto real = [](std::size_t x) { return static_cast<double>(x); };
          const auto expected = static_cast<double>(exact_expected_kept(n, k, size, per_bin));
          CHECK(detail::expected_kept(real(n), real(k), real(size), per_bin) == Approx(expected).epsilon(1e-3));
        }
}

TEST_CASE("the expected recall agrees with a simulation, also where bins are of different sizes", "[plan]") {
  std::mt19937_64 generator(1);
  struct layout {
    std::size_t n, k, bins, per_bin;
  };
  for (const auto& [n, k, bins, per_bin] : {layout{4096, 100, 1024, 1},
                                            {5000, 100, 1024, 1},
                                            {5001, 400, 1024, 2},
                                            {1500, 300, 1024, 1},
                                            {100000, 10, 64, 1},
                                            {100017, 10, 64, 2},
                                            {30000, 200, 64, 4},
                                            {30000, 100, 80, 3},
                                            {1000, 900, 256, 2}}) {
    CAPTURE(n, k, bins, per_bin);
    const auto simulated = simulated_recall(n, k, bins, per_bin, 1000, generator);
    CHECK(std::abs(detail::expected_recall(n, k, bins, per_bin) - simulated.mean()) < 4 * simulated.error() + 1e-4);
  }
}

TEST_CASE("bins reach their recall target", "[plan]") {
  std::mt19937_64 generator(2);
  std::size_t with_bins = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::size_t n = 1 + generator() % (std::size_t{1} << generator() % 30);
    const std::size_t k = 1 + generator() % n % (std::size_t{1} << generator() % 30);
    const double recall_target = std::uniform_real_distribution<double>(0.01, 1)(generator);
    const auto policy = generator() % 2 == 0 ? bin_policy::tight : bin_policy::xla_compatible;
    const auto plan =
        plan_approx_top_k(n, k, {.recall_target = recall_target, .aggregate_to_topk = false, .policy = policy});
    CAPTURE(n, k, recall_target, policy, plan.bins, plan.per_bin);
    REQUIRE(plan.size == n);
    REQUIRE(plan.k == k);
    REQUIRE(plan.bins <= n);
    REQUIRE(plan.expected_recall <= 1);
    REQUIRE(plan.expected_recall >= recall_target);
    with_bins += plan.bins < n;
  }
  CHECK(with_bins > 300);
}

TEST_CASE("without aggregation the output of the tight policy is all that the bins keep, and never under k", "[plan]") {
  std::mt19937_64 generator(3);
  std::size_t approximate = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::size_t n = 1 + generator() % (std::size_t{1} << generator() % 30);
    const std::size_t k = 1 + generator() % n % (std::size_t{1} << generator() % 30);
    const auto plan = plan_approx_top_k(n, k, {.recall_target = 0.2, .aggregate_to_topk = false});
    CAPTURE(n, k, plan.bins, plan.per_bin);
    REQUIRE(plan.output_size == (plan.exact ? k : plan.bins * plan.per_bin));
    REQUIRE(plan.output_size >= k);
    approximate += !plan.exact;
  }
  CHECK(approximate > 100);
}

TEST_CASE("the k best are planned exact, as are a recall target of 1 and k = 1 without aggregation", "[plan]") {
  for (const std::size_t n : {1u, 100u, 10000u, 1000000u}) {
    for (const std::size_t k : {std::size_t{1}, (n + 9) / 10, n})
      for (const double recall_target : {0.5, 1.0})
        for (const auto policy : {bin_policy::tight, bin_policy::xla_compatible}) {
          const auto plan = plan_approx_top_k(n, k, {.recall_target = recall_target, .policy = policy});
          CHECK(plan.exact);
          CHECK(plan.expected_recall == 1);
          CHECK(plan.output_size == k);
        }
    CHECK(plan_approx_top_k(n, n, {.recall_target = 1, .aggregate_to_topk = false}).exact);
    CHECK(plan_approx_top_k(n, 1, {.recall_target = 0.5, .aggregate_to_topk = false}).exact);
  }
}

TEST_CASE("shards together have the bins of the whole", "[plan]") {
  constexpr std::size_t whole = 1000000;
  for (const std::size_t k : {10u, 100u, 1000u})
    for (const std::size_t shards : {2u, 7u, 16u}) {
      CAPTURE(k, shards);
      const auto all = plan_approx_top_k(whole, k, {.aggregate_to_topk = false});
      const auto one =
          plan_approx_top_k(whole / shards, k, {.reduction_input_size_override = whole, .aggregate_to_topk = false});
      CHECK(one.expected_recall >= 0.95);
      CHECK(one.output_size >= k);
      if (!one.exact && one.per_bin == all.per_bin) CHECK(one.bins * shards >= all.bins);
    }
}

TEST_CASE("the largest sizes are planned, larger ones refused", "[plan]") {
  constexpr std::size_t largest = std::size_t{1} << 53;
  for (const std::size_t k : {std::size_t{1}, std::size_t{1000}, largest / 100, largest / 2, largest})
    for (const double recall_target : {1e-300, 0.5, 0.999999, 1.0})
      CHECK(plan_approx_top_k(largest, k, {.recall_target = recall_target}).output_size == k);
  CHECK_THROWS_WITH(plan_approx_top_k(largest + 1, 1), ContainsSubstring("reduced size = 9007199254740993"));
}

TEST_CASE("what cannot be planned is refused by name and limit", "[plan]") {
  struct bad_input {
    std::size_t n, k;
    approx_top_k_params params;
    const char* message;
  };
  constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
  for (const auto policy : {bin_policy::tight, bin_policy::xla_compatible})
    for (auto [n, k, params, message] : {bad_input{10, 0, {}, "k = 0: must be from 1 to the reduced size 10"},
                                         {10, 11, {}, "k = 11: must be from 1 to the reduced size 10"},
                                         {0, 0, {}, "k = 0: "},
                                         {0, 1, {}, "k = 1: must be from 1 to the reduced size 0"},
                                         {10, 1, {.recall_target = 0}, "recall_target = 0: must be in (0, 1]"},
                                         {10, 1, {.recall_target = -0.5}, "recall_target = -0.5: "},
                                         {10, 1, {.recall_target = 1.5}, "recall_target = 1.5: "},
                                         {10, 1, {.recall_target = not_a_number}, "recall_target = nan: "},
                                         {10,
                                          1,
                                          {.reduction_input_size_override = 0},
                                          "reduction_input_size_override = 0: must be negative (off) or at least"},
                                         {10, 1, {.reduction_input_size_override = 9}, "the reduced size 10"}}) {
      params.policy = policy;
      CHECK_THROWS_AS(plan_approx_top_k(n, k, params), std::invalid_argument);
      CHECK_THROWS_WITH(plan_approx_top_k(n, k, params), ContainsSubstring(message));
    }
}

TEST_CASE("any negative override is none", "[plan]") {
  const auto with = plan_approx_top_k(100000, 10, {.reduction_input_size_override = -7, .aggregate_to_topk = false});
  const auto without = plan_approx_top_k(100000, 10, {.aggregate_to_topk = false});
  CHECK(with.bins == without.bins);
  CHECK(with.expected_recall == without.expected_recall);
}
