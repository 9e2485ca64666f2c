#include "io/index_nndescent.hpp"

// Rows of doubles, and of floats that are walked at half precision.

using namespace annulus;
using indexes::rows_between;

namespace {

constexpr std::size_t n = 150, d = 9;

template <class T, class Storage>
bool returns(Storage storage, const nndescent_params& params) {
  const auto all = graphs::clusters<T>(n + 20, d, 10, d);
  const nndescent_index index(rows_between(all, 0, n), euclidean{}, params, storage);
  const float radius = index.graph().distances(0, 3);
  const auto ball = index.radius_search(rows_between(all, 0, 1), radius);
  CHECK(ball.indices.size() >= 4);
  CHECK(ball.indices.size() < n);
  return saved::returns(index, rows_between(all, n, n + 20), rows_between(all, n + 3, n + 4), radius, true);
}

}  // namespace

TEST_CASE("an index of doubles comes back and changes as the saved one", "[index_file]") {
  CHECK(returns<double>(full_precision{}, {.n_neighbors = 6, .alpha = 1.2}));
}

TEST_CASE("an index of halves comes back and changes as the saved one with its rows and without", "[index_file]") {
  CHECK(returns<float>(half_precision{}, {.n_neighbors = 6, .alpha = 1.2}));
  CHECK(returns<float>(half_precision{}, {.n_neighbors = 6, .keep_rows = false}));
}
