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

TEST_CASE("a radius search with a scratch and results that have seen it allocates nothing", "[lsh][allocations]") {
  std::vector<bool> odd(1500);
  for (std::size_t i = 1; i < 1500; i += 2) odd[i] = true;
  const std::vector<lsh_search_params> all{
      {}, {.n_probes = 300, .filter = odd}, {.recall_target = 0.9}, {.recall_target = 1}, {.max_candidates = 40}};
  lsh_tests::for_both([&](const auto& index) {
    for (const float radius : {0.1f, 30.0f})
      for (std::size_t p = 0; p < all.size(); ++p) {
        auto scratch = index.make_scratch();
        std::vector<id_type> ids;
        std::vector<float> distances;
        std::size_t n_found = 0;
        const auto search_all = [&] {
          for (std::size_t i = 0; i < 60; ++i) {
            index.radius_search(lsh_tests::data().queries.row(i), radius, ids, distances, scratch, all[p]);
            n_found += ids.size();
          }
        };
        search_all();
        const std::size_t before = allocations::n_made;
        search_all();
        const std::size_t after = allocations::n_made;
        CAPTURE(radius, p);
        CHECK(after == before);
        if (radius > 1) CHECK(n_found > 0);
      }
  });
}
