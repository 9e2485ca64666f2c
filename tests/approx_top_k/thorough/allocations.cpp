// What calls with a plan and memory of the caller allocate.

#include <Eigen/Core>

#include "approx_top_k/operands.hpp"
#include "catch.hpp"
#include "failing_allocations.hpp"

using namespace annulus;

TEMPLATE_TEST_CASE("from the second call on, a call by a plan into given memory allocates nothing",
                   "[approx_top_k][allocations]", float, double, Eigen::half, std::uint8_t) {
  std::mt19937_64 generator(1);
  for (const bool aggregate : {true, false})
    for (const std::size_t n : {100u, 1000u, 70000u})
      for (const std::size_t k : {1u, 10u, 90u}) {
        const auto rows = operands::random_values<TestType>(3 * n, generator);
        const matrix_view<TestType> operand(rows.data(), 3, n);
        const auto plan = plan_approx_top_k(n, k, {.aggregate_to_topk = aggregate, .threads = 1}, 2);
        std::vector<TestType> values(3 * plan.output_size);
        operands::places indices(values.size());
        approx_top_k_scratch<TestType> scratch;
        approx_min_k(operand, plan, values, indices, scratch);
        const std::size_t before = allocations::n_made;
        approx_min_k(operand, plan, values, indices, scratch);
        const std::size_t after = allocations::n_made;
        CAPTURE(aggregate, n, k);
        CHECK(after == before);
      }
}
