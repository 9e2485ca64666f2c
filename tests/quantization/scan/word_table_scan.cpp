#include <annulus/quantization/scan/scan_4_bits.hpp>
#include <annulus/quantization/scan/word_table_scan.hpp>

#include "catch.hpp"
#include "random_data.hpp"

#include <map>
#include <random>

using namespace annulus;
using namespace annulus::detail;

namespace {

using nibbles = blocks_4_bits<pair_order>;

template <class Blocks>
inline constexpr std::size_t codewords = std::same_as<Blocks, nibbles> ? 16 : 256;

/// Codes, and the tables in bytes of some queries, all at random.
template <class Blocks>
struct random_scan {
  random_scan(std::size_t n, std::size_t m, std::size_t n_queries, std::uint32_t greatest, std::mt19937& generator)
      : codes(random_codes<std::uint8_t>(n, m, codewords<Blocks>, generator)), blocks(m), queries(n_queries) {
    blocks.append(codes);
    tables.resize(queries * blocks.table_bytes());
    for (std::size_t q = 0; q < queries; ++q)
      for (std::size_t i = 0; i < m * Blocks::table_stride; ++i)
        tables[q * blocks.table_bytes() + i] = static_cast<std::uint8_t>(generator() % (greatest + 1));
  }
  std::uint32_t sum(std::size_t q, std::size_t code) const {
    std::uint32_t result = 0;
    for (std::size_t m = 0; m < codes.cols(); ++m)
      result += tables[q * blocks.table_bytes() + m * Blocks::table_stride + codes(code, m)];
    return result;
  }
  matrix<std::uint8_t> codes;
  Blocks blocks;
  std::size_t queries;
  aligned_vector<std::uint8_t> tables;
};

using hits = std::map<std::pair<std::size_t, std::size_t>, std::uint32_t>;  ///< sums by query and code

template <class Blocks>
hits found(word_table_scan<Blocks>& scan, const random_scan<Blocks>& s, const std::vector<std::uint16_t>& limits) {
  hits result;
  std::size_t repeated = 0;
  scan(s.blocks, s.tables.data(), limits.data(), s.queries,
       [&](std::size_t q, std::size_t first, std::uint32_t below, const std::uint16_t* sums) {
         for (std::size_t v = 0; v < sums_at_once; ++v)
           if ((below >> v & 1u) != 0 && first + v < s.codes.rows())
             repeated += !result.emplace(std::pair(q, first + v), sums[v]).second;
       });
  CHECK(repeated == 0);
  return result;
}

template <class Blocks>
hits expected(const random_scan<Blocks>& s, const std::vector<std::uint16_t>& limits) {
  hits result;
  for (std::size_t q = 0; q < s.queries; ++q)
    for (std::size_t i = 0; i < s.codes.rows(); ++i)
      if (const auto sum = s.sum(q, i); sum < limits[q]) result.emplace(std::pair(q, i), sum);
  return result;
}

}  // namespace

TEMPLATE_TEST_CASE("a scan by word tables finds the sums below each query's limit", "[word_table_scan]", nibbles,
                   blocks_8_bits) {
  std::mt19937 generator(1);
  word_table_scan<TestType> scan;  // the same for all, so that its memory is used again
  for (const std::size_t m : {1u, 2u, 3u, 15u, 16u, 17u, 31u, 32u, 33u, 40u, 65u})
    for (const std::size_t n : {1u, 31u, 32u, 33u, 64u, 65u, 255u, 256u, 257u, 700u}) {
      const random_scan<TestType> s(n, m, 1 + generator() % 20, 255, generator);
      std::vector<std::uint16_t> limits;
      for (std::size_t q = 0; q < s.queries; ++q)  // a sum that occurs is the limit; or none or all are below
        limits.push_back(static_cast<std::uint16_t>(q % 5 == 3 ? 0u : q % 5 == 4 ? 65535u : s.sum(q, generator() % n)));
      CAPTURE(m, n, s.queries);
      REQUIRE(found(scan, s, limits) == expected(s, limits));
    }
}

TEMPLATE_TEST_CASE("a scan by word tables takes the limits as they change", "[word_table_scan]", nibbles,
                   blocks_8_bits) {
  std::mt19937 generator(2);
  const std::size_t n = 1000;
  const random_scan<TestType> s(n, 8, 11, 255, generator);
  std::vector<std::uint16_t> limits(s.queries, 65535);
  std::vector<std::uint32_t> least(s.queries, 65535);
  std::size_t calls = 0;
  word_table_scan<TestType> scan;
  scan(s.blocks, s.tables.data(), limits.data(), s.queries,
       [&](std::size_t q, std::size_t first, std::uint32_t below, const std::uint16_t* sums) {
         ++calls;
         for (; below != 0; below &= below - 1) {
           const auto v = static_cast<std::size_t>(std::countr_zero(below));
           if (first + v < n) least[q] = std::min<std::uint32_t>(least[q], sums[v]);
         }
         limits[q] = static_cast<std::uint16_t>(least[q]);
       });
  for (std::size_t q = 0; q < s.queries; ++q) {
    std::uint32_t smallest = 65535;
    for (std::size_t i = 0; i < n; ++i) smallest = std::min(smallest, s.sum(q, i));
    CHECK(least[q] == smallest);
  }
  CHECK(calls < s.queries * n / sums_at_once / 2);  // about a logarithm of n for each query
}

TEMPLATE_TEST_CASE("the largest sums by word tables do not wrap", "[word_table_scan]", nibbles, blocks_8_bits) {
  std::mt19937 generator(3);
  random_scan<TestType> s(40, 256, 9, 255, generator);
  std::fill(s.tables.begin(), s.tables.end(), std::uint8_t{255});
  word_table_scan<TestType> scan;
  CHECK(found(scan, s, std::vector<std::uint16_t>(9, 65280)).empty());
  const auto all = found(scan, s, std::vector<std::uint16_t>(9, 65281));
  CHECK(all.size() == 9 * 40);
  for (const auto& [at, sum] : all) REQUIRE(sum == 65280);
}
