#include "metrics/transports.hpp"

#include "catch.hpp"
#include "metrics/golden.hpp"

#include <annulus/metrics/wasserstein.hpp>

#include <numeric>

using namespace annulus;
using namespace transports;

namespace {

/// What proves a solution optimal: flows of the right marginals, potentials that no arc undercuts, no slack where flow
/// is. Sums of masses differ by rounding, so that one sink may get that much more or less.
void check_certificate(const detail::transport_problem& problem, const detail::network_simplex& solution) {
  const double greatest = *std::max_element(problem.cost.begin(), problem.cost.end());
  std::vector<double> out(problem.n), in(problem.m);
  std::size_t arcs = 0;
  bool is_tight = true, has_negative = false;
  solution.for_each_flow([&](std::size_t i, std::size_t j, double flow) {
    out[i] += flow;
    in[j] += flow;
    ++arcs;
    has_negative = has_negative || flow < 0;
    is_tight = is_tight && std::abs(problem.costs(i)[j] - solution.u(i) - solution.v(j)) <= 1e-12 * greatest;
  });
  CHECK(arcs == problem.n + problem.m - 1);
  CHECK_FALSE(has_negative);
  CHECK(is_tight);
  double imbalance = 0, least_slack = 0;
  for (std::size_t i = 0; i < problem.n; ++i) imbalance = std::max(imbalance, std::abs(out[i] - problem.supply[i]));
  for (std::size_t j = 0; j < problem.m; ++j) imbalance = std::max(imbalance, std::abs(in[j] - problem.demand[j]));
  CHECK(imbalance < 1e-12);
  for (std::size_t i = 0; i < problem.n; ++i)
    for (std::size_t j = 0; j < problem.m; ++j)
      least_slack = std::min(least_slack, problem.costs(i)[j] - solution.u(i) - solution.v(j));
  CHECK(least_slack >= -1e-12 * greatest);
}

}  // namespace

TEST_CASE("exact transport has the golden values") {
  for (const auto& e : golden::examples("kantorovich")) {
    const kantorovich metric(matrix_view<double>(e.params.at("cost").data(), e.dim, e.dim));
    CHECK(between(metric, e.x, e.y) == Approx(e.distance).epsilon(1e-4));
  }
}

TEST_CASE("solutions of random transport problems are proven optimal by their potentials") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const std::size_t d = 1 + seed;
    const auto problem = problem_of(random_mass(d, seed), random_mass(d, seed + 100), random_costs(d, seed));
    CAPTURE(d);
    check_certificate(problem, detail::network_simplex(problem));
  }
}

TEST_CASE("degenerate transport problems of equal masses and equal costs are solved") {
  // Every basis is degenerate and most arcs tie: what cycles does not return.
  for (const std::size_t d : {2u, 3u, 10u, 40u}) {
    const std::vector<float> equal(d, 1.0f);
    matrix<double> cost(d, d);
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = 0; j < d; ++j) cost(i, j) = static_cast<double>((i * 7 + j * 3) % 5);
    const auto problem = problem_of(equal, equal, cost);
    const detail::network_simplex solution(problem);
    check_certificate(problem, solution);
    const kantorovich shift(line_costs(d));
    std::vector<float> a(d, 1.0f), b(d, 1.0f);
    a[0] = 0;
    b[d - 1] = 0;
    CHECK(between(shift, a, b) == Approx(1));
  }
}

TEST_CASE("assignment problems have the least cost of all permutations") {
  constexpr std::size_t d = 6;
  const std::vector<float> equal(d, 3.0f);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto cost = random_costs(d, seed);
    std::vector<std::size_t> to(d);
    std::iota(to.begin(), to.end(), 0u);
    double least = 1e9;
    do {
      double sum = 0;
      for (std::size_t i = 0; i < d; ++i) sum += cost(i, to[i]);
      least = std::min(least, sum / d);
    } while (std::next_permutation(to.begin(), to.end()));
    CHECK(detail::network_simplex(problem_of(equal, equal, cost)).cost() == Approx(least).epsilon(1e-12));
  }
}

TEST_CASE("exact transport by the distance of bins is transport along a line") {
  for (const std::size_t d : {1u, 2u, 5u, 17u, 64u, 90u}) {
    const kantorovich metric(line_costs(d));
    const auto a = random_mass(d, d), b = random_mass(d, d + 1);
    const std::vector<double> x(a.begin(), a.end()), y(b.begin(), b.end());
    CAPTURE(d);
    CHECK(between(metric, a, b) == Approx(wasserstein_1d{}(x.data(), y.data(), d)).epsilon(1e-11).margin(1e-14));
  }
}

