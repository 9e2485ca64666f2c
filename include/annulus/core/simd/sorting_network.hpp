#pragma once

/// \file
/// Sorts a few 64-bit integers by a bitonic network (Batcher, "Sorting networks and their applications", 1968), whose
/// comparisons decide no branch.

#include <annulus/core/simd/batch.hpp>

#include <array>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

/// Lane i of the result is lane i ^ Flip.
template <std::size_t Flip>
[[gnu::always_inline]] inline batch<std::int64_t> exchange_lanes(const batch<std::int64_t>& v) noexcept {
#if defined(__AVX2__)
  constexpr int low = Flip & 3, among_four = (0 ^ low) | (1 ^ low) << 2 | (2 ^ low) << 4 | (3 ^ low) << 6;
#endif
#if defined(__AVX512F__)
  constexpr int halves = 0x4E;
  if constexpr (Flip < 4) return _mm512_permutex_epi64(v, among_four);
  else if constexpr (Flip == 4) return _mm512_shuffle_i64x2(v, v, halves);
  else return _mm512_permutex_epi64(_mm512_shuffle_i64x2(v, v, halves), among_four);
#elif defined(__AVX2__)
  return _mm256_permute4x64_epi64(v, among_four);
#elif defined(__SSE2__) && !defined(__AVX__)
  return _mm_shuffle_epi32(v, 0x4E);
#elif defined(__aarch64__)
  return vextq_s64(v, v, 1);
#else
  alignas(64) std::int64_t lane[lanes<std::int64_t>], exchanged[lanes<std::int64_t>];
  v.store_aligned(lane);
  for (std::size_t i = 0; i < lanes<std::int64_t>; ++i) exchanged[i] = lane[i ^ Flip];
  return batch<std::int64_t>::load_aligned(exchanged);
#endif
}

/// All bits of lane i are set where i has the bit `Bit`, else none.
template <std::size_t Bit>
alignas(64) inline constexpr auto lanes_with_bit = [] {
  std::array<std::int64_t, lanes<std::int64_t>> flags{};
  for (std::size_t i = 0; i < flags.size(); ++i) flags[i] = (i & Bit) != 0 ? -1 : 0;
  return flags;
}();

/// Of lanes i and i ^ Flip the smaller where i has not the bit `Upper`, the greater where it has.
template <std::size_t Flip, std::size_t Upper>
[[gnu::always_inline]] inline batch<std::int64_t> order_lanes(const batch<std::int64_t>& v) noexcept {
  const batch<std::int64_t> other = exchange_lanes<Flip>(v);
  const auto upper = batch<std::int64_t>::load_aligned(lanes_with_bit<Upper>.data()) < batch<std::int64_t>(0);
#if defined(__AVX512F__)
  return xsimd::select(upper, xsimd::max(v, other), xsimd::min(v, other));
#else  // no minimum of 64-bit integers: one comparison rather than two; of equal lanes either one will do
  return xsimd::select((v > other) != upper, other, v);
#endif
}

/// Sorts a bitonic run of each 2 * Distance lanes.
template <std::size_t Distance>
[[gnu::always_inline]] inline batch<std::int64_t> merge_lanes(const batch<std::int64_t>& v) noexcept {
  if constexpr (Distance == 0) return v;
  else return merge_lanes<Distance / 2>(order_lanes<Distance, Distance>(v));
}

/// Sorts each run of `Length` lanes.
template <std::size_t Length>
[[gnu::always_inline]] inline batch<std::int64_t> sort_lanes(const batch<std::int64_t>& v) noexcept {
  if constexpr (Length == 1) return v;
  else return merge_lanes<Length / 4>(order_lanes<Length - 1, Length / 2>(sort_lanes<Length / 2>(v)));
}

/// Sorts `registers` (a power of two) times lanes<std::int64_t> integers in place. O(n log^2 n).
inline void sort_by_network(std::int64_t* items, std::size_t registers) noexcept {
  using batch = simd::batch<std::int64_t>;
  constexpr std::size_t width = lanes<std::int64_t>;
  for (std::size_t i = 0; i < registers; ++i)
    sort_lanes<width>(load(items + i * width)).store_unaligned(items + i * width);
  for (std::size_t run = 1; run < registers; run *= 2)
    for (std::int64_t* low = items; low != items + registers * width; low += 2 * run * width) {
      // Two sorted runs, the second turned round, are one bitonic run. What is greater goes behind, still in that
      // order.
      std::int64_t* const high = low + run * width;
      for (std::size_t i = 0; i < (run + 1) / 2; ++i) {
        std::int64_t *low_i = low + i * width, *low_j = low + (run - 1 - i) * width, *high_i = high + i * width,
                     *high_j = high + (run - 1 - i) * width;
        const batch a = load(low_i), b = load(low_j);
        const batch behind_a = exchange_lanes<width - 1>(load(high_j)),
                    behind_b = exchange_lanes<width - 1>(load(high_i));
        xsimd::min(a, behind_a).store_unaligned(low_i);
        xsimd::max(a, behind_a).store_unaligned(high_i);
        xsimd::min(b, behind_b).store_unaligned(low_j);
        xsimd::max(b, behind_b).store_unaligned(high_j);
      }
      for (std::size_t distance = run / 2; distance > 0; distance /= 2)
        for (std::size_t first = 0; first < 2 * run; first += 2 * distance)
          for (std::size_t i = first; i < first + distance; ++i) {
            const batch a = load(low + i * width), b = load(low + (i + distance) * width);
            xsimd::min(a, b).store_unaligned(low + i * width);
            xsimd::max(a, b).store_unaligned(low + (i + distance) * width);
          }
      for (std::size_t i = 0; i < 2 * run; ++i)
        merge_lanes<width / 2>(load(low + i * width)).store_unaligned(low + i * width);
    }
}

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
