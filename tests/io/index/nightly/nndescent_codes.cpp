#include "io/nndescent_files.hpp"

// Files of indexes of codes; those of rows are in ../nndescent.cpp.

using namespace annulus;
using namespace nndescent_files;

namespace {

using coded_index = nndescent_index<rows_type, euclidean, sq8>;

const coded_index& coded() {
  static const coded_index index = changed(coded_index(data().rows, {}, params, sq8{scalar_scales::per_dimension}));
  return index;
}

}  // namespace

TEST_CASE("a loaded and a mapped index of codes answer and change as the saved one, bit for bit", "[index_file]") {
  CHECK(returns(coded_index(data().rows, {}, params)));
  CHECK(
      returns(coded_index(data().rows, {}, {.n_neighbors = 8, .keep_rows = false}, sq8{scalar_scales::per_dimension})));
}

TEST_CASE("an index of codes that was changed comes back as it is once consolidated", "[index_file]") {
  CHECK(returns(coded()));
}

TEST_CASE("indexes of no row and of codes of few rows come back", "[index_file]") {
  for (const std::size_t few : {0u, 1u, 2u, 5u}) {
    CAPTURE(few);
    CHECK(returns(coded_index(rows_between(data().rows, 0, few)), false));
  }
}

TEST_CASE("a file of codes says what is in it", "[index_file]") { check_info(coded(), "sq8"); }

TEST_CASE("another type or metric or storage than the file's is refused by name", "[index_file]") {
  CHECK(contains(refusal_of<nndescent_index<matrix<double>>>(plain()),
                 "points is rows of float32, not the rows of float64 asked for"));
  CHECK(contains(refusal_of<nndescent_index<matrix<float>, sqeuclidean>>(plain()),
                 "metric is euclidean, not the sqeuclidean asked for"));
  CHECK(contains(refusal_of<coded_index>(plain()), "storage is full_precision, not the sq8 asked for"));
  CHECK(contains(refusal_of<plain_index>(coded()), "storage is sq8, not the full_precision asked for"));
}

TEST_CASE("a wrong value in any array of codes is found before the index is used", "[index_file]") {
  const auto set = [](std::size_t i, auto value) { return [=](auto values) { values[i] = value; }; };
  constexpr float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(contains(complaint_of<float>(coded(), "rows.values", set(9 * 8, infinity)), "rows: values: row 9 "));
  CHECK(contains(complaint_of<float>(coded(), "compressed.terms", set(7, nan)), "compressed: terms: row 3 "));
  CHECK(contains(complaint_of<float>(coded(), "compressed.terms", set(6, -1.0f)), "compressed: terms: row 3 "));
}

TEST_CASE("every number of the header of codes that is wrong is refused or harmless", "[index_file]") {
  CHECK(search_misnumbered(coded()) == 0);
}

TEST_CASE("no damage to the arrays of codes takes a search outside of them", "[index_file]") {
  const auto few = rows_between(data().queries, 0, 4);
  CHECK(saved::search_damaged(coded(), few, radius, 150) == 0);
}

TEST_CASE("graph indexes of codes of version 1 are read by every version") {
  check_version_1(load_index<coded_index>(sample_file("nndescent_index_sq8")));
  check_version_1(map_index<coded_index>(sample_file("nndescent_index_sq8")));
}

TEST_CASE("graph indexes of codes of version 2, of rows with copies that were erased, inserted and updated, are read") {
  check_version_2(load_index<coded_index>(sample_file("nndescent_index_sq8", 2)));
  check_version_2(map_index<coded_index>(sample_file("nndescent_index_sq8", 2)));
}

TEST_CASE("an index of codes that took in no rows yet is loaded again") {
  coded_index index(matrix<float>(0, 6), {}, params, {});
  index.insert(matrix<float>());
  const scratch_folder folder;
  save(index, folder / "index");
  auto loaded = load_index<coded_index>(folder / "index");
  CHECK(loaded.dim() == 6);
  loaded.insert(sample_rows(30, 6, 1));
  CHECK(loaded.search(sample_rows(30, 6, 1), 1).ids(7, 0) == 7);
}

TEST_CASE("graph indexes of codes of version 1 with erased, moved and equal rows are read by every version") {
  check_changed(load_index<coded_index>(sample_file("nndescent_index_sq8_changed")));
  check_changed(map_index<coded_index>(sample_file("nndescent_index_sq8_changed")));
}

TEST_CASE("graph indexes of codes of version 1 that are damaged are refused or searched within their arrays") {
  CHECK(search_damaged_sample<coded_index>("nndescent_index_sq8_changed") == 0);
}
