#pragma once

/// \file
/// A candidate (a rank and an id), the one order that all results follow, a sort in that order, and a radix selection.

#include <annulus/core/base/float_bits.hpp>
#include <annulus/core/base/ids.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Smaller ranks first, ties by smaller id, NaN last.
template <class Rank, class Id = id_type>
struct candidate {
  Rank rank;
  Id id;
  friend bool operator==(const candidate&, const candidate&) = default;
  friend constexpr bool operator<(const candidate& a, const candidate& b) noexcept {
    return detail::is_less(a.rank, b.rank) || (!detail::is_less(b.rank, a.rank) && ties_before(a, b));
  }

 private:
  /// Whether a comes before b where neither rank is less.
  static constexpr bool ties_before(const candidate& a, const candidate& b) noexcept {
    const bool a_is_nan = detail::is_nan(a.rank), b_is_nan = detail::is_nan(b.rank);
    return a_is_nan == b_is_nan ? a.id < b.id : b_is_nan;
  }
};

/// Unsigned bits in the order of the numbers, for floating point and integers of any width; -0 and +0 are equal, and
/// NaN of either sign comes last.
template <class Number>
constexpr auto ordered_bits(Number x) noexcept {
  if constexpr (std::is_integral_v<Number>) {
    using bits = std::make_unsigned_t<Number>;
    constexpr auto sign = static_cast<bits>(std::is_signed_v<Number> ? bits{1} << (8 * sizeof(bits) - 1) : bits{0});
    return static_cast<bits>(static_cast<bits>(x) ^ sign);
  } else {
    using bits = std::conditional_t<sizeof(Number) == 8, std::uint64_t, std::uint32_t>;
    if (detail::is_nan(x)) return ~bits{0};
    const auto raw = std::bit_cast<bits>(x + Number(0));  // -0 + 0 is +0
    constexpr bits sign = bits{1} << (8 * sizeof(bits) - 1);
    return static_cast<bits>((raw & sign) != 0 ? ~raw : raw | sign);
  }
}

namespace detail {

/// The number that ordered_bits was given; -0 comes back as +0, and any NaN as the same one.
template <class Number>
constexpr Number from_ordered_bits(decltype(ordered_bits(Number{})) bits) noexcept {
  using bits_type = decltype(bits);
  constexpr auto sign = static_cast<bits_type>(bits_type{1} << (8 * sizeof(bits) - 1));
  if constexpr (std::is_integral_v<Number>) return static_cast<Number>(std::is_signed_v<Number> ? bits ^ sign : bits);
  else return std::bit_cast<Number>(static_cast<bits_type>((bits & sign) != 0 ? bits ^ sign : ~bits));
}

/// The k-th smallest, from 1, of `n` unsigned numbers at(0), ..., at(n - 1); O(n) whatever their order. Eleven bits at
/// a time are counted from the top, and those that share the bits found so far go on (7 times std::nth_element's
/// speed).
template <class Bits, class At>
Bits radix_select(std::size_t n, std::size_t k, At at, std::vector<Bits>& scratch) {
  constexpr int digit_bits = 11;
  constexpr std::size_t few = 256;
  scratch.resize(n);
  for (std::size_t i = 0; i < n; ++i) scratch[i] = at(i);
  for (int shift = 8 * static_cast<int>(sizeof(Bits)) - digit_bits; n > few && shift > -digit_bits;
       shift -= digit_bits) {
    const auto digit = [shift](Bits x) {
      return (shift >= 0 ? x >> shift : x << -shift) & Bits{(1u << digit_bits) - 1};
    };
    std::array<std::uint32_t, std::size_t{1} << digit_bits> count{};
    for (std::size_t i = 0; i < n; ++i) ++count[digit(scratch[i])];
    std::size_t wanted = 0;
    while (k > count[wanted]) k -= count[wanted++];
    std::size_t kept = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const Bits x = scratch[i];
      scratch[kept] = x;
      kept += digit(x) == wanted;
    }
    n = kept;
  }
  const auto kth = scratch.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(scratch.begin(), kth, scratch.begin() + static_cast<std::ptrdiff_t>(n));
  return *kth;
}

}  // namespace detail

/// Sorts candidates; `scratch` is overwritten and keeps its memory for the next call. Long lists with 32-bit ranks take
/// a stable radix sort, which does not suffer from mispredicted comparisons (7 times std::sort's speed at 1,000).
template <class Rank, class Id>
void sort_candidates(std::vector<candidate<Rank, Id>>& items, std::vector<candidate<Rank, Id>>& scratch) {
  constexpr std::size_t worthwhile = 192;
  if (sizeof(Rank) != 4 || items.size() < worthwhile || items.size() > std::numeric_limits<std::uint32_t>::max()) {
    std::sort(items.begin(), items.end());
    return;
  }

  constexpr std::size_t digits = 4, values = 256;
  std::array<std::array<std::uint32_t, values>, digits> starts{};
  for (const auto& item : items)
    for (std::size_t digit = 0; digit < digits; ++digit) ++starts[digit][ordered_bits(item.rank) >> (8 * digit) & 255u];
  scratch.resize(items.size());
  for (std::size_t digit = 0; digit < digits; ++digit) {
    auto& start = starts[digit];
    if (start[ordered_bits(items[0].rank) >> (8 * digit) & 255u] == items.size()) continue;  // all alike
    std::uint32_t sum = 0;
    for (auto& s : start) sum += std::exchange(s, sum);
    for (const auto& item : items) scratch[start[ordered_bits(item.rank) >> (8 * digit) & 255u]++] = item;
    items.swap(scratch);
  }

  const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
  for (auto run = items.begin(); run != items.end();) {
    auto end = run + 1;
    while (end != items.end() && end->rank == run->rank) ++end;
    if (end - run > 1) std::sort(run, end, by_id);
    run = end;
  }
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
