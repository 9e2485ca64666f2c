#pragma once

/// \file
/// Sorts candidates. No comparison of a rank decides a branch where ranks and ids have 32 bits: they are packed into
/// integers of 64 bits, few of which a network sorts, and many a radix sort.

#include <annulus/core/base/allocator.hpp>
#include <annulus/core/base/assert.hpp>
#include <annulus/core/select/candidate.hpp>
#include <annulus/core/simd/sorting_network.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// A candidate as an integer in the order of candidates: the upper half is the rank as an ordered integer, the lower
/// one the id.
constexpr std::int64_t pack(std::int32_t ordered_rank, std::uint32_t id) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(static_cast<std::uint32_t>(ordered_rank)) << 32 | id);
}
constexpr std::uint32_t packed_id(std::int64_t packed) noexcept { return static_cast<std::uint32_t>(packed); }

/// high - low, which may be more than a signed integer holds.
constexpr std::uint64_t distance(std::int64_t low, std::int64_t high) noexcept {
  return static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
}

/// The most candidates that a network sorts faster than counting does.
inline constexpr std::size_t largest_network = simd::lanes<std::int64_t> >= 4 ? 256 : 32;

/// Sorts by digits of `bits` bits, from the 32nd on, of what packed candidates exceed `base` by: the counts of all
/// passes in one, then a pass for each. Between passes they change sides with `scratch`; returns the side they are on.
template <int Passes>
std::int64_t* sort_by_digits(std::int64_t* items, std::int64_t* scratch, std::size_t n, std::int64_t base,
                             int bits) noexcept {
  constexpr int most_bits = 11;
  ANNULUS_ASSERT(bits <= most_bits);
  const std::size_t values = std::size_t{1} << bits;
  const auto digit = [&](std::int64_t x, int pass) { return distance(base, x) >> (32 + pass * bits) & (values - 1); };
  std::array<std::array<std::uint32_t, std::size_t{1} << most_bits>, Passes> starts;
  for (auto& start : starts) std::fill_n(start.begin(), values, 0u);
  for (std::size_t i = 0; i < n; ++i)
    simd::unroll<Passes>([&, x = items[i]](auto pass) { ++starts[pass][digit(x, pass)]; });
  simd::unroll<Passes>([&](auto pass) {
    auto& start = starts[pass];
    std::uint32_t sum = 0;
    for (std::size_t d = 0; d < values; ++d) sum += std::exchange(start[d], sum);
    for (std::size_t i = 0; i < n; ++i) scratch[start[digit(items[i], pass)]++] = items[i];
    std::swap(items, scratch);
  });
  return items;
}

/// Sorts packed candidates by their upper halves; ties stay in their order. O(n). Returns the side that they are on.
inline std::int64_t* sort_upper_halves(std::int64_t* items, std::int64_t* scratch, std::size_t n) noexcept {
  std::int64_t least = items[0], most = least;
  for (std::size_t i = 1; i < n; ++i) {
    least = std::min(least, items[i]);
    most = std::max(most, items[i]);
  }
  const std::int64_t base = least >> 32 << 32;
  const int bits = static_cast<int>(std::bit_width(distance(base, most) >> 32));
  const int few_bits = n < 4096 ? 9 : 11, passes = std::max(1, (bits + few_bits - 1) / few_bits);
  const int digit_bits = (bits + passes - 1) / passes;
  switch (passes) {
    case 1:
      return sort_by_digits<1>(items, scratch, n, base, digit_bits);
    case 2:
      return sort_by_digits<2>(items, scratch, n, base, digit_bits);
    case 3:
      return sort_by_digits<3>(items, scratch, n, base, digit_bits);
    default:
      return sort_by_digits<4>(items, scratch, n, base, digit_bits);
  }
}

/// The integers that a vector of n packed candidates has room for when they are sorted.
constexpr std::size_t sorted_room(std::size_t n) noexcept {
  return n <= largest_network ? std::max(simd::lanes<std::int64_t>, std::bit_ceil(n)) : n;
}

