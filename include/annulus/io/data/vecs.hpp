#pragma once

/// \file
/// The fvecs, bvecs and ivecs files of the TEXMEX corpora (http://corpus-texmex.irisa.fr): rows one after the other,
/// each an int32 d followed by d values, all little-endian. fvecs hold float, bvecs uint8, ivecs int32; d is the same
/// in every row. Only the file's name tells which of the three it is.

#include <annulus/io/data/file_rows.hpp>

#include <array>
#include <cstring>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// float for fvecs, uint8 for bvecs, int32 for ivecs.
template <class T>
concept vecs_scalar = std::same_as<T, float> || std::same_as<T, std::uint8_t> || std::same_as<T, std::int32_t>;

namespace detail {

inline constexpr std::array<std::string_view, 3> vecs_extensions{".fvecs", ".bvecs", ".ivecs"};

template <vecs_scalar T>
constexpr typed_extension vecs_extension() {
  return {vecs_extensions[std::same_as<T, float> ? 0 : std::same_as<T, std::uint8_t> ? 1 : 2], vecs_extensions};
}

/// The layout of a file, by its first row and its size.
template <vecs_scalar T>
struct vecs_layout {
  std::size_t rows = 0, d = 0;
  std::size_t row_bytes = 0;  ///< d and the values

  template <class File>
  explicit vecs_layout(File& file) {
    vecs_extension<T>().check_to_read(file);
    if (file.size() == 0) return;
    const auto header = file.template read_value<std::int32_t>();
    const std::string_view format = vecs_extension<T>().format();
    if (header < 1) fail_unrecognised(file.name(), format, 0, "d = ", header, " must be at least 1");
    d = static_cast<std::size_t>(header);
    row_bytes = sizeof(header) + d * sizeof(T);
    if (const auto rest = file.size() % row_bytes; rest != 0)
      fail_unrecognised(file.name(), format, file.size() - rest, "the last row has ", rest, " of the ", row_bytes,
                        " bytes that d = ", d, " asks for");
    rows = static_cast<std::size_t>(file.size() / row_bytes);
  }

  /// Returns where the values of row i begin, which is at `bytes`. \throws format_error where its d differs from the
  /// first row's.
  template <class File>
  const std::byte* checked_row(const File& file, std::size_t i, const std::byte* bytes) const {
    std::int32_t header;
    std::memcpy(&header, bytes, sizeof(header));
    if (header < 0 || static_cast<std::size_t>(header) != d)
      file.fail(i * row_bytes, "d = ", header, " of row ", i, " differs from the first row's ", d);
    return bytes + sizeof(header);
  }
};

}  // namespace detail

/// Reads rows. Others are neither read nor checked. O(bytes read); allocates the result and a block of rows, each
/// smaller than the file. \param path of the file \param first the first row that is read \param count rows, fewer
/// where the file has fewer \param params progress \returns count x d, of an empty file 0 x 0 \throws format_error for
/// d < 1, rows of different d, a file whose size is not a multiple of its rows', and one whose name ends in .fvecs,
/// .bvecs or .ivecs but not in T's. \throws std::system_error where the file is missing, cannot be opened or read, or
/// is not a regular file. \throws std::invalid_argument for `first` beyond the number of rows; cancelled where
/// `progress` returns false.
template <vecs_scalar T>
matrix<T> read_vecs(const std::filesystem::path& path, std::size_t first = 0, std::size_t count = all_rows,
                    const file_params& params = {}) {
  detail::input_file file(path);
  const detail::vecs_layout<T> layout(file);
  auto result = detail::rows_to_read<T>(detail::rows_of_window(first, count, layout.rows, file.name()), layout.d);
  detail::transfer transfer(params.progress, "read vecs", result.rows() * layout.row_bytes);
  if (result.rows() == 0) return result;

  constexpr std::size_t block_bytes = std::size_t{256} << 10;  // stays in the cache
  const std::size_t at_once = std::clamp<std::size_t>(block_bytes / layout.row_bytes, 1, result.rows());
  std::vector<std::byte> block(at_once * layout.row_bytes);
  file.seek(first * layout.row_bytes);
  for (std::size_t start = 0; start < result.rows(); start += at_once) {
    const std::size_t rows = std::min(at_once, result.rows() - start);
    transfer.read(file, block.data(), rows * layout.row_bytes);
    for (std::size_t i = 0; i < rows; ++i)
      std::memcpy(result.row(start + i).data(),
                  layout.checked_row(file, first + start + i, block.data() + i * layout.row_bytes),
                  layout.d * sizeof(T));
  }
  return result;
}

/// The file's rows where they are, without a copy. The d of every row is read first, which touches every page of rows
/// below 4 KB: O(n). \param path of the file \returns n x d \throws format_error and std::system_error as read_vecs
template <vecs_scalar T>
mapped_rows<T> map_vecs(const std::filesystem::path& path) {
  using layout_type = detail::vecs_layout<T>;
  return detail::map_rows<T, layout_type>(path, [](const detail::mapped_file& file, const layout_type& layout) {
    const std::byte* const bytes = file.bytes().data();
    for (std::size_t i = 0; i < layout.rows; ++i) layout.checked_row(file, i, bytes + i * layout.row_bytes);
    if (layout.rows == 0) return matrix_view<T>();
    return detail::view_of_bytes<T>(file, sizeof(std::int32_t), layout.rows, layout.d, layout.row_bytes / sizeof(T));
  });
}

/// Writes rows of float as fvecs, of uint8 as bvecs, of int32 as ivecs. The file appears whole under its name or not at
/// all: it is written beside it first. \param path of the file \param rows n x d; without rows the file is empty, so
/// that d is lost \param params progress \throws std::system_error where the file cannot be written. \throws
/// std::invalid_argument for rows of d = 0 or of d beyond int32, and for a path that ends in .fvecs, .bvecs or .ivecs
/// but not in that of the rows' type; cancelled where `progress` returns false, which leaves no file.
template <matrix_like M>
  requires vecs_scalar<value_t<M>>
void write_vecs(const std::filesystem::path& path, const M& rows, const file_params& params = {}) {
  const matrix_view<value_t<M>> view(rows);
  if (view.rows() > 0) detail::check_cols<std::int32_t>(view);
  detail::vecs_extension<value_t<M>>().check_to_write(path);

  detail::output_file file(path);
  const auto header = static_cast<std::int32_t>(view.cols());
  detail::transfer transfer(params.progress, "write vecs",
                            view.rows() * (sizeof(header) + view.cols() * sizeof(value_t<M>)));
  for (std::size_t i = 0; i < view.rows(); ++i) {
    transfer.write(file, &header, sizeof(header));
    transfer.write(file, view.row(i).data(), view.row(i).size_bytes());
  }
  file.commit();
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
