#pragma once

/// \file
/// Fast pseudo-random rotations: rounds of random sign flips, each followed by a Walsh-Hadamard transform (Ailon,
/// Chazelle 2009; Andoni et al. 2015). The same bits in every build.

#include <annulus/core/base/random.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/simd/butterflies.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// All levels within R registers.
template <std::size_t R>
[[gnu::always_inline]] inline void transform(simd::batch<float> (&v)[R]) noexcept {
  simd::lane_levels<1>(v);
  simd::register_levels<1>(v);
}

/// The levels from `distance` to R / 2 * distance, over `size` floats in memory.
template <std::size_t R>
void memory_levels(float* x, std::size_t size, std::size_t distance) noexcept {
  for (std::size_t i = 0; i < size; i += R * distance)
    for (std::size_t j = i; j < i + distance; j += simd::lanes<float>) {
      simd::batch<float> v[R];
      simd::unroll<R>([&](auto r) { v[r] = simd::load(x + j + r * distance); });
      simd::register_levels<1>(v);
      simd::unroll<R>([&](auto r) { v[r].store_unaligned(x + j + r * distance); });
    }
}

/// All levels from `distance` up.
inline void memory_levels(float* x, std::size_t size, std::size_t distance) noexcept {
  for (; 8 * distance <= size; distance *= 8) memory_levels<8>(x, size, distance);
  if (4 * distance == size) memory_levels<4>(x, size, distance);
  if (2 * distance == size) memory_levels<2>(x, size, distance);
}

/// The number of registers that a transform holds at once.
inline constexpr std::size_t transform_registers = simd::n_registers / 2;
inline constexpr std::size_t transform_block = transform_registers * simd::lanes<float>;

/// The least size of a transform: a multiple of every build's register, and enough to mix coordinates well.
inline constexpr std::size_t least_transform = 16;

/// Calls f(R) with the number of registers, a power of two, that `size` <= transform_block floats fill.
template <std::size_t R = 1, class F>
[[gnu::always_inline]] inline void with_registers(std::size_t size, F f) {
  if constexpr (R < transform_registers) {
    if (size > R * simd::lanes<float>) return with_registers<2 * R>(size, f);
  }
  f(std::integral_constant<std::size_t, R>{});
}

/// x becomes H x, where H(i, j) = (-1)^popcount(i & j). `size` is a power of two, at least least_transform.
/// O(size log size).
inline void hadamard_transform(float* x, std::size_t size) noexcept {
  const std::size_t block = std::min(size, transform_block);
  with_registers(block, [&](auto n_registers) {
    constexpr std::size_t R = n_registers, width = simd::lanes<float>;
    for (std::size_t i = 0; i < size; i += R * width) {
      simd::batch<float> v[R];
      simd::unroll<R>([&](auto r) { v[r] = simd::load(x + i + r * width); });
      transform(v);
      simd::unroll<R>([&](auto r) { v[r].store_unaligned(x + i + r * width); });
    }
  });
  memory_levels(x, size, block);
}

/// Many rotations of one size: n_rounds times random flips of signs, then the transform. Each is sqrt(size)^n_rounds
/// times an orthogonal matrix, and depends on its own number and the seed only.
class hadamard_rotations {
 public:
  /// `size` is a power of two, at least least_transform.
  hadamard_rotations(std::size_t size, std::size_t n_rounds, std::size_t count, std::uint64_t seed)
      : m_size(size), m_n_rounds(n_rounds) {
    const std::size_t n_flips = checked_product(checked_product(count, n_rounds, "n_tables"), words(), "n_tables");
    m_flips.assign(n_flips, 0);
    const counter_random random(seed, 0x1C);
    const std::size_t draws = (size + 63) / 64;
    for (std::size_t round = 0; round < count * n_rounds; ++round)
      for (std::size_t i = 0; i < size; ++i) {
        const std::size_t r = i / width, bit = 31 - r % 32;
        const auto flip = static_cast<std::uint32_t>(random.bits(round * draws + i / 64) >> (i % 64) & 1);
        std::int32_t& word = m_flips[round * words() + r / 32 * width + i % width];
        word = static_cast<std::int32_t>(static_cast<std::uint32_t>(word) | flip << bit);
      }
  }

  std::size_t size() const noexcept { return m_size; }
  std::size_t memory_bytes() const noexcept { return m_flips.size() * sizeof(std::int32_t); }

  /// `to` becomes the rotated `from`; both hold size() floats, and must not overlap. O(n_rounds size log size).
  void apply(std::size_t rotation, const float* from, float* to) const noexcept {
    const std::int32_t* flips = m_flips.data() + rotation * m_n_rounds * words();
    if (m_size <= transform_block) {
      with_registers(m_size, [&](auto n_registers) {
        constexpr std::size_t R = n_registers;
        simd::batch<float> v[R];
        simd::unroll<R>([&](auto r) { v[r] = simd::load(from + r * width); });
        for (std::size_t round = 0; round < m_n_rounds; ++round, flips += words()) {
          flip(v, simd::load(flips));
          transform(v);
        }
        simd::unroll<R>([&](auto r) { v[r].store_unaligned(to + r * width); });
      });
    } else {
      for (std::size_t round = 0; round < m_n_rounds; ++round, flips += words(), from = to) {
        for (std::size_t i = 0; i < m_size; i += transform_block) {
          constexpr std::size_t R = transform_registers;
          const std::size_t first = i / width;
          simd::batch<float> v[R];
          simd::unroll<R>([&](auto r) { v[r] = simd::load(from + i + r * width); });
          flip(v, simd::load(flips + first / 32 * width) << static_cast<int>(first % 32));
          transform(v);
          simd::unroll<R>([&](auto r) { v[r].store_unaligned(to + i + r * width); });
        }
        memory_levels(to, m_size, transform_block);
      }
    }
  }

 private:
  static constexpr std::size_t width = simd::lanes<float>;

  template <std::size_t R>
  [[gnu::always_inline]] static void flip(simd::batch<float> (&v)[R], const simd::batch<std::int32_t>& words) noexcept {
    simd::unroll<R>([&](auto r) { v[r] = simd::flip_signs<r>(v[r], words); });
  }

  /// The words of one round. A vector of words serves 32 registers: bit 31 - r of its lane l tells whether lane l of
  /// register r is negated, and a shift by r brings that bit to the sign.
  std::size_t words() const noexcept { return (m_size / width + 31) / 32 * width; }

  std::size_t m_size, m_n_rounds;
  aligned_vector<std::int32_t> m_flips;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
