#pragma once

/// \file
/// with_metric: from the name of a metric, known at run time only, to its type.

#include <annulus/metrics/angular.hpp>
#include <annulus/metrics/bits.hpp>
#include <annulus/metrics/distributions.hpp>
#include <annulus/metrics/sinkhorn.hpp>
#include <annulus/metrics/spatial.hpp>
#include <annulus/metrics/table.hpp>
#include <annulus/metrics/transport.hpp>
#include <annulus/metrics/wasserstein.hpp>
#include <annulus/metrics/weighted.hpp>

#include <optional>
#include <utility>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Parameters of metrics; known_metrics (table.hpp) has the parameters of each metric. An empty member counts as not
/// given.
struct metric_params {
  std::optional<double> p = {};               ///< the order of a norm, at least 1
  std::vector<double> w = {};                 ///< a weight for each coordinate
  std::vector<double> variance = {};          ///< one for each coordinate
  matrix<double> vinv = {};                   ///< d x d, the inverse of a covariance
  matrix<double> cost = {};                   ///< d x d, of moving a unit of mass between two bins
  std::optional<double> regularization = {};  ///< the weight of the plan's entropy, in units of cost
};

namespace detail {

template <class... Metrics>
struct metric_types {};

using named_metrics =
    metric_types<euclidean, sqeuclidean, manhattan, chebyshev, minkowski, seuclidean, wminkowski, mahalanobis, cosine,
                 inner_product, dot, correlation, true_angular, spearmanr, tsss, haversine, canberra, braycurtis,
                 hellinger, jensen_shannon, symmetric_kl, wasserstein_1d, circular_kantorovich, kantorovich, sinkhorn,
                 hamming, jaccard, dice, matching, kulsinski, rogerstanimoto, russellrao, sokalsneath, sokalmichener,
                 yule, bit_hamming, bit_jaccard>;

/// Not std::invocable: where F has no `requires`, the error stands in its body, below all that compilers list on the
/// way there.
template <class F, class Metric>
concept takes_metric = requires(F& f, Metric metric) {
  f(std::move(metric));
};

/// The first of the metrics that F can be called with.
template <class F, class... Metrics>
struct first_taken {
  static_assert(sizeof...(Metrics) > 0, "annulus: no metric that has a name can be passed to this callable");
};
template <class F, class First, class... Rest>
struct first_taken<F, First, Rest...> : first_taken<F, Rest...> {};
template <class F, class First, class... Rest>
  requires takes_metric<F, First>
struct first_taken<F, First, Rest...> {
  using result = decltype(std::declval<F&>()(std::declval<First>()));
};

[[noreturn, gnu::noinline, gnu::cold]] inline void unknown_metric(std::string_view name) {
  std::string known;
  for (const metric_info& metric : known_metrics) known.append(known.empty() ? "" : ", ").append(metric.name);
  const std::string_view meant = meant_metric(name);
  if (meant.empty()) invalid("metric", name, "must be one of ", known);
  invalid("metric", name, "did you mean ", meant, "? It must be one of ", known);
}

/// Throws std::invalid_argument for parameters that the metric does not have, and for missing ones.
inline void check_parameters(const metric_info& metric, const metric_params& params) {
  const auto check = [&](std::string_view name, bool is_given) {
    const metric_parameter* const known = metric.find_parameter(name);
    if (is_given && known == nullptr) invalid("metric", metric.name, "has no parameter ", name);
    if (!is_given && known != nullptr && known->value.empty())
      invalid("metric", metric.name, "needs the parameter ", name);
  };
  check("p", params.p.has_value());
  check("w", !params.w.empty());
  check("variance", !params.variance.empty());
  check("vinv", params.vinv.rows() > 0);
  check("cost", params.cost.rows() > 0);
  check("regularization", params.regularization.has_value());
}

template <class Metric>
Metric make_metric(const metric_params& params) {
  if constexpr (std::same_as<Metric, seuclidean>) return Metric(params.variance);
  else if constexpr (std::same_as<Metric, mahalanobis>) return Metric(params.vinv);
  else if constexpr (std::same_as<Metric, kantorovich>) return Metric(params.cost);
  else if constexpr (std::same_as<Metric, wminkowski>) return params.p ? Metric(params.w, *params.p) : Metric(params.w);
  else if constexpr (std::same_as<Metric, sinkhorn>)
    return params.regularization ? Metric(params.cost, *params.regularization) : Metric(params.cost);
  else if constexpr (requires { &Metric::p; }) return params.p ? Metric(*params.p) : Metric();
  else return Metric();
}

template <class Result, class Metric, class F>
Result call_with(const metric_params& params, F& f) {
  if constexpr (takes_metric<F, Metric>) {
    static_assert(std::same_as<decltype(std::declval<F&>()(std::declval<Metric>())), Result>,
                  "annulus: the callable must return the same type for every metric");
    return f(make_metric<Metric>(params));
  } else {
    invalid("metric", Metric::name, "does not take such rows");
  }
}

template <class F, class... Metrics>
decltype(auto) call_by_name(std::string_view name, const metric_params& params, F& f, metric_types<Metrics...>) {
  using result = typename first_taken<F, Metrics...>::result;
  struct entry {
    std::string_view name;
    result (*call)(const metric_params&, F&);
  };
  static constexpr entry entries[] = {{Metrics::name, &call_with<result, Metrics, F>}...};
  return std::ranges::find(entries, name, &entry::name)->call(params, f);
}

}  // namespace detail

/// Calls a function with the metric of a name, constructed with its parameters. It is compiled for each metric that it
/// can be called with; a generic lambda can exclude some by a constraint.
///
///     with_metric("hellinger", {}, [&]<class M>(M metric) requires metric_for<M, csr_view<float>> {
///       return knn(rows, queries, 10, metric);
///     });
///
/// \param name a name or alias (known_metrics) in any case \param params the parameters of that metric \param f called
/// with the metric \returns the result of f, which must have one type for all metrics \throws std::invalid_argument for
/// an unknown name (telling the most similar, and those known), for a metric that f cannot be called with, for a
/// parameter that the metric does not have, lacks, or refuses; and whatever f throws.
template <class F>
decltype(auto) with_metric(std::string_view name, const metric_params& params, F&& f) {
  // The metric that takes the fewest rows comes first: where the body of f is at fault for it, compilers print the next
  // line, and with it the remedy.
  // clang-format off
  [[maybe_unused]] constexpr bool takes_bits = requires { f(std::declval<bit_hamming>()); };  // f lacks `requires metric_for<...>`
  // clang-format on
  const metric_info* const known = find_metric(name);
  if (known == nullptr) detail::unknown_metric(name);
  detail::check_parameters(*known, params);
  return detail::call_by_name(known->name, params, f, detail::named_metrics{});
}

/// The same with default parameters. \param name,f as above \returns as above \throws std::invalid_argument as above.
template <class F>
decltype(auto) with_metric(std::string_view name, F&& f) {
  return with_metric(name, {}, f);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
