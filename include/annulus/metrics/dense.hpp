#pragma once

/// \file
/// Metrics of coordinates that have no room of their own: Minkowski's distances, Canberra, Bray-Curtis, and Hamming's
/// of values. All take every element type of dense rows, and sparse rows, whose absent coordinates are 0.

#include <annulus/core/metric.hpp>
#include <annulus/core/sparse_distance.hpp>
#include <annulus/metrics/dense_kernels.hpp>

namespace annulus::inline ANNULUS_ARCH {

/// (sum |a - b|^p)^(1/p), for finite p >= 1: a metric. p = 1, 3/2, 2, 5/2, 3 and 4 need no logarithm and are ranked by
/// the sum of powers, which overflows where a difference to the p-th power does; any other p is ranked by the distance
/// and safe from that. p = 1 and 2 are `manhattan` and `euclidean`, which are faster to search by; the limit for large
/// p is `chebyshev`. O(d).
class minkowski {
 public:
  static constexpr std::string_view name = "minkowski";
  static constexpr bool is_angular = false;

  minkowski() : minkowski(2) {}
  /// \throws std::invalid_argument unless 1 <= p < infinity.
  explicit minkowski(double p) : m_p(p) {
    if (!(p >= 1 && std::isfinite(p))) detail::invalid("p", p, "must be at least 1 and finite");
    for (const int halves : {2, 3, 4, 5, 6, 8})
      if (2 * p == halves) m_halves = halves;
  }
  double p() const noexcept { return m_p; }

  template <row_scalar T>
  auto rank(const T* a, const T* b, std::size_t d) const noexcept {
    using number = detail::lane_t<T>;
    switch (m_halves) {
      case 2:
        return static_cast<number>(one_to_one<kernels::l1>(a, b, d));
      case 3:
        return one_to_one<kernels::powers<3>>(a, b, d);
      case 4:
        return static_cast<number>(one_to_one<kernels::squared_l2>(a, b, d));
      case 5:
        return one_to_one<kernels::powers<5>>(a, b, d);
      case 6:
        return one_to_one<kernels::powers<6>>(a, b, d);
      case 8:
        return one_to_one<kernels::powers<8>>(a, b, d);
      default:
        return detail::norm_of_difference(a, b, d, static_cast<number>(std::min(m_p, 1e30)));
    }
  }
  template <row_scalar T>
  detail::lane_t<T> rank(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    switch (m_halves) {
      case 2:
        return one_to_one<kernels::l1>(a, b);
      case 3:
        return one_to_one<kernels::powers<3>>(a, b);
      case 4:
        return one_to_one<kernels::squared_l2>(a, b);
      case 5:
        return one_to_one<kernels::powers<5>>(a, b);
      case 6:
        return one_to_one<kernels::powers<6>>(a, b);
      case 8:
        return one_to_one<kernels::powers<8>>(a, b);
      default:
        return detail::norm_of_difference(a, b, static_cast<detail::lane_t<T>>(std::min(m_p, 1e30)));
    }
  }
  template <std::floating_point Rank>
  Rank to_distance(Rank rank) const noexcept {
    switch (m_halves) {
      case 3:
        return std::cbrt(rank) * std::cbrt(rank);
      case 4:
        return std::sqrt(rank);
      case 5:
        return std::pow(rank, Rank(0.4));
      case 6:
        return std::cbrt(rank);
      case 8:
        return std::sqrt(std::sqrt(rank));
      default:
        return rank;
    }
  }
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    return to_distance(rank(a, b, d));
  }
  template <row_scalar T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    return to_distance(rank(a, b));
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("p", self.m_p);
    if constexpr (Archive::is_loading) archive.rebuild([&] { self = minkowski(self.m_p); });
  }

 private:
  double m_p;
  int m_halves = 0;  ///< 2 p where a kernel of its own serves it, else 0
};

/// sum |a - b| / (|a| + |b|), from 0 to d; a coordinate that is 0 in both rows adds 0 (Lance and Williams 1967). A
/// metric. O(d).
struct canberra : detail::kernel_metric<kernels::canberra> {
  static constexpr std::string_view name = "canberra";
  static constexpr bool is_angular = false;
  using detail::kernel_metric<kernels::canberra>::operator();
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    return to_distance(rank(a, b, d));
  }
};

/// sum |a - b| / sum |a + b| (Bray and Curtis 1957), from 0 to 1 for rows without negative values; 0 for two zero rows,
/// and infinite for a row and its negative. Not a metric: no triangle inequality. O(d).
struct braycurtis {
  static constexpr std::string_view name = "braycurtis";
  static constexpr bool is_angular = false;
  template <class Sum>
  static Sum from_sums(Sum difference, Sum size) noexcept {
    return difference == 0 ? Sum(0) : difference / size;
  }
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    const auto [difference, size] = one_to_one<kernels::braycurtis>(a, b, d);
    return from_sums(detail::to_floating(difference), detail::to_floating(size));
  }
  template <row_scalar T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    return from_sums(one_to_one<kernels::l1>(a, b), one_to_one<kernels::absolute_sum>(a, b));
  }
};

/// The part of the coordinates in which two rows differ, from 0 to 1 (Hamming 1950); 0 for rows without coordinates. Of
/// values: `bit_hamming` counts bits. Of sparse rows an absent value and a stored 0 are equal. A metric. O(d).
struct hamming {
  static constexpr std::string_view name = "hamming";
  static constexpr bool is_angular = false;
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    const auto differ = static_cast<detail::lane_t<T>>(one_to_one<kernels::unequal>(a, b, d));
    return differ / static_cast<detail::lane_t<T>>(std::max(d, std::size_t{1}));
  }
  template <row_scalar T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    return one_to_one<kernels::unequal>(a, b) / static_cast<detail::lane_t<T>>(std::max(a.dim, std::size_t{1}));
  }
};

}  // namespace annulus::inline ANNULUS_ARCH
