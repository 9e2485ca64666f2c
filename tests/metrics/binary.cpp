#include <Eigen/Core>
#include <annulus/core/base/random.hpp>
#include <annulus/core/rows/bit_matrix.hpp>
#include <annulus/metrics/binary.hpp>

#include "catch.hpp"
#include "metrics/golden.hpp"

#include <limits>
#include <string_view>
#include <tuple>

#include "precise.hpp"

using namespace annulus;
using Eigen::half;

namespace {

const std::tuple all_metrics{jaccard{},    dice{},        matching{},      kulsinski{}, rogerstanimoto{},
                             russellrao{}, sokalsneath{}, sokalmichener{}, yule{}};

template <class F>
void for_all(F f) {
  std::apply([&](auto... metric) { (f(metric), ...); }, all_metrics);
}

/// A row of zeros and others, about `share` of them.
template <class T>
std::vector<T> random_members(std::size_t d, double share, std::uint64_t seed) {
  const counter_random random(seed);
  std::vector<T> row(d);
  for (std::size_t i = 0; i < d; ++i)
    row[i] = random.uniform(i) < share ? static_cast<T>(1 + static_cast<int>(random.below(d + i, 100))) : T(0);
  return row;
}

/// The formulas, coordinate by coordinate, as the field writes them.
template <class T>
double plain(std::string_view name, const std::vector<T>& a, const std::vector<T>& b) {
  double tt = 0, tf = 0, ft = 0, ff = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool x = a[i] != T(0), y = b[i] != T(0);
    (x ? (y ? tt : tf) : (y ? ft : ff)) += 1;
  }
  const double n = tt + tf + ft + ff, differing = tf + ft;
  const auto over = [](double above, double below) { return below == 0 ? 0 : above / below; };
  if (name == "jaccard") return over(differing, tt + differing);
  if (name == "dice") return over(differing, 2 * tt + differing);
  if (name == "matching") return over(differing, n);
  if (name == "kulsinski") return differing == 0 ? 0 : (differing - tt + n) / (differing + n);
  if (name == "rogerstanimoto" || name == "sokalmichener") return over(2 * differing, tt + ff + 2 * differing);
  if (name == "russellrao") return differing == 0 ? 0 : (n - tt) / n;
  if (name == "sokalsneath") return over(differing, tt / 2 + differing);
  if (name == "yule") return tf == 0 || ft == 0 ? 0 : 2 * tf * ft / (tt * ff + tf * ft);
  return -1;
}

/// The lengths at which any metric is not exactly its formula over dense rows of T that start anywhere.
template <class T>
std::vector<std::size_t> wrong_lengths() {
  std::vector<std::size_t> wrong;
  for (std::size_t d = 0; d <= 150; ++d)
    for (const double share : {0.5, 0.05}) {
      auto a = random_members<T>(d, share, 1 + d);
      const auto b = random_members<T>(d, share, 1000 + d);
      a.insert(a.begin(), T(1));
      for_all([&](auto metric) {
        const std::vector<T> row(a.begin() + 1, a.end());
        const double expected = plain(metric.name, row, b);
        if (metric(a.data() + 1, b.data(), d) != Approx(expected).epsilon(1e-15)) wrong.push_back(d);
      });
    }
  return wrong;
}

struct stored {
  std::vector<std::int32_t> indices;
  std::vector<float> values;
  std::size_t dim;
  explicit stored(const std::vector<float>& row) : dim(row.size()) {
    for (std::size_t i = 0; i < row.size(); ++i)
      if (row[i] != 0) {
        indices.push_back(static_cast<std::int32_t>(i));
        values.push_back(row[i]);
      }
  }
  operator sparse_row<float>() const { return {indices, values, dim}; }
};

}  // namespace

TEST_CASE("binary metrics are those of the golden values over dense rows", "[binary]") {
  for_all([](auto metric) {
    for (const auto& e : golden::examples(std::string(metric.name))) {
      CAPTURE(metric.name, e.dim);
      CHECK(metric(e.x.data(), e.y.data(), e.dim) == Approx(e.distance).epsilon(1e-6).margin(1e-12));
    }
  });
}

TEST_CASE("binary metrics are those of the golden values over sparse rows", "[binary]") {
  for_all([](auto metric) {
    if (metric.name == yule::name) return;  // of which there are none
    for (const auto& e : golden::examples(std::string(metric.name), true)) {
      CAPTURE(metric.name);
      const sparse_row<float> x{e.x_indices, e.x, e.dim}, y{e.y_indices, e.y, e.dim};
      CHECK(metric(x, y) == Approx(e.distance).epsilon(1e-6).margin(1e-12));
    }
  });
}

TEMPLATE_TEST_CASE("binary metrics of dense rows are their formulas at every length", "[binary]", float, double, half,
                   std::uint8_t, std::int8_t) {
  CHECK(wrong_lengths<TestType>().empty());
}

TEST_CASE("binary metrics of sparse rows are those of the full rows", "[binary]") {
  for (std::size_t d = 0; d <= 150; d += 3) {
    const auto a = random_members<float>(d, 0.3, 1 + d), b = random_members<float>(d, 0.3, 1000 + d);
    const stored of_a(a), of_b(b);
    for_all([&](auto metric) {
      CAPTURE(metric.name, d);
      REQUIRE(metric(sparse_row<float>(of_a), sparse_row<float>(of_b)) == metric(a.data(), b.data(), d));
    });
  }
}

