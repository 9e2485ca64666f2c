#include "io/nndescent_files.hpp"

using namespace annulus;
using namespace nndescent_files;

TEST_CASE("graph indexes of inner products of version 1 find old rows beside new ones, and are saved again") {
  using products = nndescent_index<rows_type, inner_product>;
  const auto rows = sample_rows(80, 4, 1), more = sample_rows(10, 4, 2), queries = sample_rows(20, 4, 3);
  auto all = matrix<float>(90, 4);
  std::copy_n(rows.data(), 320, all.data());
  std::copy_n(more.data(), 40, all.data() + 320);
  const scratch_folder folder;
  const auto check = [&](products index) {
    save(index, folder / "index");
    CHECK(load_index<products>(folder / "index").search(queries, 5) == index.search(queries, 5));
    CHECK(recall(index.search(queries, 5), knn(rows, queries, 5, inner_product{}), 5) == 1);
    index.insert(more);
    CHECK(recall(index.search(queries, 5), knn(all, queries, 5, inner_product{}), 5) == 1);
  };
  check(load_index<products>(sample_file("nndescent_index_inner_product")));
  check(map_index<products>(sample_file("nndescent_index_inner_product")));
}
