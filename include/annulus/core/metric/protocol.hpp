#pragma once

/// \file
/// The metric protocol: the concepts of what a metric must be and of the members that it may have. metric.hpp describes
/// each member; protocol_checks.hpp refuses members of these names that do not fit.

#include <annulus/core/kernels/scaled_sums.hpp>
#include <annulus/core/rows/point_set.hpp>

#include <string_view>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// What the rank of a metric is, by <q, x> and the squared norms of both.
enum class product_form {
  none,           ///< no function of these
  squared_l2,     ///< |q - x|^2
  inner_product,  ///< -<q, x>
  cosine          ///< 1 - cos(q, x)
};

/// The distance of two rows, both times s > 0, is s^distance times theirs, and their rank s^rank times theirs.
struct degrees {
  int distance;          ///< the power of s in distances
  double rank;           ///< and in ranks
  bool is_known = true;  ///< false: as if the metric had no degree(), for metrics whose type is known at run time alone

  /// \returns those of a metric without degree()
  static constexpr degrees unknown() noexcept { return {.distance = 0, .rank = 0, .is_known = false}; }
};

/// Why a metric does not take a row. False where it does.
struct row_refusal {
  /// The place of a refusal that is for the row and not for a value.
  static constexpr std::size_t whole = static_cast<std::size_t>(-1);

  const char* reason = nullptr;  ///< a text that outlives this; null: the metric takes the row
  std::size_t place = whole;     ///< of the value at fault: its coordinate, of a sparse row which of those stored

  constexpr row_refusal() = default;
  /// \param why a text that outlives this \param at the place of the value at fault, or whole
  constexpr row_refusal(const char* why, std::size_t at = whole) noexcept : reason(why), place(at) {}
  /// Whether the row is refused.
  explicit constexpr operator bool() const noexcept { return reason != nullptr; }
};

namespace detail {
template <class Row>
inline constexpr bool is_dense_row = false;
template <class T>
inline constexpr bool is_dense_row<std::span<const T>> = true;

/// The element type of dense rows, else void.
template <class Row>
struct dense_element {
  using type = void;
};
template <class T>
struct dense_element<std::span<const T>> {
  using type = T;
};
}  // namespace detail

/// A callable of two rows.
template <class M, class Row>
concept compares_rows = requires(const M& metric, const Row& row) {
  { metric(row, row) } -> std::convertible_to<double>;
};

/// A callable of two pointers to dense rows of T, and their length.
template <class M, class T>
concept compares_pointers = requires(const M& metric, const T* row, std::size_t d) {
  { metric(row, row, d) } -> std::convertible_to<double>;
};

/// A metric over dense rows of T: of two pointers and a length, or of two spans.
template <class M, class T>
concept dense_metric = row_scalar<T> && std::copy_constructible<M> &&
    (compares_pointers<M, T> || compares_rows<M, std::span<const T>>);

/// A metric over rows of that type.
template <class M, class Row>
concept row_metric_for = (detail::is_dense_row<Row> && dense_metric<M, typename detail::dense_element<Row>::type>) ||
                         (!detail::is_dense_row<Row> && std::copy_constructible<M> && compares_rows<M, Row>);

/// A metric over the rows of a point set.
template <class M, class Points>
concept metric_for = point_set<Points> && row_metric_for<M, std::remove_cvref_t<row_t<Points>>>;

/// Has rank(a, b, d) of pointers.
template <class M, class T>
concept ranks_pointers = requires(const M& metric, const T* row, std::size_t d) {
  { metric.rank(row, row, d) } -> std::convertible_to<double>;
};

/// Has rank(a, b) of rows, or for dense rows rank(a, b, d).
template <class M, class Row>
concept has_rank = requires(const M& metric, const Row& row) {
  { metric.rank(row, row) } -> std::convertible_to<double>;
}
|| (detail::is_dense_row<Row> && ranks_pointers<M, typename detail::dense_element<Row>::type>);

/// Has to_distance(rank).
template <class M, class Rank>
concept has_to_distance = requires(const M& metric, Rank rank) {
  { metric.to_distance(rank) } -> std::convertible_to<double>;
};

/// Has `kernel`, which takes rows of T, and from_kernel(result).
template <class M, class T>
concept has_kernel = requires(const M& metric, kernel_result<typename M::kernel, T> result) {
  { metric.from_kernel(result) } -> std::convertible_to<double>;
};

/// Has `form`, maybe none.
template <class M>
concept has_form = std::same_as<decltype(&M::form), const product_form*> && requires {
  typename std::integral_constant<product_form, M::form>;
};

/// Has a form that is not none: ranks follow from inner products.
template <class M>
concept has_product_form = has_form<M> && M::form != product_form::none;

