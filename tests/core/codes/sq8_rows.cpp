#include <annulus/core/codes/sq8_rows.hpp>

#include "catch.hpp"
#include "core/rows.hpp"

using namespace annulus;
using namespace annulus::detail;

namespace {

template <class Integers, std::size_t Rows>
void check_products(const std::vector<std::int8_t>& query, const std::vector<std::vector<std::uint8_t>>& rows) {
  std::array<const std::uint8_t*, Rows> pointers;
  std::vector<std::int32_t> found(Rows, -1), expected(Rows, 0);
  for (std::size_t r = 0; r < Rows; ++r) {
    pointers[r] = rows[r].data();
    for (std::size_t i = 0; i < query.size(); ++i) expected[r] += query[i] * rows[r][i];
  }
  byte_products<Rows, Integers>(query.data(), pointers, query.size(), found.data());
  REQUIRE(found == expected);
}

template <class Integers>
void check_all(const std::vector<std::int8_t>& query, const std::vector<std::vector<std::uint8_t>>& rows) {
  check_products<Integers, 1>(query, rows);
  check_products<Integers, 2>(query, rows);
  check_products<Integers, 4>(query, rows);
}

/// Owned codes at random, with terms that keep ranks exact.
sq8_rows random_codes(std::size_t n, std::size_t d, product_form form, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  sq8_rows codes(n, d, form);
  for (std::size_t i = 0; i < n; ++i) {
    std::ranges::copy(rows::random_values<std::uint8_t>(d, generator), codes.row(i));
    codes.terms(i) = {std::ldexp(1.0f, static_cast<int>(i % 3) - 1), static_cast<float>(i)};
  }
  return codes;
}

/// The rank of two rows of codes by definition.
double naive_rank(const sq8_rows& codes, std::size_t a, std::size_t b) {
  double product = 0;
  for (std::size_t j = 0; j < codes.dim(); ++j) product += (codes.row(a)[j] - 128.0) * (codes.row(b)[j] - 128.0);
  const auto scale = [&](std::size_t i) { return static_cast<double>(codes.terms(i).scale); };
  const auto offset = [&](std::size_t i) { return static_cast<double>(codes.terms(i).offset); };
  const double factor = codes.form() == product_form::squared_l2 ? 2 : 1;
  return offset(a) + offset(b) - factor * scale(a) * scale(b) * product;
}

std::vector<float> ranks_of(const sq8_rows& codes, std::size_t a, const std::vector<id_type>& ids) {
  code_query query;
  codes.prepare(a, query);
  std::vector<float> out(ids.size());
  codes.ranks(query, ids, out.data());
  return out;
}

std::vector<std::uint8_t> bytes_of(const sq8_rows& codes, std::size_t i) {
  const sq8_rows& constant = codes;
  return {constant.row(i), constant.row(i) + constant.dim()};
}

const auto forms = {product_form::squared_l2, product_form::inner_product, product_form::cosine};

}  // namespace

TEMPLATE_TEST_CASE("products of bytes are exact at every length, and read no further", "[scalar_codes]", simd::integers,
                   simd::scalar_integers) {
  std::mt19937_64 generator(1);
  for (std::size_t n = 1; n <= 200; ++n) {
    CAPTURE(n);
    std::vector<std::vector<std::uint8_t>> rows;
    for (int r = 0; r < 4; ++r) rows.push_back(rows::random_values<std::uint8_t>(n, generator));
    check_all<TestType>(rows::random_values<std::int8_t>(n, generator), rows);
  }
}

TEMPLATE_TEST_CASE("products of extreme bytes are exact at every length", "[scalar_codes]", simd::integers,
                   simd::scalar_integers) {
  for (std::size_t n = 1; n <= 200; ++n)
    for (const int query : {-128, -127, 127}) {
      CAPTURE(n, query);
      std::vector<std::vector<std::uint8_t>> rows;
      for (const int row : {255, 0, 128, 127}) rows.emplace_back(n, static_cast<std::uint8_t>(row));
      check_all<TestType>(std::vector<std::int8_t>(n, static_cast<std::int8_t>(query)), rows);
    }
}

TEMPLATE_TEST_CASE("products of the longest rows fit 32 bits", "[scalar_codes]", simd::integers,
                   simd::scalar_integers) {
  const std::vector<std::vector<std::uint8_t>> rows(4, std::vector<std::uint8_t>(65536, 255));
  check_all<TestType>(std::vector<std::int8_t>(65536, -128), rows);
  check_all<TestType>(std::vector<std::int8_t>(65536, 127), rows);
}

TEST_CASE("ranks are offsets less the weighted product, for any number of rows", "[scalar_codes]") {
  for (const auto form : forms)
    for (const std::size_t d : {1u, 3u, 4u, 31u, 64u, 65u}) {
      const auto codes = random_codes(40, d, form, d);
      for (std::size_t count = 0; count <= 40; ++count) {
        std::vector<id_type> ids(count);
        for (std::size_t i = 0; i < count; ++i) ids[i] = static_cast<id_type>((7 * i + count) % 40);
        const auto found = ranks_of(codes, 3, ids);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < count; ++i) wrong += static_cast<double>(found[i]) != naive_rank(codes, 3, ids[i]);
        CAPTURE(d, count);
        REQUIRE(wrong == 0);
      }
    }
}

