#include <annulus/nndescent/index.hpp>

#include "catch.hpp"
#include "nndescent/graphs.hpp"

using namespace annulus;
using detail::rows_by_length;

namespace {

using row = candidate<float>;

/// Rows whose lengths are log-normal, as norms of word vectors and products are.
template <class T>
matrix<T> rows_of_any_length(std::size_t n, std::size_t d, std::uint64_t seed) {
  const counter_random random(seed);
  matrix<T> rows(n, d);
  for (std::size_t i = 0; i < n; ++i) {
    const double length = std::exp(random.normal(i * (d + 1)));
    for (std::size_t j = 0; j < d; ++j) rows(i, j) = static_cast<T>(length * random.normal(i * (d + 1) + j + 1));
  }
  return rows;
}

}  // namespace

TEST_CASE("rows are in the order of their lengths after any changes", "[rows_by_length]") {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const counter_random random(seed);
    std::uint64_t drawn = 0;
    rows_by_length order;
    std::vector<float> lengths;
    for (std::size_t step = 0; step < 60; ++step) {
      if (random.below(drawn++, 4) > 0) {
        std::vector<row> added;
        for (std::size_t i = random.below(drawn++, 30); i > 0; --i) {
          added.push_back({static_cast<float>(random.below(drawn++, 20)), static_cast<id_type>(lengths.size())});
          lengths.push_back(added.back().rank);
        }
        order.add(std::move(added));
      } else if (random.below(drawn++, 2) == 0) {
        lengths.resize(random.below(drawn++, lengths.size() + 1));
        order.drop_from(lengths.size());
      } else {
        std::vector<id_type> place(lengths.size(), no_id);
        std::vector<float> left;
        for (std::size_t i = 0; i < lengths.size(); ++i)
          if (random.below(drawn++, 3) > 0) {
            place[i] = static_cast<id_type>(left.size());
            left.push_back(lengths[i]);
          }
        lengths = std::move(left);
        order.rename(place);
      }
      REQUIRE(order.defect(lengths.size()) == "");
      for (std::size_t i = 0; i < order.size(); ++i) REQUIRE(order.length(i) == lengths[order[i]]);
    }
    CHECK_FALSE(order.defect(lengths.size() + 1).empty());
  }
}

TEST_CASE("inner products of rows of any length are found by default, whatever k is", "[nndescent_index]") {
  const auto check = [](const auto& index, const auto& rows, const auto& queries, double least) {
    for (const std::size_t k : {1u, 10u, 100u, 1000u}) {
      nndescent_search_stats stats;
      const auto found = index.search(queries, k, {}, &stats);
      const double found_share = recall(found, knn(rows, queries, k, inner_product{}), k);
      CAPTURE(rows.rows(), k, stats.distances, stats.scans);
      CHECK(found_share >= least);
      if (k == 1) CHECK(stats.distances < static_cast<double>(rows.rows()) / 4);
    }
  };
  const auto few = rows_of_any_length<float>(2000, 16, 1), queries = rows_of_any_length<float>(20, 16, 2);
  check(nndescent_index(few, inner_product{}), few, queries, 0.999);  // compared in the order of their lengths
  check(nndescent_index(few, inner_product{}, {}, sq8{}), few, queries, 0.999);
  nndescent_index<matrix<float>, inner_product> inserted(matrix<float>(0, 16));
  inserted.insert(few);
  check(inserted, few, queries, 0.999);
  const auto many = rows_of_any_length<float>(17000, 16, 3);  // so many that a walk goes on from the longest
  check(nndescent_index(many, inner_product{}, {.n_neighbors = 10}), many, queries, 0.97);
}

TEST_CASE("under inner products lists of neighbours follow rows that are inserted", "[nndescent_index]") {
  const auto rows = rows_of_any_length<float>(600, 8, 4);
  nndescent_index<matrix<float>, inner_product> index(matrix<float>(0, 8));
  for (std::size_t i = 0; i < 600; i += 200) index.insert(matrix_view<float>(rows).middle_rows(i, 200));
  const auto expected = nndescent_index(rows, inner_product{}).graph();
  const auto lists = index.graph();
  std::size_t same = 0;
  for (std::size_t i = 0; i < 600; ++i)
    for (std::size_t j = 0; j < 30; ++j) same += lists.distances(i, j) <= expected.distances(i, 29);
  CHECK(static_cast<double>(same) >= 0.98 * 600 * 30);
}
