#include <annulus/metrics/bits.hpp>

#include "metrics/index_searches.hpp"

using namespace annulus;
using metric_searches::check_index;
using metric_searches::n_indexed;
using metric_searches::n_queries;

TEST_CASE("an index of dense rows by a metric of sets finds nearly all neighbours", "[metrics][nndescent_index]") {
  const auto rows = metric_searches::binary(n_indexed), queries = metric_searches::binary(n_queries);
  check_index(rows, matrix_view<float>(queries), dice{});
}

TEST_CASE("an index of packed bits finds nearly all neighbours", "[metrics][nndescent_index]") {
  const auto rows = metric_searches::packed_bits(metric_searches::binary(n_indexed)),
             queries = metric_searches::packed_bits(metric_searches::binary(n_queries));
  check_index(rows, matrix_view<std::uint8_t>(queries), bit_jaccard{});
}
