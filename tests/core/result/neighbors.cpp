#include <annulus/core/result/neighbors.hpp>

#include "catch.hpp"

using namespace annulus;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Row 0 finds ids 2 and 0, row 1 nothing, row 2 id 1.
neighbors three_rows() {
  neighbors found(3, 2);
  found.ids(0, 0) = 2;
  found.distances(0, 0) = 0.5f;
  found.ids(0, 1) = 0;
  found.distances(0, 1) = 1.5f;
  found.ids(2, 0) = 1;
  found.distances(2, 0) = 2.5f;
  return found;
}

}  // namespace

TEST_CASE("neighbors are padding on construction", "[neighbors]") {
  const neighbors found(4, 3);
  CHECK(found.ids == matrix<id_type>(4, 3, no_id));
  CHECK(found.distances == matrix<float>(4, 3, infinity));
}

TEST_CASE("neighbors are equal when ids and distances are", "[neighbors]") {
  neighbors found = three_rows();
  CHECK(found == three_rows());
  found.distances(0, 0) = 0.25f;
  CHECK(found != three_rows());
  found = three_rows();
  found.ids(0, 0) = 7;
  CHECK(found != three_rows());
}

TEST_CASE("to_csr keeps the order of each row and leaves padding out", "[neighbors]") {
  const csr sparse = to_csr(three_rows(), 3);
  CHECK(sparse.indptr == std::vector<std::int64_t>{0, 2, 2, 3});
  CHECK(sparse.indices == std::vector<std::int32_t>{2, 0, 1});
  CHECK(sparse.distances == std::vector<float>{0.5f, 1.5f, 2.5f});
  CHECK(sparse.n_columns == 3);
}

TEST_CASE("to_csr of no rows has one row pointer", "[neighbors]") {
  CHECK(to_csr(neighbors{}, 0).indptr == std::vector<std::int64_t>{0});
}

TEST_CASE("to_csr of padding alone has no entries", "[neighbors]") {
  const csr sparse = to_csr(neighbors(2, 5), 0);
  CHECK(sparse.indptr == std::vector<std::int64_t>{0, 0, 0});
  CHECK(sparse.indices.empty());
}

TEST_CASE("to_csr refuses an id beyond the columns, and names it", "[neighbors]") {
  CHECK_THROWS_WITH(to_csr(three_rows(), 2), "annulus: id = 2: row 0 must be below n_columns = 2");
}

TEST_CASE("to_csr refuses more columns than int32 has", "[neighbors]") {
  CHECK_NOTHROW(to_csr(neighbors{}, 0x7FFFFFFF));
  CHECK_THROWS_AS(to_csr(neighbors{}, 0x80000000), std::invalid_argument);
}
