#include "catch.hpp"
#include "shards.hpp"

#include <annulus/lsh/families/minhash.hpp>
#include <annulus/lsh/index.hpp>
#include <annulus/mpi/sharded_index.hpp>
#include <annulus/quantization/fast_scan.hpp>
#include <annulus/quantization/rabitq_index.hpp>

namespace {

using annulus::mpi::communicator;
using annulus::mpi::ranked_by_rows;

template <class Index>
auto id_of(const Index& index) {
  return [&](annulus::id_type id) { return index.global_id(id); };
}

TEST_CASE("codes are searched for over shards, by themselves and with rows") {
  const communicator comm;
  const auto rows = normal_rows(400, 16, 1), queries = normal_rows(20, 16, 2);
  const auto own = part_of(rows, comm);
  annulus::product_quantizer<std::uint8_t> quantizer({.m = 8, .ks = 16});
  quantizer.fit(rows);
  annulus::mpi::sharded_index index(comm.get(), [&] { return annulus::fast_scan_index(quantizer, own); });
  const auto& shard = index.shard();
  const auto by_codes = merged_by_sorting(comm, shard.search(queries, 5), id_of(index));
  const auto by_rows = merged_by_sorting(comm, shard.search(queries, 5, own), id_of(index));
  const auto found = index.search(queries, 5);
  const auto ranked = index.search(queries, 5, ranked_by_rows<annulus::fast_scan_params>{own});
  if (comm.rank() == 0) {
    CHECK(found == by_codes);
    CHECK(ranked == by_rows);
    CHECK(found.ids != ranked.ids);
  }
}

TEST_CASE("codes of a bit a dimension are searched for with the rows of each shard") {
  const communicator comm;
  const auto rows = normal_rows(600, 32, 3), queries = normal_rows(20, 32, 4);
  const auto own = part_of(rows, comm);
  annulus::mpi::sharded_index index(comm.get(), [&] { return annulus::rabitq_index(own); });
  const auto wanted = merged_by_sorting(comm, index.shard().search(queries, 5, own, {.k_factor = 4}), id_of(index));
  const auto found = index.search(queries, 5, {own, {.k_factor = 4}});
  if (comm.rank() == 0) CHECK(found == wanted);
}

// Sparse rows and queries are sent too.
TEST_CASE("sets are searched for by hash tables on each rank") {
  const communicator comm;
  const annulus::counter_random random(5);
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> members;
  const auto first = static_cast<std::uint64_t>(comm.rank()) * 30;
  for (std::uint64_t i = first; i < first + 30; ++i) {
    for (std::int32_t j = 0; j < 100; ++j)
      if (random.below(100 * i + static_cast<std::uint64_t>(j), 4) == 0) members.push_back(j);
    indptr.push_back(static_cast<std::int64_t>(members.size()));
  }
  const annulus::csr_matrix<float> sets(indptr, members, 100);
  annulus::mpi::sharded_index index(
      comm.get(), [&] { return annulus::lsh_index(sets, annulus::minhash{}, {.n_projections = 2, .n_tables = 20}); });
  const auto found = index.search(sets, 1);  // those of rank 0
  if (comm.rank() == 0)
    for (std::size_t i = 0; i < 30; ++i) CHECK(found.ids(i, 0) == static_cast<std::int64_t>(i));
  const auto each = index.search_each(sets, 3);
  for (std::size_t i = 0; i < 30; ++i) CHECK(each.ids(i, 0) == static_cast<std::int64_t>(first + i));
  CHECK(index.insert_from(0, sets) == 30 * comm.size());
  index.erase(2);
  index.update(0, annulus::csr_matrix<float>({0, 2}, {3, 99}, 100));
  const auto after = index.search(sets, 2);
  if (comm.rank() == 0) {
    CHECK(after.ids(1, 0) == 1);
    CHECK(after.ids(1, 1) == 30 * comm.size() + 1);
    CHECK(after.ids(2, 0) == 30 * comm.size() + 2);
    CHECK(after.ids(0, 0) == 30 * comm.size());
  }
}

}  // namespace
