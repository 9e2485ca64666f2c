#include <Eigen/Core>

#include "catch.hpp"
#include "metrics/golden.hpp"
#include "metrics/mass_rows.hpp"

#include <annulus/core/base/random.hpp>
#include <annulus/metrics/distributions.hpp>

using namespace annulus;

namespace {

using mass_rows::between;
using mass_rows::stored;

/// Mass in [0, 1), about a third of the bins empty.
std::vector<float> random_mass(std::size_t d, std::uint64_t seed) {
  const counter_random random(7, seed);
  std::vector<float> row(d);  // of exactly this size, so that a sanitizer sees any read past the end
  for (std::size_t i = 0; i < d; ++i)
    row[i] = random.uniform(2 * i) < 0.33 ? 0.0f : static_cast<float>(random.uniform(2 * i + 1));
  return row;
}

std::vector<double> shares(const std::vector<float>& row, double added = 0) {
  double sum = 0;
  for (const float x : row) sum += static_cast<double>(x) + added;
  std::vector<double> result;
  for (const float x : row) result.push_back((static_cast<double>(x) + added) / sum);
  return result;
}

double reference(hellinger, const std::vector<float>& x, const std::vector<float>& y) {
  const auto p = shares(x), q = shares(y);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += std::pow(std::sqrt(p[i]) - std::sqrt(q[i]), 2);
  return std::sqrt(sum / 2);
}
double reference(jensen_shannon, const std::vector<float>& x, const std::vector<float>& y) {
  const auto p = shares(x), q = shares(y);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double m = (p[i] + q[i]) / 2;
    if (p[i] > 0) sum += p[i] * std::log(p[i] / m) / 2;
    if (q[i] > 0) sum += q[i] * std::log(q[i] / m) / 2;
  }
  return sum;
}
double reference(symmetric_kl, const std::vector<float>& x, const std::vector<float>& y) {
  const auto p = shares(x, 0x1p-23), q = shares(y, 0x1p-23);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += (p[i] - q[i]) * (std::log(p[i]) - std::log(q[i]));
  return sum;
}

}  // namespace

TEMPLATE_TEST_CASE("a divergence has the golden values", "", hellinger, jensen_shannon, symmetric_kl) {
  const TestType metric;
  const std::string name(TestType::name);
  for (const auto& e : golden::examples(name)) CHECK(between(metric, e.x, e.y) == Approx(e.distance).epsilon(1e-4));
  for (const auto& e : golden::examples(name, true)) {
    const sparse_row<float> x{e.x_indices, e.x, e.dim}, y{e.y_indices, e.y, e.dim};
    CHECK(metric(x, y) == Approx(e.distance).epsilon(1e-4));
  }
}

TEMPLATE_TEST_CASE("a divergence is its formula at every length", "", hellinger, jensen_shannon, symmetric_kl) {
  const TestType metric;
  for (std::size_t d = 1; d <= 130; ++d) {
    auto a = random_mass(d, 2 * d), b = random_mass(d, 2 * d + 1);
    a[0] = 0.5f;
    b[d - 1] = 0.25f;
    const double expected = reference(metric, a, b);
    CAPTURE(d);
    CHECK(between(metric, a, b) == Approx(expected).epsilon(1e-5).margin(1e-7));
    CHECK(metric(stored(a).row(), stored(b).row()) == Approx(expected).epsilon(1e-6).margin(1e-7));
    CHECK(between(metric, a, b) == between(metric, b, a));
    CHECK(between(metric, a, a) == 0);
    CHECK(metric(stored(a).row(), stored(a).row()) == 0);
    CHECK(metric(stored(a).row(), stored(b).row()) == metric(stored(b).row(), stored(a).row()));
  }
}

TEMPLATE_TEST_CASE("a divergence takes rows that are not aligned", "", hellinger, jensen_shannon, symmetric_kl) {
  const TestType metric;
  const auto a = random_mass(100, 1), b = random_mass(100, 2);
  std::vector<float> shifted(101);
  std::copy(b.begin(), b.end(), shifted.begin() + 1);
  CHECK(metric(a.data(), shifted.data() + 1, 100) == metric(a.data(), b.data(), 100));
}

