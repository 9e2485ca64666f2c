#pragma once

/// \file
/// Sparse matrices as scipy.sparse.save_npz writes them: an .npz of indptr, indices, data, shape and format. Compressed
/// files, which save_npz makes unless it is told otherwise, are read and written with a codec:
///
///   auto rows = annulus::read_scipy_csr<float>("plain.npz");
///   auto same = annulus::read_scipy_csr<float>("rows.npz", annulus::zlib_codec{});  // of io/data/zlib_codec.hpp
///   annulus::write_scipy_csr("graph.npz", annulus::to_csr(found, n));

#include <annulus/core/result/neighbors.hpp>
#include <annulus/core/rows/csr_matrix.hpp>
#include <annulus/io/data/npz_member.hpp>

#include <algorithm>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace detail {

/// Sorts rows whose indices do not ascend, and adds values at the same position, as scipy does.
template <class T>
void make_canonical(std::span<std::int64_t> indptr, std::vector<std::int32_t>& indices, std::vector<T>& values) {
  std::vector<std::pair<std::int32_t, T>> row;
  std::size_t kept = 0;
  for (std::size_t i = 0, begin = 0; i + 1 < indptr.size(); ++i) {
    const auto end = static_cast<std::size_t>(indptr[i + 1]);
    const std::span<const std::int32_t> of_row(indices.data() + begin, end - begin);
    const bool ascends = std::ranges::adjacent_find(of_row, std::greater_equal{}) == of_row.end();
    row.clear();
    for (std::size_t j = begin; j < end; ++j) row.emplace_back(indices[j], values[j]);
    if (!ascends) std::ranges::stable_sort(row, {}, &std::pair<std::int32_t, T>::first);
    const std::size_t first = kept;
    for (const auto& [index, value] : row) {
      if (kept > first && indices[kept - 1] == index) {
        values[kept - 1] += value;
        continue;
      }
      indices[kept] = index;
      values[kept++] = value;
    }
    begin = end;
    indptr[i + 1] = static_cast<std::int64_t>(kept);
  }
  indices.resize(kept);
  values.resize(kept);
}

template <class T, class Codec>
void write_scipy_arrays(const std::filesystem::path& path, std::span<const std::int64_t> indptr,
                        std::span<const std::int32_t> indices, std::span<const T> values, std::size_t rows,
                        std::size_t cols) {
  npz_writer<Codec> file(path);
  // scipy wants one type for both: the narrow one where it holds every offset.
  constexpr auto most = std::numeric_limits<std::int32_t>::max();
  if (indices.size() <= std::size_t{most}) {
    file.add("indices", indices);
    const std::vector<std::int32_t> narrow(indptr.begin(), indptr.end());
    file.template add<std::int32_t>("indptr", narrow);
  } else {
    const std::vector<std::int64_t> wide(indices.begin(), indices.end());
    file.template add<std::int64_t>("indices", wide);
    file.add("indptr", indptr);
  }
  file.add_text("format", "csr");
  const std::array<std::int64_t, 2> shape{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols)};
  file.template add<std::int64_t>("shape", shape);
  file.add("data", values);
  file.commit();
}

}  // namespace detail

