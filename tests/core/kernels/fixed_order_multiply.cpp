#include <annulus/core/kernels/fixed_order_product.hpp>

#include "catch.hpp"
#include "core/rows.hpp"

#include <bit>

using annulus::matrix;
using annulus::matrix_view;
using annulus::detail::multiplied;
using annulus::detail::transposed_product;

namespace {

/// Random rows with NaN between them, up to the last value of the last row.
class strided_rows {
 public:
  strided_rows(std::size_t n, std::size_t cols, std::size_t gap, std::uint64_t seed)
      : m_n(n), m_cols(cols), m_stride(cols + gap) {
    std::mt19937_64 generator(seed);
    m_values = rows::random_values<float>(n == 0 ? 0 : (n - 1) * m_stride + cols, generator);
    for (std::size_t i = 0; i < m_values.size(); ++i)
      if (i % m_stride >= cols) m_values[i] = std::numeric_limits<float>::quiet_NaN();
  }

  matrix_view<float> view() const { return {m_values.data(), m_n, m_cols, m_stride}; }
  std::span<float> row(std::size_t i) { return {m_values.data() + i * m_stride, m_cols}; }

  /// Whole numbers from -4 to 4, of which sums are exact.
  strided_rows&& rounded() && {
    for (float& x : m_values) x = std::nearbyint(4 * x);
    return std::move(*this);
  }

 private:
  std::size_t m_n, m_cols, m_stride;
  std::vector<float> m_values;
};

struct shape {
  std::size_t p, d;
};

/// Ends of vectors of 4, 8 and 16 floats, of tiles of 8, 16 and 64 columns, and of blocks of 256 terms.
constexpr shape shapes[] = {{1, 1},    {2, 17},   {15, 2},   {16, 16}, {17, 65},  {63, 63}, {64, 64},
                            {65, 130}, {130, 15}, {256, 33}, {257, 1}, {300, 64}, {513, 9}, {300, 130}};

double term(matrix_view<float> a, matrix_view<float> b, std::size_t i, std::size_t p, std::size_t c) {
  return static_cast<double>(a.row(i)[p]) * static_cast<double>(b.row(p)[c]);
}

matrix<float> transposed(matrix_view<float> m) {
  matrix<float> t(m.cols(), m.rows());
  for (std::size_t i = 0; i < m.rows(); ++i)
    for (std::size_t j = 0; j < m.cols(); ++j) t(j, i) = m.row(i)[j];
  return t;
}

/// How many elements differ from sums of doubles, by more than `roundings` of each term.
std::size_t n_wrong(const matrix<float>& found, matrix_view<float> a, matrix_view<float> b, double roundings) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < a.rows(); ++i)
    for (std::size_t c = 0; c < b.cols(); ++c) {
      double sum = 0, size = 0;
      for (std::size_t p = 0; p < b.rows(); ++p) {
        sum += term(a, b, i, p, c);
        size += std::abs(term(a, b, i, p, c));
      }
      wrong += !(std::abs(static_cast<double>(found(i, c)) - sum) <= roundings * 0x1p-24 * size);
    }
  return wrong;
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return std::ranges::equal(
      a, b, [](float x, float y) { return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y); });
}

}  // namespace

TEST_CASE("a product of whole numbers is exact at every shape", "[multiply]") {
  for (const auto [p, d] : shapes)
    for (const std::size_t n : {1u, 5u, 6u, 7u, 8u, 13u, 385u}) {
      const auto a = strided_rows(n, p, 0, p).rounded(), b = strided_rows(p, d, 0, d).rounded();
      const matrix<float> product = multiplied(a.view(), b.view(), 1);
      CAPTURE(n, p, d);
      REQUIRE(product.rows() == n);
      REQUIRE(product.cols() == d);
      REQUIRE(n_wrong(product, a.view(), b.view(), 0) == 0);
    }
}

TEST_CASE("a transposed product of whole numbers is exact at every shape", "[multiply]") {
  for (const std::size_t n : {1u, 5u, 13u, 255u, 256u, 257u, 600u})
    for (const auto [p, d] : {shape{1, 1}, {2, 17}, {5, 64}, {6, 65}, {7, 130}, {13, 15}, {33, 8}}) {
      const auto a = strided_rows(n, p, 0, p).rounded(), b = strided_rows(n, d, 0, d).rounded();
      const matrix<float> product = transposed_product(a.view(), b.view(), 1);
      CAPTURE(n, p, d);
      REQUIRE(product.rows() == p);
      REQUIRE(product.cols() == d);
      REQUIRE(n_wrong(product, transposed(a.view()), b.view(), 0) == 0);
    }
}