TEMPLATE_TEST_CASE("a divergence of doubles has the digits of doubles", "", hellinger, jensen_shannon, symmetric_kl) {
  const TestType metric;
  const auto a = random_mass(77, 3), b = random_mass(77, 4);
  const std::vector<double> x(a.begin(), a.end()), y(b.begin(), b.end());
  CHECK(metric(x.data(), y.data(), 77) == Approx(reference(metric, a, b)).epsilon(1e-12));
  CHECK(metric(x.data(), y.data(), 77) == metric(y.data(), x.data(), 77));
}

TEMPLATE_TEST_CASE("a divergence of bytes and halves is that of their values", "", hellinger, jensen_shannon,
                   symmetric_kl) {
  const TestType metric;
  std::vector<float> a(40), b(40);
  std::vector<std::uint8_t> a_bytes, b_bytes;
  std::vector<Eigen::half> a_halves, b_halves;
  for (std::size_t i = 0; i < 40; ++i) {
    a[i] = static_cast<float>(i * i % 256);
    b[i] = static_cast<float>(7 * i % 5);
    a_bytes.push_back(static_cast<std::uint8_t>(a[i]));
    b_bytes.push_back(static_cast<std::uint8_t>(b[i]));
    a_halves.push_back(static_cast<Eigen::half>(a[i]));
    b_halves.push_back(static_cast<Eigen::half>(b[i]));
  }
  CHECK(metric(a_bytes.data(), b_bytes.data(), 40) == metric(a.data(), b.data(), 40));
  CHECK(metric(a_halves.data(), b_halves.data(), 40) == metric(a.data(), b.data(), 40));
}

TEST_CASE("a divergence of near rows keeps its digits") {
  // Shares that floats hold exactly: what is lost is lost by the kernel.
  constexpr std::size_t d = 64;
  for (const int bit : {6, 10, 14, 18}) {
    std::vector<float> a(d, 0x1p-6f), b = a;
    for (std::size_t i = 0; i < d; i += 2) {
      b[i] += std::ldexp(1.0f, -6 - bit);
      b[i + 1] -= std::ldexp(1.0f, -6 - bit);
    }
    CAPTURE(bit);
    const double x =
        std::ldexp(1.0, -bit);  // the shares' relative difference, of which divergences are x^2 / 8 and so on
    CHECK(between(jensen_shannon{}, a, b) == Approx(x * x / 8).epsilon(bit == 6 ? 1e-3 : 1e-5));
    CHECK(jensen_shannon{}(stored(a).row(), stored(b).row()) == Approx(x * x / 8).epsilon(bit == 6 ? 1e-3 : 1e-5));
    CHECK(between(hellinger{}, a, b) == Approx(x / std::sqrt(8.0)).epsilon(bit < 14 ? 1e-3 : 0.05));
  }
}

