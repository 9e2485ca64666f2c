#pragma once

/// \file
/// Rows of Python's objects as annulus_rows, without copies where their memory can be read as it is.

#include "errors.hpp"

#include <nanobind/ndarray.h>

#include <cstdint>
#include <memory>

namespace annulus_python {

/// What rows are, as an index or a matrix has them. Queries of another type of numbers are converted to it.
struct row_kind {
  annulus_layout layout = ANNULUS_DENSE;
  annulus_dtype dtype = ANNULUS_F32;
  std::size_t dim = 0;
};

/// annulus.Rows: rows that Python code has prepared, and the arrays that hold them.
class prepared_rows {
 public:
  static prepared_rows csr(nb::handle indptr, nb::handle indices, nb::handle values, std::size_t dim);
  static prepared_rows bits(nb::handle packed, std::size_t n_bits);
  static prepared_rows bfloat16(nb::handle halves);

  const annulus_rows& get() const noexcept { return m_rows; }

 private:
  annulus_rows m_rows{};
  nb::object m_arrays;
};

/// A buffer of an object, for the time that this object lives. Needs the GIL at both ends.
class buffer {
 public:
  buffer() = default;
  buffer(const buffer&) = delete;
  buffer& operator=(const buffer&) = delete;
  ~buffer() { release(); }
  void release() noexcept {
    if (m_view.obj != nullptr) PyBuffer_Release(&m_view);
  }
  /// Releases the one that it has. Whether the object has a buffer with these properties; clears the exception where it
  /// has none.
  bool take(nb::handle object, int flags) noexcept;
  /// The same, where an object must have one. \throws python_error
  void require(nb::handle object, int flags);
  const Py_buffer& view() const noexcept { return m_view; }

 private:
  Py_buffer m_view{};
};

/// The type of the numbers that a buffer's format names, all but bools; -1 for others, and for those in another order
/// of bytes.
int dtype_of_format(const char* format) noexcept;

/// Rows of an argument, for the time of a call.
class rows_argument {
 public:
  /// Data: rows of whatever kind `object` has. `pack_bits`: whether arrays of bools become packed bits, or else bytes.
  rows_argument(nb::handle object, const char* name, bool pack_bits);
  /// Queries: rows of a given kind; one row may be an array of one dimension.
  rows_argument(nb::handle object, const char* name, const row_kind& kind);
  rows_argument(const rows_argument&) = delete;
  rows_argument& operator=(const rows_argument&) = delete;

  const annulus_rows* get() const noexcept { return &m_rows; }
  std::size_t size() const noexcept { return m_rows.n; }
  bool is_vector() const noexcept { return m_is_vector; }  ///< an array of one dimension: one row
  row_kind kind() const noexcept { return {m_rows.layout, m_rows.dtype, m_rows.dim}; }

 private:
  bool take(nb::handle object);
  bool take_buffer(nb::handle object);
  bool take_dlpack(nb::handle object);
  bool set_dense(int dtype, const void* data, std::size_t n_dimensions, const std::int64_t* shape,
                 const std::int64_t* strides) noexcept;

  annulus_rows m_rows{};
  bool m_is_vector = false;
  nb::object m_converted;  // before the buffer, which refers to it
  buffer m_buffer;
  nb::ndarray<nb::ro, nb::device::cpu> m_tensor;
};

/// n rows of `rows` from row `begin` on.
class piece_of_rows {
 public:
  explicit piece_of_rows(const annulus_rows& rows) : m_whole(rows), m_piece(rows) {}
  const annulus_rows* take(std::size_t begin, std::size_t n);

 private:
  const annulus_rows& m_whole;
  annulus_rows m_piece;
  std::unique_ptr<std::int64_t[]> m_indptr;
};

void bind_rows(nb::module_& module);

}  // namespace annulus_python
