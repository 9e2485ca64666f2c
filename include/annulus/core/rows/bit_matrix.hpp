#pragma once

/// \file
/// bit_matrix: an owning matrix of rows of packed bits.

#include <annulus/core/rows/matrix.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// Throws std::invalid_argument, naming the row, where a bit is set behind the last of rows of so many bits.
inline void check_padding(matrix_view<std::uint8_t> bytes, std::size_t bits, std::string_view name) {
  if (bits % 8 == 0) return;
  for (std::size_t i = 0; i < bytes.rows(); ++i)
    if (bytes.row(i).back() >> bits % 8 != 0)
      invalid(name, "padding", "row ", i, " has a bit set behind the last of its ", bits, " bits: clear it");
}

}  // namespace detail

/// Rows of bits packed eight to a byte, the first in the lowest bit; the unused bits of a last byte are zero, and
/// nothing writes to them. row(i) is a span of bytes, dim() counts them. Converts to a matrix_view of the bytes.
class bit_matrix {
 public:
  using value_type = std::uint8_t;  ///< of bytes, eight bits each

  bit_matrix() = default;
  /// All bits zero. \param rows how many \param bits of each \throws std::bad_alloc
  bit_matrix(std::size_t rows, std::size_t bits) : m_bytes(rows, bytes_for(bits)), m_bits(bits) {}
  /// Takes over packed rows. \param bytes as numpy.packbits(bitorder="little") makes them \param bits of each row
  /// \throws std::invalid_argument for rows of other than bits / 8 bytes, rounded up, and for a bit that is set behind
  /// the last.
  bit_matrix(matrix<std::uint8_t> bytes, std::size_t bits) : m_bytes(std::move(bytes)), m_bits(bits) {
    if (cols() != bytes_for(bits))
      detail::invalid("bytes.cols()", cols(), "must be ", bytes_for(bits), ", for the bits");
    detail::check_padding(m_bytes, bits, "bytes");
  }

  friend bool operator==(const bit_matrix&, const bit_matrix&) = default;

  std::size_t rows() const noexcept { return m_bytes.rows(); }            ///< \returns the number of rows
  std::size_t cols() const noexcept { return m_bytes.cols(); }            ///< \returns bytes of a row
  std::size_t bits() const noexcept { return m_bits; }                    ///< \returns bits of a row
  std::size_t size() const noexcept { return rows(); }                    ///< \returns the number of rows
  std::size_t dim() const noexcept { return cols(); }                     ///< \returns bytes of a row
  const matrix<std::uint8_t>& bytes() const noexcept { return m_bytes; }  ///< \returns the rows, packed
  const std::uint8_t* data() const noexcept { return m_bytes.data(); }    ///< \returns the first byte of row 0
  /// \param i below rows() \returns the bytes of row i
  std::span<const std::uint8_t> row(std::size_t i) const noexcept { return m_bytes.row(i); }
  /// \param i below rows() \param byte below cols() \returns a byte of row i
  std::uint8_t operator()(std::size_t i, std::size_t byte) const noexcept { return m_bytes(i, byte); }
  /// A view of the bytes.
  operator matrix_view<std::uint8_t>() const noexcept { return m_bytes; }

  /// \param i below rows() \param bit of row i \returns whether it is set
  /// \throws std::invalid_argument for a bit that is not below bits().
  bool test(std::size_t i, std::size_t bit) const {
    check(bit);
    return (m_bytes(i, bit / 8) >> (bit % 8) & 1u) != 0;
  }
  /// \param i below rows() \param bit of row i \param value what it becomes
  /// \throws std::invalid_argument for a bit that is not below bits().
  void set(std::size_t i, std::size_t bit, bool value = true) {
    check(bit);
    const auto flag = static_cast<std::uint8_t>(1u << (bit % 8));
    std::uint8_t& byte = m_bytes(i, bit / 8);
    byte = static_cast<std::uint8_t>(value ? byte | flag : byte & ~flag);
  }
  /// Sets all bits of a row. O(bits). \param i below rows() \param values one for each bit, which is set where that is
  /// not 0 \throws std::invalid_argument for other than bits() values.
  void assign(std::size_t i, std::span<const std::uint8_t> values) {
    if (values.size() != m_bits) detail::invalid("values.size()", values.size(), "must be bits() = ", m_bits);
    const std::span<std::uint8_t> bytes = m_bytes.row(i);
    for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
      unsigned packed = 0;
      const std::size_t n = std::min<std::size_t>(8, m_bits - 8 * byte);
      for (std::size_t b = 0; b < n; ++b) packed |= unsigned{values[8 * byte + b] != 0} << b;
      bytes[byte] = static_cast<std::uint8_t>(packed);
    }
  }

 private:
  static std::size_t bytes_for(std::size_t bits) noexcept { return bits / 8 + (bits % 8 != 0); }
  void check(std::size_t bit) const {
    if (bit >= m_bits) detail::invalid("bit", bit, "must be below bits() = ", m_bits);
  }

  matrix<std::uint8_t> m_bytes;
  std::size_t m_bits = 0;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
