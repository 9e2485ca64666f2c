#pragma once

/// \file
/// Pseudo-random rotations of rows of any dimension, in O(dim log dim): rounds of random sign flips and Walsh-Hadamard
/// transforms (Ailon, Chazelle 2009).

#include <annulus/core/kernels/hadamard.hpp>
#include <annulus/storage/archive.hpp>

#include <bit>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// An orthogonal map of rows of `dim` >= 1 floats, drawn by a seed; the same bits in every build. A rotated row has its
/// length spread evenly over its coordinates, which then look like independent normal numbers.
///
/// Where dim is a power of two: three rounds of random signs and a transform. Else four rounds with the transform over
/// the first and, in turn, the last 2^floor(log2 dim) coordinates; after each two rounds follow the sums and
/// differences of the row's halves, without which coordinates near one end would hardly meet those near the other.
class random_rotation {
 public:
  explicit random_rotation(unfilled) {}
  /// \throws std::invalid_argument if dim is 0.
  random_rotation(std::size_t dim, std::uint64_t seed) : m_dim(dim), m_seed(seed) {
    if (dim == 0) invalid("dim", dim, "must be at least 1");
    draw();
  }

  std::size_t dim() const noexcept { return m_dim; }
  std::uint64_t seed() const noexcept { return m_seed; }
  std::size_t memory_bytes() const noexcept { return m_factors.capacity() * sizeof(float); }

  /// `out` becomes the rotated `in`; both hold dim() floats, and may be the same.
  void operator()(const float* in, float* out) const noexcept {
    const std::size_t size = std::bit_floor(m_dim), half = m_dim / 2;
    for (std::size_t round = 0; round < rounds(); ++round, in = out) {
      multiply(in, m_factors.data() + round * m_dim, out);
      transform_all(out + begin(round), size);
      if (!adds_halves(round)) continue;
      add_halves(out, half);
      if (m_dim % 2 != 0) out[m_dim - 1] *= std::numbers::sqrt2_v<float>;  // has no partner, but the factor of all
    }
  }

 private:
  using batch = simd::batch<float>;
  static constexpr std::size_t width = simd::lanes<float>;

  std::size_t rounds() const noexcept { return std::has_single_bit(m_dim) ? 3 : 4; }
  std::size_t begin(std::size_t round) const noexcept { return round % 2 == 0 ? 0 : m_dim - std::bit_floor(m_dim); }

  bool adds_halves(std::size_t round) const noexcept { return !std::has_single_bit(m_dim) && round % 2 == 1; }

  /// The factors of each round: random signs, times what makes the round an orthogonal map.
  void draw() {
    const std::size_t size = std::bit_floor(m_dim), words = (m_dim + 63) / 64;
    const double transform_scale = 1 / std::sqrt(static_cast<double>(size));
    m_factors.resize(rounds() * m_dim);
    const counter_random random(m_seed, 0x4A);
    for (std::size_t round = 0; round < rounds(); ++round) {
      const double scale = adds_halves(round) ? std::numbers::sqrt2 / 2 : 1;
      for (std::size_t i = 0; i < m_dim; ++i) {
        const bool is_flipped = (random.bits(round * words + i / 64) >> (i % 64) & 1u) != 0;
        const bool is_transformed = i - begin(round) < size;  // false where i < begin, as the difference wraps
        const double factor = is_transformed ? scale * transform_scale : scale;
        m_factors[round * m_dim + i] = static_cast<float>(is_flipped ? -factor : factor);
      }
    }
  }

  void multiply(const float* in, const float* factors, float* out) const noexcept {
    std::size_t i = 0;
    for (; i + width <= m_dim; i += width) (simd::load(in + i) * simd::load(factors + i)).store_unaligned(out + i);
    for (; i < m_dim; ++i) out[i] = in[i] * factors[i];
  }

  static void add_halves(float* x, std::size_t half) noexcept {
    std::size_t i = 0;
    for (; i + width <= half; i += width) {
      const batch a = simd::load(x + i), b = simd::load(x + half + i);
      (a + b).store_unaligned(x + i);
      (a - b).store_unaligned(x + half + i);
    }
    for (; i < half; ++i) {
      const float a = x[i], b = x[half + i];
      x[i] = a + b;
      x[half + i] = a - b;
    }
  }

  static void transform_all(float* x, std::size_t size) noexcept {
    if (size >= least_transform) return hadamard_transform(x, size);
    for (std::size_t distance = 1; distance < size; distance *= 2)
      for (std::size_t i = 0; i < size; i += 2 * distance) add_halves(x + i, distance);
  }

  std::size_t m_dim = 0;
  std::uint64_t m_seed = 0;
  aligned_vector<float> m_factors;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
