#pragma once

/// \file
/// Distance kernels over sparse rows, by the operations of the dense ones: the row that stores more is read in blocks
/// of a SIMD register, each folded with the other row's values of the same coordinates.

#include <annulus/core/kernels/dense_operations.hpp>
#include <annulus/core/kernels/sparse_operations.hpp>

#include <functional>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace detail {

/// Whether a is the row that is read in blocks. Depends on the indices alone, so that (a, b) and (b, a) have the same
/// distance.
inline bool goes_in_blocks(std::span<const std::int32_t> a, std::span<const std::int32_t> b) noexcept {
  if (a.size() != b.size()) return a.size() > b.size();
  return std::lexicographical_compare(b.begin(), b.end(), a.begin(), a.end());
}

/// Kernels to which coordinates that only one row stores add nothing.
template <class Kernel>
inline constexpr bool is_of_common_only = std::same_as<Kernel, kernels::inner_product>;

/// The values of a sparse row as SIMD registers of lanes.
template <class T>
auto load_values(const T* p) noexcept {
  if constexpr (is_byte<T>) {
    alignas(64) float wide[index_lanes];
    for (std::size_t i = 0; i < index_lanes; ++i) wide[i] = static_cast<float>(p[i]);
    return simd::batch<float>::load_aligned(wide);
  } else {
    return simd::load(p);
  }
}
template <class T>
auto load_values(const T* p, std::size_t n) noexcept {
  if constexpr (is_byte<T>) {
    alignas(64) float wide[index_lanes] = {};
    for (std::size_t i = 0; i < n; ++i) wide[i] = static_cast<float>(p[i]);
    return simd::batch<float>::load_aligned(wide);
  } else {
    return simd::load_partial(p, n);
  }
}

/// The values of block b, zero in lanes that repeat the block before.
template <class T>
simd::batch<float> block_values(std::span<const T> values, const index_blocks& blocks, std::size_t b) noexcept {
  if (values.size() < index_lanes) return load_values(values.data(), values.size());
  const std::size_t begin = blocks.begin(b), again = b * index_lanes - begin;
  const auto v = load_values(values.data() + begin);
  if (again == 0) return v;
  return std::bit_cast<simd::batch<float>>(std::bit_cast<index_batch>(v) & lanes_from(again));
}

/// Folds `blocked`, by blocks, with `other`; `fold` takes the values of blocked first.
template <class Kernel, class T, class Fold>
float fold_blocks(const sparse_row<T>& blocked, const sparse_row<T>& other, Fold fold) noexcept {
  using op = operation<Kernel, float>;
  using batch = simd::batch<float>;
  auto sum = op::zero();
  const batch nothing(0.0f);
  // What only `other` stores.
  constexpr std::size_t capacity = 512;
  alignas(64) float rest[is_of_common_only<Kernel> ? 1 : capacity];
  std::size_t rests = 0;
  const auto fold_rest = [&] {
    std::size_t r = 0;
    for (; r + index_lanes <= rests; r += index_lanes) sum = fold(sum, nothing, simd::load(rest + r));
    if (r < rests) sum = fold(sum, nothing, simd::load_partial(rest + r, rests - r));
    rests = 0;
  };

  const index_blocks blocks(blocked.indices);
  const std::size_t n = other.indices.size();
  std::size_t i = 0;
  for (std::size_t b = 0; b < blocks.count(); ++b) {
    if constexpr (is_of_common_only<Kernel>) {
      if (i == n || (b = blocks.reach(b, other.indices[i])) == blocks.count()) break;
    }
    const index_batch indices = blocks.load(b);
    index_batch partners(0);  // the bits of other's values, in the lanes of the same index
    for (const std::int32_t last = blocks.last(b); i < n && other.indices[i] <= last; ++i) {
      const auto is_same = indices == index_batch(other.indices[i]);
      const auto value = static_cast<float>(other.values[i]);
      partners = xsimd::select(is_same, index_batch(std::bit_cast<std::int32_t>(value)), partners);
      if constexpr (!is_of_common_only<Kernel>) {
        rest[rests] = value;
        if ((rests += !xsimd::any(is_same)) == capacity) fold_rest();
      }
    }
    sum = fold(sum, block_values(blocked.values, blocks, b), std::bit_cast<batch>(partners));
  }
  if constexpr (!is_of_common_only<Kernel>) {
    fold_rest();
    for (; i + index_lanes <= n; i += index_lanes) sum = fold(sum, nothing, load_values(other.values.data() + i));
    if (i < n) sum = fold(sum, nothing, load_values(other.values.data() + i, n - i));
  }
  return op::finish(sum);
}

