#include <annulus/quantization/scan/scan_4_bits.hpp>

#include "catch.hpp"
#include "random_data.hpp"

#include <random>
#include <set>
#include <tuple>

using namespace annulus;
using namespace annulus::detail;

namespace {

matrix<std::uint8_t> random_codes(std::size_t n, std::size_t m, std::mt19937& generator) {
  return ::random_codes<std::uint8_t>(n, m, 16, generator);
}

template <class Order>
blocks_4_bits<Order> blocks_of(const matrix<std::uint8_t>& codes) {
  blocks_4_bits<Order> blocks(codes.cols());
  blocks.append(codes);
  return blocks;
}

/// The tables of some queries as a scan takes them, from bytes at random.
struct tables {
  template <class Blocks>
  tables(const Blocks& blocks, std::size_t queries, std::uint32_t greatest, std::mt19937& generator)
      : stride(blocks.table_bytes()), bytes(queries * stride) {
    for (std::size_t q = 0; q < queries; ++q)
      for (std::size_t i = 0; i < blocks.m() * 16; ++i)
        bytes[q * stride + i] = static_cast<std::uint8_t>(generator() % (greatest + 1));
  }
  std::uint32_t sum(std::size_t q, std::span<const std::uint8_t> code) const {
    std::uint32_t result = 0;
    for (std::size_t m = 0; m < code.size(); ++m) result += bytes[q * stride + 16 * m + code[m]];
    return result;
  }
  std::size_t stride;
  aligned_vector<std::uint8_t> bytes;
};

using hits = std::set<std::tuple<std::size_t, std::size_t, std::uint32_t>>;  // query, code, sum

/// What a scan of all blocks reports of the codes that are there, for `queries` queries.
template <class Kernel>
hits scan(const blocks_4_bits<typename Kernel::order>& blocks, const tables& t, std::size_t queries,
          const std::vector<std::uint16_t>& limits) {
  hits found;
  std::size_t repeated = 0;
  for (std::size_t q = 0; q < queries;)
    q += scan_codes<Kernel>(blocks, 0, blocks.blocks(), t.bytes.data() + q * t.stride, limits.data() + q, queries - q,
                            [&, q](std::size_t i, std::size_t first, std::uint32_t below, const std::uint16_t* sums) {
                              for (std::size_t v = 0; v < 32; ++v)
                                if ((below >> v & 1u) != 0 && first + v < blocks.size())
                                  repeated += !found.emplace(q + i, first + v, sums[v]).second;
                            });
  CHECK(repeated == 0);
  return found;
}

template <class Kernel>
void check(const matrix<std::uint8_t>& codes, std::size_t queries, std::uint32_t greatest, std::mt19937& generator) {
  const auto blocks = blocks_of<typename Kernel::order>(codes);
  const tables t(blocks, queries, greatest, generator);
  std::vector<std::uint16_t> limits;
  hits expected;
  for (std::size_t q = 0; q < queries; ++q) {
    // A sum that occurs is the limit, so that ties with it are at stake; or none or all are below.
    const std::uint32_t middle = t.sum(q, codes.row(generator() % codes.rows()));
    limits.push_back(static_cast<std::uint16_t>(q % 5 == 3 ? 0u : q % 5 == 4 ? 65535u : middle));
    for (std::size_t i = 0; i < codes.rows(); ++i)
      if (const auto sum = t.sum(q, codes.row(i)); sum < limits[q]) expected.emplace(q, i, sum);
  }
  CAPTURE(codes.rows(), codes.cols(), queries);
  REQUIRE(scan<Kernel>(blocks, t, queries, limits) == expected);
}

using all_kernels = std::tuple<scalar_nibbles<pair_order>, scalar_nibbles<quad_order>
#if defined(__SSSE3__)
                               ,
                               shuffled_nibbles<xmm_bytes>
#endif
#if defined(__AVX2__)
                               ,
                               shuffled_nibbles<ymm_bytes>
#endif
#if defined(__AVX512VBMI__) && defined(__AVX512VNNI__)
                               ,
                               permuted_nibbles
#endif
#if defined(__aarch64__)
                               ,
                               shuffled_nibbles<neon_bytes>
#endif
                               >;

std::vector<std::size_t> widths() {
  std::vector<std::size_t> result;
  for (std::size_t m = 1; m <= 40; ++m) result.push_back(m);
  for (const std::size_t m : {64u, 96u}) result.push_back(m);
  return result;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("a scan finds the sums below each query's limit, for any number of sub-quantisers",
                        "[nibble_scan]", all_kernels) {
  std::mt19937 generator(1);
  for (const std::size_t m : widths()) check<TestType>(random_codes(75, m, generator), 7, 255, generator);
}

TEMPLATE_LIST_TEST_CASE("a scan finds the sums below each query's limit, for any number of codes", "[nibble_scan]",
                        all_kernels) {
  std::mt19937 generator(2);
  for (std::size_t n = 1; n <= 100; ++n) check<TestType>(random_codes(n, 5, generator), 1 + n % 6, 3, generator);
  for (const std::size_t n : {127u, 128u, 129u, 1000u})
    check<TestType>(random_codes(n, 8, generator), 9, 20, generator);
}

TEMPLATE_LIST_TEST_CASE("a lone code below one query's limit is found wherever it stands", "[nibble_scan]",
                        all_kernels) {
  std::mt19937 generator(10);
  matrix<std::uint8_t> codes(70, 3, 9);
  for (std::size_t i = 0; i < 70; ++i) {
    codes(i, 1) = 4;
    const auto blocks = blocks_of<typename TestType::order>(codes);
    tables t(blocks, 4, 0, generator);
    std::fill(t.bytes.begin(), t.bytes.end(), std::uint8_t{5});
    for (std::size_t q = 0; q < 4; ++q) {
      CAPTURE(i, q);
      t.bytes[q * t.stride + 16 + 4] = 0;
      for (std::size_t other = 0; other < 4; ++other)  // what fills up the tables is zero
        std::fill_n(t.bytes.data() + other * t.stride + 48, t.stride - 48, std::uint8_t{0});
      REQUIRE(scan<TestType>(blocks, t, 4, std::vector<std::uint16_t>(4, 11)) == hits{{q, i, 10}});
      t.bytes[q * t.stride + 16 + 4] = 5;
    }
    codes(i, 1) = 9;
  }
}

TEMPLATE_LIST_TEST_CASE("the largest sums do not wrap", "[nibble_scan]", all_kernels) {
  std::mt19937 generator(3);
  const auto codes = random_codes(33, 256, generator);
  const auto blocks = blocks_of<typename TestType::order>(codes);
  tables t(blocks, 5, 0, generator);
  for (std::size_t q = 0; q < 5; ++q) std::fill_n(t.bytes.data() + q * t.stride, 256 * 16, std::uint8_t{255});
  CHECK(scan<TestType>(blocks, t, 5, std::vector<std::uint16_t>(5, 65280)).empty());
  const auto found = scan<TestType>(blocks, t, 5, std::vector<std::uint16_t>(5, 65281));
  CHECK(found.size() == 5 * 33);
  for (const auto& [query, code, sum] : found) REQUIRE(sum == 65280);
}

TEMPLATE_LIST_TEST_CASE("limits that a hit lowers hold from the next block on", "[nibble_scan]", all_kernels) {
  std::mt19937 generator(4);
  const auto blocks = blocks_of<typename TestType::order>(random_codes(200, 3, generator));
  const tables t(blocks, 4, 10, generator);
  std::vector<std::uint16_t> limits(4, 65535);
  std::vector<std::size_t> calls(4);
  for (std::size_t q = 0; q < 4;)
    q += scan_codes<TestType>(blocks, 0, blocks.blocks(), t.bytes.data() + q * t.stride, limits.data() + q, 4 - q,
                              [&, q](std::size_t i, std::size_t first, std::uint32_t, const std::uint16_t*) {
                                ++calls[q + i];
                                if (first == 64) limits[q + i] = 0;
                              });
  CHECK(calls == std::vector<std::size_t>(4, 3));
}

TEMPLATE_LIST_TEST_CASE("a scan of some blocks leaves the others alone", "[nibble_scan]", all_kernels) {
  std::mt19937 generator(5);
  const auto blocks = blocks_of<typename TestType::order>(random_codes(320, 4, generator));
  const tables t(blocks, 1, 10, generator);
  const std::uint16_t limit = 65535;
  std::vector<std::size_t> firsts;
  const auto hit = [&](std::size_t, std::size_t first, std::uint32_t, const std::uint16_t*) {
    firsts.push_back(first);
  };
  scan_codes<TestType>(blocks, 3, 6, t.bytes.data(), &limit, 1, hit);
  CHECK(firsts == std::vector<std::size_t>{96, 128, 160});
  scan_codes<TestType>(blocks, 6, 6, t.bytes.data(), &limit, 1, hit);
  CHECK(firsts.size() == 3);
}

TEST_CASE("sums below a limit are those that a comparison finds", "[nibble_scan]") {
  std::mt19937 generator(6);
  for (const unsigned limit : {0u, 1u, 2u, 100u, 32767u, 32768u, 65534u, 65535u}) {
    std::uint16_t sums[32];
    std::uint32_t expected = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      const unsigned near = limit + static_cast<unsigned>(generator() % 3) - 1;
      sums[i] = static_cast<std::uint16_t>(i % 2 == 0 ? near : generator());
      expected |= std::uint32_t{sums[i] < limit} << i;
    }
    CHECK(sums_below(sums, static_cast<std::uint16_t>(limit)) == expected);
  }
}

TEMPLATE_TEST_CASE("codes come back from their blocks, however they were appended", "[nibble_scan]", pair_order,
                   quad_order) {
  std::mt19937 generator(7);
  for (const std::size_t m : widths())
    for (const std::size_t n : {1u, 16u, 31u, 32u, 33u, 70u}) {
      CAPTURE(m, n);
      const auto codes = random_codes(n, m, generator);
      const auto at_once = blocks_of<TestType>(codes);
      blocks_4_bits<TestType> in_parts(m);
      for (std::size_t i = 0; i < n; i += 7)
        in_parts.append(matrix_view<std::uint8_t>(codes).middle_rows(i, std::min<std::size_t>(7, n - i)));
      REQUIRE(at_once.size() == n);
      REQUIRE(unpack_codes(at_once) == codes);
      REQUIRE(unpack_codes(in_parts) == codes);
      REQUIRE(std::equal(at_once.block(0), at_once.block(0) + at_once.memory_bytes(), in_parts.block(0)));
    }
}

TEMPLATE_TEST_CASE("packed bytes are those of faiss, and come back", "[nibble_scan]", pair_order, quad_order) {
  std::mt19937 generator(8);
  const std::size_t p[16] = {0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15};
  for (const std::size_t m : widths())
    for (const std::size_t n : {1u, 32u, 45u, 64u}) {
      CAPTURE(m, n);
      const auto codes = random_codes(n, m, generator);
      const auto code = [&](std::size_t i, std::size_t j) { return i < n && j < m ? unsigned{codes(i, j)} : 0u; };
      std::vector<std::uint8_t> expected;
      for (std::size_t first = 0; first < n; first += 32)
        for (std::size_t pair = 0; pair < m; pair += 2)
          for (const std::size_t j : {pair, pair + 1})
            for (std::size_t byte = 0; byte < 16; ++byte)
              expected.push_back(
                  static_cast<std::uint8_t>(code(first + p[byte], j) | code(first + p[byte] + 16, j) << 4));
      REQUIRE(blocks_of<TestType>(codes).packed() == expected);
      REQUIRE(unpack_codes(blocks_4_bits<TestType>(m, n, expected)) == codes);
    }
}

TEST_CASE("what fills up the packed bytes of another program does not reach the codes appended later",
          "[nibble_scan]") {
  std::mt19937 generator(9);
  const auto codes = random_codes(5, 3, generator);
  const std::vector<std::uint8_t> full(64, 255);
  blocks_4_bits<> blocks(3, 2, full);
  blocks.append(codes);
  const auto found = unpack_codes(blocks);
  for (std::size_t j = 0; j < 3; ++j) {
    CHECK(found(1, j) == 15);
    for (std::size_t i = 0; i < 5; ++i) CHECK(found(2 + i, j) == codes(i, j));
  }
}

TEST_CASE("packed bytes of another number, and codes of no sub-quantiser, are refused", "[nibble_scan]") {
  const std::vector<std::uint8_t> bytes(65);
  CHECK_THROWS_AS(blocks_4_bits<>(3, 32, bytes), std::invalid_argument);
  CHECK_THROWS_AS(blocks_4_bits<>(3, 33, std::span(bytes).first(64)), std::invalid_argument);
  CHECK_NOTHROW(blocks_4_bits<>(3, 32, std::span(bytes).first(64)));
  CHECK_THROWS_AS(blocks_4_bits<>(0), std::invalid_argument);
}
