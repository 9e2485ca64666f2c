#include <annulus/core/prepared_query.hpp>
#include <annulus/core/top_k.hpp>

#include "counted_allocations.hpp"

#include <random>

#if defined(ANNULUS_TEST_COUNTS_ALLOCATIONS)

using namespace annulus;

TEST_CASE("top_k allocates nothing after its construction", "[allocations]") {
  std::mt19937_64 generator(1);
  std::vector<float> ranks(10000);
  for (auto& rank : ranks) rank = static_cast<float>(generator() % 1000);
  for (const std::size_t k : {1u, 32u, 33u, 500u}) {
    top_k<float> best(k);
    const std::size_t before = allocations;
    best.push_block(ranks.data(), ranks.size(), 0);
    const float nearest = best.sorted().front().rank;
    best.reset(k);
    const std::size_t after = allocations;
    CHECK(nearest == 0);
    CHECK(after == before);
  }
}

TEST_CASE("a query is prepared and compared without an allocation", "[allocations]") {
  const std::vector<float> rows(10 * 100, 1.0f);
  std::vector<float> ranks(10);
  const std::size_t before = allocations;
  prepared_query<cosine, float>(cosine{}, rows.data(), 100)(rows.data(), 100, 10, ranks.data());
  prepared_query<euclidean, float>(euclidean{}, rows.data(), 100)(rows.data(), 100, 10, ranks.data());
  const std::size_t after = allocations;
  CHECK(after == before);
}

#endif
