#pragma once

/// \file
/// What a metric is. A metric is a type, so that its kernel is inlined into every loop.
///
/// A metric is a callable that is copy constructible and can be called as const, from several threads at once. It
/// returns a number, the smaller the nearer:
///   over dense rows    (const T* a, const T* b, std::size_t d), or two std::span<const T>
///   over sparse rows   two const sparse_row<T>&; what is not stored is 0
///   over point sets    two rows as row(i) returns them
/// So that a lambda is a metric. It may have these members; each has a concept in protocol.hpp, and one of the right
/// name that does not fit is a compile-time error (protocol_checks.hpp). Functions are static or const. R is the type
/// of ranks; "else" tells what holds without the member.
///
/// - `R rank(a, b, d), rank(a, b) of two rows`: has_rank.
///   What searches compare: cheaper, in the strict order of the distances; else distances.
/// - `number to_distance(R rank)`: has_to_distance.
///   The distance of a rank; else the rank.
/// - `void ranks(query, d, rows, stride, count, R* out)`: ranks_blocks.
///   The ranks of many dense rows, the same numbers; else one by one.
/// - `void chosen_ranks(query, d, const T* const* rows, count, R* out)`: ranks_chosen_rows.
///   The same of rows that lie anywhere; else one by one.
/// - `using kernel; R from_kernel(result)`: has_kernel.
///   The rank is that of the result of a SIMD kernel (dense_kernels.hpp); else rank.
/// - `static constexpr product_form form`: has_form, has_product_form.
///   The rank is that function of the inner product and the norms, so that searches and codes select by integer
///   products; else none.
/// - `static constexpr bool is_angular`: has_angular_flag.
///   Random projection trees part rows by direction where the form is inner_product; needed beside a form.
/// - `static constexpr bool is_set_metric`: has_set_flag, compares_sets.
///   Reads only the indices of sparse rows, so that these need no values; else false.
/// - `degrees degree()`: has_degree.
///   How distances and ranks grow with the rows: searches scale extreme rows; else not scaled.
/// - `double greatest_sum(double norm, size_t d)`: bounds_sums.
///   The greatest sum on the way to a distance of rows of that norm; else sums are not tested.
/// - `void check_dimension(size_t d)`: checks_dimension.
///   Throws std::invalid_argument for a length that it does not take; else it takes all.
/// - `row_refusal refuses(row, d), refuses(row)`: refuses_rows.
///   Why it does not take a row; may be a text, null where it takes it; else it takes all.
/// - `using embedded<T>; size_t embedded_dim(d); void embed(row, d, out); base(d)`: rewrites_rows.
///   It is the metric base(d) of dense rows that embed has rewritten (rewritten_metric.hpp); else rows stay.
/// - `size_t bits`: has_bit_count.
///   How many bits rows of bytes have; where it is 0, a bit_matrix sets it; else all of their bits.
/// - `static constexpr std::string_view name`: has_name.
///   What index files call it; else "custom".
/// - `static void persist(Self&, Archive&)`: persistent_metric (metric_archive.hpp).
///   Names its parameters for files; else none are saved.
///
/// With the form `cosine` dense searches compute the rank themselves, from norms that they keep, and do not call the
/// metric's own. With `greatest_sum`, rows are refused for which it is no number of their type.
///
/// A metric called on two rows is right at every size of theirs. Ranks are sums of squares, or of powers, and as a sum
/// may be no float where the distance is one, they are right for rows of norms about 1: searches see to that
/// (scaled_rows.hpp).

#include <annulus/core/metric/protocol.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The distance of a rank, as results hold it.
template <class M, class Rank>
float distance_of(const M& metric, Rank rank) {
  if constexpr (has_to_distance<M, Rank>) return static_cast<float>(metric.to_distance(rank));
  else return static_cast<float>(rank);
}

/// A metric whose rank is what its kernel returns, but for from_kernel.
template <class M, class T>
concept kernel_ranked = has_kernel<M, T> && requires {
  requires std::same_as<rank_t<M, T>, kernel_result<typename M::kernel, T>>;
};

namespace detail {
/// The form of a metric; none where it has no such member.
template <class Metric>
constexpr product_form form_of() {
  if constexpr (has_form<Metric>) return Metric::form;
  else return product_form::none;
}
template <class Metric>
inline constexpr bool is_cosine = form_of<Metric>() == product_form::cosine;

/// Metrics whose kernel folds several rows into one pass over the query.
template <class M, class T>
concept folds_rows = kernel_ranked<M, T> && !looping<operation<typename M::kernel, T>, T>;

/// Metrics that compare whole rows by a loop of their own, in place of one over vectors of coordinates: those of packed
/// bits, by their kernel or by `ranks`, and any other with `ranks`.
template <class M, class T>
concept has_own_loop = (kernel_ranked<M, T> && !folds_rows<M, T>) || ranks_blocks<M, T>;

/// A metric of packed bits, or a family of them, for these points: where it was not told how many bits rows have, a
/// bit_matrix tells it, as its last bytes may have more.
template <class Metric, class Points>
Metric told_of_bits(Metric metric, const Points& points) {
  if constexpr (has_bit_count<Metric> && requires { points.bits(); })
    if (metric.bits == 0) metric.bits = points.bits();
  return metric;
}
}  // namespace detail

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
