#include <annulus/core/metric/set_metrics.hpp>
#include <annulus/knn/sparse_knn.hpp>

#include "catch.hpp"
#include "core/sparse_rows.hpp"
#include "progress_watch.hpp"

namespace sparse_knn_tests {

using namespace annulus;
using sparse_rows::random_rows;

namespace {

/// What sorting all rows by (rank, id) gives.
template <class T, class Metric>
neighbors sorted_all(const csr_matrix<T>& data, const csr_matrix<T>& queries, std::size_t k, const Metric& metric,
                     const id_filter& filter = {}) {
  neighbors result(queries.size(), k);
  for (std::size_t q = 0; q < queries.size(); ++q) {
    using rank = decltype(detail::rank_of_rows(metric, data.row(0), data.row(0)));
    std::vector<std::pair<rank, id_type>> all;
    for (id_type i = 0; i < data.size(); ++i)
      if (filter(i)) all.push_back({detail::rank_of_rows(metric, queries.row(q), data.row(i)), i});
    std::ranges::sort(all);
    for (std::size_t j = 0; j < std::min(k, all.size()); ++j) {
      result.ids(q, j) = all[j].second;
      result.distances(q, j) = distance_of(metric, all[j].first);
    }
  }
  return result;
}

template <class T>
matrix<T> full(const csr_matrix<T>& rows) {
  matrix<T> dense(rows.size(), rows.dim());
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows.row(i).indices.size(); ++j)
      dense(i, static_cast<std::size_t>(rows.row(i).indices[j])) = rows.row(i).values[j];
  return dense;
}

bool is_padding(const neighbors& found, std::size_t q) {
  return std::ranges::count(found.ids.row(q), no_id) == static_cast<std::ptrdiff_t>(found.ids.cols()) &&
         std::ranges::count(found.distances.row(q), std::numeric_limits<float>::infinity()) ==
             static_cast<std::ptrdiff_t>(found.ids.cols());
}

const csr_matrix<float> data = random_rows<float>(400, 40, 90, 1), queries = random_rows<float>(30, 40, 90, 2);

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

struct numbers_on_a_line {
  std::vector<double> places;
  std::size_t size() const { return places.size(); }
  std::size_t dim() const { return 1; }
  double row(std::size_t i) const { return places[i]; }
};

}  // namespace

TEST_CASE("a search of sparse rows returns what sorting all of them does", "[sparse_knn]") {
  CHECK(knn(data, queries, 7) == sorted_all(data, queries, 7, euclidean{}));
  CHECK(knn(data, queries, 40, cosine{}) == sorted_all(data, queries, 40, cosine{}));
  CHECK(knn(data, queries, 3, inner_product{}) == sorted_all(data, queries, 3, inner_product{}));
  CHECK(knn(data, queries, 5, manhattan{}) == sorted_all(data, queries, 5, manhattan{}));
  CHECK(knn(data, queries, 5, jaccard{}) == sorted_all(data, queries, 5, jaccard{}));
}

TEST_CASE("sparse rows of bytes, of many ties, are ordered by number", "[sparse_knn]") {
  const auto rows = random_rows<std::uint8_t>(300, 3, 6, 1), asked = random_rows<std::uint8_t>(20, 3, 6, 2);
  CHECK(knn(rows, asked, 60, chebyshev{}) == sorted_all(rows, asked, 60, chebyshev{}));
  CHECK(knn(rows, asked, 20, jaccard{}) == sorted_all(rows, asked, 20, jaccard{}));
}

TEST_CASE("sparse rows have the neighbours of their full rows", "[sparse_knn]") {
  // Values in steps of 1/8: all sums are exact.
  const auto dense = full(data), asked = full(queries);
  CHECK(knn(data, queries, 9, sqeuclidean{}) == knn(dense, matrix_view<float>(asked), 9, sqeuclidean{}));
  CHECK(knn(data, queries, 9, inner_product{}) == knn(dense, matrix_view<float>(asked), 9, inner_product{}));
  CHECK(knn(data, queries, 9, manhattan{}) == knn(dense, matrix_view<float>(asked), 9, manhattan{}));
}

