#pragma once

/// \file
/// From the name of a metric and its parameters to a metric of rows of Points: one of a few types, whatever the name.

#include <annulus/core/metric/set_metrics.hpp>
#include <annulus/dynamic/engine/any_rewriting_metric.hpp>
#include <annulus/dynamic/engine/factories.hpp>
#include <annulus/dynamic/engine/options.hpp>
#include <annulus/dynamic/engine/row_access.hpp>
#include <annulus/metrics/named.hpp>

#include <variant>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A variant of types, each once.
template <class Variant, class... Types>
struct variant_of_unique {
  using type = Variant;
};
template <class... Found, class First, class... Rest>
struct variant_of_unique<std::variant<Found...>, First, Rest...>
    : std::conditional_t<(std::same_as<First, Found> || ...), variant_of_unique<std::variant<Found...>, Rest...>,
                         variant_of_unique<std::variant<Found..., First>, Rest...>> {};

template <class Points, class Metric>
struct any_type {
  using type = std::monostate;
};
template <class Points, class Metric>
  requires metric_for<Metric, view_of<Points>>
struct any_type<Points, Metric> : any_metric_for<Points, Metric> {
};

template <class Points, class Metrics>
struct any_metrics;
template <class Points, class... Metrics>
struct any_metrics<Points, metric_types<Metrics...>>
    : variant_of_unique<std::variant<any_squared_l2>, typename any_type<Points, Metrics>::type...> {};

/// The types that stand for the named metrics of Points, and std::monostate for those that take other rows.
template <class Points>
using any_metrics_t = typename any_metrics<Points, named_metrics>::type;

/// Calls f with the metric.
template <class Variant, class F>
decltype(auto) with_any_metric(const Variant& metric, F f) {
  using result = decltype(f(std::declval<const any_squared_l2&>()));
  return std::visit(
      [&]<class Metric>(const Metric& by) -> result {
        if constexpr (std::same_as<Metric, std::monostate>) invalid("metric", "none", "takes no such rows");
        else return f(by);
      },
      metric);
}

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
  /// \throws std::invalid_argument but for dense rows of floats.
  static any_metrics_t<Points> make(const caller_metric& metric);
};

/// The metric of the options, euclidean where none is given; `bits` as in metric_factory.
template <class Points>
any_metrics_t<Points> read_any_metric(option_reader& options, std::size_t bits) {
  if (const auto function = options.function("metric")) return metric_factory<Points>::make(*function);
  const std::string_view name = options.text("metric", euclidean::name);
  return metric_factory<Points>::make(name, read_metric_params(options), bits);
}

/// The metric of a file, which is to fill it where it is not the caller's.
template <class Points>
any_metrics_t<Points> metric_of_file(const file_description& file) {
  return file.caller ? metric_factory<Points>::make(*file.caller) : metric_factory<Points>::make_unfilled(file.metric);
}

/// Throws std::invalid_argument for sparse rows without values under a metric that reads them.
template <class Metric>
void check_values(const Metric& metric, const annulus_rows& rows, std::string_view name) {
  if constexpr (requires { metric.takes_sets(); })
    if (rows.layout == ANNULUS_CSR && rows.data == nullptr && !metric.takes_sets())
      invalid(name, "sets", "rows without values have no distance but by a metric of sets");
}

template <class... Metrics>
void check_values(const std::variant<Metrics...>& metric, const annulus_rows& rows, std::string_view name) {
  std::visit([&](const auto& by) { check_values(by, rows, name); }, metric);
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
      if (known != nullptr) check_parameters(*known, params);
      std::optional<any_metrics_t<Points>> found;
      const auto take = [&](auto metric) {
        metric.bits = bits;
        found.emplace(any_metric<Points, double>(metric));
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

template <class Points>
any_metrics_t<Points> metric_factory<Points>::make(const caller_metric& metric) {
  if constexpr (std::same_as<Points, matrix<float>>)
    return any_metrics_t<Points>(typename any_metric_for<Points, caller_metric>::type(metric));
  else invalid("metric", "a function", "takes dense rows of float32, not ", points_name<Points>());
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
