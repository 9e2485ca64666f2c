#pragma once

/// \file
/// Rows as sets: the members of each kind of row, and metrics that are functions of how many members two rows have and
/// share. Of a sparse row the stored indices are members, whatever their values (a stored zero too); of a dense row the
/// coordinates that are not zero; of a row of packed bits the bits that are set.

#include <annulus/core/kernels/bit_kernels.hpp>
#include <annulus/core/metric/rewritten_metric.hpp>
#include <annulus/core/simd/masks.hpp>

#include <algorithm>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The sizes of two sets of coordinates and of their intersection. Number is double, or a vector of doubles for many
/// pairs at once.
template <class Number = double>
struct set_counts {
  Number common;  ///< coordinates in both
  Number a, b;    ///< coordinates in each
  Number dim;     ///< coordinates of a row
  /// \returns the coordinates in one of the two alone
  Number differing() const noexcept { return a + b - (common + common); }
};

namespace detail {

inline double choose(bool condition, double yes, double no) noexcept { return condition ? yes : no; }
inline simd::batch<double> choose(const simd::batch_bool<double>& condition, const simd::batch<double>& yes,
                                  const simd::batch<double>& no) noexcept {
  return xsimd::select(condition, yes, no);
}

/// above / below, and 0 where `below` is 0.
template <class Number>
Number ratio(const Number& above, const Number& below) noexcept {
  const auto is_nothing = below == Number(0);
  return choose(is_nothing, Number(0), above / choose(is_nothing, Number(1), below));
}

/// How many numbers two strictly ascending lists of numbers >= 0 have in common. O(a.size() + b.size()).
inline std::size_t count_common(std::span<const std::int32_t> a, std::span<const std::int32_t> b) noexcept {
  using batch = simd::batch<std::int32_t>;
  constexpr std::size_t width = simd::lanes<std::int32_t>;
  if (a.size() > b.size()) std::swap(a, b);
  // The longer list is read in blocks, each compared with the members of the shorter one in its range: a merge member
  // by member takes a branch that cannot be predicted, or waits for a chain of loads.
  batch common(0);
  for (std::size_t j = 0, i = 0; j < b.size() && i < a.size(); j += width) {
    const std::size_t n = std::min(width, b.size() - j);
    batch block(-1);
    if (n == width) {
      block = simd::load(b.data() + j);
    } else {
      alignas(64) std::int32_t members[width];
      std::fill(std::copy_n(b.data() + j, n, members), members + width, -1);
      block = batch::load_aligned(members);
    }
    for (const std::int32_t last = b[j + n - 1]; i < a.size() && a[i] <= last; ++i)
      common += xsimd::select(block == batch(a[i]), batch(1), batch(0));
  }
  return static_cast<std::size_t>(simd::reduce_add(common));
}

/// Bit i tells whether coordinate i < n <= 64 is not zero.
template <row_scalar T>
std::uint64_t nonzero_word(const T* row, std::size_t n) noexcept {
  std::uint64_t word = 0;
  const auto gather = [&](std::size_t width, auto nonzero, auto nonzero_part) {
    std::size_t i = 0;
    for (; i + width <= n; i += width) word |= nonzero(row + i) << i;
    if (i < n) word |= nonzero_part(row + i, n - i) << i;
  };
  if constexpr (is_byte<T>) {
    using bits = simd::bits;
    gather(
        bits::bytes, [](const T* p) { return bits::nonzero_bytes(bits::load(p)); },
        [](const T* p, std::size_t rest) { return bits::nonzero_bytes(bits::load_partial(p, rest)); });
  } else {
    using batch = simd::batch<lane_t<T>>;
    // Not by `!=`, which tells NaN from zero in some versions of xsimd only.
    constexpr std::uint64_t all = (std::uint64_t{1} << simd::lanes<lane_t<T>>)-1;
    const auto nonzero = [](const batch& v) { return simd::mask(v == batch(0)) ^ all; };
    gather(
        simd::lanes<lane_t<T>>, [=](const T* p) { return nonzero(simd::load(p)); },
        [=](const T* p, std::size_t rest) { return nonzero(simd::load_partial(p, rest)); });
  }
  return word;
}

/// "packed_" before the name of a metric.
template <const std::string_view& Name>
struct packed_name {
  static constexpr std::string_view prefix = "packed_";
  static constexpr auto letters = [] {
    std::array<char, prefix.size() + Name.size()> all{};
    std::copy(Name.begin(), Name.end(), std::copy(prefix.begin(), prefix.end(), all.begin()));
    return all;
  }();
  static constexpr std::string_view value{letters.data(), letters.size()};
};

}  // namespace detail

/// A metric of sets over rows of packed bits (bit_matrix; bit i is bit i % 8 of byte i / 8): the distance that Metric
/// gives the same rows unpacked. Rows have `bits` coordinates; with bits = 0 as many as the bit_matrix that is
/// searched, or for rows of bytes all of their bits. Rows with a bit set beyond them are refused by searches. O(bytes).
template <class Metric>
struct packed {
  static constexpr std::string_view name = detail::packed_name<Metric::name>::value;
  static constexpr bool is_angular = false;
  std::size_t bits = 0;

