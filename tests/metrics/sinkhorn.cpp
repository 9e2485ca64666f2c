#include "metrics/transports.hpp"

#include "catch.hpp"

#include <annulus/metrics/sinkhorn.hpp>

using namespace annulus;
using namespace transports;

namespace {

/// By scaling the kernel's rows and columns, without logarithms.
double plain_sinkhorn(const detail::transport_problem& problem, double epsilon) {
  std::vector<double> u(problem.n, 1.0), v(problem.m, 1.0);
  const auto kernel = [&](std::size_t i, std::size_t j) { return std::exp(-problem.costs(i)[j] / epsilon); };
  for (int t = 0; t < 400; ++t) {
    for (std::size_t i = 0; i < problem.n; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < problem.m; ++j) sum += kernel(i, j) * v[j];
      u[i] = problem.supply[i] / sum;
    }
    for (std::size_t j = 0; j < problem.m; ++j) {
      double sum = 0;
      for (std::size_t i = 0; i < problem.n; ++i) sum += kernel(i, j) * u[i];
      v[j] = problem.demand[j] / sum;
    }
  }
  double cost = 0;
  for (std::size_t i = 0; i < problem.n; ++i)
    for (std::size_t j = 0; j < problem.m; ++j) cost += u[i] * kernel(i, j) * v[j] * problem.costs(i)[j];
  return cost;
}

}  // namespace

TEST_CASE("entropic transport is that of plainly scaled kernels") {
  for (const double epsilon : {10.0, 1.0, 0.3, 0.1})
    for (const std::size_t d : {2u, 5u, 16u, 19u}) {
      const auto a = random_mass(d, d), b = random_mass(d, d + 7);
      const auto cost = random_costs(d, d);
      CAPTURE(epsilon, d);
      CHECK(between(sinkhorn(cost, epsilon), a, b) ==
            Approx(plain_sinkhorn(problem_of(a, b, cost), epsilon)).epsilon(1e-6));
    }
}

TEST_CASE("entropic transport of little regularisation is exact transport") {
  for (const std::size_t d : {3u, 10u, 24u})
    for (const auto& cost : {random_costs(d, 1), line_costs(d), line_costs(d, 2)}) {
      const auto a = random_mass(d, d), b = random_mass(d, d + 1);
      const double greatest = *std::max_element(cost.data(), cost.data() + d * d);
      const double exact = between(kantorovich(cost), a, b);
      for (const double share : {1e-3, 1e-5, 1e-9}) {
        const double entropic = between(sinkhorn(cost, share * greatest), a, b);
        CAPTURE(d, greatest, share);
        CHECK(entropic >= exact * (1 - 1e-12));
        // The entropy of a plan is at most that of the product of its marginals, 2 log d.
        CHECK(entropic <= exact + greatest * (2 * share * std::log(static_cast<double>(d)) + 1e-6));
      }
    }
}

TEST_CASE("entropic transport costs more the more it is regularised") {
  const auto a = random_mass(20, 1), b = random_mass(20, 2);
  double last = 0;
  for (const double epsilon : {1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0}) {
    const double cost = between(sinkhorn(random_costs(20, 5), epsilon), a, b);
    CHECK(cost >= last);
    last = cost;
  }
}

TEST_CASE("much regularisation sends all mass everywhere") {
  const auto a = random_mass(15, 1), b = random_mass(15, 2);
  const auto cost = random_costs(15, 3);
  const auto problem = problem_of(a, b, cost);
  double product = 0;
  for (std::size_t i = 0; i < problem.n; ++i)
    for (std::size_t j = 0; j < problem.m; ++j) product += problem.supply[i] * problem.demand[j] * problem.costs(i)[j];
  CHECK(between(sinkhorn(cost, 1e9), a, b) == Approx(product).epsilon(1e-8));
}

