#include "catch.hpp"
#include "metrics/golden.hpp"
#include "metrics/mass_rows.hpp"

#include <annulus/core/base/random.hpp>
#include <annulus/metrics/wasserstein.hpp>

using namespace annulus;

namespace {

using mass_rows::between;
using mass_rows::stored;

constexpr double orders[] = {1, 1.5, 2, 3, 40};

/// Mass in [0, 1), about a third of the bins empty.
std::vector<float> random_mass(std::size_t d, std::uint64_t seed) {
  const counter_random random(8, seed);
  std::vector<float> row(d);
  for (std::size_t i = 0; i < d; ++i)
    row[i] = random.uniform(2 * i) < 0.33 ? 0.0f : static_cast<float>(random.uniform(2 * i + 1));
  return row;
}

/// The differences of cumulated shares.
std::vector<double> differences(const std::vector<float>& x, const std::vector<float>& y) {
  const auto cumulated = [](const std::vector<float>& row) {
    double sum = 0;
    std::vector<double> result;
    for (const float value : row) result.push_back(sum += static_cast<double>(value));
    for (double& value : result) value = sum > 0 ? value / sum : 0;
    return result;
  };
  auto f = cumulated(x);
  const auto g = cumulated(y);
  for (std::size_t i = 0; i < f.size(); ++i) f[i] -= g[i];
  return f;
}
double norm(const std::vector<double>& values, double p, double shift = 0) {
  double sum = 0;
  for (const double x : values) sum += std::pow(std::abs(x - shift), p);
  return std::pow(sum, 1 / p);
}
/// The least over all shifts, by trisection of a convex function.
double circular_norm(const std::vector<double>& values, double p) {
  double low = -1, high = 1;
  for (int i = 0; i < 200; ++i) {
    const double left = low + (high - low) / 3, right = high - (high - low) / 3;
    if (norm(values, p, left) < norm(values, p, right)) high = right;
    else low = left;
  }
  return norm(values, p, low);
}

}  // namespace

TEST_CASE("transport along a line and around a circle has the golden values") {
  const auto p_of = [](const golden::example& e) { return e.params.contains("p") ? e.param("p") : 1.0; };
  for (const auto& e : golden::examples("wasserstein_1d"))
    CHECK(between(wasserstein_1d(p_of(e)), e.x, e.y) == Approx(e.distance).epsilon(1e-4));
  for (const auto& e : golden::examples("circular_kantorovich"))
    CHECK(between(circular_kantorovich(p_of(e)), e.x, e.y) == Approx(e.distance).epsilon(1e-4));
  for (const auto& e : golden::examples("wasserstein_1d", true)) {
    const sparse_row<float> x{e.x_indices, e.x, e.dim}, y{e.y_indices, e.y, e.dim};
    CHECK(wasserstein_1d(p_of(e))(x, y) == Approx(e.distance).epsilon(1e-4));
  }
}

TEST_CASE("transport along a line is its formula at every length for every p") {
  for (std::size_t d = 1; d <= 130; ++d) {
    auto a = random_mass(d, 2 * d), b = random_mass(d, 2 * d + 1);
    a[0] = 0.5f;
    b[d - 1] = 0.25f;
    for (const double p : orders) {
      const wasserstein_1d metric(p);
      const double expected = norm(differences(a, b), p);
      CAPTURE(d, p);
      CHECK(between(metric, a, b) == Approx(expected).epsilon(2e-5).margin(1e-7));
      CHECK(metric(stored(a).row(), stored(b).row()) == Approx(expected).epsilon(1e-9).margin(1e-12));
      CHECK(between(metric, a, b) == between(metric, b, a));
      CHECK(between(metric, a, a) == 0);
      CHECK(metric(stored(a).row(), stored(a).row()) == 0);
    }
  }
}

TEST_CASE("transport around a circle is the least over all shifts at every length for every p") {
  for (std::size_t d = 1; d <= 130; d += d < 40 ? 1 : 9) {
    auto a = random_mass(d, 2 * d), b = random_mass(d, 2 * d + 1);
    a[0] = 0.5f;
    b[d - 1] = 0.25f;
    for (const double p : orders) {
      const circular_kantorovich metric(p);
      const double expected = circular_norm(differences(a, b), p);
      CAPTURE(d, p);
      CHECK(between(metric, a, b) == Approx(expected).epsilon(5e-5).margin(1e-6));
      CHECK(metric(stored(a).row(), stored(b).row()) == Approx(expected).epsilon(1e-7).margin(1e-12));
      CHECK(between(metric, a, b) == Approx(between(metric, b, a)).epsilon(1e-5));
      CHECK(between(metric, a, a) == 0);
      CHECK(metric(stored(a).row(), stored(a).row()) == 0);
    }
  }
}

TEST_CASE("doubles and rows longer than the stack's buffer are transported as well") {
  constexpr std::size_t d = 1500;
  const auto a = random_mass(d, 1), b = random_mass(d, 2);
  const std::vector<double> x(a.begin(), a.end()), y(b.begin(), b.end());
  const auto f = differences(a, b);
  for (const double p : orders) {
    CAPTURE(p);
    CHECK(wasserstein_1d(p)(x.data(), y.data(), d) == Approx(norm(f, p)).epsilon(1e-10));
    CHECK(circular_kantorovich(p)(x.data(), y.data(), d) == Approx(circular_norm(f, p)).epsilon(1e-9));
    CHECK(circular_kantorovich(p)(stored(a).row(), stored(b).row()) == Approx(circular_norm(f, p)).epsilon(1e-7));
  }
}

