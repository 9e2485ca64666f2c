#include <annulus/core/codes/random_rotation.hpp>

#include "catch.hpp"
#include "random_data.hpp"

#include <numeric>
#include <vector>

using namespace annulus;
using namespace annulus::detail;

namespace {

std::vector<float> rotated(const random_rotation& rotation, std::span<const float> row) {
  std::vector<float> result(row.size());
  rotation(row.data(), result.data());
  return result;
}

double product(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

TEST_CASE("a random rotation keeps inner products, in every dimension", "[random_rotation]") {
  for (std::size_t d = 1; d <= 1100; d += d < 70 ? 1 : 103) {
    const auto rows = normal_rows(2, d, d);
    const random_rotation rotation(d, 5);
    const auto a = rotated(rotation, rows.row(0)), b = rotated(rotation, rows.row(1));
    const double scale = std::sqrt(product(rows.row(0), rows.row(0)) * product(rows.row(1), rows.row(1)));
    CAPTURE(d);
    CHECK(product(a, b) == Approx(product(rows.row(0), rows.row(1))).margin(1e-5 * scale));
    CHECK(product(a, a) == Approx(product(rows.row(0), rows.row(0))).epsilon(1e-5));
  }
}

TEST_CASE("a random rotation can be done in place, and is the same for the same seed only", "[random_rotation]") {
  for (const std::size_t d : {8u, 100u, 384u}) {
    const auto rows = normal_rows(1, d, d);
    const auto first = rotated(random_rotation(d, 1), rows.row(0));
    auto in_place = matrix<float>(rows);
    random_rotation(d, 1)(in_place.row(0).data(), in_place.row(0).data());
    CHECK(std::ranges::equal(first, in_place.row(0)));
    CHECK(first != rotated(random_rotation(d, 2), rows.row(0)));
  }
}

TEST_CASE("a rotated unit vector has no large coordinates, and as much in each part of the row", "[random_rotation]") {
  for (const std::size_t d : {100u, 127u, 128u, 255u, 384u, 784u, 1000u}) {
    const random_rotation rotation(d, 11);
    for (std::size_t axis = 0; axis < d; axis += 1 + d / 9) {
      std::vector<float> unit(d, 0.0f);
      unit[axis] = 1;
      const auto row = rotated(rotation, unit);
      CAPTURE(d, axis);
      for (const float x : row) CHECK(std::abs(x) * std::sqrt(static_cast<float>(d)) < 6);
      const double front = product({row.data(), d / 2}, {row.data(), d / 2});
      CHECK(front > 0.2);
      CHECK(front < 0.8);
    }
  }
}

TEST_CASE("products of rotated unit vectors with another row are spread as normal numbers are", "[random_rotation]") {
  for (const std::size_t d : {96u, 128u, 200u}) {
    double square = 0, fourth = 0;
    constexpr std::size_t seeds = 400;
    for (std::size_t seed = 0; seed < seeds; ++seed) {
      std::vector<float> unit(d, 0.0f);
      unit[seed % d] = 1;
      const double x = rotated(random_rotation(d, seed), unit)[7] * std::sqrt(static_cast<double>(d));
      square += x * x / seeds;
      fourth += x * x * x * x / seeds;
    }
    CAPTURE(d);
    CHECK(square == Approx(1).margin(0.3));
    CHECK(fourth < 6);
  }
}

TEST_CASE("a rotation of no dimension is refused", "[random_rotation]") {
  CHECK_THROWS_AS(random_rotation(0, 1), std::invalid_argument);
}
