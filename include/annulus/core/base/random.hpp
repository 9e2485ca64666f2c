#pragma once

/// \file
/// Counter-based random numbers: f(seed, stream, counter) is a pure function, so that any thread may draw any number
/// and one seed gives the same bits for every number of threads.

#include <annulus/core/base/config.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The default seed of everything that draws random numbers.
inline constexpr std::uint64_t default_seed = 42;

namespace detail {
/// A bijection with full avalanche: Stafford's variant 13 of the splitmix64 finaliser (Steele, Lea, Flood 2014).
constexpr std::uint64_t mixed_bits(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}
}  // namespace detail

/// A stream of random numbers addressed by counter. Copying is free; there is no state to advance.
class counter_random {
 public:
  /// \param seed the same for all of a call \param stream one for each thing that draws
  explicit constexpr counter_random(std::uint64_t seed, std::uint64_t stream = 0) noexcept
      : m_key(detail::mixed_bits(seed + 0x9E3779B97F4A7C15u) ^
              detail::mixed_bits(detail::mixed_bits(stream) + 0xD1B54A32D192ED03u)) {}

  /// \param counter which draw \returns 64 random bits
  constexpr std::uint64_t bits(std::uint64_t counter) const noexcept {
    return detail::mixed_bits(detail::mixed_bits(m_key + counter * 0x9E3779B97F4A7C15u) ^ m_key);
  }

  /// \param counter which draw \returns a number uniform in [0, 1), of 53 bits
  constexpr double uniform(std::uint64_t counter) const noexcept {
    return static_cast<double>(bits(counter) >> 11) * 0x1p-53;
  }

  /// Lemire's multiply; the bias is below n / 2^64. \param counter which draw \param n from 1 to 2^32
  /// \returns an integer uniform in [0, n)
  constexpr std::uint64_t below(std::uint64_t counter, std::uint64_t n) const noexcept {
    const std::uint64_t r = bits(counter);
    return ((r >> 32) * n + (((r & 0xFFFFFFFFu) * n) >> 32)) >> 32;
  }

  /// Box and Muller 1958. \param counter which draw; uses the draws 2 counter and 2 counter + 1 of this stream
  /// \returns a standard normal number
  double normal(std::uint64_t counter) const noexcept {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform(2 * counter)));
    return radius * std::cos(2.0 * std::numbers::pi * uniform(2 * counter + 1));
  }

 private:
  std::uint64_t m_key;
};

namespace detail {

/// Calls f(i), in ascending order, for all i < n or, where n > most, for one i drawn from each of `most` parts of about
/// the same size. Regular steps instead would miss a part of data that repeat themselves.
template <class F>
void visit_sample(std::size_t n, std::size_t most, F f) {
  const counter_random random(n);
  const std::size_t count = std::min(n, most);
  for (std::size_t part = 0; part < count; ++part) {
    const std::size_t begin = n / count * part + std::min(part, n % count);
    f(begin + random.below(part, n / count + (part < n % count)));
  }
}

/// `count` <= n different numbers below n, in the order in which they are drawn. O(n).
inline std::vector<std::size_t> drawn_without_replacement(std::size_t n, std::size_t count,
                                                          const counter_random& random) {
  std::vector<std::size_t> numbers(n);
  for (std::size_t i = 0; i < n; ++i) numbers[i] = i;
  for (std::size_t i = 0; i < count; ++i)
    std::swap(numbers[i], numbers[i + static_cast<std::size_t>(random.below(i, n - i))]);
  numbers.resize(count);
  return numbers;
}

}  // namespace detail

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
