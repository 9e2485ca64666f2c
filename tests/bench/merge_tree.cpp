// The merge of the lists of many ranks (bench/scale/merge_tree.hpp): its formula, its simulation, and both beside each
// other.

#include <annulus/core/base/random.hpp>

#include <scale/merge_tree.hpp>

using Catch::Matchers::WithinRel;
using namespace scale;

namespace {

constexpr merge_costs costs{
    .merge = 3, .bytes = 40, .net = {.latency = 1, .bytes_per_second = 20}};  // a message takes 3

double simulated(const std::vector<double>& ready, const merge_costs& by = costs) {
  return merge_simulation(ready, by).run();
}

/// The mean of simulations whose ranks draw their times.
double mean_simulated(const measured_times& times, std::size_t ranks, const merge_costs& by, std::size_t runs) {
  double sum = 0;
  std::vector<double> ready(ranks);
  for (std::size_t run = 0; run < runs; ++run) {
    const annulus::counter_random random(5, run);
    for (std::size_t r = 0; r < ranks; ++r) ready[r] = times.quantile(random.uniform(r));
    sum += simulated(ready, by);
  }
  return sum / static_cast<double>(runs);
}

/// Times of which a few are far longer than the rest.
measured_times skewed_times() {
  std::vector<double> times;
  const annulus::counter_random random(1);
  for (std::size_t i = 0; i < 500; ++i) times.push_back(std::exp(random.normal(i)));
  return measured_times(times);
}

}  // namespace

TEST_CASE("One rank has nothing to wait for", "[scale]") {
  CHECK(simulated({7}) == 7);
  CHECK(modelled_merge(measured_times({7}), 1, costs) == 7);
}

TEST_CASE("Ranks that are ready at once take a message and a merge a round", "[scale]") {
  for (std::size_t rounds = 1; rounds <= 12; ++rounds) {
    const std::size_t ranks = std::size_t{1} << rounds;
    const double expected = 7 + static_cast<double>(rounds) * (3 + 3);
    CHECK_THAT(simulated(std::vector<double>(ranks, 7)), WithinRel(expected, 1e-9));
    CHECK_THAT(modelled_merge(measured_times({7}), ranks, costs), WithinRel(expected, 1e-9));
  }
}

TEST_CASE("Three ranks: the third has no partner and sends in the second round", "[scale]") {
  CHECK_THAT(simulated({0, 0, 0}), WithinRel(3.0 + 3 + 3, 1e-9));  // rank 2's list is there before the first merge ends
  CHECK_THAT(simulated({0, 0, 100}), WithinRel(100.0 + 3 + 3, 1e-9));
  CHECK_THAT(simulated({0, 100, 0}), WithinRel(100.0 + 3 + 3 + 3, 1e-9));
}

TEST_CASE("A late rank is waited for: its messages and a merge a round", "[scale]") {
  std::vector<double> ready(8, 0.0);
  ready[5] = 100;  // 101 in binary: two messages
  CHECK_THAT(simulated(ready), WithinRel(100.0 + 2 * 3 + 3 * 3, 1e-9));
  ready[5] = 0;
  ready[4] = 100;  // 100: one message
  CHECK_THAT(simulated(ready), WithinRel(100.0 + 3 + 3 * 3, 1e-9));
}

TEST_CASE("Messages to one rank wait for each other's bytes", "[scale]") {
  // Ranks 1 and 2 send to rank 0 at once: 2 s each on its link, and 1 s of latency.
  CHECK_THAT(simulated({0, 0, 0}, {.merge = 0, .bytes = 40, .net = costs.net}), WithinRel(2.0 + 2 + 1, 1e-9));
}

TEST_CASE("The expected greatest of two times", "[scale]") {
  // Of 0 and 1, drawn twice: 1 in three of four cases. Without costs of messages and merges.
  const merge_costs none{.merge = 0, .bytes = 0, .net = {.latency = 0, .bytes_per_second = 1}};
  CHECK_THAT(modelled_merge(measured_times({0, 1}), 2, none), WithinRel(0.75, 1e-9));
  CHECK_THAT(modelled_merge(measured_times({0, 1}), 8, none), WithinRel(1 - 1.0 / 256, 1e-9));
}

TEST_CASE("Formula and simulation agree", "[scale]") {
  const measured_times times = skewed_times();
  const merge_costs by{.merge = 0.05, .bytes = 1000, .net = {.latency = 0.1, .bytes_per_second = 1e6}};
  for (const std::size_t ranks : {std::size_t{2}, std::size_t{16}, std::size_t{64}, std::size_t{1024}})
    CHECK_THAT(mean_simulated(times, ranks, by, 400), WithinRel(modelled_merge(times, ranks, by), 0.05));
}

TEST_CASE("Among ranks that are no power of two the formula is an upper bound", "[scale]") {
  const measured_times same({7});
  for (std::size_t ranks = 2; ranks < 70; ++ranks) {
    const double model =
        modelled_merge(same, ranks, {.merge = 3, .bytes = 0, .net = {.latency = 1, .bytes_per_second = 1}});
    const double found = simulated(std::vector<double>(ranks, 7), {.merge = 3, .bytes = 0, .net = {1, 1}});
    CHECK(found <= model + 1e-9);
  }
}
