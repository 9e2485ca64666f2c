#pragma once

/// \file
/// Rows of any kind as bytes, to be sent: a header, then the rows one behind the other; of sparse rows the offsets, the
/// values and the indices. annulus.hpp leaves this header out.

#include <annulus/core/rows/row_types.hpp>
#include <annulus/dynamic/any_rows.hpp>

#include <cstring>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// In front of the rows, which it keeps aligned.
struct packed_header {
  std::uint64_t n = 0, dim = 0;
  std::uint64_t row_bytes = 0;                      ///< of a dense row
  std::uint64_t stored = 0;                         ///< coordinates of all sparse rows
  std::uint32_t is_sparse = 0, value_bytes = 0;     ///< value_bytes: of a coordinate of sparse rows, 0 of sets
  std::uint32_t layout = ANNULUS_DENSE, dtype = 0;  ///< those of any_rows

  static constexpr std::size_t offset_bytes = sizeof(std::int64_t), index_bytes = sizeof(std::int32_t);
  std::size_t bytes_of_offsets() const noexcept { return is_sparse != 0 ? offset_bytes * (n + 1) : 0; }
  std::size_t bytes_of_values() const noexcept { return is_sparse != 0 ? stored * value_bytes : n * row_bytes; }
  std::size_t bytes_of_indices() const noexcept { return stored * index_bytes; }
};
static_assert(sizeof(packed_header) == 48);

using packed_rows = std::vector<std::byte>;
using packed_view = std::span<const std::byte>;

inline packed_header header_of(packed_view packed) noexcept {
  packed_header header;
  std::memcpy(&header, packed.data(), sizeof(header));
  return header;
}

/// Where the parts of packed rows are written, front to back.
struct packed_writer {
  explicit packed_writer(const packed_header& header)
      : packed(sizeof(header) + header.bytes_of_offsets() + header.bytes_of_values() + header.bytes_of_indices()),
        offsets(packed.data() + sizeof(header)),
        values(offsets + header.bytes_of_offsets()),
        indices(values + header.bytes_of_values()) {
    std::memcpy(packed.data(), &header, sizeof(header));
  }
  static void put(std::byte*& to, const void* from, std::size_t bytes) noexcept {
    if (bytes > 0) std::memcpy(to, from, bytes);  // a null pointer may be copied by no bytes either
    to += bytes;
  }

  packed_rows packed;
  std::byte *offsets, *values, *indices;
};

/// Dense rows, the i-th at row(i).
template <class Row>
packed_rows pack_dense(const packed_header& header, Row row) {
  packed_writer writer(header);
  for (std::size_t i = 0; i < header.n; ++i) packed_writer::put(writer.values, row(i), header.row_bytes);
  return std::move(writer.packed);
}

struct packed_sparse_row {
  const std::int32_t* indices;
  const void* values;
  std::size_t stored;
};
/// Sparse rows, the i-th being the packed_sparse_row row(i).
template <class Row>
packed_rows pack_sparse(packed_header header, Row row) {
  header.is_sparse = 1;
  for (std::size_t i = 0; i < header.n; ++i) header.stored += row(i).stored;
  packed_writer writer(header);
  std::int64_t end = 0;
  packed_writer::put(writer.offsets, &end, sizeof(end));
  for (std::size_t i = 0; i < header.n; ++i) {
    const packed_sparse_row from = row(i);
    end += static_cast<std::int64_t>(from.stored);
    packed_writer::put(writer.offsets, &end, sizeof(end));
    packed_writer::put(writer.values, from.values, from.stored * header.value_bytes);
    packed_writer::put(writer.indices, from.indices, from.stored * packed_header::index_bytes);
  }
  return std::move(writer.packed);
}

