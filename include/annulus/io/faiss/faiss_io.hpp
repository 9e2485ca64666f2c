#pragma once

/// \file
/// faiss's index files without faiss: IndexPQ, IndexPQFastScan, IndexFlat (L2 and inner product), and around them
/// IndexPreTransform of one LinearTransform (OPQMatrix) and IndexRefineFlat.

#include <annulus/io/faiss/faiss_reader.hpp>
#include <annulus/io/faiss/faiss_writer.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Reads a file of faiss's write_index. Memory: that of the index, and up to twice as much again while it is read;
/// nothing is allocated that the bytes left in the file do not justify. O(size of the file), and for quantisers what
/// their constructors take.
///
/// A file is read and written back with the same bytes, but for the codes of an IndexPQFastScan that pad its last block
/// or an odd number of sub-quantisers: faiss makes these zero, and so does write_faiss. \param path of the file
/// \returns the index \throws format_error with the byte offset for another kind of index, transform or metric, which
/// it names, also inside another index; for one in more than 7 others; for one that is not trained; for fast-scan
/// blocks of other than 32 codes; for 2^32 - 1 vectors or more; for centroids, matrices and vectors with NaN or
/// infinity, or so long that distances between them may overflow; and for files that end early, go on, or contradict
/// themselves. \throws std::system_error where the file is missing, cannot be opened, or is not a regular file.
inline faiss_index read_faiss(const std::filesystem::path& path) { return detail::faiss_reader(path).read(); }

/// Writes a file for faiss's read_index: a faiss_index, or one of its kinds, made of objects of annulus, as in
///
///     write_faiss("codes.faiss", faiss_pq(quantizer, quantizer.encode(vectors)));
///     write_faiss("fast.faiss", faiss_refine_flat(faiss_fast_scan(index), faiss_flat(vectors), 4));
///
/// The file appears whole under its name or not at all. O(size of the file), with buffers as its only memory but for a
/// transposed matrix. \param path of the file \param index what is written \throws std::system_error where the file
/// cannot be written.
inline void write_faiss(const std::filesystem::path& path, const faiss_index& index) {
  detail::faiss_writer(path).write(index);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
