#include <Eigen/Core>
#include <annulus/core/kernels/dense_kernels.hpp>

#include "catch.hpp"
#include "core/rows.hpp"

#include <cmath>

using namespace annulus;
using Eigen::bfloat16;
using Eigen::half;

namespace {

using lengths = std::vector<std::size_t>;
const lengths none;

/// A kernel's value in long double, and the sum of the magnitudes of its terms, which bounds its rounding.
struct exact_value {
  long double value = 0, magnitude = 0;
};

template <class Kernel, class T>
exact_value reference(const T* a, const T* b, std::size_t d) {
  exact_value sum;
  for (std::size_t i = 0; i < d; ++i) {
    const auto x = static_cast<long double>(static_cast<double>(a[i]));
    const auto y = static_cast<long double>(static_cast<double>(b[i]));
    long double term = 0;
    if constexpr (std::same_as<Kernel, kernels::squared_l2>) term = (x - y) * (x - y);
    if constexpr (std::same_as<Kernel, kernels::inner_product>) term = x * y;
    if constexpr (std::same_as<Kernel, kernels::l1>) term = std::abs(x - y);
    if constexpr (std::same_as<Kernel, kernels::linf>) term = std::max(std::abs(x - y), sum.value) - sum.value;
    if constexpr (std::same_as<Kernel, kernels::bit_hamming>)
      term =
          std::popcount(static_cast<std::uint8_t>(static_cast<std::uint8_t>(a[i]) ^ static_cast<std::uint8_t>(b[i])));
    sum.value += term;
    sum.magnitude += std::abs(term);
  }
  return sum;
}

/// Equal for 8-bit rows, else within what d roundings of the terms can do.
template <class T, class Result>
bool agrees(Result result, const exact_value& exact, std::size_t d) {
  const auto error = std::abs(static_cast<long double>(result) - exact.value);
  if constexpr (detail::is_byte<T>) return error == 0;
  else return error <= static_cast<long double>(d + 3) * std::numeric_limits<Result>::epsilon() * exact.magnitude;
}

template <class Kernel, class T>
bool is_right(const T* a, const T* b, std::size_t d) {
  const auto result = one_to_one<Kernel>(a, b, d);
  if constexpr (std::same_as<Kernel, kernels::cosine_terms>)
    return agrees<T>(result.dot, reference<kernels::inner_product>(a, b, d), d) &&
           agrees<T>(result.norm, reference<kernels::inner_product>(b, b, d), d);
  else return agrees<T>(result, reference<Kernel>(a, b, d), d);
}

/// The lengths at which a kernel is wrong, for rows that start anywhere and end where their memory ends.
template <class Kernel, class T>
lengths wrong_lengths() {
  std::mt19937_64 generator(1);
  lengths wrong;
  for (std::size_t d = 0; d <= 130; ++d)
    for (const std::size_t offset : {0u, 1u, 3u}) {
      const auto a = rows::random_values<T>(offset + d, generator), b = rows::random_values<T>(1 + d, generator);
      if (!is_right<Kernel>(a.data() + offset, b.data() + 1, d)) wrong.push_back(d);
    }
  return wrong;
}

constexpr std::int64_t n_constant = 262147;  // sums of so many squares need more than 32 bits

/// Of elements all alike.
template <class Kernel, class T>
auto of_constant_rows(int a, int b) {
  const std::vector<T> x(n_constant, static_cast<T>(a)), y(n_constant, static_cast<T>(b));
  return one_to_one<Kernel>(x.data(), y.data(), n_constant);
}

}  // namespace

TEMPLATE_TEST_CASE("one_to_one agrees with a sum in long double at every length and offset", "[distance]", float,
                   double, half, bfloat16, std::uint8_t, std::int8_t) {
  CHECK(wrong_lengths<kernels::squared_l2, TestType>() == none);
  CHECK(wrong_lengths<kernels::inner_product, TestType>() == none);
  CHECK(wrong_lengths<kernels::l1, TestType>() == none);
  CHECK(wrong_lengths<kernels::linf, TestType>() == none);
  CHECK(wrong_lengths<kernels::cosine_terms, TestType>() == none);
}

TEMPLATE_TEST_CASE("one_to_one counts differing bits at every length and offset", "[distance]", std::uint8_t,
                   std::int8_t) {
  CHECK(wrong_lengths<kernels::bit_hamming, TestType>() == none);
}

TEMPLATE_TEST_CASE("symmetric kernels return the same bits for exchanged rows", "[distance]", float, double, half,
                   std::int8_t) {
  std::mt19937_64 generator(4);
  lengths asymmetric;
  const auto differs = [](auto x, auto y) { return std::memcmp(&x, &y, sizeof x) != 0; };
  for (std::size_t d = 0; d <= 130; ++d) {
    const auto a = rows::random_values<TestType>(d, generator), b = rows::random_values<TestType>(d, generator);
    const auto check = [&](auto kernel) {
      using kernel_type = decltype(kernel);
      const auto there = one_to_one<kernel_type>(a.data(), b.data(), d);
      const auto back = one_to_one<kernel_type>(b.data(), a.data(), d);
      if (differs(there, back)) asymmetric.push_back(d);
    };
    check(kernels::squared_l2{});
    check(kernels::inner_product{});
    check(kernels::l1{});
    check(kernels::linf{});
  }
  CHECK(asymmetric == none);
}

