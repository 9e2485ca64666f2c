#include <Eigen/Core>

#include "approx_top_k/accumulators.hpp"

#include "precise.hpp"

using namespace annulus;
using accumulators::check_exact;
using accumulators::one_result;
using accumulators::same;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

}  // namespace

TEMPLATE_TEST_CASE("cuts, orders and merges change no bit of the result", "[accumulator]", float, Eigen::half) {
  accumulators::check_cuts<TestType>();
}

TEST_CASE("an accumulator gives what a sort gives", "[accumulator]") {
  std::mt19937_64 generator(3);
  for (const std::size_t n : {1u, 2u, 50u, 2000u})
    for (const std::size_t k : {std::size_t{1}, (n + 3) / 4, n}) {
      check_exact(operands::random_values<float>(n, generator), k);
      check_exact(operands::tied_values<float>(n, generator), k);
      check_exact(operands::tied_values<std::int8_t>(n, generator), k);
    }
}

TEST_CASE("nothing is lost to NaN and infinities", "[accumulator]") {
  std::mt19937_64 generator(5);
  const std::size_t n = 20000, k = 100;
  const approx_top_k_accumulator<float> empty(n, k, {.recall_target = 0.9});
  for (const std::size_t finite : {0u, 50u, 99u}) {
    std::vector<float> values(n, not_a_number);
    for (int i = 0; i < 20; ++i) values[generator() % n] = infinity;
    for (std::size_t i = 0; i < finite; ++i) values[generator() % n] = static_cast<float>(generator() % 9) - 4;
    const auto result = one_result(values, empty);
    CHECK(result.indices == operands::k_best(values, k));
    CHECK(operands::are_values_at(result.values, values, result.indices));
  }
}

TEST_CASE("what is pushed is all there, where that is less than k", "[accumulator]") {
  for (const double recall_target : {0.9, 1.0}) {
    approx_top_k_accumulator<float> few(50000, 100, {.recall_target = recall_target});
    CHECK(few.finish().indices.empty());
    few.push(std::vector<float>{3, not_a_number, 1, infinity}, 40000);
    few.push({}, 10);
    CHECK(few.finish().indices == operands::places{40002, 40000, 40003, 40001});
    CHECK(few.finish().values[0] == 1);
  }
}

TEST_CASE("k far-apart elements are all found", "[accumulator]") {
  const std::size_t n = 1000000, k = 1000;
  approx_top_k_accumulator<float> sparse(n, k);
  for (std::size_t i = 0; i < k; ++i)
    sparse.push(std::vector<float>{static_cast<float>(i)}, static_cast<std::int64_t>(i * (n / k)));
  CHECK(sparse.finish().indices.size() == k);
  CHECK(sparse.finish().values.back() == static_cast<float>(k - 1));
}

TEST_CASE("a result in between is that of what was pushed so far, and pushing goes on", "[accumulator]") {
  std::mt19937_64 generator(6);
  const auto values = operands::random_values<float>(40000, generator);
  for (const double recall_target : {0.9, 1.0}) {
    const approx_top_k_accumulator<float> empty(40000, 50, {.recall_target = recall_target});
    auto half = empty, whole = empty, both = empty;
    half.push(std::span(values).first(20000), 0);
    whole.push(values, 0);
    both.push(std::span(values).first(20000), 0);
    CHECK(same(both.finish(), half.finish()));
    both.push(std::span(values).subspan(20000), 20000);
    CHECK(same(both.finish(), whole.finish()));
  }
}

TEST_CASE("indices are good up to the largest and refused from there", "[accumulator]") {
  accumulators::check_last_indices<float>();
}

TEST_CASE("zeros come back as +0", "[accumulator]") {
  for (const double recall_target : {0.9, 1.0}) {
    approx_top_k_accumulator<float, true> zeros(20000, 3, {.recall_target = recall_target});
    zeros.push(std::vector<float>(20000, -0.0f), 0);
    CHECK(zeros.finish().indices == operands::places{0, 1, 2});
    CHECK(!std::signbit(zeros.finish().values[0]));
  }
}

TEST_CASE("arguments that an accumulator cannot follow are refused by name", "[accumulator]") {
  using accumulator = approx_top_k_accumulator<float>;
  CHECK_THROWS_AS(accumulator(10, 0), std::invalid_argument);
  CHECK_THROWS_WITH(accumulator(10, 0), ContainsSubstring("k = 0"));
  CHECK_THROWS_WITH(accumulator(10, 11), ContainsSubstring("k = 11"));
  CHECK_THROWS_WITH(accumulator(10, 1, {.recall_target = 2}), ContainsSubstring("recall_target = 2"));
  CHECK_THROWS_WITH(accumulator(10, 1, {.reduction_dimension = 1}), ContainsSubstring("reduction_dimension = 1"));
  CHECK_THROWS_WITH(accumulator(10, 1, {.reduction_input_size_override = 20}),
                    ContainsSubstring("reduction_input_size_override = 20"));
  CHECK_THROWS_WITH(accumulator(10, 1, {.aggregate_to_topk = false}), ContainsSubstring("aggregate_to_topk = false"));
}

TEST_CASE("only accumulators made alike are merged", "[accumulator]") {
  approx_top_k_accumulator<float> one(100000, 10);
  CHECK_THROWS_AS(one.merge(one), std::invalid_argument);
  CHECK_THROWS_WITH(one.merge(one), ContainsSubstring("other = *this"));
  CHECK_THROWS_WITH(one.merge(approx_top_k_accumulator<float>(100000, 11)),
                    ContainsSubstring("other's k = 11: must equal this accumulator's 10"));
}
