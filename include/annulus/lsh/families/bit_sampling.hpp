#pragma once

/// \file
/// Bit sampling: each function is one random bit of the row (Indyk, Motwani 1998).

#include <annulus/core/base/random.hpp>
#include <annulus/core/metric/common_metrics.hpp>
#include <annulus/core/rows/bit_matrix.hpp>
#include <annulus/lsh/family.hpp>

#include <algorithm>
#include <numeric>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// A query's values are its keys. A table samples min(n_projections, bits) bits of the row, none twice.
class bit_hasher {
 public:
  using value_type = std::uint64_t;

  bit_hasher(std::size_t n_bits, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed)
      : m_n_bits(n_bits), m_n_tables(n_tables), m_per_table(std::min(n_projections, n_bits)) {
    if (n_projections > 64) invalid("n_projections", n_projections, "must be at most 64, the bits of a key");
    if (n_bits > std::size_t{1} << 32) invalid("bits", n_bits, "must be at most 2^32");
    const std::size_t size = checked_product(padded(), n_tables, "n_projections * n_tables");
    m_bytes.resize(size);
    m_masks.resize(size);
    const counter_random random(seed, 0x1A);
    std::vector<std::size_t> bits(n_bits);
    std::iota(bits.begin(), bits.end(), std::size_t{0});
    for (std::size_t t = 0; t < n_tables; ++t) {
      // The first steps of a shuffle; the order that the last table left the bits in does not matter.
      for (std::size_t i = 0; i < m_per_table; ++i) {
        std::swap(bits[i], bits[i + random.below(64 * t + i, n_bits - i)]);
        m_bytes[t * padded() + i] = static_cast<std::uint32_t>(bits[i] / 8);
        m_masks[t * padded() + i] = static_cast<std::uint8_t>(1u << bits[i] % 8);
      }
    }
  }

  std::size_t n_tables() const noexcept { return m_n_tables; }
  std::size_t n_values() const noexcept { return m_n_tables; }
  std::size_t memory_bytes() const noexcept { return m_bytes.size() * (sizeof(std::uint32_t) + 1); }

  void hash(matrix_view<std::uint8_t> points, std::size_t first, std::size_t count, std::size_t first_table,
            std::size_t n_tables, std::uint64_t* keys) const noexcept {
    for (std::size_t j = 0; j < count; ++j)
      keys_of(points.row(first + j).data(), first_table, n_tables, keys + j, count);
  }

  void project(matrix_view<std::uint8_t> points, std::size_t first, std::size_t count,
               std::uint64_t* values) const noexcept {
    for (std::size_t j = 0; j < count; ++j)
      keys_of(points.row(first + j).data(), 0, m_n_tables, values + j * m_n_tables, 1);
  }

  void keys(const std::uint64_t* values, std::uint64_t* keys) const noexcept { std::copy_n(values, m_n_tables, keys); }

  /// Appends the flip of each bit. No bit is nearer to flipping than another: all score 1.
  void perturb(const std::uint64_t* values, std::size_t table, std::vector<perturbation>& changes) const {
    for (std::size_t i = 0; i < m_per_table; ++i) {
      const std::uint64_t bit = std::uint64_t{1} << i;
      changes.push_back({1, static_cast<std::uint32_t>(i), (values[table] & bit) != 0 ? -bit : bit});
    }
  }

  /// Exact for staying and for one flip; joint_factor makes it exact for several flips.
  double probabilities(const std::uint64_t*, std::size_t, double distance, std::span<const perturbation> changes,
                       float* odds) const noexcept {
    // At least 1e-9, as odds are divided by it; it is 0 where the other bits are too few to hold all differences.
    const double stay = std::max(collision_probability(distance), 1e-9);
    const double flip = distance * agreement(distance, 1) / static_cast<double>(m_n_bits);
    std::fill_n(odds, changes.size(), static_cast<float>(flip / stay));
    return stay;
  }

  /// Bits drawn without repetition do not differ independently: of the c that differ, c - f are left after f flips. The
  /// exact odds of f flips, divided by the f-th power of the odds of one flip.
  double joint_factor(double distance, std::size_t n_flips) const noexcept {
    const double others = static_cast<double>(m_n_bits) - distance - static_cast<double>(m_per_table);
    double factor = 1;
    for (std::size_t f = 1; f < n_flips; ++f) {
      const auto before = static_cast<double>(f);
      factor *= std::clamp((1 - before / distance) * (others + 1) / (others + 1 + before), 0.0, 1.0);
    }
    return factor;
  }

