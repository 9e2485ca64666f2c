#pragma once

/// \file
/// Metrics of single coordinates: Minkowski's distances, Canberra, Bray-Curtis, and Hamming's distance of values. All
/// take every element type of dense rows, and sparse rows, whose absent coordinates are 0.

#include <annulus/core/kernels/sparse_kernels.hpp>
#include <annulus/core/metric/kernel_metric.hpp>
#include <annulus/metrics/coordinate_kernels.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// (sum |a - b|^p)^(1/p), for finite p >= 1: a metric. p = 1, 3/2, 2, 5/2, 3 and 4 need no logarithm and are ranked by
/// the sum of powers; any other p is ranked by the distance. p = 1 and 2 are `manhattan` and `euclidean`, which are
/// faster to search by; the limit for large p is `chebyshev`. O(d).
class minkowski : public detail::row_metric<minkowski> {
 public:
  static constexpr std::string_view name = "minkowski";
  static constexpr bool is_angular = false;

  minkowski() noexcept : minkowski(2) {}  ///< p = 2
  /// \param p the order \throws std::invalid_argument unless 1 <= p < infinity.
  explicit minkowski(double p) : m_p(p) {
    if (!(p >= 1 && detail::is_finite(p))) detail::invalid("p", p, "must be at least 1 and finite");
    for (const int halves : {2, 3, 4, 5, 6, 8})
      if (2 * p == halves) m_halves = halves;
  }
  double p() const noexcept { return m_p; }  ///< \returns the order
  degrees degree() const noexcept { return {.distance = 1, .rank = m_halves > 0 ? m_p : 1}; }
  double greatest_sum(double norm, std::size_t d) const noexcept {
    return 2 * norm * std::pow(static_cast<double>(d), std::max(1 / m_p - 0.5, 0.0));
  }

  template <row_scalar T>
  auto rank(const T* a, const T* b, std::size_t d) const noexcept {
    return sum_between(detail::as_row(a, d), detail::as_row(b, d));
  }
  template <row_scalar T>
  auto rank(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    return sum_between(a, b);
  }
  /// Computed in double from a number near 1, so that rows times a power of two have distances times that power.
  /// \param rank a sum of powers, or where p has no kernel the distance \returns the distance
  template <std::floating_point Rank>
  Rank to_distance(Rank rank) const noexcept {
    const auto sum = static_cast<double>(rank);
    switch (m_halves) {
      case 3:
        return static_cast<Rank>(root<3, 2>(sum, [](double x) { return std::cbrt(x) * std::cbrt(x); }));
      case 4:
        return detail::sqrt(rank);
      case 5:
        return static_cast<Rank>(root<5, 2>(sum, [](double x) { return std::pow(x, 0.4); }));
      case 6:
        return static_cast<Rank>(root<3, 1>(sum, [](double x) { return std::cbrt(x); }));
      case 8:
        return static_cast<Rank>(detail::sqrt(detail::sqrt(sum)));
      default:
        return rank;
    }
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("p", self.m_p);
    if constexpr (Archive::is_loading) archive.rebuild([&] { self = minkowski(self.m_p); });
  }

 private:
  friend detail::row_metric<minkowski>;
  template <class Row>
  using number = detail::lane_t<detail::coordinate_t<Row>>;

  /// f(kernel) for the kernel that sums the powers; for a p without a kernel the distance itself.
  template <class Row, class F>
  number<Row> with_kernel(const Row& a, const Row& b, F f) const noexcept {
    switch (m_halves) {
      case 2:
        return static_cast<number<Row>>(f(kernels::l1{}));
      case 3:
        return f(kernels::powers<3>{});
      case 4:
        return static_cast<number<Row>>(f(kernels::squared_l2{}));
      case 5:
        return f(kernels::powers<5>{});
      case 6:
        return f(kernels::powers<6>{});
      case 8:
        return f(kernels::powers<8>{});
      default:
        return detail::norm_of_difference(a, b, static_cast<number<Row>>(std::min(m_p, 1e30)));
    }
  }
  /// x^(Power / Root), computed by f(y) = y^(Power / Root) for the y = x times a power of 2^Root that is in [1,
  /// 2^Root).
  template <int Root, int Power, class F>
  static double root(double x, F f) noexcept {
    if (!(x > 0 && detail::is_finite(x))) return x;
    const int exponent = std::ilogb(x), steps = (exponent - (exponent % Root + Root) % Root) / Root;
    return std::ldexp(f(std::ldexp(x, -Root * steps)), Power * steps);
  }

