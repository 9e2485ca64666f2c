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

/// Whether this build has the storage. CMake's ANNULUS_DYNAMIC_STORAGES leaves out some by ANNULUS_DYNAMIC_WITHOUT_*.
template <class Storage>
inline constexpr bool is_built_storage = true;
#if defined(ANNULUS_DYNAMIC_WITHOUT_HALF_PRECISION)
template <>
inline constexpr bool is_built_storage<half_precision> = false;
#endif
#if defined(ANNULUS_DYNAMIC_WITHOUT_SQ8)
template <>
inline constexpr bool is_built_storage<sq8> = false;
#endif
#if defined(ANNULUS_DYNAMIC_WITHOUT_RABITQ_FULL_PRECISION)
template <>
inline constexpr bool is_built_storage<rabitq<full_precision>> = false;
#endif
#if defined(ANNULUS_DYNAMIC_WITHOUT_RABITQ_HALF_PRECISION)
template <>
inline constexpr bool is_built_storage<rabitq<half_precision>> = false;
#endif
#if defined(ANNULUS_DYNAMIC_WITHOUT_RABITQ_SQ8)
template <>
inline constexpr bool is_built_storage<rabitq<sq8>> = false;
#endif

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

/// Why an index of Points under Metric cannot have that storage; empty where it can.
template <class Storage, class Points, class Metric>
constexpr std::string_view refusal_of_storage() noexcept {
  constexpr bool is_full = std::same_as<Storage, full_precision>, is_half = std::same_as<Storage, half_precision>;
  constexpr bool has_halves = is_half || std::same_as<Storage, rabitq<half_precision>>;
  constexpr bool has_bytes = std::same_as<Storage, sq8> || std::same_as<Storage, rabitq<sq8>>;
  if (!is_built_storage<Storage>) return "this library was built without it (CMake's ANNULUS_DYNAMIC_STORAGES)";
  if (!is_full && !is_half && !refuses_codes<Points, Metric>().empty()) return refuses_codes<Points, Metric>();
  if (has_halves && !refuses_halves<Points, Metric>().empty()) return refuses_halves<Points, Metric>();
  if (has_bytes && !refuses_bytes<Points, Metric>().empty()) return refuses_bytes<Points, Metric>();
  return {};
}

/// Calls f with the storage of that name. \throws std::invalid_argument for a name that there is not, and for a storage
/// that does not go with these rows and metric.
template <class Points, class Metric, class F>
auto with_graph_storage(const graph_storage& given, F f) {
  using result = decltype(f(full_precision{}));
  static constexpr std::string_view names[] = {full_precision::name,         half_precision::name,
                                               sq8::name,                    rabitq<full_precision>::name,
                                               rabitq<half_precision>::name, rabitq<sq8>::name};
  const auto call = [&]<class Storage>(const Storage& storage) -> result {
    constexpr std::string_view refusal = refusal_of_storage<Storage, Points, Metric>();
    if constexpr (refusal.empty()) return f(storage);
    else invalid("storage", Storage::name, refusal);
  };
  if (given.name == names[0]) return call(full_precision{});
  if (given.name == names[1]) return call(half_precision{});
  if (given.name == names[2]) return call(sq8{given.scales});
  if (given.name == names[3]) return call(rabitq<full_precision>{given.bits, {}});
  if (given.name == names[4]) return call(rabitq<half_precision>{given.bits, {}});
  if (given.name == names[5]) return call(rabitq<sq8>{given.bits, {given.scales}});
  invalid("storage", given.name, "must be one of ", option_reader::joined(names), " (rabitq is rabitq+",
          full_precision::name, ")");
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
