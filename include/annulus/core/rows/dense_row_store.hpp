#pragma once

/// \file
/// The dense rows of an index, aligned to cache lines. Rows can be added and removed.

#include <annulus/core/base/assert.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/simd/prefetch.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Dense rows that begin on cache lines (short ones on powers of two).
template <class T>
class dense_row_store {
 public:
  using value_type = T;

  dense_row_store() = default;
  explicit dense_row_store(std::size_t dim) : m_dim(dim), m_stride(stride_of(dim)) {}

  std::size_t size() const noexcept { return m_size; }
  std::size_t dim() const noexcept { return m_dim; }
  const T* data(std::size_t i) const noexcept {
    ANNULUS_ASSERT(i < m_size);
    return m_values.data() + i * m_stride;
  }
  T* data(std::size_t i) noexcept {
    ANNULUS_ASSERT(i < m_size);
    return m_values.data() + i * m_stride;
  }
  std::span<const T> row(std::size_t i) const noexcept { return {data(i), m_dim}; }
  matrix_view<T> view() const { return {m_values.data(), m_size, m_dim, m_stride}; }
  std::size_t stride() const noexcept { return m_stride; }
  std::size_t memory_bytes() const noexcept { return m_values.memory_bytes(); }
  void resize(std::size_t n) {
    m_values.resize(n * m_stride);
    m_size = n;
  }
  void assign(std::size_t i, std::span<const T> row) { std::ranges::copy(row, data(i)); }
  /// Keeps the rows of `order`, which ascends: row order[i] becomes row i.
  template <class Number>
  void keep_only(std::span<const Number> order) noexcept {
    for (std::size_t i = 0; i < order.size(); ++i)
      if (order[i] != i) std::copy_n(data(order[i]), m_stride, data(i));
    m_size = order.size();
    m_values.resize(m_size * m_stride);
  }
  void prefetch(std::size_t i) const noexcept { prefetch_row(data(i), m_dim); }

  /// Saves rows with the zeros behind them; the owner of the store saves the dimension.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("count", self.m_size);
    archive.expect(self.m_stride >= self.m_dim, "has a dimension that overflows");
    archive("values", self.m_values, {self.m_size, self.m_stride});
  }

 private:
  static std::size_t stride_of(std::size_t dim) noexcept {
    constexpr std::size_t line = 64 / sizeof(T);
    return dim < line ? std::bit_ceil(std::max<std::size_t>(dim, 1)) : (dim + line - 1) / line * line;
  }

  std::size_t m_size = 0, m_dim = 0, m_stride = 0;
  buffer<T> m_values;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
