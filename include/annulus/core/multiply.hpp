#pragma once

/// \file
/// Products of matrices of floats whose every element is summed in one fixed order: a row's product has the same bits
/// alone, in any batch, and on any number of threads, which no GEMM promises.

#include <annulus/core/matrix.hpp>
#include <annulus/core/parallel.hpp>

namespace annulus::inline ANNULUS_ARCH::detail {

/// Sums of products in registers: `rows` x columns of a result at a time.
class product_tile {
 public:
  static constexpr std::size_t rows = 6;
#if defined(__AVX512F__)
  static constexpr std::size_t vectors = 4;
#else
  static constexpr std::size_t vectors = 2;
#endif
  static constexpr std::size_t columns = vectors * simd::lanes<float>;
  static constexpr std::size_t depth = 256;  ///< terms whose right-hand side stays in cache

  /// Copies columns first to first + columns of the rows of b, zero where there are none.
  void load_right(matrix_view<float> b, std::size_t first) {
    m_depth = b.rows();
    m_used = std::min(columns, b.cols() - first);
    m_right.assign(m_depth * columns, 0.0f);
    for (std::size_t p = 0; p < m_depth; ++p)
      std::copy_n(b.row(p).data() + first, m_used, m_right.data() + p * columns);
  }

  /// out(r, c) += sum_p a[p * step + r * row_step] right(p, c), in ascending p, for r < count <= rows.
  void add(const float* a, std::size_t step, std::size_t row_step, std::size_t count, float* out,
           std::size_t stride) const noexcept {
    alignas(64) float tile[rows * columns] = {};
    for (std::size_t r = 0; r < count; ++r) std::copy_n(out + r * stride, m_used, tile + r * columns);
    const float* left[rows];  // rows that are not there repeat the last
    for (std::size_t r = 0; r < rows; ++r) left[r] = a + std::min(r, count - 1) * row_step;
    multiply(left, step, tile);
    for (std::size_t r = 0; r < count; ++r) std::copy_n(tile + r * columns, m_used, out + r * stride);
  }

 private:
  [[gnu::noinline]] void multiply(const float* const* left, std::size_t step, float* tile) const noexcept {
    constexpr std::size_t width = simd::lanes<float>;
    simd::batch<float> sums[rows][vectors];
    simd::unroll<rows>([&](auto r) {
      simd::unroll<vectors>([&](auto v) { sums[r][v] = simd::load(tile + r * columns + v * width); });
    });
    const float* right = m_right.data();
    for (std::size_t p = 0; p < m_depth; ++p, right += columns) {
      simd::batch<float> b[vectors];
      simd::unroll<vectors>([&](auto v) { b[v] = simd::load(right + v * width); });
      simd::unroll<rows>([&](auto r) {
        const simd::batch<float> x(left[r][p * step]);
        simd::unroll<vectors>([&](auto v) { sums[r][v] = xsimd::fma(x, b[v], sums[r][v]); });
      });
    }
    simd::unroll<rows>([&](auto r) {
      simd::unroll<vectors>([&](auto v) { sums[r][v].store_unaligned(tile + r * columns + v * width); });
    });
  }

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
  constexpr std::size_t block = 64 * product_tile::rows, few = 8;
  matrix<float> result(a.rows(), b.cols());
  std::vector<product_tile> tiles(resolve_threads(threads));
  parallel_for(threads, a.rows(), block, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    if (end - begin < few) {
      for (std::size_t i = begin; i < end; ++i) add_row_product(a.row(i), b, result.row(i).data());
      return;
    }
    product_tile& tile = tiles[worker];
    for (std::size_t first = 0; first < b.cols(); first += product_tile::columns)
      for (std::size_t p = 0; p < b.rows(); p += product_tile::depth) {
        tile.load_right(b.middle_rows(p, std::min(product_tile::depth, b.rows() - p)), first);
        for (std::size_t i = begin; i < end; i += product_tile::rows)
          tile.add(a.row(i).data() + p, 1, a.stride(), std::min(product_tile::rows, end - i),
                   result.row(i).data() + first, b.cols());
      }
  });
  return result;
}

/// a^T * b, of n x p and n x d. O(n p d).
inline matrix<float> transposed_product(matrix_view<float> a, matrix_view<float> b, std::size_t threads) {
  matrix<float> result(a.cols(), b.cols());
  std::vector<product_tile> tiles(resolve_threads(threads));
  // Whole columns a thread, so that each element is summed by one.
  parallel_for(threads, b.cols(), product_tile::columns, [&](std::size_t first, std::size_t, std::size_t worker) {
    product_tile& tile = tiles[worker];
    for (std::size_t i = 0; i < a.rows(); i += product_tile::depth) {
      tile.load_right(b.middle_rows(i, std::min(product_tile::depth, a.rows() - i)), first);
      for (std::size_t p = 0; p < a.cols(); p += product_tile::rows)
        tile.add(a.row(i).data() + p, a.stride(), 1, std::min(product_tile::rows, a.cols() - p),
                 result.row(p).data() + first, b.cols());
    }
  });
  return result;
}

}  // namespace annulus::inline ANNULUS_ARCH::detail
