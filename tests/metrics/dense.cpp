#include <Eigen/Core>
#include <annulus/core/metric/common_metrics.hpp>
#include <annulus/metrics/dense.hpp>

#include "catch.hpp"
#include "metrics/dense_rows.hpp"

using namespace annulus;
using dense_rows::is_near;
using dense_rows::wrong_dimensions;
using dense_rows::wrong_lengths;
using Eigen::half;

namespace {

using lengths = std::vector<std::size_t>;
using row = std::vector<double>;
const lengths none;

double minkowski_of(double p, const row& a, const row& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(std::abs(a[i] - b[i]), p);
  return std::pow(sum, 1 / p);
}

double canberra_of(const row& a, const row& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != 0 || b[i] != 0) sum += std::abs(a[i] - b[i]) / (std::abs(a[i]) + std::abs(b[i]));
  return sum;
}

double braycurtis_of(const row& a, const row& b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::abs(a[i] - b[i]);
    size += std::abs(a[i] + b[i]);
  }
  return difference == 0 ? 0 : difference / size;
}

double hamming_of(const row& a, const row& b) {
  double differ = 0;
  for (std::size_t i = 0; i < a.size(); ++i) differ += a[i] != b[i];
  return a.empty() ? 0 : differ / static_cast<double>(a.size());
}

const double powers[] = {1, 1.5, 2, 2.5, 3, 4, 1.2, 3.5, 7};

}  // namespace

TEST_CASE("minkowski is its formula for every p and length of floats") {
  for (const double p : powers) {
    INFO("p = " << p);
    CHECK(wrong_lengths<float>(minkowski(p), [p](const row& a, const row& b) { return minkowski_of(p, a, b); }) ==
          none);
  }
}

TEST_CASE("minkowski is its formula for doubles to their own precision") {
  for (const double p : {1.5, 3.0, 1.7})
    CHECK(wrong_lengths<double>(
              minkowski(p), [p](const row& a, const row& b) { return minkowski_of(p, a, b); }, 0, 1e-13) == none);
}

TEST_CASE("minkowski is its formula for bytes and halves") {
  for (const double p : {1.0, 2.0, 3.0, 1.7}) {
    const auto formula = [p](const row& a, const row& b) { return minkowski_of(p, a, b); };
    CHECK(wrong_lengths<std::uint8_t>(minkowski(p), formula) == none);
    CHECK(wrong_lengths<std::int8_t>(minkowski(p), formula) == none);
    CHECK(wrong_lengths<half>(minkowski(p), formula) == none);
  }
}

TEST_CASE("minkowski of sparse rows is that of full rows") {
  for (const double p : powers) {
    INFO("p = " << p);
    CHECK(wrong_dimensions<float>(minkowski(p)) == none);
  }
  CHECK(wrong_dimensions<std::uint8_t>(minkowski(3)) == none);
  CHECK(wrong_dimensions<double>(minkowski(1.7), 1e-12) == none);
}

TEST_CASE("minkowski of a large p neither overflows nor loses small differences") {
  const std::vector<float> zero(20, 0.0f), large(20, 1e6f), small(20, 1e-6f);
  const double at_20 = std::pow(20.0, 1 / 50.0);
  CHECK(is_near(minkowski(50)(zero.data(), large.data(), 20) / 1e6, at_20, 1e-5));
  CHECK(is_near(minkowski(50)(zero.data(), small.data(), 20) * 1e6, at_20, 1e-5));
  const std::vector<std::int32_t> first{0};
  const std::vector<float> one{1e-6f}, nothing;
  CHECK(is_near(minkowski(50)(sparse_row<float>{first, one, 20}, sparse_row<float>{{}, nothing, 20}) * 1e6f, 1, 1e-5));
}

TEST_CASE("minkowski of p = 1 and 2 and of large p is manhattan and euclidean and nearly chebyshev") {
  const auto a = dense_rows::normal_row<float>(33, 1), b = dense_rows::normal_row<float>(33, 2);
  CHECK(minkowski(1)(a.data(), b.data(), 33) == manhattan{}(a.data(), b.data(), 33));
  CHECK(minkowski(2)(a.data(), b.data(), 33) == euclidean{}(a.data(), b.data(), 33));
  CHECK(minkowski{}(a.data(), b.data(), 33) == euclidean{}(a.data(), b.data(), 33));
  CHECK(minkowski(1e300)(a.data(), b.data(), 33) == chebyshev{}(a.data(), b.data(), 33));
  CHECK(is_near(minkowski(1e4)(a.data(), b.data(), 33), chebyshev{}(a.data(), b.data(), 33), 1e-3));
}

TEST_CASE("minkowski ranks order pairs as distances do and give them back") {
  for (const double p : powers) {
    const minkowski metric(p);
    for (std::uint64_t i = 0; i < 100; ++i) {
      const auto a = dense_rows::normal_row<float>(9, i), b = dense_rows::normal_row<float>(9, i + 1),
                 c = dense_rows::normal_row<float>(9, i + 2);
      const auto to_b = metric.rank(a.data(), b.data(), 9), to_c = metric.rank(a.data(), c.data(), 9);
      CHECK(metric.to_distance(to_b) == metric(a.data(), b.data(), 9));
      CHECK((to_b < to_c) == (metric(a.data(), b.data(), 9) < metric(a.data(), c.data(), 9)));
    }
  }
}

