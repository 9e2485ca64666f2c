#include <annulus/quantization/scan/distance_table.hpp>

#include "catch.hpp"
#include "quantization/random_rows.hpp"
#include "random_data.hpp"

using annulus::distance_table;
using annulus::matrix;
using annulus::matrix_view;
using annulus::pq_metric;

namespace {

template <class Code>
matrix<Code> random_codes(std::size_t n, std::size_t m, std::size_t ks) {
  std::mt19937_64 generator(n);
  return ::random_codes<Code>(n, m, ks, generator);
}

}  // namespace

TEMPLATE_TEST_CASE("adist sums the entries of each code", "[distance_table]", std::uint8_t, std::uint16_t,
                   std::uint32_t) {
  for (const std::size_t m : {1u, 2u, 7u, 30u})
    for (const std::size_t ks : {1u, 16u, 256u})
      for (std::size_t n = 0; n < 11; ++n) {
        const distance_table table(random_rows(m, ks, 1));
        const auto codes = random_codes<TestType>(n, m, ks);
        const std::vector<float> found = table.adist(codes);
        REQUIRE(found.size() == n);
        for (std::size_t i = 0; i < n; ++i) {
          double expected = 0;
          for (std::size_t s = 0; s < m; ++s) expected += static_cast<double>(table.values()(s, codes(i, s)));
          CAPTURE(m, ks, n, i);
          REQUIRE(static_cast<double>(found[i]) == Approx(expected).margin(1e-4));
          REQUIRE(table.adist(matrix_view<TestType>(codes).middle_rows(i, 1)).front() == found[i]);
        }
      }
}

TEST_CASE("adist takes codes of any stride, and one code as a vector", "[distance_table]") {
  const distance_table table(random_rows(3, 256, 1));
  const std::vector<std::uint8_t> codes{1, 2, 3, 99, 250, 0, 255, 99, 7, 7, 7};
  const auto found = table.adist(matrix_view<std::uint8_t>(codes.data(), 3, 3, 4));
  CHECK(found[1] == table.adist(std::vector<std::uint8_t>{250, 0, 255}).front());
  CHECK(found[2] == table.adist(std::vector<std::uint8_t>{7, 7, 7}).front());
}

TEST_CASE("adist refuses codes of another length or beyond the table, and names the row", "[distance_table]") {
  const distance_table table(random_rows(3, 10, 1));
  matrix<std::uint8_t> codes(6, 3);
  CHECK_NOTHROW(table.adist(codes));
  codes(4, 2) = 10;
  CHECK_THROWS_AS(table.adist(codes), std::invalid_argument);
  CHECK_THROWS_WITH(table.adist(codes), ContainsSubstring("code = 10: row 4 must be below ks = 10"));
  codes(4, 2) = 9;
  CHECK_NOTHROW(table.adist(codes));
  CHECK_THROWS_WITH(table.adist(matrix<std::uint8_t>(6, 4)), ContainsSubstring("code columns = 4: must equal m = 3"));
  CHECK_THROWS_WITH(table.adist(matrix<std::uint8_t>(6, 2)), ContainsSubstring("code columns = 2"));
  CHECK(table.adist(matrix<std::uint8_t>(0, 0)).empty());

  const distance_table one_short(matrix<float>(1, 255));
  CHECK_NOTHROW(one_short.adist(matrix<std::uint8_t>(1, 1, 254)));
  CHECK_THROWS_WITH(one_short.adist(matrix<std::uint8_t>(1, 1, 255)), ContainsSubstring("code = 255"));
  const distance_table wide(matrix<float>(1, 300));
  matrix<std::uint16_t> wide_codes(1, 1, 299);
  CHECK_NOTHROW(wide.adist(wide_codes));
  CHECK_NOTHROW(wide.adist(matrix<std::uint8_t>(1, 1, 255)));
  wide_codes(0, 0) = 300;
  CHECK_THROWS_WITH(wide.adist(wide_codes), ContainsSubstring("code = 300"));
}

TEST_CASE("a table is what it was made of", "[distance_table]") {
  const matrix<float> values = random_rows(4, 5, 1);
  const distance_table table(values, pq_metric::inner_product);
  CHECK(table.m() == 4);
  CHECK(table.ks() == 5);
  CHECK(table.metric() == pq_metric::inner_product);
  CHECK(table.values() == values);
  CHECK(table == distance_table(values, pq_metric::inner_product));
  CHECK_FALSE(table == distance_table(values));
  CHECK_FALSE(table == distance_table(random_rows(4, 5, 2), pq_metric::inner_product));
}

TEST_CASE("an empty table is refused", "[distance_table]") {
  CHECK_THROWS_WITH(distance_table(matrix<float>(0, 5)), ContainsSubstring("m = 0: must be at least 1"));
  CHECK_THROWS_WITH(distance_table(matrix<float>(5, 0)), ContainsSubstring("ks = 0: must be at least 1"));
  CHECK_THROWS_AS(distance_table(matrix<float>()), std::invalid_argument);
}
