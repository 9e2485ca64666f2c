#include <annulus/core/metric.hpp>
#include <annulus/core/points.hpp>

#include "catch.hpp"

using namespace annulus;

namespace {

/// Three rows of dimension 4: {0: 1, 2: 2}, {}, {3: 3}.
struct sparse_parts {
  std::vector<std::int64_t> indptr{0, 2, 2, 3};
  std::vector<std::int32_t> indices{0, 2, 3};
  std::vector<float> values{1, 2, 3};
  std::size_t dim = 4;
  csr_view<float> view() const { return {indptr, indices, values, dim}; }
  csr_matrix<float> matrix() const { return {indptr, indices, values, dim}; }
};

template <class Sparse>
void has_the_three_rows(const Sparse& points) {
  CHECK(points.size() == 3);
  CHECK(points.dim() == 4);
  CHECK(std::ranges::equal(points.row(0).indices, std::vector<std::int32_t>{0, 2}));
  CHECK(std::ranges::equal(points.row(0).values, std::vector<float>{1, 2}));
  CHECK(points.row(1).indices.empty());
  CHECK(points.row(1).values.empty());
  CHECK(std::ranges::equal(points.row(2).indices, std::vector<std::int32_t>{3}));
  CHECK(points.row(2).dim == 4);
}

struct points_on_a_circle {
  std::size_t size() const { return 8; }
  std::size_t dim() const { return 2; }
  double row(std::size_t i) const { return static_cast<double>(i); }
};

}  // namespace

TEST_CASE("a csr_view shows its rows", "[points]") {
  const sparse_parts parts;
  has_the_three_rows(parts.view());
}

TEST_CASE("a csr_matrix owns its rows", "[points]") { has_the_three_rows(sparse_parts{}.matrix()); }

TEST_CASE("a copy of a csr_matrix outlives the first", "[points]") {
  auto first = std::make_unique<csr_matrix<float>>(sparse_parts{}.matrix());
  const csr_matrix<float> copy = *first;
  first.reset();
  has_the_three_rows(copy);
}

TEST_CASE("sparse points made of nothing have no rows", "[points]") {
  CHECK(csr_view<float>{}.size() == 0);
  CHECK(csr_matrix<float>{}.size() == 0);
  CHECK(csr_matrix<float>({0}, {}, {}, 5).size() == 0);
}

TEST_CASE("arrays that do not make sparse rows are refused", "[points]") {
  sparse_parts parts;
  SECTION("no indptr") { parts.indptr = {}; }
  SECTION("indptr that starts late") { parts.indptr = {1, 2, 2, 3}; }
  SECTION("indptr that starts below zero") { parts.indptr = {-1, 2, 2, 3}; }
  SECTION("indptr that descends") { parts.indptr = {0, 2, 1, 3}; }
  SECTION("indptr that descends below zero") { parts.indptr = {0, 2, -1, 3}; }
  SECTION("indptr beyond the indices") { parts.indptr = {0, 2, 4, 3}; }
  SECTION("indptr far beyond the indices") { parts.indptr = {0, std::numeric_limits<std::int64_t>::max(), 3, 3}; }
  SECTION("indptr that leaves indices over") { parts.indptr = {0, 2, 2, 2}; }
  SECTION("fewer values than indices") { parts.values.pop_back(); }
  SECTION("more values than indices") { parts.values.push_back(4); }
  SECTION("an index beyond the dimension") { parts.indices = {0, 4, 3}; }
  SECTION("a negative index") { parts.indices = {-1, 2, 3}; }
  SECTION("indices out of order") { parts.indices = {2, 0, 3}; }
  SECTION("an index twice") { parts.indices = {2, 2, 3}; }
  SECTION("no dimension") { parts.dim = 0; }
  CHECK_THROWS_AS(parts.view(), std::invalid_argument);
  CHECK_THROWS_AS(parts.matrix(), std::invalid_argument);
}

