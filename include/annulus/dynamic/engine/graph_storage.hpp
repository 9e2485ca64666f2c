#pragma once

/// \file
/// The storages of graph indexes by name, and which go with which rows and metrics.

#include <annulus/core/metric/rewritten_metric.hpp>
#include <annulus/dynamic/engine/options.hpp>
#include <annulus/nndescent/half_precision.hpp>
#include <annulus/nndescent/rabitq.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A storage and its parameters.
struct graph_storage {
  std::string_view name = full_precision::name;
  unsigned bits = 1;                                ///< of rabitq
  scalar_scales scales = scalar_scales::automatic;  ///< of sq8
};

inline graph_storage read_graph_storage(option_reader& options) {
  static constexpr std::string_view scales[] = {"automatic", "per_vector", "per_dimension"};
  graph_storage storage;
  storage.name = options.text("storage", full_precision::name);
  if (storage.name == "rabitq") storage.name = rabitq<full_precision>::name;
  options.read("bits", storage.bits);
  storage.scales = static_cast<scalar_scales>(options.choice("scales", scales, 0));
  return storage;
}

/// What the metric's base compares.
template <class Points, class Metric>
using compared_points = typename compared<Metric, Points>::points;

template <class Points, class Metric>
constexpr std::string_view refuses_codes() noexcept {
  using metric = typename compared<Metric, Points>::metric;
  if (is_sparse_row<row_t<view_of<Points>>>) return "sparse rows are stored as they are: full_precision";
  if (!has_product_form<metric>)
    return "takes metrics that follow from products: euclidean, sqeuclidean, inner_product, cosine, and those that "
           "rewrite rows to these; others take full_precision or half_precision";
  if (std::same_as<compared_points<Points, Metric>, matrix<double>> && !std::same_as<Points, matrix<double>>)
    return "the metric rewrites rows to three coordinates, which codes would not make smaller: full_precision";
  return {};
}
template <class Points, class Metric>
constexpr std::string_view refuses_halves() noexcept {
  using element = typename compared_points<Points, Metric>::value_type;
  if (is_sparse_row<row_t<view_of<Points>>>) return "sparse rows are stored as they are: full_precision";
  if (is_byte<element>) return "rows of bytes or bits are shorter than halves: full_precision";
  if (std::same_as<element, Eigen::half>) return "rows are halves already: full_precision";
  return {};
}
template <class Points, class Metric>
constexpr std::string_view refuses_bytes() noexcept {
  if (is_byte<typename compared_points<Points, Metric>::value_type>)
    return "rows are bytes already: full_precision or rabitq";
  return {};
}

/// Calls f with the storage of that name. \throws std::invalid_argument for a name that there is not, and for a storage
/// that does not go with these rows and metric.
template <class Points, class Metric, class F>
auto with_graph_storage(const graph_storage& storage, F f) {
  static constexpr std::string_view names[] = {
      full_precision::name,         half_precision::name,         sq8::name,
      rabitq<full_precision>::name, rabitq<half_precision>::name, rabitq<sq8>::name};
  constexpr std::string_view no_codes = refuses_codes<Points, Metric>(), no_halves = refuses_halves<Points, Metric>(),
                             no_bytes = refuses_bytes<Points, Metric>();
  std::string_view reason;
  if (storage.name == full_precision::name) return f(full_precision{});
  if (storage.name == half_precision::name) {
    reason = no_halves;
    if constexpr (no_halves.empty()) return f(half_precision{});
  } else if (storage.name == sq8::name) {
    reason = no_codes.empty() ? no_bytes : no_codes;
    if constexpr (no_codes.empty() && no_bytes.empty()) return f(sq8{storage.scales});
  } else if (storage.name == rabitq<full_precision>::name) {
    reason = no_codes;
    if constexpr (no_codes.empty()) return f(rabitq<full_precision>{storage.bits, {}});
  } else if (storage.name == rabitq<half_precision>::name) {
    reason = no_codes.empty() ? no_halves : no_codes;
    if constexpr (no_codes.empty() && no_halves.empty()) return f(rabitq<half_precision>{storage.bits, {}});
  } else if (storage.name == rabitq<sq8>::name) {
    reason = no_codes.empty() ? no_bytes : no_codes;
    if constexpr (no_codes.empty() && no_bytes.empty()) return f(rabitq<sq8>{storage.bits, {storage.scales}});
  } else {
    invalid("storage", storage.name, "must be one of ", option_reader::joined(names), " (rabitq is rabitq+",
            full_precision::name, ")");
  }
  invalid("storage", storage.name, reason);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
