#pragma once

/// \file
/// Products of matrices of floats whose every element is summed in one fixed order: a row's product has the same bits
/// alone, in any batch, and on any number of threads, which no GEMM promises.

#include <annulus/core/packed_matrix.hpp>
#include <annulus/core/parallel.hpp>

#include <annulus/core/macros_off.hpp>

namespace annulus::inline ANNULUS_ARCH::detail {

/// Some columns of a right-hand side, and products with them.
class column_tile {
 public:
  using tile = product_tile<float>;
  static constexpr std::size_t rows = tile::rows, columns = tile::columns;
  static constexpr std::size_t depth = 256;  ///< terms whose right-hand side stays in cache

  /// Copies columns first to first + columns of the rows of b, zero where there are none.
  void load(matrix_view<float> b, std::size_t first) {
    m_depth = b.rows();
    m_used = std::min(columns, b.cols() - first);
    m_right.assign(m_depth * columns, 0.0f);
    for (std::size_t p = 0; p < m_depth; ++p)
      std::copy_n(b.row(p).data() + first, m_used, m_right.data() + p * columns);
  }

  /// out(r, c) += sum_p a[p * step + r * row_step] right(p, c), in ascending p, for r < count <= rows.
  void add(const float* a, std::size_t step, std::size_t row_step, std::size_t count, float* out,
           std::size_t stride) const noexcept {
    alignas(64) float sums[rows * columns] = {};
    for (std::size_t r = 0; r < count; ++r) std::copy_n(out + r * stride, m_used, sums + r * columns);
    std::array<const float*, rows> left;  // rows that are not there repeat the last
    for (std::size_t r = 0; r < rows; ++r) left[r] = a + std::min(r, count - 1) * row_step;
    tile::multiply<rows, 1>(left, step, m_right.data(), 0, m_depth, sums);
    for (std::size_t r = 0; r < count; ++r) std::copy_n(sums + r * columns, m_used, out + r * stride);
  }

 private:
  std::size_t m_depth = 0, m_used = 0;
  aligned_vector<float> m_right;
};

/// out += x * b for one row x, in the order of product_tile.
inline void add_row_product(std::span<const float> x, matrix_view<float> b, float* out) noexcept {
  constexpr std::size_t width = simd::lanes<float>;
  for (std::size_t p = 0; p < x.size(); ++p) {
    const float* const row = b.row(p).data();
    std::size_t c = 0;
    for (; c + width <= b.cols(); c += width)
      xsimd::fma(simd::batch<float>(x[p]), simd::load(row + c), simd::load(out + c)).store_unaligned(out + c);
    if (c == b.cols()) continue;
    alignas(64) float last[width];
    const std::size_t rest = b.cols() - c;
    xsimd::fma(simd::batch<float>(x[p]), simd::load_partial(row + c, rest), simd::load_partial(out + c, rest))
        .store_aligned(last);
    std::copy_n(last, rest, out + c);
  }
}

/// a * b, of n x p and p x d. O(n p d).
inline matrix<float> multiplied(matrix_view<float> a, matrix_view<float> b, std::size_t threads) {
  constexpr std::size_t block = 64 * column_tile::rows, few = 8;
  matrix<float> result(a.rows(), b.cols());
  std::vector<column_tile> tiles(resolve_threads(threads));
  parallel_for(threads, a.rows(), block, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    if (end - begin < few) {
      for (std::size_t i = begin; i < end; ++i) add_row_product(a.row(i), b, result.row(i).data());
      return;
    }
    column_tile& tile = tiles[worker];
    for (std::size_t first = 0; first < b.cols(); first += column_tile::columns)
      for (std::size_t p = 0; p < b.rows(); p += column_tile::depth) {
        tile.load(b.middle_rows(p, std::min(column_tile::depth, b.rows() - p)), first);
        for (std::size_t i = begin; i < end; i += column_tile::rows)
          tile.add(a.row(i).data() + p, 1, a.stride(), std::min(column_tile::rows, end - i),
                   result.row(i).data() + first, b.cols());
      }
  });
  return result;
}

/// a^T * b, of n x p and n x d. O(n p d).
inline matrix<float> transposed_product(matrix_view<float> a, matrix_view<float> b, std::size_t threads) {
  matrix<float> result(a.cols(), b.cols());
  std::vector<column_tile> tiles(resolve_threads(threads));
  // Whole columns a thread, so that each element is summed by one.
  parallel_for(threads, b.cols(), column_tile::columns, [&](std::size_t first, std::size_t, std::size_t worker) {
    column_tile& tile = tiles[worker];
    for (std::size_t i = 0; i < a.rows(); i += column_tile::depth) {
      tile.load(b.middle_rows(i, std::min(column_tile::depth, a.rows() - i)), first);
      for (std::size_t p = 0; p < a.cols(); p += column_tile::rows)
        tile.add(a.row(i).data() + p, a.stride(), 1, std::min(column_tile::rows, a.cols() - p),
                 result.row(p).data() + first, b.cols());
    }
  });
  return result;
}

}  // namespace annulus::inline ANNULUS_ARCH::detail

#include <annulus/core/macros_on.hpp>
