#include <Eigen/Core>

#include "approx_top_k/row_selections.hpp"

using namespace selections;

TEMPLATE_TEST_CASE("the k best of a row are those of a sort, by one thread and by three", "[row_select]", float,
                   std::uint8_t, std::int64_t) {
  check_row_select<TestType, false>();
  check_row_select<TestType, true>();
}

TEST_CASE("the k best of rows that are taken in parts are those of a sort", "[row_select]") {
  check_spans<float, false>();
  check_spans<std::int32_t, true>();
}

TEST_CASE("one row_select serves rows of different lengths and k in turn", "[row_select]") {
  std::mt19937_64 generator(2);
  annulus::detail::row_select<float, false> select;
  for (int turn = 0; turn < 300; ++turn) {
    const std::size_t n = generator() % (turn % 20 == 0 ? 100000 : 2000) + 1,
                      k = generator() % std::min<std::size_t>(n, 700) + 1;
    const auto row =
        turn % 2 == 0 ? operands::random_values<float>(n, generator) : operands::tied_values<float>(n, generator);
    select.reset(n, k, turn % 3 == 0 ? n / 2 + 1 : n);
    const auto found = select_from(select, row, k, 1 + generator() % 3);
    CAPTURE(turn, n, k);
    REQUIRE(found.indices == operands::k_best(row, k));
    REQUIRE(operands::are_values_at(found.values, row, found.indices));
  }
}

TEST_CASE("the values selected are the elements themselves: a -0 stays one", "[row_select]") {
  const std::vector<float> row{1, 0.0f, -0.0f, 2};
  annulus::detail::row_select<float, false> select(4, 2);
  const auto found = select_from(select, row, 2, 1);
  CHECK(found.indices == operands::places{1, 2});
  CHECK(std::bit_cast<std::uint32_t>(found.values[0]) == 0);
  CHECK(std::bit_cast<std::uint32_t>(found.values[1]) == 0x80000000u);
}

TEST_CASE("where the best are tied, those with the lowest indices are selected by any threads", "[row_select]") {
  const std::size_t n = 300000;
  std::vector<float> row(n, 5.0f);
  for (std::size_t i = 0; i < n; i += 1000) row[n - 1 - i] = 4.0f;
  for (const std::size_t k : {10u, 299u, 300u, 301u, 5000u})
    for (const std::size_t threads : {1u, 3u}) {
      annulus::detail::row_select<float, false> select(n, k);
      CHECK(select_from(select, row, k, threads).indices == operands::k_best(row, k));
    }
}

TEST_CASE("most and all of a long row are selected in order", "[row_select]") {
  std::mt19937_64 generator(3);
  for (const std::size_t n : {70001u, 200003u}) {
    const auto row = operands::random_values<std::int32_t>(n, generator);
    const auto best = operands::k_best<true>(row, n);
    for (const std::size_t k : {n / 3, n / 2 + 1, n - 1, n}) {
      annulus::detail::row_select<std::int32_t, true> select(n, k);
      const auto found = select_from(select, row, k, 3);
      CAPTURE(n, k);
      CHECK(std::equal(found.indices.begin(), found.indices.end(), best.begin()));
      CHECK(operands::are_values_at(found.values, row, found.indices));
    }
  }
}
