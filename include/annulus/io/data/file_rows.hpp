#pragma once

/// \file
/// Shared by the formats of rows: windows of rows, rows that stay in a mapped file, file names that tell the type of
/// values, and transfers that report progress.

#include <annulus/core/base/progress.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/storage/file_kind.hpp>
#include <annulus/storage/mapped_file.hpp>
#include <annulus/storage/output_file.hpp>

#include <algorithm>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The `count` of readers: to the end of the file.
inline constexpr std::size_t all_rows = std::numeric_limits<std::size_t>::max();

/// The parameters of reading and writing data files.
struct file_params {
  progress_callback progress = {};  ///< called after every 4 MB, and at the end
};

/// The rows of a mapped file, rows x cols values, which converts to a matrix_view wherever rows are taken; a view must
/// not outlive it. Nothing is read before it is used, and the processes that map a file share its memory. The file must
/// not be truncated or written to in place meanwhile: what is read may then change, and to read beyond the new end ends
/// the process (SIGBUS). To replace it by a rename, as all writers of this library do, or to remove it is safe: the
/// rows stay those of the old file. Where the system cannot map files, the file is read into memory.
template <class T>
class mapped_rows {
 public:
  using value_type = T;  ///< of a coordinate

  /// \param file is kept mapped \param rows lie in it
  mapped_rows(detail::mapped_file&& file, const matrix_view<T>& rows) noexcept
      : m_file(std::move(file)), m_view(rows) {}

  std::size_t rows() const noexcept { return m_view.rows(); }  ///< \returns their number
  std::size_t cols() const noexcept { return m_view.cols(); }  ///< \returns values of a row
  std::size_t size() const noexcept { return m_view.rows(); }  ///< \returns rows(), as a point set
  std::size_t dim() const noexcept { return m_view.cols(); }   ///< \returns cols(), as a point set
  /// \param i below rows(), which is not checked \returns row i
  std::span<const T> row(std::size_t i) const noexcept { return m_view.row(i); }
  const matrix_view<T>& view() const noexcept { return m_view; }  ///< \returns all rows
  /// \returns view()
  operator matrix_view<T>() const noexcept { return m_view; }

 private:
  detail::mapped_file m_file;
  matrix_view<T> m_view;
};

namespace detail {

/// The number of rows from `first` on, at most `count`, in a file of `rows` rows.
inline std::size_t rows_of_window(std::size_t first, std::size_t count, std::size_t rows, const std::string& file) {
  if (first > rows) invalid("first", first, "must be at most ", rows, ", the number of rows of ", file);
  return std::min(count, rows - first);
}

/// A matrix to read rows into that a file is known to have.
template <class T>
matrix<T> rows_to_read(std::size_t rows, std::size_t cols) {
  return {rows, cols, buffer<T>::for_overwrite(rows * cols)};
}

/// The rows of a mapped file from byte `offset` on.
template <class T>
matrix_view<T> view_of_bytes(const mapped_file& file, std::uint64_t offset, std::size_t rows, std::size_t cols,
                             std::size_t stride) {
  const std::byte* const start = file.bytes().data() + offset;
  if (reinterpret_cast<std::uintptr_t>(start) % alignof(T) != 0)
    file.fail(offset, "values of ", alignof(T), " bytes begin here, at no multiple of them: read the file instead");
  return {reinterpret_cast<const T*>(start), rows, cols, stride};
}

/// Opens and maps a file whose header Header(reader) reads; rows_of(file, header) is the view of its rows.
template <class T, class Header, class RowsOf>
mapped_rows<T> map_rows(const std::filesystem::path& path, RowsOf rows_of) {
  mapped_file file(path, file_mapping::read_only);
  mapped_reader reader(file);
  const Header header(reader);
  const matrix_view<T> rows = rows_of(file, header);
  return {std::move(file), rows};
}

/// The extension of one type of values, among those of a format whose header does not tell the type: the same bytes are
/// valid as several types.
struct typed_extension {
  std::string_view own;
  std::span<const std::string_view> all;

  std::string_view format() const noexcept { return own.substr(1); }  ///< as messages name it

  /// \throws format_error for a file with the extension of another type.
  template <class File>
  void check_to_read(const File& file) const {
    if (is_of_other_type(path_of_name(file.name()))) file.fail(0, "by its name no ", own, " file, which is asked for");
  }
  /// \throws std::invalid_argument likewise.
  void check_to_write(const std::filesystem::path& path) const {
    if (is_of_other_type(path)) invalid("path", name_of_path(path), "rows of this type make ", own, " files");
  }

 private:
  bool is_of_other_type(const std::filesystem::path& path) const {
    const std::string extension = name_of_path(path.extension());
    return extension != own && std::ranges::find(all, extension) != all.end();
  }
};

/// Checks that rows can be written with a header whose d is an Int. \throws std::invalid_argument
template <class Int, class T>
void check_cols(const matrix_view<T>& rows) {
  if (rows.cols() > std::size_t{std::numeric_limits<Int>::max()} || (rows.rows() > 0 && rows.cols() == 0))
    invalid("cols", rows.cols(), "must be at least 1 and fit ", std::is_signed_v<Int> ? "an int32" : "a uint32");
}

/// Moves bytes between files and memory in pieces, and reports progress after every 4 MB.
class transfer {
 public:
  transfer(const progress_callback& progress, std::string_view stage, std::uint64_t bytes)
      : m_progress(progress), m_stage(stage), m_total(bytes) {
    if (bytes == 0) report(progress, stage, 1.0);
  }

  /// \throws cancelled
  void advance(std::uint64_t bytes) {
    m_done += bytes;
    if (m_done - m_reported < piece && m_done < m_total) return;
    m_reported = m_done;
    report(m_progress, m_stage, static_cast<double>(m_done) / static_cast<double>(m_total));
  }

  void read(input_file& file, void* to, std::size_t bytes) {
    in_pieces(bytes, [&](std::size_t from, std::size_t count) { file.read(static_cast<char*>(to) + from, count); });
  }
  void write(output_file& file, const void* from, std::size_t bytes) {
    in_pieces(bytes,
              [&](std::size_t at, std::size_t count) { file.write(static_cast<const char*>(from) + at, count); });
  }
  template <class T>
  void write_rows(output_file& file, const matrix_view<T>& rows) {
    if (rows.cols() == 0) return;  // any number of rows without a byte
    if (rows.stride() == rows.cols()) return write(file, rows.data(), rows.rows() * rows.cols() * sizeof(T));
    for (std::size_t i = 0; i < rows.rows(); ++i) write(file, rows.row(i).data(), rows.row(i).size_bytes());
  }

 private:
  static constexpr std::size_t piece = std::size_t{4} << 20;

  template <class Move>
  void in_pieces(std::size_t bytes, Move move) {
    for (std::size_t done = 0; done < bytes;) {
      const std::size_t count = std::min(piece, bytes - done);
      move(done, count);
      advance(count);
      done += count;
    }
  }

  const progress_callback& m_progress;
  std::string_view m_stage;
  std::uint64_t m_total, m_done = 0, m_reported = 0;
};

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
