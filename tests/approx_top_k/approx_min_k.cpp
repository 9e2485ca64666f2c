#include <Eigen/Core>
#include <annulus/approx_top_k/approx_min_k.hpp>

#include "approx_top_k/reductions.hpp"

#include <array>

using namespace annulus;
using reductions::equal;

namespace {

/// A tensor with its elements in memory order, as large as any strides below reach.
struct strided_tensor {
  std::vector<float> memory;
  std::ptrdiff_t origin = 0;
  std::vector<std::size_t> shape;
  std::vector<std::ptrdiff_t> strides;

  tensor_view<float> view() const { return {memory.data() + origin, shape, strides}; }
};

/// Dimensions of 1 to 6 in a random order of memory, some of them reversed, spread out, or (stride 0) repeated.
strided_tensor random_tensor(std::size_t rank, std::mt19937_64& generator) {
  strided_tensor t;
  std::vector<std::size_t> order(rank);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), generator);
  t.shape.resize(rank);
  t.strides.resize(rank);
  std::ptrdiff_t size = 1;
  for (const std::size_t i : order) {
    t.shape[i] = 1 + generator() % 6;
    const auto extent = static_cast<std::ptrdiff_t>(t.shape[i]);
    if (generator() % 6 == 0) continue;  // stride 0
    t.strides[i] = size * static_cast<std::ptrdiff_t>(1 + generator() % 2);
    size = t.strides[i] * extent;
    if (generator() % 4 == 0) {
      t.strides[i] = -t.strides[i];
      t.origin -= t.strides[i] * (extent - 1);
    }
  }
  t.memory = operands::random_values<float>(static_cast<std::size_t>(size), generator);
  for (float& x : t.memory) x = std::floor(x * 10);
  return t;
}

/// The k best along a dimension, element by element, in row-major order of the result.
top_k_result<float> plain_reduction(const tensor_view<float>& t, std::size_t k, std::size_t reduced) {
  std::size_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < t.rank(); ++i) (i < reduced ? outer : inner) *= i == reduced ? 1 : t.shape()[i];
  top_k_result<float> result{std::vector<float>(outer * k * inner), operands::places(outer * k * inner)};
  for (std::size_t a = 0; a < outer; ++a)
    for (std::size_t b = 0; b < inner; ++b) {
      std::ptrdiff_t begin = 0;
      std::size_t rest = b;
      for (std::size_t i = t.rank(); i-- > reduced + 1; rest /= t.shape()[i])
        begin += static_cast<std::ptrdiff_t>(rest % t.shape()[i]) * t.strides()[i];
      rest = a;
      for (std::size_t i = reduced; i-- > 0; rest /= t.shape()[i])
        begin += static_cast<std::ptrdiff_t>(rest % t.shape()[i]) * t.strides()[i];
      std::vector<float> row;
      for (std::size_t i = 0; i < t.shape()[reduced]; ++i)
        row.push_back(t.data()[begin + static_cast<std::ptrdiff_t>(i) * t.strides()[reduced]]);
      const auto best = operands::k_best(row, k);
      for (std::size_t i = 0; i < k; ++i) {
        result.indices[(a * k + i) * inner + b] = best[i];
        result.values[(a * k + i) * inner + b] = row[static_cast<std::size_t>(best[i])];
      }
    }
  return result;
}

const std::vector<float> six{5, 1, 4, 0, 3, 2};

}  // namespace

TEST_CASE("vectors, arrays and spans are operands of one dimension", "[approx_min_k]") {
  const std::array<float, 6> as_array{5, 1, 4, 0, 3, 2};
  const operands::places smallest{3, 1, 5}, largest{0, 2, 4};
  CHECK(approx_min_k(six, 3).indices == smallest);
  CHECK(approx_min_k(as_array, 3).indices == smallest);
  CHECK(approx_min_k(std::span(six), 3).indices == smallest);
  CHECK(approx_max_k(six, 3).indices == largest);
  CHECK(approx_max_k(std::span<const float, 6>(as_array), 3).indices == largest);
  CHECK(approx_min_k(six, 3, {.reduction_dimension = 0}).indices == smallest);
}