TEST_CASE("rows beyond what the cache holds at once are searched too", "[sparse_knn]") {
  const auto many = random_rows<float>(2500, 80, 300, 5), few = random_rows<float>(3, 60, 300, 6);
  REQUIRE(detail::row_scan<csr_view<float>, float>(many, detail::erased_metric<csr_view<float>, float>(euclidean{}), {})
              .rows_at_once() < many.size() / 2);
  CHECK(knn(many, few, 12) == sorted_all(many, few, 12, euclidean{}));
}

TEST_CASE("the number of threads does not change what a search of sparse rows finds", "[sparse_knn]") {
  const auto many = random_rows<float>(2500, 80, 300, 5);
  const neighbors one = knn(data, queries, 10, cosine{}, {.threads = 1});
  const neighbors few = knn(many, random_rows<float>(1, 60, 300, 6), 10, cosine{}, {.threads = 1});
  for (const std::size_t threads : {2u, 3u, 8u}) {
    CHECK(knn(data, queries, 10, cosine{}, {.threads = threads}) == one);
    CHECK(knn(many, random_rows<float>(1, 60, 300, 6), 10, cosine{}, {.threads = threads}) == few);
  }
}

TEST_CASE("sets without values are searched by metrics of sets alone", "[sparse_knn]") {
  const std::vector<std::int64_t> indptr{0, 2, 2, 5, 6};
  const std::vector<std::int32_t> members{1, 3, 1, 3, 7, 8};
  const csr_matrix<std::uint8_t> sets(indptr, members, 9), with_values(indptr, members, {1, 0, 2, 3, 0, 5}, 9);
  const neighbors found = knn(sets, sets, 2, jaccard{});
  CHECK(found == knn(with_values, with_values, 2, jaccard{}));
  CHECK(found.ids(0, 0) == 0);
  CHECK(found.ids(0, 1) == 2);
  CHECK(found.distances(0, 1) == Approx(1.0 / 3));
  CHECK(found.ids(1, 0) == 1);
  CHECK(found.distances(1, 0) == 0);
  CHECK_THROWS_WITH(knn(sets, with_values, 2, euclidean{}), ContainsSubstring("data") && ContainsSubstring("values"));
  CHECK_THROWS_WITH(knn(with_values, sets, 2, euclidean{}), ContainsSubstring("queries"));
}

TEST_CASE("empty sparse rows are found and find", "[sparse_knn]") {
  const csr_matrix<float> rows({0, 1, 1, 2}, {2, 0}, {3, 1}, 4), none({0, 0}, {}, {}, 4);
  const neighbors found = knn(rows, none, 3);
  CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{1, 2, 0}));
  CHECK(std::ranges::equal(found.distances.row(0), std::vector<float>{0, 1, 3}));
}

TEST_CASE("where fewer than k sparse rows are there, or pass the filter, the rest is padding", "[sparse_knn]") {
  const csr_matrix<float> two({0, 1, 2}, {2, 0}, {3, 1}, 90);
  const neighbors found = knn(two, queries, 4);
  CHECK(found == sorted_all(two, queries, 4, euclidean{}));
  CHECK(found.ids(0, 2) == no_id);
  const id_filter every_third = [](id_type i) { return i % 3 == 1; };
  const knn_params filtered{.filter = every_third};
  CHECK(knn(data, queries, 6, euclidean{}, filtered) == sorted_all(data, queries, 6, euclidean{}, every_third));
  const knn_params nothing{.filter = [](id_type) { return false; }};
  CHECK(is_padding(knn(data, queries, 6, euclidean{}, nothing), 5));
}

TEST_CASE("no sparse rows and no queries are searched too", "[sparse_knn]") {
  CHECK(knn(csr_matrix<float>(), queries, 2) == neighbors(queries.size(), 2));
  CHECK(knn(data, csr_matrix<float>(), 2) == neighbors(0, 2));
}

