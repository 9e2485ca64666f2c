#include <annulus/metrics/named.hpp>

#include "catch.hpp"
#include "core/sparse_rows.hpp"
#include "metrics/dense_rows.hpp"
#include "metrics/parameters.hpp"

// Every metric that has a name, called on two rows times a power of two, from one end of the range of their type to the
// other.

using namespace annulus;

namespace {

constexpr std::size_t dim = 24;

/// How distances grow with the rows; of metrics that are left out they follow no power.
struct growth {
  std::string_view metric;
  int degree;
  double tolerance = 0;  ///< relative; 0 for the same bits
};

constexpr growth all_growths[] = {
    {"euclidean", 1},
    {"sqeuclidean", 2},
    {"manhattan", 1},
    {"chebyshev", 1},
    {"minkowski", 1},
    {"cosine", 0},
    {"inner_product", 2},
    {"true_angular", 0},
    {"canberra", 0},
    {"braycurtis", 0},
    {"spearmanr", 0},
    {"hamming", 0},
    {"jaccard", 0},
    {"dice", 0},
    {"matching", 0},
    {"kulsinski", 0},
    {"rogerstanimoto", 0},
    {"russellrao", 0},
    {"sokalsneath", 0},
    {"sokalmichener", 0},
    {"yule", 0},
    {"hellinger", 0},
    {"jensen_shannon", 0},
    {"wasserstein_1d", 0},
    {"kantorovich", 0},
    {"sinkhorn", 0, 1e-6},     // ends where it is near enough
    {"tsss", 4, 1e-5},         // small and large rows in double
    {"correlation", 0, 1e-6},  // rows less their mean are rounded where they are subnormal, as are rows times weights
    {"seuclidean", 1, 1e-6},
    {"wminkowski", 1, 1e-6},
    {"mahalanobis", 1, 1e-6},
    {"circular_kantorovich", 0, 1e-6},
};

/// Positive, so that all metrics take them, and unequal.
template <class T>
std::vector<T> positive_row(std::uint64_t seed) {
  auto row = dense_rows::normal_row<T>(dim, seed);
  for (T& x : row) x = static_cast<T>(std::abs(static_cast<double>(x)) + 0.125);
  return row;
}

template <class T>
std::vector<T> scaled(std::vector<T> row, int exponent) {
  for (T& x : row) x = static_cast<T>(std::ldexp(static_cast<detail::lane_t<T>>(x), exponent));
  return row;
}

/// Whether a distance is that of rows of ordinary size times a power of two, which may be beyond numbers of its type.
template <class Number>
bool is_scaled(Number distance, Number ordinary, int exponent, double tolerance) {
  using limits = std::numeric_limits<Number>;
  const Number expected = std::ldexp(ordinary, exponent);
  if (distance == expected) return true;
  // Sums of products that are subnormal themselves are off by as many of the least numbers.
  const double least = std::abs(expected) < dim * limits::min() ? dim * static_cast<double>(limits::denorm_min()) : 0;
  return std::abs(static_cast<double>(distance - expected)) <=
         tolerance * std::abs(static_cast<double>(expected)) + least;
}

template <class T>
std::vector<int> exponents() {
  std::vector<int> all;
  constexpr int end = std::same_as<T, double> ? 900 : 120;
  for (int e = -end; e <= end; e += end / 30) all.push_back(e);
  return all;
}

/// The exponents for which a metric is not what it has to be, given by its growth, of rows that `distance(metric, e)`
/// scales by 2^e and calls it on.
template <class T, class Points, class Distance>
std::vector<int> wrong_exponents(const growth& of, Distance distance) {
  std::vector<int> wrong;
  with_metric(
      of.metric,
      parameters::some(*find_metric(of.metric), dim), [&]<class M>(const M& metric) requires metric_for<M, Points> {
        const auto ordinary = distance(metric, 0);
        for (const int e : exponents<T>())
          if (!is_scaled(distance(metric, e), ordinary, of.degree * e, of.tolerance)) wrong.push_back(e);
      });
  return wrong;
}

template <class T>
std::vector<int> wrong_exponents_of_dense_rows(const growth& of) {
  const auto a = positive_row<T>(1), b = positive_row<T>(2);
  return wrong_exponents<T, matrix_view<T>>(of, [&](const auto& metric, int e) {
    const auto x = scaled(a, e), y = scaled(b, e);
    return metric(x.data(), y.data(), dim);
  });
}

template <class T>
std::vector<int> wrong_exponents_of_sparse_rows(const growth& of) {
  const auto some_of = [](const std::vector<T>& row, std::int32_t step) {
    sparse_rows::stored_row<T> some{{}, {}, dim};
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(dim); i += step) {
      some.indices.push_back(i);
      some.values.push_back(row[static_cast<std::size_t>(i)]);
    }
    return some;
  };
  const auto a = some_of(positive_row<T>(1), 2), b = some_of(positive_row<T>(2), 3);
  return wrong_exponents<T, csr_view<T>>(of, [&](const auto& metric, int e) {
    auto x = a, y = b;
    x.values = scaled(a.values, e);
    y.values = scaled(b.values, e);
    return metric(x.row(), y.row());
  });
}