TEST_CASE("a skewed median is found to its last digits") {
  // Nearly all differences are tiny and a few are large.
  constexpr std::size_t d = 400;
  std::vector<double> a(d), b(d);
  a[0] = b[d - 1] = 1;
  b[2] = 1e-6;
  a[200] = b[201] = 0.5;
  std::vector<double> f(d);
  double sum_a = 0, sum_b = 0;
  for (std::size_t i = 0; i < d; ++i) {
    sum_a += a[i];
    sum_b += b[i];
    f[i] = sum_a / 1.5 - sum_b / (1.5 + 1e-6);
  }
  std::sort(f.begin(), f.end());
  CHECK(circular_kantorovich{}(a.data(), b.data(), d) == Approx(norm(f, 1, f[d / 2])).epsilon(1e-12));
}

TEST_CASE("transport of the highest order is the greatest difference of cumulated shares") {
  const auto a = random_mass(30, 1), b = random_mass(30, 2);
  const auto f = differences(a, b);
  const auto [least, greatest] = std::minmax_element(f.begin(), f.end());
  CHECK(between(wasserstein_1d(1e6), a, b) == Approx(std::max(-*least, *greatest)).epsilon(1e-4));
  CHECK(between(circular_kantorovich(1e6), a, b) == Approx((*greatest - *least) / 2).epsilon(1e-4));
}

TEST_CASE("bytes are transported by their values") {
  const std::vector<std::uint8_t> a{255, 0, 0, 255}, b{0, 255, 255, 0};
  CHECK(wasserstein_1d{}(a.data(), b.data(), 4) == Approx(1));
  CHECK(circular_kantorovich{}(a.data(), b.data(), 4) == Approx(1));
}

TEST_CASE("one unit of mass goes the straight way on a line and the shorter way round a circle") {
  const std::vector<float> first{4, 0, 0, 0, 0, 0, 0, 0, 0, 0}, eighth{0, 0, 0, 0, 0, 0, 0, 2, 0, 0};
  CHECK(between(wasserstein_1d{}, first, eighth) == Approx(7));
  CHECK(between(wasserstein_1d(2), first, eighth) == Approx(std::sqrt(7.0)));
  CHECK(between(circular_kantorovich{}, first, eighth) == Approx(3));
}

TEST_CASE("turning both rows does not change transport around a circle") {
  auto a = random_mass(37, 5), b = random_mass(37, 6);
  for (const double p : orders) {
    const double before = between(circular_kantorovich(p), a, b);
    std::rotate(a.begin(), a.begin() + 11, a.end());
    std::rotate(b.begin(), b.begin() + 11, b.end());
    CAPTURE(p);
    CHECK(between(circular_kantorovich(p), a, b) == Approx(before).epsilon(1e-4));
  }
}

TEST_CASE("transport keeps the triangle inequality") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto a = random_mass(6, 3 * seed), b = random_mass(6, 3 * seed + 1), c = random_mass(6, 3 * seed + 2);
    for (const double p : orders) {
      const wasserstein_1d line(p);
      const circular_kantorovich circle(p);
      CAPTURE(seed, p);
      CHECK(between(line, a, c) <= between(line, a, b) + between(line, b, c) + 1e-5);
      CHECK(between(circle, a, c) <= between(circle, a, b) + between(circle, b, c) + 1e-5);
    }
  }
}

TEST_CASE("a row without mass lies after the last bin of a line and as far as can be on a circle") {
  const std::vector<float> none(9), third{0, 0, 5, 0, 0, 0, 0, 0, 0};
  CHECK(between(wasserstein_1d{}, none, third) == Approx(7));
  CHECK(wasserstein_1d{}(stored(none).row(), stored(third).row()) == Approx(7));
  CHECK(between(circular_kantorovich{}, third, none) == 4.5);
  CHECK(circular_kantorovich{}(stored(third).row(), stored(none).row()) == 4.5);
  CHECK(between(circular_kantorovich(2), third, none) == 1.5);
  for (const double p : orders) {
    CHECK(between(wasserstein_1d(p), none, none) == 0);
    CHECK(between(circular_kantorovich(p), none, none) == 0);
    CHECK(wasserstein_1d(p)(stored(none).row(), stored(none).row()) == 0);
    CHECK(circular_kantorovich(p)(stored(none).row(), stored(none).row()) == 0);
  }
}

TEST_CASE("ranks of cumulated shares order pairs as distances do") {
  const auto query = random_mass(64, 100);
  for (const double p : orders) {
    const wasserstein_1d metric(p);
    const auto base = metric.base(64);
    std::vector<std::pair<double, double>> pairs;
    std::vector<float> left(64), right(64);
    metric.embed(query.data(), 64, left.data());
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      const auto row = random_mass(64, seed);
      metric.embed(row.data(), 64, right.data());
      const float rank = base.rank(left.data(), right.data(), 64);
      pairs.emplace_back(rank, norm(differences(query, row), p));
      CHECK(static_cast<double>(base.to_distance(rank)) == Approx(pairs.back().second).epsilon(1e-5));
    }
    std::sort(pairs.begin(), pairs.end());
    CAPTURE(p);
    CHECK(std::is_sorted(pairs.begin(), pairs.end(), [](auto a, auto b) { return a.second < b.second * (1 - 1e-5); }));
  }
}

TEST_CASE("an order out of range is refused by both metrics of cumulated shares") {
  for (const double p : {0.99, -1.0, 1.1e6, std::numeric_limits<double>::infinity(), std::nan("")}) {
    CHECK_THROWS_AS(wasserstein_1d(p), std::invalid_argument);
    CHECK_THROWS_AS(circular_kantorovich(p), std::invalid_argument);
  }
  CHECK(wasserstein_1d(1.5).p() == 1.5);
  CHECK(circular_kantorovich{}.p() == 1);
}