  /// The probability that none of a table's K bits is one of the c in which the rows differ: C(n - c, K) / C(n, K).
  double collision_probability(double distance) const noexcept { return agreement(distance, 0); }

 private:
  static constexpr std::size_t max_at_once = 512;

  /// The probability that the last K - known bits of a table agree, given that the first `known` differ.
  double agreement(double distance, std::size_t known) const noexcept {
    double probability = 1;
    for (std::size_t i = known; i < m_per_table; ++i) {
      const auto n = static_cast<double>(m_n_bits - i);
      probability *= std::clamp((n - distance + static_cast<double>(known)) / n, 0.0, 1.0);
    }
    return probability;
  }

  /// The number of functions of a table, padded to whole groups of eight by ones with an empty mask.
  std::size_t padded() const noexcept { return (m_per_table + 7) / 8 * 8; }

  /// keys[t * stride] = the key in table first + t.
  void keys_of(const std::uint8_t* row, std::size_t first, std::size_t n_tables, std::uint64_t* keys,
               std::size_t stride) const noexcept {
    const std::size_t tables_at_once = max_at_once / std::max<std::size_t>(padded(), 8);
    std::array<std::uint8_t, max_at_once> gathered;
    for (std::size_t t = 0; t < n_tables; t += tables_at_once) {
      const std::size_t n = std::min(tables_at_once, n_tables - t), from = (first + t) * padded();
      const std::uint32_t* const places = m_bytes.data() + from;
      for (std::size_t i = 0, all = n * padded(); i < all; i += 8)
        simd::unroll<8>([&](auto j) { gathered[i + j] = row[places[i + j]]; });
      for (std::size_t i = 0; i < n; ++i)
        keys[(t + i) * stride] = packed(gathered.data() + i * padded(), m_masks.data() + from + i * padded());
    }
  }

  /// Bit i tells whether byte i has the bit of its mask.
  std::uint64_t packed(const std::uint8_t* bytes, const std::uint8_t* masks) const noexcept {
    std::uint64_t key = 0;
    for (std::size_t i = 0; i < m_per_table; i += 8) {
      std::uint64_t eight, mask;
      std::memcpy(&eight, bytes + i, 8);
      std::memcpy(&mask, masks + i, 8);
      // A mask has one bit at most: a carry moves it to the top of its byte, and a product gathers the tops.
      const std::uint64_t set = ((eight & mask) + 0x7F7F7F7F7F7F7F7Fu) >> 7 & 0x0101010101010101u;
      key |= (set * 0x0102040810204080u >> 56) << i;
    }
    return key;
  }

  std::size_t m_n_bits = 0, m_n_tables = 0, m_per_table = 0;
  std::vector<std::uint32_t> m_bytes;  ///< padded() positions a table
  std::vector<std::uint8_t> m_masks;   ///< the sampled bit of each
};

}  // namespace detail

/// Hamming distance of rows of packed bits (uint8, the first bit in the lowest of a byte), by sampling bits; at most 64
/// projections a table, and no more than there are bits. A row costs O(n_projections * n_tables).
struct bit_sampling {
  using metric = bit_hamming;                               ///< of the index
  static constexpr std::string_view name = "bit_sampling";  ///< in files
  std::size_t bits = 0;                                     ///< the first bits of a row, the only ones sampled; 0: all

  /// Names `bits` for files. \param self the family \param archive as storage/archive.hpp has it
  /// \throws annulus::format_error while loading.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("bits", self.bits);
  }

  /// The probability that one function agrees. \param distance bits that differ \param n_bits of a row \returns from 0
  /// to 1.
  double collision_probability(double distance, std::size_t n_bits) const noexcept {
    return std::clamp(1 - distance / static_cast<double>(n_bits), 0.0, 1.0);
  }

  /// Draws hash functions. \param dim bytes of a row \param n_projections functions a table, at most 64 \param n_tables
  /// tables \param seed of the draw \returns the functions of all tables \throws std::invalid_argument for
  /// n_projections > 64, bits > 8 * dim, or rows of more than 2^32 bits.
  template <class Points>
    requires std::same_as<Points, matrix_view<std::uint8_t>>
  auto make_hasher(std::size_t dim, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed) const {
    const std::size_t all = detail::checked_product(8, dim, "dim");
    if (bits > all) detail::invalid("bits", bits, "must be at most 8 * dim = ", all);
    return detail::bit_hasher(bits == 0 ? all : bits, n_projections, n_tables, seed);
  }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
