#pragma once

/// \file
/// RaBitQ codes of 32 rows side by side, and their inner products with a query, by table look-ups of single bits.

#include <annulus/core/base/allocator.hpp>
#include <annulus/core/simd/batch.hpp>
#include <annulus/core/simd/byte_lookup.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Where the values of 32 codes are in a block of bytes, the same in every build: plane after plane, plane b holding
/// bit b of all values; a plane column after column, a column being eight dimensions of 32 codes: a byte for each, at
/// simd::byte_of_row of its slot.
class rabitq_layout {
 public:
  static constexpr std::size_t codes_a_block = simd::rows_a_block;

  /// dim >= 1, 1 <= bits <= 8.
  rabitq_layout(std::size_t dim, unsigned bits) noexcept : m_dim(dim), m_bits(bits) {}

  std::size_t dim() const noexcept { return m_dim; }
  unsigned bits() const noexcept { return m_bits; }
  std::size_t columns() const noexcept { return (m_dim + 7) / 8; }
  std::size_t plane_bytes() const noexcept { return columns() * codes_a_block; }
  std::size_t block_bytes() const noexcept { return m_bits * plane_bytes(); }

  /// Writes the code in a slot of a block: dim() values below 2^bits, one a byte. The bits behind the last dimension
  /// become 0.
  void put(std::uint8_t* block, std::size_t slot, const std::uint8_t* values) const noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101u, gather = 0x0102040810204080u;
    for (std::size_t c = 0; c < columns(); ++c, values += 8) {
      std::uint8_t last[8] = {};
      if (8 * c + 8 > m_dim) values = std::copy_n(values, m_dim - 8 * c, last) - (m_dim - 8 * c);
      std::uint64_t eight;
      std::memcpy(&eight, values, sizeof eight);
      std::uint8_t* byte = block + c * codes_a_block + simd::byte_of_row(slot);
      for (unsigned b = 0; b < m_bits; ++b, byte += plane_bytes())
        *byte = static_cast<std::uint8_t>(((eight >> b & ones) * gather) >> 56);
    }
  }

  /// Reads the dim() values of the code in a slot.
  void get(const std::uint8_t* block, std::size_t slot, std::uint8_t* values) const noexcept {
    for (std::size_t i = 0; i < m_dim; ++i) {
      const std::uint8_t* byte = block + i / 8 * codes_a_block + simd::byte_of_row(slot);
      unsigned value = 0;
      for (unsigned b = 0; b < m_bits; ++b, byte += plane_bytes()) value |= (*byte >> (i % 8) & 1u) << b;
      values[i] = static_cast<std::uint8_t>(value);
    }
  }

 private:
  std::size_t m_dim;
  unsigned m_bits;
};

/// A query y, rounded to y_i = unit * z_i with whole z_i, as tables. `unit` is the same for all coordinates; it is
/// about a 250th of the largest sum of magnitudes of 24 coordinates in a row: of a rotated row, about a tenth of the
/// standard deviation of a coordinate. The sums are exact in z, and so the same in every build.
template <class Kernel = simd::byte_lookup>
class rabitq_tables {
 public:
  /// Memory for queries of `dim` >= 1 dimensions.
  explicit rabitq_tables(std::size_t dim)
      : m_dim(dim), m_coordinates(padded(dim)), m_weights(padded(dim)), m_tables(Kernel::table_bytes(columns())) {}

  std::size_t dim() const noexcept { return m_dim; }
  std::size_t columns() const noexcept { return (m_dim + 7) / 8; }
  std::size_t memory_bytes() const noexcept {
    return m_coordinates.capacity() * sizeof(float) + m_weights.capacity() * sizeof(std::int16_t) + m_tables.capacity();
  }

  /// Takes the query of `dim()` finite floats. O(dim); no allocation.
  void prepare(const float* y) noexcept {
    std::copy_n(y, m_dim, m_coordinates.data());
    round();
    Kernel::fill(m_weights.data(), columns(), m_tables.data());
  }

  /// The most by which a sum for codes of `bits` bits can differ from <x, y>: the sum of the roundings' magnitudes,
  /// times the greatest |x_i|.
  float greatest_error(unsigned bits) const noexcept { return outermost(bits) * m_error_sum; }

  /// |y - unit z|: a sum <x, y> differs by |x| times this at most, and by |x| / sqrt(dim) times this in general, as the
  /// roundings have nothing to do with x.
  float error_length() const noexcept { return m_error_length; }

