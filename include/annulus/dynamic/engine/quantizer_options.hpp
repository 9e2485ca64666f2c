#pragma once

/// \file
/// A product quantiser trained as options say.

#include <annulus/core/metric/common_metrics.hpp>
#include <annulus/dynamic/engine/metric_option.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>

#include <array>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

using pq_of_bytes = product_quantizer<std::uint8_t>;
using opq_of_bytes = optimized_product_quantizer<std::uint8_t>;

/// Whether Quantizer has a rotation: an optimized_product_quantizer.
template <class Quantizer>
inline constexpr bool is_rotated = requires(const Quantizer& quantizer) {
  quantizer.rotation();
};

inline kmeans_init read_init(option_reader& options) {
  static constexpr std::array<std::string_view, 3> names{"random", "plus_plus", "points"};
  return static_cast<kmeans_init>(options.choice("init", names, static_cast<std::size_t>(kmeans_init::points)));
}

/// m, the number of sub-vectors.
inline std::size_t read_m(option_reader& options, std::size_t dim) {
  std::size_t m = 0;
  const bool is_given = options.read("m", m);
  if (options.read("M", m) || is_given) return m;
  std::size_t usual = std::max<std::size_t>(dim / 4, 1);
  while (dim % usual != 0) --usual;
  invalid("m", "none", "say into how many sub-vectors rows of ", dim, " coordinates are split, such as ", usual);
}

/// What is known of a quantiser before the other options are read.
struct quantizer_request {
  std::string_view kind;
  pq_metric metric;
  std::size_t ks, threads;
  const progress_callback& progress;
};

template <class Params>
Params read_training(option_reader& options, const quantizer_request& wanted) {
  Params params;
  options.read("seed", params.seed);
  options.read("max_points_per_centroid", params.max_points_per_centroid);
  params.init = read_init(options);
  params.threads = wanted.threads;
  params.progress = wanted.progress;
  return params;
}

/// The quantiser of the options, fitted to rows.
template <class Quantizer>
Quantizer fitted_quantizer(matrix_view<float> rows, option_reader& options, const quantizer_request& wanted) {
  const std::size_t m = read_m(options, rows.cols());
  if constexpr (is_rotated<Quantizer>) {
    auto params = read_training<opq_params>(options, wanted);
    options.read("parametric_init", params.parametric_init);
    options.read("pq_iter", params.pq_iter);
    options.read("rotation_iter", params.rotation_iter);
    options.finish(wanted.kind);
    return Quantizer(m, wanted.ks, wanted.metric).fit(rows, params);
  } else {
    static constexpr std::array<std::string_view, 2> paddings{"refuse", "zeros"};
    const auto padding = static_cast<pq_padding>(options.choice("padding", paddings, 0));
    auto params = read_training<kmeans_params>(options, wanted);
    options.read("iter", params.iter);
    options.finish(wanted.kind);
    return Quantizer(m, wanted.ks, wanted.metric, padding).fit(rows, params);
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
