#pragma once

/// \file
/// Compile-time errors in words: for members of a metric that have the name of one of the protocol (metric.hpp) and do
/// not fit it, and for arguments of searches that are no rows or no metric of them.

#include <annulus/core/metric/metric.hpp>
#include <annulus/core/rows/row_types.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Has every name of the protocol. A class derived from this one and a metric finds two of those that the metric has,
/// whatever they are: the name is ambiguous.
struct every_member {
  int rank, to_distance, ranks, chosen_ranks, kernel, form, is_angular, is_set_metric, degree, greatest_sum,
      check_dimension, refuses, embed, bits, name;
};
template <class M>
struct with_every_member : every_member {};
template <class M>
  requires(std::is_class_v<M> && !std::is_final_v<M>)
struct with_every_member<M> : M, every_member {};

template <class M>
concept names_rank = !requires {
  &with_every_member<M>::rank;
};
template <class M>
concept names_to_distance = !requires {
  &with_every_member<M>::to_distance;
};
template <class M>
concept names_ranks = !requires {
  &with_every_member<M>::ranks;
};
template <class M>
concept names_chosen_ranks = !requires {
  &with_every_member<M>::chosen_ranks;
};
template <class M>
concept names_kernel = !requires {
  &with_every_member<M>::kernel;
};
template <class M>
concept names_form = !requires {
  &with_every_member<M>::form;
};
template <class M>
concept names_is_angular = !requires {
  &with_every_member<M>::is_angular;
};
template <class M>
concept names_is_set_metric = !requires {
  &with_every_member<M>::is_set_metric;
};
template <class M>
concept names_degree = !requires {
  &with_every_member<M>::degree;
};
template <class M>
concept names_greatest_sum = !requires {
  &with_every_member<M>::greatest_sum;
};
template <class M>
concept names_check_dimension = !requires {
  &with_every_member<M>::check_dimension;
};
template <class M>
concept names_refuses = !requires {
  &with_every_member<M>::refuses;
};
template <class M>
concept names_embed = !requires {
  &with_every_member<M>::embed;
};
template <class M>
concept names_bits = !requires {
  &with_every_member<M>::bits;
};
template <class M>
concept names_name = !requires {
  &with_every_member<M>::name;
};

/// Whether a member fits some kind of rows: then it is none of the others'.
template <class M>
concept ranks_some_rows = has_rank<M, sparse_row<float>> || has_rank<M, sparse_row<double>> ||
    has_rank<M, std::span<const float>> || has_rank<M, std::span<const double>> ||
    has_rank<M, std::span<const std::uint8_t>> || has_rank<M, std::span<const std::int8_t>>;
template <class M>
concept ranks_some_blocks =
    ranks_blocks<M, float> || ranks_blocks<M, double> || ranks_blocks<M, std::uint8_t> || ranks_blocks<M, std::int8_t>;
template <class M>
concept ranks_some_chosen_rows = ranks_chosen_rows<M, float> || ranks_chosen_rows<M, double> ||
    ranks_chosen_rows<M, std::uint8_t> || ranks_chosen_rows<M, std::int8_t>;
template <class M>
concept refuses_some_rows = refuses_rows<M, sparse_row<float>> || refuses_rows<M, sparse_row<double>> ||
    refuses_rows<M, std::span<const float>> || refuses_rows<M, std::span<const double>> ||
    refuses_rows<M, std::span<const std::uint8_t>> || refuses_rows<M, std::span<const std::int8_t>>;
template <class M>
concept rewrites_some_rows = rewrites_rows<M, float> || rewrites_rows<M, double> || rewrites_rows<M, std::uint8_t> ||
    rewrites_rows<M, std::int8_t>;

/// As one concept each: compilers look no further than they must.
template <class M, class Row>
concept rank_fits = !names_rank<M> || has_rank<M, Row> || ranks_some_rows<M>;
template <class M, class T>
concept ranks_fits = !names_ranks<M> || ranks_blocks<M, T> || ranks_some_blocks<M>;
template <class M, class T>
concept chosen_ranks_fits = !names_chosen_ranks<M> || ranks_chosen_rows<M, T> || ranks_some_chosen_rows<M>;
template <class M, class Row>
concept refuses_fits = !names_refuses<M> || refuses_rows<M, Row> || refuses_some_rows<M>;
template <class M, class T>
concept embed_fits = !names_embed<M> || rewrites_rows<M, T> || rewrites_some_rows<M>;
template <class M, class T>
concept kernel_fits = !names_kernel<M> || has_kernel<M, T>;

/// The type of what searches compare.
template <class M, class Row>
struct rank_of_row {
  using type = decltype(as_rank(std::declval<const M&>()(std::declval<Row>(), std::declval<Row>())));
};
template <class M, class Row>
  requires has_rank<M, Row>
struct rank_of_row<M, Row> {
  using type = decltype(as_rank(std::declval<const M&>().rank(std::declval<Row>(), std::declval<Row>())));
};
template <class M, class T>
struct rank_of_row<M, std::span<const T>> {
  using type = rank_t<M, T>;
};

