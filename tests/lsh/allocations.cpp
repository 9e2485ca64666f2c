#include "catch.hpp"
#include "failing_allocations.hpp"
#include "lsh/two_indexes.hpp"

using namespace annulus;

TEST_CASE("a query with a scratch that has seen it allocates nothing", "[lsh][allocations]") {
  std::vector<bool> odd(1500);
  for (std::size_t i = 1; i < 1500; i += 2) odd[i] = true;
  const std::vector<lsh_search_params> all{{},
                                           {.n_probes = 2},
                                           {.n_probes = 300},
                                           {.n_probes = 300, .filter = odd},
                                           {.n_probes = 300, .max_candidates = 40},
                                           {.recall_target = 0.5},
                                           {.recall_target = 0.99},
                                           {.recall_target = 0.9, .filter = odd}};
  lsh_tests::for_both([&](const auto& index) {
    for (std::size_t p = 0; p < all.size(); ++p) {
      auto scratch = index.make_scratch();
      std::vector<id_type> ids(10);
      std::vector<float> distances(10);
      const auto search_all = [&] {
        for (std::size_t i = 0; i < 60; ++i)
          index.search(lsh_tests::data().queries.row(i), ids, distances, scratch, all[p]);
      };
      search_all();
      const std::size_t before = allocations::n_made;
      search_all();
      const std::size_t after = allocations::n_made;
      CAPTURE(p);
      CHECK(after == before);
      CHECK(ids[0] != no_id);
    }
  });
}
