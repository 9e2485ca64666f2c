#pragma once

/// \file
/// The view and the owner that go with each kind of rows, dense or sparse, and what tells the kinds apart, for code
/// that is the same for both.

#include <annulus/core/base/ids.hpp>
#include <annulus/core/rows/csr_matrix.hpp>
#include <annulus/core/rows/element_types.hpp>
#include <annulus/core/rows/matrix.hpp>

#include <string>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

template <class D>
struct rows_traits {};
template <class D>
  requires matrix_element<value_t<D>>
struct rows_traits<D> {
  using owner = matrix<value_t<D>>;
  using view = matrix_view<value_t<D>>;
};
template <class T>
struct rows_traits<csr_matrix<T>> {
  using owner = csr_matrix<T>;
  using view = csr_view<T>;
};
template <class T>
struct rows_traits<csr_view<T>> : rows_traits<csr_matrix<T>> {};

/// The point set that an index of data of type D owns: a matrix or a csr_matrix.
template <class D>
using points_of = typename rows_traits<D>::owner;
/// Rows of data of type D, owned by someone else.
template <class D>
using view_of = typename rows_traits<D>::view;

/// Sparse rows in compressed form, owned or not.
template <class D>
concept csr_like = requires {
  typename D::value_type;
}
&&std::convertible_to<const D&, csr_view<typename D::value_type>>;

/// Rows that searches take.
template <class D>
concept rows_like = matrix_like<D> || csr_like<D>;

/// Does not compile for a range of numbers as data. It converts to a matrix_view of one row, which can be a query.
template <class D>
constexpr void check_is_point_set() noexcept {
  if constexpr (matrix_like<D>)
    static_assert(!contiguous_of<D, value_t<D>>,
                  "annulus: a range of numbers is no set of points; say of which dimension: matrix_view(data, n, d)");
}

/// "rows of float32", "sparse rows of float32": what files call the rows of an index.
template <class Points>
std::string points_name() {
  using T = typename Points::value_type;
  constexpr bool is_sparse = std::same_as<points_of<Points>, csr_matrix<T>>;
  return (is_sparse ? "sparse rows of " : "rows of ") + std::string(scalar_name<T>());
}

/// Whether rows are dense and at equal distances from each other, so that one call of a kernel takes many.
template <class View>
inline constexpr bool is_matrix_view = false;
template <class T>
inline constexpr bool is_matrix_view<matrix_view<T>> = true;

template <class Row>
inline constexpr bool is_sparse_row = false;
template <class T>
inline constexpr bool is_sparse_row<sparse_row<T>> = true;

/// How many coordinates a row has, stored or not.
template <class Row>
std::size_t dim_of(const Row& row) noexcept {
  if constexpr (is_sparse_row<Row>) return row.dim;
  else return row.size();
}

/// The rows of the given numbers, in their order: a matrix or a csr_matrix.
template <class Rows, class Numbers>
auto gather_rows(const Rows& rows, const Numbers& numbers) {
  using T = typename Rows::value_type;
  if constexpr (is_sparse_row<row_t<Rows>>) {
    std::vector<std::int64_t> indptr{0};
    std::vector<std::int32_t> indices;
    std::vector<T> values;
    for (const auto i : numbers) {
      const sparse_row<T> row = rows.row(i);
      indices.insert(indices.end(), row.indices.begin(), row.indices.end());
      values.insert(values.end(), row.values.begin(), row.values.end());
      indptr.push_back(static_cast<std::int64_t>(indices.size()));
    }
    return csr_matrix<T>(std::move(indptr), std::move(indices), std::move(values), rows.dim());
  } else {
    matrix<T> gathered(numbers.size(), rows.dim());
    for (std::size_t i = 0; i < numbers.size(); ++i) std::ranges::copy(rows.row(numbers[i]), gathered.row(i).begin());
    return gathered;
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
