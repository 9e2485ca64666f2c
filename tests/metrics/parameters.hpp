#pragma once

// Parameters for every metric that has a name.

#include <annulus/metrics/named.hpp>

namespace parameters {

/// A value for each parameter that the metric has, over rows of dim.
inline annulus::metric_params some(const annulus::metric_info& metric, std::size_t dim) {
  annulus::metric_params params;
  if (metric.find_parameter("p") != nullptr) params.p = 3;
  if (metric.find_parameter("w") != nullptr) params.w = std::vector<double>(dim, 2);
  if (metric.find_parameter("variance") != nullptr) params.variance = std::vector<double>(dim, 0.5);
  if (metric.find_parameter("vinv") != nullptr) params.vinv = annulus::matrix<double>(dim, dim, 0.5);
  if (metric.find_parameter("cost") != nullptr) params.cost = annulus::matrix<double>(dim, dim);
  for (std::size_t i = 0; i < dim; ++i) {
    if (params.vinv.rows() > 0) params.vinv(i, i) = 2;
    if (params.cost.rows() > 0)
      for (std::size_t j = 0; j < dim; ++j) params.cost(i, j) = std::sqrt(i > j ? i - j : j - i);
  }
  return params;
}

}  // namespace parameters
