#pragma once

/// \file
/// Shared by the readers of rows: windows of rows, rows that stay in a mapped file, and transfers that report progress.

#include <annulus/core/base/progress.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/storage/file_kind.hpp>
#include <annulus/storage/mapped_file.hpp>
#include <annulus/storage/output_file.hpp>

#include <algorithm>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

inline constexpr std::size_t all_rows = std::numeric_limits<std::size_t>::max();

/// The rows of a mapped file, rows x cols values, which converts to a matrix_view wherever rows are taken; a view must
/// not outlive it. Nothing is read before it is used, and the processes that map a file share its memory. The file must
/// not be truncated or written to in place meanwhile: what is read may then change, and to read beyond the new end ends
/// the process (SIGBUS). To replace it by a rename, as all writers of this library do, or to remove it is safe: the
/// rows stay those of the old file. Where the system cannot map files, the file is read into memory.
template <class T>
class mapped_rows {
 public:
  using value_type = T;

  mapped_rows(detail::mapped_file&& file, const matrix_view<T>& rows) noexcept
      : m_file(std::move(file)), m_view(rows) {}

  std::size_t rows() const noexcept { return m_view.rows(); }
  std::size_t cols() const noexcept { return m_view.cols(); }
  std::size_t size() const noexcept { return m_view.rows(); }  ///< as a point set: how many rows
  std::size_t dim() const noexcept { return m_view.cols(); }   ///< as a point set: how long they are
  std::span<const T> row(std::size_t i) const noexcept { return m_view.row(i); }
  const matrix_view<T>& view() const noexcept { return m_view; }
  operator matrix_view<T>() const noexcept { return m_view; }

 private:
  detail::mapped_file m_file;
  matrix_view<T> m_view;
};

namespace detail {

/// How many of a file's rows lie from `first` on, `count` at most.
inline std::size_t rows_of_window(std::size_t first, std::size_t count, std::size_t rows, const std::string& file) {
  if (first > rows) invalid("first", first, "must be at most ", rows, ", the rows of ", file);
  return std::min(count, rows - first);
}

/// Room for rows that a file is known to have.
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

/// Whether the path has the extension of another type of values. Where a format does not say its type the same bytes
/// are valid as several.
inline bool is_misnamed(const std::filesystem::path& path, std::string_view own,
                        std::span<const std::string_view> all) {
  const std::string extension = path.extension().string();
  return extension != own && std::ranges::find(all, extension) != all.end();
}

template <class File>
void check_name_to_read(const File& file, std::string_view own, std::span<const std::string_view> all) {
  if (is_misnamed(file.name(), own, all)) file.fail(0, "by its name no ", own, " file, which is asked for");
}

inline void check_name_to_write(const std::filesystem::path& path, std::string_view own,
                                std::span<const std::string_view> all) {
  if (is_misnamed(path, own, all)) invalid("path", path.string(), "rows of this type make ", own, " files");
}

/// Moves bytes between files and memory in pieces, with a word to the caller after each few MB.
class transfer {
 public:
  transfer(const progress_callback& progress, std::string_view stage, std::uint64_t bytes)
      : m_progress(progress), m_stage(stage), m_total(bytes) {
    if (bytes == 0) report(progress, stage, 1.0);
  }

  /// \throws cancelled
  void advance(std::uint64_t bytes) {
    m_done += bytes;
    if (m_done - m_said < piece && m_done < m_total) return;
    m_said = m_done;
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
    if (rows.cols() == 0) return;  // of which there may be any number
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
  std::uint64_t m_total, m_done = 0, m_said = 0;
};

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
