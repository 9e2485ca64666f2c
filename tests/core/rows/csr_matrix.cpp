#include <annulus/core/rows/csr_matrix.hpp>

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
