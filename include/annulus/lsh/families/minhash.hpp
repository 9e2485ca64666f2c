#pragma once

/// \file
/// Min-wise hashing: a function is a random order of all possible members, and its value the first member of the set in
/// that order (Broder 1997). Two sets have the same value with the probability of their Jaccard similarity.

#include <annulus/core/base/random.hpp>
#include <annulus/core/metric/set_metrics.hpp>
#include <annulus/lsh/family.hpp>

#include <algorithm>
#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// Random orders of all 32-bit members: each a bijection of 32 bits, so that equal least hashes are equal members.
class random_orders {
 public:
  random_orders() = default;
  random_orders(std::size_t count, std::uint64_t seed)
      : m_count(count), m_turns(count + block), m_factors(count + block) {
    const counter_random random(seed, 0x18);
    for (std::size_t i = 0; i < count; ++i) {
      m_turns[i] = static_cast<std::uint32_t>(random.bits(i));
      m_factors[i] = static_cast<std::uint32_t>(random.bits(i) >> 32) | 1;
    }
  }

  std::size_t size() const noexcept { return m_count; }
  std::size_t memory_bytes() const noexcept { return 2 * m_turns.size() * sizeof(std::uint32_t); }

  /// Stands for the least hash of an empty set.
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  /// least[i - first] = the least hash of the members in order i, for first <= i < last; and `second` the one after it,
  /// unless null.
  void least(std::span<const std::int32_t> members, std::size_t first, std::size_t last, std::uint32_t* least,
             std::uint32_t* second) const noexcept {
    for (std::size_t i = first; i < last; i += block) {
      const std::size_t n = std::min(block, last - i);
      alignas(64) std::uint32_t found[2][block];
      std::fill_n(found[0], 2 * block, none);
      for (std::size_t m = 0; m < members.size(); m += max_at_once) {
        const auto part = members.subspan(m, std::min(max_at_once, members.size() - m));
        if (second != nullptr) of_block<true>(part, i, found);
        else of_block<false>(part, i, found);
      }
      std::copy_n(found[0], n, least + (i - first));
      if (second != nullptr) std::copy_n(found[1], n, second + (i - first));
    }
  }

 private:
  using batch = simd::batch<std::uint32_t>;
  static constexpr std::size_t width = simd::lanes<std::uint32_t>;
  static constexpr std::size_t vectors = width == 16 ? 4 : 2;  // the most that leave registers for their parameters
  static constexpr std::size_t block = vectors * width, max_at_once = 128;

  /// The finaliser of MurmurHash3 (Appleby), a bijection: consecutive members get unlike hashes.
  static batch mixed(batch x) noexcept {
    x = (x ^ (x >> 16)) * batch(0x85EBCA6B);
    x = (x ^ (x >> 13)) * batch(0xC2B2AE35);
    return x ^ (x >> 16);
  }

  template <bool WithSecond>
  void of_block(std::span<const std::int32_t> members, std::size_t first,
                std::uint32_t (&found)[2][block]) const noexcept {
    alignas(64) std::uint32_t hashes[max_at_once] = {};
    std::transform(members.begin(), members.end(), hashes,
                   [](std::int32_t m) { return static_cast<std::uint32_t>(m); });
    for (std::size_t m = 0; m < members.size(); m += width) mixed(simd::load(hashes + m)).store_aligned(hashes + m);

    batch turn[vectors], factor[vectors], least[vectors], second[vectors];
    simd::unroll<vectors>([&](auto v) {
      const std::size_t i = first + v * width;
      turn[v] = simd::load(m_turns.data() + i);
      factor[v] = simd::load(m_factors.data() + i);
      least[v] = simd::load(found[0] + v * width);
      if constexpr (WithSecond) second[v] = simd::load(found[1] + v * width);
    });
    for (std::size_t m = 0; m < members.size(); ++m) {
      const batch member(hashes[m]);
      simd::unroll<vectors>([&](auto v) {
        const batch x = (member ^ turn[v]) * factor[v];
        if constexpr (WithSecond) second[v] = xsimd::min(second[v], xsimd::max(least[v], x));
        least[v] = xsimd::min(least[v], x);
      });
    }
    simd::unroll<vectors>([&](auto v) {
      least[v].store_aligned(found[0] + v * width);
      if constexpr (WithSecond) second[v].store_aligned(found[1] + v * width);
    });
  }

  std::size_t m_count = 0;
  aligned_vector<std::uint32_t> m_turns, m_factors;  ///< a block longer than m_count
};

/// A query's values: of each function its least hash, then of each its second-least one, then the number of members
/// of the set. Rows of Points are sparse.
template <class Points>
class minhash_hasher {
 public:
  using value_type = std::uint32_t;

