#include <annulus/lsh/families/bit_sampling.hpp>
#include <annulus/lsh/families/minhash.hpp>
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>

#include "catch.hpp"

using namespace annulus;

TEST_CASE("the normal distribution function has its known values", "[lsh][probability]") {
  CHECK(detail::normal_cdf(0) == 0.5);
  CHECK(detail::normal_cdf(1) == Approx(0.8413447460685429).epsilon(1e-14));
  CHECK(detail::normal_cdf(-3) == Approx(0.0013498980316301).epsilon(1e-12));
}

TEST_CASE("normal tails of any number of arguments are those of the distribution function", "[lsh][probability]") {
  for (std::size_t n = 0; n <= 40; ++n) {
    std::vector<float> z(n + 1);
    for (std::size_t i = 0; i <= n; ++i) z[i] = -6.0f + 0.31f * static_cast<float>(i);
    const auto given = z;
    detail::to_normal_tails({z.data(), n});
    for (std::size_t i = 0; i < n; ++i)
      CHECK(z[i] == Approx(detail::normal_cdf(-static_cast<double>(given[i]))).epsilon(1e-5).margin(1e-9));
    CHECK(z[n] == given[n]);
  }
}

TEST_CASE("Gaussian functions of width 4 collide as published", "[lsh][probability]") {
  CHECK(gaussian_probability(1, 4) == Approx(0.800532).margin(5e-7));
  CHECK(gaussian_probability(2, 4) == Approx(0.609548).margin(5e-7));
  CHECK(p_stable_l2{.width = 4}.collision_probability(2) == gaussian_probability(2, 4));
}

TEST_CASE("Cauchy functions of width 4 collide as published", "[lsh][probability]") {
  CHECK(cauchy_probability(1, 4) == Approx(0.618582).margin(5e-7));
  CHECK(cauchy_probability(2, 4) == Approx(0.448683).margin(5e-7));
  CHECK(p_stable_l1{.width = 4}.collision_probability(2) == cauchy_probability(2, 4));
}

TEST_CASE("p-stable probabilities depend on the distance in widths alone", "[lsh][probability]") {
  for (const double c : {0.1, 1.0, 30.0}) {
    CHECK(gaussian_probability(c, 2) == Approx(gaussian_probability(5 * c, 10)).epsilon(1e-12));
    CHECK(cauchy_probability(c, 2) == Approx(cauchy_probability(5 * c, 10)).epsilon(1e-12));
  }
}

TEST_CASE("p-stable probabilities fall from one to zero", "[lsh][probability]") {
  for (const auto p : {gaussian_probability, cauchy_probability}) {
    CHECK(p(0, 4) == 1);
    double last = 1;
    for (double c = 1e-6; c < 1e7; c *= 1.7) {
      CHECK(p(c, 4) < last + 1e-12);
      CHECK(p(c, 4) >= 0);
      last = p(c, 4);
    }
    CHECK(last < 1e-5);
  }
}

TEST_CASE("the angle of a cosine distance is clamped to half a turn", "[lsh][probability]") {
  CHECK(angle_of(0) == 0);
  CHECK(angle_of(1) == Approx(std::numbers::pi / 2));
  CHECK(angle_of(2) == Approx(std::numbers::pi));
  CHECK(angle_of(-1e-9) == 0);
  CHECK(angle_of(2.1) == Approx(std::numbers::pi));
}

TEST_CASE("hyperplanes part rows in proportion to their angle", "[lsh][probability]") {
  CHECK(hyperplane_probability(0) == 1);
  CHECK(hyperplane_probability(std::numbers::pi) == 0);
  CHECK(sign_random_projection{}.collision_probability(1 - std::cos(0.3)) == Approx(1 - 0.3 / std::numbers::pi));
}

TEST_CASE("single functions of sets and bits agree in proportion", "[lsh][probability]") {
  CHECK(minhash{}.collision_probability(0.25) == 0.75);
  CHECK(minhash{}.collision_probability(1.5) == 0);
  CHECK(bit_sampling{}.collision_probability(4, 16) == 0.75);
  CHECK(bit_sampling{}.collision_probability(17, 16) == 0);
}

