#include <annulus/core/base/random.hpp>
#include <annulus/core/kernels/fixed_order_product.hpp>

#include "catch.hpp"

using namespace annulus;

namespace {

template <class T>
T entry(std::uint64_t seed, std::size_t i, std::size_t j) {
  return static_cast<T>(counter_random(seed).uniform(1000 * i + j) - 0.5);
}

template <class T>
detail::packed_matrix<T> packed(std::size_t depth, std::size_t columns) {
  return {depth, columns, [](std::size_t p, std::size_t c) { return entry<T>(1, p, c); }};
}

template <class T>
matrix<T> left(std::size_t rows, std::size_t depth) {
  matrix<T> values(rows, depth);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t p = 0; p < depth; ++p) values(i, p) = entry<T>(2, i, p);
  return values;
}

template <class T>
matrix<T> multiply(const detail::packed_matrix<T>& right, matrix_view<T> rows, std::size_t first, std::size_t last) {
  matrix<T> out(rows.rows(), last - first, T(99));
  right.multiply(rows, first, last, out.data(), last - first);
  return out;
}

/// The greatest error of a product, in units of T's rounding.
template <class T>
double error(std::size_t rows, std::size_t depth, std::size_t columns) {
  const auto right = packed<T>(depth, columns);
  const auto x = left<T>(rows, depth);
  const auto out = multiply<T>(right, x, 0, columns);
  double greatest = 0;
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t c = 0; c < columns; ++c) {
      double sum = 0;
      for (std::size_t p = 0; p < depth; ++p)
        sum += static_cast<double>(x(i, p)) * static_cast<double>(entry<T>(1, p, c));
      greatest = std::max(greatest, std::abs(static_cast<double>(out(i, c)) - sum));
    }
  return greatest / static_cast<double>(std::numeric_limits<T>::epsilon());
}

}  // namespace

TEST_CASE("products are those of double arithmetic for every ragged shape", "[packed_matrix]") {
  for (const std::size_t depth : {0u, 1u, 2u, 7u, 70u})
    for (const std::size_t columns : {1u, 7u, 8u, 9u, 31u, 33u, 63u, 64u, 65u, 127u, 129u, 300u})
      for (const std::size_t rows : {1u, 5u, 6u, 7u, 12u, 20u}) {
        REQUIRE(error<float>(rows, depth, columns) <= 4 + static_cast<double>(depth));
        REQUIRE(error<double>(rows, depth, columns) <= 4 + static_cast<double>(depth));
      }
}

TEST_CASE("no rows and no columns have no products", "[packed_matrix]") {
  const auto right = packed<float>(5, 40);
  CHECK(multiply<float>(right, matrix<float>(0, 5), 0, 40).size() == 0);
  CHECK(multiply<float>(right, left<float>(7, 5), 12, 12) == matrix<float>(7, 0));
  CHECK(multiply<float>(packed<float>(5, 0), left<float>(7, 5), 0, 0) == matrix<float>(7, 0));
}

TEST_CASE("a row's products have the same bits alone and in any batch", "[packed_matrix]") {
  const auto check = [](auto number) {
    using T = decltype(number);
    const auto right = packed<T>(37, 150);
    const auto rows = left<T>(20, 37);
    const auto all = multiply<T>(right, rows, 0, 150);
    bool equal = true;
    for (std::size_t first = 0; first < 20; ++first)
      for (std::size_t count = 1; first + count <= 20; ++count) {
        const auto some = multiply<T>(right, matrix_view<T>(rows).middle_rows(first, count), 0, 150);
        equal &= std::equal(some.data(), some.data() + count * 150, all.data() + first * 150);
      }
    CHECK(equal);
  };
  check(0.0f);
  check(0.0);
}

TEST_CASE("a column's products have the same bits in any range of columns", "[packed_matrix]") {
  const auto right = packed<float>(19, 200);
  for (const std::size_t n : {1u, 13u}) {
    const auto rows = left<float>(n, 19);
    const auto all = multiply<float>(right, rows, 0, 200);
    for (const auto& [first, last] : std::vector<std::pair<std::size_t, std::size_t>>{
             {0, 1}, {1, 2}, {63, 65}, {64, 128}, {5, 199}, {127, 200}, {199, 200}, {33, 34}}) {
      const auto some = multiply<float>(right, rows, first, last);
      bool equal = true;
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t c = first; c < last; ++c) equal &= some(i, c - first) == all(i, c);
      CHECK(equal);
    }
  }
}

TEST_CASE("columns do not depend on how many there are", "[packed_matrix]") {
  const auto rows = left<float>(8, 21);
  const auto many = multiply<float>(packed<float>(21, 260), rows, 0, 17);
  CHECK(many == multiply<float>(packed<float>(21, 17), rows, 0, 17));
}

TEST_CASE("products are written to the places asked for and no others", "[packed_matrix]") {
  const auto right = packed<double>(11, 90);
  const auto rows = left<double>(15, 11);
  const auto all = multiply<double>(right, rows, 0, 90);
  matrix<double> out(15, 50, 7.0);
  right.multiply(rows, 20, 61, out.data() + 3, 50);
  bool equal = true;
  for (std::size_t i = 0; i < 15; ++i)
    for (std::size_t j = 0; j < 50; ++j) equal &= out(i, j) == (j < 3 || j >= 44 ? 7.0 : all(i, j - 3 + 20));
  CHECK(equal);
}

TEST_CASE("rows apart in memory are multiplied as packed ones", "[packed_matrix]") {
  const auto right = packed<float>(10, 70);
  const auto wide = left<float>(14, 13);
  const auto strided = multiply<float>(right, matrix_view<float>(wide.data(), 14, 10, 13), 0, 70);
  CHECK(strided == multiply<float>(right, left<float>(14, 10), 0, 70));
}

TEST_CASE("a packed matrix knows its shape and bytes", "[packed_matrix]") {
  const auto right = packed<float>(10, 70);
  CHECK(right.depth() == 10);
  CHECK(right.columns() == 70);
  CHECK(right.memory_bytes() >= 10 * 70 * sizeof(float));
  CHECK(detail::packed_matrix<float>{}.memory_bytes() == 0);
}
