#pragma once

/// \file
/// From the name of a metric and its parameters to a metric of rows of Points: one of a few types, whatever the name.

#include <annulus/core/metric/set_metrics.hpp>
#include <annulus/dynamic/engine/any_rewriting_metric.hpp>
#include <annulus/dynamic/engine/options.hpp>
#include <annulus/dynamic/engine/row_access.hpp>
#include <annulus/metrics/named.hpp>

#include <variant>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The types of metrics of Points. A metric that rewrites rows writes floats or doubles, or packs bits.
template <class Points>
struct any_metrics {
  using type = std::variant<any_squared_l2, any_cosine, any_inner_product, any_metric<Points>>;
};
template <class T>
struct any_metrics<matrix<T>> {
  using lane = lane_t<T>;
  template <class U, class Base>
  using rewriting = any_rewriting_metric<T, U, Base>;
  using plain = std::variant<any_squared_l2, any_cosine, any_inner_product, any_metric<matrix<T>>,
                             rewriting<lane, any_squared_l2>, rewriting<lane, any_cosine>,
                             rewriting<lane, any_metric<matrix<lane>>>,
                             rewriting<std::uint8_t, any_metric<matrix<std::uint8_t>>>>;
  /// haversine writes doubles of rows of any type.
  template <class Variant>
  struct with_doubles;
  template <class... Types>
  struct with_doubles<std::variant<Types...>> {
    using type = std::variant<Types..., rewriting<double, any_squared_l2>>;
  };
  using type =
      typename std::conditional_t<std::same_as<lane, double>, std::type_identity<plain>, with_doubles<plain>>::type;
};
template <class Points>
using any_metrics_t = typename any_metrics<Points>::type;

/// Parameters of metrics among options: p, regularization, w, variance, vinv and cost; the last two as d x d numbers.
inline metric_params read_metric_params(option_reader& options) {
  metric_params params;
  const auto number = [&](std::string_view name, std::optional<double>& to) {
    if (double value = 0; options.read(name, value)) to = value;
  };
  const auto list = [&](std::string_view name, std::vector<double>& to) {
    const std::span<const double> given = options.numbers(name);
    to.assign(given.begin(), given.end());
  };
  const auto square = [&](std::string_view name, matrix<double>& to) {
    const std::span<const double> given = options.numbers(name);
    std::size_t d = 0;
    while (d * d < given.size()) ++d;
    if (d * d != given.size()) invalid(name, given.size(), "must be the d x d numbers of a matrix");
    to = matrix<double>(d, d);
    std::ranges::copy(given, to.data());
  };
  number("p", params.p);
  number("regularization", params.regularization);
  list("w", params.w);
  list("variance", params.variance);
  square("vinv", params.vinv);
  square("cost", params.cost);
  return params;
}

/// Metrics of Points by name. Compiled in a unit of its own, as it knows all metrics.
template <class Points>
struct metric_factory {
  /// `bits`: of a row of bits, else 0. \throws std::invalid_argument as with_metric does, and for a metric that takes
  /// no such rows.
  static any_metrics_t<Points> make(std::string_view name, const metric_params& params, std::size_t bits);
  /// A metric that a file is to fill. The name is that of the file.
  static any_metrics_t<Points> make_unfilled(std::string_view name);
};

/// Throws std::invalid_argument for sparse rows without values under a metric that reads them.
template <class Metric>
void check_values(const Metric& metric, const annulus_rows& rows, std::string_view name) {
  if constexpr (requires { metric.takes_sets(); })
    if (rows.layout == ANNULUS_CSR && rows.data == nullptr && !metric.takes_sets())
      invalid(name, "sets", "rows without values have no distance but by a metric of sets");
}

/// The bits of a row that a metric of packed bits counts; 0 of any other metric.
template <class Metric>
std::size_t counted_bits(const Metric& metric) {
  if constexpr (requires { metric.packed_bits(); }) return metric.packed_bits();
  else return 0;
}
/// Throws std::invalid_argument where an index of rows of `bits` bits is given others.
inline void check_bits(std::size_t bits, const annulus_rows& rows, std::string_view name) {
  if (bits > 0 && (rows.layout != ANNULUS_BITS || rows.dim != bits))
    invalid(name, describe(rows), "must be rows of ", bits, " bits, not ", rows.dim);
}

/// Metrics of sets that also compare packed bits.
using packed_metrics =
    metric_types<jaccard, dice, matching, kulsinski, rogerstanimoto, russellrao, sokalsneath, sokalmichener, yule>;
/// Calls f with packed<Metric> of that name, with or without "packed_"; returns whether there is one.
template <class F, class... Metrics>
bool with_packed(std::string_view name, F f, metric_types<Metrics...>) {
  const auto is_named = [&]<class Metric>(const Metric&) {
    return name == Metric::name || name == packed<Metric>::name;
  };
  return ((is_named(Metrics{}) && (f(packed<Metrics>{}), true)) || ...);
}

template <class Points>
any_metrics_t<Points> metric_factory<Points>::make(std::string_view name, const metric_params& params,
                                                   std::size_t bits) {
  const metric_info* const known = find_metric(name);
  if constexpr (std::same_as<Points, matrix<std::uint8_t>>) {
    if (bits > 0) {
      std::optional<any_metrics_t<Points>> found;
      const auto take = [&](auto metric) {
        metric.bits = bits;
        found.emplace(any_metric<Points>(metric));
      };
      if (known != nullptr && with_packed(known->name, take, packed_metrics{})) return *found;
      if (known != nullptr && !known->bits)
        invalid("metric", known->name,
                "takes no rows of bits; bit_hamming, bit_jaccard, jaccard, dice, matching, "
                "kulsinski, rogerstanimoto, russellrao, sokalsneath, sokalmichener and yule do");
    }
  }
  return with_metric(
      name, params, [&]<class Metric>(Metric metric) requires metric_for<Metric, view_of<Points>> {
        return any_metrics_t<Points>(typename any_metric_for<Points, Metric>::type(std::move(metric)));
      });
}

template <class Points>
any_metrics_t<Points> metric_factory<Points>::make_unfilled(std::string_view name) {
  std::optional<any_metrics_t<Points>> found;
  const auto take = [&]<class Metric>(Metric metric) {
    found.emplace(typename any_metric_for<Points, Metric>::type(std::move(metric)));
  };
  if constexpr (std::same_as<Points, matrix<std::uint8_t>>)
    if (name.starts_with("packed_") && with_packed(name, take, packed_metrics{})) return *found;
  [&]<class... Metrics>(metric_types<Metrics...>) {
    const auto try_one = [&]<class Metric>(std::type_identity<Metric>) {
      if constexpr (metric_for<Metric, view_of<Points>>)
        if (name == Metric::name) take(metric_to_fill<Metric>());
    };
    (try_one(std::type_identity<Metrics>{}), ...);
  }(named_metrics{});
  if (!found) invalid("metric", name, "no metric of that name takes ", points_name<Points>());
  return *found;
}

extern template struct metric_factory<matrix<float>>;
extern template struct metric_factory<matrix<double>>;
extern template struct metric_factory<matrix<Eigen::half>>;
extern template struct metric_factory<matrix<Eigen::bfloat16>>;
extern template struct metric_factory<matrix<std::uint8_t>>;
extern template struct metric_factory<matrix<std::int8_t>>;
extern template struct metric_factory<csr_matrix<float>>;
extern template struct metric_factory<csr_matrix<double>>;

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
