#include <Eigen/Core>
#include <annulus/core/kernels/dense_kernels.hpp>

#include "catch.hpp"
#include "core/rows.hpp"

using namespace annulus;
using Eigen::bfloat16;
using Eigen::half;

// Every kernel is tried on one floating-point and one 8-bit type, and every element type on two kernels: the loops are
// the same for all, and one_to_one is tried on all of both.

namespace {

using lengths = std::vector<std::size_t>;
const lengths none;

/// The lengths at which a form of a kernel differs in any bit from one_to_one, each for a count of rows that leaves one
/// over whatever number is taken at once; and all smaller counts at one length.
template <class Kernel, class T, class Form>
lengths different_lengths(Form form) {
  using result = kernel_result<Kernel, T>;
  std::mt19937_64 generator(2);
  lengths different;
  const auto try_shape = [&](std::size_t d, std::size_t count) {
    const std::size_t stride = d + 3;
    const auto query = rows::random_values<T>(d, generator);
    const auto data = rows::random_values<T>(count == 0 ? 0 : (count - 1) * stride + d, generator);
    std::vector<result> found(count), expected(count);
    for (std::size_t i = 0; i < count; ++i) expected[i] = one_to_one<Kernel>(query.data(), data.data() + i * stride, d);
    form(query.data(), d, data.data(), stride, count, found.data());
    if (count > 0 && std::memcmp(found.data(), expected.data(), count * sizeof(result)) != 0) different.push_back(d);
  };
  for (std::size_t d = 0; d <= 130; ++d) try_shape(d, 9);
  for (std::size_t count = 0; count < 9; ++count) try_shape(37, count);
  return different;
}

template <class Kernel, class T>
lengths one_to_many_differs() {
  return different_lengths<Kernel, T>([](auto query, auto d, auto data, auto stride, auto count, auto out) {
    one_to_many<Kernel>(query, d, data, stride, count, out);
  });
}

/// Gathers the rows from last to first, and puts the results back in order.
template <class Kernel, class T>
lengths one_to_gathered_differs() {
  return different_lengths<Kernel, T>([](auto query, auto d, auto data, auto stride, auto count, auto out) {
    std::vector<std::uint32_t> ids;
    for (std::size_t i = count; i-- > 0;) ids.push_back(static_cast<std::uint32_t>(i));
    one_to_gathered<Kernel>(query, d, data, stride, std::span<const std::uint32_t>(ids), out);
    std::reverse(out, out + count);
  });
}

template <class Kernel, class T>
lengths many_to_many_differs() {
  using result = kernel_result<Kernel, T>;
  return different_lengths<Kernel, T>([](auto query, auto d, auto data, auto stride, auto count, auto out) {
    // Two queries, the second being the one that is checked, into a tile wider than its rows.
    std::vector<T> queries(d + 1 + d);
    std::copy_n(query, d, queries.begin() + static_cast<std::ptrdiff_t>(d + 1));
    const std::size_t out_stride = count + 2;
    std::vector<result> tile(out_stride + count);
    many_to_many<Kernel>(queries.data(), d + 1, 2, data, stride, count, d, tile.data(), out_stride);
    std::copy_n(tile.begin() + static_cast<std::ptrdiff_t>(out_stride), count, out);
  });
}

template <class T, class... Kernels>
void has_one_result_in_every_form(Kernels... kernels) {
  const auto check = [](auto kernel) {
    using kernel_type = decltype(kernel);
    CHECK(one_to_many_differs<kernel_type, T>() == none);
    CHECK(one_to_gathered_differs<kernel_type, T>() == none);
    CHECK(many_to_many_differs<kernel_type, T>() == none);
  };
  (check(kernels), ...);
}

}  // namespace

TEST_CASE("every form returns the bits of one_to_one, for every kernel of floats", "[distance]") {
  has_one_result_in_every_form<float>(kernels::squared_l2{}, kernels::inner_product{}, kernels::l1{}, kernels::linf{},
                                      kernels::cosine_terms{});
}

TEST_CASE("every form returns the bits of one_to_one, for every kernel of bytes", "[distance]") {
  has_one_result_in_every_form<std::uint8_t>(kernels::squared_l2{}, kernels::inner_product{}, kernels::l1{},
                                             kernels::linf{}, kernels::bit_hamming{}, kernels::cosine_terms{});
}

TEMPLATE_TEST_CASE("every form returns the bits of one_to_one, for every element type", "[distance]", double, half,
                   bfloat16, std::int8_t) {
  has_one_result_in_every_form<TestType>(kernels::squared_l2{}, kernels::inner_product{});
}

TEST_CASE("rows may be gathered by ids of any integer type, repeated", "[distance]") {
  const std::vector<float> data{0, 1, 2, 3, 4, 5};
  const float query[] = {0, 0};
  const std::vector<std::int64_t> ids{2, 2, 0, 1, 2, 0, 2};
  std::vector<float> sums(ids.size());
  one_to_gathered<kernels::l1>(query, 2, data.data(), 2, std::span<const std::int64_t>(ids), sums.data());
  CHECK(sums == std::vector<float>{9, 9, 1, 5, 9, 1, 9});
}

TEST_CASE("a tile is written inside its columns only", "[distance]") {
  std::mt19937_64 generator(3);
  const auto queries = rows::random_values<float>(3 * 5, generator),
             data = rows::random_values<float>(7 * 5, generator);
  std::vector<float> tile(3 * 10, -1);
  many_to_many<kernels::squared_l2>(queries.data(), 5, 3, data.data(), 5, 7, 5, tile.data(), 10);
  std::size_t untouched = 0;
  for (std::size_t i = 0; i < 3; ++i)
    untouched += static_cast<std::size_t>(std::count(tile.data() + i * 10 + 7, tile.data() + i * 10 + 10, -1.0f));
  CHECK(untouched == 3 * 3);
}
