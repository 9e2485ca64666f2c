#pragma once

/// \file
/// Cross-polytope hashing: a function is the vertex of a randomly rotated cross-polytope that is nearest to the row:
/// the coordinate of greatest magnitude, and its sign (Andoni, Indyk, Laarhoven, Razenshteyn, Schmidt 2015). Buckets
/// are rounder than those of hyperplanes, so that fewer far rows share them for the same number of near ones.

#include <annulus/core/kernels/hadamard.hpp>
#include <annulus/core/metric/common_metrics.hpp>
#include <annulus/core/simd/elementary.hpp>
#include <annulus/lsh/families/cross_polytope_probability.hpp>
#include <annulus/lsh/families/cross_polytope_vertices.hpp>
#include <annulus/lsh/family.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// The polytopes of a table: each has 2^full_bits vertices, the last one 2^last_bits where bits are left over.
struct polytope_sizes {
  std::size_t padded = least_transform;  ///< the size of a rotation
  std::size_t full_bits = 5, count = 1, last_bits = 5;

  /// \throws std::invalid_argument for a dim of 0 or above 2^23, n_projections of 0 or above 64.
  polytope_sizes(std::size_t dim, std::size_t n_projections) {
    if (dim == 0 || dim > std::size_t{1} << 23) invalid("dim", dim, "must be from 1 to 2^23");
    if (n_projections == 0 || n_projections > 64)
      invalid("n_projections", n_projections, "must be from 1 to 64, the bits of a key");
    padded = std::max(least_transform, std::bit_ceil(dim));
    full_bits = static_cast<std::size_t>(std::bit_width(padded));
    count = (n_projections + full_bits - 1) / full_bits;
    last_bits = n_projections - (count - 1) * full_bits;
  }

  std::size_t bits(std::size_t p) const noexcept { return p + 1 < count ? full_bits : last_bits; }
  std::size_t coordinates(std::size_t p) const noexcept { return std::size_t{1} << (bits(p) - 1); }
  std::size_t n_coordinates() const noexcept { return (count - 1) * padded + coordinates(count - 1); }
};

/// A query's values: for each table, the rotated coordinates of all its polytopes, standard normals in distribution;
/// then, for each table and polytope, the greatest magnitude and the number of the vertex; then scratch.
template <class T>
class cross_polytope_hasher {
 public:
  using value_type = float;

  /// \throws std::invalid_argument as polytope_sizes does.
  cross_polytope_hasher(std::size_t dim, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed,
                        std::size_t n_rotations)
      : m_sizes(dim, n_projections),
        m_dim(dim),
        m_n_tables(n_tables),
        m_scale(std::pow(static_cast<double>(m_sizes.padded), 0.5 - 0.5 * static_cast<double>(n_rotations))),
        m_rotations(m_sizes.padded, n_rotations, checked_product(n_tables, m_sizes.count, "n_tables"), seed) {
    checked_product(m_sizes.n_coordinates() + 2 * m_sizes.count, 2 * sizeof(float) * n_tables, "n_tables * dim");
    m_kinds.emplace_back(m_sizes.coordinates(0));
    if (m_sizes.last_bits < m_sizes.bits(0)) m_kinds.emplace_back(m_sizes.coordinates(m_sizes.count - 1));
  }

  std::size_t n_tables() const noexcept { return m_n_tables; }
  std::size_t n_values() const noexcept { return first_vertex() + 2 * m_n_tables * m_sizes.count + 2 * m_sizes.padded; }
  std::size_t memory_bytes() const noexcept {
    std::size_t bytes = m_rotations.memory_bytes();
    for (const polytope_kind& kind : m_kinds) bytes += kind.probabilities.memory_bytes();
    return bytes;
  }

  void hash(matrix_view<T> points, std::size_t first, std::size_t count, std::size_t first_table, std::size_t n_tables,
            std::uint64_t* keys) const {
    constexpr std::size_t block = 32;  // rows that stay in cache for all rotations
    const std::size_t d = m_sizes.padded;
    aligned_vector<float> work((std::min(block, count) + 1) * d);
    float* const rotated = work.data() + work.size() - d;
    for (std::size_t begin = 0; begin < count; begin += block) {
      const std::size_t end = std::min(begin + block, count);
      for (std::size_t i = begin; i < end; ++i) prepare(points.row(first + i).data(), work.data() + (i - begin) * d);
      for (std::size_t t = 0; t < n_tables; ++t) {
        std::fill(keys + t * count + begin, keys + t * count + end, 0);
        for (std::size_t p = 0; p < m_sizes.count; ++p)
          for (std::size_t i = begin; i < end; ++i) {
            m_rotations.apply((first_table + t) * m_sizes.count + p, work.data() + (i - begin) * d, rotated);
            keys[t * count + i] |= field(p, find_nearest_vertex(rotated, m_sizes.coordinates(p)).number);
          }
      }
    }
  }

