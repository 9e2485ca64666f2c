#pragma once

/// \file
/// Sign random projections: each bit of a key tells on which side of a random hyperplane a row lies (Charikar 2002).

#include <annulus/core/kernels/norm_checks.hpp>
#include <annulus/core/metric/common_metrics.hpp>
#include <annulus/core/simd/masks.hpp>
#include <annulus/lsh/families/projections.hpp>
#include <annulus/lsh/probability.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// Hyperplanes for all tables. `products` are those of a query, scaled to length 1 (unless it is 0), with their
/// normals. Distances are cosine distances, between 0 and 2.
template <class T>
class hyperplanes {
 public:
  /// \throws std::invalid_argument for n_projections > 64.
  hyperplanes(std::size_t dim, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed)
      : m_normals(dim, checked(n_projections), n_tables, seed,
                  [](const counter_random& random, std::uint64_t counter) { return random.normal(counter); }) {}

  const projections<T>& normals() const noexcept { return m_normals; }
  std::size_t per_table() const noexcept { return m_normals.per_table(); }

  /// The key of one table's products.
  std::uint64_t key(const T* products) const noexcept { return simd::sign_bits(products, per_table()); }

  void keys(const T* products, std::uint64_t* keys) const noexcept {
    for (std::size_t t = 0; t < m_normals.n_tables(); ++t) keys[t] = key(products + t * per_table());
  }

  void perturb(const T* products, std::size_t table, std::vector<perturbation>& changes) const {
    const T* const t = products + table * per_table();
    const std::size_t begin = changes.size();
    changes.resize(begin + per_table());
    for (std::size_t i = 0; i < per_table(); ++i) {
      const auto margin = static_cast<float>(t[i]);
      const std::uint64_t bit = std::uint64_t{1} << i,
                          minus = -std::uint64_t{t[i] >= 0};  // without a branch, which would be mispredicted
      changes[begin + i] = {margin * margin, static_cast<std::uint32_t>(i), (bit ^ minus) - minus};
    }
  }

  /// A bit differs with probability P(normal > |t| cot angle), t being the query's product (Lv et al. 2007 have it for
  /// Euclidean distances).
  double probabilities(const T* products, std::size_t table, double distance, std::span<const perturbation> changes,
                       float* odds) const noexcept {
    distance = std::clamp(distance, 0.0, 2.0);
    const double squared_sine = std::max(distance * (2 - distance), 1e-12);
    const auto cot = static_cast<float>((1 - distance) / detail::sqrt(squared_sine));
    std::array<float, 64> tails{};
    const T* const t = products + table * per_table();
    for (std::size_t i = 0; i < per_table(); ++i) tails[i] = std::abs(static_cast<float>(t[i])) * cot;
    to_normal_tails({tails.data(), per_table()});
    for (std::size_t i = 0; i < per_table(); ++i)  // below 1, so that odds are finite
      tails[i] = std::min(tails[i], 1 - std::numeric_limits<float>::epsilon());
    std::array<double, 4> stays{1, 1, 1, 1};  // four chains of products
    for (std::size_t i = 0; i < per_table(); i += 4)
      for (std::size_t j = 0; j < 4; ++j) stays[j] *= 1 - static_cast<double>(tails[i + j]);
    const double stay = stays[0] * stays[1] * (stays[2] * stays[3]);
    for (float& p : tails) p /= 1 - p;
    for (std::size_t j = 0; j < changes.size(); ++j) odds[j] = tails[changes[j].projection];
    return stay;
  }

  double collision_probability(double distance) const noexcept {
    return std::pow(hyperplane_probability(angle_of(distance)), static_cast<double>(per_table()));
  }

 private:
  static std::size_t checked(std::size_t n_projections) {
    if (n_projections > 64) invalid("n_projections", n_projections, "must be at most 64, the bits of a key");
    return n_projections;
  }

  projections<T> m_normals;
};

