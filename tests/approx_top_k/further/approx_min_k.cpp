#include "approx_top_k/reductions.hpp"

using namespace annulus;

TEMPLATE_TEST_CASE("a plan made before finds what a call finds, also into memory of the caller", "[approx_min_k]",
                   std::int16_t, bool) {
  reductions::check_plan<TestType>();
}

TEST_CASE("where XLA's output for a shard of integers is larger than the shard, it ends in their extremes",
          "[approx_min_k]") {
  const approx_top_k_params params{
      .reduction_input_size_override = 4100, .aggregate_to_topk = false, .policy = bin_policy::xla_compatible};
  CHECK(approx_min_k(std::vector<std::int8_t>(1025), 10, params).values.back() == 127);
  CHECK(approx_max_k(std::vector<std::uint32_t>(1025, 9), 10, params).values.back() == 0);
}