TEST_CASE("matrices of the library and of Eigen are operands of two dimensions", "[approx_min_k]") {
  matrix<float> m(2, 3);
  std::copy(six.begin(), six.end(), m.data());
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> eigen(2, 3);
  eigen << 5, 1, 4, 0, 3, 2;
  const operands::places in_rows{1, 2, 0, 2}, in_columns{1, 0, 1, 0, 1, 0};
  CHECK(approx_min_k(m, 2).indices == in_rows);
  CHECK(approx_min_k(matrix_view<float>(m), 2).indices == in_rows);
  CHECK(approx_min_k(eigen, 2).indices == in_rows);
  CHECK(approx_min_k(m, 2).values == std::vector<float>{1, 4, 0, 2});
  CHECK(approx_min_k(m, 2, {.reduction_dimension = 0}).indices == in_columns);
  CHECK(approx_min_k(eigen, 2, {.reduction_dimension = -2}).indices == in_columns);
}

TEST_CASE("a view whose rows are apart is read at its stride", "[approx_min_k]") {
  const matrix_view<float> ends(six.data(), 2, 2, 4);  // 5 1, 3 2
  CHECK(approx_min_k(ends, 1).values == std::vector<float>{1, 2});
  CHECK(approx_max_k(ends, 2, {.reduction_dimension = 0}).values == std::vector<float>{5, 2, 3, 1});
}

TEST_CASE("tensors of any strides are reduced along any dimension", "[approx_min_k]") {
  std::mt19937_64 generator(1);
  std::size_t wrong = 0;
  for (std::size_t rank = 1; rank <= 5; ++rank)
    for (int trial = 0; trial < 30; ++trial) {
      const auto tensor = random_tensor(rank, generator);
      for (std::size_t reduced = 0; reduced < rank; ++reduced) {
        const std::size_t k = 1 + generator() % tensor.shape[reduced];
        const auto from_front = static_cast<std::ptrdiff_t>(reduced);
        const auto expected = plain_reduction(tensor.view(), k, reduced);
        for (const std::ptrdiff_t dimension : {from_front, from_front - static_cast<std::ptrdiff_t>(rank)})
          wrong += !equal(approx_min_k(tensor.view(), k, {.reduction_dimension = dimension}), expected);
      }
    }
  CHECK(wrong == 0);
}

TEST_CASE("a packed tensor needs no strides", "[approx_min_k]") {
  std::mt19937_64 generator(2);
  const auto values = operands::random_values<float>(2 * 3 * 4 * 5, generator);
  const tensor_view<float> packed(values.data(), {2, 3, 4, 5});
  const tensor_view<float> strided(values.data(), {2, 3, 4, 5}, {60, 20, 5, 1});
  for (const std::ptrdiff_t dimension : {0, 1, 2, 3})
    CHECK(equal(approx_min_k(packed, 2, {.reduction_dimension = dimension}),
                approx_min_k(strided, 2, {.reduction_dimension = dimension})));
}

TEST_CASE("long columns are reduced as long rows are", "[approx_min_k]") {
  std::mt19937_64 generator(3);
  const std::size_t n = 20000, columns = 19, k = 10;
  matrix<float> upright(n, columns), flat(columns, n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < columns; ++j) upright(i, j) = flat(j, i) = static_cast<float>(generator() % 100000);
  for (const double recall_target : {0.9, 1.0}) {
    const auto down = approx_min_k(upright, k, {.recall_target = recall_target, .reduction_dimension = 0});
    const auto along = approx_min_k(flat, k, {.recall_target = recall_target});
    std::size_t different = 0;
    for (std::size_t i = 0; i < k; ++i)
      for (std::size_t j = 0; j < columns; ++j) different += down.indices[i * columns + j] != along.indices[j * k + i];
    CHECK(different == 0);
  }
}

TEST_CASE("a plan made before finds what a call finds, also into memory of the caller", "[approx_min_k]") {
  reductions::check_plan<float>();
}

TEST_CASE("operands and memory that do not fit a plan are refused by name and size", "[approx_min_k]") {
  const auto plan = plan_approx_top_k(100, 5);
  const std::vector<float> values(100), longer(101);
  std::vector<float> found(5);
  operands::places at(5), few(4);
  approx_top_k_scratch<float> scratch;
  CHECK_THROWS_AS(approx_min_k(longer, plan), std::invalid_argument);
  CHECK_THROWS_WITH(approx_min_k(longer, plan),
                    ContainsSubstring("reduced size = 101: must equal the plan's size 100"));
  CHECK_THROWS_WITH(approx_max_k(longer, plan, found, at, scratch), ContainsSubstring("reduced size = 101"));
  CHECK_THROWS_WITH(approx_min_k(values, plan, found, few, scratch), ContainsSubstring("indices size = 4: must be 5"));
  CHECK_THROWS_WITH(approx_min_k(values, plan, std::span(found).first(3), at, scratch),
                    ContainsSubstring("values size = 3: must be 5"));
  CHECK_THROWS_WITH(approx_min_k(values, approx_top_k_plan{}), ContainsSubstring("must equal the plan's size 0"));
}

