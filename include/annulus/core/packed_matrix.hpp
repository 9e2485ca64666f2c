#pragma once

/// \file
/// A matrix laid out to be multiplied by rows again and again, in one fixed order of summation: a row's product has the
/// same bits alone, in any batch, and on any number of threads, which no GEMM promises.

#include <annulus/core/matrix.hpp>

#include <array>

#include <annulus/core/macros_off.hpp>

namespace annulus::inline ANNULUS_ARCH::detail {

/// Sums of products in registers, `rows` x columns of a result at a time.
template <class T>
struct product_tile {
  static constexpr std::size_t rows = 6;
#if defined(__AVX512F__)
  static constexpr std::size_t vectors = 4;
#else
  static constexpr std::size_t vectors = 2;
#endif
  static constexpr std::size_t columns = vectors * simd::lanes<T>;
  /// Of a single row so many tiles at once: chains enough to hide the latency of a fused multiply-add.
  static constexpr std::size_t single_row_tiles = 8 / vectors;

  /// sums(r, c) += sum_p left[r][p * step] right(p, c) in ascending p < depth, where tile j has its `columns` columns
  /// of row p at right + j * tile_stride + p * columns; sums are Rows x (Tiles * columns), packed.
  template <std::size_t Rows, std::size_t Tiles>
  [[gnu::noinline]] static void multiply(const std::array<const T*, Rows>& left, std::size_t step, const T* right,
                                         std::size_t tile_stride, std::size_t depth, T* sums) noexcept {
    constexpr std::size_t width = simd::lanes<T>, total = Tiles * vectors;
    simd::batch<T> sum[Rows][total];
    simd::unroll<Rows>(
        [&](auto r) { simd::unroll<total>([&](auto v) { sum[r][v] = simd::load(sums + (r * total + v) * width); }); });
    for (std::size_t p = 0; p < depth; ++p, right += columns) {
      simd::batch<T> b[total];
      simd::unroll<total>([&](auto v) { b[v] = simd::load(right + v / vectors * tile_stride + v % vectors * width); });
      simd::unroll<Rows>([&](auto r) {
        const simd::batch<T> x(left[r][p * step]);
        simd::unroll<total>([&](auto v) { sum[r][v] = xsimd::fma(x, b[v], sum[r][v]); });
      });
    }
    simd::unroll<Rows>([&](auto r) {
      simd::unroll<total>([&](auto v) { sum[r][v].store_unaligned(sums + (r * total + v) * width); });
    });
  }
};

/// A matrix of depth x columns() as the right-hand side of products.
template <class T>
class packed_matrix {
 public:
  packed_matrix() = default;
  /// value(p, c) for p < depth, c < columns, asked for column by column.
  template <class Value>
  packed_matrix(std::size_t depth, std::size_t columns, Value value) : m_depth(depth), m_columns(columns) {
    const std::size_t groups = (columns + group - 1) / group;
    m_values.assign(checked_product(checked_product(groups, group, "columns"), depth, "columns * depth"), T(0));
    for (std::size_t c = 0; c < columns; ++c)
      for (std::size_t p = 0; p < depth; ++p) m_values[c / width * tile_size() + p * width + c % width] = value(p, c);
  }

  std::size_t depth() const noexcept { return m_depth; }
  std::size_t columns() const noexcept { return m_columns; }
  std::size_t memory_bytes() const noexcept { return m_values.size() * sizeof(T); }

  /// out(i, c - first) = rows(i) * column c for first <= c < last, out's rows `stride` apart. O(rows depth columns).
  void multiply(matrix_view<T> rows, std::size_t first, std::size_t last, T* out, std::size_t stride) const noexcept {
    const std::size_t row_group = tile::rows;
    std::size_t i = 0;
    if (rows.rows() >= row_group)
      for (std::size_t c = first / width * width; c < last; c += width) {
        for (i = 0; i + row_group <= rows.rows(); i += row_group) {
          std::array<const T*, tile::rows> left;
          for (std::size_t r = 0; r < row_group; ++r) left[r] = rows.row(i + r).data();
          multiply_tiles<tile::rows, 1>(left, c, first, last, out + i * stride, stride);
        }
      }
    for (; i < rows.rows(); ++i)
      for (std::size_t c = first / group * group; c < last; c += group)
        multiply_tiles<1, tile::single_row_tiles>({rows.row(i).data()}, c, first, last, out + i * stride, stride);
  }

 private:
  using tile = product_tile<T>;
  static constexpr std::size_t width = tile::columns, group = width * tile::single_row_tiles;

  std::size_t tile_size() const noexcept { return m_depth * width; }

  /// The columns from c on that Tiles tiles hold, as far as they are wanted.
  template <std::size_t Rows, std::size_t Tiles>
  void multiply_tiles(const std::array<const T*, Rows>& left, std::size_t c, std::size_t first, std::size_t last,
                      T* out, std::size_t stride) const noexcept {
    constexpr std::size_t columns = Tiles * width;
    alignas(64) T sums[Rows * columns] = {};
    tile::template multiply<Rows, Tiles>(left, 1, m_values.data() + c / width * tile_size(), tile_size(), m_depth,
                                         sums);
    const std::size_t begin = std::max(c, first), end = std::min(c + columns, last);
    for (std::size_t r = 0; r < Rows && begin < end; ++r)
      std::copy_n(sums + r * columns + (begin - c), end - begin, out + r * stride + (begin - first));
  }

  std::size_t m_depth = 0, m_columns = 0;
  aligned_vector<T> m_values;
};

}  // namespace annulus::inline ANNULUS_ARCH::detail

#include <annulus/core/macros_on.hpp>
