#pragma once

/// \file
/// Optimal transport between distributions over bins on a line or around a circle, from cumulated shares in O(d).

#include <annulus/metrics/circular_shift.hpp>
#include <annulus/metrics/mass.hpp>

#include <functional>
#include <numeric>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

inline double checked_order(double p) {
  // For larger p the result equals the greatest difference in floats.
  if (!(is_number(p) && p >= 1 && p <= 1e6)) invalid("p", p, "must be from 1 to 1e6");
  return p;
}

/// Base of the metrics of cumulated shares, of order p.
class metric_of_order {
 public:
  static constexpr bool is_angular = false;
  explicit metric_of_order(double p) : m_p(p) {}

 protected:
  double m_p;
};

/// (sum |a - b|^p)^(1/p); ranked by the sum for p = 1 and 2. For other p by the distance, since a sum of high powers
/// leaves the range of floats.
class cumulated_distance : public metric_of_order {
 public:
  using metric_of_order::metric_of_order;

  template <class T>
    requires std::floating_point<T> T rank(const T* a, const T* b, std::size_t d)
  const noexcept {
    if (m_p == 1) return one_to_one<kernels::l1>(a, b, d);
    if (m_p == 2) return one_to_one<kernels::squared_l2>(a, b, d);
    const T greatest = one_to_one<kernels::linf>(a, b, d);
    if (greatest == 0) return T(0);
    using batch = simd::batch<T>;
    batch sum(T(0));
    const auto add = [&](batch x, batch y) {
      sum += power(simd::divide(xsimd::abs(x - y), batch(greatest)), static_cast<T>(m_p));
    };
    std::size_t i = 0;
    for (; i + simd::lanes<T> <= d; i += simd::lanes<T>) add(simd::load(a + i), simd::load(b + i));
    if (i < d) add(simd::load_partial(a + i, d - i), simd::load_partial(b + i, d - i));
    return greatest * static_cast<T>(std::pow(static_cast<double>(simd::reduce_add(sum)), 1 / m_p));
  }
  template <class Rank>
  Rank to_distance(Rank rank) const noexcept {
    return m_p == 2 ? detail::sqrt(rank) : rank;
  }
  template <class T>
  requires std::floating_point<T> T operator()(const T* a, const T* b, std::size_t d) const noexcept {
    return to_distance(rank(a, b, d));
  }
};

/// The least of (sum |a - b - mu|^p)^(1/p) over mu, of rows whose last element tells whether they have no mass.
class circular_distance : public metric_of_order {
 public:
  using metric_of_order::metric_of_order;

  template <class T>
  requires std::floating_point<T> T operator()(const T* a, const T* b, std::size_t n) const {
    const std::size_t d = n - 1;
    if (a[d] != b[d]) return static_cast<T>(greatest(d, m_p));
    row_buffer<T> buffer(d);
    T* const differences = buffer.data();
    std::size_t i = 0;
    for (; i + simd::lanes<T> <= d; i += simd::lanes<T>)
      (simd::load(a + i) - simd::load(b + i)).store_unaligned(differences + i);
    std::transform(a + i, a + d, b + i, differences + i, std::minus<>{});
    return shifted_norm<T>({differences, nullptr, d}, m_p);
  }

  /// The distance between masses in two opposite bins, which is the greatest.
  static double greatest(std::size_t d, double p) noexcept { return std::pow(static_cast<double>(d), 1 / p) / 2; }
};

/// The cumulated shares of a row; all zero for a row without mass.
template <row_scalar T, class Out>
void embed_cumulated(const T* row, std::size_t d, Out* out) noexcept {
  const double mass = mass_of(row, d);
  double sum = 0;
  for (std::size_t i = 0; i < d; ++i) {
    sum += static_cast<double>(row[i]);
    out[i] = static_cast<Out>(share_of(sum, mass));
  }
}

/// Base of metrics of order p over the differences of cumulated shares.
template <class Derived>
class cumulated_embedding : public mass_embedding<Derived> {
 public:
  explicit cumulated_embedding(double p = 1) : m_p(checked_order(p)) {}
  double p() const noexcept { return m_p; }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("p", self.m_p);
    if constexpr (Archive::is_loading) archive.rebuild([&] { self = Self(self.m_p); });
  }

 protected:
  double m_p;
};

