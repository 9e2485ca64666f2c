#include <Eigen/Core>
#include <annulus/core/metric/common_metrics.hpp>

#include "catch.hpp"
#include "core/sparse_rows.hpp"

#include <map>
#include <numeric>

namespace {
struct first_values {};  // sum a
}  // namespace

/// A kernel that tells its rows apart.
template <>
struct annulus::detail::operation<first_values, float> : annulus::detail::floating_operation<float> {
  static vector fold(vector sum, vector a, vector) noexcept { return sum + a; }
};

using namespace annulus;
using sparse_rows::random_row;
using sparse_rows::stored_row;

namespace {

using pairs = std::vector<std::pair<double, double>>;

/// What a map of coordinates makes of two rows.
template <class T>
pairs merged(const stored_row<T>& a, const stored_row<T>& b, bool common_only) {
  std::map<std::int32_t, std::pair<double, double>> all;
  for (std::size_t i = 0; i < a.indices.size(); ++i) all[a.indices[i]].first = static_cast<double>(a.values[i]);
  for (std::size_t i = 0; i < b.indices.size(); ++i) all[b.indices[i]].second = static_cast<double>(b.values[i]);
  pairs result;
  for (const auto& [index, xy] : all)
    if (!common_only || (std::ranges::binary_search(a.indices, index) && std::ranges::binary_search(b.indices, index)))
      result.push_back(xy);
  return result;
}

template <class T>
pairs stored_pairs(const stored_row<T>& a, const stored_row<T>& b) {
  pairs found;
  detail::for_each_stored(a.row(), b.row(), [&](double x, double y) { found.push_back({x, y}); });
  return found;
}

template <class T>
pairs common_pairs(const stored_row<T>& a, const stored_row<T>& b) {
  pairs found;
  detail::for_each_common(a.row(), b.row(), [&](double x, double y) { found.push_back({x, y}); });
  return found;
}

/// f(a, b) for rows of all lengths up to 70 with many, some and no coordinates in common, and for a few long ones.
template <class T, class F>
void for_pairs_of_rows(F f) {
  for (std::size_t n = 0; n <= 70; ++n) {
    const auto a = random_row<T>(n, 200, n);
    f(a, random_row<T>((n * 37 + 5) % 71, 200, n + 500));
    f(a, random_row<T>(n, 200, n + 900));
    f(a, random_row<T>(n % 9, 75, n + 700));
    f(random_row<T>(n, 72, n), random_row<T>(70 - n, 72, n + 100));
  }
  f(random_row<T>(5, 30000, 1), random_row<T>(9000, 30000, 2));
  f(random_row<T>(300, 9000, 1), random_row<T>(3000, 9000, 2));
  f(random_row<T>(2000, 2500, 3), random_row<T>(2100, 2500, 4));
  f(random_row<T>(1500, 30000, 5), random_row<T>(1600, 30000, 6));
}

/// The second row far from the first, in ranges of their own.
template <class T>
stored_row<T> shifted(stored_row<T> row, std::int32_t by) {
  for (std::int32_t& index : row.indices) index += by;
  row.dim += static_cast<std::size_t>(by);
  return row;
}

template <class Metric, class T>
void check_against_dense(const Metric& metric) {
  for_pairs_of_rows<T>([&](const stored_row<T>& a, const stored_row<T>& b) {
    if (a.dim != b.dim) return;
    const auto x = a.dense(), y = b.dense();
    const auto expected = static_cast<double>(metric(x.data(), y.data(), a.dim));
    REQUIRE(static_cast<double>(metric(a.row(), b.row())) == Approx(expected).epsilon(1e-5).margin(1e-5));
  });
}

template <class T>
void check_core_metrics() {
  check_against_dense<euclidean, T>({});
  check_against_dense<sqeuclidean, T>({});
  check_against_dense<inner_product, T>({});
  check_against_dense<cosine, T>({});
  check_against_dense<manhattan, T>({});
  check_against_dense<chebyshev, T>({});
}

template <class F>
void for_core_metrics(F f) {
  f(euclidean{});
  f(sqeuclidean{});
  f(inner_product{});
  f(cosine{});
  f(manhattan{});
  f(chebyshev{});
}

}  // namespace