  minhash_hasher(std::size_t n_projections, std::size_t n_tables, std::uint64_t seed)
      : m_n_tables(n_tables),
        m_orders(checked_product(n_projections, n_tables, "n_projections * n_tables"), seed),
        m_factors(n_projections) {
    const counter_random factor(seed, 0x17);
    for (std::size_t i = 0; i < n_projections; ++i) m_factors[i] = factor.bits(i) | 1;
  }

  std::size_t n_tables() const noexcept { return m_n_tables; }
  std::size_t n_values() const noexcept { return 2 * m_orders.size() + 1; }
  std::size_t memory_bytes() const noexcept { return m_orders.memory_bytes(); }

  void hash(const Points& points, std::size_t first, std::size_t count, std::size_t first_table, std::size_t n_tables,
            std::uint64_t* keys) const {
    std::vector<std::uint32_t> least(n_tables * per_table());
    for (std::size_t j = 0; j < count; ++j) {
      const auto row = points.row(first + j);
      m_orders.least(row.indices, first_table * per_table(), (first_table + n_tables) * per_table(), least.data(),
                     nullptr);
      for (std::size_t t = 0; t < n_tables; ++t) keys[t * count + j] = key_of(least.data() + t * per_table());
    }
  }

  void project(const Points& points, std::size_t first, std::size_t count, std::uint32_t* values) const noexcept {
    for (std::size_t j = 0; j < count; ++j, values += n_values()) {
      const auto row = points.row(first + j);
      m_orders.least(row.indices, 0, m_orders.size(), values, values + m_orders.size());
      values[2 * m_orders.size()] = static_cast<std::uint32_t>(row.indices.size());
    }
  }

  void keys(const std::uint32_t* values, std::uint64_t* keys) const noexcept {
    for (std::size_t t = 0; t < n_tables(); ++t) keys[t] = key_of(values + t * per_table());
  }

  /// Appends the change of each function to its second-least hash, the only other one among the query's values. No
  /// function is nearer to its change than another: all score 1.
  void perturb(const std::uint32_t* values, std::size_t table, std::vector<perturbation>& changes) const {
    for (std::size_t i = 0; i < per_table(); ++i) {
      const std::uint64_t least = values[table * per_table() + i];
      const std::uint64_t second = values[m_orders.size() + table * per_table() + i];
      if (second != random_orders::none)
        changes.push_back({1, static_cast<std::uint32_t>(i), (second - least) * m_factors[i]});
    }
  }

  /// For a query a and a neighbour b of the same size. b stays if the first member of the union is common to both:
  /// probability J. b's least hash is a's second one if the first member is in a alone, (1 - J) / 2, and the second
  /// one, of |union| - 1, is among the J |union| common ones. With |union| = 2 |a| / (1 + J) that is J times (1 - J)
  /// |a| / (2 |a| - 1 - J).
  double probabilities(const std::uint32_t* values, std::size_t, double distance, std::span<const perturbation> changes,
                       float* odds) const noexcept {
    const double similarity = std::clamp(1 - distance, 0.0, 1.0), members = values[2 * m_orders.size()];
    const double other = (1 - similarity) * members / std::max(2 * members - 1 - similarity, 1.0);
    std::fill_n(odds, changes.size(), static_cast<float>(other));
    return collision_probability(distance);
  }

  double collision_probability(double distance) const noexcept {
    return std::pow(std::clamp(1 - distance, 0.0, 1.0), static_cast<double>(per_table()));
  }

 private:
  std::size_t per_table() const noexcept { return m_factors.size(); }
  std::uint64_t key_of(const std::uint32_t* least) const noexcept {
    std::uint64_t key = 0;
    for (std::size_t i = 0; i < per_table(); ++i) key += least[i] * m_factors[i];
    return key;
  }

  std::size_t m_n_tables = 0;
  random_orders m_orders;
  std::vector<std::uint64_t> m_factors;  ///< odd: equal sums of unequal hashes have probability 2^-32 or less
};

}  // namespace detail

/// Jaccard distance of sparse rows as sets of their indices, by min-wise hashing. Rows of any values (csr_view<T>).
/// Empty sets share a bucket of their own. A row costs O(members * n_projections * n_tables).
struct minhash {
  using metric = jaccard;                              ///< of the index
  static constexpr std::string_view name = "minhash";  ///< in files

  /// The probability that one function agrees. \param distance of Jaccard, 0 to 1 \returns 1 - distance.
  double collision_probability(double distance) const noexcept { return std::clamp(1 - distance, 0.0, 1.0); }

  /// Draws hash functions, for rows of any dimension. \param n_projections functions a table \param n_tables tables
  /// \param seed of the draw \returns the functions of all tables \throws std::invalid_argument for more functions than
  /// can be counted.
  template <class Points>
    requires detail::is_sparse_row<row_t<Points>>
  auto make_hasher(std::size_t, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed) const {
    return detail::minhash_hasher<Points>(n_projections, n_tables, seed);
  }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
