#include <annulus/core/codes/rabitq_lookup.hpp>

#include "catch.hpp"
#include "random_data.hpp"

#include <random>
#include <tuple>
#include <vector>

using namespace annulus;
using namespace annulus::detail;

namespace {

using all_kernels = std::tuple<simd::scalar_lookup
#if defined(__SSE2__)
                               ,
                               simd::masked_lookup
#endif
#if defined(__SSSE3__)
                               ,
                               simd::shuffle_lookup<simd::xmm_rows>
#endif
#if defined(__AVX2__)
                               ,
                               simd::shuffle_lookup<simd::ymm_rows>
#endif
#if defined(__aarch64__) && defined(__ARM_NEON)
                               ,
                               simd::shuffle_lookup<simd::neon_rows>
#endif
#if defined(__AVX512VBMI__)
                               ,
                               simd::permute_lookup
#endif
                               >;

/// 32 codes at random, and the block that holds them.
struct random_block {
  random_block(std::size_t d, unsigned bits, std::mt19937& generator)
      : layout(d, bits),
        codes(random_codes<std::uint8_t>(32, d, std::size_t{1} << bits, generator)),
        bytes(layout.block_bytes(), 0xFF) {
    for (std::size_t i = 0; i < 32; ++i) layout.put(bytes.data(), i, codes.row(i).data());
  }
  double product(std::size_t i, std::span<const float> y) const {
    double sum = 0;
    for (std::size_t j = 0; j < y.size(); ++j)
      sum += (static_cast<double>(codes(i, j)) - 0.5 * ((1 << layout.bits()) - 1)) * static_cast<double>(y[j]);
    return sum;
  }
  double length(std::size_t i) const {
    double sum = 0;
    for (const auto v : codes.row(i)) sum += std::pow(v - 0.5 * ((1 << layout.bits()) - 1), 2);
    return std::sqrt(sum);
  }
  rabitq_layout layout;
  matrix<std::uint8_t> codes;
  std::vector<std::uint8_t> bytes;
};

std::vector<unsigned> dims() {
  std::vector<unsigned> result;
  for (unsigned d = 1; d <= 75; ++d) result.push_back(d);
  for (const unsigned d : {127u, 128u, 384u, 385u, 501u, 784u, 999u, 1000u}) result.push_back(d);
  return result;
}

}  // namespace

TEST_CASE("a block gives its codes back", "[rabitq_lookup]") {
  std::mt19937 generator(1);
  for (const std::size_t d : {1u, 7u, 8u, 9u, 31u, 100u})
    for (unsigned bits = 1; bits <= 8; ++bits) {
      random_block block(d, bits, generator);
      std::vector<std::uint8_t> values(d);
      for (std::size_t i = 0; i < 32; ++i) {
        block.layout.get(block.bytes.data(), i, values.data());
        CHECK(std::ranges::equal(values, block.codes.row(i)));
      }
      const auto other = random_codes<std::uint8_t>(1, d, std::size_t{1} << bits, generator);
      block.layout.put(block.bytes.data(), 5, other.row(0).data());
      block.layout.get(block.bytes.data(), 5, values.data());
      CHECK(std::ranges::equal(values, other.row(0)));
      block.layout.get(block.bytes.data(), 6, values.data());
      CHECK(std::ranges::equal(values, block.codes.row(6)));
    }
}

TEMPLATE_LIST_TEST_CASE("sums of look-ups differ from inner products by less than the stated error", "[rabitq_lookup]",
                        all_kernels) {
  std::mt19937 generator(2);
  for (const unsigned d : dims())
    for (unsigned bits = d % 3 + 1; bits <= 8; bits += 3) {
      const random_block block(d, bits, generator);
      const auto y = normal_rows(1, d, d, 0.1);
      rabitq_tables<TestType> tables(d);
      tables.prepare(y.row(0).data());
      float sums[32];
      tables.sums(block.layout, block.bytes.data(), sums);
      CAPTURE(d, bits);
      for (std::size_t i = 0; i < 32; ++i) {
        const double off = std::abs(sums[i] - block.product(i, y.row(0))), slack = 1e-5 * block.length(i);
        CHECK(off <= tables.greatest_error(bits) + slack);
        CHECK(off <= tables.error_length() * block.length(i) * (1 + 1e-5) + slack);
        // Roundings are as good as random: 5 deviations.
        if (d > 30) CHECK(off < 5 * tables.error_length() * block.length(i) / std::sqrt(static_cast<double>(d)));
      }
      CHECK(tables.error_length() < 0.06 * std::sqrt(static_cast<double>(d)) * 0.1);
    }
}

TEMPLATE_LIST_TEST_CASE("all kernels give the same bits", "[rabitq_lookup]", all_kernels) {
  std::mt19937 generator(3);
  for (const std::size_t d : {1u, 5u, 8u, 20u, 24u, 25u, 100u, 384u, 5000u, 6143u, 6144u, 6145u, 13000u})
    for (const unsigned bits : {1u, 3u, 8u}) {
      const random_block block(d, bits, generator);
      const auto y = normal_rows(1, d, d);
      rabitq_tables<TestType> tables(d);
      rabitq_tables<simd::scalar_lookup> reference(d);
      tables.prepare(y.row(0).data());
      reference.prepare(y.row(0).data());
      float sums[32], expected[32];
      tables.sums(block.layout, block.bytes.data(), sums);
      reference.sums(block.layout, block.bytes.data(), expected);
      CAPTURE(d, bits);
      CHECK(std::ranges::equal(sums, expected));
    }
}

TEMPLATE_LIST_TEST_CASE("sums of 16 bits never overflow", "[rabitq_lookup]", all_kernels) {
  for (const std::size_t d : {4096u, 6144u, 6168u, 20000u})
    for (const float sign : {1.0f, -1.0f}) {
      const rabitq_layout layout(d, 1);
      const std::vector<float> y(d, sign);
      const std::vector<std::uint8_t> block(layout.block_bytes(), sign > 0 ? 255 : 0);
      rabitq_tables<TestType> tables(d);
      tables.prepare(y.data());
      float sums[32];
      tables.sums(layout, block.data(), sums);
      CAPTURE(d, sign);
      for (const float sum : sums) CHECK(sum == Approx(0.5 * static_cast<double>(d)).epsilon(0.01));
    }
}

TEMPLATE_LIST_TEST_CASE("a query far larger in one coordinate, tiny, huge or zero has its sums", "[rabitq_lookup]",
                        all_kernels) {
  std::mt19937 generator(4);
  const std::size_t d = 50;
  const random_block block(d, 2, generator);
  rabitq_tables<TestType> tables(d);
  for (const float scale : {0.0f, 1e-35f, 1e-20f, 1.0f, 1e30f}) {
    auto y = normal_rows(1, d, 7);
    for (float& x : y.row(0)) x *= scale;
    y(0, 13) *= 1000;
    tables.prepare(y.row(0).data());
    float sums[32];
    tables.sums(block.layout, block.bytes.data(), sums);
    CAPTURE(scale);
    for (std::size_t i = 0; i < 32; ++i)
      CHECK(std::abs(sums[i] - block.product(i, y.row(0))) <= tables.greatest_error(2) * 1.0001 + 1e-5 * 1000 * scale);
  }
}
