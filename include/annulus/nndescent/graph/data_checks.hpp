#pragma once

/// \file
/// What k-NN graphs and graph indexes refuse of their data and queries: NaN and infinity, rows whose squares overflow
/// or underflow, distances that are no floats.

#include <annulus/core/kernels/norm_checks.hpp>
#include <annulus/core/metric/rewritten_metric.hpp>
#include <annulus/core/metric/scaled_rows.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Throws std::invalid_argument for rows whose squares leave the range of their type: too long ones, by number, and
/// data all of whose rows are so short that the squares of differences lose digits, or for metrics of directions any
/// row.
template <class Metric, class T>
void check_lengths(const Metric& metric, matrix_view<T> data, std::string_view name, const thread_team& team) {
  check_norms(data, name, team);
  if constexpr (has_degree<Metric> && !is_byte<T>) {
    const degrees degree = metric.degree();
    if (!degree.is_known) return;
    const auto is_too_short = [&](double norm) { return norm > 0 && scale_exponent<T>(degree, norm) < 0; };
    const double greatest = greatest_norm(data, name, team);
    if (is_too_short(greatest))
      invalid(name, greatest,
              "is the length of the longest row: sums of squares of differences lose digits in this type; scale the "
              "rows up");
    for (std::size_t i = 0; degree.rank == 0 && i < data.rows(); ++i)
      if (is_too_short(norm_of(data.row(i))))
        invalid(name, "a row", "row ", i, " must not be so short that its square underflows; scale it up");
  }
}

/// Throws std::invalid_argument for rows of double whose distances are no floats, which is what graphs keep: for too
/// long ones by number, for too short ones where all are.
template <class Metric>
void check_float_distances(const Metric& metric, matrix_view<double> data, std::string_view name,
                           const thread_team& team) {
  if constexpr (requires { metric.greatest_sum(1.0, data.cols()); }) {
    constexpr double least = 0x1p-110, max = std::numeric_limits<float>::max();
    const auto greatest_distance = [&](double norm) { return metric.greatest_sum(norm, data.cols()); };
    const double greatest = greatest_norm(data, name, team);
    if (greatest > 0 && greatest_distance(greatest) < least)
      invalid(name, greatest, "is the length of the longest row: distances between such rows may be below float32, ",
              "which graphs keep; scale the rows up");
    if (greatest_distance(greatest) <= max) return;
    for (std::size_t i = 0; i < data.rows(); ++i)
      if (const double norm = norm_of(data.row(i)); !(greatest_distance(norm) <= max))
        invalid(name, norm, "row ", i, " has that norm: distances between such rows may overflow float32, ",
                "which graphs keep; scale the rows down");
  }
}

/// Everything that building refuses. \throws std::invalid_argument. The metric comes by value: g++ 12 takes a reference
/// to one without members for a reference to something uninitialised, and warns.
template <class Metric, class View>
void check_data(Metric metric, const View& data, const thread_team& team) {
  constexpr std::size_t max_rows = std::size_t{1} << 31;
  if (data.size() >= max_rows) invalid("data rows", data.size(), "a graph must have fewer than 2^31");
  if (data.size() > 0 && data.dim() == 0) invalid("data columns", data.dim(), "must be at least 1");
  check_has_values<Metric>(data, "data");
  if constexpr (is_sparse_row<row_t<View>>) check_rows(data, "data");
  else check_lengths(metric, data, "data", team);
  if constexpr (std::same_as<View, matrix_view<double>>) check_float_distances(metric, data, "data", team);
  check_rows_for(metric, data, "data");
}

/// Throws std::invalid_argument for finite queries whose squares overflow, where ranks by Metric need their squares:
/// inner products do not.
template <class Metric, class View>
void check_query_lengths(const View& queries) {
  if constexpr (!is_sparse_row<row_t<View>> && form_of<Metric>() != product_form::inner_product)
    for (std::size_t i = 0; i < queries.size(); ++i)
      if (!norms_are_finite(queries.middle_rows(i, 1)) && is_finite_row(queries.row(i)))
        invalid("queries", "a row", "row ", i, " must not be so long that its squares overflow");
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