const std::vector<int> none;
constexpr float greatest = std::numeric_limits<float>::max();

}  // namespace

TEMPLATE_TEST_CASE("distances grow with the rows by the power that is the metric's", "[sizes]", float, double) {
  for (const growth& of : all_growths) {
    CAPTURE(of.metric);
    CHECK(wrong_exponents_of_dense_rows<TestType>(of) == none);
  }
}

TEMPLATE_TEST_CASE("sparse distances grow with the rows by the power that is the metric's", "[sizes]", float, double) {
  for (const growth& of : all_growths) {
    if (!find_metric(of.metric)->sparse) continue;
    CAPTURE(of.metric);
    CHECK(wrong_exponents_of_sparse_rows<TestType>(of) == none);
  }
}

TEST_CASE("every metric has a growth, but those that follow no power", "[sizes]") {
  std::vector<std::string_view> left_out;
  for (const metric_info& known : known_metrics)
    if (known.dense && std::ranges::find(all_growths, known.name, &growth::metric) == std::end(all_growths))
      left_out.push_back(known.name);
  CHECK(left_out == std::vector<std::string_view>{"dot", "haversine", "symmetric_kl"});
}

TEST_CASE("minkowski's distances grow with the rows whatever p is", "[sizes]") {
  const auto a = positive_row<float>(1), b = positive_row<float>(2);
  for (const double p : {1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 1.7, 7.0}) {
    const minkowski metric(p);
    std::vector<int> wrong;
    for (const int e : exponents<float>()) {  // all of them even, as square roots of powers ask
      const auto x = scaled(a, e), y = scaled(b, e);
      if (metric(x.data(), y.data(), dim) != std::ldexp(metric(a.data(), b.data(), dim), e)) wrong.push_back(e);
    }
    CAPTURE(p);
    CHECK(wrong == none);
  }
}

TEST_CASE("metrics of directions take two rows of any two sizes", "[sizes]") {
  const auto a = positive_row<float>(1), b = positive_row<float>(2);
  for (const int e : {-120, -60, 0, 60, 120})
    for (const int f : {-120, -60, 0, 60, 120}) {
      const auto x = scaled(a, e), y = scaled(b, f);
      const auto check = [&](const auto& metric, double tolerance) {
        CHECK(metric(x.data(), y.data(), dim) == Approx(metric(a.data(), b.data(), dim)).epsilon(tolerance));
      };
      CAPTURE(e, f);
      check(cosine{}, 0);
      check(true_angular{}, 0);
      check(spearmanr{}, 0);
      check(correlation{}, 1e-6);
    }
}

TEST_CASE("quotients of differences are right to the end of the range", "[sizes]") {
  const float a[] = {greatest, -greatest, greatest / 2, 0, 1e-45f},
              b[] = {greatest / 2, greatest, -greatest, greatest, 3e-45f};
  CHECK(canberra{}(a, b, 5) == Approx(1.0 / 3 + 1 + 1 + 1 + 1.0 / 3));
  CHECK(braycurtis{}(a, b, 1) == Approx(1.0 / 3));
  CHECK(braycurtis{}(a, b, 3) == Approx((0.5 + 2 + 1.5) / (1.5 + 0 + 0.5)));
  CHECK(braycurtis{}(b, b, 5) == 0);
  const float opposite[] = {-greatest / 2, -greatest, greatest, -greatest, 0};
  CHECK(braycurtis{}(b, opposite, 4) == std::numeric_limits<float>::infinity());
}

TEST_CASE("tsss of a small row and a large one in its direction is that of their lengths", "[sizes]") {
  const float small[] = {3e-25f, 4e-25f}, large[] = {3e10f, 4e10f};
  const double theta = 10 * std::numbers::pi / 180;
  const double expected = 2.5e-14 * std::sin(theta) / 2 * (1e22 * theta / 2);
  CHECK(tsss{}(small, large, 2) == Approx(expected));
  CHECK(tsss{}(large, small, 2) == Approx(expected));
  CHECK(tsss{}(small, small, 2) == 0);
}
