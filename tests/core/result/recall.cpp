#include <annulus/core/result/recall.hpp>

#include "catch.hpp"

#include <initializer_list>

using namespace annulus;

namespace {

using row = std::vector<std::pair<id_type, float>>;

/// Rows of (id, distance), padded to k.
neighbors make(std::size_t k, const std::vector<row>& rows) {
  neighbors result(rows.size(), k);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows[i].size(); ++j) {
      result.ids(i, j) = rows[i][j].first;
      result.distances(i, j) = rows[i][j].second;
    }
  return result;
}

const neighbors truth = make(4, {{{0, 1}, {1, 2}, {2, 3}, {3, 4}}});

}  // namespace

TEST_CASE("the truth has recall 1 at every k", "[recall]") {
  for (std::size_t k = 1; k <= 4; ++k) CHECK(recall(truth, truth, k) == 1.0);
}

TEST_CASE("recall is the share of the true neighbours that were found", "[recall]") {
  CHECK(recall(make(4, {{{0, 1}, {2, 3}, {3, 4}, {7, 9}}}), truth, 4) == 0.75);
}

TEST_CASE("recall is the mean over the queries", "[recall]") {
  const auto two = make(1, {{{0, 1}}, {{1, 1}}});
  CHECK(recall(make(1, {{{0, 1}}, {{5, 2}}}), two, 1) == 0.5);
}

TEST_CASE("a row as near as the k-th true neighbour is a hit whatever its id", "[recall]") {
  CHECK(recall(make(2, {{{0, 1}, {9, 2}}}), truth, 2) == 1.0);
}

TEST_CASE("a row further by rounding is a hit, by more a miss", "[recall]") {
  CHECK(recall(make(2, {{{0, 1}, {9, 2.00001f}}}), truth, 2) == 1.0);
  CHECK(recall(make(2, {{{0, 1}, {9, 2.001f}}}), truth, 2) == 0.5);
}

TEST_CASE("rounding is forgiven for negative distances too", "[recall]") {
  const auto negative = make(2, {{{0, -200}, {1, -100}}});
  CHECK(recall(make(2, {{{0, -200}, {1, -99.9995f}}}), negative, 2) == 1.0);
  CHECK(recall(make(2, {{{0, -200}, {1, -99.9f}}}), negative, 2) == 0.5);
}

TEST_CASE("only the first k results count", "[recall]") {
  CHECK(recall(make(4, {{{0, 1}, {8, 9}, {1, 2}, {2, 3}}}), truth, 2) == 0.5);
}

TEST_CASE("padding of the results is a miss", "[recall]") {
  CHECK(recall(make(4, {{{0, 1}, {1, 2}}}), truth, 4) == 0.5);
  CHECK(recall(make(4, {{}}), truth, 4) == 0.0);
}

TEST_CASE("fewer columns of results than k are misses", "[recall]") {
  CHECK(recall(make(1, {{{0, 1}}}), truth, 4) == 0.25);
}

TEST_CASE("padding of the truth asks for nothing", "[recall]") {
  const auto short_truth = make(4, {{{0, 1}, {1, 2}}});
  CHECK(recall(make(4, {{{0, 1}, {1, 2}}}), short_truth, 4) == 1.0);
  CHECK(recall(make(4, {{{0, 1}}}), short_truth, 4) == 0.5);
}

TEST_CASE("a row without true neighbours counts as found", "[recall]") {
  CHECK(recall(make(4, {{}}), make(4, {{}}), 4) == 1.0);
}

TEST_CASE("more hits than were asked for are no more than all", "[recall]") {
  CHECK(recall(make(4, {{{0, 1}, {1, 1}, {2, 1}, {3, 1}}}), make(4, {{{0, 1}, {1, 1}}}), 4) == 1.0);
}

TEST_CASE("the recall of no queries is 1", "[recall]") { CHECK(recall(neighbors(0, 4), neighbors(0, 4), 4) == 1.0); }

TEST_CASE("a k that the truth cannot answer is refused", "[recall]") {
  CHECK_THROWS_AS(recall(truth, truth, 0), std::invalid_argument);
  CHECK_THROWS_AS(recall(truth, truth, 5), std::invalid_argument);
}

TEST_CASE("results of other queries than the truth's are refused", "[recall]") {
  CHECK_THROWS_AS(recall(neighbors(2, 4), truth, 4), std::invalid_argument);
}

TEST_CASE("distances that are not those of the truth are refused, and rows are told apart by id", "[recall]") {
  const auto estimates = make(4, {{{0, 1.5f}, {9, 1.6f}, {2, 2}, {3, 3}}});
  CHECK_THROWS_WITH(recall(estimates, truth, 4),
                    ContainsSubstring("3: of 3 rows") && ContainsSubstring("recall_by_id"));
  CHECK(recall(make(4, {{{7, 1}, {8, 2}, {9, 3}, {0, 4}}}), truth, 4) == 1.0);  // under other numbers
  CHECK(recall_by_id(estimates, truth, 4) == 0.75);
  CHECK(recall_by_id(estimates, truth, 1) == 1.0);
  CHECK(recall_by_id(make(4, {{{3, 9}, {2, 9}, {1, 9}, {0, 9}}}), truth, 4) == 1.0);
  CHECK(recall_by_id(make(4, {{{3, 9}, {2, 9}, {1, 9}, {0, 9}}}), truth, 2) == 0.0);
  CHECK(recall_by_id(make(4, {{}}), truth, 4) == 0.0);
  CHECK(recall_by_id(make(4, {{}}), make(4, {{}}), 4) == 1.0);
  CHECK_THROWS_AS(recall_by_id(truth, truth, 5), std::invalid_argument);
  CHECK_THROWS_AS(recall_by_id(neighbors(2, 4), truth, 4), std::invalid_argument);
}
