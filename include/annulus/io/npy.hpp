#pragma once

/// \file
/// numpy's .npy files: one array each, with its type and shape.

#include <annulus/core/matrix.hpp>
#include <annulus/io/npy_header.hpp>

namespace annulus::inline ANNULUS_ARCH {

/// An array of any number of dimensions: as many values as the product of the shape, in C order, the last index the
/// fastest. Without dimensions it is one value.
template <npy_scalar T>
struct npy_array {
  std::vector<std::size_t> shape = {0};
  std::vector<T> values = {};

  friend bool operator==(const npy_array&, const npy_array&) = default;
};

namespace detail {

/// The values of a file that stands at the first of them, in C order. Those in Fortran order are read in groups of
/// columns that fill a cache line of the result together, else each value would cost the memory a line.
template <class T>
void read_npy_values(input_file& file, const npy_header& header, std::span<T> values) {
  const auto& shape = header.shape();
  if (!header.is_fortran_order() || shape.size() < 2 || values.empty()) {
    file.read(values.data(), values.size_bytes());
    return;
  }
  std::vector<std::size_t> stride(shape.size(), 1), index(shape.size());
  for (std::size_t axis = shape.size() - 1; axis > 0; --axis) stride[axis - 1] = stride[axis] * shape[axis];
  const std::size_t rows = shape[0], cols = shape[1], group = std::min(cols, 64 / sizeof(T));
  std::vector<T> columns(rows * group);
  for (std::size_t read = 0, origin = 0; read < values.size(); read += rows * cols) {
    for (std::size_t first = 0; first < cols; first += group) {
      const std::size_t count = std::min(group, cols - first);
      file.read(columns.data(), rows * count * sizeof(T));
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < count; ++j)
          values[origin + i * stride[0] + (first + j) * stride[1]] = columns[j * rows + i];
    }
    for (std::size_t axis = 2; axis < shape.size(); ++axis) {
      origin += stride[axis];
      if (++index[axis] < shape[axis]) break;
      origin -= stride[axis] * std::exchange(index[axis], 0);
    }
  }
}

template <class T>
void write_npy_rows(const std::filesystem::path& path, std::span<const std::size_t> shape, const matrix_view<T>& rows) {
  output_file file(path);
  const std::string header = npy_header_bytes(npy_dtype<T>(), shape);
  file.write(header.data(), header.size());
  const std::size_t n = rows.cols() > 0 ? rows.rows() : 0;  // rows without values may be any number
  for (std::size_t i = 0; i < n; ++i) file.write(rows.row(i).data(), rows.row(i).size_bytes());
  file.commit();
}

}  // namespace detail

/// Reads an array of any number of dimensions. T must be the file's dtype, nothing is converted; Fortran order becomes
/// C order. O(size of the file); what is allocated is at most twice that.
/// \throws format_error for another dtype or byte order, a malformed header, and a file whose size is not that of its
/// header and values.
/// \throws std::system_error where the file is missing, cannot be opened, or is not a regular file.
template <npy_scalar T>
npy_array<T> read_npy_array(const std::filesystem::path& path) {
  detail::input_file file(path);
  const detail::npy_header header(file);
  npy_array<T> result{header.shape(), std::vector<T>(header.count<T>(file))};
  detail::read_npy_values(file, header, std::span(result.values));
  return result;
}

/// Reads an array of two dimensions as a matrix of rows x cols, and one of n values in one dimension as a matrix of
/// 1 x n. All else is as in read_npy_array.
/// \throws format_error also for an array of other than 1 or 2 dimensions.
template <npy_scalar T>
matrix<T> read_npy(const std::filesystem::path& path) {
  detail::input_file file(path);
  const detail::npy_header header(file);
  const std::size_t count = header.count<T>(file);
  const auto& shape = header.shape();
  if (shape.empty() || shape.size() > 2)
    file.fail(header.shape_offset(), "a matrix has 1 or 2 dimensions, this array ", shape.size());
  matrix<T> result(shape.size() == 1 ? 1 : shape.front(), shape.back());
  detail::read_npy_values(file, header, std::span(result.data(), count));
  return result;
}

/// Writes rows as an array of two dimensions, rows x cols (a vector or span: 1 x n), version 1.0, the same bytes as
/// numpy.save's. The file appears whole under its name or not at all: it is written beside it first.
/// \throws std::system_error where the file cannot be written.
template <matrix_like M>
  requires npy_scalar<value_t<M>>
void write_npy(const std::filesystem::path& path, const M& rows) {
  const matrix_view<value_t<M>> view(rows);
  detail::write_npy_rows(path, std::array{view.rows(), view.cols()}, view);
}

/// Writes an array of any number of dimensions, up to numpy's 64. All else is as for rows.
/// \throws std::invalid_argument for more dimensions, and for a shape whose product is not the number of values.
template <npy_scalar T>
void write_npy(const std::filesystem::path& path, const npy_array<T>& array) {
  if (array.shape.size() > detail::npy_max_dimensions)
    detail::invalid("shape.size()", array.shape.size(), "must be at most ", detail::npy_max_dimensions);
  if (detail::npy_count(array.shape, sizeof(T)) != array.values.size())
    detail::invalid("values.size()", array.values.size(), "must be the product of the shape");
  detail::write_npy_rows(path, array.shape, matrix_view<T>(array.values));
}

}  // namespace annulus::inline ANNULUS_ARCH
