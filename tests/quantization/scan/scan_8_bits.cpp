#include <annulus/quantization/scan/scan_8_bits.hpp>

#include "catch.hpp"
#include "random_data.hpp"

#include <random>
#include <set>
#include <tuple>

using namespace annulus;
using namespace annulus::detail;

namespace {

matrix<std::uint8_t> random_codes(std::size_t n, std::size_t m, std::mt19937& generator) {
  return ::random_codes<std::uint8_t>(n, m, 256, generator);
}

blocks_8_bits blocks_of(const matrix<std::uint8_t>& codes) {
  blocks_8_bits blocks(codes.cols());
  blocks.append(codes);
  return blocks;
}

aligned_vector<std::uint8_t> random_table(std::size_t m, std::uint32_t greatest, std::mt19937& generator) {
  aligned_vector<std::uint8_t> table(m * 256);
  for (std::uint8_t& x : table) x = static_cast<std::uint8_t>(generator() % (greatest + 1));
  return table;
}

using hits = std::set<std::pair<std::size_t, std::uint32_t>>;  // code, sum

template <class Kernel>
hits scan(const blocks_8_bits& blocks, const aligned_vector<std::uint8_t>& table, std::uint16_t limit) {
  hits found;
  std::size_t repeated = 0;
  const auto done =
      scan_codes<Kernel>(blocks, 0, blocks.blocks(), table.data(), &limit, 1,
                         [&](std::size_t, std::size_t first, std::uint32_t below, const std::uint16_t* sums) {
                           for (std::size_t v = 0; v < 32; ++v)
                             if ((below >> v & 1u) != 0 && first + v < blocks.size())
                               repeated += !found.emplace(first + v, sums[v]).second;
                         });
  CHECK(done == 1);
  CHECK(repeated == 0);
  return found;
}

template <class Kernel>
void check(const matrix<std::uint8_t>& codes, std::uint32_t greatest, std::mt19937& generator) {
  const auto table = random_table(codes.cols(), greatest, generator);
  std::vector<std::uint32_t> sums;
  for (std::size_t i = 0; i < codes.rows(); ++i) {
    sums.push_back(0);
    for (std::size_t m = 0; m < codes.cols(); ++m) sums[i] += table[256 * m + codes(i, m)];
  }
  // A sum that occurs is the limit, so that ties with it are at stake; or none or all are below.
  for (const std::uint32_t limit : {sums[generator() % sums.size()], 0u, 65535u}) {
    hits expected;
    for (std::size_t i = 0; i < sums.size(); ++i)
      if (sums[i] < limit) expected.emplace(i, sums[i]);
    CAPTURE(codes.rows(), codes.cols(), limit);
    REQUIRE(scan<Kernel>(blocks_of(codes), table, static_cast<std::uint16_t>(limit)) == expected);
  }
}

std::vector<std::size_t> widths() {
  std::vector<std::size_t> result;
  for (std::size_t m = 1; m <= 40; ++m) result.push_back(m);
  for (const std::size_t m : {64u, 96u}) result.push_back(m);
  return result;
}

}  // namespace

TEMPLATE_TEST_CASE("a scan of bytes finds the sums below the limit, for any number of sub-quantisers", "[byte_scan]",
                   scalar_bytes, byte_kernel) {
  std::mt19937 generator(1);
  for (const std::size_t m : widths()) check<TestType>(random_codes(600, m, generator), 255, generator);
}

TEMPLATE_TEST_CASE("a scan of bytes finds the sums below the limit, for any number of codes", "[byte_scan]",
                   scalar_bytes, byte_kernel) {
  std::mt19937 generator(2);
  for (std::size_t n = 1; n <= 130; ++n) check<TestType>(random_codes(n, 3, generator), 3, generator);
  for (const std::size_t n : {511u, 512u, 513u, 575u, 577u, 1500u})
    check<TestType>(random_codes(n, 4, generator), 9, generator);
}

TEMPLATE_TEST_CASE("a lone byte code below the limit is found wherever it stands", "[byte_scan]", scalar_bytes,
                   byte_kernel) {
  aligned_vector<std::uint8_t> table(2 * 256, 5);
  table[200] = 0;
  matrix<std::uint8_t> codes(600, 2, 3);
  for (std::size_t i = 0; i < 600; ++i) {
    codes(i, 0) = 200;
    CAPTURE(i);
    REQUIRE(scan<TestType>(blocks_of(codes), table, 6) == hits{{i, 5}});
    codes(i, 0) = 3;
  }
}

TEMPLATE_TEST_CASE("the largest sums of bytes do not wrap", "[byte_scan]", scalar_bytes, byte_kernel) {
  std::mt19937 generator(3);
  const auto blocks = blocks_of(random_codes(600, 256, generator));
  const aligned_vector<std::uint8_t> table(256 * 256, 255);
  CHECK(scan<TestType>(blocks, table, 65280).empty());
  const auto found = scan<TestType>(blocks, table, 65281);
  CHECK(found.size() == 600);
  for (const auto& [code, sum] : found) REQUIRE(sum == 65280);
}

TEMPLATE_TEST_CASE("a limit that a hit lowers holds at once", "[byte_scan]", scalar_bytes, byte_kernel) {
  std::mt19937 generator(4);
  const auto blocks = blocks_of(random_codes(1000, 3, generator));
  const auto table = random_table(3, 10, generator);
  std::uint16_t limit = 65535;
  std::size_t calls = 0;
  scan_codes<TestType>(blocks, 0, blocks.blocks(), table.data(), &limit, 1,
                       [&](std::size_t, std::size_t first, std::uint32_t, const std::uint16_t*) {
                         ++calls;
                         if (first == 96) limit = 0;
                       });
  CHECK(calls == 4);
}

TEST_CASE("bytes come back from their blocks, however they were appended", "[byte_scan]") {
  std::mt19937 generator(5);
  for (const std::size_t m : {1u, 2u, 5u, 16u})
    for (const std::size_t n : {0u, 1u, 63u, 64u, 65u, 200u}) {
      CAPTURE(m, n);
      const auto codes = random_codes(n, m, generator);
      blocks_8_bits in_parts(m);
      for (std::size_t i = 0; i < n; i += 9)
        in_parts.append(matrix_view<std::uint8_t>(codes).middle_rows(i, std::min<std::size_t>(9, n - i)));
      REQUIRE(in_parts.size() == n);
      REQUIRE(unpack_codes(in_parts) == codes);
      REQUIRE(unpack_codes(blocks_of(codes)) == codes);
    }
  CHECK_THROWS_AS(blocks_8_bits(0), std::invalid_argument);
}
