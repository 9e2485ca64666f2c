#pragma once

/// \file
/// What a metric is. A metric is a type, so that its kernel is inlined into every loop.
///
/// The least a metric can be is a callable: over dense rows (const T* a, const T* b, std::size_t d) -> number, so that
/// a lambda is a metric; over other point sets (row, row) -> number. Sparse rows are to dense ones as their coordinates
/// are: what is not stored is 0. A metric may add
///   rank(a, b, d)        something cheaper that orders pairs as the distance does, strictly; searches compare ranks
///   to_distance(rank)    the distance of a rank
///   ranks(query, d, rows, stride, count, out)   the ranks of many rows at once, the same numbers
///   kernel               the SIMD kernel (dense_kernels.hpp) whose result, passed through `from_kernel`, is the rank
///   form                 a product_form: the rank is that squared Euclidean distance, negative inner product or cosine
///                        distance, so that searches and codes select by integer products. Of `cosine` dense searches
///                        compute the rank themselves, from norms that they keep: the metric's own is not called
///   is_angular           whether an RP tree parts rows by direction where their form is inner_product; every metric
///                        with a form has it
///   is_set_metric        that it reads the indices of sparse rows alone, so that they need no values
///   degree()             how distances and ranks grow with the rows, for searches to compare rows times a power of two
///   greatest_sum(norm, d)  what rows of d coordinates of that Euclidean norm add up to at most on the way to their
///                        distance: rows are refused for which that is no number of their type
///   check_dimension(d)   throws std::invalid_argument for rows of a length that it does not take
///   refuses(row, d), or refuses(row) of a sparse row   why it does not take a row: a row_refusal, or a text that is
///                        null where it does (rewritten_metric.hpp)
///   embedded<T>, embedded_dim(d), embed(row, d, out), base(d)   that it is the metric `base` of rewritten rows, of
///                        which searches then compare copies (rewritten_metric.hpp)
///   bits                 how many bits rows of bytes have, 0 until it is told; bit_matrix tells it
///   name                 what index files call it
///
/// A metric called on two rows is right at every size of theirs. Ranks are sums of squares, or of powers, and as a sum
/// may be no float where the distance is one, they are right for rows of norms about 1: searches see to that
/// (scaled_rows.hpp).

#include <annulus/core/kernels/scaled_sums.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// What the rank of a metric is, by <q, x> and the squared norms of both: |q - x|^2, -<q, x>, or 1 - cos(q, x).
enum class product_form { none, squared_l2, inner_product, cosine };

/// The distance of two rows, both times s > 0, is s^distance times theirs, and their rank s^rank times theirs.
struct degrees {
  int distance;
  double rank;
};

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
/// The form of a metric; none where it has no such member.
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

/// Metrics that compare whole rows by a loop of their own, in place of one over vectors of coordinates: those of packed
/// bits, by their kernel or by `ranks`, and any other with `ranks`.
template <class M, class T>
concept has_own_loop = (kernel_ranked<M, T> && !folds_rows<M, T>) || ranks_blocks<M, T>;

/// A metric of packed bits, or a family of them, for these points: where it was not told how many bits rows have, a
/// bit_matrix tells it, as its last bytes may have more.
template <class Metric, class Points>
Metric told_of_bits(Metric metric, const Points& points) {
  if constexpr (requires { metric.bits = points.bits(); })
    if (metric.bits == 0) metric.bits = points.bits();
  return metric;
}
}  // namespace detail

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
