#include <Eigen/Core>

#include "approx_top_k/block_selections.hpp"

using namespace selections;

TEMPLATE_TEST_CASE("the k best of parts of any type, scanned in any order, are those of a sort", "[block_select]",
                   double, Eigen::bfloat16, std::int8_t) {
  check_scans<TestType, false, std::uint32_t>({7, 16, 33, 257, 4099});
  check_scans<TestType, true, std::uint64_t>({7, 16, 33, 257, 4099});
}

TEMPLATE_TEST_CASE("selections of parts of any type are merged", "[block_select]", double, std::uint8_t) {
  check_merges<TestType, true, std::uint64_t>({16, 257, 4099});
}