  /// \param bytes of a row \throws std::invalid_argument where it has no room for the bits
  void check_dimension(std::size_t bytes) const {
    if (bits > 8 * bytes) detail::invalid("bits", bits, "must be at most 8 * bytes of a row = ", 8 * bytes);
  }
  /// \param row,bytes a row and its length \returns a text for a bit set beyond `bits`, else null
  const char* refuses(const std::uint8_t* row, std::size_t bytes) const noexcept {
    if (bits == 0) return nullptr;
    bool is_set = bits % 8 != 0 && row[bits / 8] >> bits % 8 != 0;
    for (std::size_t i = (bits + 7) / 8; i < bytes; ++i) is_set |= row[i] != 0;
    return is_set ? "has a bit set beyond those that the metric counts: clear it" : nullptr;
  }
  /// Files of version 2 and older may not have the number.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    if constexpr (Archive::is_loading)
      if (!archive.has("bits")) return;
    archive("bits", self.bits);
  }
  /// \param a,b two rows \param bytes their length \returns the distance
  double operator()(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes) const noexcept {
    return Metric::from_counts(set_counts<>{number_of(detail::count_bits<detail::common_bits>(a, b, bytes)),
                                            number_of(detail::count_bits<detail::second_bits>(a, a, bytes)),
                                            number_of(detail::count_bits<detail::second_bits>(b, b, bytes)),
                                            dim(bytes)});
  }
  /// \param query,bytes a row and its length \param rows the first of others \param stride bytes from one to the next
  /// \param count how many \param out their distances
  void ranks(const std::uint8_t* query, std::size_t bytes, const std::uint8_t* rows, std::size_t stride,
             std::size_t count, double* out) const noexcept {
    using batch = simd::batch<double>;
    constexpr std::size_t block = 256, width = simd::lanes<double>;
    const batch of_query(number_of(detail::count_bits<detail::second_bits>(query, query, bytes))), all(dim(bytes));
    std::uint32_t common[block] = {}, of_row[block] = {};
    for (std::size_t first = 0; first < count; first += block) {
      const std::size_t n = std::min(block, count - first);
      const std::uint8_t* const row = rows + first * stride;
      detail::count_bits<detail::common_bits>(query, bytes, row, stride, n, common);
      detail::count_bits<detail::second_bits>(query, bytes, row, stride, n, of_row);
      alignas(64) double common_numbers[block], row_numbers[block];
      for (std::size_t i = 0; i < block; ++i) common_numbers[i] = number_of(common[i]);
      for (std::size_t i = 0; i < block; ++i) row_numbers[i] = number_of(of_row[i]);
      for (std::size_t i = 0; i < n; i += width)
        batch(Metric::from_counts(set_counts<batch>{batch::load_aligned(common_numbers + i), of_query,
                                                    batch::load_aligned(row_numbers + i), all}))
            .store_aligned(common_numbers + i);
      std::copy_n(common_numbers, n, out + first);
    }
  }

 private:
  /// Counts of bits fit the signed numbers, which baseline SIMD converts.
  static double number_of(std::uint32_t count) noexcept { return static_cast<std::int32_t>(count); }
  double dim(std::size_t bytes) const noexcept { return static_cast<double>(bits > 0 ? bits : 8 * bytes); }
};

namespace detail {

/// A metric of sets: Derived has a `name` and a static template from_counts(const set_counts<Number>&), the distance.
/// Searches pack dense rows into bits.
template <class Derived>
struct set_metric {
  static constexpr bool is_angular = false;
  static constexpr bool is_set_metric = true;

  /// O(stored in both).
  template <class T>
  double operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    return distance_of(count_common(a.indices, b.indices), a.indices.size(), b.indices.size(), a.dim);
  }
  /// O(d).
  template <row_scalar T>
  double operator()(const T* a, const T* b, std::size_t d) const noexcept {
    std::size_t common = 0, of_a = 0, of_b = 0;
    for (std::size_t i = 0; i < d; i += 64) {
      const std::size_t n = std::min<std::size_t>(64, d - i);
      const std::uint64_t in_a = nonzero_word(a + i, n), in_b = nonzero_word(b + i, n);
      common += static_cast<std::size_t>(std::popcount(in_a & in_b));
      of_a += static_cast<std::size_t>(std::popcount(in_a));
      of_b += static_cast<std::size_t>(std::popcount(in_b));
    }
    return distance_of(common, of_a, of_b, d);
  }

  template <row_scalar T>
  using embedded = std::uint8_t;
  /// Whole 64-bit words.
  static std::size_t embedded_dim(std::size_t d) noexcept { return (d + 63) / 64 * 8; }
  template <row_scalar T>
  static void embed(const T* row, std::size_t d, std::uint8_t* out) noexcept {
    for (std::size_t i = 0; i < d; i += 64, out += 8) {
      const std::uint64_t word = nonzero_word(row + i, std::min<std::size_t>(64, d - i));
      for (std::size_t byte = 0; byte < 8; ++byte) out[byte] = static_cast<std::uint8_t>(word >> (8 * byte));
    }
  }
  static packed<Derived> base(std::size_t d) noexcept { return {d}; }

 private:
  static double distance_of(std::size_t common, std::size_t a, std::size_t b, std::size_t d) noexcept {
    return Derived::from_counts(set_counts<>{static_cast<double>(common), static_cast<double>(a),
                                             static_cast<double>(b), static_cast<double>(d)});
  }
};

}  // namespace detail

/// 1 - |a and b| / |a or b| of two sets, from 0 to 1; 0 for two empty ones (Jaccard 1901). Over dense and sparse rows;
/// packed<jaccard> and bit_jaccard over packed bits.
struct jaccard : detail::set_metric<jaccard> {
  static constexpr std::string_view name = "jaccard";
  /// \param of what two sets have and share \returns their distance
  template <class Number>
  static Number from_counts(const set_counts<Number>& of) noexcept {
    return detail::ratio(of.differing(), of.differing() + of.common);
  }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
