#pragma once

/// \file
/// numpy's .npy files: one array each, with its type and shape.

#include <annulus/io/data/file_rows.hpp>
#include <annulus/io/data/npy_header.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// An array of any number of dimensions: as many values as the product of the shape, in C order, the last index the
/// fastest. Without dimensions it is one value. Bools are bytes, 0 or 1.
template <npy_scalar T>
  requires(!std::same_as<T, bool>)
struct npy_array {
  std::vector<std::size_t> shape = {0};  ///< the length of each dimension
  std::vector<T> values = {};            ///< as many as their product
  friend bool operator==(const npy_array&, const npy_array&) = default;
};

/// The header of a file.
struct npy_info {
  std::string dtype;               ///< as numpy names it: "<f4" is float, "<f8" double, "|u1" std::uint8_t, "|b1" bool
  std::vector<std::size_t> shape;  ///< the length of each dimension
  bool is_fortran_order = false;   ///< whether the first index is the fastest
};

namespace detail {

/// Bools are read as bytes; to numpy, all but 0 are true.
template <class T>
using npy_stored = std::conditional_t<std::same_as<T, bool>, std::uint8_t, T>;

/// The values of the indices `first` to `first` + `count` of the first axis, in C order.
template <class T>
struct npy_window {
  std::size_t first, count;
  std::span<T> values;
};

/// Reads values in Fortran order, in groups of columns that together fill a cache line of the result; else each value
/// written would move a whole line.
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
void read_npy_values(input_file& file, const npy_header& header, const npy_window<T>& window, transfer& transfer) {
  if (window.values.empty()) return;
  if (header.is_fortran_order() && header.shape().size() > 1) {
    read_npy_columns(file, header, window, transfer);
  } else {
    file.seek(header.data_offset() + window.first * (window.values.size_bytes() / window.count));
    transfer.read(file, window.values.data(), window.values.size_bytes());
  }
  if constexpr (std::same_as<T, std::uint8_t>)
    if (header.holds<bool>()) std::ranges::transform(window.values, window.values.begin(), [](T x) { return x != 0; });
}
template <class T>
void read_npy_values(input_file& file, const npy_header& header, const npy_window<T>& window,
                     const progress_callback& progress) {
  transfer transfer(progress, "read npy", window.values.size_bytes());
  read_npy_values(file, header, window, transfer);
}

/// The rows and columns of an array of one or two dimensions.
template <class File>
std::array<std::size_t, 2> npy_matrix_shape(const File& file, const npy_header& header) {
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

/// Reads the type, the shape and the order of a file's array, not its values. O(1). \param path of the file \returns
/// what the header says; `dtype` tells a program how to read the values \throws format_error for a malformed header;
/// std::system_error where the file is missing, cannot be opened or read, or is not a regular file.
inline npy_info read_npy_info(const std::filesystem::path& path) {
  detail::input_file file(path);
  const detail::npy_header header(file);
  return {header.dtype(), header.shape(), header.is_fortran_order()};
}

/// Reads an array of any number of dimensions. O(size of the file); what is allocated is at most twice that. \tparam T
/// the file's dtype: nothing is converted (read_npy_as does), but that bools may be read as std::uint8_t, 0 or 1 \param
/// path of the file \param params progress \returns the array, of Fortran order in C order \throws format_error for
/// another dtype or byte order, a malformed header, and a file whose size is not that of its header and values. \throws
/// std::system_error where the file is missing, cannot be opened or read, or is not a regular file. \throws cancelled
/// where `progress` returns false.
template <npy_scalar T>
  requires(!std::same_as<T, bool>)
npy_array<T> read_npy_array(const std::filesystem::path& path, const file_params& params = {}) {
  detail::input_file file(path);
  const detail::npy_header header(file);
  npy_array<T> result{header.shape(), std::vector<T>(header.count<T>(file))};
  const std::size_t rows = result.shape.empty() ? 1 : result.shape.front();
  detail::read_npy_values<T>(file, header, {0, rows, result.values}, params.progress);
  return result;
}

/// Reads an array of one dimension, or of two of which one is 1, as labels or one query are. \param path,params as of
/// read_npy_array \returns the values \throws format_error, std::system_error and cancelled as read_npy_array;
/// format_error also for other shapes
template <npy_scalar T>
  requires(!std::same_as<T, bool>)
std::vector<T> read_npy_vector(const std::filesystem::path& path, const file_params& params = {}) {
  auto array = read_npy_array<T>(path, params);
  const auto& shape = array.shape;
  if (shape.size() != 1 && !(shape.size() == 2 && (shape[0] == 1 || shape[1] == 1)))
    throw format_error(
        detail::name_of_path(path), 0,
        "a vector has 1 dimension, or 2 of which one is 1; this array has " + std::to_string(shape.size()));
  return std::move(array.values);
}

/// Reads rows of an array of two dimensions; one of n values in one dimension is a single row (read_npy_vector reads it
/// as a vector). O(bytes read), but that rows in Fortran order are read from every column, with a seek a column.
/// \tparam T as of read_npy_array \param path of the file \param first the first row that is read \param count rows,
/// fewer where the file has fewer \param params progress \returns count x columns \throws format_error,
/// std::system_error and cancelled as read_npy_array; format_error also for an array of other than 1 or 2 dimensions;
/// std::invalid_argument for `first` beyond the number of rows
template <npy_scalar T>
matrix<T> read_npy(const std::filesystem::path& path, std::size_t first = 0, std::size_t count = all_rows,
                   const file_params& params = {}) {
  detail::input_file file(path);
  const detail::npy_header header(file);
  header.count<T>(file);
  const auto [rows, cols] = detail::npy_matrix_shape(file, header);
  auto result = detail::rows_to_read<T>(detail::rows_of_window(first, count, rows, file.name()), cols);
  using stored = detail::npy_stored<T>;
  const std::span values(reinterpret_cast<stored*>(result.data()), result.rows() * cols);
  detail::read_npy_values<stored>(file, header, {first, result.rows(), values}, params.progress);
  return result;
}

/// The rows of an array of one or two dimensions where they are, without a copy, in O(1). \tparam T the file's dtype;
/// bools are mapped as std::uint8_t, as they are stored \param path of the file \returns all rows \throws format_error
/// and std::system_error as read_npy; format_error also for two dimensions in Fortran order, and for values that do not
/// begin at a multiple of their size (numpy's begin at one of 64): read_npy reads both
template <npy_scalar T>
  requires(!std::same_as<T, bool>)
mapped_rows<T> map_npy(const std::filesystem::path& path) {
  detail::mapped_file file(path, detail::file_mapping::read_only);
  detail::mapped_reader reader(file);
  const detail::npy_header header(reader);
  header.count<T>(reader);
  const auto [rows, cols] = detail::npy_matrix_shape(reader, header);
  if (header.is_fortran_order() && header.shape().size() > 1)
    file.fail(header.order_offset(), "rows are not contiguous in Fortran order: read the file instead");
  const auto view = detail::view_of_bytes<T>(file, header.data_offset(), rows, cols, cols);
  return {std::move(file), view};
}

/// Writes an array of version 1.0, with the same bytes as numpy.save. The file appears whole under its name or not at
/// all: it is written beside it first. \param path of the file \param rows two dimensions, rows x cols; a vector, span
/// or std::array one dimension; packed bits as the bytes they are (what numpy.packbits(bitorder="little") makes) \param
/// params progress \throws std::system_error where the file cannot be written; cancelled where `progress` returns
/// false, which leaves no file.
template <matrix_like M>
  requires npy_scalar<value_t<M>>
void write_npy(const std::filesystem::path& path, const M& rows, const file_params& params = {}) {
  const matrix_view<value_t<M>> view(rows);
  if constexpr (detail::contiguous_of<M, value_t<M>>)
    detail::write_npy_rows(path, std::array{view.cols()}, view, params.progress);
  else detail::write_npy_rows(path, std::array{view.rows(), view.cols()}, view, params.progress);
}

/// The same for any number of dimensions. \param path,params as above \param array of up to numpy's 64 dimensions
/// \throws std::system_error and cancelled as above; std::invalid_argument for more dimensions, and for a shape whose
/// product is not the number of values
template <npy_scalar T>
void write_npy(const std::filesystem::path& path, const npy_array<T>& array, const file_params& params = {}) {
  if (array.shape.size() > detail::npy_max_dimensions)
    detail::invalid("shape.size()", array.shape.size(), "must be at most ", detail::npy_max_dimensions);
  if (detail::npy_count(array.shape, sizeof(T)) != array.values.size())
    detail::invalid("values.size()", array.values.size(), "must be the product of the shape");
  detail::write_npy_rows(path, array.shape, matrix_view<T>(array.values), params.progress);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
