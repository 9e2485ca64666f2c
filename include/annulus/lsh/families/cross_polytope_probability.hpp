#pragma once

/// \file
/// The probabilities of the vertices of a rotated cross-polytope for a row at a given distance from a query, over the
/// draws of the rotation (Andoni, Indyk, Laarhoven, Razenshteyn, Schmidt 2015 have the asymptotics).
///
/// With Gaussian rotations the coordinates of two unit rows at an angle are independent pairs (y, z) of standard
/// normals whose correlation is the cosine, and the following is exact up to the tables' interpolation. Hadamard
/// rotations come close to it.

#include <annulus/core/rows/matrix.hpp>
#include <annulus/lsh/probability.hpp>

#include <array>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Nodes in (-1, 1) and weights of the Gauss-Legendre rule.
template <std::size_t N>
struct gauss_legendre {
  std::array<double, N> nodes, weights;

  /// By Newton's method, from the asymptotic positions of the nodes.
  gauss_legendre() noexcept {
    for (std::size_t i = 0; i < N; ++i) {
      double x = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) / (N + 0.5)), slope = 1;
      for (int step = 0; step < 6; ++step) {
        double before = 1, value = x;
        for (std::size_t n = 2; n <= N; ++n) {
          const auto degree = static_cast<double>(n);
          const double next = ((2 * degree - 1) * x * value - (degree - 1) * before) / degree;
          before = std::exchange(value, next);
        }
        slope = N * (x * value - before) / (x * x - 1);
        x -= value / slope;
      }
      nodes[i] = x;
      weights[i] = 2 / ((1 - x * x) * slope * slope);
    }
  }
};

inline double normal_density(double x) noexcept { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }

/// The number that a half-normal exceeds with this probability.
inline double half_normal_quantile(double tail) noexcept { return normal_upper_quantile(tail / 2); }

/// A cosine distance as an angle.
struct vertex_angle {
  double half_chord = 0;  ///< sin(angle / 2), from 0 to 1
  double cosine = 1, sine = 0;

  explicit vertex_angle(double distance) noexcept : half_chord(std::sqrt(std::clamp(distance / 2, 0.0, 1.0))) {
    cosine = 1 - 2 * half_chord * half_chord;
    sine = 2 * half_chord * std::sqrt(1 - half_chord * half_chord);
  }
};

/// The probabilities of vertices for a neighbour at one distance of a query whose greatest |coordinate| is m. That of a
/// vertex where the query's coordinate is m - gap is that of the query's own times exp(a + b gap + c gap^2), to within
/// a few percent where it is not negligible.
struct vertex_law {
  float log_stay = 0;  ///< of the probability of the query's own vertex
  float a = 0, b = 0, c = 0;
  float log_opposite = 0;  ///< for up to max_with_opposites coordinates: of the odds of the opposite vertex

  /// The logarithm of the odds of a vertex, bounded so that its probability is at most 1.
  float log_factor(float score) const noexcept { return std::min(a + std::sqrt(score) * b + score * c, -log_stay); }
};

/// For vertices of `n_coordinates` coordinates, by tables over the distance and the query's greatest |coordinate|.
class vertex_probabilities {
 public:
  /// Up to this number of coordinates, vertices opposite to the query matter.
  static constexpr std::size_t max_with_opposites = 4;

  /// O(1), some milliseconds. `n_coordinates` is at least 1.
  explicit vertex_probabilities(std::size_t n_coordinates)
      : m_n(static_cast<double>(n_coordinates)), m_has_opposites(n_coordinates <= max_with_opposites) {
    set_range();
    if (is_sign()) return;
    m_entries.resize(n_distances * n_maxima);
    m_opposites.resize(m_has_opposites ? n_distances * n_maxima : 0);
    for (std::size_t i = 0; i < n_distances; ++i) {
      // A little inside the ends, where the integrands degenerate.
      const double x = std::clamp(static_cast<double>(i) / last_distance, 0.004, 0.999);
      std::array<float, n_maxima> opposites{};
      m_log_collision[i] = std::log(std::max(column(x, m_entries.data() + i * n_maxima, opposites.data()), floor));
      if (m_has_opposites) std::copy_n(opposites.data(), n_maxima, m_opposites.data() + i * n_maxima);
    }
    m_log_collision[0] = 0;
    for (std::size_t k = 0; k < n_maxima; ++k) m_entries[k].log_stay = 0;
  }

  std::size_t memory_bytes() const noexcept {
    return m_entries.size() * sizeof(entry) + m_opposites.size() * sizeof(float);
  }