TEMPLATE_TEST_CASE("the norm among the terms of a cosine has the bits of the inner product of the row with itself",
                   "[distance]", float, double, bfloat16, std::uint8_t) {
  std::mt19937_64 generator(5);
  lengths different;
  for (std::size_t d = 0; d <= 130; ++d) {
    const auto a = rows::random_values<TestType>(d, generator), b = rows::random_values<TestType>(d, generator);
    const auto norm = one_to_one<kernels::cosine_terms>(a.data(), b.data(), d).norm;
    const auto product = one_to_one<kernels::inner_product>(b.data(), b.data(), d);
    if (std::memcmp(&norm, &product, sizeof norm) != 0) different.push_back(d);
  }
  CHECK(different == none);
}

TEST_CASE("uint8 kernels are exact for 262,147 coordinates at their extremes", "[distance]") {
  constexpr std::int64_t d = n_constant, square = d * 255 * 255;
  using byte = std::uint8_t;
  CHECK(of_constant_rows<kernels::squared_l2, byte>(255, 0) == square);
  CHECK(of_constant_rows<kernels::squared_l2, byte>(0, 255) == square);
  CHECK(of_constant_rows<kernels::squared_l2, byte>(255, 255) == 0);
  CHECK(of_constant_rows<kernels::inner_product, byte>(255, 255) == square);
  CHECK(of_constant_rows<kernels::inner_product, byte>(255, 0) == 0);
  CHECK(of_constant_rows<kernels::l1, byte>(0, 255) == d * 255);
  CHECK(of_constant_rows<kernels::linf, byte>(0, 255) == 255);
  CHECK(of_constant_rows<kernels::bit_hamming, byte>(0, 255) == d * 8);
  CHECK(of_constant_rows<kernels::cosine_terms, byte>(1, 255).dot == d * 255);
  CHECK(of_constant_rows<kernels::cosine_terms, byte>(1, 255).norm == square);
}

TEST_CASE("int8 kernels are exact for 262,147 coordinates at their extremes", "[distance]") {
  constexpr std::int64_t d = n_constant;
  using byte = std::int8_t;
  CHECK(of_constant_rows<kernels::squared_l2, byte>(-128, 127) == d * 255 * 255);
  CHECK(of_constant_rows<kernels::squared_l2, byte>(127, -128) == d * 255 * 255);
  CHECK(of_constant_rows<kernels::squared_l2, byte>(-128, -128) == 0);
  CHECK(of_constant_rows<kernels::inner_product, byte>(-128, -128) == d * 128 * 128);
  CHECK(of_constant_rows<kernels::inner_product, byte>(-128, 127) == -d * 128 * 127);
  CHECK(of_constant_rows<kernels::inner_product, byte>(127, 127) == d * 127 * 127);
  CHECK(of_constant_rows<kernels::l1, byte>(-128, 127) == d * 255);
  CHECK(of_constant_rows<kernels::linf, byte>(127, -128) == 255);
  CHECK(of_constant_rows<kernels::bit_hamming, byte>(-1, 0) == d * 8);
  CHECK(of_constant_rows<kernels::cosine_terms, byte>(127, -128).dot == -d * 128 * 127);
  CHECK(of_constant_rows<kernels::cosine_terms, byte>(127, -128).norm == d * 128 * 128);
}

TEMPLATE_TEST_CASE("8-bit kernels are exact for 200,001 random coordinates", "[distance]", std::uint8_t, std::int8_t) {
  std::mt19937_64 generator(6);
  const auto a = rows::random_values<TestType>(200001, generator), b = rows::random_values<TestType>(200001, generator);
  CHECK(is_right<kernels::squared_l2>(a.data(), b.data(), a.size()));
  CHECK(is_right<kernels::inner_product>(a.data(), b.data(), a.size()));
  CHECK(is_right<kernels::l1>(a.data(), b.data(), a.size()));
  CHECK(is_right<kernels::linf>(a.data(), b.data(), a.size()));
  CHECK(is_right<kernels::bit_hamming>(a.data(), b.data(), a.size()));
}

TEST_CASE("a kernel's result has the type of its accumulator", "[distance]") {
  STATIC_REQUIRE(std::same_as<kernel_result<kernels::squared_l2, float>, float>);
  STATIC_REQUIRE(std::same_as<kernel_result<kernels::squared_l2, half>, float>);
  STATIC_REQUIRE(std::same_as<kernel_result<kernels::inner_product, bfloat16>, float>);
  STATIC_REQUIRE(std::same_as<kernel_result<kernels::linf, double>, double>);
  STATIC_REQUIRE(std::same_as<kernel_result<kernels::squared_l2, std::int8_t>, std::uint64_t>);
  STATIC_REQUIRE(std::same_as<kernel_result<kernels::inner_product, std::uint8_t>, std::int64_t>);
  STATIC_REQUIRE(std::same_as<kernel_result<kernels::inner_product, std::int8_t>, std::int64_t>);
}

TEST_CASE("hamming takes bytes alone, and no kernel takes other integers", "[distance]") {
  STATIC_REQUIRE(kernel_for<kernels::bit_hamming, std::uint8_t>);
  STATIC_REQUIRE(!kernel_for<kernels::bit_hamming, float>);
  STATIC_REQUIRE(!kernel_for<kernels::squared_l2, int>);
}
