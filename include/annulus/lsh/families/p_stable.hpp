#pragma once

/// \file
/// p-stable hashing: the line along a random direction is cut into pieces of one width, and a function is the number of
/// the piece that a row falls on (Datar, Immorlica, Indyk, Mirrokni 2004). Gaussian directions serve L2, Cauchy ones
/// L1.

#include <annulus/core/kernels/norm_checks.hpp>
#include <annulus/core/metric/common_metrics.hpp>
#include <annulus/lsh/families/projections.hpp>
#include <annulus/lsh/neighbor_distance.hpp>
#include <annulus/lsh/probability.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// The distributions of directions: each with its metric, and the name of its family in files.
struct gaussian {
  using metric = euclidean;
  static constexpr std::string_view family_name = "p_stable_l2";
  static constexpr double usual_width = 4;
  static double draw(const counter_random& random, std::uint64_t counter) noexcept { return random.normal(counter); }
  static double collision(double c, double width) noexcept { return gaussian_probability(c, width); }
  static void to_tails(std::span<float> z) noexcept { to_normal_tails(z); }
};
struct cauchy {
  using metric = manhattan;
  static constexpr std::string_view family_name = "p_stable_l1";
  static constexpr double usual_width = 8;
  static double draw(const counter_random& random, std::uint64_t counter) noexcept {
    return std::tan(std::numbers::pi * (random.uniform(counter) - 0.5));
  }
  static double collision(double c, double width) noexcept { return cauchy_probability(c, width); }
  static void to_tails(std::span<float> z) noexcept {
    for (float& x : z) x = 0.5f - std::atan(x) / static_cast<float>(std::numbers::pi);
  }
};

/// A query's values are its places along all lines, in widths: the integer part is the number of the piece, clamped to
/// 32 bits.
template <class T, class Distribution>
class p_stable_hasher {
 public:
  using value_type = T;

  p_stable_hasher(std::size_t dim, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed, double width)
      : m_width(width),
        m_projections(dim, n_projections, n_tables, seed,
                      [width](const counter_random& random, std::uint64_t counter) {
                        return Distribution::draw(random, counter) / width;
                      }),
        m_offsets(m_projections.size()),
        m_factors(n_projections) {
    const counter_random offset(seed, 0x16), factor(seed, 0x17);
    for (std::size_t i = 0; i < m_offsets.size(); ++i) m_offsets[i] = static_cast<T>(offset.uniform(i));
    for (std::size_t i = 0; i < m_factors.size(); ++i) m_factors[i] = factor.bits(i) | 1;
  }

  std::size_t n_tables() const noexcept { return m_projections.n_tables(); }
  std::size_t n_values() const noexcept { return m_projections.size(); }
  std::size_t memory_bytes() const noexcept { return m_projections.memory_bytes() + m_offsets.size() * sizeof(T); }

  void hash(matrix_view<T> points, std::size_t first, std::size_t count, std::size_t first_table, std::size_t n_tables,
            std::uint64_t* keys) const {
    m_projections.of_tables(points.middle_rows(first, count), first_table, n_tables,
                            [&](std::size_t table, T* places, std::size_t i) {
                              const T* const offsets = m_offsets.data() + (first_table + table) * per_table();
                              for (std::size_t j = 0; j < per_table(); ++j) places[j] += offsets[j];
                              keys[table * count + i] = key_of(places);
                            });
  }

