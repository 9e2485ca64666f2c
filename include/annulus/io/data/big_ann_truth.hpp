#pragma once

/// \file
/// The ground truth files of big-ann-benchmarks (and DiskANN's), all little-endian. Of nearest neighbours: n and k as
/// uint32, n x k ids as uint32, n x k distances as float. Of radius searches: n and the total as int32, how many
/// neighbours each query has as int32, all ids as int32, all distances as float.

#include <annulus/core/result/neighbors.hpp>
#include <annulus/io/data/file_rows.hpp>

#include <algorithm>
#include <array>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Reads the k nearest neighbours of n queries, as the file has them: distances are usually squared where they are
/// Euclidean, and inner products descend. O(bytes); only the result is allocated, which is smaller than the file.
/// \param path of the file \param params progress \returns n x k ids and distances \throws format_error for a file
/// whose size is not exactly that of its header, ids and distances, as of one that holds ids alone
/// (read_big_ann<std::int32_t> reads it). \throws std::system_error where the file is missing, cannot be opened or
/// read, or is not a regular file; cancelled where `progress` returns false.
inline neighbors read_big_ann_truth(const std::filesystem::path& path, const file_params& params = {}) {
  detail::input_file file(path);
  const std::size_t n = file.read_value<std::uint32_t>(), k = file.read_value<std::uint32_t>();
  const std::uint64_t due = std::uint64_t{n} * k, bytes = file.size() - file.offset();
  if (due > 0 && bytes % due == 0 && bytes / due == sizeof(id_type))
    file.fail(0, "n = ", n, " and k = ", k,
              " ask for an id and a distance each; the file has ids only: ", "read_big_ann<std::int32_t> reads it");
  constexpr std::size_t each = sizeof(id_type) + sizeof(float);
  if (due != bytes / each || bytes % each != 0)
    detail::fail_unrecognised(file.name(), "ground truth", 0, "n = ", n, " and k = ", k, " ask for ", due,
                              " ids and distances, of ", each, " bytes together, the file has ", bytes,
                              " bytes of them");
  neighbors result{detail::unfilled{}};
  result.ids = detail::rows_to_read<id_type>(n, k);
  result.distances = detail::rows_to_read<float>(n, k);
  detail::transfer transfer(params.progress, "read big-ann truth", bytes);
  transfer.read(file, result.ids.data(), due * sizeof(id_type));
  transfer.read(file, result.distances.data(), due * sizeof(float));
  return result;
}

/// Writes the k nearest neighbours of n queries, with the distances that they have. The file appears whole under its
/// name or not at all: it is written beside it first. \param path of the file \param truth n x k ids and distances
/// \param params progress \throws std::invalid_argument where ids and distances are not of one shape, or n or k do not
/// fit a uint32. \throws std::system_error where the file cannot be written; cancelled where `progress` returns false,
/// which leaves no file.
inline void write_big_ann_truth(const std::filesystem::path& path, const neighbors& truth,
                                const file_params& params = {}) {
  const std::size_t n = truth.ids.rows(), k = truth.ids.cols();
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
  if (truth.distances.rows() != n || truth.distances.cols() != k)
    detail::invalid("distances", truth.distances.rows(), "rows of ", truth.distances.cols(), " must be ", n, " of ", k);
  if (n > most) detail::invalid("rows", n, "must fit a uint32");
  if (k > most) detail::invalid("k", k, "must fit a uint32");
  detail::output_file file(path);
  const std::array<std::uint32_t, 2> header{static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(k)};
  file.write(header.data(), sizeof(header));
  detail::transfer transfer(params.progress, "write big-ann truth", n * k * (sizeof(id_type) + sizeof(float)));
  transfer.write(file, truth.ids.data(), n * k * sizeof(id_type));
  transfer.write(file, truth.distances.data(), n * k * sizeof(float));
  file.commit();
}

