#include <annulus/metrics/dense.hpp>
#include <annulus/nndescent/half_precision.hpp>

#include "io/index_nndescent.hpp"

// Storages and metrics that the other files leave out.

using namespace annulus;
using indexes::rows_between;

namespace {

constexpr std::size_t n = 250, d = 6;
const nndescent_params params{.n_neighbors = 6};

const matrix<float>& masses() {
  static const auto made = saved::masses(n + 20, d);
  return made;
}

template <class Metric, class Storage = full_precision>
bool returns(const Metric& metric, Storage storage = {}) {
  const nndescent_index index(rows_between(masses(), 0, n), metric, params, storage);
  return saved::returns(index, rows_between(masses(), n, n + 20), rows_between(masses(), n + 3, n + 4), 1, true);
}

}  // namespace

TEST_CASE("halves and the norms of cosine come back", "[index_file]") { CHECK(returns(cosine{}, half_precision{})); }

TEST_CASE("the order of a norm comes back with the index", "[index_file]") { CHECK(returns(minkowski(3.3))); }