TEST_CASE("exact transport of sparse rows is that of the full rows") {
  const auto cost = random_costs(50, 3);
  const kantorovich metric(cost);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto a = random_mass(50, seed, 0.7), b = random_mass(50, seed + 50, 0.7);
    CHECK(metric(stored(a).row(), stored(b).row()) == between(metric, a, b));
  }
}

TEST_CASE("exact transport by a metric is a metric") {
  const kantorovich metric(line_costs(8));
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto a = random_mass(8, 3 * seed), b = random_mass(8, 3 * seed + 1), c = random_mass(8, 3 * seed + 2);
    CHECK(between(metric, a, a) == 0);
    CHECK(between(metric, a, b) == Approx(between(metric, b, a)).epsilon(1e-12));
    CHECK(between(metric, a, c) <= between(metric, a, b) + between(metric, b, c) + 1e-12);
  }
}

TEST_CASE("identical rows move where moving is cheaper than rest") {
  matrix<double> cost(2, 2);
  cost(0, 0) = cost(1, 1) = 5;
  cost(0, 1) = cost(1, 0) = 1;
  const std::vector<float> row{1, 1};
  CHECK(between(kantorovich(cost), row, row) == 1);
}

TEST_CASE("costs that are not symmetric are those from the first row to the second") {
  matrix<double> cost(2, 2);
  cost(0, 1) = 3;
  cost(1, 0) = 4;
  const std::vector<float> a{1, 0}, b{0, 1};
  CHECK(between(kantorovich(cost), a, b) == 3);
  CHECK(between(kantorovich(cost), b, a) == 4);
}

TEST_CASE("free transport costs nothing") {
  const kantorovich metric(matrix<double>(20, 20));
  CHECK(between(metric, random_mass(20, 1), random_mass(20, 2)) == 0);
}

TEST_CASE("masses of very different sizes are transported") {
  std::vector<float> a(12), b(12);
  for (std::size_t i = 0; i < 12; ++i) {
    a[i] = std::ldexp(1.0f, -10 * static_cast<int>(i));
    b[i] = std::ldexp(1.0f, -9 * static_cast<int>(11 - i));
  }
  const std::vector<double> x(a.begin(), a.end()), y(b.begin(), b.end());
  const auto problem = problem_of(a, b, line_costs(12));
  check_certificate(problem, detail::network_simplex(problem));
  CHECK(between(kantorovich(line_costs(12)), a, b) == Approx(wasserstein_1d{}(x.data(), y.data(), 12)));
}

TEST_CASE("bytes are transported exactly by their values") {
  const std::vector<std::uint8_t> a{200, 0, 0, 100}, b{0, 0, 100, 0};
  CHECK(kantorovich(line_costs(4))(a.data(), b.data(), 4) == Approx((2 * 2 + 1) / 3.0));
}

TEST_CASE("no mass is nowhere near any mass and at no distance from no mass") {
  const kantorovich metric(line_costs(3));
  const std::vector<float> none(3), some{0, 1, 0};
  CHECK(between(metric, none, none) == 0);
  CHECK(between(metric, none, some) == std::numeric_limits<double>::infinity());
  CHECK(between(metric, some, none) == std::numeric_limits<double>::infinity());
  const sparse_row<float> empty{{}, {}, 3};
  CHECK(metric(empty, empty) == 0);
}

TEST_CASE("copies share the costs and keep them") {
  std::optional<kantorovich> first(line_costs(4));
  const kantorovich second = *first;
  CHECK(second.cost().data() == first->cost().data());
  first.reset();
  CHECK(second.cost()(0, 3) == 3);
}

TEST_CASE("costs of a wrong shape or size are refused with their place") {
  const std::vector<double> values(6, 1.0);
  CHECK_THROWS_WITH(kantorovich(matrix_view<double>(values.data(), 2, 3)), ContainsSubstring("columns = 3"));
  CHECK_THROWS_AS(kantorovich(matrix<double>(0, 0)), std::invalid_argument);
  for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity(), 1e301}) {
    matrix<double> cost(3, 3);
    cost(1, 2) = bad;
    CHECK_THROWS_WITH(kantorovich(cost), ContainsSubstring("row 1, column 2"));
  }
  CHECK_NOTHROW(kantorovich(line_costs(3)).check_dimension(3));
  CHECK_THROWS_WITH(kantorovich(line_costs(3)).check_dimension(4), ContainsSubstring("cost's 3"));
  const float negative[] = {1, -1, 0};
  CHECK_THAT(kantorovich::refuses(negative, 3).reason, ContainsSubstring("not negative"));
}