TEST_CASE("the rank of two rows has the bits of that of the same rows exchanged", "[scalar_codes]") {
  std::mt19937_64 generator(2);
  std::uniform_real_distribution<float> any(-3, 3);
  for (const auto form : forms) {
    auto codes = random_codes(50, 77, form, 3);
    for (std::size_t i = 0; i < 50; ++i)
      codes.terms(i) = {std::exp(10 * any(generator)), std::exp(10 * any(generator))};
    std::vector<id_type> all(50);
    std::iota(all.begin(), all.end(), id_type{0});
    std::vector<std::vector<float>> ranks;
    for (std::size_t a = 0; a < 50; ++a) ranks.push_back(ranks_of(codes, a, all));
    std::size_t wrong = 0;
    for (std::size_t a = 0; a < 50; ++a)
      for (std::size_t b = 0; b < a; ++b)
        wrong += std::bit_cast<std::uint32_t>(ranks[a][b]) != std::bit_cast<std::uint32_t>(ranks[b][a]);
    CHECK(wrong == 0);
  }
}

TEST_CASE("a row's rank does not depend on the rows beside it", "[scalar_codes]") {
  const auto codes = random_codes(30, 50, product_form::squared_l2, 4);
  std::vector<id_type> all(30);
  std::iota(all.begin(), all.end(), id_type{0});
  const auto together = ranks_of(codes, 9, all);
  for (id_type i = 0; i < 30; ++i) CHECK(ranks_of(codes, 9, {i})[0] == together[i]);
}

TEST_CASE("owned rows are padded with codes of zero, begin on cache lines where they span one, and resize",
          "[scalar_codes]") {
  for (const std::size_t d : {1u, 2u, 3u, 5u, 33u, 63u, 64u, 65u, 200u}) {
    sq8_rows codes(5, d, product_form::squared_l2);
    CAPTURE(d);
    CHECK(codes.size() == 5);
    CHECK(codes.dim() == d);
    CHECK(codes.row_bytes() >= d);
    if (d >= 64) CHECK(reinterpret_cast<std::uintptr_t>(codes.row(3)) % 64 == 0);
    for (std::size_t i = 0; i < 5; ++i)
      CHECK(std::all_of(codes.row(i), codes.row(i) + codes.row_bytes(), [](std::uint8_t c) { return c == 128; }));
    std::fill_n(codes.row(4), d, std::uint8_t{9});
    codes.resize(8);
    CHECK(codes.size() == 8);
    CHECK(codes.row(4)[d - 1] == 9);
    CHECK(codes.row(7)[0] == 128);
  }
}

TEST_CASE("a view reads the rows of a stride and no byte past them", "[scalar_codes]") {
  for (const std::size_t d : {1u, 2u, 3u, 15u, 16u, 17u, 63u, 64u, 65u, 100u})
    for (const std::size_t gap : {0u, 1u, 30u}) {
      constexpr std::size_t n = 21;
      std::mt19937_64 generator(d);
      const std::size_t stride = d + gap;
      const auto values = rows::random_values<std::uint8_t>((n - 1) * stride + d, generator);  // ends with its last row
      sq8_rows codes(matrix_view<std::uint8_t>(values.data(), n, d, stride), product_form::inner_product);
      for (std::size_t i = 0; i < n; ++i) codes.terms(i) = {1, static_cast<float>(i)};
      CHECK(codes.is_view());
      CHECK(codes.row_bytes() == d);
      std::vector<id_type> ids(n);
      std::iota(ids.rbegin(), ids.rend(), id_type{0});
      const auto found = ranks_of(codes, n - 1, ids);
      for (std::size_t i = 0; i < n; ++i) CHECK(static_cast<double>(found[i]) == naive_rank(codes, n - 1, ids[i]));
    }
}

TEST_CASE("reordering twice composes, of owned rows and of views", "[scalar_codes]") {
  for (const std::size_t n : {1u, 2u, 7u, 100u})
    for (const bool is_view : {false, true}) {
      std::mt19937_64 generator(n);
      const auto values = rows::random_values<std::uint8_t>(n * 5, generator);
      sq8_rows codes = is_view ? sq8_rows(matrix_view<std::uint8_t>(values.data(), n, 5), product_form::cosine)
                               : sq8_rows(n, 5, product_form::cosine);
      for (std::size_t i = 0; i < n; ++i) {
        codes.terms(i) = {static_cast<float>(i), static_cast<float>(2 * i)};
        if (!is_view) std::copy_n(values.data() + 5 * i, 5, codes.row(i));
      }
      std::vector<id_type> expected(n), order(n);
      std::iota(expected.begin(), expected.end(), id_type{0});
      for (int times = 0; times < 3; ++times) {
        std::iota(order.begin(), order.end(), id_type{0});
        std::ranges::shuffle(order, generator);
        codes.reorder(order);
        std::vector<id_type> next(n);
        for (std::size_t i = 0; i < n; ++i) next[i] = expected[order[i]];
        expected = next;
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < n; ++i) {
          const auto* row = values.data() + 5 * std::size_t{expected[i]};
          wrong += bytes_of(codes, i) != std::vector<std::uint8_t>(row, row + 5);
          wrong += codes.terms(i).scale != static_cast<float>(expected[i]);
          wrong += codes.terms(i).offset != static_cast<float>(2 * expected[i]);
        }
        CAPTURE(n, is_view, times);
        CHECK(wrong == 0);
      }
    }
}

TEST_CASE("an order that moves nothing moves nothing, and a reversal reverses", "[scalar_codes]") {
  const auto original = random_codes(9, 70, product_form::squared_l2, 6);
  auto codes = original;
  std::vector<id_type> order(9);
  std::iota(order.begin(), order.end(), id_type{0});
  codes.reorder(order);
  for (std::size_t i = 0; i < 9; ++i) CHECK(bytes_of(codes, i) == bytes_of(original, i));
  std::ranges::reverse(order);
  codes.reorder(order);
  for (std::size_t i = 0; i < 9; ++i) CHECK(bytes_of(codes, i) == bytes_of(original, 8 - i));
}
