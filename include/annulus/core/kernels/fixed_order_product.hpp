#pragma once

/// \file
/// Products of matrices whose every element is summed in one fixed order: a row's product has the same bits alone, in
/// any batch, and on any number of threads, which no GEMM promises. packed_matrix is laid out to be multiplied by rows
/// again and again; multiplied() and its like take both matrices as they are.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/simd/batch.hpp>

#include <array>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Sums of products in registers, `rows` x columns of a result at a time.
template <class T>
struct product_tile {
  static constexpr std::size_t rows = 6;
  static constexpr std::size_t vectors = simd::n_registers / 8;
  static constexpr std::size_t columns = vectors * simd::lanes<T>;
  /// Tiles that a single row takes at once: enough chains to hide the latency of a fused multiply-add.
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

  /// The columns from c on that Tiles tiles hold, up to `last`.
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
    std::array<const float*, rows> left;  // rows behind the last repeat it
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
inline matrix<float> multiplied(matrix_view<float> a, matrix_view<float> b, const thread_team& team) {
  constexpr std::size_t block = 64 * column_tile::rows, few = 8;
  matrix<float> result(a.rows(), b.cols());
  std::vector<column_tile> tiles(team.size());
  parallel_for(team, a.rows(), block, [&](std::size_t begin, std::size_t end, std::size_t worker) {
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
inline matrix<float> transposed_product(matrix_view<float> a, matrix_view<float> b, const thread_team& team) {
  matrix<float> result(a.cols(), b.cols());
  std::vector<column_tile> tiles(team.size());
  // Whole columns a thread, so that each element is summed by one.
  parallel_for(team, b.cols(), column_tile::columns, [&](std::size_t first, std::size_t, std::size_t worker) {
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

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