  void project(matrix_view<T> points, std::size_t first, std::size_t count, float* values) const noexcept {
    for (std::size_t i = 0; i < count; ++i, values += n_values()) {
      float* const prepared = values + n_values() - 2 * m_sizes.padded;
      float* const rotated = prepared + m_sizes.padded;
      prepare(points.row(first + i).data(), prepared);
      std::fill_n(rotated, m_sizes.padded, 0.0f);
      float *to = values, *vertex = values + first_vertex();
      for (std::size_t t = 0; t < m_n_tables; ++t)
        for (std::size_t p = 0; p < m_sizes.count; ++p, vertex += 2) {
          const std::size_t n = m_sizes.coordinates(p);
          const bool is_full = n == m_sizes.padded;
          m_rotations.apply(t * m_sizes.count + p, prepared, is_full ? to : rotated);
          if (!is_full) std::copy_n(rotated, n, to);
          const nearest_vertex nearest = find_nearest_vertex(to, n);
          vertex[0] = nearest.most;
          vertex[1] = static_cast<float>(nearest.number);
          to += n;
        }
    }
  }

  void keys(const float* values, std::uint64_t* keys) const noexcept {
    for (std::size_t t = 0; t < m_n_tables; ++t) {
      keys[t] = 0;
      for (std::size_t p = 0; p < m_sizes.count; ++p) keys[t] |= field(p, vertex_of(values, t, p).number);
    }
  }

  /// Rows of zeros are hashed to the first vertex of each polytope.
  std::uint64_t zero_key() const noexcept { return 0; }
  double zero_distance(const float*) const noexcept { return 1; }

  /// Appends changes to the next vertices of each polytope, scored by the squared difference of their coordinate to the
  /// greatest (Andoni et al. 2015): all of them for up to 32 coordinates, else the nearest min_changes to max_changes.
  /// Vertices opposite to the query are included for polytopes of 4 coordinates or fewer.
  void perturb(const float* values, std::size_t table, std::vector<perturbation>& changes) const {
    const float* y = values + table * m_sizes.n_coordinates();
    for (std::size_t p = 0; p < m_sizes.count; y += m_sizes.coordinates(p), ++p) {
      const nearest_vertex own = vertex_of(values, table, p);
      const auto add = [&](std::size_t number, float along) {
        const float behind = own.most - along;
        changes.push_back({behind * behind, static_cast<std::uint32_t>(p), field(p, number) - field(p, own.number)});
      };
      const std::size_t n = m_sizes.coordinates(p);
      if (n <= max_changes) {
        for (std::size_t j = 0; j < n; ++j) {
          const std::size_t number = 2 * j + (y[j] < 0);
          if (number != own.number) add(number, std::abs(y[j]));
          if (n <= vertex_probabilities::max_with_opposites) add(number ^ 1, -std::abs(y[j]));
        }
      } else {
        near_vertices near;
        near.find(y, n, own, kind_of(p).cut);
        for (std::size_t i = 0; i < near.count; ++i) {
          const std::uint32_t j = near.positions[i];
          if (j != own.number / 2) add(2 * j + (y[j] < 0), near.magnitudes[i]);
        }
      }
    }
  }

  /// Computed for Gaussian rotations, given the greatest magnitude of each polytope.
  double probabilities(const float* values, std::size_t table, double distance, std::span<const perturbation> changes,
                       float* odds) const noexcept {
    const vertex_angle angle(distance);
    std::array<vertex_law, 13> laws;  // at most: 64 bits, 5 or more a polytope
    double log_stay = 0;
    for (std::size_t p = 0; p < m_sizes.count; ++p) {
      laws[p] = kind_of(p).probabilities.law(angle, vertex_of(values, table, p).most);
      log_stay += static_cast<double>(laws[p].log_stay);
    }
    for (std::size_t j = 0; j < changes.size(); ++j) odds[j] = laws[changes[j].projection].log_factor(changes[j].score);
    if (const std::size_t last = m_sizes.count - 1; kind_of(last).probabilities.has_opposites()) {
      const float most = vertex_of(values, table, last).most, opposite_score = 3.9999f * most * most;
      for (std::size_t j = 0; j < changes.size(); ++j)
        if (changes[j].projection == last && changes[j].score >= opposite_score) odds[j] = laws[last].log_opposite;
    }
    constexpr std::size_t width = simd::lanes<float>;
    for (std::size_t j = 0; j < changes.size(); j += width) {
      const std::size_t n = std::min(width, changes.size() - j);
      alignas(64) float factor[width];
      simd::exp(n == width ? simd::load(odds + j) : simd::load_partial(odds + j, n)).store_aligned(factor);
      std::copy_n(factor, n, odds + j);
    }
    return std::exp(log_stay);
  }