  template <class Row>
  auto sum_between(const Row& a, const Row& b) const noexcept {
    return with_kernel(a, b, [&]<class Kernel>(Kernel) { return detail::sum_of<Kernel>(a, b); });
  }
  template <class Row>
  auto between(const Row& a, const Row& b) const noexcept {
    const auto root = [&](auto sum) { return to_distance(static_cast<number<Row>>(sum)); };
    return with_kernel(a, b, [&]<class Kernel>(Kernel) { return detail::root_of_sum<Kernel>(a, b, root); });
  }

  double m_p;
  int m_halves = 0;  ///< 2 p where this p has a kernel, else 0
};

/// sum |a - b| / (|a| + |b|), from 0 to d; a coordinate that is 0 in both rows adds 0 (Lance and Williams 1967). A
/// metric. O(d).
struct canberra : detail::kernel_metric<kernels::canberra>, detail::row_metric<canberra> {
  static constexpr std::string_view name = "canberra";
  static constexpr bool is_angular = false;
  static constexpr double greatest_sum(double norm, std::size_t) noexcept { return 2 * norm; }
  using detail::row_metric<canberra>::operator();

 private:
  friend detail::row_metric<canberra>;
  template <class Row>
  static auto between(const Row& a, const Row& b) noexcept {
    const auto sum = detail::sum_of<kernel>(a, b);
    return detail::is_finite(sum) ? sum : detail::sum_of<kernels::canberra_of_largest>(a, b);
  }
};

/// sum |a - b| / sum |a + b| (Bray and Curtis 1957), from 0 to 1 for rows without negative values; 0 for two zero rows,
/// and infinite for a row and its negative. Not a metric: no triangle inequality. O(d).
struct braycurtis {
  static constexpr std::string_view name = "braycurtis";
  static constexpr bool is_angular = false;
  /// \param difference,size sum |a - b| and sum |a + b| \returns the distance
  template <class Sum>
  static Sum from_sums(Sum difference, Sum size) noexcept {
    return difference == 0 ? Sum(0) : difference / size;
  }
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    const auto [difference, size] = one_to_one<kernels::braycurtis>(a, b, d);
    return from_rows(detail::as_row(a, d), detail::as_row(b, d), detail::to_floating(difference),
                     detail::to_floating(size));
  }
  template <row_scalar T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    return from_rows(a, b, one_to_one<kernels::l1>(a, b), one_to_one<kernels::absolute_sum>(a, b));
  }

 private:
  /// From the sums of two rows, or of the rows scaled to near 1 where a sum overflowed.
  template <class Row, class Sum>
  static Sum from_rows(const Row& a, const Row& b, Sum difference, Sum size) noexcept {
    if constexpr (detail::may_leave_range<Row>)
      if (!detail::is_finite(difference + size)) [[unlikely]]
        return near_one(a, b);
    return from_sums(difference, size);
  }
  template <class Row>
  [[gnu::noinline, gnu::cold]] static auto near_one(Row a, Row b) noexcept {
    const int exponent = std::max(detail::exponent_of(a), detail::exponent_of(b));
    return from_sums(detail::scaled_sum_of<kernels::l1>(a, exponent, b, exponent),
                     detail::scaled_sum_of<kernels::absolute_sum>(a, exponent, b, exponent));
  }
};

/// The fraction of the coordinates in which two rows differ, from 0 to 1 (Hamming 1950); 0 for rows without
/// coordinates. It compares values; `bit_hamming` compares bits. In sparse rows an absent value equals a stored 0. A
/// metric. O(d).
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

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
