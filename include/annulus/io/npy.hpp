#pragma once

/// \file
/// numpy's .npy files: one array each, with its type and shape.

#include <annulus/io/file_rows.hpp>
#include <annulus/io/npy_header.hpp>

#include <annulus/core/macros_off.hpp>

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

/// The values of the indices `first` to `first` + `count` of the first axis, in C order.
template <class T>
struct npy_window {
  std::size_t first, count;
  std::span<T> values;
};

/// Values in Fortran order, in groups of columns that fill a cache line of the result together, else each value would
/// cost the memory a line.
template <class T>
void read_npy_columns(input_file& file, const npy_header& header, const npy_window<T>& window, transfer& transfer) {
  std::vector<std::size_t> shape = header.shape(), stride(shape.size(), 1), index(shape.size());
  const std::size_t height = std::exchange(shape[0], window.count);
  for (std::size_t axis = shape.size() - 1; axis > 0; --axis) stride[axis - 1] = stride[axis] * shape[axis];
  const std::size_t rows = window.count, cols = shape[1], group = std::min(cols, 64 / sizeof(T));
  std::vector<T> columns(rows * group);
  std::size_t n_before = 0;  // columns of the file, all axes but the first taken together
  for (std::size_t read = 0, origin = 0; read < window.values.size(); read += rows * cols, n_before += cols) {
    for (std::size_t left = 0; left < cols; left += group) {
      const std::size_t count = std::min(group, cols - left);
      for (std::size_t j = 0; j < count; ++j) {
        file.seek(header.data_offset() + ((n_before + left + j) * height + window.first) * sizeof(T));
        transfer.read(file, columns.data() + j * rows, rows * sizeof(T));
      }
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < count; ++j)
          window.values[origin + i * stride[0] + (left + j) * stride[1]] = columns[j * rows + i];
    }
    for (std::size_t axis = 2; axis < shape.size(); ++axis) {
      origin += stride[axis];
      if (++index[axis] < shape[axis]) break;
      origin -= stride[axis] * std::exchange(index[axis], 0);
    }
  }
}

template <class T>
void read_npy_values(input_file& file, const npy_header& header, const npy_window<T>& window,
                     const progress_callback& progress) {
  transfer transfer(progress, "read npy", window.values.size_bytes());
  if (window.values.empty()) return;
  if (header.is_fortran_order() && header.shape().size() > 1) return read_npy_columns(file, header, window, transfer);
  file.seek(header.data_offset() + window.first * (window.values.size_bytes() / window.count));
  transfer.read(file, window.values.data(), window.values.size_bytes());
}

/// The rows and columns of an array of one or two dimensions.
template <class T, class File>
std::array<std::size_t, 2> npy_matrix_shape(const File& file, const npy_header& header) {
  header.count<T>(file);
  const auto& shape = header.shape();
  if (shape.empty() || shape.size() > 2)
    file.fail(header.shape_offset(), "a matrix has 1 or 2 dimensions, this array ", shape.size());
  return {shape.size() == 1 ? 1 : shape.front(), shape.back()};
}

template <class T>
void write_npy_rows(const std::filesystem::path& path, std::span<const std::size_t> shape, const matrix_view<T>& rows,
                    const progress_callback& progress) {
  output_file file(path);
  const std::string header = npy_header_bytes(npy_dtype<T>(), shape);
  file.write(header.data(), header.size());
  const std::size_t row_bytes = rows.cols() * sizeof(T);
  transfer(progress, "write npy", row_bytes > 0 ? rows.rows() * row_bytes : 0).write_rows(file, rows);
  file.commit();
}

}  // namespace detail