TEST_CASE("rho at twice the distance has its known values", "[lsh][probability]") {
  const std::pair<double, double> known[]{{1, .611}, {2, .496}, {3, .455}, {4, .449}, {6, .462}, {8, .472}};
  for (const auto& [width, rho] : known)
    CHECK(lsh_rho(gaussian_probability(1, width), gaussian_probability(2, width)) == Approx(rho).margin(6e-4));
}

TEST_CASE("rho of what is no pair of probabilities is refused", "[lsh][probability]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(lsh_rho(0.5, 0.5) == 1);
  for (const double p1 : {0.0, 1.0, -0.1, 1.1, nan})
    CHECK_THROWS_WITH(lsh_rho(p1, 0.3), ContainsSubstring("p1") && ContainsSubstring("(0, 1)"));
  for (const double p2 : {0.0, -0.1, 0.51, nan}) CHECK_THROWS_WITH(lsh_rho(0.5, p2), ContainsSubstring("p2"));
}

TEST_CASE("estimate_k is the least number that leaves one candidate", "[lsh][probability]") {
  for (const std::size_t n : {2u, 3u, 10u, 1000u, 1024u, 1025u, 1000000u})
    for (const double p2 : {0.1, 0.3, 0.5, 0.6095, 0.9}) {
      const std::size_t k = estimate_k(n, p2);
      const auto left = [&](std::size_t kk) { return static_cast<double>(n) * std::pow(p2, static_cast<double>(kk)); };
      CHECK(left(k) <= 1 + 1e-9);
      if (k > 1) CHECK(left(k - 1) > 1 + 1e-9);
    }
  CHECK(estimate_k(1025, 0.5) == 11);
  CHECK(estimate_k(1000, 0.1) == 3);
}

TEST_CASE("estimate_k is at least 1", "[lsh][probability]") {
  CHECK(estimate_k(0, 0.5) == 1);
  CHECK(estimate_k(1, 0.5) == 1);
  CHECK(estimate_k(2, 1e-9) == 1);
}

TEST_CASE("estimate_l is the least number that misses no more than delta", "[lsh][probability]") {
  for (const double delta : {0.01, 0.1, 0.5, 0.9})
    for (const double p1 : {0.3, 0.8005, 0.99})
      for (const std::size_t k : {1u, 5u, 15u}) {
        const std::size_t l = estimate_l(delta, p1, k);
        const double log_miss = std::log1p(-std::pow(p1, static_cast<double>(k)));
        CHECK(std::exp(static_cast<double>(l) * log_miss) <= delta * (1 + 1e-12));
        if (l > 1) CHECK(std::exp(static_cast<double>(l - 1) * log_miss) > delta * (1 + 1e-12));
      }
  // ln 0.1 / ln (1 - 0.8^10) = 20.27
  CHECK(estimate_l(0.1, 0.8, 10) == 21);
  for (std::size_t l = 1; l < 20; ++l) CHECK(estimate_l(std::pow(0.1, static_cast<double>(l)), 0.9, 1) == l);
}

TEST_CASE("estimate_l is at least 1 where one table does", "[lsh][probability]") {
  CHECK(estimate_l(0.9, 0.999, 1) == 1);
  CHECK(estimate_l(0.5, 0.5, 0) == 1);
}

TEST_CASE("estimates of what are no probabilities are refused", "[lsh][probability]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double p : {0.0, 1.0, -0.5, 2.0, nan}) {
    CHECK_THROWS_WITH(estimate_k(100, p), ContainsSubstring("p2"));
    CHECK_THROWS_WITH(estimate_l(0.1, p, 3), ContainsSubstring("p1"));
    CHECK_THROWS_WITH(estimate_l(p, 0.5, 3), ContainsSubstring("delta"));
  }
}

TEST_CASE("tables beyond counting are refused", "[lsh][probability]") {
  CHECK_THROWS_WITH(estimate_l(0.1, 0.01, 100), ContainsSubstring("tables"));
  CHECK_THROWS_WITH(estimate_l(0.1, 1e-300, 5), ContainsSubstring("tables"));
}
