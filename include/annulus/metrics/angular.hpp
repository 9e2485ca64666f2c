#pragma once

/// \file
/// Metrics of direction: angles, and correlations, which are angles between centred rows.

#include <annulus/core/embedding.hpp>
#include <annulus/core/sparse_distance.hpp>

namespace annulus::inline ANNULUS_ARCH {

/// 1 - r of Pearson's correlation r of the coordinates (Pearson 1895), from 0 to 2: the cosine of rows less their
/// means. A constant row has no direction: distance 1 from any other and 0 from another constant row. O(d).
struct correlation : detail::embedding<correlation> {
  static constexpr std::string_view name = "correlation";
  template <row_scalar T>
  using embedded = detail::lane_t<T>;
  using detail::embedding<correlation>::operator();

  static std::size_t embedded_dim(std::size_t d) noexcept { return d; }
  template <row_scalar T>
  static void embed(const T* row, std::size_t d, embedded<T>* out) noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < d; ++i) sum += static_cast<double>(row[i]);
    const double mean = sum / static_cast<double>(d);
    for (std::size_t i = 0; i < d; ++i) out[i] = static_cast<embedded<T>>(static_cast<double>(row[i]) - mean);
  }
  static cosine base(std::size_t) noexcept { return {}; }
};

}  // namespace annulus::inline ANNULUS_ARCH
