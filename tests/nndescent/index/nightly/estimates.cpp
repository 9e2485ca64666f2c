#include <annulus/nndescent/rabitq.hpp>

#include "catch.hpp"

#include "nndescent/indexes.hpp"

using namespace annulus;
using indexes::clustered;

// Searches that estimates lead, of rows so long that these pay.

TEST_CASE("estimates that lead read fewer rows, by wider beams", "[nndescent_index][rabitq]") {
  const auto long_rows = clustered<float>(2500, 256, 100, 10);
  nndescent_index index(long_rows.rows, euclidean{}, {}, rabitq<half_precision>{});
  for (const bool is_erased : {false, true}) {
    const auto is_live = [&](id_type id) { return !is_erased || id % 5 != 0; };
    for (id_type id = 0; id < 2500; ++id)
      if (!is_live(id)) index.erase(id);
    const auto expected = knn(long_rows.rows, long_rows.queries, 10, euclidean{}, {.filter = is_live});
    for (const std::size_t beam : {0u, 100u, 200u}) {
      nndescent_search_stats by_rows, by_estimates;
      const double reached = recall(index.search(long_rows.queries, 10, {.beam = beam}, &by_rows), expected, 10);
      const auto found = index.search(long_rows.queries, 10, {.beam = beam, .by_estimates = true}, &by_estimates);
      CAPTURE(is_erased, beam, reached);
      CHECK(searches::well_formed(found));
      CHECK(indexes::wrong_distances(found, long_rows.rows, long_rows.queries, euclidean{}) == 0);
      CHECK(recall(found, expected, 10) >= reached - (beam == 200 ? 0.01 : 0.1));
      if (beam == 100) CHECK(by_estimates.distances < by_rows.distances);
    }
  }
}

TEST_CASE("tuning takes that form of search by codes which reads less", "[nndescent_index][rabitq]") {
  const auto long_rows = clustered<float>(1500, 512, 100, 10);
  const nndescent_index index(long_rows.rows, euclidean{}, {}, rabitq<half_precision>{});
  const auto expected = knn(long_rows.rows, long_rows.queries, 10);
  const auto bytes = [&](const nndescent_search_params& params) {
    nndescent_search_stats stats;
    index.search(long_rows.queries, 10, params, &stats);
    return stats.distances * 2 * 512 + stats.hops * (256 + 4 * 512);
  };
  const tuned_search tuned = index.tune(long_rows.queries, 0.99);
  CHECK(tuned.reached);
  CHECK(recall(index.search(long_rows.queries, 10, tuned.params), expected, 10) == Approx(tuned.recall));
  nndescent_search_params other{.beam = 10, .by_estimates = !tuned.params.by_estimates};
  while (recall(index.search(long_rows.queries, 10, other), expected, 10) < 0.99) other.beam += other.beam / 8 + 1;
  CAPTURE(tuned.params.beam, tuned.params.by_estimates, other.beam);
  CHECK(bytes(tuned.params) <= 1.01 * bytes(other));
}
