#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/simple_mips.hpp>

#include "io/index_lsh.hpp"
#include "io/index_samples.hpp"

using namespace annulus;
using lsh_tests::clusters;
using lsh_tests::rows_between;
using lsh_tests::same_bits;

namespace {

/// An index of `family` goes through a file.
template <class Index>
Index through_file(const Index& index) {
  const scratch_folder folder;
  save(index, folder / "index");
  return load_index<Index>(folder / "index");
}

template <class Family, class Taken>
void check_first_rows(const Family& family, Taken taken) {
  using index_type = lsh_index<matrix<float>, Family>;
  const auto rows = clusters<float>(200, 6, 20, 1);
  const lsh_params params{.n_projections = 5, .n_tables = 3, .seed = 4};
  const index_type built(rows, family, params), empty(6, family, params);
  CHECK(taken(through_file(built).family()) == taken(built.family()));
  auto loaded = through_file(empty);
  CHECK(taken(loaded.family()) == 0);
  CHECK(same_bits(loaded.search(rows_between(rows, 0, 2), 3), neighbors(2, 3)));
  loaded.insert(rows);
  CHECK(taken(loaded.family()) == taken(built.family()));
  CHECK(same_bits(loaded.search(rows, 4), built.search(rows, 4)));
}

}  // namespace

TEST_CASE("an lsh_index by Gaussian projections returns from its file with the width it took from its rows",
          "[index_file]") {
  CHECK(saved_lsh::returns(clusters<float>(70, 9, 5, 1), p_stable_l2{}));
}

TEST_CASE("an lsh_index that returns without rows takes a width or a length from the first it gets", "[index_file]") {
  check_first_rows(p_stable_l2{}, [](const p_stable_l2& family) { return family.width; });
  check_first_rows(p_stable_l1{}, [](const p_stable_l1& family) { return family.width; });
  check_first_rows(simple_mips{}, [](const simple_mips& family) { return family.max_norm; });
}

TEST_CASE("an lsh_index of rows and no width is refused", "[index_file]") {
  using index_type = lsh_index<matrix<float>, p_stable_l2>;
  const scratch_folder folder;
  const auto path = folder / "index";
  save(index_type(clusters<float>(20, 4, 5, 1)), path);
  edited_index edit(path);
  edit.set("family.width", "0");
  edit.save(path);
  CHECK_THAT(complaint_of_load<index_type>(path), ContainsSubstring("has rows its family was not fitted to"));
}

TEST_CASE("rows within a radius are found in an lsh_index of format version 1, loaded and mapped", "[index_file]") {
  using index_type = lsh_index<matrix<float>, p_stable_l2>;
  const auto query = sample_rows(1, 6, 2);
  for (const auto& index :
       {load_index<index_type>(sample_file("lsh_index")), map_index<index_type>(sample_file("lsh_index"))}) {
    const auto nearest = index.search(query, 61, {.recall_target = 1});
    const csr within = index.radius_search(query, nearest.distances(0, 20), {.recall_target = 1});
    CHECK(within.indices.size() == 21);
    CHECK(within.n_columns == 64);
    CHECK(index.family().width > 0);
  }
}
