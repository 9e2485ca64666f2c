#pragma once

/// \file
/// The seven metrics of core: euclidean, sqeuclidean, inner_product, cosine, manhattan, chebyshev, bit_hamming.

#include <annulus/core/metric/kernel_metric.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// sum (a - b)^2.
struct sqeuclidean : detail::kernel_metric<kernels::squared_l2> {
  static constexpr std::string_view name = "sqeuclidean";
  static constexpr bool is_angular = false;
  static constexpr auto form = product_form::squared_l2;
  static constexpr degrees degree() noexcept { return {.distance = 2, .rank = 2}; }
  static constexpr double greatest_sum(double norm, std::size_t) noexcept { return 4 * norm * norm; }
};

/// sqrt(sum (a - b)^2); ranked by its square.
struct euclidean : detail::kernel_metric<kernels::squared_l2>, detail::row_metric<euclidean> {
  static constexpr std::string_view name = "euclidean";
  static constexpr bool is_angular = false;
  static constexpr auto form = product_form::squared_l2;
  static constexpr degrees degree() noexcept { return {.distance = 1, .rank = 2}; }
  static constexpr double greatest_sum(double norm, std::size_t) noexcept { return 2 * norm; }
  template <class Rank>
  static auto to_distance(Rank rank) noexcept {
    // A sum of 8-bit rows may be no float: its root is taken in double, and rounded once.
    if constexpr (std::integral<Rank>) return static_cast<float>(detail::sqrt(static_cast<double>(rank)));
    else return detail::sqrt(detail::to_floating(rank));
  }
  using detail::row_metric<euclidean>::operator();

 private:
  friend detail::row_metric<euclidean>;
  template <class Row>
  static auto between(const Row& a, const Row& b) noexcept {
    return detail::root_of_sum<kernel>(a, b, [](auto rank) { return to_distance(rank); });
  }
};

/// -sum a b, so that smaller is nearer.
struct inner_product {
  static constexpr std::string_view name = "inner_product";
  static constexpr bool is_angular = true;
  static constexpr auto form = product_form::inner_product;
  static constexpr degrees degree() noexcept { return {.distance = 2, .rank = 2}; }
  static constexpr double greatest_sum(double norm, std::size_t) noexcept { return norm * norm; }
  using kernel = kernels::inner_product;
  /// \param r the product \returns its negative, kept in integers for 8-bit rows: 64 bits hold that of any uint32
  template <class Result>
  static auto from_kernel(Result r) noexcept {
    if constexpr (std::is_integral_v<Result>) return -std::int64_t{r};
    else return -r;
  }
  template <row_scalar T>
  static auto rank(const T* a, const T* b, std::size_t d) noexcept {
    return from_kernel(one_to_one<kernel>(a, b, d));
  }
  template <row_scalar T>
  static auto rank(const sparse_row<T>& a, const sparse_row<T>& b) noexcept {
    return from_kernel(one_to_one<kernel>(a, b));
  }
  template <class Rank>
  static auto to_distance(Rank rank) noexcept {
    return detail::to_floating(rank);
  }
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    return to_distance(from_kernel(detail::product_of(detail::as_row(a, d), detail::as_row(b, d))));
  }
  template <row_scalar T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    return to_distance(from_kernel(detail::product_of(a, b)));
  }
};