/// products[0] to products[n] divided by the norm of the row, unless that is 0; returns the norm.
template <class T>
T to_unit_length(std::span<const T> row, T* products, std::size_t n) noexcept {
  using limits = std::numeric_limits<T>;
  const T squares = one_to_one<kernels::inner_product>(row.data(), row.data(), row.size());
  if (squares >= limits::min() && squares <= limits::max()) {
    const T norm = detail::sqrt(squares);
    for (std::size_t i = 0; i < n; ++i) products[i] /= norm;
    return norm;
  }
  // The squares leave the range of T: scale the row first.
  T scale = 0, sum = 0;
  for (const T x : row) scale = std::max(scale, std::abs(x));
  if (!(scale > 0 && scale <= limits::max())) return scale;
  for (const T x : row) sum += x / scale * (x / scale);
  for (std::size_t i = 0; i < n; ++i) {
    const T product = products[i] / scale / detail::sqrt(sum);
    // NaN, from infinite terms of both signs, becomes the least number of the sign that sign_bits gives it.
    products[i] = !is_nan(product) ? std::clamp(product, limits::lowest(), limits::max()) : -limits::min();
  }
  return scale * detail::sqrt(sum);
}

/// A query's values are its products with all normals.
template <class T>
class hyperplane_hasher {
 public:
  using value_type = T;

  hyperplane_hasher(std::size_t dim, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed)
      : m_planes(dim, n_projections, n_tables, seed) {}

  std::size_t n_tables() const noexcept { return m_planes.normals().n_tables(); }
  std::size_t n_values() const noexcept { return m_planes.normals().size(); }
  std::size_t memory_bytes() const noexcept { return m_planes.normals().memory_bytes(); }

  void hash(matrix_view<T> points, std::size_t first, std::size_t count, std::size_t first_table, std::size_t n_tables,
            std::uint64_t* keys) const {
    m_planes.normals().of_tables(
        points.middle_rows(first, count), first_table, n_tables,
        [&](std::size_t table, const T* products, std::size_t i) { keys[table * count + i] = m_planes.key(products); });
  }

  void project(matrix_view<T> points, std::size_t first, std::size_t count, T* values) const noexcept {
    m_planes.normals().all(points.middle_rows(first, count), values);
    for (std::size_t i = 0; i < count; ++i) to_unit_length(points.row(first + i), values + i * n_values(), n_values());
  }

  void keys(const T* values, std::uint64_t* keys) const noexcept { m_planes.keys(values, keys); }

  /// Products that are 0 are on the upper side.
  std::uint64_t zero_key() const noexcept { return ~std::uint64_t{0} >> (64 - m_planes.per_table()); }
  double zero_distance(const T*) const noexcept { return 1; }

  void perturb(const T* values, std::size_t table, std::vector<perturbation>& changes) const {
    m_planes.perturb(values, table, changes);
  }

  double probabilities(const T* values, std::size_t table, double distance, std::span<const perturbation> changes,
                       float* odds) const noexcept {
    return m_planes.probabilities(values, table, distance, changes, odds);
  }

  double collision_probability(double distance) const noexcept { return m_planes.collision_probability(distance); }

 private:
  hyperplanes<T> m_planes;
};

}  // namespace detail

/// Cosine distance, by signs. Float and double rows; at most 64 projections a table.
struct sign_random_projection {
  using metric = cosine;                                              ///< of the index
  static constexpr std::string_view name = "sign_random_projection";  ///< in files

  /// The probability that one bit agrees. \param distance cosine distance, 0 to 2 \returns 1 - angle / pi.
  double collision_probability(double distance) const noexcept { return hyperplane_probability(angle_of(distance)); }

  /// Draws hyperplanes. \param dim coordinates of a row \param n_projections bits of a key, at most 64 \param n_tables
  /// tables \param seed of the draw \returns the functions of all tables \throws std::invalid_argument for
  /// n_projections > 64.
  template <detail::projectable Points>
  auto make_hasher(std::size_t dim, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed) const {
    return detail::hyperplane_hasher<typename Points::value_type>(dim, n_projections, n_tables, seed);
  }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
