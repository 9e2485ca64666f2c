#pragma once

/// \file
/// The integer operations of integers.hpp in plain C++.

#include <annulus/core/simd/batch.hpp>

#include <array>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace simd {

/// The integer operations in scalar code: for builds without SIMD, and as the reference of the tests.
struct scalar_integers {
  static constexpr std::size_t bytes = 16;
  using bytes_type = std::array<std::uint8_t, 16>;
  using shorts_type = std::array<std::int16_t, 8>;
  using sums_type = std::array<std::int32_t, 4>;

  static bytes_type load(const void* p) noexcept {
    bytes_type v;
    std::memcpy(v.data(), p, sizeof v);
    return v;
  }
  /// The first n < bytes bytes, the rest zero.
  static bytes_type load_partial(const void* p, std::size_t n) noexcept {
    bytes_type v{};
    std::memcpy(v.data(), p, n);
    return v;
  }
  static shorts_type load_shorts(const std::int16_t* p) noexcept {
    shorts_type v;
    std::memcpy(v.data(), p, sizeof v);
    return v;
  }
  /// The 32 bits of `word`, as they lie in memory, in every lane.
  static shorts_type broadcast_word(std::int32_t word) noexcept {
    shorts_type v;
    for (std::size_t i = 0; i < 4; ++i) std::memcpy(v.data() + 2 * i, &word, sizeof word);
    return v;
  }
  static sums_type zero() noexcept { return {}; }
  static sums_type broadcast_sum(std::int32_t sum) noexcept { return {sum, sum, sum, sum}; }
  static shorts_type load_words(const std::int32_t* p) noexcept {
    shorts_type v;
    std::memcpy(v.data(), p, sizeof v);
    return v;
  }
  static void store(std::int32_t* p, const sums_type& sums) noexcept { std::memcpy(p, sums.data(), sizeof sums); }
  static bytes_type flip_sign(bytes_type v) noexcept {
    for (auto& x : v) x = static_cast<std::uint8_t>(x ^ 0x80u);
    return v;
  }
  static bytes_type absolute_difference(bytes_type a, const bytes_type& b) noexcept {
    for (std::size_t i = 0; i < bytes; ++i) a[i] = static_cast<std::uint8_t>(a[i] > b[i] ? a[i] - b[i] : b[i] - a[i]);
    return a;
  }
  static bytes_type maximum(bytes_type a, const bytes_type& b) noexcept {
    for (std::size_t i = 0; i < bytes; ++i) a[i] = a[i] > b[i] ? a[i] : b[i];
    return a;
  }
  template <class Byte>
  static shorts_type widen_low(const bytes_type& v) noexcept {
    shorts_type w;
    for (std::size_t i = 0; i < 8; ++i) w[i] = static_cast<std::int16_t>(static_cast<Byte>(v[i]));
    return w;
  }
  template <class Byte>
  static shorts_type widen_high(const bytes_type& v) noexcept {
    shorts_type w;
    for (std::size_t i = 0; i < 8; ++i) w[i] = static_cast<std::int16_t>(static_cast<Byte>(v[i + 8]));
    return w;
  }
  /// sum_i += a_2i b_2i + a_2i+1 b_2i+1, modulo 2^32.
  static sums_type multiply_add(sums_type sum, const shorts_type& a, const shorts_type& b) noexcept {
    for (std::size_t i = 0; i < 4; ++i)
      sum[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum[i]) +
                                         static_cast<std::uint32_t>(a[2 * i] * b[2 * i]) +
                                         static_cast<std::uint32_t>(a[2 * i + 1] * b[2 * i + 1]));
    return sum;
  }
  static sums_type add(sums_type a, const sums_type& b) noexcept {
    for (std::size_t i = 0; i < 4; ++i)
      a[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(a[i]) + static_cast<std::uint32_t>(b[i]));
    return a;
  }
  static sums_type least(sums_type a, const sums_type& b) noexcept {
    for (std::size_t i = 0; i < 4; ++i) a[i] = a[i] < b[i] ? a[i] : b[i];
    return a;
  }
  static sums_type greatest(sums_type a, const sums_type& b) noexcept {
    for (std::size_t i = 0; i < 4; ++i) a[i] = a[i] > b[i] ? a[i] : b[i];
    return a;
  }
  /// x where a < b, y elsewhere.
  static sums_type where_less(const sums_type& a, const sums_type& b, const sums_type& x, sums_type y) noexcept {
    for (std::size_t i = 0; i < 4; ++i) y[i] = a[i] < b[i] ? x[i] : y[i];
    return y;
  }
  /// Adds all bytes, each to an unspecified lane.
  static sums_type add_bytes(sums_type sum, const bytes_type& v) noexcept {
    for (std::size_t i = 0; i < bytes; ++i) sum[i % 4] += v[i];
    return sum;
  }
  /// Bits that differ, as byte counts.
  static bytes_type popcount(bytes_type v) noexcept {
    for (auto& x : v) x = static_cast<std::uint8_t>(std::popcount(x));
    return v;
  }
  static bytes_type exclusive_or(bytes_type a, const bytes_type& b) noexcept {
    for (std::size_t i = 0; i < bytes; ++i) a[i] = static_cast<std::uint8_t>(a[i] ^ b[i]);
    return a;
  }
  static std::uint32_t reduce(const sums_type& sum) noexcept {
    std::uint32_t total = 0;
    for (auto x : sum) total += static_cast<std::uint32_t>(x);
    return total;
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::simd

#include <annulus/core/base/macros_on.hpp>