/// Pairs of doubles written side by side and folded a register at a time.
template <class Kernel>
class pair_folder {
 public:
  void add(double x, double y) noexcept {
    m_x[m_size] = x;
    m_y[m_size] = y;
    if (++m_size == capacity) fold();
  }
  double finish() noexcept {
    std::fill(m_x + m_size, m_x + capacity, 0.0);
    std::fill(m_y + m_size, m_y + capacity, 0.0);
    fold();
    return op::finish(m_sum);
  }

 private:
  using op = operation<Kernel, double>;
  static constexpr std::size_t capacity = op::width;
  void fold() noexcept {
    m_sum = op::fold(m_sum, simd::load(m_x), simd::load(m_y));
    m_size = 0;
  }
  alignas(64) double m_x[capacity], m_y[capacity];
  std::size_t m_size = 0;
  typename op::accumulator m_sum = op::zero();
};

/// A sparse row times a factor.
template <class T>
struct scaled_sparse_row {
  sparse_row<T> row;
  lane_t<T> factor;
  auto scale() const noexcept {
    return [factor = factor](auto x) { return x * decltype(x)(factor); };
  }
};

/// The kernel's sum over two rows, whose values go through `of_a` and `of_b` first.
template <class Kernel, class T, class A, class B>
lane_t<T> fold_pair(const sparse_row<T>& a, const sparse_row<T>& b, A of_a, B of_b) noexcept {
  if constexpr (std::same_as<T, double>) {
    pair_folder<Kernel> pairs;
    const auto add = [&](double x, double y) { pairs.add(of_a(x), of_b(y)); };
    if constexpr (is_of_common_only<Kernel>) for_each_common(a, b, add);
    else for_each_stored(a, b, add);
    return pairs.finish();
  } else {
    using op = operation<Kernel, float>;
    if (goes_in_blocks(a.indices, b.indices))
      return fold_blocks<Kernel>(a, b, [=](auto s, auto x, auto y) { return op::fold(s, of_a(x), of_b(y)); });
    return fold_blocks<Kernel>(b, a, [=](auto s, auto x, auto y) { return op::fold(s, of_a(y), of_b(x)); });
  }
}

}  // namespace detail

/// Kernels over sparse rows: those of floating-point rows to which two zeros add nothing.
template <class Kernel, class T>
concept sparse_kernel_for = row_scalar<T> && requires {
  requires std::floating_point<typename detail::operation<Kernel, detail::lane_t<T>>::result>;
};

/// One pair of sparse rows, with 0 for what is not stored; the same for (a, b) and (b, a). \param a,b rows of the same
/// dimension \returns a double for rows of doubles, else a float, also for 8-bit rows. O(stored in both); inner
/// products where one row stores many more than the other: O(fewer log more).
template <class Kernel, class T>
  requires sparse_kernel_for<Kernel, T> detail::lane_t<T> one_to_one(const sparse_row<T>& a, const sparse_row<T>& b)
noexcept { return detail::fold_pair<Kernel>(a, b, std::identity{}, std::identity{}); }

// The same of rows times factors, in the same order.
template <class Kernel, class T>
  requires sparse_kernel_for<Kernel, T> detail::lane_t<T> one_to_one(const detail::scaled_sparse_row<T>& a,
                                                                     const detail::scaled_sparse_row<T>& b)
noexcept { return detail::fold_pair<Kernel>(a.row, b.row, a.scale(), b.scale()); }

/// \param row a sparse row \returns sum x^2, the same bits as the inner product of the row with itself. O(stored).
template <row_scalar T>
detail::lane_t<T> squared_norm(const sparse_row<T>& row) noexcept {
  using op = detail::operation<kernels::inner_product, detail::lane_t<T>>;
  auto sum = op::zero();
  const std::size_t n = row.values.size();
  if constexpr (std::same_as<T, double>) {
    std::size_t i = 0;
    for (; i + op::width <= n; i += op::width) {
      const auto v = simd::load(row.values.data() + i);
      sum = op::fold(sum, v, v);
    }
    const auto v = simd::load_partial(row.values.data() + i, n - i);
    sum = op::fold(sum, v, v);
  } else {
    const detail::index_blocks blocks(row.indices);
    for (std::size_t b = 0; b < blocks.count(); ++b) {
      const auto v = detail::block_values(row.values, blocks, b);
      sum = op::fold(sum, v, v);
    }
  }
  return op::finish(sum);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