  /// The probability that two rows at this cosine distance have the same vertex.
  double collision(double distance) const noexcept {
    if (is_sign()) return hyperplane_probability(angle_of(distance));
    const place<double> at(vertex_angle(distance).half_chord * last_distance, n_distances);
    return std::exp((1 - at.fraction) * m_log_collision[at.index] + at.fraction * m_log_collision[at.index + 1]);
  }

  /// The same without tables: O(1), a tenth of a millisecond.
  static double collision(std::size_t n_coordinates, double distance) noexcept {
    if (n_coordinates <= 1) return hyperplane_probability(angle_of(distance));
    const vertex_angle angle(distance);
    if (angle.sine < 1e-6) return angle.cosine > 0 ? 1 : 0;
    vertex_probabilities one;
    one.m_n = static_cast<double>(n_coordinates);
    one.set_range();
    std::array<entry, n_maxima> entries;
    return one.column(angle.half_chord, entries.data(), nullptr);
  }

  /// The law for a query whose greatest |coordinate| is `maximum`, scaled such that coordinates are standard normals.
  vertex_law law(const vertex_angle& angle, float maximum) const noexcept {
    vertex_law law;
    const auto per_gap = static_cast<float>(1 / std::max(angle.sine, 1e-9));
    if (is_sign()) {
      const double z = std::clamp(static_cast<double>(maximum * per_gap) * angle.cosine, -8.0, 8.0);
      const double moves = normal_cdf(-z), log_stay = std::log1p(-moves);
      law.log_stay = static_cast<float>(log_stay);
      law.log_opposite = static_cast<float>(std::log(moves) - log_stay);
      return law;
    }
    const place<float> row(static_cast<float>(angle.half_chord * last_distance), n_distances);
    const place<float> column((maximum - static_cast<float>(m_least)) * static_cast<float>(m_per_step), n_maxima);
    const float up = row.fraction, right = column.fraction;
    const std::array<float, 4> weights{(1 - up) * (1 - right), (1 - up) * right, up * (1 - right), up * right};
    const std::size_t first = row.index * n_maxima + column.index;
    const auto mean = [&](auto of) {
      return weights[0] * of(first) + weights[1] * of(first + 1) + weights[2] * of(first + n_maxima) +
             weights[3] * of(first + n_maxima + 1);
    };
    law.log_stay = mean([&](std::size_t i) { return m_entries[i].log_stay; });
    law.a = mean([&](std::size_t i) { return m_entries[i].a; });
    law.b = mean([&](std::size_t i) { return m_entries[i].b; }) * per_gap;
    law.c = mean([&](std::size_t i) { return m_entries[i].c; }) * per_gap * per_gap;
    if (m_has_opposites)
      law.log_opposite =
          std::min(2 * maximum * per_gap * mean([&](std::size_t i) { return m_opposites[i]; }), -law.log_stay);
    return law;
  }

  bool has_opposites() const noexcept { return m_has_opposites; }

 private:
  /// The terms of a law; b and c for gaps in units of the sine, in which they vary little with the angle.
  struct entry {
    float log_stay, a, b, c;
  };
  /// A position between two entries of a table.
  template <class T>
  struct place {
    std::size_t index;
    T fraction;
    place(T at, std::size_t n) noexcept {
      const T bounded = std::clamp(at, T(0), static_cast<T>(n - 1));
      index = std::min(static_cast<std::size_t>(static_cast<std::int32_t>(bounded)), n - 2);
      fraction = bounded - static_cast<T>(static_cast<std::int32_t>(index));
    }
  };

  static constexpr std::size_t n_distances = 33, n_maxima = 25;
  static constexpr double last_distance = n_distances - 1;
  static constexpr double floor = 1e-30;

  vertex_probabilities() = default;

  bool is_sign() const noexcept { return m_n == 1; }

  /// Sets the range of m: the greatest of n half-normals is outside with probability 2e-7.
  void set_range() noexcept {
    constexpr double outside = 1e-7;
    m_least = half_normal_quantile(-std::expm1(std::log(outside) / m_n));
    m_per_step = (n_maxima - 1) / (half_normal_quantile(outside / m_n) - m_least);
  }