  double collision_probability(double distance) const noexcept {
    return std::pow(m_kinds.front().probabilities.collision(distance), static_cast<double>(m_sizes.count - 1)) *
           m_kinds.back().probabilities.collision(distance);
  }

 private:
  struct polytope_kind {
    vertex_probabilities probabilities;
    float cut;  ///< exceeded by about 20 magnitudes
    explicit polytope_kind(std::size_t n)
        : probabilities(n), cut(static_cast<float>(half_normal_quantile(std::min(1.0, 20 / static_cast<double>(n))))) {}
  };

  /// Writes the row at length m_scale, which rotations turn into standard normals, padded with zeros; all zeros for a
  /// row that is zero or not finite.
  void prepare(const T* row, float* to) const noexcept {
    double peak = 0;
    for (std::size_t i = 0; i < m_dim; ++i) peak = std::max(peak, std::abs(static_cast<double>(row[i])));
    std::array<double, 8> sums{};  // independent chains of additions, in the same order in every build
    for (std::size_t i = 0; i < m_dim; ++i) {
      const double x = static_cast<double>(row[i]) / peak;
      sums[i % sums.size()] += x * x;
    }
    double square = 0;
    for (const double sum : sums) square += sum;
    const bool has_direction = square > 0 && is_finite(square);
    const double scale = m_scale / std::sqrt(square);
    for (std::size_t i = 0; i < m_dim; ++i)
      to[i] = has_direction ? static_cast<float>(static_cast<double>(row[i]) / peak * scale) : 0.0f;
    std::fill(to + m_dim, to + m_sizes.padded, 0.0f);
  }

  std::uint64_t field(std::size_t p, std::size_t vertex) const noexcept {
    return std::uint64_t{vertex} << (p * m_sizes.full_bits);
  }
  const polytope_kind& kind_of(std::size_t p) const noexcept {
    return p + 1 < m_sizes.count ? m_kinds.front() : m_kinds.back();
  }
  std::size_t first_vertex() const noexcept { return m_n_tables * m_sizes.n_coordinates(); }
  nearest_vertex vertex_of(const float* values, std::size_t table, std::size_t p) const noexcept {
    const float* const v = values + first_vertex() + 2 * (table * m_sizes.count + p);
    return {v[0], static_cast<std::uint32_t>(v[1])};
  }

  polytope_sizes m_sizes;
  std::size_t m_dim, m_n_tables;
  double m_scale;  ///< the length of a prepared row
  hadamard_rotations m_rotations;
  std::vector<polytope_kind> m_kinds;  ///< of the first polytope and, where it is smaller, of the last
};

}  // namespace detail

/// Cosine distance, by cross-polytopes. Float and double rows; double ones are hashed as floats once their length is 1.
///
/// `n_projections` counts the bits of a key, 1 to 64: with D the dimension rounded up to a power of two, at least 16, a
/// polytope has 2 D vertices and takes log2(2 D) bits. Bits left over go to a last polytope, of the first 2^(bits - 1)
/// rotated coordinates.
struct cross_polytope {
  using metric = cosine;                                      ///< of the index
  static constexpr std::string_view name = "cross_polytope";  ///< in files
  /// Rounds of flips and transforms in a rotation, 1 to 8. Two rounds take a third less time, but collision
  /// probabilities deviate from those predicted; one round deviates grossly, unless rows have no structure.
  std::size_t n_rotations = 3;

  /// Names `n_rotations` for files. \param self the family \param archive as storage/archive.hpp has it
  /// \throws annulus::format_error while loading.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("n_rotations", self.n_rotations);
  }

  /// The probability of one whole polytope under Gaussian rotations. O(1), a tenth of a millisecond. \param distance
  /// cosine distance, 0 to 2 \param dim coordinates of a row \returns from 0 to 1.
  double collision_probability(double distance, std::size_t dim) const noexcept {
    return detail::vertex_probabilities::collision(std::max(detail::least_transform, std::bit_ceil(dim)), distance);
  }

  /// Draws hash functions. \param dim coordinates of a row, 1 to 2^23 \param n_projections bits of a key
  /// \param n_tables tables \param seed of the draw \returns the functions of all tables \throws std::invalid_argument
  /// for an n_rotations, n_projections or dim out of range.
  template <detail::projectable Points>
  auto make_hasher(std::size_t dim, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed) const {
    if (n_rotations == 0 || n_rotations > 8) detail::invalid("n_rotations", n_rotations, "must be from 1 to 8");
    return detail::cross_polytope_hasher<typename Points::value_type>(dim, n_projections, n_tables, seed, n_rotations);
  }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
