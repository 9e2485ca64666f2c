#pragma once

/// \file
/// The HDF5 files of ann-benchmarks (https://github.com/erikbern/ann-benchmarks). Opt-in: annulus.hpp leaves this
/// header out, and a program that includes it links HDF5's C library, 1.10 or later. That library reads the structure
/// of the file by itself: it detects files that were cut, but a manipulated file may crash it, so read only files of
/// known origin. Two threads must not use it at a time, unless it was built thread-safe.

#include <annulus/core/rows/bit_matrix.hpp>
#include <annulus/core/rows/csr_matrix.hpp>
#include <annulus/io/data/data_sets_hdf5.hpp>

#include <algorithm>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// A data set to index, queries, and the answers to them.
template <class Points>
struct ann_benchmarks_of {
  Points train;                    ///< the rows to index, or the window of them that was asked for
  Points test;                     ///< the queries, with as many columns as train
  matrix<std::int32_t> neighbors;  ///< each query's nearest, rows of the whole of train; -1 for none
  matrix<float> distances;         ///< of the neighbors
  std::string distance;            ///< as the file says: "euclidean", "angular", "hamming" and others
};
using ann_benchmarks = ann_benchmarks_of<matrix<float>>;    ///< of "euclidean", "angular" and other floats
using ann_benchmarks_bits = ann_benchmarks_of<bit_matrix>;  ///< of "hamming", whose distances are shares of the bits
using ann_benchmarks_sets = ann_benchmarks_of<csr_matrix<float>>;  ///< of "jaccard"; rows have no values

namespace detail {

inline matrix<float> read_hdf5_floats(const hdf5_rows& rows, std::size_t first, std::size_t count, transfer& transfer) {
  matrix<float> result(count, rows.cols());
  rows.read<float>(first, count, H5T_NATIVE_FLOAT, transfer, [&](std::span<const float> values, std::size_t row) {
    std::ranges::copy(values, result.row(row).data());
  });
  return result;
}

/// Row numbers below n, or -1.
inline matrix<std::int32_t> read_hdf5_ids(const hdf5_rows& rows, std::size_t n, transfer& transfer) {
  matrix<std::int32_t> result(rows.rows(), rows.cols());
  rows.read<std::int64_t>(0, rows.rows(), H5T_NATIVE_INT64, transfer,
                          [&](std::span<const std::int64_t> ids, std::size_t row) {
                            std::int32_t* to = result.row(row).data();
                            for (const std::int64_t id : ids) {
                              if (id < -1 || (id >= 0 && static_cast<std::uint64_t>(id) >= n) || id > 0x7FFFFFFF)
                                rows.fail("has the neighbor ", id, ", train has ", n, " rows");
                              *to++ = static_cast<std::int32_t>(id);
                            }
                          });
  return result;
}

inline bit_matrix read_hdf5_bits(const hdf5_rows& rows, std::size_t first, std::size_t count, transfer& transfer) {
  if (!rows.is_whole()) rows.fail("has floats, which are no bits: read_ann_benchmarks reads them");
  bit_matrix result(count, rows.cols());
  // Numbers beyond a signed byte become its limits, so that only 0 becomes 0.
  rows.read<std::uint8_t>(first, count, H5T_NATIVE_INT8, transfer,
                          [&](std::span<const std::uint8_t> values, std::size_t row) {
                            for (std::size_t at = 0; at < values.size(); at += rows.cols())
                              result.assign(row++, values.subspan(at, rows.cols()));
                          });
  return result;
}

/// The members of all sets, and the number of members of each.
class hdf5_sets {
 public:
  hdf5_sets(const hdf5_file& file, const char* name, const char* sizes_name)
      : m_members(file, name, 1), m_sizes(file, sizes_name, 1), m_begins(m_sizes.rows() + 1) {
    if (!m_members.is_whole()) m_members.fail("has floats, which are no members of sets");
    if (!m_sizes.is_whole()) m_sizes.fail("has floats, which are no sizes of sets");
  }

  std::size_t rows() const noexcept { return m_sizes.rows(); }
  std::uint64_t count(std::size_t first, std::size_t n) const noexcept { return m_begins[first + n] - m_begins[first]; }

