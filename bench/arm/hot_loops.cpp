// The loops that 64-bit ARM spends its time in, a function each, for costs.py to have compiled and analysed.

#include <annulus/core/codes/rabitq_lookup.hpp>
#include <annulus/core/codes/sq8_rows.hpp>
#include <annulus/core/kernels/dense_kernels.hpp>
#include <annulus/knn/tiles.hpp>
#include <annulus/nndescent/graph/code_space.hpp>
#include <annulus/quantization/scan/scan_4_bits.hpp>
#include <annulus/quantization/scan/scan_8_bits.hpp>

#include <Eigen/Core>

using namespace annulus;

namespace {
constexpr std::size_t d = 128, bits = 256;

template <class Kernel, class T>
void rows(const T* query, const T* rows, std::size_t n, kernel_result<Kernel, T>* out) {
  one_to_many<Kernel>(query, d, rows, d, n, out);
}
}  // namespace

extern "C" {

void float_l2(const float* q, const float* x, std::size_t n, float* out) { rows<kernels::squared_l2>(q, x, n, out); }
void half_l2(const Eigen::half* q, const Eigen::half* x, std::size_t n, float* out) {
  rows<kernels::squared_l2>(q, x, n, out);
}
void float_l2_four_rows(const float* q, const float* x, std::size_t n, float* out) {
  many_to_many<kernels::squared_l2>(q, d, 1, x, d, n, d, out, n);
}
void uint8_dot(const std::uint8_t* q, const std::uint8_t* x, std::size_t n, std::int64_t* out) {
  rows<kernels::inner_product>(q, x, n, out);
}
void int8_dot(const std::int8_t* q, const std::int8_t* x, std::size_t n, std::int64_t* out) {
  rows<kernels::inner_product>(q, x, n, out);
}
void uint8_l2(const std::uint8_t* q, const std::uint8_t* x, std::size_t n, std::uint64_t* out) {
  rows<kernels::squared_l2>(q, x, n, out);
}
void sq8_four_rows(const std::int8_t* q, const std::uint8_t* x, std::size_t n, std::int32_t* out) {
  for (std::size_t i = 0; i < n; i += 4, x += 4 * d, out += 4)
    detail::byte_products<4>(q, {x, x + d, x + 2 * d, x + 3 * d}, d, out);
}
void hamming(const std::uint8_t* q, const std::uint8_t* x, std::size_t n, std::uint32_t* out) {
  detail::count_bits<detail::differing_bits>(q, bits / 8, x, bits / 8, n, out);
}
void tile_8_bits(const std::int32_t* q, const std::int32_t* x, std::size_t words, const std::int32_t* start,
                 std::int32_t* out) {
  if constexpr (simd::has_byte_products) detail::multiply_tile<std::int8_t>(q, x, words, start, out);
}
void tile_16_bits(const std::int32_t* q, const std::int32_t* x, std::size_t words, const std::int32_t* start,
                  std::int32_t* out) {
  detail::multiply_tile<std::int16_t>(q, x, words, start, out);
}
void join(const std::int32_t* left, const std::int32_t* right, std::size_t words, const std::int32_t* start,
          std::int32_t* out) {
  detail::multiply_panels<simd::word_lanes>(left, right, words, start, out);
}
std::size_t scan_4_bits(const detail::blocks_4_bits<>& blocks, std::size_t end, const std::uint8_t* tables,
                        const std::uint16_t* limits, std::uint16_t* sums) {
  return detail::nibble_kernel::find<detail::nibble_kernel::queries>(blocks, 0, end, tables, limits, sums);
}
std::size_t scan_8_bits(const detail::blocks_8_bits& blocks, std::size_t& begin, std::size_t end,
                        const std::uint8_t* table, std::uint16_t limit, std::uint16_t* sums) {
  return detail::byte_kernel::find(blocks, begin, end, table, limit, sums);
}
void rabitq_look_up(const std::uint8_t* block, std::size_t columns, const std::uint8_t* tables, std::int32_t* sums) {
  simd::byte_lookup::sum(block, columns, tables, sums);
}

}  // extern "C"
