#include "catch.hpp"
#include "failing_allocations.hpp"
#include "nndescent/indexes.hpp"

using namespace annulus;

TEMPLATE_TEST_CASE("a query with a scratch that has seen it allocates nothing", "[allocations]", full_precision,
                   half_precision, sq8) {
  const auto data = indexes::clustered<float>(2000, 20, 50);
  const nndescent_index index(data.rows, cosine{}, {}, TestType{});
  std::vector<bool> odd(2000);
  for (std::size_t i = 1; i < 2000; i += 2) odd[i] = true;
  for (const search_params& params : {search_params{}, {.beam = 100}, {.filter = odd}, {.beam = 10, .filter = odd}}) {
    auto scratch = index.make_scratch();
    std::vector<id_type> ids(10);
    std::vector<float> distances(10);
    const auto search_all = [&] {
      for (std::size_t i = 0; i < 50; ++i) index.search(data.queries.row(i), ids, distances, scratch, params);
    };
    search_all();
    const std::size_t before = allocations::n_made;
    search_all();
    const std::size_t after = allocations::n_made;
    CHECK(after == before);
    CHECK(ids[9] != no_id);
  }
}