TEST_CASE("a sparse query that is not finite has no neighbours, and the others are not affected", "[sparse_knn]") {
  const csr_matrix<float> good({0, 2, 3}, {0, 2, 3}, {1, 2, 3}, 90),
      bad({0, 2, 3}, {0, 2, 3}, {1, not_a_number, 3}, 90);
  const neighbors found = knn(data, bad, 3), expected = knn(data, good, 3);
  CHECK(is_padding(found, 0));
  CHECK(std::ranges::equal(found.ids.row(1), expected.ids.row(1)));
  CHECK(is_padding(knn(data, bad, 3, jaccard{}), 0));  // which does not see the value
}

TEST_CASE("sparse data that are not finite are refused by the number of the row", "[sparse_knn]") {
  const csr_matrix<float> bad({0, 2, 3}, {0, 2, 3}, {1, 2, not_a_number}, 90);
  CHECK_THROWS_WITH(knn(bad, queries, 3), ContainsSubstring("data") && ContainsSubstring("row 1"));
  CHECK_THROWS_AS(knn(bad, queries, 3, jaccard{}), std::invalid_argument);
}

TEST_CASE("a search of sparse rows refuses what it cannot do", "[sparse_knn]") {
  const auto other = random_rows<float>(3, 4, 91, 1);
  CHECK_THROWS_WITH(knn(data, queries, 0), ContainsSubstring("k = 0"));
  CHECK_THROWS_WITH(knn(data, other, 1), ContainsSubstring("91") && ContainsSubstring("90"));
  CHECK_THROWS_AS(knn(data, queries, 1, euclidean{}, {.recall_target = 0}), std::invalid_argument);
  CHECK(knn(data, queries, 4, euclidean{}, {.recall_target = .5}) == knn(data, queries, 4));
}

TEST_CASE("rows that a metric refuses are refused by their number, of data and of queries", "[sparse_knn]") {
  struct picky {
    double operator()(const sparse_row<float>& a, const sparse_row<float>& b) const { return manhattan{}(a, b); }
    const char* refuses(const sparse_row<float>& row) const { return row.indices.empty() ? "is empty" : nullptr; }
  };
  const csr_matrix<float> rows({0, 1, 2}, {2, 0}, {3, 1}, 4), hole({0, 1, 1}, {2}, {3}, 4);
  CHECK_THROWS_WITH(knn(hole, rows, 1, picky{}), ContainsSubstring("data") && ContainsSubstring("row 1 is empty"));
  CHECK_THROWS_WITH(knn(rows, hole, 1, picky{}), ContainsSubstring("queries") && ContainsSubstring("row 1 is empty"));
  CHECK(knn(rows, rows, 1, picky{}).ids(1, 0) == 1);
}

TEST_CASE("a search of sparse rows is cancelled by its progress", "[sparse_knn]") {
  const knn_params cancels{.progress = [](const progress_report&) { return false; }};
  CHECK_THROWS_AS(knn(data, queries, 3, euclidean{}, cancels), cancelled);
  for (const auto& asked : {queries, csr_matrix<float>({0}, {}, {}, queries.dim())}) {
    progress_watch watch;
    static_cast<void>(knn(data, asked, 3, euclidean{}, {.progress = watch.callback()}));
    CHECK(watch.fault({"knn"}) == "");
  }
}

TEST_CASE("a point set of any rows is searched by a metric that takes two of them", "[sparse_knn]") {
  const numbers_on_a_line line{{5, 1, 9, 2}}, asked{{3.5}};
  const neighbors found = knn(line, asked, 3, [](double a, double b) { return std::abs(a - b); });
  CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{0, 3, 1}));
  CHECK(std::ranges::equal(found.distances.row(0), std::vector<float>{1.5f, 1.5f, 2.5f}));
}

}  // namespace sparse_knn_tests