/// The rows of these numbers, any list with size() and [].
template <class T, class Numbers>
packed_rows pack_rows(const matrix_view<T>& rows, const Numbers& numbers) {
  const packed_header header{.n = numbers.size(), .dim = rows.cols(), .row_bytes = rows.cols() * sizeof(T)};
  return pack_dense(header, [&](std::size_t i) { return rows.row(numbers[i]).data(); });
}
template <class T, class Numbers>
packed_rows pack_rows(const csr_view<T>& rows, const Numbers& numbers) {
  const packed_header header{
      .n = numbers.size(), .dim = rows.dim(), .value_bytes = rows.has_values() ? std::uint32_t{sizeof(T)} : 0};
  return pack_sparse(header, [&](std::size_t i) {
    const sparse_row<T> row = rows.row(numbers[i]);
    return packed_sparse_row{row.indices.data(), row.values.data(), row.indices.size()};
  });
}
template <class Numbers>
packed_rows pack_rows(const any_rows& rows, const Numbers& numbers) {
  const annulus_rows& from = *rows.c_rows();
  const auto* const data = static_cast<const std::byte*>(from.data);
  const std::uint32_t bytes = from.dtype == ANNULUS_F64                                 ? 8
                              : from.dtype == ANNULUS_F32                               ? 4
                              : from.dtype == ANNULUS_F16 || from.dtype == ANNULUS_BF16 ? 2
                                                                                        : 1;
  packed_header header{.n = numbers.size(), .dim = from.dim, .layout = from.layout, .dtype = from.dtype};
  if (from.layout == ANNULUS_CSR) {
    header.value_bytes = data == nullptr ? 0 : bytes;
    return pack_sparse(header, [&](std::size_t i) {
      const auto begin = static_cast<std::size_t>(from.indptr[numbers[i]]);
      const auto end = static_cast<std::size_t>(from.indptr[numbers[i] + 1]);
      return packed_sparse_row{from.indices + begin, data == nullptr ? data : data + begin * bytes, end - begin};
    });
  }
  const bool is_bits = from.layout == ANNULUS_BITS;
  header.row_bytes = is_bits ? from.dim / 8 + (from.dim % 8 != 0) : from.dim * bytes;
  const auto signed_bytes = static_cast<std::ptrdiff_t>(bytes);
  const auto row = [&](std::size_t i) {
    return data + static_cast<std::ptrdiff_t>(numbers[i]) * from.row_stride * signed_bytes;
  };
  if (is_bits || from.column_stride == 1) return pack_dense(header, row);
  packed_rows whole(header.row_bytes);
  return pack_dense(header, [&](std::size_t i) {
    std::byte* to = whole.data();
    for (std::ptrdiff_t j = 0; j < static_cast<std::ptrdiff_t>(from.dim); ++j)
      packed_writer::put(to, row(i) + j * from.column_stride * signed_bytes, bytes);
    return whole.data();
  });
}

/// Numbers first, first + 1, ...
struct row_range {
  std::size_t first = 0, count = 0;
  std::size_t size() const noexcept { return count; }
  std::size_t operator[](std::size_t i) const noexcept { return first + i; }
};
/// All rows.
template <class View>
packed_rows pack_rows(const View& rows) {
  return pack_rows(rows, row_range{0, rows.size()});
}

/// The rows of several blocks, one behind the other. Blocks of no rows may be of any dimension.
/// \throws std::invalid_argument where the others are not of the same dimension and type.
inline packed_rows join_packed(std::span<const packed_view> blocks) {
  packed_header header;
  for (const packed_view block : blocks) {
    const packed_header part = header_of(block);
    if (part.n == 0) continue;
    if (header.n == 0) header = part;
    else {
      if (part.dim != header.dim) invalid("dimension", part.dim, "must be the ", header.dim, " of the other ranks");
      if (header.stored == 0) header.value_bytes = part.value_bytes;  // rows of no coordinates do not tell
      if (part.layout != header.layout || part.dtype != header.dtype ||
          (part.stored > 0 && part.value_bytes != header.value_bytes))
        invalid("queries", "rows", "must be of the same layout and type on all ranks");
      header.n += part.n;
      header.stored += part.stored;
    }
  }
  if (header.n == 0) return packed_rows(blocks.front().begin(), blocks.front().end());
  packed_writer writer(header);
  std::int64_t end = 0;
  if (header.is_sparse != 0) packed_writer::put(writer.offsets, &end, sizeof(end));
  for (const packed_view block : blocks) {
    const packed_header part = header_of(block);
    if (part.n == 0) continue;
    const std::byte* from = block.data() + sizeof(part);
    for (std::size_t i = 0; part.is_sparse != 0 && i < part.n; ++i) {
      std::int64_t ends[2];
      std::memcpy(ends, from + packed_header::offset_bytes * i, sizeof(ends));
      end += ends[1] - ends[0];
      packed_writer::put(writer.offsets, &end, sizeof(end));
    }
    from += part.bytes_of_offsets();
    packed_writer::put(writer.values, from, part.bytes_of_values());
    packed_writer::put(writer.indices, from + part.bytes_of_values(), part.bytes_of_indices());
  }
  return std::move(writer.packed);
}

/// The rows in these bytes, a matrix_view, a csr_view or any_rows over them.
template <class View>
View unpack_rows(packed_view packed) {
  const packed_header header = header_of(packed);
  const std::byte* const offsets = packed.data() + sizeof(header);
  const std::byte* const values = offsets + header.bytes_of_offsets();
  const auto* const indptr = reinterpret_cast<const std::int64_t*>(offsets);
  const auto* const indices = reinterpret_cast<const std::int32_t*>(values + header.bytes_of_values());
  if constexpr (std::same_as<View, any_rows>) {
    const auto type = static_cast<dtype>(header.dtype);
    if (header.layout == ANNULUS_CSR)
      return any_rows::csr(type, header.n, header.dim, indptr, indices, header.value_bytes > 0 ? values : nullptr);
    if (header.layout == ANNULUS_BITS) return any_rows::bits(values, header.n, header.dim);
    return any_rows(type, values, header.n, header.dim);
  } else {
    using T = typename View::value_type;
    const auto* const numbers = reinterpret_cast<const T*>(values);
    if constexpr (is_matrix_view<View>) return View(numbers, header.n, header.dim);
    else if (header.is_sparse == 0) return View();
    else
      return View(std::span(indptr, header.n + 1), std::span(indices, header.stored),
                  std::span(numbers, header.value_bytes > 0 ? header.stored : 0), header.dim);
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