  /// out[i] = <x, y> of the code in slot i of a block of codes of this dimension.
  void sums(const rabitq_layout& layout, const std::uint8_t* block, float* out) const noexcept {
    alignas(64) std::int32_t totals[simd::rows_a_block] = {};
    for (unsigned b = 0; b < layout.bits(); ++b)
      for (std::size_t c = 0; c < columns(); c += simd::columns_a_short)
        add(block + b * layout.plane_bytes() + c * simd::rows_a_block, c, b, totals);
    // sum of 2^b bit_b(u_i) z_i - (2^bits - 1) / 2 z_i, where the kernel adds |z_i| for bits not set if z_i < 0.
    const auto middle = static_cast<std::int32_t>(((1u << layout.bits()) - 1u) * m_magnitudes);
    for (std::size_t i = 0; i < simd::rows_a_block; i += simd::lanes<std::int32_t>) {
      const auto total = simd::batch<std::int32_t>::load_aligned(totals + i);
      const auto twice = total + total - simd::batch<std::int32_t>(middle);
      (xsimd::to_float(twice) * simd::batch<float>(0.5f * m_unit)).store_unaligned(out + i);
    }
  }

  /// Of codes of one bit and at most 6144 dimensions: <x, y> of the code in slot i is
  /// unit() * (out[i] - magnitudes() / 2).
  void whole_sums(const std::uint8_t* block, std::int32_t* out) const noexcept {
    Kernel::sum(block, columns(), m_tables.data(), out);
  }
  float unit() const noexcept { return m_unit; }
  float magnitudes() const noexcept { return static_cast<float>(m_magnitudes); }  ///< the sum of all |z_i|

 private:
  /// totals[i] += 2^b times the sums of a plane's columns from `first` on, as many as 16 bits hold.
  void add(const std::uint8_t* plane, std::size_t first, unsigned b, std::int32_t* totals) const noexcept {
    using batch = simd::batch<std::int32_t>;
    alignas(64) std::int32_t sums[simd::rows_a_block];
    const std::size_t count = std::min(columns() - first, simd::columns_a_short);
    Kernel::sum(plane, count, m_tables.data() + Kernel::table_bytes(first), sums);
    for (std::size_t i = 0; i < simd::rows_a_block; i += batch::size)
      (batch::load_aligned(totals + i) + (batch::load_aligned(sums + i) << static_cast<int>(b)))
          .store_aligned(totals + i);
  }

  static constexpr std::size_t sum_dims = 8 * simd::columns_a_sum;  ///< whose magnitudes sum to at most 255
  static_assert(2 * sum_dims % simd::lanes<float> == 0);

  static std::size_t padded(std::size_t dim) noexcept {
    return (dim + 2 * sum_dims - 1) / (2 * sum_dims) * 2 * sum_dims;
  }
  static float outermost(unsigned bits) noexcept { return 0.5f * static_cast<float>((1u << bits) - 1u); }

  /// The largest sum of magnitudes, divided by 32 so that it is finite where they are, of sum_dims coordinates.
  float largest_sum() const noexcept {
    constexpr std::size_t n_sums = 8;
    float largest = 0;
    for (std::size_t i = 0; i < m_coordinates.size(); i += sum_dims) {
      const float* const y = m_coordinates.data() + i;
      float sums[n_sums];
      for (std::size_t j = 0; j < n_sums; ++j)
        sums[j] = std::abs(y[j]) * 0x1p-5f + std::abs(y[j + n_sums]) * 0x1p-5f + std::abs(y[j + 2 * n_sums]) * 0x1p-5f;
      const float sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
      largest = std::max(largest, sum);
    }
    return largest;
  }

  void round() noexcept {
    using batch = simd::batch<float>;
    constexpr float room = 255 - 0.5f * sum_dims - 1;  // for the roundings of sum_dims coordinates
    constexpr float least = 1e-30f;                    // a query that is nearly 0 is rounded to 0
    const float largest = largest_sum();
    const float scale = largest > least ? room * 0x1p-5f / largest : 0;
    m_unit = largest > least ? largest / (room * 0x1p-5f) : 0;
    batch error_sum(0.0f), error_square(0.0f);
    simd::batch<std::int32_t> magnitudes(0);
    for (std::size_t i = 0; i < m_coordinates.size(); i += simd::lanes<float>) {
      const batch y = simd::load(m_coordinates.data() + i);
      const auto z = xsimd::nearbyint_as_int(y * batch(scale));
      const batch error = xsimd::abs(y - xsimd::to_float(z) * batch(m_unit));
      error_sum += error;
      error_square += error * error;
      magnitudes += xsimd::abs(z);
      alignas(64) std::int32_t lanes[simd::lanes<float>];
      z.store_aligned(lanes);
      for (std::size_t j = 0; j < simd::lanes<float>; ++j) m_weights[i + j] = static_cast<std::int16_t>(lanes[j]);
    }
    m_magnitudes = static_cast<std::uint32_t>(simd::reduce_add(magnitudes));
    m_error_sum = simd::reduce_add(error_sum);
    m_error_length = std::sqrt(simd::reduce_add(error_square));
  }

  std::size_t m_dim;
  float m_unit = 0, m_error_sum = 0, m_error_length = 0;
  std::uint32_t m_magnitudes = 0;  ///< the sum of all |z_i|
  aligned_vector<float> m_coordinates;
  aligned_vector<std::int16_t> m_weights;
  aligned_vector<std::uint8_t> m_tables;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
