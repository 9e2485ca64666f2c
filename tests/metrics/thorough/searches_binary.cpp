#include <annulus/metrics/bits.hpp>

#include "metrics/searches.hpp"

using namespace annulus;
using metric_searches::binary;
using metric_searches::check_knn;
using metric_searches::n_queries;
using metric_searches::n_rows;

TEST_CASE("knn by metrics of sets is all distances sorted", "[metrics][knn]") {
  const auto rows = binary(n_rows);
  check_knn(rows, jaccard{});
  check_knn(rows, dice{});
  check_knn(rows, matching{});
  check_knn(rows, kulsinski{});
  check_knn(rows, rogerstanimoto{});
  check_knn(rows, russellrao{});
  check_knn(rows, sokalsneath{});
  check_knn(rows, sokalmichener{});
  check_knn(rows, yule{});
}

TEST_CASE("knn over packed bits is all distances sorted", "[metrics][knn]") {
  const auto owner = metric_searches::packed_bits(binary(n_rows));
  const matrix_view<std::uint8_t> all = owner;
  const auto data = all.middle_rows(n_queries, n_rows - n_queries), queries = all.middle_rows(0, n_queries);
  check_knn(data, queries, bit_hamming{});
  check_knn(data, queries, bit_jaccard{});
  check_knn(data, queries, packed<dice>{70});
}

TEST_CASE("knn over packed bits finds what knn over their values does", "[metrics][knn]") {
  const auto rows = binary(n_rows);
  const auto bits = metric_searches::packed_bits(rows);
  const auto of_values = knn(rows, rows, 5, russellrao{}, {.threads = 1});
  const auto of_bits = knn(bits, bits, 5, packed<russellrao>{70}, {.threads = 1});
  CHECK(of_values.ids == of_bits.ids);
  CHECK(of_values.distances == of_bits.distances);
}
