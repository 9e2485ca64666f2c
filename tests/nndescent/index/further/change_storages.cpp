#include <annulus/nndescent/rabitq.hpp>

#include "nndescent/index_changes.hpp"

// Changes of indexes of codes, and by inner products; other tests of changes are in ../change.cpp
// and ../nightly/change_storages.cpp.

using namespace annulus;
using namespace changes;

TEMPLATE_TEST_CASE("insert returns the id of the first row", "[nndescent_index]", sq8) { check_first_ids<TestType>(); }

TEMPLATE_TEST_CASE("rows that are inserted are found", "[nndescent_index]", sq8) { check_inserted<TestType>(); }

TEMPLATE_TEST_CASE("an index without rows grows", "[nndescent_index]", sq8) { check_growth<TestType>(); }

TEST_CASE("an index of scales per dimension grows from nothing", "[nndescent_index]") {
  nndescent_index index(float_rows(0, 12), euclidean{}, {}, sq8{scalar_scales::per_dimension});
  index.insert(data().rows);
  const auto found = index.search(data().queries, 10, narrow);
  CHECK(recall(found, knn(data().rows, data().queries, 10), 10) >= 0.9);
}

TEMPLATE_TEST_CASE("an insert that is refused changes nothing", "[nndescent_index]", sq8) {
  check_refused_insert<TestType>();
}

TEMPLATE_TEST_CASE("an erased row is not returned again", "[nndescent_index]", sq8) { check_erased<TestType>(); }

TEMPLATE_TEST_CASE("an index whose rows were all erased is empty, and grows again", "[nndescent_index]", sq8) {
  check_emptied<TestType>();
}

TEMPLATE_TEST_CASE("consolidating keeps all rows in reach", "[nndescent_index]", sq8) {
  check_consolidated<TestType>();
}

TEMPLATE_TEST_CASE("an updated row is found where it is now", "[nndescent_index]", sq8) { check_updated<TestType>(); }

TEMPLATE_TEST_CASE("inserting and erasing a fifth costs no recall beside a rebuild", "[nndescent_index]", sq8) {
  check_recall_of_changed<TestType>();
}

TEMPLATE_TEST_CASE("changes and searches in any order agree with brute force", "[nndescent_index]", sq8) {
  check_any_order<TestType>();
}

TEMPLATE_TEST_CASE("a copy goes its own way", "[nndescent_index]", sq8) { check_copy<TestType>(); }

TEMPLATE_TEST_CASE("a moved index is the same index", "[nndescent_index]", sq8) { check_move<TestType>(); }

TEMPLATE_TEST_CASE("rows that are inserted make the same index whatever the threads", "[nndescent_index]", sq8,
                   rabitq<>) {
  check_threads<TestType>();
}

TEMPLATE_TEST_CASE("rows that are equal have ids of their own", "[nndescent_index]", sq8) {
  check_equal_rows<TestType>();
}

TEMPLATE_TEST_CASE("the k-NN graph of copies lists each of them", "[nndescent_index]", inner_product) {
  check_graph_of_copies<TestType>();
}
