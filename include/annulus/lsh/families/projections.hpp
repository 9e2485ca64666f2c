#pragma once

/// \file
/// Random projections for all tables, shared by the families of linear functions.

#include <annulus/core/base/random.hpp>
#include <annulus/core/kernels/fixed_order_product.hpp>
#include <annulus/lsh/family.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// n_tables x n_projections directions. Those of a table do not depend on n_tables.
template <class T>
class projections {
 public:
  projections() = default;
  /// draw(random, counter) gives one coordinate; each column has counters of its own.
  template <class Draw>
  projections(std::size_t dim, std::size_t per_table, std::size_t n_tables, std::uint64_t seed, Draw draw)
      : m_per_table(per_table),
        m_n_tables(n_tables),
        m_directions(dim, checked_product(per_table, n_tables, "n_projections * n_tables"),
                     [&, random = counter_random(seed, 0x15)](std::size_t p, std::size_t c) {
                       return static_cast<T>(draw(random, c * dim + p));
                     }) {}

  std::size_t per_table() const noexcept { return m_per_table; }
  std::size_t n_tables() const noexcept { return m_n_tables; }
  std::size_t size() const noexcept { return m_per_table * m_n_tables; }
  std::size_t memory_bytes() const noexcept { return m_directions.memory_bytes(); }

  /// Writes the size() products of each row with all directions; rows of `out` are `stride` apart.
  void all(matrix_view<T> rows, T* out, std::size_t stride) const noexcept {
    m_directions.multiply(rows, 0, size(), out, stride);
  }
  void all(matrix_view<T> rows, T* out) const noexcept { all(rows, out, size()); }

  /// Calls f(table, products, row) for tables first to first + n_tables and all rows; products holds per_table().
  template <class F>
  void of_tables(matrix_view<T> rows, std::size_t first, std::size_t n_tables, F f) const {
    constexpr std::size_t block = 16 * product_tile<T>::rows;  // whose products stay in cache
    const std::size_t columns = n_tables * m_per_table;
    aligned_vector<T> products(std::min(block, rows.rows()) * columns);
    for (std::size_t i = 0; i < rows.rows(); i += block) {
      const auto part = rows.middle_rows(i, std::min(block, rows.rows() - i));
      m_directions.multiply(part, first * m_per_table, (first + n_tables) * m_per_table, products.data(), columns);
      for (std::size_t r = 0; r < part.rows(); ++r)
        for (std::size_t t = 0; t < n_tables; ++t) f(t, products.data() + r * columns + t * m_per_table, i + r);
    }
  }

 private:
  std::size_t m_per_table = 0, m_n_tables = 0;
  packed_matrix<T> m_directions;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