/// Sorts the first n of packed candidates; `items` has sorted_room(n). The vectors may change places.
inline void sort_packed(aligned_vector<std::int64_t>& items, std::size_t n, aligned_vector<std::int64_t>& scratch) {
  ANNULUS_ASSERT(items.size() >= sorted_room(n));
  if (n <= largest_network) {
    std::fill(items.data() + n, items.data() + sorted_room(n), std::numeric_limits<std::int64_t>::max());
    simd::sort_by_network(items.data(), sorted_room(n) / simd::lanes<std::int64_t>);
    return;
  }
  if (scratch.size() < items.size()) scratch.resize(items.size());
  if (sort_upper_halves(items.data(), scratch.data(), n) != items.data()) items.swap(scratch);
  std::int64_t* const end = items.data() + n;
  if (std::is_sorted(items.data(), end)) return;  // as it is where ties came in the order of their ids
  for (std::int64_t *run = items.data(), *next = run; run != end; run = next) {
    while (next != end && *next >> 32 == *run >> 32) ++next;
    std::sort(run, next);
  }
}

}  // namespace detail

/// Memory that sorts of candidates keep from one to the next.
template <class Rank, class Id>
struct sort_scratch {
  detail::aligned_vector<std::int64_t> packed, other;  ///< what is sorted, and where its digits are sorted to
  std::vector<candidate<Rank, Id>> sorted;             ///< the candidates in their order

  /// Makes room, so that sorts of as many allocate nothing. \param n how many candidates \throws std::bad_alloc
  void reserve(std::size_t n) {
    packed.reserve(detail::sorted_room(n));
    other.reserve(detail::sorted_room(n));
    sorted.reserve(n);
  }
};

/// Sorts candidates. O(n log n), or O(n) passes of counting where there are many. \param items what is sorted
/// \param scratch memory of the sort \throws std::bad_alloc where scratch has no room for as many
template <class Rank, class Id>
void sort_candidates(std::vector<candidate<Rank, Id>>& items, sort_scratch<Rank, Id>& scratch) {
  constexpr std::size_t few = 12;
  const std::size_t n = items.size();
  if (n <= few || n > std::numeric_limits<std::uint32_t>::max()) {
    std::sort(items.begin(), items.end());
    return;
  }

  // Sorted by 32 bits of the ranks: of longer ones by all that differ, or by the highest where these are more.
  using bits = decltype(ordered_bits(Rank{}));
  bits least = 0;
  int shift = 0;
  if constexpr (sizeof(bits) > 4) {
    least = ordered_bits(items[0].rank);
    bits most = least;
    for (const auto& item : items) {
      least = std::min(least, ordered_bits(item.rank));
      most = std::max(most, ordered_bits(item.rank));
    }
    shift = std::max(0, static_cast<int>(std::bit_width(static_cast<bits>(most - least))) - 32);
  }
  scratch.packed.resize(detail::sorted_room(n));
  for (std::size_t i = 0; i < n; ++i) {
    const auto key = static_cast<std::uint32_t>((ordered_bits(items[i].rank) - least) >> shift);
    scratch.packed[i] = detail::pack(static_cast<std::int32_t>(key ^ 0x80000000u), static_cast<std::uint32_t>(i));
  }
  detail::sort_packed(scratch.packed, n, scratch.other);
  scratch.sorted.resize(n);
  for (std::size_t i = 0; i < n; ++i) scratch.sorted[i] = items[detail::packed_id(scratch.packed[i])];
  std::copy(scratch.sorted.begin(), scratch.sorted.end(), items.begin());  // each vector keeps its own memory
  for (std::size_t run = 0, next = 1; run < n; run = next++) {
    while (next < n && scratch.packed[next] >> 32 == scratch.packed[run] >> 32) ++next;
    if (next - run > 1)
      std::sort(items.begin() + static_cast<std::ptrdiff_t>(run), items.begin() + static_cast<std::ptrdiff_t>(next));
  }
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
