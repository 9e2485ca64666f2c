#pragma once

/// \file
/// Keys as wide as the elements that they are of: a pass for minima compares those, so that a vector holds 4 times as
/// many bytes as widened ones, and twice as many halves.

#include <annulus/approx_top_k/keys.hpp>
#include <annulus/core/select/rank_bound.hpp>

#include <bit>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The keys in lanes of an operand of T, of which the smallest (or, `Largest`, largest) elements are wanted. Those of
/// 32 and 64 bits are those of keys.hpp. Those of narrower elements are signed integers in the same order; the 16-bit
/// floating point types have a sign and a magnitude, so that the bits of the magnitude are flipped under a sign. -0
/// comes before +0 there, and NaN before or behind all numbers, by its sign.
template <class T, bool Largest>
struct lane_keys {
  static constexpr bool are_wide = sizeof(T) >= 4;
  using key = std::conditional_t<are_wide, key_t<T>, std::conditional_t<sizeof(T) == 2, std::int16_t, std::int8_t>>;
  using batch = simd::batch<key>;
  static constexpr std::size_t width = simd::lanes<key>;
  static constexpr key worst = are_wide ? worst_key<key> : std::numeric_limits<key>::max();

  /// The element whose key is the first or the last of those of numbers.
  static constexpr T best_element() noexcept { return extreme(!Largest); }
  static constexpr T worst_element() noexcept { return extreme(Largest); }

  static batch load(const T* p) noexcept {
    if constexpr (are_wide) return load_keys<Largest>(p);
    else return turned(simd::load_bits<key>(p));
  }

  /// The same with the worst key for NaN.
  static batch load_without_nan(const T* p) noexcept {
    const batch keys = load(p);
    if constexpr (may_nan_be_least) return xsimd::select(keys < batch(best()), batch(worst), keys);
    else return keys;
  }

  /// Whether a lane holds NaN before the numbers: a minimum must be taken again, without them.
  static bool any_nan_before(const batch& keys) noexcept {
    if constexpr (may_nan_be_least) return xsimd::any(keys < batch(best()));
    else return false;
  }

  /// The smaller of two. A candidate that is NaN is not, unless it comes before the numbers.
  static batch min(const batch& candidate, const batch& kept) noexcept { return simd::min_skip_nan(candidate, kept); }

  /// The last key of those up to a bound among the keys of keys.hpp, which is no less than that of best_element().
  static key limit(key_t<T> bound) noexcept {
    if constexpr (are_wide) return bound;
    else if constexpr (std::is_integral_v<T>)
      return of(from_key<Largest, T>(std::min(bound, to_key<Largest>(worst_element()))));
    else {
      const T nearest = from_key<Largest, T>(bound);
      const bool is_above = to_key<Largest>(nearest) > bound;
      return static_cast<key>(of(nearest) - (is_above ? 1 : 0));
    }
  }

  /// Writes the elements' ordered integers.
  [[gnu::always_inline]] static void store_ordered(const batch& keys, simd::ordered_int<key_t<T>>* out) noexcept {
    if constexpr (are_wide) simd::ordered_lanes(keys).store_aligned(out);
    else {
      alignas(64) key raw[width];
      turned_back(keys).store_aligned(raw);
      const T* const elements = reinterpret_cast<const T*>(raw);
      constexpr std::size_t step = simd::lanes<key_t<T>>;
      for (std::size_t i = 0; i < width; i += step)
        simd::ordered_lanes(load_keys<Largest>(elements + i)).store_aligned(out + i);
    }
  }

 private:
  static constexpr bool may_nan_be_least = !are_wide && !std::is_integral_v<T>;

  static constexpr T extreme(bool smallest) noexcept {
    using limits = std::numeric_limits<T>;
    if constexpr (std::is_integral_v<T>) return smallest ? limits::lowest() : limits::max();
    else return smallest ? -limits::infinity() : limits::infinity();
  }

  static key best() noexcept { return of(best_element()); }

  static key of(T x) noexcept { return turned(std::bit_cast<key>(x)); }

  /// The keys of elements, whose bits are given as integers: of one, or of a vector.
  template <class V>
  static V turned(V bits) noexcept {
    if constexpr (!std::is_integral_v<T>) bits = with_turned_negatives(bits);
    else if constexpr (std::is_unsigned_v<T>) bits = static_cast<V>(bits ^ V(std::numeric_limits<key>::lowest()));
    return Largest ? static_cast<V>(~bits) : bits;
  }
  /// The inverse of turned.
  static batch turned_back(const batch& keys) noexcept {
    if constexpr (std::is_integral_v<T>) return turned(keys);
    else return with_turned_negatives(Largest ? ~keys : keys);
  }
  template <class V>
  static V with_turned_negatives(const V& bits) noexcept {
    return static_cast<V>(bits ^ ((bits >> (8 * sizeof(key) - 1)) & V(std::numeric_limits<key>::max())));
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
