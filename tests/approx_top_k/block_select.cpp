#include <Eigen/Core>

#include "approx_top_k/block_selections.hpp"

using namespace selections;
using annulus::detail::block_select;

TEST_CASE("the k best of parts scanned in any order are those of a sort", "[block_select]") {
  check_scans<float, false, std::uint32_t>({1, 2, 7, 15, 16, 17, 33, 64, 100, 257, 1000, 4099, 70001});
  check_scans<std::int64_t, true, std::uint64_t>({1, 17, 100, 1000, 4099});
  check_scans<std::int16_t, true, std::uint64_t>({1, 17, 100, 1000, 4099});
}

TEST_CASE("selections of parts are merged, and may be scanned into afterwards", "[block_select]") {
  check_merges<float, true, std::uint32_t>({1, 2, 16, 33, 257, 4099, 70001});
  check_merges<float, false, std::uint64_t>({1, 2, 16, 33, 257, 4099});
}

TEST_CASE("more elements may come than were expected", "[block_select]") {
  std::mt19937_64 generator(6);
  const auto row = operands::random_values<float>(200000, generator);
  for (const std::size_t expected : {1u, 10u, 1000u, 70000u})
    for (const std::size_t k : {1u, 10u, 5000u}) {
      block_select<float, false, std::uint64_t> select;
      select.reset(expected, k);
      for (std::size_t first = 0; first < row.size(); first += select.chunk())
        scan_part(select, row, {first, std::min(select.chunk(), row.size() - first)});
      CAPTURE(expected, k);
      CHECK(best_kept(select, k) == operands::k_best(row, k));
    }
}

TEST_CASE("fewer elements may come than were expected, and fewer than k", "[block_select]") {
  const std::vector<float> row{3, 1, 2};
  block_select<float, true, std::uint32_t> select;
  select.reset(1000000, 10);
  CHECK(select.k() == 10);
  CHECK(select.kept().size() == 0);
  select.scan(row.data(), row.size(), 7);
  CHECK(best_kept(select, 10) == operands::places{7, 9, 8});
}

TEST_CASE("a reset selection remembers nothing, for another number of elements and another k", "[block_select]") {
  std::mt19937_64 generator(7);
  block_select<float, false, std::uint32_t> select;
  for (int turn = 0; turn < 100; ++turn) {
    const std::size_t n = generator() % 60000 + 1, k = generator() % std::min<std::size_t>(n, 500) + 1;
    auto row = operands::random_values<float>(n, generator);
    for (float& x : row) x += static_cast<float>(turn);  // worse than what was selected before
    select.reset(n, k);
    for (const part p : shuffled_parts(n, std::min(n, select.chunk()), generator)) scan_part(select, row, p);
    CAPTURE(turn, n, k);
    REQUIRE(best_kept(select, k) == operands::k_best(row, k));
  }
}

TEST_CASE("+0 and -0 are tied, so that the first positions are kept", "[block_select]") {
  std::mt19937_64 generator(8);
  std::vector<float> row(5000);
  for (float& x : row) x = generator() % 2 == 0 ? 0.0f : -0.0f;
  for (const std::size_t most : {100u, 1000u, 5000u}) {
    block_select<float, false, std::uint32_t> select;
    select.reset(row.size(), 70);
    for (const part p : shuffled_parts(row.size(), most, generator)) scan_part(select, row, p);
    CHECK(best_kept(select, 70) == operands::k_best(row, 70));
  }
}

TEST_CASE("positions of 64 bits are kept whole", "[block_select]") {
  constexpr std::uint64_t far = std::uint64_t{1} << 62;
  const std::vector<float> row{5, 3, 4};
  block_select<float, false, std::uint64_t> select;
  select.reset(3, 2);
  select.scan(row.data(), row.size(), far);
  CHECK(best_kept(select, 2) ==
        operands::places{static_cast<std::int64_t>(far + 1), static_cast<std::int64_t>(far + 2)});
}
