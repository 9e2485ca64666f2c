#pragma once

/// \file
/// Sums of squares, and of other powers, that leave the range of floating point: the square of a float below 1e-19 or
/// above 1e19 is no float, although the root of a sum of such squares is one.
///
/// Kernels run over the rows as they are, and one comparison tells whether the sum has full precision. Where it has
/// not, they run again over the rows times a power of two that brings these near 1, and the result is scaled back.
/// Neither step rounds: rows times a power of two have distances times a power of two, bit for bit.
///
/// A Row is a std::span<const T> or a sparse_row<T>.

#include <annulus/core/base/float_bits.hpp>
#include <annulus/core/kernels/dense_kernels.hpp>
#include <annulus/core/kernels/sparse_kernels.hpp>

#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Whether a sum has full precision: it did not overflow, and is not so small that terms may have underflowed. False
/// for zero, which may be the sum of such terms, and for a sum that is not finite.
template <class Sum>
constexpr bool is_in_range(Sum sum) noexcept {
  using limits = std::numeric_limits<Sum>;
  if constexpr (limits::is_integer) {
    return true;
  } else {
    constexpr auto least = bits_of(limits::min() / (limits::epsilon() * limits::epsilon()));
    constexpr auto greatest = bits_of(limits::max() * limits::epsilon());
    return bits_of(sum) - least <= greatest - least;
  }
}

/// The type of a row's coordinates.
template <class Row>
struct coordinate_of;
template <class T>
struct coordinate_of<std::span<const T>> {
  using type = T;
};
template <class T>
struct coordinate_of<sparse_row<T>> {
  using type = T;
};
template <class Row>
using coordinate_t = typename coordinate_of<Row>::type;

/// Whether sums over two rows may leave their range: those of bytes do not.
template <class Row>
inline constexpr bool may_leave_range = !is_byte<coordinate_t<Row>>;

/// What the kernel returns for two rows.
template <class Kernel, class T>
kernel_result<Kernel, T> sum_of(std::span<const T> a, std::span<const T> b) noexcept {
  return one_to_one<Kernel>(a.data(), b.data(), a.size());
}
template <class Kernel, class T>
lane_t<T> sum_of(const sparse_row<T>& a, const sparse_row<T>& b) noexcept {
  return one_to_one<Kernel>(a, b);
}

/// The same for a / 2^a_exponent and b / 2^b_exponent.
template <class Kernel, class T>
kernel_result<Kernel, T> scaled_sum_of(std::span<const T> a, int a_exponent, std::span<const T> b,
                                       int b_exponent) noexcept {
  const auto scaled = [](std::span<const T> row, int exponent) {
    return scaled_row<T>{row.data(), std::ldexp(lane_t<T>(1), -exponent)};
  };
  return one_to_one<Kernel>(scaled(a, a_exponent), scaled(b, b_exponent), a.size());
}
template <class Kernel, class T>
lane_t<T> scaled_sum_of(const sparse_row<T>& a, int a_exponent, const sparse_row<T>& b, int b_exponent) noexcept {
  const auto scaled = [](const sparse_row<T>& row, int exponent) {
    return scaled_sparse_row<T>{row, std::ldexp(lane_t<T>(1), -exponent)};
  };
  return one_to_one<Kernel>(scaled(a, a_exponent), scaled(b, b_exponent));
}

/// The greatest |coordinate|. O(d).
template <class T>
lane_t<T> greatest_of(std::span<const T> row) noexcept {
  using op = operation<kernels::linf, T>;
  auto most = op::zero();
  std::size_t i = 0;
  for (; i + op::width <= row.size(); i += op::width) most = op::fold(most, op::load(row.data() + i), op::zero());
  if (i < row.size()) most = op::fold(most, op::load_partial(row.data() + i, row.size() - i), op::zero());
  return op::finish(most);
}
template <class T>
lane_t<T> greatest_of(const sparse_row<T>& row) noexcept {
  return greatest_of(row.values);
}

/// The exponent of a number >= 0: even, so that the square root of 2^exponent is a power of two, and limited so that
/// 2^-exponent is a normal number. 0 for zero.
template <std::floating_point Number>
int even_exponent(Number x) noexcept {
  constexpr int most = std::numeric_limits<Number>::max_exponent - 2;
  return x > 0 ? std::clamp(std::ilogb(x) / 2 * 2, -most, most) : 0;
}

/// The exponent of one row.
template <class Row>
int exponent_of(const Row& row) noexcept {
  return even_exponent(greatest_of(row));
}
/// The exponent of the distance between two rows, limited so that no scaled coordinate comes near the end of its range.
template <class Row>
int exponent_of_difference(const Row& a, const Row& b) noexcept {
  const auto greatest = std::max(greatest_of(a), greatest_of(b)), difference = sum_of<kernels::linf>(a, b);
  constexpr int room = std::numeric_limits<decltype(greatest)>::max_exponent - 8;
  return std::max(even_exponent(difference), even_exponent(greatest) - room);
}

template <class Kernel, class Row, class Root>
[[gnu::noinline, gnu::cold]] auto root_of_scaled_sum(Row a, Row b, Root root) noexcept {
  const int exponent = exponent_of_difference(a, b);
  return std::ldexp(root(scaled_sum_of<Kernel>(a, exponent, b, exponent)), exponent);
}

/// The distance root(sum) of the kernel's sum, for a distance that grows by s where both rows do.
template <class Kernel, class Row, class Root>
auto root_of_sum(const Row& a, const Row& b, Root root) noexcept {
  const auto sum = sum_of<Kernel>(a, b);
  if constexpr (may_leave_range<Row>)
    if (!is_in_range(sum)) [[unlikely]]
      return root_of_scaled_sum<Kernel>(a, b, root);
  return root(sum);
}

template <class Row>
[[gnu::noinline, gnu::cold]] auto product_of_scaled(Row a, Row b) noexcept {
  const int i = exponent_of(a), j = exponent_of(b);
  return std::ldexp(scaled_sum_of<kernels::inner_product>(a, i, b, j), i + j);
}

/// <a, b>, right also where partial sums overflow and <a, b> does not.
template <class Row>
auto product_of(const Row& a, const Row& b) noexcept {
  const auto sum = sum_of<kernels::inner_product>(a, b);
  if constexpr (may_leave_range<Row>)
    if (!is_finite(sum)) [[unlikely]]
      return product_of_scaled(a, b);
  return sum;
}

template <class T>
[[gnu::noinline, gnu::cold]] double norm_of_scaled(std::span<const T> row) noexcept {
  const int exponent = exponent_of(row);
  const auto square = scaled_sum_of<kernels::inner_product>(row, exponent, row, exponent);
  return std::ldexp(detail::sqrt(static_cast<double>(square)), exponent);
}

/// The Euclidean norm of a row of any size; NaN or infinite if a coordinate is.
template <class T>
double norm_of(std::span<const T> row) noexcept {
  const auto square = sum_of<kernels::inner_product>(row, row);
  if constexpr (!is_byte<T>)
    if (!is_in_range(square)) [[unlikely]]
      return norm_of_scaled(row);
  return detail::sqrt(static_cast<double>(square));
}
template <class T>
double norm_of(const sparse_row<T>& row) noexcept {
  return norm_of(row.values);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