TEST_CASE("a bad sparse row is named", "[points]") {
  sparse_parts parts;
  parts.indices = {0, 2, 4};
  CHECK_THROWS_WITH(parts.view(), ContainsSubstring("index = 4") && ContainsSubstring("row 2"));
}

TEST_CASE("sets are sparse rows without values", "[points]") {
  const sparse_parts parts;
  const csr_view<float> view(parts.indptr, parts.indices, parts.dim);
  const csr_matrix<float> owned(parts.indptr, parts.indices, parts.dim);
  for (const csr_view<float>& sets : {view, csr_view<float>(owned)}) {
    CHECK(sets.size() == 3);
    CHECK(!sets.has_values());
    CHECK(std::ranges::equal(sets.row(0).indices, std::vector<std::int32_t>{0, 2}));
    CHECK(std::ranges::equal(sets.row(2).indices, std::vector<std::int32_t>{3}));
    for (std::size_t i = 0; i < 3; ++i) CHECK(sets.row(i).values.empty());
  }
  CHECK(!owned.has_values());
  CHECK(owned.row(2).values.empty());
}

TEST_CASE("arrays that do not make sets are refused", "[points]") {
  const std::vector<std::int64_t> indptr{0, 2};
  const std::vector<std::int32_t> descending{2, 0};
  CHECK_THROWS_AS(csr_view<float>(indptr, descending, 4), std::invalid_argument);
  CHECK_THROWS_AS(csr_matrix<float>(indptr, descending, 4), std::invalid_argument);
}

TEST_CASE("sparse points tell what they store", "[points]") {
  const sparse_parts parts;
  CHECK(parts.view().has_values());
  CHECK(parts.matrix().has_values());
  CHECK(parts.view().stored() == 3);
  CHECK(parts.matrix().stored() == 3);
  CHECK(csr_view<float>().has_values());  // there is no value that it lacks
}

TEST_CASE("the indices of a row may be below those of the row before", "[points]") {
  sparse_parts parts;
  parts.indices = {0, 2, 0};
  CHECK_NOTHROW(parts.view());
}

TEST_CASE("offsets of 32 bits are taken where they are, and checked alike", "[points]") {
  const std::vector<std::int32_t> indptr{0, 2, 2, 3}, indices{0, 4, 1};
  const std::vector<std::int64_t> wide(indptr.begin(), indptr.end());
  const std::vector<float> values{1, 2, 3};
  const csr_view<float> narrow(indptr, indices, values, 5), same(wide, indices, values, 5);
  const csr_matrix<float> owned(indptr, indices, values, 5);
  REQUIRE(narrow.size() == 3);
  for (std::size_t i = 0; i < 3; ++i)
    for (const auto& row : {same.row(i), owned.row(i)}) {
      CHECK(std::ranges::equal(narrow.row(i).indices, row.indices));
      CHECK(std::ranges::equal(narrow.row(i).values, row.values));
    }
  CHECK(narrow.row(0).indices.data() == indices.data());
  CHECK(csr_view<float>(indptr, indices, 5).row(2).indices[0] == 1);
  CHECK(csr_matrix<float>(indptr, indices, 5).row(2).indices[0] == 1);
  const auto refused = [&](std::vector<std::int32_t> offsets) {
    CHECK_THROWS_AS(csr_view<float>(offsets, indices, values, 5), std::invalid_argument);
    CHECK_THROWS_AS(csr_matrix<float>(offsets, indices, values, 5), std::invalid_argument);
  };
  refused({});
  refused({1, 3});
  refused({0, 2});
  refused({0, 4});
  refused({0, 2, 1, 3});
  refused({0, -1, 3});
}

TEST_CASE("bits are zero on construction", "[points]") {
  const bit_matrix bits(3, 13);
  CHECK(bits.size() == 3);
  CHECK(bits.bits() == 13);
  CHECK(bits.dim() == 2);
  CHECK(std::count(bits.data(), bits.data() + 6, 0) == 6);
}