TEST_CASE("two sparse rows are merged in ascending order, with zero for what is not stored", "[sparse]") {
  for_pairs_of_rows<float>([](const auto& a, const auto& b) {
    REQUIRE(stored_pairs(a, b) == merged(a, b, false));
    REQUIRE(stored_pairs(b, a) == merged(b, a, false));
  });
}

TEST_CASE("what both sparse rows store is met in ascending order, each once", "[sparse]") {
  for_pairs_of_rows<float>([](const auto& a, const auto& b) {
    REQUIRE(common_pairs(a, b) == merged(a, b, true));
    REQUIRE(common_pairs(b, a) == merged(b, a, true));
  });
}

TEST_CASE("sparse rows of doubles and of bytes are merged too", "[sparse]") {
  for_pairs_of_rows<double>([](const auto& a, const auto& b) { REQUIRE(common_pairs(a, b) == merged(a, b, true)); });
  for_pairs_of_rows<std::uint8_t>(
      [](const auto& a, const auto& b) { REQUIRE(stored_pairs(a, b) == merged(a, b, false)); });
}

TEST_CASE("matches are told by their positions in both lists", "[sparse]") {
  const std::vector<std::int32_t> few{3, 8, 90}, many{0, 1, 2, 3, 4, 5, 8, 9, 10, 20, 30, 40, 50, 60, 70, 80, 90, 91};
  using positions = std::vector<std::pair<std::size_t, std::size_t>>;
  positions forth, back;
  detail::for_each_match(few, many, [&](std::size_t i, std::size_t j) { forth.push_back({i, j}); });
  detail::for_each_match(many, few, [&](std::size_t i, std::size_t j) { back.push_back({i, j}); });
  CHECK(forth == positions{{0, 3}, {1, 6}, {2, 16}});
  CHECK(back == positions{{3, 0}, {6, 1}, {16, 2}});
}

TEST_CASE("the first block that reaches an index is found from any block before it", "[sparse]") {
  const auto row = random_row<float>(1003, 5000, 7);
  const detail::index_blocks blocks(row.indices);
  REQUIRE(blocks.count() == (1003 + detail::index_lanes - 1) / detail::index_lanes);
  std::size_t expected = 0;
  for (std::int32_t target = 0; target < 5000; ++target) {
    while (expected < blocks.count() && blocks.last(expected) < target) ++expected;
    for (const std::size_t from : {std::size_t{0}, expected / 2, expected > 0 ? expected - 1 : 0, expected})
      REQUIRE(blocks.reach(from, target) == expected);
  }
}

TEST_CASE("the core metrics over sparse rows of floats are those over the full rows", "[sparse]") {
  check_core_metrics<float>();
}

TEST_CASE("the core metrics over sparse rows of other types are those over the full rows", "[sparse]") {
  check_core_metrics<double>();
  check_core_metrics<std::uint8_t>();
  check_core_metrics<Eigen::half>();
}

TEST_CASE("a distance of sparse rows is the same bits both ways round", "[sparse]") {
  const auto check = [](const auto& a, const auto& b) {
    for_core_metrics([&](const auto& metric) { REQUIRE(metric(a.row(), b.row()) == metric(b.row(), a.row())); });
  };
  for_pairs_of_rows<float>([&](auto a, auto b) {
    // Values whose sums are rounded.
    for (float& v : a.values) v /= 3.0f;
    for (float& v : b.values) v /= 7.0f;
    check(a, b);
  });
}

TEST_CASE("a sparse row is at distance exactly zero from itself", "[sparse]") {
  for (std::size_t n = 0; n <= 130; ++n) {
    auto row = random_row<float>(n, 300, n);
    auto wide = random_row<double>(n, 300, n);
    for (float& v : row.values) v /= 3.0f;
    for (double& v : wide.values) v /= 3.0;
    const auto copy = row;
    for_core_metrics([&]<class Metric>(const Metric& metric) {
      if constexpr (!std::same_as<Metric, inner_product>) {
        REQUIRE(metric(row.row(), copy.row()) == 0);
        REQUIRE(metric(wide.row(), wide.row()) == 0);
      }
    });
  }
}

