#pragma once

/// \file
/// What a metric is. A metric is a type, so that its kernel is inlined into every loop.
///
/// A metric is a callable that is copy constructible and can be called as const, from several threads at once. It
/// returns a number, the smaller the nearer:
///   over dense rows    (const T* a, const T* b, std::size_t d), or two std::span<const T>
///   over sparse rows   two const sparse_row<T>&; what is not stored is 0
///   over point sets    two rows as row(i) returns them
/// So that a lambda is a metric. metric_members describes the members that it may have.
///
/// A metric called on two rows is right at every size of theirs. Ranks are sums of squares, or of powers, and as a sum
/// may be no float where the distance is one, they are right for rows of norms about 1: searches see to that
/// (scaled_rows.hpp).

#include <annulus/core/metric/protocol.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// What each member that a metric may have means: the whole protocol at one place. It is no base, and none of it is
/// defined: a metric has those members that it wants, static or const, for the rows that it takes. Descriptions name
/// the concept of the member (protocol.hpp), and after "else" what holds without it. A member of the right name that
/// does not fit is a compile-time error (protocol_checks.hpp). Ranks and distances may be of any arithmetic type. What
/// is noexcept here need not be.
struct metric_members {
  /// The distance, the smaller the nearer. \param a,b two dense rows, or two sparse rows and no d \param d their length
  /// \returns any number that converts to double \throws std::invalid_argument for a length that the metric does not
  /// take \throws std::bad_alloc where it needs memory
  template <row_scalar T>
  double operator()(const T* a, const T* b, std::size_t d) const;
  /// What searches compare (has_rank), cheaper than the distance and in the strict order of the distances; else the
  /// distance. \param a,b two dense rows, or two sparse rows and no d \param d their length \returns any number
  /// \throws std::invalid_argument \throws std::bad_alloc as the distance
  template <row_scalar T>
  double rank(const T* a, const T* b, std::size_t d) const;
  /// The distance of a rank (has_to_distance); else the rank. \param rank as the metric returns it
  /// \returns its distance
  double to_distance(double rank) const noexcept;
  /// The ranks of many dense rows (ranks_blocks), the same numbers as one by one, whichever of two rows comes first;
  /// else one by one. \param query,d a row and its length \param rows the first row of the others \param stride
  /// elements from a row to the next \param count how many rows \param out their ranks \throws std::bad_alloc where it
  /// needs memory
  template <row_scalar T>
  void ranks(const T* query, std::size_t d, const T* rows, std::size_t stride, std::size_t count, double* out) const;
  /// The same of rows that lie anywhere (ranks_chosen_rows); else one by one. \param query,d a row and its length
  /// \param rows the others \param count how many \param out their ranks \throws std::bad_alloc where it needs memory
  template <row_scalar T>
  void chosen_ranks(const T* query, std::size_t d, const T* const* rows, std::size_t count, double* out) const;
  /// The SIMD kernel (dense_kernels.hpp) from whose result from_kernel makes the rank (has_kernel); else rank is
  /// called.
  using kernel = kernels::squared_l2;
  /// With `kernel`: its result as a rank. \param r what the kernel returns \returns the rank
  template <class Result>
  Result from_kernel(Result r) const noexcept;
  /// The rank is that function (has_form, has_product_form) of the inner product and the norms, so that searches and
  /// codes select by integer products; else none. With `cosine` dense searches compute the rank themselves, from norms
  /// that they keep, and do not call the metric's own.
  static constexpr product_form form = product_form::none;
  /// Random projection trees part rows by direction where the form is inner_product (has_angular_flag); needed beside a
  /// form.
  static constexpr bool is_angular = false;
  /// Reads only the indices of sparse rows (has_set_flag, compares_sets), so that these need no values; else false.
  static constexpr bool is_set_metric = false;
  /// How distances and ranks grow with the rows (has_degree), by which searches scale extreme rows; else they do not.
  /// \returns the power of each
  degrees degree() const noexcept;
  /// A bound of sums (bounds_sums): searches refuse rows for which it is no number of their type; else they refuse
  /// none. \param norm the greatest of the rows' norms \param d their length \returns the greatest sum on the way to a
  /// distance
  double greatest_sum(double norm, std::size_t d) const noexcept;
  /// Refuses lengths (checks_dimension); else the metric takes rows of any length. \param d a length \throws
  /// std::invalid_argument for one that it does not take
  void check_dimension(std::size_t d) const;
  /// Why the metric does not take a row (refuses_rows); else it takes all. \param row a dense row, or a sparse one and
  /// no d \param d its length \returns row_refusal, or a text that is null where it takes the row
  template <row_scalar T>
  row_refusal refuses(const T* row, std::size_t d) const noexcept;
  /// The type of elements of rewritten rows: the metric is base(d) of dense rows that embed has rewritten
  /// (rewrites_rows, rewritten_metric.hpp); else rows stay.
  template <row_scalar T>
  using embedded = float;
  /// With `embedded`: lengths. \param d the length of a row \returns that of the rewritten row \throws
  /// std::invalid_argument for a length that the metric does not take
  std::size_t embedded_dim(std::size_t d) const;
  /// With `embedded`: rewrites a row. \param row,d a row and its length \param out the rewritten row \throws
  /// std::bad_alloc where it needs memory
  template <row_scalar T>
  void embed(const T* row, std::size_t d, embedded<T>* out) const;
  /// With `embedded`: what compares rewritten rows. \param d their length before \returns the metric of rewritten rows,
  /// whose distance is this one's
  metric_members base(std::size_t d) const noexcept;
  /// How many bits rows of bytes have (has_bit_count); where it is 0, a bit_matrix sets it; else all of their bits.
  std::size_t bits = 0;
  /// What index files call it (has_name); else "custom".
  static constexpr std::string_view name = "custom";
  /// Names its parameters for files (persistent_metric, storage/archive.hpp); else none are saved. \param self the
  /// metric \param archive what reads or writes them \throws annulus::format_error for parameters of a file that it
  /// does not take
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive);
};

/// The distance of a rank, as results hold it. \param metric,rank a metric, and what its rank_of returned
/// \returns the distance, rounded to float \throws any exception of the metric
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