  /// The entries at one distance, of sin(angle / 2) = x, and the probability of a collision. With c and s the cosine
  /// and sine of the angle, z = c y + s g, A(t) the probability of |z| < t given |y| < m, M(t) that given |y| = m: stay
  /// is the integral of phi((t - m c) / s) / s A(t)^(n - 1) over t > 0, and the vertex where the query is v has that of
  /// phi((t - v c) / s) / s M(t) A(t)^(n - 2).
  double column(double x, entry* entries, float* opposites) const noexcept {
    static constexpr std::size_t n_t = 32, n_y = 16;
    const gauss_legendre<n_t> over_t;
    const gauss_legendre<n_y> over_y;
    const double c = 1 - 2 * x * x, s = 2 * x * std::sqrt(1 - x * x);
    double collision = 0;
    for (std::size_t k = 0; k < n_maxima; ++k) {
      const double m = std::max(m_least + static_cast<double>(k) / m_per_step, 1e-3);
      const double begin = std::max(0.0, m * c - 6.5 * s), end = std::max(m * c, 0.0) + 6.5 * s;
      std::array<double, n_t> t, weight, all_inside, all_but_one;  // of the other n - 1 coordinates, weighted
      for (std::size_t i = 0; i < n_t; ++i) {
        t[i] = begin + (end - begin) / 2 * (1 + over_t.nodes[i]);
        weight[i] = (end - begin) / 2 * over_t.weights[i] / s;
      }
      // 1 - A(t): of y in (-m, m) only the part near m matters at small angles. Then 1 - M(t).
      const double length = c > 0 ? std::min(2 * m, 12.5 * s / c) : 2 * m;
      std::array<float, n_t*(n_y + 2)> tails;
      std::array<double, n_y> density;
      for (std::size_t j = 0; j < n_y; ++j) {
        const double y = m - length / 2 * (1 + over_y.nodes[j]);
        density[j] = length * over_y.weights[j] * normal_density(y) / (1 - 2 * normal_cdf(-m));
        for (std::size_t i = 0; i < n_t; ++i) tails[j * n_t + i] = static_cast<float>((t[i] - c * y) / s);
      }
      for (std::size_t i = 0; i < n_t; ++i) {
        tails[n_y * n_t + i] = static_cast<float>((t[i] - c * m) / s);
        tails[(n_y + 1) * n_t + i] = static_cast<float>((t[i] + c * m) / s);
      }
      to_normal_tails(tails);
      for (std::size_t i = 0; i < n_t; ++i) {
        double outside = 0;
        for (std::size_t j = 0; j < n_y; ++j) outside += density[j] * static_cast<double>(tails[j * n_t + i]);
        const double inside = std::max(1 - outside, 1e-12);
        const double two_fewer = weight[i] * std::exp((m_n - 2) * std::log1p(-std::min(outside, 1 - 1e-12)));
        const double of_m =
            1 - static_cast<double>(tails[n_y * n_t + i]) - static_cast<double>(tails[(n_y + 1) * n_t + i]);
        all_inside[i] = two_fewer * inside;
        all_but_one[i] = two_fewer * std::max(of_m, 0.0);
      }
      const auto integral = [&](double v, const std::array<double, n_t>& others) {
        double sum = 0;
        for (std::size_t i = 0; i < n_t; ++i) sum += others[i] * normal_density((t[i] - v * c) / s);
        return std::max(sum, floor);
      };
      const double stay = std::min(integral(m, all_inside), 1.0);
      const auto log_factor = [&](double v) { return std::log(integral(v, all_but_one) / stay); };
      // The parabola through gaps of 0, 0.4 and 1 times the greatest that matters.
      const double most = std::min(m_has_opposites ? 2 * m : std::min(m, 1.5), 4 * s), w = most / s;
      const double at_0 = log_factor(m), rise_1 = (log_factor(m - 0.4 * most) - at_0) / (0.4 * w);
      const double rise_2 = (log_factor(m - most) - at_0) / w, bend = (rise_2 - rise_1) / (0.6 * w);
      entries[k] = {static_cast<float>(std::log(stay)), static_cast<float>(at_0),
                    static_cast<float>(rise_1 - 0.4 * w * bend), static_cast<float>(bend)};
      if (m_has_opposites) opposites[k] = static_cast<float>(std::log(integral(-m, all_inside) / stay) / (2 * m / s));
      const double simpson = (k == 0 || k == n_maxima - 1 ? 1.0 : k % 2 == 1 ? 4.0 : 2.0) / (3 * m_per_step);
      collision += simpson * stay * 2 * m_n * normal_density(m) * std::pow(1 - 2 * normal_cdf(-m), m_n - 1);
    }
    return std::min(collision, 1.0);
  }

  double m_n = 1;
  bool m_has_opposites = false;
  double m_least = 0, m_per_step = 1;  ///< of the greatest |coordinate|
  std::vector<entry> m_entries;        ///< by distance, then by the greatest |coordinate|
  std::vector<float> m_opposites;      ///< the same: log_opposite / (2 m / s)
  std::array<double, n_distances> m_log_collision{};
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
