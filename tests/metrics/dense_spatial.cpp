#include <annulus/metrics/spatial.hpp>

#include "catch.hpp"
#include "metrics/dense_rows.hpp"

using namespace annulus;
using dense_rows::is_near;

namespace {

using point = std::vector<double>;  // latitude and longitude

double haversine_of(const point& a, const point& b) {
  const auto square = [](double x) { return x * x; };
  const double h =
      square(std::sin((a[0] - b[0]) / 2)) + std::cos(a[0]) * std::cos(b[0]) * square(std::sin((a[1] - b[1]) / 2));
  return 2 * std::asin(std::min(std::sqrt(h), 1.0));
}

point random_point(std::uint64_t i) {
  const counter_random random(i);
  return {std::numbers::pi * (random.uniform(0) - 0.5), 2 * std::numbers::pi * random.uniform(1)};
}

double between(const point& a, const point& b) { return haversine{}(a.data(), b.data(), 2); }

}  // namespace

TEST_CASE("haversine is its formula") {
  for (std::uint64_t i = 0; i < 200; ++i) {
    const point a = random_point(2 * i), b = random_point(2 * i + 1);
    CHECK(is_near(between(a, b), haversine_of(a, b), 1e-13));
  }
}

TEST_CASE("haversine of floats is computed in double") {
  const float a[] = {0.5f, 1.0f}, b[] = {0.5f, 1.0000001f};
  const double expected = haversine_of({0.5, 1.0}, {0.5, static_cast<double>(b[1])});
  STATIC_REQUIRE(std::same_as<decltype(haversine{}(a, b, 2)), double>);
  CHECK(std::abs(haversine{}(a, b, 2) / expected - 1) < 1e-8);
}

TEST_CASE("haversine knows quarter and half turns") {
  const double right = std::numbers::pi / 2;
  CHECK(is_near(between({right, 0.3}, {0, 2}), right, 1e-15));
  CHECK(is_near(between({right, 0}, {-right, 1}), std::numbers::pi, 1e-7));
  CHECK(is_near(between({0, 0}, {0, std::numbers::pi}), std::numbers::pi, 1e-7));
  CHECK(is_near(between({0.2, 0.4}, {0.2, 0.4 + 4 * std::numbers::pi}), 0, 1e-14));
}

TEST_CASE("haversine is symmetric and 0 for equal points and keeps triangles") {
  for (std::uint64_t i = 0; i < 200; ++i) {
    const point a = random_point(3 * i), b = random_point(3 * i + 1), c = random_point(3 * i + 2);
    CHECK(between(a, b) == between(b, a));
    CHECK(between(a, a) == 0);
    CHECK(between(a, c) <= between(a, b) + between(b, c) + 1e-14);
  }
}

TEST_CASE("haversine refuses rows that are not of two coordinates") {
  const float row[3] = {};
  for (const std::size_t d : {0u, 1u, 3u}) {
    CHECK_THROWS_WITH(haversine::check_dimension(d), ContainsSubstring("must be 2"));
    CHECK_THROWS_AS(haversine{}(row, row, d), std::invalid_argument);
  }
  CHECK_NOTHROW(haversine::check_dimension(2));
}

TEST_CASE("haversine ranks grow with distances up to opposite points") {
  const auto base = haversine::base(2);
  double last = -1;
  for (double rank = 0; rank <= 4; rank += 1.0 / 16) {
    CHECK(base.to_distance(rank) > last);
    last = base.to_distance(rank);
  }
  CHECK(base.to_distance(4.0000001) == base.to_distance(4.0));
}
