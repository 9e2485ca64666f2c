#pragma once

// What tests of the files of lsh_index ask of every family.

#include "io/index_damage.hpp"
#include "lsh/indexes.hpp"

namespace saved_lsh {

using namespace annulus;

/// Whether an index of 60 of the rows, with more added and some erased, answers the same from its file, and survives
/// one whose arrays are damaged.
template <class Points, class Family>
bool returns(const Points& rows, const Family& family) {
  using index_type = lsh_index<Points, Family>;
  index_type index(lsh_tests::rows_between(rows, 0, 60), family, {.n_projections = 6, .n_tables = 2, .seed = 3});
  index.insert(lsh_tests::rows_between(rows, 60, 64));
  for (const id_type id : {7u, 12u, 61u}) index.erase(id);
  const auto queries = lsh_tests::rows_between(rows, 64, 70);
  const lsh_search_params wide{.n_probes = 20, .threads = 1}, sure{.recall_target = 0.8, .threads = 1};

  const scratch_folder folder;
  save(index, folder / "index");
  auto loaded = load_index<index_type>(folder / "index"), mapped = map_index<index_type>(folder / "index");
  verify(mapped);
  bool all = true;
  const auto compare = [&] {
    for (const index_type* i : {&loaded, &mapped})
      all = all && lsh_tests::same_bits(i->search(queries, 4, wide), index.search(queries, 4, wide)) &&
            lsh_tests::same_bits(i->search(queries, 4, sure), index.search(queries, 4, sure)) &&
            lsh_tests::same(i->candidates(queries), index.candidates(queries));
  };
  compare();
  for (index_type* i : {&index, &loaded, &mapped}) {
    i->insert(lsh_tests::rows_between(rows, 66, 70));
    i->compact();
  }
  compare();
  use_corrupted(index, 60, [&](const index_type& damaged) {
    damaged.search(queries, 4, wide);
    damaged.search(queries, 70, sure);
    damaged.radius_search(queries, 1, sure);
    damaged.candidates(queries, wide);
    damaged.describe();
  });
  return all;
}

}  // namespace saved_lsh