/// Reads a CSR matrix: rows of values of T, into which the file's are converted (doubles are rounded to float). Indices
/// and offsets may be int32 or int64; rows whose indices do not ascend are sorted, values at the same place are added,
/// and stored zeros are kept. O(bytes, and sorting). Allocates what the arrays claim to hold, once the bytes in the
/// file justify that: as many bytes where they are stored, up to 1,032 times as many where they are compressed, the
/// limit of deflate. \tparam Codec zlib_codec for compressed files \param path of the file \returns the rows \throws
/// format_error for a file that is damaged (each array has a checksum), is no .npz, has not these arrays, or is of
/// another format than csr, which it names; for arrays that do not fit together, a value that T does not have, more
/// than 2^31 - 1 columns; and for a compressed one without a codec. \throws std::system_error where the file is
/// missing, cannot be opened or read, or is not a regular file.
template <class T = float, class Codec = stored_codec>
csr_matrix<T> read_scipy_csr(const std::filesystem::path& path, const Codec& = {}) {
  detail::npz_file<Codec> archive(path);
  const auto fail = [&](const auto&... reason) { archive.file().fail(0, reason...); };
  if (const std::string format = archive.read_text("format"); format != "csr")
    fail("this is a sparse matrix of the format '", format,
         "'; only csr is read: convert it by .tocsr() and save that");
  const auto shape = archive.template read_vector<std::int64_t>("shape");
  if (shape.size() != 2 || shape[0] < 0 || shape[1] < 0) fail("the shape is not that of a matrix");
  if (shape[1] > std::numeric_limits<std::int32_t>::max()) fail(shape[1], " columns do not fit 32-bit indices");
  auto indptr = archive.template read_vector<std::int64_t>("indptr");
  if (indptr.size() - 1 != static_cast<std::uint64_t>(shape[0])) fail(indptr.size(), " offsets of ", shape[0], " rows");
  auto indices = archive.template read_vector<std::int32_t>("indices");
  auto values = archive.template read_vector<T>("data");
  if (values.size() != indices.size()) fail(values.size(), " values of ", indices.size(), " indices");
  if (indptr[0] != 0 || !std::ranges::is_sorted(indptr) || static_cast<std::uint64_t>(indptr.back()) > indices.size())
    fail("the offsets do not ascend from 0 to at most ", indices.size());
  for (const std::int32_t index : indices)
    if (index < 0 || index >= shape[1]) fail("the index ", index, " is not below ", shape[1], " columns");
  detail::make_canonical<T>(indptr, indices, values);
  return {std::move(indptr), std::move(indices), std::move(values), static_cast<std::size_t>(shape[1])};
}

/// Writes rows as a CSR matrix that scipy.sparse.load_npz reads; sets have values of 1. Compressed where Codec is
/// zlib_codec. The file appears whole under its name or not at all: it is written beside it first. Allocates the
/// offsets once more, and compressed bytes. O(bytes). \param path of the file \param rows n x d, or a csr_matrix, which
/// is one \throws std::system_error where the file cannot be written
template <class T, class Codec = stored_codec>
  requires npy_scalar<T>
void write_scipy_csr(const std::filesystem::path& path, const csr_view<T>& rows, const Codec& = {}) {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<T> values;
  indptr.reserve(rows.size() + 1);
  indices.reserve(rows.stored());
  values.reserve(rows.stored());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const sparse_row<T> row = rows.row(i);
    indices.insert(indices.end(), row.indices.begin(), row.indices.end());
    if (row.values.empty()) values.resize(indices.size(), T(1));
    else values.insert(values.end(), row.values.begin(), row.values.end());
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  detail::write_scipy_arrays<T, Codec>(path, indptr, indices, values, rows.size(), rows.dim());
}
/// \param path,rows as above \param codec names the type \throws std::system_error as above
template <class T, class Codec = stored_codec>
  requires npy_scalar<T>
void write_scipy_csr(const std::filesystem::path& path, const csr_matrix<T>& rows, const Codec& codec = {}) {
  write_scipy_csr(path, csr_view<T>(rows), codec);
}

/// The same for a matrix of distances. \param path of the file \param graph as to_csr and graph_to_csr make it \throws
/// std::invalid_argument for arrays that do not fit together; std::system_error where the file cannot be written
template <class Codec = stored_codec>
void write_scipy_csr(const std::filesystem::path& path, const csr& graph, const Codec& = {}) {
  if (graph.indptr.empty() || static_cast<std::uint64_t>(graph.indptr.back()) != graph.indices.size())
    detail::invalid("indptr size", graph.indptr.size(), "must end with the number of indices");
  if (graph.distances.size() != graph.indices.size())
    detail::invalid("distances size", graph.distances.size(), "must be that of indices");
  if (graph.indptr.front() != 0 || !std::ranges::is_sorted(graph.indptr))
    detail::invalid("indptr", graph.indptr.front(), "must begin with 0 and ascend");
  if (graph.n_columns > std::size_t{std::numeric_limits<std::int32_t>::max()})
    detail::invalid("n_columns", graph.n_columns, "must fit 32-bit indices");
  for (const std::int32_t index : graph.indices)
    if (index < 0 || static_cast<std::size_t>(index) >= graph.n_columns)
      detail::invalid("index", index, "must be below n_columns = ", graph.n_columns);
  detail::write_scipy_arrays<float, Codec>(path, graph.indptr, graph.indices, graph.distances, graph.indptr.size() - 1,
                                           graph.n_columns);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