TEST_CASE("the squared norm of a sparse row is its inner product with itself, bit for bit", "[sparse]") {
  for (std::size_t n = 0; n <= 130; ++n) {
    auto row = random_row<float>(n, 300, n);
    auto wide = random_row<double>(n, 300, n);
    for (float& v : row.values) v /= 3.0f;
    for (double& v : wide.values) v /= 3.0;
    REQUIRE(squared_norm(row.row()) == one_to_one<kernels::inner_product>(row.row(), row.row()));
    REQUIRE(squared_norm(wide.row()) == one_to_one<kernels::inner_product>(wide.row(), wide.row()));
  }
}

TEST_CASE("sparse rows without a coordinate in common are far apart by all that they store", "[sparse]") {
  for (std::size_t n = 0; n <= 40; ++n) {
    const auto a = random_row<float>(n, 100, n), b = shifted(random_row<float>(40 - n, 100, n + 50), 100);
    stored_row<float> first = a;
    first.dim = 200;
    REQUIRE(inner_product{}(first.row(), b.row()) == 0);
    REQUIRE(sqeuclidean{}(first.row(), b.row()) == squared_norm(first.row()) + squared_norm(b.row()));
    REQUIRE(sqeuclidean{}(b.row(), first.row()) == squared_norm(first.row()) + squared_norm(b.row()));
  }
}

TEST_CASE("a kernel is given the first row's values first", "[sparse]") {
  for_pairs_of_rows<float>([](const auto& a, const auto& b) {
    const auto sum = [](const auto& row) { return std::accumulate(row.values.begin(), row.values.end(), 0.0f); };
    REQUIRE(one_to_one<first_values>(a.row(), b.row()) == sum(a));
    REQUIRE(one_to_one<first_values>(b.row(), a.row()) == sum(b));
  });
}

TEST_CASE("an empty sparse row is a zero vector", "[sparse]") {
  const stored_row<float> empty{{}, {}, 9}, row{{1, 4}, {3, -4}, 9};
  CHECK(euclidean{}(empty.row(), row.row()) == 5);
  CHECK(sqeuclidean{}(row.row(), empty.row()) == 25);
  CHECK(manhattan{}(empty.row(), row.row()) == 7);
  CHECK(chebyshev{}(empty.row(), row.row()) == 4);
  CHECK(inner_product{}(empty.row(), row.row()) == 0);
  CHECK(cosine{}(empty.row(), row.row()) == 1);
  CHECK(cosine{}(row.row(), empty.row()) == 1);
  CHECK(cosine{}(empty.row(), empty.row()) == 0);
  CHECK(euclidean{}(empty.row(), empty.row()) == 0);
}

TEST_CASE("a stored zero is as good as none", "[sparse]") {
  const stored_row<float> with{{1, 2, 4}, {3, 0, -4}, 9}, without{{1, 4}, {3, -4}, 9};
  for_core_metrics([&]<class Metric>(const Metric& metric) {
    CHECK(metric(with.row(), without.row()) == metric(without.row(), without.row()));
  });
}

TEST_CASE("the rank of sparse rows becomes their distance", "[sparse]") {
  const auto a = random_row<float>(40, 100, 1), b = random_row<float>(30, 100, 2);
  CHECK(euclidean::to_distance(euclidean::rank(a.row(), b.row())) == euclidean{}(a.row(), b.row()));
  CHECK(euclidean::rank(a.row(), b.row()) == sqeuclidean{}(a.row(), b.row()));
  CHECK(inner_product::rank(a.row(), b.row()) == inner_product{}(a.row(), b.row()));
  CHECK(manhattan::rank(a.row(), b.row()) == manhattan{}(a.row(), b.row()));
}

TEST_CASE("the core metrics take sparse rows, and packed bits are none", "[sparse]") {
  for_core_metrics([]<class Metric>(const Metric&) {
    STATIC_REQUIRE(metric_for<Metric, csr_view<float>>);
    STATIC_REQUIRE(metric_for<Metric, csr_matrix<double>>);
    STATIC_REQUIRE(metric_for<Metric, csr_view<std::int8_t>>);
  });
  STATIC_REQUIRE(!metric_for<bit_hamming, csr_view<std::uint8_t>>);
}
