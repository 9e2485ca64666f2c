#include <annulus/nndescent/rabitq.hpp>

#include "nndescent/index_changes.hpp"

// Changes of indexes of halves, and of rows of full precision and of bytes with codes of edges.

using namespace annulus;
using namespace changes;

TEMPLATE_TEST_CASE("insert returns the id of the first row", "[nndescent_index]", rabitq<>, rabitq<sq8>) {
  check_first_ids<TestType>();
}

TEMPLATE_TEST_CASE("rows that are inserted are found", "[nndescent_index]", half_precision, rabitq<>, rabitq<sq8>) {
  check_inserted<TestType>();
}

TEMPLATE_TEST_CASE("an index without rows grows", "[nndescent_index]", half_precision, rabitq<>, rabitq<sq8>) {
  check_growth<TestType>();
}

TEMPLATE_TEST_CASE("an insert that is refused changes nothing", "[nndescent_index]", rabitq<>, rabitq<sq8>) {
  check_refused_insert<TestType>();
}

TEMPLATE_TEST_CASE("an erased row is not returned again", "[nndescent_index]", rabitq<>, rabitq<sq8>) {
  check_erased<TestType>();
}

TEMPLATE_TEST_CASE("an index whose rows were all erased is empty, and grows again", "[nndescent_index]", rabitq<>,
                   rabitq<sq8>) {
  check_emptied<TestType>();
}

TEMPLATE_TEST_CASE("consolidating keeps all rows in reach", "[nndescent_index]", rabitq<>, rabitq<sq8>) {
  check_consolidated<TestType>();
}

TEMPLATE_TEST_CASE("an updated row is found where it is now", "[nndescent_index]", rabitq<>, rabitq<sq8>) {
  check_updated<TestType>();
}

TEMPLATE_TEST_CASE("inserting and erasing a fifth costs no recall beside a rebuild", "[nndescent_index]", rabitq<>,
                   rabitq<sq8>) {
  check_recall_of_changed<TestType>();
}

TEMPLATE_TEST_CASE("changes and searches in any order agree with brute force", "[nndescent_index]", rabitq<>,
                   rabitq<sq8>) {
  check_any_order<TestType>();
}

TEMPLATE_TEST_CASE("a copy goes its own way", "[nndescent_index]", rabitq<>, rabitq<sq8>) { check_copy<TestType>(); }

TEMPLATE_TEST_CASE("a moved index is the same index", "[nndescent_index]", rabitq<>, rabitq<sq8>) {
  check_move<TestType>();
}

TEMPLATE_TEST_CASE("rows that are inserted make the same index whatever the threads", "[nndescent_index]", rabitq<>,
                   rabitq<sq8>) {
  check_threads<TestType>();
}

TEMPLATE_TEST_CASE("rows that are equal have ids of their own", "[nndescent_index]", rabitq<>, rabitq<sq8>) {
  check_equal_rows<TestType>();
}