TEST_CASE("an entropic plan has the marginals asked for even where iterations run out") {
  for (const std::size_t iterations : {1u, 3u, 10000u}) {
    const auto problem = problem_of(random_mass(21, 1), random_mass(21, 2), random_costs(21, 3));
    const detail::entropic_transport solution(problem, 0.003, iterations);
    std::vector<double> out(problem.n), in(problem.m);
    double cost = 0, least = 0;
    for (std::size_t i = 0; i < problem.n; ++i)
      for (std::size_t j = 0; j < problem.m; ++j) {
        out[i] += solution.plan(i, j);
        in[j] += solution.plan(i, j);
        least = std::min(least, solution.plan(i, j));
        cost += solution.plan(i, j) * problem.costs(i)[j];
      }
    CAPTURE(iterations);
    CHECK(least >= 0);
    CHECK(cost == Approx(solution.cost()).epsilon(1e-12));
    for (std::size_t i = 0; i < problem.n; ++i) CHECK(out[i] == Approx(problem.supply[i]).epsilon(1e-12));
    for (std::size_t j = 0; j < problem.m; ++j) CHECK(in[j] == Approx(problem.demand[j]).epsilon(1e-12));
    CHECK(solution.iterations() <= iterations);
    CHECK((iterations < 10000 || solution.row_error() < 1e-9));
  }
}

TEST_CASE("over-relaxed steps converge in hundreds of iterations where plain ones take thousands") {
  for (const double share : {1e-3, 1e-6}) {
    const auto problem = problem_of(random_mass(48, 4), random_mass(48, 5), line_costs(48));
    const detail::entropic_transport solution(problem, share * 47, 10000);
    CAPTURE(share);
    CHECK(solution.row_error() < 1e-9);
    CHECK(solution.iterations() < 1000);
  }
}

TEST_CASE("entropic transport by symmetric costs is symmetric") {
  const sinkhorn metric(line_costs(18), 0.2);
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto a = random_mass(18, seed), b = random_mass(18, seed + 20);
    CHECK(between(metric, a, b) == Approx(between(metric, b, a)).epsilon(1e-7));
  }
}

TEST_CASE("entropic transport of sparse rows is that of the full rows") {
  const sinkhorn metric(random_costs(40, 3), 0.05);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto a = random_mass(40, seed, 0.7), b = random_mass(40, seed + 50, 0.7);
    CHECK(metric(stored(a).row(), stored(b).row()) == between(metric, a, b));
  }
}

TEST_CASE("entropic transport takes masses and costs of any size") {
  const auto a = random_mass(10, 1), b = random_mass(10, 2);
  auto cost = random_costs(10, 1);
  const double expected = between(sinkhorn(cost, 0.01), a, b);
  for (std::size_t i = 0; i < 100; ++i) cost.data()[i] *= 1e250;
  CHECK(between(sinkhorn(cost, 1e248), a, b) == Approx(1e250 * expected).epsilon(1e-7));
  std::vector<double> tiny(10, 1e-300), other(b.begin(), b.end());
  tiny[3] = 1;
  const double moved = sinkhorn(line_costs(10), 0.1)(tiny.data(), other.data(), 10);
  std::vector<float> alone(10);
  alone[3] = 1;
  CHECK(moved == Approx(between(sinkhorn(line_costs(10), 0.1), alone, b)).epsilon(1e-7));
}

TEST_CASE("entropic transport from or to no mass is defined") {
  const sinkhorn metric(line_costs(3));
  const std::vector<float> none(3), some{0, 1, 0};
  CHECK(between(metric, none, none) == 0);
  CHECK(between(metric, none, some) == std::numeric_limits<double>::infinity());
  CHECK(between(metric, some, none) == std::numeric_limits<double>::infinity());
  CHECK(between(metric, some, some) == 0);  // one bin leaves no choice
  CHECK(between(sinkhorn(matrix<double>(3, 3)), some, random_mass(3, 1)) == 0);
}

TEST_CASE("regularisation out of range and iterations of none are refused") {
  const auto cost = line_costs(3);
  for (const double bad : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity(), 1e-15})
    CHECK_THROWS_WITH(sinkhorn(cost, bad), ContainsSubstring("regularization"));
  CHECK_THROWS_WITH(sinkhorn(cost, 1, 0), ContainsSubstring("max_iterations"));
  CHECK_THROWS_AS(sinkhorn(matrix<double>(2, 3)), std::invalid_argument);
  CHECK_THROWS_WITH(sinkhorn(cost).check_dimension(2), ContainsSubstring("cost's 3"));
  CHECK(sinkhorn(cost, 0.5).regularization() == 0.5);
  CHECK(sinkhorn(cost).max_iterations() == 10'000);
}
