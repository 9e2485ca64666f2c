#include <annulus/nndescent/rabitq.hpp>

#include "io/nndescent_files.hpp"

// Files of indexes with codes of their edges, whose rows are of full precision.

using namespace annulus;
using namespace nndescent_files;

namespace {

using full_index = nndescent_index<rows_type, euclidean, rabitq<>>;
using edge_index = nndescent_index<rows_type, euclidean, rabitq<sq8>>;

const edge_index& coded() {
  static const edge_index index = changed(edge_index(data().rows, {}, params, {.bits = 2}));
  return index;
}

}  // namespace

TEST_CASE("a loaded and a mapped index of rows and codes of edges answer and change as the saved one", "[index_file]") {
  CHECK(returns(full_index(data().rows, {}, params)));
  for (const std::size_t few : {0u, 1u, 2u, 5u}) {
    CAPTURE(few);
    CHECK(returns(full_index(rows_between(data().rows, 0, few)), false));
  }
}

TEST_CASE("an index by inner products with codes of its edges comes back", "[index_file]") {
  CHECK(returns(nndescent_index(data().rows, inner_product{}, params, rabitq<>{.bits = 3})));
}

TEST_CASE("a loaded index with codes of its edges searches by them", "[index_file]") {
  const scratch_folder folder;
  const auto many = clustered<float>(3000, 16, 30, 10);
  const full_index index(many.rows);
  save(index, folder / "index");
  const plain_index without(many.rows);
  const auto distances_of = [&](const auto& x) {
    nndescent_search_stats stats;
    static_cast<void>(x.search(many.queries, 5, {.beam = 20}, &stats));
    return stats.distances;
  };
  CHECK(distances_of(map_index<full_index>(folder / "index")) == distances_of(index));
  CHECK(distances_of(index) < distances_of(without));
}

TEST_CASE("another storage than that of codes of edges is refused by name", "[index_file]") {
  CHECK(contains(refusal_of<edge_index>(plain()), "storage is full_precision, not the rabitq+sq8 asked for"));
  CHECK(contains(refusal_of<plain_index>(coded()), "storage is rabitq+sq8, not the full_precision asked for"));
  CHECK(contains(refusal_of<full_index>(coded()), "storage is rabitq+sq8, not the rabitq+full_precision asked for"));
}

TEST_CASE("no damage to codes of edges by inner products takes a search outside of them", "[index_file]") {
  const auto few = rows_between(data().queries, 0, 4);
  CHECK(saved::search_damaged(nndescent_index(data().rows, inner_product{}, params, rabitq<>{}), few, radius, 50) == 0);
}
