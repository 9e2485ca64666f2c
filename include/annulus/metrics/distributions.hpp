#pragma once

/// \file
/// Divergences between distributions over unordered bins: rows of mass >= 0, divided by their sum.

#include <annulus/metrics/distribution_kernels.hpp>
#include <annulus/metrics/mass.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// |a - b| / sqrt 2 of unit vectors without negative coordinates, at most 1 but for rounding.
struct half_chord : kernel_metric<kernels::squared_l2> {
  static constexpr bool is_angular = false;
  static constexpr auto form = product_form::squared_l2;
  template <class Rank>
  static auto to_distance(Rank rank) noexcept {
    using number = decltype(to_floating(rank));
    return std::min(detail::sqrt(to_floating(rank) / 2), number(1));
  }
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    return to_distance(rank(a, b, d));
  }
};

template <class Kernel>
struct divergence : kernel_metric<Kernel> {
  static constexpr bool is_angular = false;
};

}  // namespace detail

/// sqrt(1 - sum sqrt(p q)) = |sqrt p - sqrt q| / sqrt 2 of the shares p, q, from 0 to 1 (Hellinger 1909); a metric. Two
/// rows without mass are at distance 0, one of them is at 1 from any other row. Negative mass is refused. Searched as
/// the Euclidean distance of roots, so that near rows lose no digits. O(d); sparse rows O(stored).
struct hellinger : detail::mass_embedding<hellinger> {
  static constexpr std::string_view name = "hellinger";
  using detail::mass_embedding<hellinger>::operator();

  template <row_scalar T>
  static void embed(const T* row, std::size_t d, embedded<T>* out) noexcept {
    detail::embed_shares(row, d, out);
    for (std::size_t i = 0; i < d; ++i) out[i] = detail::sqrt(out[i]);
  }
  static detail::half_chord base(std::size_t) noexcept { return {}; }

  template <class T>
  double operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    const double a_mass = detail::mass_of(a), b_mass = detail::mass_of(b);
    if (a_mass == 0 || b_mass == 0) return a_mass == b_mass ? 0.0 : 1.0;
    // Bins that only one row stores count in full: they hold the mass that common bins do not.
    const double a_inverse = 1 / a_mass, b_inverse = 1 / b_mass;
    // The inverse of a double may be infinite.
    const auto share = [](double x, double mass, double inverse) {
      return std::same_as<T, double> ? x / mass : x * inverse;
    };
    double sum = 0, a_common = 0, b_common = 0;
    std::size_t common = 0;
    detail::for_each_common(a, b, [&](double x, double y) {
      const double difference = detail::sqrt(share(x, a_mass, a_inverse)) - detail::sqrt(share(y, b_mass, b_inverse));
      sum += difference * difference;
      a_common += x;
      b_common += y;
      ++common;
    });
    const double a_only = common < a.indices.size() ? std::max(1 - a_common / a_mass, 0.0) : 0.0;
    const double b_only = common < b.indices.size() ? std::max(1 - b_common / b_mass, 0.0) : 0.0;
    sum += a_only + b_only;
    return std::min(detail::sqrt(sum / 2), 1.0);
  }
};

/// KL(p | m) / 2 + KL(q | m) / 2 in nats with m = (p + q) / 2 of the shares p, q, from 0 to log 2; 0 log 0 is 0 (Lin
/// 1991). Its square root is a metric (Endres and Schindelin 2003); it is not itself. Two rows without mass are at 0,
/// one of them is at log 2 from any other row. Negative mass is refused. Relative error below 1e-5 in float, for near
/// rows too. O(d); sparse rows O(stored).
struct jensen_shannon : detail::mass_embedding<jensen_shannon> {
  static constexpr std::string_view name = "jensen_shannon";
  using detail::mass_embedding<jensen_shannon>::operator();

  static detail::divergence<kernels::jensen_shannon> base(std::size_t) noexcept { return {}; }

  template <class T>
  double operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    const double a_mass = detail::mass_of(a), b_mass = detail::mass_of(b);
    if (a_mass == 0 || b_mass == 0) return a_mass == b_mass ? 0.0 : std::numbers::ln2;
    double sum = 0;
    detail::for_each_stored(a, b,
                            [&](double x, double y) { sum += detail::jensen_shannon_term(x / a_mass, y / b_mass); });
    return sum;
  }
};

/// KL(p | q) + KL(q | p) = sum (p - q)(log p - log q) in nats, from 0 up (Jeffreys 1946); not a metric. Every bin is
/// smoothed by e = 2^-23 in the units of the row: p = (x + e) / (sum of x + e d), so that a row without mass is the
/// uniform distribution. Negative mass is refused. Searched over rows of shares and their logarithms, twice as long.
/// O(d); sparse rows O(stored), the bins that neither stores included.
struct symmetric_kl : detail::mass_embedding<symmetric_kl> {
  static constexpr std::string_view name = "symmetric_kl";
  static constexpr double smoothing = 0x1p-23;  ///< mass added to every bin
  using detail::mass_embedding<symmetric_kl>::operator();

  /// \param d the length of a row \returns twice that, rounded up to both float's block and double's, which is half as
  /// long
  static std::size_t embedded_dim(std::size_t d) noexcept {
    constexpr std::size_t length = block<float>;
    return (d + length - 1) / length * 2 * length;
  }
  template <row_scalar T>
  static void embed(const T* row, std::size_t d, embedded<T>* out) noexcept {
    constexpr std::size_t length = block<embedded<T>>;
    const double bins = static_cast<double>(d), mass = detail::mass_of(row, d) + smoothing * bins;
    const std::size_t n = embedded_dim(d) / 2;
    for (std::size_t i = 0; i < n; ++i) {
      embedded<T>* const at = out + i / length * 2 * length + i % length;
      const double share = i < d ? (static_cast<double>(row[i]) + smoothing) / mass : 0.0;
      at[0] = static_cast<embedded<T>>(share);
      // Any common factor of the shares cancels in the logarithms: relative to the mean share they are small and have
      // the least rounding errors.
      at[length] = i < d ? static_cast<embedded<T>>(std::log(share * bins)) : embedded<T>(0);
    }
  }
  static detail::divergence<kernels::symmetric_kl> base(std::size_t) noexcept { return {}; }

  template <class T>
  double operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    const double added = smoothing * static_cast<double>(a.dim);
    const double a_mass = detail::mass_of(a) + added, b_mass = detail::mass_of(b) + added;
    const auto term = [&](double x, double y) {
      const double p = (x + smoothing) / a_mass, q = (y + smoothing) / b_mass;
      return p > q ? (p - q) * std::log(p / q) : (q - p) * std::log(q / p);
    };
    double sum = 0, absent = static_cast<double>(a.dim);
    detail::for_each_stored(a, b, [&](double x, double y) {
      sum += term(x, y);
      absent -= 1;
    });
    return absent > 0 ? sum + absent * term(0, 0) : sum;
  }

 private:
  template <class T>
  static constexpr std::size_t block = detail::operation<kernels::symmetric_kl, T>::block;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