TEST_CASE("a bit that is set is the only one", "[points]") {
  for (std::size_t row = 0; row < 2; ++row)
    for (std::size_t bit = 0; bit < 19; ++bit) {
      bit_matrix bits(2, 19);
      bits.set(row, bit);
      std::vector<std::pair<std::size_t, std::size_t>> found;
      for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t j = 0; j < 19; ++j)
          if (bits.test(i, j)) found.push_back({i, j});
      REQUIRE(found == std::vector{std::pair{row, bit}});
    }
}

TEST_CASE("a bit that is cleared leaves the others", "[points]") {
  bit_matrix bits(1, 8);
  for (std::size_t bit = 0; bit < 8; ++bit) bits.set(0, bit);
  bits.set(0, 3, false);
  CHECK(bits(0, 0) == 0b11110111);
}

TEST_CASE("the first bit is the lowest of the first byte", "[points]") {
  bit_matrix bits(1, 16);
  bits.set(0, 0);
  bits.set(0, 9);
  CHECK(bits(0, 0) == 1);
  CHECK(bits(0, 1) == 2);
}

TEST_CASE("bits that a row does not have are neither read nor written", "[points]") {
  bit_matrix bits(2, 13);
  CHECK_THROWS_WITH(bits.set(0, 13), ContainsSubstring("bit = 13: must be below bits() = 13"));
  CHECK_THROWS_AS(bits.set(0, 16, false), std::invalid_argument);
  CHECK_THROWS_AS(bits.test(1, 15), std::invalid_argument);
  CHECK_THROWS_AS(bit_matrix(1, 0).test(0, 0), std::invalid_argument);
  STATIC_REQUIRE(std::same_as<decltype(bits.data()), const std::uint8_t*>);
  STATIC_REQUIRE(std::same_as<decltype(bits.row(0)), std::span<const std::uint8_t>>);
  STATIC_REQUIRE(!std::convertible_to<bit_matrix&, matrix<std::uint8_t>&>);
}

TEST_CASE("rows of bytes are rows of bits where nothing is set behind the last bit", "[points]") {
  matrix<std::uint8_t> bytes(2, 2, std::uint8_t{0xFF});
  CHECK(bit_matrix(bytes, 16).test(1, 15));
  CHECK_THROWS_WITH(bit_matrix(bytes, 13), ContainsSubstring("row 0 has a bit set behind the last of its 13 bits"));
  bytes(0, 1) = bytes(1, 1) = 0x1F;
  const bit_matrix bits(bytes, 13);
  CHECK(bits.bytes() == bytes);
  CHECK(bits.test(1, 12));
  CHECK_THROWS_AS(bit_matrix(bytes, 12), std::invalid_argument);
  CHECK_THROWS_AS(bit_matrix(bytes, 8), std::invalid_argument);
  CHECK_THROWS_AS(bit_matrix(bytes, 17), std::invalid_argument);
  CHECK(bit_matrix(matrix<std::uint8_t>(3, 0), 0).bits() == 0);
}

TEST_CASE("a row of bits is assigned from a value a bit", "[points]") {
  for (const std::size_t n : {0u, 1u, 7u, 8u, 9u, 19u}) {
    bit_matrix bits(2, n);
    for (std::size_t j = 0; j < n; ++j) bits.set(1, j);
    std::vector<std::uint8_t> values(n);
    for (std::size_t j = 0; j < n; ++j) values[j] = static_cast<std::uint8_t>(j % 3 * 100);
    bits.assign(1, values);
    for (std::size_t j = 0; j < n; ++j) REQUIRE(bits.test(1, j) == (values[j] != 0));
    CHECK_NOTHROW(bit_matrix(bits.bytes(), n));
    values.push_back(1);
    CHECK_THROWS_AS(bits.assign(1, values), std::invalid_argument);
  }
}

TEST_CASE("whatever has a size, a dimension and rows is a point set", "[points]") {
  STATIC_REQUIRE(point_set<matrix<float>>);
  STATIC_REQUIRE(point_set<matrix_view<Eigen::half>>);
  STATIC_REQUIRE(point_set<csr_matrix<float>>);
  STATIC_REQUIRE(point_set<csr_view<double>>);
  STATIC_REQUIRE(point_set<bit_matrix>);
  STATIC_REQUIRE(point_set<points_on_a_circle>);
  STATIC_REQUIRE(!point_set<std::vector<float>>);
  STATIC_REQUIRE(!point_set<float>);
}

