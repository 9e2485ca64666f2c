#include <Eigen/Core>

#include "approx_top_k/row_selections.hpp"

using namespace selections;

TEMPLATE_TEST_CASE("the k best of a row of wide elements are those of a sort, by one thread and by three",
                   "[row_select]", double, std::int32_t) {
  check_row_select<TestType, false>();
  check_row_select<TestType, true>();
}

TEMPLATE_TEST_CASE("the k best of rows of wide elements that are taken in parts are those of a sort", "[row_select]",
                   double, std::int32_t) {
  check_spans<TestType, false>();
}