/// 1 - cos(a, b), from 0 to 2, of rows of any size each. A zero vector is at distance 1 from any other and 0 from
/// another zero vector.
struct cosine {
  static constexpr std::string_view name = "cosine";
  static constexpr bool is_angular = true;
  static constexpr auto form = product_form::cosine;
  static constexpr degrees degree() noexcept { return {.distance = 0, .rank = 0}; }
  /// The product of the norms is taken in double, where it cannot overflow and its root is exact for equal ones: a row
  /// is at distance 0 from itself. \param dot,a_norm,b_norm <a, b>, |a|^2 and |b|^2 \returns the distance, in the
  /// precision of the terms (8-bit rows: float)
  template <class Sum>
  static auto from_terms(Sum dot, Sum a_norm, Sum b_norm) noexcept {
    using number = decltype(detail::to_floating(dot));
    const double product = product_of_norms(a_norm, b_norm);
    if (product == 0) return number(a_norm == b_norm ? 0 : 1);
    return from_product(dot, product);
  }
  /// \param a_norm,b_norm squared norms \returns whether they have full precision, as their product then does. Neither
  /// is zero then
  template <class Sum>
  static bool takes_norms(Sum a_norm, Sum b_norm) noexcept {
    return detail::is_in_range(a_norm) && detail::is_in_range(b_norm) &&
           (!std::same_as<Sum, double> || detail::is_in_range(a_norm * b_norm));
  }
  /// From the terms where these have full precision, else from those of the rows scaled to near 1. \param a,b the rows
  /// \param dot,a_norm,b_norm <a, b>, |a|^2 and |b|^2 \returns the distance
  template <class Row, class Sum>
  static auto from_rows(const Row& a, const Row& b, Sum dot, Sum a_norm, Sum b_norm) noexcept {
    if constexpr (detail::may_leave_range<Row>) {
      if (!takes_norms(a_norm, b_norm)) [[unlikely]]
        return near_one(a, b);
      return from_product(dot, product_of_norms(a_norm, b_norm));
    } else {
      return from_terms(dot, a_norm, b_norm);
    }
  }
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    const auto [dot, b_norm] = one_to_one<kernels::cosine_terms>(a, b, d);
    const auto a_norm = one_to_one<kernels::inner_product>(a, a, d);
    return from_rows(detail::as_row(a, d), detail::as_row(b, d), dot, a_norm, b_norm);
  }
  template <row_scalar T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    return from_rows(a, b, one_to_one<kernels::inner_product>(a, b), squared_norm(a), squared_norm(b));
  }

 private:
  template <class Sum>
  static double product_of_norms(Sum a_norm, Sum b_norm) noexcept {
    return detail::sqrt(static_cast<double>(a_norm) * static_cast<double>(b_norm));
  }
  template <class Sum>
  static auto from_product(Sum dot, double product) noexcept {
    using number = decltype(detail::to_floating(dot));
    const number distance = number(1) - static_cast<number>(static_cast<double>(dot) / product);
    return detail::is_less(distance, number(0)) ? number(0) : distance;
  }
  template <class Row>
  [[gnu::noinline, gnu::cold]] static auto near_one(Row a, Row b) noexcept {
    const int i = detail::exponent_of(a), j = detail::exponent_of(b);
    const auto product = [](const Row& x, int x_exponent, const Row& y, int y_exponent) {
      return detail::scaled_sum_of<kernels::inner_product>(x, x_exponent, y, y_exponent);
    };
    return from_terms(product(a, i, b, j), product(a, i, a, i), product(b, j, b, j));
  }
};

/// sum |a - b|.
struct manhattan : detail::kernel_metric<kernels::l1> {
  static constexpr std::string_view name = "manhattan";
  static constexpr bool is_angular = false;
  static double greatest_sum(double norm, std::size_t d) noexcept {
    return 2 * detail::sqrt(static_cast<double>(d)) * norm;
  }
};

/// max |a - b|.
struct chebyshev : detail::kernel_metric<kernels::linf> {
  static constexpr std::string_view name = "chebyshev";
  static constexpr bool is_angular = false;
  static constexpr double greatest_sum(double norm, std::size_t) noexcept { return 2 * norm; }
};

/// The number of bits that differ, of rows of packed bytes.
struct bit_hamming : detail::kernel_metric<kernels::bit_hamming> {
  static constexpr std::string_view name = "bit_hamming";
  static constexpr bool is_angular = false;
  auto operator()(const std::uint8_t* a, const std::uint8_t* b, std::size_t d) const noexcept {
    return to_distance(rank(a, b, d));
  }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