TEST_CASE("an operand of no rows has an empty result", "[approx_min_k]") {
  const tensor_view<float> empty(nullptr, {3, 0, 7});
  CHECK(approx_min_k(empty, 2, {.reduction_dimension = 2}).values.empty());
  CHECK(approx_min_k(empty, 2, {.reduction_dimension = 0}).indices.empty());
  CHECK(approx_min_k(empty, 2, {.threads = 0}).indices.empty());
  CHECK(approx_min_k(matrix<float>(0, 5), 5).values.empty());
  CHECK_THROWS_WITH(approx_min_k(empty, 1, {.reduction_dimension = 1}), ContainsSubstring("reduced size 0"));
  CHECK_THROWS_WITH(approx_min_k(std::vector<float>(), 1), ContainsSubstring("k = 1"));
}

TEST_CASE("the number of threads changes no bit of many rows", "[approx_min_k]") {
  std::mt19937_64 generator(4);
  const std::size_t rows = 37, n = 5000;
  const auto values = operands::tied_values<float>(rows * n, generator);
  for (const std::ptrdiff_t dimension : {0, 1})
    for (const bool aggregate : {true, false}) {
      const auto shape = dimension == 1 ? std::vector<std::size_t>{rows, n} : std::vector<std::size_t>{n, rows};
      const tensor_view<float> tensor(values.data(), shape);
      approx_top_k_params params{
          .recall_target = 0.9, .reduction_dimension = dimension, .aggregate_to_topk = aggregate};
      const auto alone = approx_min_k(tensor, 20, params).indices;
      for (const std::size_t threads : {2u, 3u, 8u}) {
        params.threads = threads;
        CHECK(approx_min_k(tensor, 20, params).indices == alone);
      }
    }
}

TEST_CASE("without aggregation XLA's output sizes come out, and nothing twice", "[approx_min_k]") {
  std::mt19937_64 generator(5);
  struct xla_case {
    std::size_t n, k;
    double recall_target;
    std::size_t rank, output_size;  // as XLA has them
  };
  for (const auto& [n, k, recall_target, rank, output_size] : {xla_case{100, 10, 0.95, 2, 100},
                                                               {1025, 1, 0.95, 1, 1024},
                                                               {1025, 1, 0.95, 2, 128},
                                                               {4096, 10, 0.5, 1, 1024},
                                                               {4096, 10, 0.99, 2, 1024},
                                                               {10000, 10, 0.95, 2, 384},
                                                               {1000, 1000, 0.05, 2, 512}}) {
    const auto values = operands::random_values<float>(2 * n, generator);
    const auto shape = rank == 1 ? std::vector<std::size_t>{n} : std::vector<std::size_t>{2, n};
    const approx_top_k_params params{
        .recall_target = recall_target, .aggregate_to_topk = false, .policy = bin_policy::xla_compatible};
    CAPTURE(n, k, recall_target, rank);
    REQUIRE(plan_approx_top_k(n, k, params, rank).output_size == output_size);
    const auto found = approx_min_k(tensor_view<float>(values.data(), shape), k, params);
    CHECK(found.values.size() == rank * output_size);
    const auto row_end = found.indices.begin() + static_cast<std::ptrdiff_t>(output_size);
    CHECK(operands::are_distinct({found.indices.begin(), row_end}));
    CHECK(
        operands::are_values_at({found.values.begin(), found.values.begin() + static_cast<std::ptrdiff_t>(output_size)},
                                values, {found.indices.begin(), row_end}));
  }
}

TEST_CASE("where XLA's output for a shard is larger than the shard, its end is marked as nothing", "[approx_min_k]") {
  const std::vector<float> values(1025, 7);
  const approx_top_k_params params{
      .reduction_input_size_override = 4100, .aggregate_to_topk = false, .policy = bin_policy::xla_compatible};
  const auto smallest = approx_min_k(values, 10, params), largest = approx_max_k(values, 10, params);
  REQUIRE(smallest.values.size() == 2048);
  CHECK(std::count(smallest.indices.begin(), smallest.indices.end(), -1) == 1023);
  CHECK(smallest.indices[1024] == 1024);
  CHECK(smallest.indices[1025] == -1);
  CHECK(smallest.values.back() == std::numeric_limits<float>::infinity());
  CHECK(largest.values.back() == -std::numeric_limits<float>::infinity());
}

