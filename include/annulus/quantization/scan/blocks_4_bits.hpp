#pragma once

/// \file
/// Codes of at most 4 bits, packed in blocks of 32 vectors for scans by byte shuffles.

#include <annulus/quantization/scan/block_layout.hpp>
#include <annulus/storage/archive.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The place of a nibble in its block.
struct nibble_place {
  std::size_t byte;
  unsigned shift;  ///< 0 or 4
};

/// The order of faiss's IndexPQFastScan (bbs = 32): 16 bytes a sub-quantiser, in pairs. Byte j holds vector p_j in its
/// low nibble and p_j + 16 in its high one, p = 0, 8, 1, 9, ..., 7, 15: as 16-bit words, even bytes are vectors 0 to 7.
struct pair_order {
  static constexpr std::size_t number = 0;
  static constexpr std::size_t step = 2;  ///< m is rounded up to a multiple of this
  static constexpr nibble_place place(std::size_t vector, std::size_t m) noexcept {
    const std::size_t v = vector % 16;
    return {16 * m + 2 * (v % 8) + v / 8, vector < 16 ? 0u : 4u};
  }
};

/// 64 bytes for four sub-quantisers, those of one vector side by side: one instruction sums the four into 32 bits.
struct quad_order {
  static constexpr std::size_t number = 1;
  static constexpr std::size_t step = 4;
  static constexpr nibble_place place(std::size_t vector, std::size_t m) noexcept {
    return {64 * (m / 4) + 4 * (vector % 16) + m % 4, vector < 16 ? 0u : 4u};
  }
};

#if defined(__AVX512VBMI__) && defined(__AVX512VNNI__)
using nibble_order = quad_order;
#else
using nibble_order = pair_order;
#endif

/// n codes of m nibbles. The nibbles of vectors behind the last are zero. Those of sub-quantisers behind the last may
/// have any value: their tables are zero.
template <class Order = nibble_order>
class blocks_4_bits {
 public:
  using order = Order;
  static constexpr std::size_t vectors_a_block = 32;
  static constexpr std::size_t table_stride = 16;  ///< bytes a sub-quantiser in the tables of a scan

  /// No codes yet, of m >= 1 nibbles each.
  explicit blocks_4_bits(std::size_t m) : m_m(m) {
    if (m == 0) invalid("m", m, "must be at least 1");
  }

  /// A file names the order of the build that wrote it; a build with another order rearranges the codes.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    std::size_t written = Order::number;
    archive("count", self.m_size);
    archive.choice("order", written, {"pairs", "quads"});
    const std::uint64_t n_blocks = self.blocks();
    if (written == Order::number) {
      archive("blocks", self.m_bytes, {n_blocks, self.block_bytes()});
    } else if constexpr (Archive::is_loading) {
      using other_order = std::conditional_t<Order::number == 0, quad_order, pair_order>;
      buffer<std::uint8_t> bytes;
      archive("blocks", bytes, {n_blocks, block_bytes_of<other_order>(self.m_m)});
      self.template adopt<other_order>(bytes.data(), self.m_size);
    }
  }

  std::string defect(std::size_t ks) const {
    for (std::size_t i = 0; i < m_size; ++i)
      for (std::size_t j = 0; j < m_m; ++j)
        if (code(i, j) >= ks) return "the code of vector " + std::to_string(i) + " is not below ks";
    for (std::size_t i = m_size; i < blocks() * vectors_a_block; ++i)  // new codes are added by setting bits there
      for (std::size_t j = 0; j < m_m; ++j)
        if (code(i, j) != 0) return "the padding of the last block is not zero";
    return {};
  }

  /// Takes the bytes of an IndexPQFastScan that holds n codes: ceil(n / 32) * 16 * (m rounded up to even) of them.
  /// \throws std::invalid_argument for another number of bytes.
  blocks_4_bits(std::size_t m, std::size_t n, std::span<const std::uint8_t> packed) : blocks_4_bits(m) {
    const std::size_t expected = blocks_of(n) * block_bytes_of<pair_order>(m);
    if (packed.size() != expected) invalid("packed bytes", packed.size(), "must be ", expected);
    adopt<pair_order>(packed.data(), n);
  }

  /// Appends n x m codes, one a byte, all < 16 and of this m. O(n m); nothing changes where it throws.
  void append(matrix_view<std::uint8_t> codes) {
    const std::size_t first = m_size;
    grow(m_size + codes.rows());
    for (std::size_t i = 0; i < codes.rows(); ++i)
      for (std::size_t j = 0; j < m_m; ++j) put(first + i, j, codes.row(i)[j]);
  }

  std::size_t size() const noexcept { return m_size; }
  std::size_t m() const noexcept { return m_m; }
  std::size_t blocks() const noexcept { return blocks_of(m_size); }
  std::size_t block_bytes() const noexcept { return block_bytes_of<Order>(m_m); }
  std::size_t table_bytes() const noexcept { return padded<Order>(m_m) * table_stride; }
  std::size_t memory_bytes() const noexcept { return m_bytes.memory_bytes(); }
  const std::uint8_t* block(std::size_t b) const noexcept { return m_bytes.data() + b * block_bytes(); }

  std::uint8_t code(std::size_t i, std::size_t m) const noexcept { return get<Order>(m_bytes.data(), m_m, i, m); }

  /// The bytes that an IndexPQFastScan of these codes holds.
  std::vector<std::uint8_t> packed() const {
    const std::size_t bytes = block_bytes_of<pair_order>(m_m);
    std::vector<std::uint8_t> result(blocks() * bytes);
    for (std::size_t i = 0; i < m_size; ++i)
      for (std::size_t j = 0; j < m_m; ++j) {
        const nibble_place at = pair_order::place(i % vectors_a_block, j);
        std::uint8_t& byte = result[i / vectors_a_block * bytes + at.byte];
        byte = static_cast<std::uint8_t>(byte | code(i, j) << at.shift);
      }
    return result;
  }

 private:
  template <class O>
  static constexpr std::size_t padded(std::size_t m) noexcept {
    return (m + O::step - 1) / O::step * O::step;
  }
  template <class O>
  static constexpr std::size_t block_bytes_of(std::size_t m) noexcept {
    return padded<O>(m) * vectors_a_block / 2;
  }
  static constexpr std::size_t blocks_of(std::size_t n) noexcept {
    return n / vectors_a_block + (n % vectors_a_block != 0);
  }

  template <class O>
  static std::uint8_t get(const std::uint8_t* bytes, std::size_t m, std::size_t i, std::size_t j) noexcept {
    const nibble_place at = O::place(i % vectors_a_block, j);
    return static_cast<std::uint8_t>(bytes[i / vectors_a_block * block_bytes_of<O>(m) + at.byte] >> at.shift & 15);
  }

  /// Writes a nibble, which is zero before.
  void put(std::size_t i, std::size_t j, std::uint8_t value) noexcept {
    const nibble_place at = Order::place(i % vectors_a_block, j);
    std::uint8_t& byte = m_bytes[i / vectors_a_block * block_bytes() + at.byte];
    byte = static_cast<std::uint8_t>(byte | value << at.shift);
  }

  /// Copies n codes from blocks of another order; these blocks are empty before.
  template <class O>
  void adopt(const std::uint8_t* bytes, std::size_t n) {
    grow(n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < m_m; ++j) put(i, j, get<O>(bytes, m_m, i, j));
  }

  void grow(std::size_t n) {
    m_bytes.resize(checked_product(blocks_of(n), block_bytes(), "codes"));
    m_size = n;
  }

  std::size_t m_m, m_size = 0;
  buffer<std::uint8_t> m_bytes;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