/// Reads an array of any number of dimensions. T must be the file's dtype, nothing is converted; Fortran order becomes
/// C order. O(size of the file); what is allocated is at most twice that.
/// \throws format_error for another dtype or byte order, a malformed header, and a file whose size is not that of its
/// header and values.
/// \throws std::system_error where the file is missing, cannot be opened or read, or is not a regular file.
/// \throws cancelled where `progress` returns false.
template <npy_scalar T>
npy_array<T> read_npy_array(const std::filesystem::path& path, const progress_callback& progress = {}) {
  detail::input_file file(path);
  const detail::npy_header header(file);
  npy_array<T> result{header.shape(), std::vector<T>(header.count<T>(file))};
  const std::size_t rows = result.shape.empty() ? 1 : result.shape.front();
  detail::read_npy_values<T>(file, header, {0, rows, result.values}, progress);
  return result;
}

/// Reads rows `first` to `first` + `count` (fewer where the file has fewer) of an array of two dimensions; one of n
/// values in one dimension is a single row. O(bytes read), but that rows in Fortran order are read from every column:
/// a few of many take a seek a column. All else is as in read_npy_array.
/// \throws format_error also for an array of other than 1 or 2 dimensions.
/// \throws std::invalid_argument for `first` beyond the number of rows.
template <npy_scalar T>
matrix<T> read_npy(const std::filesystem::path& path, std::size_t first = 0, std::size_t count = all_rows,
                   const progress_callback& progress = {}) {
  detail::input_file file(path);
  const detail::npy_header header(file);
  const auto [rows, cols] = detail::npy_matrix_shape<T>(file, header);
  auto result = detail::rows_to_read<T>(detail::rows_of_window(first, count, rows, file.name()), cols);
  const std::span values(result.data(), result.rows() * cols);
  detail::read_npy_values<T>(file, header, {first, result.rows(), values}, progress);
  return result;
}

/// The rows of an array of one or two dimensions where they are, without a copy, in O(1). T must be the file's dtype.
/// \throws format_error also for two dimensions in Fortran order, and for values that do not begin at a multiple of
/// their size (numpy's begin at one of 64): read_npy reads both. All else is as in read_npy.
template <npy_scalar T>
mapped_rows<T> map_npy(const std::filesystem::path& path) {
  detail::mapped_file file(path);
  detail::mapped_reader reader(file);
  const detail::npy_header header(reader);
  const auto [rows, cols] = detail::npy_matrix_shape<T>(reader, header);
  if (header.is_fortran_order() && header.shape().size() > 1)
    file.fail(header.order_offset(), "Fortran order has no rows in memory: read the file instead");
  const auto view = detail::view_of_bytes<T>(file, header.data_offset(), rows, cols, cols);
  return {std::move(file), view};
}

/// Writes rows as an array of two dimensions, rows x cols (a vector or span: 1 x n), version 1.0, the same bytes as
/// numpy.save's. The file appears whole under its name or not at all: it is written beside it first.
/// \throws std::system_error where the file cannot be written; cancelled where `progress` returns false, which leaves
/// no file.
template <matrix_like M>
  requires npy_scalar<value_t<M>>
void write_npy(const std::filesystem::path& path, const M& rows, const progress_callback& progress = {}) {
  const matrix_view<value_t<M>> view(rows);
  detail::write_npy_rows(path, std::array{view.rows(), view.cols()}, view, progress);
}

/// Writes an array of any number of dimensions, up to numpy's 64. All else is as for rows.
/// \throws std::invalid_argument for more dimensions, and for a shape whose product is not the number of values.
template <npy_scalar T>
void write_npy(const std::filesystem::path& path, const npy_array<T>& array, const progress_callback& progress = {}) {
  if (array.shape.size() > detail::npy_max_dimensions)
    detail::invalid("shape.size()", array.shape.size(), "must be at most ", detail::npy_max_dimensions);
  if (detail::npy_count(array.shape, sizeof(T)) != array.values.size())
    detail::invalid("values.size()", array.values.size(), "must be the product of the shape");
  detail::write_npy_rows(path, array.shape, matrix_view<T>(array.values), progress);
}

}  // namespace annulus::inline ANNULUS_ARCH

#include <annulus/core/macros_on.hpp>
