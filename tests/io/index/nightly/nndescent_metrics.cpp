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

template <class Metric, class Storage = full_precision, class... Args>
bool returns(const Metric& metric, Storage storage = {}, const Args&... args) {
  const nndescent_index index(rows_between(masses(), 0, n), metric, params, storage);
  return saved::returns(index, rows_between(masses(), n, n + 20), rows_between(masses(), n + 3, n + 4), 1, true,
                        args...);
}

}  // namespace

TEST_CASE("halves and the norms of cosine come back", "[index_file]") { CHECK(returns(cosine{}, half_precision{})); }

TEST_CASE("a callable is given to load_index again", "[index_file]") {
  float factor = 2;
  const auto metric = [factor](const float* a, const float* b, std::size_t dim) {
    return factor * sqeuclidean{}(a, b, dim);
  };
  CHECK(returns(metric, full_precision{}, metric));
}
