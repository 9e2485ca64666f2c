#include <Eigen/Core>

#include "approx_top_k/row_selections.hpp"

using namespace selections;

TEMPLATE_TEST_CASE("the k best of a row of yet other elements are those of a sort, by one thread and by three",
                   "[row_select]", Eigen::bfloat16, std::int16_t, std::uint16_t, std::uint32_t, std::uint64_t) {
  check_row_select<TestType, false>();
  check_row_select<TestType, true>();
}

TEMPLATE_TEST_CASE("the k best of rows of yet other elements that are taken in parts are those of a sort",
                   "[row_select]", Eigen::bfloat16, std::int16_t, std::uint16_t, std::uint32_t, std::uint64_t) {
  check_spans<TestType, false>();
}