/// Reads the neighbours of n queries within a radius. O(bytes); what is allocated is as large as the file, and twice
/// the counts. \param path of the file \param n_columns the number of rows of the data; 0: one more than the largest id
/// \param params progress \returns n lists, each in the order of the file \throws format_error, std::system_error and
/// cancelled as read_big_ann_truth; format_error also where the counts do not sum to the total, and for ids that are
/// negative or not below n_columns
inline csr read_big_ann_range_truth(const std::filesystem::path& path, std::size_t n_columns = 0,
                                    const file_params& params = {}) {
  detail::input_file file(path);
  const auto n = file.read_value<std::int32_t>(), total = file.read_value<std::int32_t>();
  const std::uint64_t bytes = file.size() - file.offset();
  if (n < 0 || total < 0 || bytes != 4 * std::uint64_t(n) + 8 * std::uint64_t(total))
    detail::fail_unrecognised(file.name(), "range ground truth", 0, n, " queries and ", total,
                              " neighbours do not ask for the ", bytes, " bytes that the file has of them");
  std::vector<std::int32_t> counts(static_cast<std::size_t>(n));
  csr result{std::vector<std::int64_t>(counts.size() + 1), std::vector<std::int32_t>(static_cast<std::size_t>(total)),
             std::vector<float>(static_cast<std::size_t>(total)), n_columns};
  detail::transfer transfer(params.progress, "read big-ann truth", bytes);
  transfer.read(file, counts.data(), counts.size() * sizeof(std::int32_t));
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < 0) file.fail(8 + 4 * i, "query ", i, " has ", counts[i], " neighbours");
    result.indptr[i + 1] = result.indptr[i] + counts[i];
  }
  if (result.indptr.back() != total)
    file.fail(4, "the queries have ", result.indptr.back(), " neighbours together, not the total of ", total);
  const std::uint64_t first_id = file.offset();
  transfer.read(file, result.indices.data(), result.indices.size() * sizeof(std::int32_t));
  transfer.read(file, result.distances.data(), result.distances.size() * sizeof(float));
  for (std::size_t i = 0; i < result.indices.size(); ++i) {
    const std::int32_t id = result.indices[i];
    if (id < 0 || (n_columns > 0 && static_cast<std::size_t>(id) >= n_columns))
      file.fail(first_id + 4 * i, "the neighbour ", id, ", the data have ", n_columns, " rows");
    result.n_columns = std::max(result.n_columns, static_cast<std::size_t>(id) + 1);
  }
  return result;
}

/// Writes the neighbours within a radius. \param path,params as of write_big_ann_truth \param truth as radius_search
/// finds it \throws std::invalid_argument where the arrays do not fit together, or rows or neighbours do not fit an
/// int32; std::system_error and cancelled as write_big_ann_truth
inline void write_big_ann_range_truth(const std::filesystem::path& path, const csr& truth,
                                      const file_params& params = {}) {
  constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
  const std::size_t n = truth.indptr.empty() ? 0 : truth.indptr.size() - 1, total = truth.indices.size();
  if (n > most) detail::invalid("rows", n, "must fit an int32");
  if (total > most) detail::invalid("indices.size()", total, "must fit an int32");
  if (truth.distances.size() != total) detail::invalid("distances.size()", truth.distances.size(), "must be ", total);
  std::vector<std::int32_t> counts(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t count = truth.indptr[i + 1] - truth.indptr[i];
    if (count < 0) detail::invalid("indptr", truth.indptr[i + 1], "must not descend");
    counts[i] = static_cast<std::int32_t>(count);
  }
  if (n > 0 && (truth.indptr[0] != 0 || static_cast<std::size_t>(truth.indptr[n]) != total))
    detail::invalid("indptr", truth.indptr[n], "must go from 0 to indices.size() = ", total);
  if (n == 0 && total > 0) detail::invalid("indices.size()", total, "must be 0 without rows");
  detail::output_file file(path);
  const std::array<std::int32_t, 2> header{static_cast<std::int32_t>(n), static_cast<std::int32_t>(total)};
  file.write(header.data(), sizeof(header));
  detail::transfer transfer(params.progress, "write big-ann truth", 4 * n + 8 * total);
  transfer.write(file, counts.data(), n * sizeof(std::int32_t));
  transfer.write(file, truth.indices.data(), total * sizeof(std::int32_t));
  transfer.write(file, truth.distances.data(), total * sizeof(float));
  file.commit();
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
