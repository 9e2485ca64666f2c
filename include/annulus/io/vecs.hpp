#pragma once

/// \file
/// The fvecs, bvecs and ivecs files of the TEXMEX corpora (http://corpus-texmex.irisa.fr): rows one after the other,
/// each an int32 d followed by d values, all little-endian. fvecs hold float, bvecs uint8, ivecs int32; d is the same
/// in every row. The file does not say which of the three it is: its name does.

#include <annulus/core/file.hpp>
#include <annulus/core/matrix.hpp>

#include <algorithm>

namespace annulus::inline ANNULUS_ARCH {

/// float: fvecs; uint8: bvecs; int32: ivecs.
template <class T>
concept vecs_scalar = std::same_as<T, float> || std::same_as<T, std::uint8_t> || std::same_as<T, std::int32_t>;

inline constexpr std::size_t all_rows = std::numeric_limits<std::size_t>::max();

/// Reads rows `first` to `first` + `count` (fewer where the file has fewer) as a matrix of that many x d. An empty file
/// is a matrix of 0 x 0. Of the rows that are left out only the place is used. O(bytes read); the result is the only
/// allocation of more than a buffer, and it is smaller than the file.
/// \throws format_error for d < 1, rows of different d, and a file whose size is not a multiple of its rows'.
/// \throws std::system_error where the file is missing, cannot be opened, or is not a regular file.
/// \throws std::invalid_argument for `first` beyond the number of rows.
template <vecs_scalar T>
matrix<T> read_vecs(const std::filesystem::path& path, std::size_t first = 0, std::size_t count = all_rows) {
  detail::input_file file(path);
  std::size_t rows = 0, d = 0;
  std::uint64_t row_bytes = 0;
  if (file.size() > 0) {
    const auto header = file.read_value<std::int32_t>();
    if (header < 1) file.fail(0, "d = ", header, " must be at least 1");
    d = static_cast<std::size_t>(header);
    row_bytes = sizeof(header) + std::uint64_t{d} * sizeof(T);
    if (const auto rest = file.size() % row_bytes; rest != 0)
      file.fail(file.size() - rest, "the last row has ", rest, " of the ", row_bytes, " bytes that d = ", d,
                " asks for");
    rows = static_cast<std::size_t>(file.size() / row_bytes);
  }
  if (first > rows) detail::invalid("first", first, "must be at most ", rows, ", the rows of ", path.string());

  matrix<T> result(std::min(count, rows - first), d);
  if (result.rows() > 0) file.seek(first * row_bytes);
  for (std::size_t i = 0; i < result.rows(); ++i) {
    const auto start = file.offset();
    const auto header = file.read_value<std::int32_t>();
    if (header < 0 || static_cast<std::size_t>(header) != d)
      file.fail(start, "d = ", header, " of row ", first + i, " differs from the first row's ", d);
    file.read(result.row(i).data(), d * sizeof(T));
  }
  return result;
}

/// Writes rows of float as fvecs, of uint8 as bvecs, of int32 as ivecs. The file appears whole under its name or not at
/// all: it is written beside it first. No rows make an empty file, which no longer knows its d.
/// \throws std::system_error where the file cannot be written.
/// \throws std::invalid_argument for rows of d = 0 or of d beyond int32.
template <matrix_like M>
  requires vecs_scalar<value_t<M>>
void write_vecs(const std::filesystem::path& path, const M& rows) {
  const matrix_view<value_t<M>> view(rows);
  if (view.rows() > 0 && (view.cols() == 0 || view.cols() > std::size_t{std::numeric_limits<std::int32_t>::max()}))
    detail::invalid("cols", view.cols(), "must be at least 1 and fit an int32");

  detail::output_file file(path);
  const auto header = static_cast<std::int32_t>(view.cols());
  for (std::size_t i = 0; i < view.rows(); ++i) {
    file.write(&header, sizeof(header));
    file.write(view.row(i).data(), view.row(i).size_bytes());
  }
  file.commit();
}

}  // namespace annulus::inline ANNULUS_ARCH
