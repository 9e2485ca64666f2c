#pragma once

/// \file
/// The .fbin, .u8bin, .i8bin and .ibin files of big-ann-benchmarks (https://big-ann-benchmarks.com): n and d as uint32,
/// then n rows of d values, all little-endian: float, uint8, int8 and int32. Only the file's name tells which of the
/// four it is.

#include <annulus/io/data/file_rows.hpp>

#include <array>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// float for fbin, uint8 for u8bin, int8 for i8bin, int32 for ibin.
template <class T>
concept big_ann_scalar = std::same_as<T, float> || std::same_as<T, std::uint8_t> || std::same_as<T, std::int8_t> ||
    std::same_as<T, std::int32_t>;

namespace detail {

inline constexpr std::array<std::string_view, 4> big_ann_extensions{".fbin", ".u8bin", ".i8bin", ".ibin"};

template <big_ann_scalar T>
constexpr typed_extension big_ann_extension() {
  constexpr std::size_t position = std::same_as<T, float>          ? 0
                                   : std::same_as<T, std::uint8_t> ? 1
                                   : std::same_as<T, std::int8_t>  ? 2
                                                                   : 3;
  return {big_ann_extensions[position], big_ann_extensions};
}

template <big_ann_scalar T>
struct big_ann_header {
  static constexpr std::uint64_t bytes = 8;
  std::size_t rows = 0, d = 0;

  /// Leaves the file at its first row, n * d values before its end.
  template <class File>
  explicit big_ann_header(File& file) {
    big_ann_extension<T>().check_to_read(file);
    rows = file.template read_value<std::uint32_t>();
    d = file.template read_value<std::uint32_t>();
    const std::string_view format = big_ann_extension<T>().format();
    if (rows > 0 && d == 0) fail_unrecognised(file.name(), format, 4, "d = 0 must be at least 1 for ", rows, " rows");
    // Counted in values, not bytes, so that n * d stays below 2^64.
    const std::uint64_t due = std::uint64_t{rows} * d, there = (file.size() - bytes) / sizeof(T);
    if (due != there || (file.size() - bytes) % sizeof(T) != 0)
      fail_unrecognised(file.name(), format, 0, "n = ", rows, " and d = ", d, " ask for ", due, " values of ",
                        sizeof(T), " bytes, the file has ", file.size() - bytes, " bytes of them");
  }
};

}  // namespace detail

/// Reads rows. O(bytes read); allocates only the result, which is smaller than the file. \param path of the file \param
/// first the first row that is read \param count rows, fewer where the file has fewer \param params progress \returns
/// count x d \throws format_error for a file whose size is not exactly that of its header and n * d values, for d = 0
/// with rows, and for a file whose name ends in .fbin, .u8bin, .i8bin or .ibin but not in T's. \throws
/// std::system_error where the file is missing, cannot be opened or read, or is not a regular file. \throws
/// std::invalid_argument for `first` beyond the number of rows; cancelled where `progress` returns false.
template <big_ann_scalar T>
matrix<T> read_big_ann(const std::filesystem::path& path, std::size_t first = 0, std::size_t count = all_rows,
                       const file_params& params = {}) {
  detail::input_file file(path);
  const detail::big_ann_header<T> header(file);
  auto result = detail::rows_to_read<T>(detail::rows_of_window(first, count, header.rows, file.name()), header.d);
  const std::size_t row_bytes = header.d * sizeof(T);
  file.seek(header.bytes + first * row_bytes);
  detail::transfer(params.progress, "read big-ann", result.rows() * row_bytes)
      .read(file, result.data(), result.rows() * row_bytes);
  return result;
}

/// The file's rows where they are, without a copy, in O(1). \param path of the file \returns n x d \throws format_error
/// and std::system_error as read_big_ann
template <big_ann_scalar T>
mapped_rows<T> map_big_ann(const std::filesystem::path& path) {
  using header_type = detail::big_ann_header<T>;
  return detail::map_rows<T, header_type>(path, [](const detail::mapped_file& file, const header_type& header) {
    return detail::view_of_bytes<T>(file, header.bytes, header.rows, header.d, header.d);
  });
}

/// Writes rows of float as fbin, of uint8 as u8bin, of int8 as i8bin, of int32 as ibin. The file appears whole under
/// its name or not at all: it is written beside it first. \param path of the file \param rows n x d \param params
/// progress \throws std::system_error where the file cannot be written. \throws std::invalid_argument for more rows or
/// columns than a uint32 counts, for rows of d = 0, and for a path that ends in .fbin, .u8bin, .i8bin or .ibin but not
/// in that of the rows' type; cancelled where `progress` returns false, which leaves no file.
template <matrix_like M>
  requires big_ann_scalar<value_t<M>>
void write_big_ann(const std::filesystem::path& path, const M& rows, const file_params& params = {}) {
  using value_type = value_t<M>;
  const matrix_view<value_type> view(rows);
  if (view.rows() > std::numeric_limits<std::uint32_t>::max())
    detail::invalid("rows", view.rows(), "must fit a uint32");
  detail::check_cols<std::uint32_t>(view);
  detail::big_ann_extension<value_type>().check_to_write(path);

  detail::output_file file(path);
  const std::array<std::uint32_t, 2> header{static_cast<std::uint32_t>(view.rows()),
                                            static_cast<std::uint32_t>(view.cols())};
  file.write(header.data(), sizeof(header));
  detail::transfer(params.progress, "write big-ann", view.rows() * view.cols() * sizeof(value_type))
      .write_rows(file, view);
  file.commit();
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
