#pragma once

/// \file
/// The keys that the elements of an operand are compared by: smaller keys are better, for minima and maxima alike.

#include <annulus/core/simd/batch.hpp>

#include <concepts>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The type of the keys of an operand of T: types narrower than 32 bits are widened; unsigned ones of 32 and 64 bits
/// become signed ones in the same order, by flipping their highest bit.
template <class T>
using key_t = std::conditional_t<
    std::same_as<T, double>, double,
    std::conditional_t<!std::is_integral_v<T>, float, std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>>>;
template <class T>
inline constexpr key_t<T> moved_bit = std::is_unsigned_v<T> && sizeof(T) == sizeof(key_t<T>)
                                          ? std::numeric_limits<key_t<T>>::lowest()
                                          : key_t<T>{0};

/// The worst key. Elements with this key count as absent.
template <class Key>
inline constexpr Key worst_key = std::is_floating_point_v<Key> ? std::numeric_limits<Key>::infinity()
                                                               : std::numeric_limits<Key>::max();

/// The key of an element: smaller keys are better. For the largest elements the order is reversed exactly, by sign or
/// complement.
template <bool Largest, class T>
constexpr key_t<T> to_key(T x) noexcept {
  if constexpr (!std::is_integral_v<T>) return Largest ? -static_cast<key_t<T>>(x) : static_cast<key_t<T>>(x);
  else {
    const auto key = static_cast<key_t<T>>(static_cast<key_t<T>>(x) ^ moved_bit<T>);
    return static_cast<key_t<T>>(Largest ? ~key : key);
  }
}

/// The inverse of to_key.
template <bool Largest, class T>
constexpr T from_key(key_t<T> x) noexcept {
  if constexpr (!std::is_integral_v<T>) return static_cast<T>(Largest ? -x : x);
  else return static_cast<T>((Largest ? ~x : x) ^ moved_bit<T>);
}

template <bool Largest, class T>
simd::batch<key_t<T>> load_keys(const T* p) noexcept {
  using key = key_t<T>;
  if constexpr (!std::is_integral_v<T>) {
    const auto x = simd::load(p);
    if constexpr (Largest) return -x;
    else return x;
  } else if constexpr (sizeof(T) == sizeof(key)) {
    const auto x = simd::load(reinterpret_cast<const key*>(p)) ^ simd::batch<key>(moved_bit<T>);
    if constexpr (Largest) return ~x;
    else return x;
  } else {
    const auto x = simd::load_widened(p);
    if constexpr (Largest) return ~x;
    else return x;
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