TEST_CASE("products of any numbers are right to within a rounding a term", "[multiply]") {
  for (const auto [p, d] : {shape{3, 5}, {64, 130}, {300, 33}, {513, 9}}) {
    const strided_rows a(40, p, 0, 1), b(p, d, 0, 2);
    const auto roundings = static_cast<double>(p + 2);
    CAPTURE(p, d);
    CHECK(n_wrong(multiplied(a.view(), b.view(), 1), a.view(), b.view(), roundings) == 0);
    const matrix<float> upright = transposed(a.view());
    CHECK(n_wrong(transposed_product(upright, b.view(), 1), a.view(), b.view(), roundings) == 0);
  }
}

TEST_CASE("products of nothing are empty or zero", "[multiply]") {
  const matrix<float> no_terms = multiplied(matrix<float>(9, 0), matrix<float>(0, 20), 1);
  CHECK(no_terms == matrix<float>(9, 20));
  CHECK(transposed_product(matrix<float>(0, 9), matrix<float>(0, 20), 1) == no_terms);
  CHECK(multiplied(matrix<float>(0, 3), matrix<float>(3, 20), 1) == matrix<float>(0, 20));
  CHECK(multiplied(matrix<float>(9, 3), matrix<float>(3, 0), 1) == matrix<float>(9, 0));
  CHECK(transposed_product(matrix<float>(3, 0), matrix<float>(3, 20), 1) == matrix<float>(0, 20));
  CHECK(transposed_product(matrix<float>(3, 9), matrix<float>(3, 0), 1) == matrix<float>(9, 0));
}

TEST_CASE("a row's product has the same bits alone, in any batch, and at the end of blocks", "[multiply]") {
  constexpr std::size_t n = 400;
  for (const auto [p, d] : {shape{16, 1}, {65, 17}, {257, 64}, {300, 130}}) {
    const strided_rows a(n, p, 0, 1), b(p, d, 0, 2);
    const matrix<float> all = multiplied(a.view(), b.view(), 1);
    const auto n_different = [&](std::size_t first, std::size_t count) {
      const matrix<float> part = multiplied(a.view().middle_rows(first, count), b.view(), 1);
      std::size_t different = 0;
      for (std::size_t i = 0; i < count; ++i) different += !same_bits(part.row(i), all.row(first + i));
      return different;
    };
    CAPTURE(p, d);
    for (std::size_t i = 0; i < n; i += 7) REQUIRE(n_different(i, 1) == 0);
    for (std::size_t count = 1; count <= 20; ++count)
      for (const std::size_t first : {0u, 3u, 380u}) REQUIRE(n_different(first, count) == 0);
    for (const std::size_t count : {385u, 391u, 392u}) REQUIRE(n_different(0, count) == 0);
  }
}

TEST_CASE("an element's terms are added in the same order however they are reached", "[multiply]") {
  const strided_rows a(600, 13, 0, 1), b(600, 70, 0, 2);
  const matrix<float> one = transposed_product(a.view(), b.view(), 1);
  const matrix<float> other = multiplied(transposed(a.view()), b.view(), 1);
  for (std::size_t i = 0; i < one.rows(); ++i) CHECK(same_bits(one.row(i), other.row(i)));
}

TEST_CASE("what lies between the rows of a view is not read into products", "[multiply]") {
  for (const std::size_t gap : {1u, 30u})
    for (const std::size_t n : {1u, 7u, 385u}) {
      const strided_rows a(n, 33, gap, 1), b(33, 19, gap, 2), c(n, 19, gap, 3);
      CAPTURE(n, gap);
      CHECK(n_wrong(multiplied(a.view(), b.view(), 1), a.view(), b.view(), 35) == 0);
      const matrix<float> upright = transposed(a.view());
      CHECK(n_wrong(transposed_product(a.view(), c.view(), 1), upright, c.view(), static_cast<double>(n + 2)) == 0);
    }
}

TEST_CASE("a row that is not finite leaves the other rows' products as they are", "[multiply]") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    for (const std::size_t i : {0u, 7u, 19u}) {
      strided_rows a(20, 40, 0, 1);
      const strided_rows b(40, 21, 0, 2);
      const matrix<float> before = multiplied(a.view(), b.view(), 1);
      a.row(i)[3] = bad;
      const matrix<float> after = multiplied(a.view(), b.view(), 1);
      for (std::size_t r = 0; r < 20; ++r) CHECK(same_bits(before.row(r), after.row(r)) == (r != i));
    }
}

TEST_CASE("products have the same bits for every number of threads", "[multiply]") {
  const strided_rows a(2000, 70, 0, 1), b(70, 90, 0, 2), c(2000, 290, 0, 3);
  const matrix<float> product = multiplied(a.view(), b.view(), 1);
  const matrix<float> upright = transposed_product(a.view(), c.view(), 1);
  for (const std::size_t threads : {0u, 2u, 3u, 8u}) {
    const matrix<float> same_product = multiplied(a.view(), b.view(), threads);
    const matrix<float> same_upright = transposed_product(a.view(), c.view(), threads);
    CHECK(same_bits({product.data(), 2000 * 90}, {same_product.data(), 2000 * 90}));
    CHECK(same_bits({upright.data(), 70 * 290}, {same_upright.data(), 70 * 290}));
  }
}