TEST_CASE("minkowski refuses p below 1 and infinite or NaN p") {
  for (const double p : {0.99, 0.0, -1.0, HUGE_VAL, std::nan("")}) CHECK_THROWS_AS(minkowski(p), std::invalid_argument);
  CHECK_THROWS_WITH(minkowski(0.5), ContainsSubstring("p = 0.5: must be at least 1"));
  CHECK(minkowski(1).p() == 1);
}

TEST_CASE("canberra is its formula for every element type and length") {
  CHECK(wrong_lengths<float>(canberra{}, canberra_of) == none);
  CHECK(wrong_lengths<double>(canberra{}, canberra_of, 0, 1e-14) == none);
  CHECK(wrong_lengths<half>(canberra{}, canberra_of) == none);
  CHECK(wrong_lengths<std::uint8_t>(canberra{}, canberra_of) == none);
  CHECK(wrong_lengths<std::int8_t>(canberra{}, canberra_of) == none);
}

TEST_CASE("braycurtis is its formula for every element type and length") {
  CHECK(wrong_lengths<float>(braycurtis{}, braycurtis_of) == none);
  CHECK(wrong_lengths<double>(braycurtis{}, braycurtis_of, 0, 1e-14) == none);
  CHECK(wrong_lengths<half>(braycurtis{}, braycurtis_of) == none);
  CHECK(wrong_lengths<std::uint8_t>(braycurtis{}, braycurtis_of) == none);
  CHECK(wrong_lengths<std::int8_t>(braycurtis{}, braycurtis_of) == none);
}

TEST_CASE("hamming is the part of values that differ for every element type and length") {
  CHECK(wrong_lengths<float>(hamming{}, hamming_of, 0, 1e-7) == none);
  CHECK(wrong_lengths<double>(hamming{}, hamming_of, 0, 1e-15) == none);
  CHECK(wrong_lengths<half>(hamming{}, hamming_of, 0, 1e-7) == none);
  CHECK(wrong_lengths<std::uint8_t>(hamming{}, hamming_of, 0, 1e-7) == none);
  CHECK(wrong_lengths<std::int8_t>(hamming{}, hamming_of, 0, 1e-7) == none);
}

TEST_CASE("braycurtis and hamming of bytes take all their values") {
  const std::vector<std::uint8_t> low(70, 0), high(70, 255);
  CHECK(braycurtis{}(low.data(), high.data(), 70) == 1);
  CHECK(hamming{}(low.data(), high.data(), 70) == 1);
  CHECK(hamming{}(high.data(), high.data(), 70) == 0);
  const std::vector<std::int8_t> least(70, -128), most(70, 127);
  CHECK(braycurtis{}(least.data(), most.data(), 70) == 255);
  CHECK(canberra{}(least.data(), most.data(), 70) == 70);
}

TEST_CASE("canberra and braycurtis and hamming of sparse rows are those of full rows") {
  CHECK(wrong_dimensions<float>(canberra{}) == none);
  CHECK(wrong_dimensions<float>(braycurtis{}) == none);
  CHECK(wrong_dimensions<float>(hamming{}) == none);
  CHECK(wrong_dimensions<double>(canberra{}, 1e-13) == none);
  CHECK(wrong_dimensions<std::uint8_t>(canberra{}) == none);
  CHECK(wrong_dimensions<std::uint8_t>(braycurtis{}) == none);
  CHECK(wrong_dimensions<std::uint8_t>(hamming{}) == none);
}

TEST_CASE("metrics of coordinates are symmetric and 0 for equal rows") {
  CHECK(dense_rows::is_symmetric_and_zero_of_equals(canberra{}));
  CHECK(dense_rows::is_symmetric_and_zero_of_equals(braycurtis{}));
  CHECK(dense_rows::is_symmetric_and_zero_of_equals(hamming{}));
  for (const double p : powers) CHECK(dense_rows::is_symmetric_and_zero_of_equals(minkowski(p)));
}

TEST_CASE("canberra and hamming and minkowski keep triangles") {
  CHECK(dense_rows::keeps_triangles(canberra{}));
  CHECK(dense_rows::keeps_triangles(hamming{}));
  for (const double p : powers) CHECK(dense_rows::keeps_triangles(minkowski(p)));
}

TEST_CASE("zero rows are at canberra and braycurtis and hamming distance 0 of each other and d or 1 of others") {
  const std::vector<float> zero(19, 0.0f), minus(19, -0.0f), one(19, 1.0f), negative(19, -1.0f);
  for (const auto* other : {&zero, &minus}) {
    CHECK(canberra{}(zero.data(), other->data(), 19) == 0);
    CHECK(braycurtis{}(zero.data(), other->data(), 19) == 0);
    CHECK(hamming{}(zero.data(), other->data(), 19) == 0);
  }
  CHECK(canberra{}(zero.data(), one.data(), 19) == 19);
  CHECK(braycurtis{}(zero.data(), one.data(), 19) == 1);
  CHECK(hamming{}(zero.data(), one.data(), 19) == 1);
  CHECK(!annulus::detail::is_finite(braycurtis{}(one.data(), negative.data(), 19)));
}