/// Whether members named as those of the protocol fit it, for rows of that type. A member that fits rows of another
/// type alone is none of these rows'.
template <class M, class Row>
struct member_check {
  static_assert(rank_fits<M, Row>,
                "annulus: the metric's `rank` must be a static or const function that returns a number: "
                "rank(const T* a, const T* b, std::size_t d), or rank(a, b) of two rows");
  static_assert(
      !names_to_distance<M> || has_to_distance<M, typename rank_of_row<M, Row>::type>,
      "annulus: the metric's `to_distance` must be a static or const function of a rank that returns a number");
  static_assert(!names_form<M> || has_form<M>,
                "annulus: the metric's `form` must be static constexpr annulus::product_form");
  static_assert(
      !has_product_form<M> || names_is_angular<M>,
      "annulus: a metric with a `form` needs static constexpr bool is_angular: whether random projection trees "
      "part rows by direction");
  static_assert(!names_is_angular<M> || has_angular_flag<M>,
                "annulus: the metric's `is_angular` must be static constexpr bool");
  static_assert(!names_is_set_metric<M> || has_set_flag<M>,
                "annulus: the metric's `is_set_metric` must be static constexpr bool");
  static_assert(!names_degree<M> || has_degree<M>,
                "annulus: the metric's `degree` must be a static or const function: annulus::degrees degree()");
  static_assert(!names_greatest_sum<M> || bounds_sums<M>,
                "annulus: the metric's `greatest_sum` must be a static or const function: "
                "double greatest_sum(double norm, std::size_t d)");
  static_assert(!names_check_dimension<M> || checks_dimension<M>,
                "annulus: the metric's `check_dimension` must be a static or const function that throws: "
                "void check_dimension(std::size_t d)");
  static_assert(
      refuses_fits<M, Row>,
      "annulus: the metric's `refuses` must be a static or const function, refuses(const T* row, std::size_t "
      "d) or refuses(row), that returns annulus::row_refusal, or const char* that is null for a row it takes");
  static_assert(!names_bits<M> || has_bit_count<M>,
                "annulus: the metric's `bits` must be a public std::size_t, the number of bits of a row");
  static_assert(!names_name<M> || has_name<M>,
                "annulus: the metric's `name` must be static constexpr std::string_view: index files keep it");
  static constexpr bool value = true;
};
template <class M, class T>
struct dense_member_check {
  static_assert(
      kernel_fits<M, T>,
      "annulus: the metric's `kernel` must be a type of annulus::kernels that takes these rows, with a static "
      "or const function from_kernel(result) that returns the rank");
  static_assert(
      ranks_fits<M, T>,
      "annulus: the metric's `ranks` must be a static or const function: ranks(const T* query, std::size_t d, "
      "const T* rows, std::size_t stride, std::size_t count, R* out), R as `rank` returns it");
  static_assert(chosen_ranks_fits<M, T>,
                "annulus: the metric's `chosen_ranks` must be a static or const function: chosen_ranks(const T* query, "
                "std::size_t d, const T* const* rows, std::size_t count, R* out), R as `rank` returns it");
  static_assert(
      embed_fits<M, T>,
      "annulus: a metric with `embed` needs, static or const: template <class T> using embedded; std::size_t "
      "embedded_dim(std::size_t d); embed(const T* row, std::size_t d, embedded<T>* out); base(std::size_t d), "
      "which returns a metric of rows of embedded<T>");
  static constexpr bool value = true;
};
template <class M, class Row>
struct protocol_check : member_check<M, Row> {};
template <class M, class T>
struct protocol_check<M, std::span<const T>> : member_check<M, std::span<const T>>, dense_member_check<M, T> {
  static constexpr bool value = true;
};

template <class D>
struct rows_of_argument {
  using view = D;
  using value = void;
};
template <rows_like D>
struct rows_of_argument<D> {
  using view = view_of<D>;
  using value = value_t<D>;
};
template <class D>
using view_or_self = typename rows_of_argument<D>::view;
template <class D>
using value_of_rows = typename rows_of_argument<D>::value;

/// Whether a search takes rows and metric.
template <class D, class M>
concept searched_by = (rows_like<D> && metric_for<M, view_of<D>>) || (!rows_like<D> && metric_for<M, D>);

template <class D>
concept nested_rows = requires(const D& rows) {
  rows.begin()->begin();
};
template <class M>
concept names_its_metric = requires {
  typename M::metric;
};
/// Arguments that are an error wherever they stand. A metric with a name that does not take some rows is none: generic
/// code asks whether it does, as callables for with_metric do.
template <class D, class M>
concept explained = !rows_like<D> || !row_scalar<value_t<D>> || names_its_metric<M> || !has_name<M>;

/// The error for data and metric that no search takes, else those of protocol_check.
template <class D, class M>
struct argument_check {
  static_assert(!nested_rows<D>,
                "annulus: rows must be one contiguous block, which a vector of vectors is not: copy it into a "
                "matrix<float>(n, d), or pass a matrix_view, a row-major Eigen matrix or a csr_matrix");
  static_assert(nested_rows<D> || rows_like<D> || point_set<D>,
                "annulus: these are no rows: pass a matrix, a matrix_view, a row-major Eigen matrix or a csr_matrix");
  static_assert(!names_its_metric<M>,
                "annulus: this is a family of hash functions, which lsh_index takes: pass a metric, such as the "
                "family's `metric`");
  static_assert(!rows_like<D> || row_scalar<value_of_rows<D>>,
                "annulus: elements of rows must be float, double, Eigen::half, Eigen::bfloat16, std::uint8_t or "
                "std::int8_t");
  static_assert(names_its_metric<M> || (rows_like<D> ? !row_scalar<value_of_rows<D>> : !point_set<D>),
                "annulus: this is no metric of these rows. It must be copy constructible and, as const, callable with "
                "(const T*, const T*, std::size_t d) or two std::span<const T> for dense rows of T, with two "
                "sparse_row<T> for sparse ones, and return a number");
  static constexpr bool value = true;
};
template <class D, class M>
  requires searched_by<D, M>
struct argument_check<D, M> : protocol_check<M, std::remove_cvref_t<row_t<view_or_self<D>>>> {
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
