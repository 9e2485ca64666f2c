#include "io/index_nndescent.hpp"

using namespace annulus;
using indexes::rows_between;

TEST_CASE("a callable is given to load_index again", "[index_file]") {
  constexpr std::size_t n = 250;
  const auto masses = saved::masses(n + 20, 6);
  float factor = 2;
  const auto metric = [factor](const float* a, const float* b, std::size_t dim) {
    return factor * sqeuclidean{}(a, b, dim);
  };
  const nndescent_index index(rows_between(masses, 0, n), metric, {.n_neighbors = 6});
  CHECK(saved::returns(index, rows_between(masses, n, n + 20), rows_between(masses, n + 3, n + 4), 1, true, metric));
}