TEST_CASE("the Jensen-Shannon kernel is within 5e-6 of every term from one to the other end") {
  using op = detail::operation<kernels::jensen_shannon, float>;
  for (double exponent = -30; exponent <= 0; exponent += 0.125) {
    const float a = 0.375f, b = static_cast<float>(0.375 * std::exp2(exponent));
    const double p = static_cast<double>(a), q = static_cast<double>(b), m = (p + q) / 2;
    const double expected = (p * std::log(p / m) + q * std::log(q / m)) / 2;
    const auto term = [&](float x, float y) {
      return static_cast<double>(op::finish(op::fold(op::zero(), simd::batch<float>(x), simd::batch<float>(y)))) /
             static_cast<double>(simd::lanes<float>);
    };
    CAPTURE(exponent);
    CHECK(term(a, b) == Approx(expected).epsilon(5e-6));
    CHECK(term(b, a) == Approx(expected).epsilon(5e-6));
    CHECK(detail::jensen_shannon_term(p, q) == Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("Hellinger's distance and the root of Jensen and Shannon's divergence keep the triangle inequality") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto a = random_mass(5, 3 * seed), b = random_mass(5, 3 * seed + 1), c = random_mass(5, 3 * seed + 2);
    const auto root = [](const auto& x, const auto& y) { return std::sqrt(between(jensen_shannon{}, x, y)); };
    CHECK(between(hellinger{}, a, c) <= between(hellinger{}, a, b) + between(hellinger{}, b, c) + 1e-6);
    CHECK(root(a, c) <= root(a, b) + root(b, c) + 1e-6);
  }
}

TEST_CASE("distributions that share no bin are as far as can be") {
  const std::vector<float> a{1, 0, 3, 0}, b{0, 2, 0, 2};
  CHECK(between(hellinger{}, a, b) == Approx(1).epsilon(1e-6));
  CHECK(between(hellinger{}, a, b) <= 1);
  CHECK(between(jensen_shannon{}, a, b) == Approx(std::numbers::ln2).epsilon(1e-5));
  CHECK(hellinger{}(stored(a).row(), stored(b).row()) == Approx(1));
  CHECK(jensen_shannon{}(stored(a).row(), stored(b).row()) == Approx(std::numbers::ln2));
}

TEST_CASE("rows without mass equal each other and share nothing with other rows") {
  for (const std::size_t d : {1u, 15u, 16u, 31u, 40u}) {
    const std::vector<float> none(d), some = [&] {
      auto row = random_mass(d, d);
      row[0] = 1;
      return row;
    }();
    CAPTURE(d);
    CHECK(between(hellinger{}, none, none) == 0);
    CHECK(between(jensen_shannon{}, none, none) == 0);
    CHECK(between(hellinger{}, none, some) == Approx(1).epsilon(1e-6));
    CHECK(between(jensen_shannon{}, some, none) == Approx(std::numbers::ln2).epsilon(1e-5));
    CHECK(hellinger{}(stored(none).row(), stored(none).row()) == 0);
    CHECK(jensen_shannon{}(stored(none).row(), stored(none).row()) == 0);
    CHECK(hellinger{}(stored(some).row(), stored(none).row()) == 1);
    CHECK(jensen_shannon{}(stored(none).row(), stored(some).row()) == Approx(std::numbers::ln2));
  }
}

TEST_CASE("a row without mass is uniform to the symmetric divergence") {
  const std::vector<float> none(20), uniform(20, 3.0f), some = random_mass(20, 9);
  CHECK(between(symmetric_kl{}, none, uniform) == Approx(0).margin(1e-12));
  CHECK(between(symmetric_kl{}, none, some) == Approx(reference(symmetric_kl{}, none, some)).epsilon(1e-5));
  CHECK(symmetric_kl{}(stored(none).row(), stored(some).row()) ==
        Approx(reference(symmetric_kl{}, none, some)).epsilon(1e-9));
}

TEST_CASE("the symmetric divergence counts the bins that neither row stores") {
  std::vector<float> a(1000), b(1000);
  a[3] = 1e-4f;
  b[900] = 2e-5f;
  CHECK(symmetric_kl{}(stored(a).row(), stored(b).row()) == Approx(reference(symmetric_kl{}, a, b)).epsilon(1e-9));
}

TEST_CASE("mass of any size is a share of its sum") {
  const auto a = random_mass(30, 11);
  std::vector<double> x(a.begin(), a.end()), tiny = x, huge = x;
  const auto b = random_mass(30, 12);
  const std::vector<double> y(b.begin(), b.end());
  for (double& value : tiny) value *= 1e-300;
  for (double& value : huge) value *= 1e300;
  CHECK(hellinger{}(tiny.data(), y.data(), 30) == Approx(hellinger{}(x.data(), y.data(), 30)));
  CHECK(jensen_shannon{}(huge.data(), y.data(), 30) == Approx(jensen_shannon{}(x.data(), y.data(), 30)));
}

TEST_CASE("the base of Hellinger's distance ranks as the squared Euclidean distance does") {
  const auto a = random_mass(50, 1), b = random_mass(50, 2);
  CHECK(detail::half_chord::rank(a.data(), b.data(), 50) == sqeuclidean::rank(a.data(), b.data(), 50));
}

TEST_CASE("rows are rewritten to the length that is told") {
  for (std::size_t d = 0; d <= 70; ++d) {
    const auto row = random_mass(d, d);
    const auto check = [&](auto metric) {
      const std::size_t n = metric.embedded_dim(d);
      std::vector<float> out(n + 1, -7.0f);
      metric.embed(row.data(), d, out.data());
      CAPTURE(d, metric.name);
      CHECK(std::count(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(n), -7.0f) == 0);
      CHECK(out[n] == -7.0f);
    };
    check(hellinger{});
    check(jensen_shannon{});
    check(symmetric_kl{});
  }
}

TEST_CASE("rewritten rows have the same length in every build") {
  const auto lengths = [](auto metric) {
    std::vector<std::size_t> result;
    for (const std::size_t d : {0u, 1u, 7u, 8u, 15u, 16u, 17u, 100u, 128u}) result.push_back(metric.embedded_dim(d));
    return result;
  };
  CHECK(lengths(hellinger{}) == std::vector<std::size_t>{8, 8, 8, 16, 16, 24, 24, 104, 136});
  CHECK(lengths(jensen_shannon{}) == lengths(hellinger{}));
  CHECK(lengths(symmetric_kl{}) == std::vector<std::size_t>{0, 32, 32, 32, 32, 32, 64, 224, 256});
}

TEMPLATE_TEST_CASE("shares and their logarithms lie in the same places in every build", "", float, double) {
  constexpr std::size_t d = 21, block = 64 / sizeof(TestType);
  std::vector<TestType> row(d), out(64);
  for (std::size_t i = 0; i < d; ++i) row[i] = static_cast<TestType>(i + 1);  // a sum of 231
  REQUIRE(symmetric_kl::embedded_dim(d) == out.size());
  symmetric_kl::embed(row.data(), d, out.data());
  for (std::size_t i = 0; i < out.size() / 2; ++i) {
    const std::size_t at = i / block * 2 * block + i % block;
    const double share = i < d ? static_cast<double>(i + 1) / 231 : 0;
    CAPTURE(i);
    CHECK(static_cast<double>(out[at]) == Approx(share).margin(1e-7));
    CHECK(static_cast<double>(out[at + block]) == Approx(i < d ? std::log(share * d) : 0).margin(1e-6));
  }
}

TEMPLATE_TEST_CASE("a kernel of blocks takes any length as if zeros followed", "", float, double) {
  constexpr std::size_t most = 150;
  const auto x = random_mass(most, 21), y = random_mass(most, 22);
  for (std::size_t n = 0; n <= most; ++n) {
    const auto a_end = static_cast<std::ptrdiff_t>(n);
    const std::vector<TestType> a(x.begin(), x.begin() + a_end), b(y.begin(), y.begin() + a_end);
    std::vector<TestType> a_padded = a, b_padded = b;
    a_padded.resize(n + 256 - n % 256);
    b_padded.resize(a_padded.size());
    const auto of = [](const auto& p, const auto& q) {
      return one_to_one<kernels::symmetric_kl>(p.data(), q.data(), p.size());
    };
    CAPTURE(n);
    CHECK(of(a, b) == Approx(of(a_padded, b_padded)).margin(1e-6));
  }
}

TEST_CASE("negative mass and NaN are refused with the reason") {
  const float negative[] = {1, -0.5f}, nan[] = {std::numeric_limits<float>::quiet_NaN(), 1}, good[] = {0, -0.0f};
  const std::int8_t bytes[] = {3, -1};
  const std::uint8_t high[] = {3, 255};
  const double overflow[] = {1e308, 1e308};
  CHECK_THAT(hellinger::refuses(negative, 2).reason, ContainsSubstring("not negative"));
  CHECK_THAT(jensen_shannon::refuses(nan, 2).reason, ContainsSubstring("not negative"));
  CHECK_THAT(symmetric_kl::refuses(bytes, 2).reason, ContainsSubstring("not negative"));
  CHECK(hellinger::refuses(negative, 2).place == 1);
  CHECK_THAT(symmetric_kl::refuses(overflow, 2).reason, ContainsSubstring("finite sum"));
  CHECK_FALSE(hellinger::refuses(good, 2));
  CHECK_FALSE(hellinger::refuses(high, 2));
  const std::int32_t indices[] = {0, 4};
  CHECK_THAT(hellinger::refuses(sparse_row<float>{indices, negative, 9}).reason, ContainsSubstring("not negative"));
  CHECK_FALSE(hellinger::refuses(sparse_row<float>{indices, good, 9}));
}
