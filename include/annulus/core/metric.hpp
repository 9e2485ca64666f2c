#pragma once

/// \file
/// What a metric is, and the seven that core ships. A metric is a type, so that its kernel is inlined into every loop.
///
/// The least a metric can be is a callable: over dense rows (const T* a, const T* b, std::size_t d) -> number, so that
/// a lambda is a metric; over other point sets (row, row) -> number. Sparse rows are to dense ones as their coordinates
/// are: what is not stored is 0. A metric may add
///   rank(a, b, d)        something cheaper that orders pairs as the distance does, strictly; searches compare ranks
///   to_distance(rank)    the distance of a rank
///   ranks(query, d, rows, stride, count, out)   the ranks of many rows at once, the same numbers
///   kernel               the SIMD kernel (distance.hpp) whose result, passed through `from_kernel`, is the rank
///   product_form         how the rank follows from an inner product, for searches by matrix products
///   is_set_metric        that it reads the indices of sparse rows alone, so that they need no values
///   is_angular           which split an RP tree should use
///   degree()             how distances and ranks grow with the rows, for searches to compare rows times a power of two
///   greatest_sum(norm, d)  what rows of d coordinates of that Euclidean norm add up to at most on the way to their
///                        distance: rows are refused for which that is no number of their type
///   name                 what index files call it
///
/// A metric called on two rows is right at every size of theirs. Ranks are sums of squares, or of powers, and as a sum
/// may be no float where the distance is one, they are right for rows of norms about 1: searches see to that
/// (scaled_rows.hpp).

#include <annulus/core/range.hpp>

#include <annulus/core/macros_off.hpp>

namespace annulus::inline ANNULUS_ARCH {

/// How a metric's rank follows from <q, x> and the squared norms of both.
enum class product_form { none, squared_l2, inner_product, cosine };

/// The distance of two rows, both times s > 0, is s^distance times theirs, and their rank s^rank times theirs.
struct degrees {
  int distance;
  double rank;
};

namespace detail {

/// Distances as floating point: double stays double, everything else is float.
template <class Result>
auto to_floating(Result r) noexcept {
  if constexpr (std::same_as<Result, double>) return r;
  else return static_cast<float>(r);
}

/// A metric whose rank is the result of one kernel.
template <class Kernel>
struct kernel_metric {
  using kernel = Kernel;
  template <class Result>
  static Result from_kernel(Result r) noexcept {
    return r;
  }
  template <row_scalar T>
  static auto rank(const T* a, const T* b, std::size_t d) noexcept {
    return one_to_one<Kernel>(a, b, d);
  }
  template <class T>
    requires sparse_kernel_for<Kernel, T>
  static auto rank(const sparse_row<T>& a, const sparse_row<T>& b) noexcept { return one_to_one<Kernel>(a, b); }
  template <class Rank>
  static auto to_distance(Rank rank) noexcept {
    return to_floating(rank);
  }
  template <class T>
    requires sparse_kernel_for<Kernel, T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept { return rank(a, b); }
};

template <class T>
std::span<const T> as_row(const T* row, std::size_t d) noexcept {
  return {row, d};
}

}  // namespace detail

/// sum (a - b)^2.
struct sqeuclidean : detail::kernel_metric<kernels::squared_l2> {
  static constexpr std::string_view name = "sqeuclidean";
  static constexpr bool is_angular = false;
  static constexpr auto form = product_form::squared_l2;
  static constexpr degrees degree() noexcept { return {.distance = 2, .rank = 2}; }
  static constexpr double greatest_sum(double norm, std::size_t) noexcept { return 4 * norm * norm; }
  using detail::kernel_metric<kernels::squared_l2>::operator();
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    return to_distance(rank(a, b, d));
  }
};

/// sqrt(sum (a - b)^2); ranked by its square.
struct euclidean : detail::kernel_metric<kernels::squared_l2> {
  static constexpr std::string_view name = "euclidean";
  static constexpr bool is_angular = false;
  static constexpr auto form = product_form::squared_l2;
  static constexpr degrees degree() noexcept { return {.distance = 1, .rank = 2}; }
  static constexpr double greatest_sum(double norm, std::size_t) noexcept { return 2 * norm; }
  template <class Rank>
  static auto to_distance(Rank rank) noexcept {
    return detail::sqrt(detail::to_floating(rank));
  }
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    return between(detail::as_row(a, d), detail::as_row(b, d));
  }
  template <row_scalar T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    return between(a, b);
  }

 private:
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
  /// Kept in integers for 8-bit rows: 64 bits hold the negative of any uint32.
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
  /// From <a, b>, |a|^2 and |b|^2, in the precision of the terms (8-bit rows: float). The product of the norms is taken
  /// in double, where it cannot overflow and its root is exact for equal ones: a row is at distance 0 from itself.
  template <class Sum>
  static auto from_terms(Sum dot, Sum a_norm, Sum b_norm) noexcept {
    using number = decltype(detail::to_floating(dot));
    const double product = product_of_norms(a_norm, b_norm);
    if (product == 0) return number(a_norm == b_norm ? 0 : 1);
    return from_product(dot, product);
  }
  /// Whether these squared norms kept their digits, as their product does: neither is zero then.
  template <class Sum>
  static bool takes_norms(Sum a_norm, Sum b_norm) noexcept {
    return detail::is_in_range(a_norm) && detail::is_in_range(b_norm) &&
           (!std::same_as<Sum, double> || detail::is_in_range(a_norm * b_norm));
  }
  /// From the terms of two rows where these kept their digits, else from those of the rows near 1.
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
  using detail::kernel_metric<kernels::l1>::operator();
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    return to_distance(rank(a, b, d));
  }
};

