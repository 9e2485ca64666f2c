#include <annulus/nndescent/graph/id_set.hpp>

#include "catch.hpp"

#include <random>
#include <set>

using namespace annulus;
using annulus::detail::id_set;

TEST_CASE("a set of ids says of each whether it is new, as a plain set does", "[id_set]") {
  std::mt19937_64 generator(1);
  id_set ids;
  for (int round = 0; round < 400; ++round) {
    const std::size_t n = generator() % (round % 10 == 0 ? 3000 : 60);
    const std::uint64_t range = round % 3 == 0 ? 20 : round % 3 == 1 ? 1000 : 0xFFFFFFFFu;
    ids.clear(n);
    std::set<id_type> expected;
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto id = static_cast<id_type>(generator() % range);
      wrong += ids.add(id) != expected.insert(id).second;
    }
    CAPTURE(round, n);
    CHECK(wrong == 0);
  }
}

TEST_CASE("a set of ids is filled up to what it has room for", "[id_set]") {
  id_set ids;
  for (const std::size_t n : {0u, 1u, 31u, 32u, 33u, 64u, 1000u, 10u}) {
    ids.clear(n);
    std::size_t n_new = 0, n_again = 0;
    for (id_type id = 0; id < n; ++id) n_new += ids.add(id * 64);
    for (id_type id = 0; id < n; ++id) n_again += ids.add(id * 64);
    CHECK(n_new == n);
    CHECK(n_again == 0);
  }
}
