#include <Eigen/Core>
#include <annulus/metrics/angular.hpp>

#include "catch.hpp"
#include "metrics/dense_rows.hpp"

#include <numeric>

using namespace annulus;
using dense_rows::is_near;
using dense_rows::stored_row;
using dense_rows::wrong_dimensions;
using dense_rows::wrong_lengths;
using Eigen::half;

namespace {

using lengths = std::vector<std::size_t>;
using row = std::vector<double>;
const lengths none;

double product(const row& a, const row& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

double cosine_of(const row& a, const row& b) {
  const double size = std::sqrt(product(a, a) * product(b, b));
  if (size == 0) return product(a, a) == product(b, b) ? 0 : 1;
  return 1 - product(a, b) / size;
}

row centred(row a) {
  const double mean = std::accumulate(a.begin(), a.end(), 0.0) / static_cast<double>(a.size());
  for (double& x : a) x -= mean;
  return a;
}

double correlation_of(const row& a, const row& b) { return a.empty() ? 0 : cosine_of(centred(a), centred(b)); }

double angle_of(const row& a, const row& b) {
  const double cosine = std::clamp(1 - cosine_of(a, b), -1.0, 1.0);
  return std::acos(cosine) / std::numbers::pi;
}

row places(const row& a) {
  row result(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto smaller = std::ranges::count_if(a, [&](double x) { return x < a[i]; });
    result[i] = static_cast<double>(smaller) + static_cast<double>(std::ranges::count(a, a[i]) + 1) / 2.0;
  }
  return result;
}

double spearmanr_of(const row& a, const row& b) { return correlation_of(places(a), places(b)); }

double tsss_of(const row& a, const row& b) {
  const double a_norm = std::sqrt(product(a, a)), b_norm = std::sqrt(product(b, b));
  if (a_norm == 0 || b_norm == 0) return 0;
  double square = 0;
  for (std::size_t i = 0; i < a.size(); ++i) square += (a[i] - b[i]) * (a[i] - b[i]);
  const double theta = angle_of(a, b) * std::numbers::pi + std::numbers::pi / 18;
  const double reach = std::sqrt(square) + std::abs(a_norm - b_norm);
  return a_norm * b_norm * std::abs(std::sin(theta)) / 2 * reach * reach * theta / 2;
}

/// Rows of two coordinates at an angle.
template <class T>
std::vector<T> at_angle(double radians, double length = 1) {
  return {static_cast<T>(length * std::cos(radians)), static_cast<T>(length * std::sin(radians))};
}

}  // namespace

TEST_CASE("correlation is its formula for every length") {
  CHECK(wrong_lengths<float>(correlation{}, correlation_of) == none);
  CHECK(wrong_lengths<double>(correlation{}, correlation_of, 0, 1e-13) == none);
  CHECK(wrong_lengths<std::uint8_t>(correlation{}, correlation_of) == none);
  CHECK(wrong_lengths<half>(correlation{}, correlation_of) == none);
}

TEST_CASE("correlation takes no notice of shifts and of positive scales") {
  const auto a = dense_rows::row_of<float>(50, 1), b = dense_rows::row_of<float>(50, 2);
  auto moved = b;
  for (float& x : moved) x = 4 * x + 1000;
  const float expected = correlation{}(a.data(), b.data(), 50);
  CHECK(is_near(correlation{}(a.data(), moved.data(), 50), expected, 1e-5));
  for (float& x : moved) x = -x;
  CHECK(is_near(correlation{}(a.data(), moved.data(), 50), 2 - expected, 1e-5));
}

TEST_CASE("correlation of sparse rows is that of full rows") {
  CHECK(wrong_dimensions<float>(correlation{}) == none);
  CHECK(wrong_dimensions<double>(correlation{}, 1e-12) == none);
  CHECK(wrong_dimensions<std::uint8_t>(correlation{}) == none);
}

TEST_CASE("correlation of sparse rows keeps its digits where rows are far from zero") {
  stored_row<double> a(60, 1.0, 1), b(60, 1.0, 2), c(60, 0.9, 3);
  for (auto* moved : {&a, &b})
    for (std::size_t i = 0; i < 60; ++i) moved->full[i] = moved->stored[i] += 1e7;
  CHECK(is_near(correlation{}(a.sparse(), b.sparse()), correlation_of(a.full, b.full), 1e-9));
  CHECK(is_near(correlation{}(a.sparse(), c.sparse()), correlation_of(a.full, c.full), 1e-9));
}

TEST_CASE("correlation of sparse rows is symmetric to the last bit and 0 for equal rows") {
  for (std::uint64_t i = 0; i < 40; ++i) {
    const stored_row<float> a(97, i % 4 == 0 ? 1.0 : 0.4, 2 * i), b(97, 0.6, 2 * i + 1);
    CHECK(correlation{}(a.sparse(), a.sparse()) == 0);
    CHECK(correlation{}(a.sparse(), b.sparse()) == correlation{}(b.sparse(), a.sparse()));
  }
}

TEST_CASE("constant rows correlate with none and with each other") {
  for (const double value : {0.1, 0.3, 0.7, 1.1, 1e7 / 3, 1e-9, -3.0, 0.0}) {
    const std::vector<double> constant(47, value), other(47, 1.3);
    const auto varied = dense_rows::normal_row<double>(47, 1);
    std::vector<std::int32_t> indices(47);
    std::iota(indices.begin(), indices.end(), 0);
    CHECK(correlation{}(constant.data(), varied.data(), 47) == 1);
    CHECK(correlation{}(constant.data(), other.data(), 47) == 0);
    CHECK(spearmanr{}(constant.data(), varied.data(), 47) == 1);
    CHECK(spearmanr{}(constant.data(), other.data(), 47) == 0);
    const sparse_row<double> stored{indices, constant, 47};
    CHECK(correlation{}(stored, sparse_row<double>{indices, varied, 47}) == 1);
    CHECK(correlation{}(stored, sparse_row<double>{{}, {}, 47}) == 0);
  }
}

TEST_CASE("true_angular is the angle as a part of half a turn") {
  for (const double degrees : {0.5, 10.0, 45.0, 90.0, 135.0, 179.5}) {
    const auto a = at_angle<double>(0.3), b = at_angle<double>(0.3 + degrees / 180 * std::numbers::pi, 5);
    CHECK(is_near(true_angular{}(a.data(), b.data(), 2), degrees / 180, 1e-12));
  }
  const auto a = at_angle<float>(0.3), opposite = at_angle<float>(0.3 + std::numbers::pi, 3),
             same = at_angle<float>(0.3, 4);
  CHECK(is_near(true_angular{}(a.data(), opposite.data(), 2), 1, 1e-3));
  CHECK(is_near(true_angular{}(a.data(), same.data(), 2), 0, 1e-3));
  CHECK(wrong_lengths<double>(true_angular{}, angle_of, 0, 1e-7) == none);
}

TEST_CASE("true_angular ranks are those of cosine and give its distances back") {
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto a = dense_rows::normal_row<float>(7, 2 * i), b = dense_rows::normal_row<float>(7, 2 * i + 1);
    CHECK(true_angular::rank(a.data(), b.data(), 7) == cosine{}(a.data(), b.data(), 7));
    CHECK(true_angular::to_distance(cosine{}(a.data(), b.data(), 7)) == true_angular{}(a.data(), b.data(), 7));
  }
  float last = -1;
  for (float rank = 0; rank <= 2; rank += 1.0f / 64) {
    CHECK(true_angular::to_distance(rank) > last);
    last = true_angular::to_distance(rank);
  }
  CHECK(true_angular::to_distance(2.0f) == 1);
  CHECK(true_angular::to_distance(2.001f) == 1);
}