/// max |a - b|.
struct chebyshev : detail::kernel_metric<kernels::linf> {
  static constexpr std::string_view name = "chebyshev";
  static constexpr bool is_angular = false;
  static constexpr double greatest_sum(double norm, std::size_t) noexcept { return 2 * norm; }
  using detail::kernel_metric<kernels::linf>::operator();
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    return to_distance(rank(a, b, d));
  }
};

/// The number of bits that differ, of rows of packed bytes.
struct bit_hamming : detail::kernel_metric<kernels::hamming> {
  static constexpr std::string_view name = "bit_hamming";
  static constexpr bool is_angular = false;
  auto operator()(const std::uint8_t* a, const std::uint8_t* b, std::size_t d) const noexcept {
    return to_distance(rank(a, b, d));
  }
};

// ---- What algorithms call -------------------------------------------------------------------------------------------

/// A callable over dense rows of T.
template <class M, class T>
concept dense_metric = std::copy_constructible<M> && requires(const M& m, const T* a, std::size_t d) {
  { m(a, a, d) } -> std::convertible_to<double>;
};

/// A metric over the rows of a point set: of two rows, or for dense rows of two pointers and a length.
template <class M, class Points>
concept metric_for = point_set<Points> &&
    ((requires { requires std::convertible_to<row_t<Points>, std::span<const typename Points::value_type>>; } &&
      dense_metric<M, typename Points::value_type>) ||
     requires(const M& m, row_t<Points> r) {
       { m(r, r) } -> std::convertible_to<double>;
     });

/// What searches compare: the metric's rank where it has one, else the distance.
template <class M, class T>
  requires dense_metric<M, T>
auto rank_of(const M& metric, const T* a, const T* b, std::size_t d) {
  if constexpr (requires { metric.rank(a, b, d); }) return metric.rank(a, b, d);
  else return metric(a, b, d);
}

template <class M, class T>
using rank_t = decltype(rank_of(std::declval<const M&>(), std::declval<const T*>(), std::declval<const T*>(), 0));

/// The distance of a rank, as results hold it.
template <class M, class Rank>
float distance_of(const M& metric, Rank rank) {
  if constexpr (requires { metric.to_distance(rank); }) return static_cast<float>(metric.to_distance(rank));
  else return static_cast<float>(rank);
}

/// A metric whose rank is what its kernel returns, but for from_kernel.
template <class M, class T>
concept kernel_ranked = requires {
  typename M::kernel;
  requires std::same_as<rank_t<M, T>, kernel_result<typename M::kernel, T>>;
};

namespace detail {
/// The form of a metric, which need not tell.
template <class Metric>
constexpr product_form form_of() {
  if constexpr (requires { Metric::form; }) return Metric::form;
  else return product_form::none;
}
/// Whether ranks follow from inner products.
template <class Metric>
constexpr bool has_product_form() {
  return form_of<Metric>() != product_form::none;
}
template <class Metric>
inline constexpr bool is_cosine = form_of<Metric>() == product_form::cosine;

/// Metrics whose kernel folds several rows into one pass over the query.
template <class M, class T>
concept folds_rows = kernel_ranked<M, T> && !looping<operation<typename M::kernel, T>, T>;

/// Metrics that rank many rows at once, to the same numbers as one by one and whichever of two rows comes first.
template <class M, class T>
concept ranks_blocks = requires(const M& m, const T* row, std::size_t n, rank_t<M, T>* out) {
  m.ranks(row, n, row, n, n, out);
};

/// Metrics that count the bits of packed rows.
template <class M, class T>
concept counts_bits = (kernel_ranked<M, T> && !folds_rows<M, T>) || ranks_blocks<M, T>;
}  // namespace detail

}  // namespace annulus::inline ANNULUS_ARCH

#include <annulus/core/macros_on.hpp>