/// Has `is_angular`.
template <class M>
concept has_angular_flag = std::same_as<decltype(&M::is_angular), const bool*> && requires {
  typename std::bool_constant<M::is_angular>;
};

/// Has `is_set_metric`.
template <class M>
concept has_set_flag = std::same_as<decltype(&M::is_set_metric), const bool*> && requires {
  typename std::bool_constant<M::is_set_metric>;
};

/// Has is_set_metric = true: reads no more of sparse rows than their indices.
template <class M>
concept compares_sets = has_set_flag<M> && M::is_set_metric;

/// Has degree().
template <class M>
concept has_degree = requires(const M& metric) {
  { metric.degree() } -> std::same_as<degrees>;
};

/// Has greatest_sum(norm, d).
template <class M>
concept bounds_sums = requires(const M& metric, double norm, std::size_t d) {
  { metric.greatest_sum(norm, d) } -> std::convertible_to<double>;
};

/// Has check_dimension(d).
template <class M>
concept checks_dimension = requires(const M& metric, std::size_t d) {
  { metric.check_dimension(d) } -> std::same_as<void>;
};

/// Has refuses(row).
template <class M, class Row>
concept refuses_whole_rows = requires(const M& metric, const Row& row) {
  { metric.refuses(row) } -> std::convertible_to<row_refusal>;
};

/// Has refuses(row), or for dense rows refuses(row, d).
template <class M, class Row>
concept refuses_rows = refuses_whole_rows<M, Row> || requires(const M& metric, const Row& row) {
  { metric.refuses(row.data(), row.size()) } -> std::convertible_to<row_refusal>;
};

/// Has embedded<T>, embedded_dim(d), embed(row, d, out) and base(d): over dense rows of T it is its base's distance of
/// rows rewritten (rewritten_metric.hpp).
template <class M, class T>
concept rewrites_rows = requires(const M& m, const T* row, std::size_t d, typename M::template embedded<T>* out) {
  { m.embedded_dim(d) } -> std::convertible_to<std::size_t>;
  m.embed(row, d, out);
  { m.base(d) } -> dense_metric<typename M::template embedded<T>>;
};

/// Has `bits`, a number.
template <class M>
concept has_bit_count = requires(M& metric, std::size_t n) {
  requires std::same_as<std::remove_cvref_t<decltype(metric.bits)>, std::size_t>;
  metric.bits = n;
};

/// Has a `name` for files.
template <class M>
concept has_name = requires {
  { M::name } -> std::convertible_to<std::string_view>;
  requires !std::is_member_object_pointer_v<decltype(&M::name)>;
};

namespace detail {
/// Numbers that searches order as they are: floats, and what kernels of 8-bit rows return. Whatever else a metric
/// returns becomes a double.
template <class R>
auto as_rank(R r) {
  if constexpr (std::same_as<R, float> || std::same_as<R, std::int32_t> || std::same_as<R, std::uint32_t> ||
                std::same_as<R, std::int64_t> || std::same_as<R, std::uint64_t>)
    return r;
  else return static_cast<double>(r);
}
}  // namespace detail

/// What searches compare. \param metric of dense rows \param a,b two rows \param d their length
/// \returns the metric's rank where it has one, else the distance \throws any exception of the metric
template <class M, class T>
  requires dense_metric<M, T>
auto rank_of(const M& metric, const T* a, const T* b, std::size_t d) {
  using row = std::span<const T>;
  if constexpr (ranks_pointers<M, T>) return detail::as_rank(metric.rank(a, b, d));
  else if constexpr (has_rank<M, row>) return detail::as_rank(metric.rank(row(a, d), row(b, d)));
  else if constexpr (compares_pointers<M, T>) return detail::as_rank(metric(a, b, d));
  else return detail::as_rank(metric(row(a, d), row(b, d)));
}

/// The type of what searches of dense rows of T compare.
template <class M, class T>
using rank_t = decltype(rank_of(std::declval<const M&>(), std::declval<const T*>(), std::declval<const T*>(), 0));

/// Has ranks(query, d, rows, stride, count, out): ranks many rows at once, to the same numbers as one by one and
/// whichever of two rows comes first.
template <class M, class T>
concept ranks_blocks = requires(const M& m, const T* row, std::size_t n, rank_t<M, T>* out) {
  m.ranks(row, n, row, n, n, out);
};

/// Has chosen_ranks(query, d, rows, count, out): the same of rows that lie anywhere, by pointers.
template <class M, class T>
concept ranks_chosen_rows = requires(const M& m, const T* row, const T* const* rows, std::size_t n, rank_t<M, T>* out) {
  m.chosen_ranks(row, n, rows, n, out);
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
