// An index whose rows are of another place or size than those it began with.

#include "catch.hpp"
#include "nndescent/indexes.hpp"

using namespace annulus;

namespace {

matrix<float> rows_at(std::size_t n, float offset, float size, std::uint64_t seed) {
  const counter_random random(seed);
  matrix<float> rows(n, 8);
  for (std::size_t i = 0; i < n * 8; ++i) rows.data()[i] = offset + size * static_cast<float>(random.normal(i));
  return rows;
}

template <class Index>
double own_recall(const Index& index, const matrix<float>& rows, bool by_id = false) {
  const auto found = index.search(rows, 10, {.beam = 64}), truth = knn(rows, rows, 10, euclidean{});
  return by_id ? recall_by_id(found, truth, 10) : recall(found, truth, 10);
}

}  // namespace

TEST_CASE("codes fit rows that come into an empty index", "[nndescent_index]") {
  const auto rows = rows_at(400, 1e4f, 1, 1);
  for (const std::size_t at_a_time : {1u, 100u, 400u})
    for (const auto scales : {scalar_scales::automatic, scalar_scales::per_vector, scalar_scales::per_dimension})
      for (const bool keeps : {true, false}) {
        if (!keeps && at_a_time == 1) continue;  // fitted to the first row alone
        nndescent_index<matrix<float>, euclidean, sq8> index(matrix<float>(0, 8), {}, {.keep_rows = keeps}, {scales});
        for (std::size_t i = 0; i < 400; i += at_a_time)
          index.insert(matrix_view<float>(rows).middle_rows(i, std::min<std::size_t>(at_a_time, 400 - i)));
        CAPTURE(at_a_time, static_cast<int>(scales), keeps);
        CHECK(own_recall(index, rows, !keeps) >= (keeps ? 0.98 : 0.9));
      }
}

TEST_CASE("codes and searches follow rows that move away", "[nndescent_index]") {
  auto rows = rows_at(600, 0, 1, 2);
  nndescent_index index(rows, euclidean{}, {}, sq8{});
  auto scratch = index.make_scratch();  // older than all codes that follow
  for (const float offset : {1e3f, -1e5f}) {
    const auto others = rows_at(600, offset, 1, 3);
    const auto first = index.insert(others);
    for (id_type id = 0; id < 600; ++id) index.erase(first - 600 + id);
    index.consolidate();
    rows = others;
    std::size_t wrong = 0;
    std::vector<id_type> ids(1);
    std::vector<float> distances(1);
    for (std::size_t i = 0; i < 600; ++i) {
      index.search(rows.row(i), ids, distances, scratch);
      wrong += ids[0] != first + i;
    }
    CAPTURE(offset);
    CHECK(wrong <= 3);
  }
}

TEST_CASE("queries between groups of rows find the nearest of all groups", "[nndescent_index]") {
  constexpr std::size_t n_groups = 20, per_group = 80, d = 4;
  const counter_random random(5);
  matrix<float> centres(n_groups, d), rows(n_groups * per_group, d), queries(100, d);
  for (std::size_t i = 0; i < n_groups * d; ++i) centres.data()[i] = static_cast<float>(random.normal(i));
  for (std::size_t i = 0; i < rows.rows(); ++i)
    for (std::size_t j = 0; j < d; ++j)
      rows(i, j) = centres(i / per_group, j) + 0.01f * static_cast<float>(random.normal(1000 + i * d + j));
  for (std::size_t i = 0; i < 100; ++i)
    for (std::size_t j = 0; j < d; ++j)
      queries(i, j) = (centres(i % n_groups, j) + centres((i * 7 + 3) % n_groups, j)) / 2;
  nndescent_index<matrix<float>> inserted(matrix<float>(0, d));
  inserted.insert(rows);
  const nndescent_index built(rows, euclidean{});
  const auto truth = knn(rows, queries, 3, euclidean{});
  for (const std::size_t beam : {0u, 64u}) {
    CAPTURE(beam);
    CHECK(recall(built.search(queries, 3, {.beam = beam}), truth, 3) >= 0.9);
    CHECK(recall(inserted.search(queries, 3, {.beam = beam}), truth, 3) >= 0.9);
  }
}

TEST_CASE("an answer does not depend on which queries are asked beside it", "[nndescent_index]") {
  const auto data = indexes::clustered<float>(2000, 8);
  const nndescent_index index(data.rows, euclidean{});
  for (const id_type every : {2u, 10u, 40u, 400u}) {
    const nndescent_search_params params{.filter = [=](id_type id) { return id % every == 0; }};
    const auto together = index.search(data.queries, 5, params);
    for (std::size_t i = 0; i < data.queries.rows(); ++i) {
      const auto alone = index.search(matrix_view<float>(data.queries).middle_rows(i, 1), 5, params);
      REQUIRE(std::ranges::equal(alone.ids.row(0), together.ids.row(i)));
    }
  }
}