TEST_CASE("row_t is what a point set calls a row", "[points]") {
  STATIC_REQUIRE(std::same_as<row_t<matrix<float>>, std::span<const float>>);
  STATIC_REQUIRE(std::same_as<row_t<csr_view<float>>, sparse_row<float>>);
  STATIC_REQUIRE(std::same_as<row_t<bit_matrix>, std::span<const std::uint8_t>>);
  STATIC_REQUIRE(std::same_as<row_t<points_on_a_circle>, double>);
}

TEST_CASE("a callable of two pointers and a length is a metric over dense rows", "[metric_for]") {
  const auto lambda = [](const float* a, const float* b, std::size_t) { return *a - *b; };
  STATIC_REQUIRE(metric_for<decltype(lambda), matrix<float>>);
  STATIC_REQUIRE(metric_for<decltype(lambda), matrix_view<float>>);
  STATIC_REQUIRE(!metric_for<decltype(lambda), matrix<double>>);
  STATIC_REQUIRE(metric_for<float (*)(const float*, const float*, std::size_t), matrix<float>>);
}

TEST_CASE("a callable of two rows is a metric over any points", "[metric_for]") {
  const auto of_sparse = [](const sparse_row<float>& a, const sparse_row<float>& b) { return a.dim - b.dim; };
  const auto of_spans = [](std::span<const float> a, std::span<const float> b) { return a[0] - b[0]; };
  const auto of_angles = [](double a, double b) { return a - b; };
  STATIC_REQUIRE(metric_for<decltype(of_sparse), csr_matrix<float>>);
  STATIC_REQUIRE(metric_for<decltype(of_sparse), csr_view<float>>);
  STATIC_REQUIRE(metric_for<decltype(of_spans), matrix<float>>);
  STATIC_REQUIRE(metric_for<decltype(of_angles), points_on_a_circle>);
  STATIC_REQUIRE(!metric_for<decltype(of_angles), matrix<float>>);
}

TEST_CASE("a callable over dense rows is no metric over sparse rows", "[metric_for]") {
  const auto lambda = [](const float* a, const float* b, std::size_t) { return *a - *b; };
  STATIC_REQUIRE(!metric_for<decltype(lambda), csr_matrix<float>>);
  STATIC_REQUIRE(!metric_for<bit_hamming, csr_view<float>>);
}

TEST_CASE("what returns no number, or cannot be called as const, is no metric", "[metric_for]") {
  const auto returns_text = [](const float*, const float*, std::size_t) { return std::string(); };
  auto counts = [n = 0](const float*, const float*, std::size_t) mutable { return ++n; };
  STATIC_REQUIRE(!metric_for<decltype(returns_text), matrix<float>>);
  STATIC_REQUIRE(!metric_for<decltype(counts), matrix<float>>);
  STATIC_REQUIRE(!metric_for<int, matrix<float>>);
}

TEST_CASE("the shipped metrics take every element type that rows may have", "[metric_for]") {
  STATIC_REQUIRE(metric_for<euclidean, matrix<float>>);
  STATIC_REQUIRE(metric_for<sqeuclidean, matrix<double>>);
  STATIC_REQUIRE(metric_for<inner_product, matrix<Eigen::half>>);
  STATIC_REQUIRE(metric_for<cosine, matrix<Eigen::bfloat16>>);
  STATIC_REQUIRE(metric_for<manhattan, matrix<std::uint8_t>>);
  STATIC_REQUIRE(metric_for<chebyshev, matrix<std::int8_t>>);
  STATIC_REQUIRE(metric_for<bit_hamming, bit_matrix>);
  STATIC_REQUIRE(!metric_for<euclidean, matrix<int>>);
  STATIC_REQUIRE(!metric_for<bit_hamming, matrix<float>>);
}