TEST_CASE("a zero row is a right angle from others and none from another") {
  const std::vector<float> zero(5, 0.0f), one(5, 1.0f);
  CHECK(is_near(true_angular{}(zero.data(), one.data(), 5), 0.5, 1e-6));
  CHECK(true_angular{}(zero.data(), zero.data(), 5) == 0);
}

TEST_CASE("dot is 1 less the product and does not end at 1") {
  const auto formula = [](const row& a, const row& b) { return 1 - product(a, b); };
  CHECK(wrong_lengths<float>(dot{}, formula) == none);
  CHECK(wrong_lengths<std::int8_t>(dot{}, formula) == none);
  const auto a = at_angle<float>(0), b = at_angle<float>(3);
  CHECK(is_near(dot{}(a.data(), b.data(), 2), 1 - std::cos(3.0), 1e-6));
  CHECK(dot::rank(a.data(), b.data(), 2) == inner_product::rank(a.data(), b.data(), 2));
  CHECK(dot::from_kernel(3u) == -3);
}

TEST_CASE("dot and true_angular of sparse rows are those of full rows") {
  CHECK(wrong_dimensions<float>(dot{}) == none);
  CHECK(wrong_dimensions<std::uint8_t>(dot{}) == none);
  CHECK(wrong_dimensions<double>(true_angular{}, 1e-7) == none);
  const stored_row<float> a(40, 0.5, 1), b(40, 0.5, 2);
  CHECK(dot::to_distance(dot::rank(a.sparse(), b.sparse())) == dot{}(a.sparse(), b.sparse()));
  CHECK(true_angular::to_distance(true_angular::rank(a.sparse(), b.sparse())) ==
        true_angular{}(a.sparse(), b.sparse()));
}

