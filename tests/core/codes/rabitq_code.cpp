#include <annulus/core/codes/rabitq_code.hpp>

#include <annulus/core/codes/random_rotation.hpp>

#include "catch.hpp"
#include "random_data.hpp"

#include <algorithm>
#include <vector>

using namespace annulus;
using namespace annulus::detail;

namespace {

struct encoded {
  encoded(std::span<const float> row, unsigned n_bits) : bits(n_bits), values(row.size()) {
    factors = rabitq_encode(row, bits, values.data());
  }
  double product(std::span<const float> y) const {
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += static_cast<double>(rabitq_value(values[i], bits)) * y[i];
    return sum;
  }
  unsigned bits;
  std::vector<std::uint8_t> values;
  rabitq_factors factors;
};

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

/// The cosine of a row and its code.
double cosine_of(std::span<const float> row, const encoded& code) {
  double square = 0;
  for (const auto v : code.values) square += std::pow(rabitq_value(v, code.bits), 2);
  return code.product(row) / std::sqrt(square * dot(row, row));
}

/// The greatest cosine of a row and any code: of those of all scales at which one more coordinate steps up.
double best_cosine(std::span<const float> row, unsigned bits) {
  std::vector<std::pair<double, double>> steps;  // scale, magnitude
  const int top = (1 << (bits - 1)) - 1;
  double product = 0, square = 0.25 * static_cast<double>(row.size());
  for (const float x : row) {
    product += 0.5 * std::abs(x);
    for (int k = 1; k <= top; ++k)
      if (x != 0) steps.emplace_back(static_cast<double>(k) / std::abs(static_cast<double>(x)), std::abs(x));
  }
  std::ranges::sort(steps);
  double best = product / std::sqrt(square);
  for (const auto& [scale, magnitude] : steps) {
    const double k = std::round(scale * magnitude);  // the step from k - 1/2 to k + 1/2
    product += magnitude;
    square += 2 * k;
    best = std::max(best, product / std::sqrt(square));
  }
  return best / std::sqrt(dot(row, row));
}

}  // namespace

TEST_CASE("a code's factors are those of the formula", "[rabitq_code]") {
  for (const std::size_t d : {1u, 2u, 3u, 7u, 16u, 33u, 128u, 1000u})
    for (unsigned bits = 1; bits <= 8; ++bits) {
      const auto rows = normal_rows(1, d, 10 * d + bits, 3);
      const encoded code(rows.row(0), bits);
      CAPTURE(d, bits);
      CHECK(std::ranges::all_of(code.values, [&](unsigned v) { return v < 1u << bits; }));
      const double square = dot(rows.row(0), rows.row(0)), t = cosine_of(rows.row(0), code);
      CHECK(code.factors.length == Approx(std::sqrt(square)));
      CHECK(code.factors.rescale == Approx(square / code.product(rows.row(0))));
      const double missed = std::max(1e-6, (1 - t * t) / (t * t));
      CHECK(code.factors.error ==
            Approx(std::sqrt(square * missed / std::max<double>(1, static_cast<double>(d) - 1))).epsilon(0.03));
    }
}

TEST_CASE("a code's cosine is nearly the greatest, and grows by the bits", "[rabitq_code]") {
  for (const std::size_t d : {16u, 100u, 384u}) {
    double last = 0;
    for (unsigned bits = 1; bits <= 8; ++bits) {
      double missed = 0, least_missed = 0;
      for (std::size_t i = 0; i < 20; ++i) {
        const auto rows = normal_rows(1, d, i);
        missed += 1 - std::pow(cosine_of(rows.row(0), encoded(rows.row(0), bits)), 2);
        least_missed += 1 - std::pow(best_cosine(rows.row(0), bits), 2);
      }
      CAPTURE(d, bits, missed, least_missed);
      CHECK(missed < (bits == 1 ? 1.0001 : 1.15) * least_missed);
      CHECK((bits == 1 || missed < last / 2));
      last = missed;
    }
  }
}

TEST_CASE("estimates are right in the mean over rotations, and off by the stated deviation", "[rabitq_code]") {
  for (const std::size_t d : {64u, 100u})
    for (const unsigned bits : {1u, 2u, 4u, 8u}) {
      const auto rows = normal_rows(2, d, bits);
      constexpr std::size_t seeds = 1000;
      const double expected = dot(rows.row(0), rows.row(1)), length = std::sqrt(dot(rows.row(1), rows.row(1)));
      double sum = 0, square = 0;
      std::size_t within = 0;
      for (std::size_t seed = 0; seed < seeds; ++seed) {
        const random_rotation rotation(d, seed);
        std::vector<float> r(d), y(d);
        rotation(rows.row(0).data(), r.data());
        rotation(rows.row(1).data(), y.data());
        const encoded code(r, bits);
        const double deviation = code.factors.error * length;
        const double off = (code.factors.rescale * code.product(y) - expected) / deviation;
        sum += off / seeds;
        square += off * off / seeds;
        within += std::abs(off) < 1.9;
      }
      CAPTURE(d, bits, sum, square);
      CHECK(std::abs(sum) < 4 / std::sqrt(static_cast<double>(seeds)));
      CHECK(square < 1.15);
      CHECK(square > 0.7);
      CHECK(within > seeds * 92 / 100);
    }
}

TEST_CASE("a row of zeros has finite factors, and estimates of 0", "[rabitq_code]") {
  const std::vector<float> zeros(20, 0.0f);
  for (const unsigned bits : {1u, 5u, 8u}) {
    const encoded code(zeros, bits);
    CHECK(code.factors.length == 0);
    CHECK(code.factors.rescale == 0);
    CHECK(code.factors.error == 0);
    CHECK(std::ranges::all_of(code.values, [&](unsigned v) { return v < 1u << bits; }));
  }
}

TEST_CASE("rows with one coordinate other than 0 have an estimate", "[rabitq_code]") {
  std::vector<float> row(40, 0.0f);
  row[3] = -2;
  for (unsigned bits = 1; bits <= 8; ++bits) {
    const encoded code(row, bits);
    CHECK(code.factors.rescale * code.product(row) == Approx(4));
    CHECK(std::isfinite(code.factors.error));
  }
}
