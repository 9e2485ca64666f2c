#include <Eigen/Core>

#include "approx_top_k/reductions.hpp"

TEMPLATE_TEST_CASE("a recall target of 1 gives what a sort gives, at every length, for yet other types", "[row_top_k]",
                   Eigen::bfloat16, std::int16_t, std::int32_t, std::int64_t, std::uint32_t, std::uint64_t) {
  reductions::check_every_length<TestType>();
}