TEST_CASE("spearmanr is the correlation of mean ranks for every length") {
  CHECK(wrong_lengths<float>(spearmanr{}, spearmanr_of) == none);
  CHECK(wrong_lengths<double>(spearmanr{}, spearmanr_of, 0, 1e-12) == none);
  CHECK(wrong_lengths<std::uint8_t>(spearmanr{}, spearmanr_of) == none);
}

TEST_CASE("spearmanr of long rows which are sorted is that of short ones which are counted") {
  for (const std::size_t d : {33 * simd::lanes<float>, std::size_t{700}, std::size_t{1500}}) {
    const auto a = dense_rows::row_of<float>(d, 1), b = dense_rows::row_of<float>(d, 2);
    const double expected = spearmanr_of(dense_rows::doubles(a.data(), d), dense_rows::doubles(b.data(), d));
    CHECK(is_near(spearmanr{}(a.data(), b.data(), d), expected, 1e-5));
    std::vector<float> embedded(d);
    spearmanr::embed(a.data(), d, embedded.data());
    const row mean_ranks = places(dense_rows::doubles(a.data(), d));
    for (std::size_t i = 0; i < d; ++i)
      if (embedded[i] != mean_ranks[i] - static_cast<double>(d + 1) / 2) FAIL("at " << i << " of " << d);
  }
}

TEST_CASE("spearmanr depends on the order of coordinates alone") {
  const auto a = dense_rows::normal_row<float>(30, 1), b = dense_rows::normal_row<float>(30, 2);
  auto bent = b;
  for (float& x : bent) x = std::exp(x);
  CHECK(spearmanr{}(a.data(), b.data(), 30) == spearmanr{}(a.data(), bent.data(), 30));
  CHECK(spearmanr{}(b.data(), bent.data(), 30) == 0);
  for (float& x : bent) x = -x;
  CHECK(is_near(spearmanr{}(b.data(), bent.data(), 30), 2, 1e-6));
}

TEST_CASE("tsss is its formula for every length") {
  CHECK(wrong_lengths<float>(tsss{}, tsss_of, 0, 1e-4) == none);
  CHECK(wrong_lengths<double>(tsss{}, tsss_of, 0, 1e-7) == none);
  CHECK(wrong_lengths<std::uint8_t>(tsss{}, tsss_of, 0, 1e-4) == none);
  CHECK(wrong_lengths<half>(tsss{}, tsss_of, 0, 1e-4) == none);
  CHECK(wrong_dimensions<float>(tsss{}, 1e-4) == none);
}

TEST_CASE("tsss keeps its digits for nearly equal floats") {
  const auto a = dense_rows::normal_row<float>(64, 1);
  auto b = a;
  for (std::size_t i = 0; i < 64; i += 2) b[i] += 1e-3f;
  const double expected = tsss_of(dense_rows::doubles(a.data(), 64), dense_rows::doubles(b.data(), 64));
  CHECK(std::abs(tsss{}(a.data(), b.data(), 64) / expected - 1) < 4e-4);
}

TEST_CASE("tsss is 0 for zero rows and positive for opposite ones") {
  const std::vector<float> zero(9, 0.0f), one(9, 1.0f), minus(9, -1.0f);
  CHECK(tsss{}(zero.data(), one.data(), 9) == 0);
  CHECK(tsss{}(zero.data(), zero.data(), 9) == 0);
  CHECK(tsss{}(one.data(), one.data(), 9) == 0);
  CHECK(tsss{}(one.data(), minus.data(), 9) > 1);
}

TEST_CASE("angular metrics are symmetric and 0 for equal rows") {
  CHECK(dense_rows::is_symmetric_and_zero_of_equals(correlation{}));
  CHECK(dense_rows::is_symmetric_and_zero_of_equals(true_angular{}));
  CHECK(dense_rows::is_symmetric_and_zero_of_equals(spearmanr{}));
  CHECK(dense_rows::is_symmetric_and_zero_of_equals(tsss{}));
  CHECK(dense_rows::keeps_triangles(true_angular{}));
}