TEST_CASE("shards reduced alone, offset, concatenated and reduced once more reach the recall of the whole",
          "[approx_min_k]") {
  std::mt19937_64 generator(6);
  const std::size_t n = 60000;
  auto values = operands::strided_values(n, 1, 0);
  for (const auto policy : {bin_policy::tight, bin_policy::xla_compatible})
    for (const std::size_t shards : {2u, 3u, 6u})
      for (const std::size_t k : {20u, 200u}) {
        const approx_top_k_params params{.recall_target = 0.9,
                                         .reduction_input_size_override = static_cast<std::ptrdiff_t>(n),
                                         .aggregate_to_topk = false,
                                         .policy = policy};
        operands::statistics recall;
        for (int trial = 0; trial < 8; ++trial) {
          std::shuffle(values.begin(), values.end(), generator);
          std::vector<float> candidates;
          operands::places at;
          for (std::size_t first = 0; first < n; first += n / shards) {
            const auto part = approx_min_k(std::span(values).subspan(first, n / shards), k, params);
            candidates.insert(candidates.end(), part.values.begin(), part.values.end());
            for (const std::int64_t i : part.indices) at.push_back(i + static_cast<std::int64_t>(first));
          }
          CHECK(operands::are_values_at(candidates, values, at));
          recall.add(operands::recall_of_ranks(approx_min_k(candidates, k, {.recall_target = 1}).values, k));
        }
        const double expected = plan_approx_top_k(n / shards, k, params).expected_recall;
        CAPTURE(policy, shards, k, expected, recall.mean(), recall.error());
        CHECK(expected >= 0.9);
        CHECK(recall.mean() >= expected - 3 * recall.error());
      }
}

TEST_CASE("nearest neighbours by half norms less dot products, as the function's reference documentation has them",
          "[approx_min_k]") {
  std::mt19937_64 generator(7);
  using rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto random_rows = [&](std::ptrdiff_t count) {
    const auto values = operands::random_values<float>(static_cast<std::size_t>(count) * 64, generator);
    return rows(Eigen::Map<const rows>(values.data(), count, 64));
  };
  const rows queries = random_rows(50), data = random_rows(1024);
  const rows distances = (-(queries * data.transpose())).rowwise() + 0.5f * data.rowwise().squaredNorm().transpose();
  const auto found = approx_min_k(distances, 10);
  REQUIRE(found.indices.size() == 500);
  const auto exact = approx_min_k(distances, 10, {.recall_target = 1});
  double hits = 0;
  for (std::size_t query = 0; query < 50; ++query)
    for (std::size_t i = 0; i < 10; ++i) hits += found.values[query * 10 + i] <= exact.values[query * 10 + 9];
  CHECK(hits / 500 >= 0.95);
}

TEST_CASE("operands and dimensions that cannot be are refused by name and limit", "[approx_min_k]") {
  const float x = 0;
  constexpr std::size_t huge = std::size_t{1} << 40;
  CHECK_THROWS_AS(approx_min_k(six, 7), std::invalid_argument);
  CHECK_THROWS_WITH(approx_min_k(six, 7), ContainsSubstring("k = 7: must be from 1 to the reduced size 6"));
  CHECK_THROWS_WITH(approx_max_k(six, 0), ContainsSubstring("k = 0"));
  CHECK_THROWS_WITH(approx_max_k(six, 1, {.recall_target = 0}), ContainsSubstring("recall_target = 0"));
  CHECK_THROWS_WITH(approx_min_k(six, 1, {.reduction_dimension = 1}),
                    ContainsSubstring("reduction_dimension = 1: must be in [-1, 1)"));
  CHECK_THROWS_WITH(approx_min_k(matrix<float>(2, 3), 1, {.reduction_dimension = -3}),
                    ContainsSubstring("reduction_dimension = -3: must be in [-2, 2)"));
  CHECK_THROWS_WITH(approx_min_k(six, 1, {.reduction_input_size_override = 5}),
                    ContainsSubstring("reduction_input_size_override = 5"));
  CHECK_THROWS_WITH(tensor_view<float>(&x, {}), ContainsSubstring("rank = 0: must be at least 1"));
  CHECK_THROWS_WITH(tensor_view<float>(&x, {1, 1}, {1}), ContainsSubstring("strides size = 1"));
  CHECK_THROWS_WITH(tensor_view<float>(&x, {huge, huge}), ContainsSubstring("shape product"));
  CHECK_THROWS_WITH(tensor_view<float>(&x, {2, huge, huge}), ContainsSubstring("shape product"));
  CHECK_THROWS_WITH(tensor_view<float>(&x, {huge, huge}, {0, 0}), ContainsSubstring("shape product"));
}