TEST_CASE("binary metrics of rows packed into bits are those of the rows", "[binary]") {
  const auto try_type = []<class T>(T) {
    for (std::size_t d = 0; d <= 200; d += d < 70 ? 1 : 13) {
      const auto a = random_members<T>(d, 0.4, 1 + d), b = random_members<T>(d, 0.4, 1000 + d);
      for_all([&](auto metric) {
        const std::size_t bytes = metric.embedded_dim(d);
        std::vector<std::uint8_t> of_a(bytes, 255), of_b(bytes, 255);
        metric.embed(a.data(), d, of_a.data());
        metric.embed(b.data(), d, of_b.data());
        CAPTURE(metric.name, d);
        REQUIRE(metric.base(d)(of_a.data(), of_b.data(), bytes) == metric(a.data(), b.data(), d));
      });
    }
  };
  try_type(1.0f);
  try_type(std::uint8_t{});
}

TEST_CASE("coordinate i of a row becomes bit i mod 8 of byte i / 8", "[binary]") {
  for (std::size_t i = 0; i < 70; ++i) {
    std::vector<float> row(70);
    row[i] = -2;
    bit_matrix expected(1, 128);
    expected.set(0, i);
    std::vector<std::uint8_t> packed_row(dice::embedded_dim(70));
    dice::embed(row.data(), 70, packed_row.data());
    REQUIRE(std::ranges::equal(packed_row, expected.row(0)));
  }
}

TEST_CASE("minus zero is no member, the smallest number and a NaN are", "[binary]") {
  using limits = std::numeric_limits<float>;
  const std::vector<float> row{-0.0f, limits::denorm_min(), 0.0f, limits::quiet_NaN(), -limits::denorm_min()};
  CHECK(detail::nonzero_word(row.data(), 5) == (denormals_are_zero() ? 0b01000 : 0b11010));
}

TEST_CASE("binary metrics are symmetric, and 0 between a row and itself", "[binary]") {
  for (std::size_t d = 0; d <= 80; d += 4)
    for (const double share : {0.0, 0.2, 0.7, 1.0}) {
      const auto a = random_members<float>(d, share, 1 + d), b = random_members<float>(d, 0.5, 1000 + d);
      for_all([&](auto metric) {
        CAPTURE(metric.name, d, share);
        REQUIRE(metric(a.data(), b.data(), d) == metric(b.data(), a.data(), d));
        REQUIRE(metric(a.data(), a.data(), d) == 0);
      });
    }
}

TEST_CASE("jaccard, matching, rogerstanimoto and sokalsneath keep the triangle inequality", "[binary]") {
  constexpr std::size_t d = 12, n = 24;
  std::vector<std::vector<float>> rows;
  for (std::size_t i = 0; i < n; ++i) rows.push_back(random_members<float>(d, 0.1 + 0.03 * static_cast<double>(i), i));
  const auto broken = [&](auto metric) {
    std::size_t count = 0;
    const auto between = [&](std::size_t i, std::size_t j) { return metric(rows[i].data(), rows[j].data(), d); };
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        for (std::size_t k = 0; k < n; ++k) count += between(i, k) > between(i, j) + between(j, k) + 1e-12;
    return count;
  };
  CHECK(broken(jaccard{}) == 0);
  CHECK(broken(matching{}) == 0);
  CHECK(broken(rogerstanimoto{}) == 0);
  CHECK(broken(sokalsneath{}) == 0);
  CHECK(broken(dice{}) > 0);
}

TEST_CASE("two empty sets are at no distance under any binary metric", "[binary]") {
  const std::vector<float> zeros(30);
  const sparse_row<float> empty{{}, {}, 30}, nothing{};
  for_all([&](auto metric) {
    CAPTURE(metric.name);
    CHECK(metric(zeros.data(), zeros.data(), 30) == 0);
    CHECK(metric(zeros.data(), zeros.data(), 0) == 0);
    CHECK(metric(empty, empty) == 0);
    CHECK(metric(nothing, nothing) == 0);
  });
}

TEST_CASE("an empty set is as far from a full one as a binary metric reaches", "[binary]") {
  const std::vector<float> zeros(30), ones(30, 1.0f);
  for_all([&](auto metric) {
    CAPTURE(metric.name);
    CHECK(metric(zeros.data(), ones.data(), 30) == (metric.name == yule::name ? 0 : 1));
  });
}

TEST_CASE("binary metrics take dense rows by way of bits, and sparse rows", "[binary]") {
  for_all([](auto metric) {
    using metric_type = decltype(metric);
    STATIC_REQUIRE(rewrites_rows<metric_type, float>);
    STATIC_REQUIRE(rewrites_rows<metric_type, std::uint8_t>);
    STATIC_REQUIRE(metric_for<metric_type, csr_view<float>>);
    STATIC_REQUIRE(!metric_type::is_angular);
  });
}

TEST_CASE("stored zeros of sparse rows are members under every binary metric", "[binary]") {
  const std::vector<std::int32_t> a{1, 2, 5}, b{2, 7};
  const std::vector<float> zeros(3), ones(3, 1.0f);
  for_all([&](auto metric) {
    CAPTURE(metric.name);
    CHECK(metric(sparse_row<float>{a, zeros, 9}, sparse_row<float>{b, std::span(zeros).first(2), 9}) ==
          metric(sparse_row<float>{a, ones, 9}, sparse_row<float>{b, std::span(ones).first(2), 9}));
  });
}