/// Calls f(F - G, bins) for every run of bins over which the difference of the cumulated shares is constant; runs may
/// be empty.
template <class T, class F>
void for_each_run(const sparse_row<T>& a, const sparse_row<T>& b, F f) {
  const std::size_t n = a.indices.size(), m = b.indices.size();
  // Summed in the order in which shares are cumulated, so that the difference is exactly 0 behind the last bin.
  double a_mass = 0, b_mass = 0;
  std::size_t k = 0;
  for (; k < std::min(n, m); ++k) {
    a_mass += static_cast<double>(a.values[k]);
    b_mass += static_cast<double>(b.values[k]);
  }
  for (std::size_t i = k; i < n; ++i) a_mass += static_cast<double>(a.values[i]);
  for (std::size_t i = k; i < m; ++i) b_mass += static_cast<double>(b.values[i]);
  const double a_unit = a_mass > 0 ? a_mass : 1, b_unit = b_mass > 0 ? b_mass : 1;
  double a_sum = 0, b_sum = 0;
  std::size_t i = 0, j = 0, at = 0;
  const auto run_to = [&](std::size_t to) {
    f(a_sum / a_unit - b_sum / b_unit, static_cast<double>(to - at));
    at = to;
  };
  while (i < n && j < m) {
    const std::int32_t from_a = a.indices[i], from_b = b.indices[j];
    run_to(static_cast<std::size_t>(std::min(from_a, from_b)));
    const bool has_a = from_a <= from_b, has_b = from_b <= from_a;
    a_sum += value_if(has_a, a.values[i]);
    b_sum += value_if(has_b, b.values[j]);
    i += has_a;
    j += has_b;
  }
  for (; i < n; ++i) {
    run_to(static_cast<std::size_t>(a.indices[i]));
    a_sum += static_cast<double>(a.values[i]);
  }
  for (; j < m; ++j) {
    run_to(static_cast<std::size_t>(b.indices[j]));
    b_sum += static_cast<double>(b.values[j]);
  }
  run_to(a.dim);
}

}  // namespace detail

/// (sum over bins |F - G|^p)^(1/p) of the cumulated shares F, G of bins on a line, p >= 1 (1 by default), from 0 to (d
/// - 1)^(1/p); a metric. For p = 1 the least cost of moving one distribution to the other, in bins (Vallender 1974;
/// Werman, Peleg, Rosenfeld 1985); for other p it is a distance like Cramer's, which other libraries call by this name
/// too, not the p-th Wasserstein distance. A row without mass counts as one whose mass is in a bin behind the last.
/// Negative mass is refused. \throws std::invalid_argument unless 1 <= p <= 1e6. O(d); sparse rows O(stored).
class wasserstein_1d : public detail::cumulated_embedding<wasserstein_1d> {
 public:
  static constexpr std::string_view name = "wasserstein_1d";
  using cumulated_embedding::cumulated_embedding, cumulated_embedding::operator();

  static std::size_t embedded_dim(std::size_t d) noexcept { return d; }
  template <row_scalar T>
  static void embed(const T* row, std::size_t d, embedded<T>* out) noexcept {
    detail::embed_cumulated(row, d, out);
  }
  detail::cumulated_distance base(std::size_t) const noexcept { return detail::cumulated_distance(m_p); }

  template <class T>
  double operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    double greatest = 0, sum = 0;
    if (m_p != 1) detail::for_each_run(a, b, [&](double x, double) { greatest = std::max(greatest, std::abs(x)); });
    if (m_p != 1 && greatest == 0) return 0;
    detail::for_each_run(a, b, [&](double x, double bins) {
      sum += bins * (m_p == 1 ? std::abs(x) : std::pow(std::abs(x) / greatest, m_p));
    });
    return m_p == 1 ? sum : greatest * std::pow(sum, 1 / m_p);
  }
};

/// The least over mu of (sum over bins |F - G - mu|^p)^(1/p) of the cumulated shares F, G of bins around a circle,
/// where mass may go either way; p >= 1 (1 by default), from 0 to d^(1/p) / 2; a metric, as the norm of a quotient is.
/// For p = 1 the least cost of transport in bins, mu a median (Werman, Peleg, Melter, Rosenfeld 1986; Rabin, Delon,
/// Gousseau 2011); for p = 2 mu is the mean. Two rows without mass are at 0, one of them is at d^(1/p) / 2 from any
/// other row. Negative mass is refused. \throws std::invalid_argument unless 1 <= p <= 1e6. O(d) for p = 1 and 2, some
/// 30 times that for other p. Allocates for rows longer than about 500 elements, and for sparse rows that store more
/// than about 250.
class circular_kantorovich : public detail::cumulated_embedding<circular_kantorovich> {
 public:
  static constexpr std::string_view name = "circular_kantorovich";
  using cumulated_embedding::cumulated_embedding, cumulated_embedding::operator();

  static std::size_t embedded_dim(std::size_t d) noexcept { return d + 1; }
  template <row_scalar T>
  static void embed(const T* row, std::size_t d, embedded<T>* out) noexcept {
    detail::embed_cumulated(row, d, out);
    out[d] = detail::mass_of(row, d) > 0 ? embedded<T>(0) : embedded<T>(1);
  }
  detail::circular_distance base(std::size_t) const noexcept { return detail::circular_distance(m_p); }

  template <class T>
  double operator()(const sparse_row<T>& a, const sparse_row<T>& b) const {
    const bool is_empty_a = detail::mass_of(a) == 0, is_empty_b = detail::mass_of(b) == 0;
    if (is_empty_a != is_empty_b) return detail::circular_distance::greatest(a.dim, m_p);
    const std::size_t most = a.indices.size() + b.indices.size() + 2;
    detail::row_buffer<double> differences(most), bins(most);
    std::size_t n = 0;
    detail::for_each_run(a, b, [&](double x, double run) {
      differences.data()[n] = x;
      bins.data()[n] = run;
      n += run > 0;
    });
    return detail::shifted_norm<double>({differences.data(), bins.data(), n}, m_p);
  }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
