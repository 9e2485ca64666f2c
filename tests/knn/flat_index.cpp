#include <Eigen/Core>
#include <annulus/knn/flat_index.hpp>

#include "catch.hpp"
#include "knn/searches.hpp"

#include <thread>

namespace flat_index_tests {

using namespace annulus;
using searches::random_rows;
using searches::same_bits;

namespace {

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
constexpr std::size_t n = 500, d = 19, k = 8;
constexpr float infinity = std::numeric_limits<float>::infinity(),
                not_a_number = std::numeric_limits<float>::quiet_NaN();

const matrix<float>& data() {
  static const auto rows = [] {
    std::mt19937_64 generator(1);
    return random_rows<float>(n, d, generator);
  }();
  return rows;
}

/// Enough for tiles.
const matrix<float>& queries() {
  static const auto rows = [] {
    std::mt19937_64 generator(2);
    return random_rows<float>(30, d, generator);
  }();
  return rows;
}

matrix_view<float> rows_between(std::size_t begin, std::size_t end) {
  return matrix_view<float>(data()).middle_rows(begin, end - begin);
}

neighbors knn_of(std::size_t count, const knn_params& params = {}) {
  matrix<float> some(count, d);
  std::copy_n(data().data(), count * d, some.data());
  return searches::by<float>("euclidean").knn(some, queries(), k, params);
}

const auto beyond_a_quarter = [](const float* a, const float* b, std::size_t dim) {
  float sum = 0;
  for (std::size_t i = 0; i < dim; ++i) sum += std::max(0.0f, std::abs(a[i] - b[i]) - 0.25f);
  return sum;
};

}  // namespace

TEST_CASE("an index returns what knn does", "[flat_index]") {
  const flat_index index(data());
  const id_filter odd = [](id_type id) { return id % 2 == 1; };
  for (const double target : {1.0, 0.95})
    for (const std::size_t threads : {1u, 3u})
      for (const auto& filter : {id_filter{}, odd}) {
        const knn_params params{.recall_target = target, .threads = threads, .filter = filter};
        CAPTURE(target, threads);
        CHECK(same_bits(index.search(queries(), k, params), knn_of(n, params)));
      }
}

TEST_CASE("an index of bytes returns what knn does", "[flat_index]") {
  std::mt19937_64 generator(3);
  const auto rows = random_rows<std::uint8_t>(n, d, generator), q = random_rows<std::uint8_t>(30, d, generator);
  const flat_index index(rows, cosine{});
  CHECK(same_bits(index.search(q, k), searches::by<std::uint8_t>("cosine").knn(rows, q, k, {})));
}

TEST_CASE("an index by a lambda returns what knn does", "[flat_index]") {
  const flat_index index(matrix_view<float>(data()), beyond_a_quarter);
  const auto expected = searches::by<float>("beyond a quarter").knn(data(), queries(), k, {});
  CHECK(same_bits(index.search(queries(), k), expected));
}

TEST_CASE("the type of an index follows from its rows and metric", "[flat_index]") {
  const Eigen::Map<const row_major> map(data().data(), n, d);
  const row_major eigen = map;
  const flat_index from_matrix(data());
  const flat_index from_eigen(eigen, cosine{});
  const flat_index from_view(rows_between(0, n), beyond_a_quarter, {.threads = 2});
  STATIC_REQUIRE(std::same_as<decltype(from_matrix), const flat_index<matrix<float>>>);
  STATIC_REQUIRE(std::same_as<decltype(from_eigen), const flat_index<matrix<float>, cosine>>);
  STATIC_REQUIRE(std::same_as<decltype(from_view),
                              const flat_index<matrix<float>, std::remove_const_t<decltype(beyond_a_quarter)>>>);
  CHECK(same_bits(from_eigen.search(queries(), k), searches::by<float>("cosine").knn(data(), queries(), k, {})));
  CHECK(from_view.data() == data());
}

TEST_CASE("an index is as large as its rows", "[flat_index]") {
  const flat_index index(data());
  CHECK(index.size() == n);
  CHECK(index.dim() == d);
  CHECK(index.data() == data());
  CHECK(index.memory_bytes() >= n * d * sizeof(float));
}

TEST_CASE("insert returns the id of the first row", "[flat_index]") {
  flat_index<matrix<float>> index(d);
  CHECK(index.insert(rows_between(0, 100)) == 0);
  CHECK(index.insert(rows_between(100, 101)) == 100);
  CHECK(index.insert(rows_between(101, 101)) == 101);
  CHECK(index.insert(rows_between(101, n)) == 101);
  CHECK(index.size() == n);
}

TEST_CASE("rows that are inserted are found, whether one by one or together", "[flat_index]") {
  flat_index<matrix<float>> index(d);
  std::size_t size = 0;
  for (const std::size_t more : {1u, 1u, 0u, 30u, 31u, 200u, 7u}) {
    index.insert(rows_between(size, size + more));
    size += more;
    for (const double target : {1.0, 0.95}) {
      CAPTURE(size, target);
      CHECK(same_bits(index.search(queries(), k, {.recall_target = target}), knn_of(size, {.recall_target = target})));
    }
  }
}

TEST_CASE("inserted rows far larger than those before are searched exactly", "[flat_index]") {
  auto rows = data();
  for (std::size_t i = 400; i < n; ++i)
    for (float& x : rows.row(i)) x *= i % 2 == 0 ? 1e5f : 1e17f;
  const matrix_view<float> all(rows);
  flat_index index(all.middle_rows(0, 400));
  index.insert(all.middle_rows(400, 100));
  auto q = queries();
  for (float& x : q.row(3)) x *= 1e17f;
  CHECK(same_bits(index.search(q, k), searches::by<float>("euclidean").naive(rows, q, k, {})));
}

TEST_CASE("an index may be given its own rows", "[flat_index]") {
  flat_index index(rows_between(0, 20));
  index.insert(index.data());
  CHECK(index.size() == 40);
  const auto found = index.search(rows_between(5, 6), 2);
  CHECK(found.ids(0, 0) == 5);
  CHECK(found.ids(0, 1) == 25);
}

TEST_CASE("an insert that is refused changes nothing", "[flat_index]") {
  flat_index index(rows_between(0, 200));
  const auto before = index.search(queries(), k);
  for (const float bad : {not_a_number, infinity}) {
    matrix<float> rows(10, d, 1);
    rows(4, 2) = bad;
    CHECK_THROWS_WITH(index.insert(rows), ContainsSubstring("row 4, coordinate 2"));
    CHECK(index.size() == 200);
    CHECK(same_bits(index.search(queries(), k), before));
  }
  CHECK_THROWS_AS(index.insert(matrix<float>(10, d + 1)), std::invalid_argument);
  CHECK(index.size() == 200);
  CHECK(same_bits(index.search(queries(), k), before));
}

TEST_CASE("an index of rows that are not finite is refused by the number of the row", "[flat_index]") {
  auto rows = data();
  rows(77, 3) = -infinity;
  CHECK_THROWS_WITH(flat_index(rows), ContainsSubstring("row 77, coordinate 3"));
  CHECK_THROWS_AS(flat_index(rows), std::invalid_argument);
}

TEST_CASE("an empty index returns padding", "[flat_index]") {
  const flat_index<matrix<float>> index(d);
  CHECK(index.size() == 0);
  CHECK(same_bits(index.search(queries(), k), neighbors(30, k)));
  CHECK(same_bits(flat_index(rows_between(0, 0)).search(queries(), k), neighbors(30, k)));
}

TEST_CASE("a search refuses what knn refuses", "[flat_index]") {
  const flat_index index(data());
  CHECK_THROWS_AS(index.search(queries(), 0), std::invalid_argument);
  CHECK_THROWS_AS(index.search(matrix<float>(20, d + 1), k), std::invalid_argument);
  CHECK_THROWS_AS(index.search(queries(), k, {.recall_target = 0}), std::invalid_argument);
}

TEST_CASE("a copy goes its own way", "[flat_index]") {
  flat_index index(rows_between(0, 300));
  flat_index copy = index;
  index.insert(rows_between(300, n));
  CHECK(same_bits(copy.search(queries(), k), knn_of(300)));
  copy = index;
  CHECK(same_bits(copy.search(queries(), k), knn_of(n)));
}

TEST_CASE("a moved index is the same index", "[flat_index]") {
  flat_index index(data());
  flat_index moved = std::move(index);
  CHECK(same_bits(moved.search(queries(), k), knn_of(n)));
  flat_index other(rows_between(0, 1));
  other = std::move(moved);
  CHECK(same_bits(other.search(queries(), k), knn_of(n)));
  other.insert(rows_between(0, 1));
  CHECK(other.size() == n + 1);
}

TEST_CASE("several threads may search one index at once", "[flat_index]") {
  const flat_index index(data());
  std::vector<neighbors> found(6);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < found.size(); ++t)
      threads.emplace_back([&, t] {
        found[t] = index.search(queries(), k, {.recall_target = t % 2 == 0 ? 1.0 : 0.95, .threads = 1 + t % 3});
      });
  }
  for (std::size_t t = 0; t < found.size(); ++t)
    CHECK(same_bits(found[t], knn_of(n, {.recall_target = t % 2 == 0 ? 1.0 : 0.95})));
}

}  // namespace flat_index_tests