  /// Reads the sizes; call it before all others but rows(). They must sum to the number of members.
  void read_sizes() {
    const progress_callback nobody;
    transfer unheard(nobody, "read ann-benchmarks", rows() * sizeof(float));
    m_sizes.read<std::int64_t>(
        0, rows(), H5T_NATIVE_INT64, unheard, [&](std::span<const std::int64_t> sizes, std::size_t row) {
          for (const std::int64_t size : sizes) {
            const std::uint64_t left = m_members.rows() - m_begins[row];
            if (size < 0 || static_cast<std::uint64_t>(size) > left)
              m_sizes.fail("has the size ", size, " of set ", row, ", ", left, " members are left");
            m_begins[row + 1] = m_begins[row] + static_cast<std::uint64_t>(size);
            ++row;
          }
        });
    if (m_begins.back() != m_members.rows())
      m_sizes.fail("sums to ", m_begins.back(), ", there are ", m_members.rows(), " members");
  }

  /// Reads members, sorted and each once; raises `dim` above the largest.
  void read(std::size_t first, std::size_t n, transfer& transfer, std::vector<std::int64_t>& indptr,
            std::vector<std::int32_t>& indices, std::size_t& dim) const {
    indices.resize(static_cast<std::size_t>(count(first, n)));
    m_members.read<std::int64_t>(static_cast<std::size_t>(m_begins[first]), indices.size(), H5T_NATIVE_INT64, transfer,
                                 [&](std::span<const std::int64_t> members, std::size_t at) {
                                   for (const std::int64_t member : members) {
                                     if (member < 0 || member >= std::numeric_limits<std::int32_t>::max())
                                       m_members.fail("has the member ", member, ": members are from 0 to 2^31 - 2");
                                     dim = std::max(dim, static_cast<std::size_t>(member) + 1);
                                     indices[at++] = static_cast<std::int32_t>(member);
                                   }
                                 });
    indptr.assign(1, 0);
    auto kept = indices.begin();
    for (std::size_t i = 0; i < n; ++i) {
      const auto begin = indices.begin() + static_cast<std::ptrdiff_t>(count(first, i));
      const auto end = indices.begin() + static_cast<std::ptrdiff_t>(count(first, i + 1));
      std::sort(begin, end);
      kept = std::copy(begin, std::unique(begin, end), kept);
      indptr.push_back(kept - indices.begin());
    }
    indices.erase(kept, indices.end());
  }

 private:
  hdf5_rows m_members, m_sizes;
  std::vector<std::uint64_t> m_begins;
};

/// The neighbours and their distances, of n_test queries among n_train rows.
struct hdf5_answers {
  hdf5_answers(const hdf5_file& file, std::size_t n_test) : neighbors(file, "neighbors"), distances(file, "distances") {
    if (!neighbors.is_whole()) neighbors.fail("has floats, which are no numbers of rows");
    if (neighbors.rows() != n_test) neighbors.fail("has ", neighbors.rows(), " rows, test ", n_test);
    if (distances.rows() != neighbors.rows() || distances.cols() != neighbors.cols())
      distances.fail("has ", distances.rows(), " x ", distances.cols(), " values, neighbors ", neighbors.rows(), " x ",
                     neighbors.cols());
  }
  std::uint64_t count() const noexcept { return 2 * neighbors.rows() * neighbors.cols(); }

  hdf5_rows neighbors, distances;
};

/// read(data set, first, count, transfer) returns Points.
template <class Points, class Read>
ann_benchmarks_of<Points> read_ann_benchmarks_as(const std::filesystem::path& path, std::size_t first,
                                                 std::size_t count, const progress_callback& progress, Read read) {
  const hdf5_silence silence;
  const hdf5_file file(path);
  const hdf5_rows train(file, "train"), test(file, "test");
  const hdf5_answers answers(file, test.rows());
  if (test.cols() != train.cols()) test.fail("has ", test.cols(), " columns, train ", train.cols());

  count = rows_of_window(first, count, train.rows(), name_of_path(path));
  transfer transfer(progress, "read ann-benchmarks",
                    ((count + test.rows()) * train.cols() + answers.count()) * sizeof(float));
  ann_benchmarks_of<Points> result;
  result.distance = file.text("distance");
  result.test = read(test, 0, test.rows(), transfer);
  result.neighbors = read_hdf5_ids(answers.neighbors, train.rows(), transfer);
  result.distances = read_hdf5_floats(answers.distances, 0, answers.distances.rows(), transfer);
  result.train = read(train, first, count, transfer);
  return result;
}

}  // namespace detail

