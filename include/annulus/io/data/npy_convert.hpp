#pragma once

/// \file
/// Arrays of .npy files read as values of another type: doubles as floats, 64-bit ids as 32-bit ones, bools as bits.

#include <annulus/core/rows/bit_matrix.hpp>
#include <annulus/core/rows/csr_matrix.hpp>
#include <annulus/io/data/npy.hpp>

#include <Eigen/Core>
#include <utility>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace detail {

/// Whether a value of type From converts to To: to a floating type unless a finite number becomes infinite, to an
/// integer type within its range.
template <class To, class From>
bool fits(From value) noexcept {
  if constexpr (std::is_integral_v<To>) return std::in_range<To>(value);
  else return is_finite(static_cast<To>(value)) || !is_finite(value);
}

/// Calls f(From()) for the type of the values; returns false where that is another than the types given.
template <class... From, class F>
bool with_npy_dtype(const npy_header& header, F f) {
  return ((header.holds<From>() ? (f(From()), true) : false) || ...);
}

/// The same for the types that can be read as T: all numbers as a floating type, integers and bools as integers.
template <class T, class F>
bool with_npy_scalar(const npy_header& header, F f) {
  using std::int16_t, std::int32_t, std::int64_t, std::int8_t;
  using std::uint16_t, std::uint32_t, std::uint64_t, std::uint8_t;
  if constexpr (!std::is_integral_v<T>)
    if (with_npy_dtype<Eigen::half, float, double>(header, f)) return true;
  return with_npy_dtype<bool, uint8_t, uint16_t, uint32_t, uint64_t, int8_t, int16_t, int32_t, int64_t>(header, f);
}

/// Calls consume(values, row) for blocks of rows of some MB; in Fortran order once for all rows.
template <class T, class Consume>
void read_npy_blocks(input_file& file, const npy_header& header, std::size_t first, std::size_t count, std::size_t cols,
                     const progress_callback& progress, Consume consume) {
  transfer transfer(progress, "read npy", count * cols * sizeof(T));
  if (count == 0 || cols == 0) return;
  constexpr std::size_t block_bytes = std::size_t{1} << 20;
  const bool is_columns = header.is_fortran_order() && header.shape().size() > 1;
  const std::size_t row_bytes = std::max<std::size_t>(cols, 1) * sizeof(T);
  const std::size_t at_once = is_columns ? count : std::clamp<std::size_t>(block_bytes / row_bytes, 1, count);
  std::vector<T> values(at_once * cols);
  for (std::size_t done = 0; done < count;) {
    const std::size_t n = std::min(at_once, count - done);
    const std::span<T> block(values.data(), n * cols);
    read_npy_values<T>(file, header, {first + done, n, block}, transfer);
    consume(std::span<const T>(block), done);
    done += n;
  }
}

}  // namespace detail

/// Reads rows as read_npy does, of any type in the file. Allocates, beside the result, 1 MB or a row of the file's
/// values, in Fortran order all of them. \tparam T float, double or half of all numbers and bools (0 or 1), rounded to
/// nearest; integers of integers and bools \param path,first,count,params as of read_npy \returns count x columns
/// \throws format_error, std::system_error, std::invalid_argument and cancelled as read_npy; format_error also for a
/// number that T has no value for (1e300 as a float, 300 as a std::uint8_t), with its row and column, and for floats
/// asked for as integers
template <npy_scalar T>
  requires(!std::same_as<T, bool>)
matrix<T> read_npy_as(const std::filesystem::path& path, std::size_t first = 0, std::size_t count = all_rows,
                      const file_params& params = {}) {
  detail::input_file file(path);
  const detail::npy_header header(file);
  const auto shape = detail::npy_matrix_shape(file, header);
  matrix<T> result;
  const auto read = [&]<class From>(From) {
    const std::size_t rows = shape[0], cols = shape[1];
    header.count<From>(file);
    result = detail::rows_to_read<T>(detail::rows_of_window(first, count, rows, file.name()), cols);
    using stored = detail::npy_stored<From>;
    const auto convert = [&](std::span<const stored> values, std::size_t row) {
      T* const to = result.data() + row * cols;
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (!detail::fits<T>(values[i]))
          file.fail(header.data_offset(), "row ", first + row + i / cols, ", column ", i % cols, ": ", +values[i],
                    " has no value of the type '", detail::npy_dtype<T>(), "' asked for");
        to[i] = static_cast<T>(values[i]);
      }
    };
    detail::read_npy_blocks<stored>(file, header, first, result.rows(), cols, params.progress, convert);
  };
  if (!detail::with_npy_scalar<T>(header, read)) header.fail_of_dtype(file, detail::npy_dtype<T>());
  return result;
}

/// Reads rows of bools (or of bytes, any but 0 being true) as packed bits. \param path,first,count,params as of
/// read_npy \returns count rows, of as many bits as the array has columns \throws format_error, std::system_error,
/// std::invalid_argument and cancelled as read_npy; format_error also for other types
inline bit_matrix read_npy_bits(const std::filesystem::path& path, std::size_t first = 0, std::size_t count = all_rows,
                                const file_params& params = {}) {
  detail::input_file file(path);
  const detail::npy_header header(file);
  header.count<std::uint8_t>(file);
  const auto [rows, cols] = detail::npy_matrix_shape(file, header);
  bit_matrix result(detail::rows_of_window(first, count, rows, file.name()), cols);
  detail::read_npy_blocks<std::uint8_t>(file, header, first, result.rows(), cols, params.progress,
                                        [&](std::span<const std::uint8_t> values, std::size_t row) {
                                          for (std::size_t at = 0; at < values.size(); at += result.bits())
                                            result.assign(row++, values.subspan(at, result.bits()));
                                        });
  return result;
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
