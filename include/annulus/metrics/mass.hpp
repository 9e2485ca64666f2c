#pragma once

/// \file
/// Rows as distributions: their shares of the sum, and the base of metrics that refuse negative values.

#include <annulus/core/kernels/sparse_kernels.hpp>
#include <annulus/core/metric/rewritten_metric.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The sum of a row's mass, by independent chains of additions.
template <row_scalar T>
double mass_of(const T* row, std::size_t d) noexcept {
  constexpr std::size_t chains = 8;
  double sums[chains] = {};
  std::size_t i = 0;
  for (; i + chains <= d; i += chains)
    simd::unroll<chains>([&](auto c) { sums[c] += static_cast<double>(row[i + c]); });
  for (; i < d; ++i) sums[0] += static_cast<double>(row[i]);
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

template <class T>
double mass_of(const sparse_row<T>& row) noexcept {
  return mass_of(row.values.data(), row.values.size());
}

/// x / mass, but 0 for a row without mass.
inline double share_of(double x, double mass) noexcept { return mass > 0 ? x / mass : 0.0; }

/// The length of a row of d + 1 bins, rounded up to a multiple of eight: the same in every build, since files hold
/// rewritten rows. Builds with 16 lanes load a half vector as fast as a whole one.
inline std::size_t share_dim(std::size_t d) noexcept { return (d / 8 + 1) * 8; }

/// out[i] = row[i] / its sum for i < d, then 0 up to share_dim(d); but out[d] = 1 for a row without mass. That bin
/// holds all the mass of an empty row, so that empty rows equal each other and share nothing with any other row.
template <row_scalar T, class Out>
void embed_shares(const T* row, std::size_t d, Out* out) noexcept {
  const double mass = mass_of(row, d);
  std::fill(out + d, out + share_dim(d), Out(0));
  for (std::size_t i = 0; i < d; ++i) out[i] = static_cast<Out>(share_of(static_cast<double>(row[i]), mass));
  if (mass == 0) out[d] = Out(1);
}

/// The rows that metrics of distributions refuse.
struct mass_rows {
  template <row_scalar T>
  static row_refusal refuses(const T* row, std::size_t d) noexcept {
    // Bytes cannot overflow the sum nor, unsigned, be negative.
    if constexpr (!std::same_as<T, std::uint8_t>) {
      for (std::size_t i = 0; i < d; ++i)
        if (!is_at_most(0.0, static_cast<double>(row[i]))) return {"must hold mass that is not negative", i};
      if (!is_finite(mass_of(row, d))) return "must hold mass of a finite sum";
    }
    return {};
  }
  template <class T>
  static row_refusal refuses(const sparse_row<T>& row) noexcept {
    return refuses(row.values.data(), row.values.size());
  }
};

/// Base of metrics of distributions that rewrite rows: to shares, unless Derived has an embedding of its own.
template <class Derived>
struct mass_embedding : embedding<Derived>, mass_rows {
  static constexpr bool is_angular = false;
  static std::size_t embedded_dim(std::size_t d) noexcept { return share_dim(d); }
  template <row_scalar T>
  static void embed(const T* row, std::size_t d, lane_t<T>* out) noexcept {
    embed_shares(row, d, out);
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
