#pragma once

/// \file
/// Bits counted over rows of packed bytes: those that differ, those that are common, those of one row. All forms are
/// exact. Rows of an odd number of bytes cost little more; no row's memory is read past its end.

#include <annulus/core/simd/bits.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Which bits of two rows are counted.
struct differing_bits {
  template <class Bits>
  static auto combine(typename Bits::vector a, typename Bits::vector b) noexcept {
    return Bits::exclusive_or(a, b);
  }
};
struct common_bits {
  template <class Bits>
  static auto combine(typename Bits::vector a, typename Bits::vector b) noexcept {
    return Bits::both(a, b);
  }
};
struct second_bits {
  template <class Bits>
  static auto combine(typename Bits::vector, typename Bits::vector b) noexcept {
    return b;
  }
};

/// By 64-bit words, of which the last one overlaps the one before it: the least work for short rows.
template <class Combine>
std::uint32_t count_by_words(const void* a, const void* b, std::size_t bytes) noexcept {
  using word = simd::scalar_bits;
  const auto* const left = static_cast<const unsigned char*>(a);
  const auto* const right = static_cast<const unsigned char*>(b);
  const auto counted = [](std::uint64_t x, std::uint64_t y) { return Combine::template combine<word>(x, y); };
  if (bytes == 0) return 0;
  if (bytes < word::bytes)
    return static_cast<std::uint32_t>(
        std::popcount(counted(word::load_partial(left, bytes), word::load_partial(right, bytes))));
  int count = 0;
  std::size_t at = 0;
  for (; at + word::bytes <= bytes; at += word::bytes)
    count += std::popcount(counted(word::load(left + at), word::load(right + at)));
  if (at < bytes) {
    const std::size_t last = bytes - word::bytes;
    const auto rest = counted(word::load(left + last), word::load(right + last));
    // The bytes seen already are the lower ones in memory.
    const auto seen = 8 * (at - last);
    count += std::popcount(std::endian::native == std::endian::little ? rest >> seen : rest << seen);
  }
  return static_cast<std::uint32_t>(count);
}

/// How many bits are set in Combine of two rows of `bytes` bytes. O(bytes).
template <class Combine, class Bits = simd::bits>
std::uint32_t count_bits(const void* a, const void* b, std::size_t bytes) noexcept {
  constexpr bool is_scalar = Bits::bytes == simd::scalar_bits::bytes;
  if (simd::most_bytes_by_words > 0 && (bytes <= simd::most_bytes_by_words || is_scalar))
    return count_by_words<Combine>(a, b, bytes);
  const auto* const left = static_cast<const unsigned char*>(a);
  const auto* const right = static_cast<const unsigned char*>(b);
  typename Bits::vector even = Bits::zero(), odd = Bits::zero();
  std::size_t at = 0;
  const auto count_at = [&](auto& sum) {
    sum = simd::add_count<Bits>(sum, Combine::template combine<Bits>(Bits::load(left + at), Bits::load(right + at)));
    at += Bits::bytes;
  };
  while (at + 2 * Bits::bytes <= bytes) {
    count_at(even);
    count_at(odd);
  }
  if (at + Bits::bytes <= bytes) count_at(even);
  if (at < bytes) {
    const auto rest = Combine::template combine<Bits>(Bits::load_partial(left + at, bytes - at),
                                                      Bits::load_partial(right + at, bytes - at));
    odd = simd::add_count<Bits>(odd, rest);
  }
  return Bits::sum_words(Bits::add(even, odd));
}

/// Counts rows, 16 at a time, where a vector holds `Rows` of them; returns how many rows it counted.
template <class Combine, class Bits, std::size_t Rows>
std::size_t count_packed_rows(const void* query, const unsigned char* rows, std::size_t count,
                              std::uint32_t* out) noexcept {
  constexpr std::size_t at_once = 16, vectors = at_once / Rows, bytes = Bits::bytes / Rows;
  unsigned char repeated[Bits::bytes];
  for (std::size_t r = 0; r < Rows; ++r) std::memcpy(repeated + r * bytes, query, bytes);
  const auto a = Bits::load(repeated);
  std::size_t i = 0;
  for (; i + at_once <= count; i += at_once) {
    typename Bits::vector counts[vectors];
    simd::unroll<vectors>([&](auto v) {
      const auto b = Bits::load(rows + (i + v * Rows) * bytes);
      counts[v] = Bits::count_words(Combine::template combine<Bits>(a, b));
    });
    Bits::template sum_rows<Rows>(counts, out + i);
  }
  return i;
}

/// Four rows `stride` bytes apart, which share the loads of the query and the shuffles of their sums.
template <class Combine, class Bits>
[[gnu::always_inline]] inline void count_four_rows(const unsigned char* query, std::size_t bytes,
                                                   const unsigned char* rows, std::size_t stride,
                                                   std::uint32_t* out) noexcept {
  typename Bits::vector sums[4] = {Bits::zero(), Bits::zero(), Bits::zero(), Bits::zero()};
  const auto add = [&](auto a, auto r, auto b) ANNULUS_INLINED {
    sums[r] = simd::add_count<Bits>(sums[r], Combine::template combine<Bits>(a, b));
  };
  std::size_t at = 0;
  for (; at + Bits::bytes <= bytes; at += Bits::bytes) {
    const auto a = Bits::load(query + at);
    simd::unroll<4>([&](auto r) { add(a, r, Bits::load(rows + r * stride + at)); });
  }
  if (at < bytes) {
    const auto a = Bits::load_partial(query + at, bytes - at);
    simd::unroll<4>([&](auto r) { add(a, r, Bits::load_partial(rows + r * stride + at, bytes - at)); });
  }
  Bits::sum_words(sums, out);
}

/// out[i] = count_bits(query, row i) for `count` rows `stride` bytes apart. O(count bytes).
template <class Combine, class Bits = simd::bits>
void count_bits(const void* query, std::size_t bytes, const void* rows, std::size_t stride, std::size_t count,
                std::uint32_t* out) noexcept {
  const auto* const left = static_cast<const unsigned char*>(query);
  const auto* const first = static_cast<const unsigned char*>(rows);
  std::size_t i = 0;
  if constexpr (requires { &Bits::template sum_rows<2>; })
    if (bytes == stride) {
      if (bytes == 8) i = count_packed_rows<Combine, Bits, 8>(left, first, count, out);
      if (bytes == 16) i = count_packed_rows<Combine, Bits, 4>(left, first, count, out);
      if (bytes == 32) i = count_packed_rows<Combine, Bits, 2>(left, first, count, out);
    }
  // Long rows are counted one at a time: memory is read faster as one stream than as four.
  constexpr std::size_t longest = 256;
  if (bytes <= longest && (Bits::loads_part || bytes % Bits::bytes == 0))
    for (; i + 4 <= count; i += 4) count_four_rows<Combine, Bits>(left, bytes, first + i * stride, stride, out + i);
  for (; i < count; ++i) out[i] = count_bits<Combine, Bits>(left, first + i * stride, bytes);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