  void project(matrix_view<T> points, std::size_t first, std::size_t count, T* values) const noexcept {
    m_projections.all(points.middle_rows(first, count), values);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t j = 0; j < n_values(); ++j) values[i * n_values() + j] += m_offsets[j];
  }

  void keys(const T* values, std::uint64_t* keys) const noexcept {
    for (std::size_t t = 0; t < n_tables(); ++t) keys[t] = key_of(values + t * per_table());
  }

  /// The two neighbouring pieces of each function, scored by the square of the distance to them (Lv et al. 2007).
  void perturb(const T* values, std::size_t table, std::vector<perturbation>& changes) const {
    for (std::size_t i = 0; i < per_table(); ++i) {
      const T place = values[table * per_table() + i];
      const float down = into_piece(place), up = 1 - down;
      const std::int64_t piece = piece_of(place);
      if (piece > static_cast<std::int64_t>(min_piece))
        changes.push_back({down * down, static_cast<std::uint32_t>(i), -m_factors[i]});
      if (piece < static_cast<std::int64_t>(max_piece))
        changes.push_back({up * up, static_cast<std::uint32_t>(i), m_factors[i]});
    }
  }

  /// Along each line, a row at distance c lies away by c times a draw of the distribution.
  double probabilities(const T* values, std::size_t table, double distance, std::span<const perturbation> changes,
                       float* odds) const noexcept {
    const auto per_distance = static_cast<float>(std::min(m_width / distance, 1e30));
    double stay = 1;
    for (std::size_t first = 0; first < per_table(); first += max_at_once) {
      const std::size_t n = std::min(max_at_once, per_table() - first);
      std::array<float, 2 * max_at_once> tails;
      for (std::size_t i = 0; i < n; ++i) {
        const T place = values[table * per_table() + first + i];
        const float down = into_piece(place);
        tails[2 * i] = down * per_distance;
        tails[2 * i + 1] = (1 - down) * per_distance;
      }
      Distribution::to_tails({tails.data(), 2 * n});
      for (std::size_t i = 0; i < n; ++i)
        stay *= static_cast<double>(std::max(1 - tails[2 * i] - tails[2 * i + 1], 1e-30f));
    }
    for (std::size_t first = 0; first < changes.size(); first += max_at_once) {
      const std::size_t n = std::min(max_at_once, changes.size() - first);
      // The distances to the near boundary, to the opposite one, and to the far end of the next piece.
      std::array<float, 3 * max_at_once> tails;
      for (std::size_t j = 0; j < n; ++j) {
        const float way = std::sqrt(changes[first + j].score);
        tails[j] = way * per_distance;
        tails[n + j] = (1 - way) * per_distance;
        tails[2 * n + j] = (1 + way) * per_distance;
      }
      Distribution::to_tails({tails.data(), 3 * n});
      for (std::size_t j = 0; j < n; ++j)
        odds[first + j] = (tails[j] - tails[2 * n + j]) / std::max(1 - tails[j] - tails[n + j], 1e-30f);
    }
    return stay;
  }

  double collision_probability(double distance) const noexcept {
    return std::pow(Distribution::collision(distance, m_width), static_cast<double>(per_table()));
  }

 private:
  static constexpr std::size_t max_at_once = 32;
  static constexpr T min_piece = -0x1p31, max_piece = sizeof(T) == 8 ? T(0x7FFFFFFF) : T(0x7FFFFF80);

  std::size_t per_table() const noexcept { return m_projections.per_table(); }
  /// The number of the piece; 0 for NaN, the sum of infinite products of opposite signs.
  static std::int64_t piece_of(T place) noexcept {
    const T piece = std::floor(place);
    return !is_nan(piece) ? static_cast<std::int64_t>(std::clamp(piece, min_piece, max_piece)) : 0;
  }
  /// The distance to the lower end of the piece, in widths; 0 for a place that is not finite.
  static float into_piece(T place) noexcept {
    const auto down = static_cast<float>(place - std::floor(place));
    return is_at_most(0.0f, down) ? down : 0;
  }
  std::uint64_t key_of(const T* places) const noexcept {
    std::uint64_t key = 0;
    for (std::size_t i = 0; i < per_table(); ++i) key += static_cast<std::uint64_t>(piece_of(places[i])) * m_factors[i];
    return key;
  }

  double m_width;
  projections<T> m_projections;
  std::vector<T> m_offsets;
  std::vector<std::uint64_t> m_factors;  ///< odd: equal sums of unequal pieces have probability 2^-32 or less
};

/// \throws std::invalid_argument for a width that is not above 0.
inline double checked_width(double width) {
  if (!(is_number(width) && width > 0 && width < std::numeric_limits<double>::infinity()))
    invalid("width", width, "must be a finite number above 0, or 0 for an index to take it from its rows");
  return width;
}

/// Returns `width` where it is not 0; 0 where there are no rows; else `widths` times the distance of the neighbours.
template <class Metric, class T>
double fitted_width(double width, double widths, matrix_view<T> data, const thread_team& team, std::uint64_t seed) {
  if (width != 0) return checked_width(width);
  if (data.rows() == 0) return 0;
  using limits = std::numeric_limits<double>;
  return std::clamp(widths * neighbor_distance<Metric>(data, team, seed), limits::min(), limits::max());
}

}  // namespace detail

/// p-stable hashing of float and double rows; Distribution determines the metric. Use it as p_stable_l2 or p_stable_l1.
template <class Distribution>
struct p_stable {
  using metric = typename Distribution::metric;                        ///< of the index
  static constexpr std::string_view name = Distribution::family_name;  ///< in files
  /// A good width, in distances of the neighbours that matter.
  static constexpr double usual_width = Distribution::usual_width;
  /// The width of a piece, in the unit of the data. 0: usual_width times the distance of a row to its tenth neighbour,
  /// estimated from a sample of the data, or of the first rows inserted.
  double width = 0;

  /// Names `width` for files. \param self the family \param archive as storage/archive.hpp has it
  /// \throws annulus::format_error while loading.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("width", self.width);
  }

  /// The probability that one function agrees on two rows. \param distance theirs; where the width is still 0, in units
  /// of that of the neighbours \returns from 0 to 1.
  double collision_probability(double distance) const noexcept {
    return Distribution::collision(distance, needs_rows() ? usual_width : width);
  }

  /// \returns whether the width is yet to be taken from rows.
  bool needs_rows() const noexcept { return width == 0; }

  /// Takes the width from data, where it is 0 and there are rows; the same for every number of threads. For equal rows,
  /// or a single one, the greatest coordinate stands for the distance. O(256 min(n, 4096) d). \param data n x d
  /// \param params see there \returns the family with its width \throws std::invalid_argument for a width that is
  /// negative or not finite.
  template <class T>
  p_stable fitted(matrix_view<T> data, const fit_params& params = {}) const {
    return {detail::fitted_width<metric>(width, usual_width, data, params.threads, params.seed)};
  }

  /// Draws hash functions. \param dim coordinates of a row \param n_projections functions a table \param n_tables
  /// tables \param seed of the draw \returns the functions of all tables \throws std::invalid_argument for a width that
  /// is not above 0.
  template <detail::projectable Points>
  auto make_hasher(std::size_t dim, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed) const {
    return detail::p_stable_hasher<typename Points::value_type, Distribution>(dim, n_projections, n_tables, seed,
                                                                              detail::checked_width(width));
  }
};

/// Euclidean distance, by Gaussian directions.
using p_stable_l2 = p_stable<detail::gaussian>;
/// Manhattan distance, by Cauchy directions.
using p_stable_l1 = p_stable<detail::cauchy>;

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