/// Reads a file of ann-benchmarks. Values in it may be floats or integers of any width, or bools (0 or 1); they are
/// rounded to float. O(bytes read). Allocated are the results and some MB or a row of chunks, once the file's own size
/// justifies what a data set claims to be; a chunked one, which may be compressed, may claim 1,032 times the bytes that
/// are stored of it, as deflate can do. \param path of the file \param first the first row of train that is read \param
/// count rows of train, fewer where there are fewer \param params progress \returns rows `first` to `first` + `count`
/// of train, and all of test, neighbors and distances \throws format_error for what HDF5 cannot read, with HDF5's
/// reason; for a data set that is missing, not of two dimensions (sets, as of jaccard), of other values, elsewhere, or
/// larger than the above; for shapes that do not fit together, and neighbors that are no rows of train. The offset it
/// gives is 0. \throws std::system_error where the file is missing, cannot be opened, or is not a regular file. \throws
/// std::invalid_argument for `first` beyond the rows of train; cancelled where `progress` returns false.
inline ann_benchmarks read_ann_benchmarks(const std::filesystem::path& path, std::size_t first = 0,
                                          std::size_t count = all_rows, const file_params& params = {}) {
  return detail::read_ann_benchmarks_as<matrix<float>>(path, first, count, params.progress, detail::read_hdf5_floats);
}

/// Reads a file of bools, or of integers of which any but 0 is true, as packed bits, for bit_hamming: the file's
/// distances are shares of the bits, not numbers of them. \param path,first,count,params as of read_ann_benchmarks
/// \returns the same, of bits \throws format_error, std::system_error, std::invalid_argument and cancelled as
/// read_ann_benchmarks
inline ann_benchmarks_bits read_ann_benchmarks_bits(const std::filesystem::path& path, std::size_t first = 0,
                                                    std::size_t count = all_rows, const file_params& params = {}) {
  return detail::read_ann_benchmarks_as<bit_matrix>(path, first, count, params.progress, detail::read_hdf5_bits);
}

/// Reads a file of sets, for jaccard: members of all sets in one dimension, and how many each set has (size_train,
/// size_test). \param path,first,count,params as of read_ann_benchmarks, counting sets \returns the same, of sets,
/// which come sorted, each member once; dim() of both is the attribute `dimension`, or one more than the largest member
/// read where that is more \throws format_error, std::system_error, std::invalid_argument and cancelled as
/// read_ann_benchmarks; format_error also for sizes that do not sum to the number of members, and members that are
/// negative or beyond 2^31 - 2
inline ann_benchmarks_sets read_ann_benchmarks_sets(const std::filesystem::path& path, std::size_t first = 0,
                                                    std::size_t count = all_rows, const file_params& params = {}) {
  const detail::hdf5_silence silence;
  const detail::hdf5_file file(path);
  detail::hdf5_sets train(file, "train", "size_train"), test(file, "test", "size_test");
  const detail::hdf5_answers answers(file, test.rows());
  const std::int64_t dimension = file.number("dimension");
  if (dimension < 0 || dimension > std::numeric_limits<std::int32_t>::max())
    file.fail("attribute 'dimension' is ", dimension);
  train.read_sizes();
  test.read_sizes();

  count = detail::rows_of_window(first, count, train.rows(), detail::name_of_path(path));
  detail::transfer transfer(params.progress, "read ann-benchmarks",
                            (train.count(first, count) + test.count(0, test.rows()) + answers.count()) * sizeof(float));
  ann_benchmarks_sets result;
  result.distance = file.text("distance");
  auto dim = static_cast<std::size_t>(dimension);
  std::vector<std::int64_t> test_indptr, train_indptr;
  std::vector<std::int32_t> test_indices, train_indices;
  test.read(0, test.rows(), transfer, test_indptr, test_indices, dim);
  result.neighbors = detail::read_hdf5_ids(answers.neighbors, train.rows(), transfer);
  result.distances = detail::read_hdf5_floats(answers.distances, 0, answers.distances.rows(), transfer);
  train.read(first, count, transfer, train_indptr, train_indices, dim);
  result.test = {std::move(test_indptr), std::move(test_indices), dim};
  result.train = {std::move(train_indptr), std::move(train_indices), dim};
  return result;
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
