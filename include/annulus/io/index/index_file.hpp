#pragma once

/// \file
/// Indexes in files: one safetensors file each, which any language can open. Saved whole or not at all, loaded into
/// memory, or mapped, which takes milliseconds whatever the size. Needs nlohmann/json and xxHash (safetensors.hpp).
///
///   annulus::save(index, "words.index");
///   using index_type = annulus::nndescent_index<annulus::matrix<float>, annulus::cosine>;
///   auto loaded = annulus::load_index<index_type>("words.index");
///   auto mapped = annulus::map_index<index_type>("words.index");

#include <annulus/io/index/index_archive.hpp>
#include <annulus/version.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The version of the format that is written, and which files name. Older versions are read, newer ones refused.
/// Version 2 has graphs with a vertex for each different row.
inline constexpr int index_format_version = 2;

/// A description of the index in a file, by its header.
struct index_file_info {
  std::string kind;             ///< such as "nndescent_index"
  int format_version = 0;       ///< at most index_format_version
  std::string library_version;  ///< of the library that wrote it
  /// All of the header: the above, the metric, all parameters, and checksums.
  std::map<std::string, std::string, std::less<>> metadata;
  std::map<std::string, tensor_info, std::less<>> tensors;  ///< the arrays, by name
};

namespace detail {

template <class T>
concept saved_index = requires {
  { T::kind } -> std::convertible_to<std::string_view>;
};

/// Throws format_error unless the file holds an index of a version that can be read.
template <class File>
index_file_info checked_info(const File& file, const safetensors_header& header) {
  index_file_info info;
  info.metadata = header.metadata();
  info.tensors = header.tensors();
  const auto given = [&](std::string_view key) {
    const auto found = info.metadata.find(key);
    if (found == info.metadata.end())
      file.fail(safetensors_header::length_bytes, "the metadata has no '", key, "': this is not an index of annulus");
    return found->second;
  };
  info.kind = given("kind");
  info.library_version = given("library_version");
  const std::string version = given("format_version");
  if (!parse_number(version, info.format_version) || info.format_version < 1)
    file.fail(safetensors_header::length_bytes, "format_version '", version, "' is not a version");
  if (!header.is_checked()) file.fail(safetensors_header::length_bytes, "the header has no checksum");
  if (info.format_version > index_format_version)
    file.fail(safetensors_header::length_bytes, "format version ", version, " (of annulus ", info.library_version,
              ") is newer than version ", index_format_version, ", the newest that annulus ", ANNULUS_VERSION,
              " reads");
  return info;
}

template <class Index, class File, class... Args>
Index read_index(File file, const Args&... args) {
  const index_file_info info = checked_info(file, file.header());
  if (info.kind != Index::kind)
    file.fail(safetensors_header::length_bytes, "this is a ", info.kind, ", not the ", Index::kind, " asked for");
  Index index = persistence::make<Index>(args...);
  index_reader<File> reader(file);
  persistence::persist(index, reader);
  return index;
}

}  // namespace detail

/// Writes an index to one file, which appears under its name whole or not at all: it is written beside it, flushed to
/// the disk, and renamed. Works for nndescent_index, lsh_index, flat_index, fast_scan_index, product_quantizer,
/// optimized_product_quantizer and neighbors (a k-NN graph). The index must not change meanwhile. O(bytes). The file of
/// an nndescent_index holds no erased rows: where some were erased since the last consolidate(), it is that of a
/// consolidated copy. A process that ends meanwhile leaves the old file as it was, and beside it a temporary one,
/// annulus-<16 digits>.tmp, which may be deleted. Symbolic links are followed and stay; mode, owner and group of the
/// old file are kept as far as the process may, hard links, ACLs and extended attributes are not
/// (storage/output_file.hpp). A pipe or device is written to as it is. \param index what is saved \param path of the
/// file \throws std::system_error where the file cannot be written, as when the disk is full, it is read-only, or its
/// folder is; an old file of that name is unchanged then.
template <detail::saved_index Index>
void save(const Index& index, const std::filesystem::path& path) {
  detail::index_writer writer;
  writer.set("kind", std::string(Index::kind));
  writer.set("format_version", std::to_string(index_format_version));
  writer.set("library_version", ANNULUS_VERSION);
  const std::optional<Index> compact = detail::persistence::compact_copy(index);
  detail::persistence::persist(compact ? *compact : index, writer);
  writer.write(path);
}

/// Loads an index into memory; it gives the same answers as the one saved, bit for bit. Everything is checked before it
/// is used: checksums, sizes, and the consistency of the arrays. O(bytes). \param path of the file \param args what the
/// type does not determine: a metric that is not default-constructible, as a callable, which files cannot hold \returns
/// the index \throws format_error for a file that is damaged, of a newer version, or of another kind, type, metric,
/// storage or family than Index; std::system_error where it cannot be opened.
template <detail::saved_index Index, class... Args>
Index load_index(const std::filesystem::path& path, const Args&... args) {
  Index index = detail::read_index<Index>(detail::loaded_tensors(path), args...);
  if (const std::string defect = detail::persistence::defect(index); !defect.empty())
    throw format_error(detail::name_of_path(path), detail::safetensors_header::length_bytes, defect);
  return index;
}

/// Maps the index of a file: processes share its memory, and pages are read when they are first touched. O(1) plus what
/// an index computes from its parameters: checks header, sizes and shapes, not checksums and contents. Searches of a
/// damaged file stay within the index, though a filter may be asked about any id; verify_index_file and verify check
/// the rest. Changes, as by insert, stay in this process's memory; they need an index that verify has passed. The file
/// must not be written to in place or truncated while it is mapped (to replace it, as save does, is safe). \param
/// path,args as of load_index \returns the index \throws format_error and std::system_error as load_index
template <detail::saved_index Index, class... Args>
Index map_index(const std::filesystem::path& path, const Args&... args) {
  return detail::read_index<Index>(detail::mapped_tensors(path), args...);
}

/// Checks the contents of the arrays of an index: ids in range, offsets that ascend, finite numbers. O(bytes). \param
/// index what is checked \throws format_error that names the first defect
template <detail::saved_index Index>
void verify(const Index& index) {
  if (const std::string defect = detail::persistence::defect(index); !defect.empty())
    throw format_error(std::string(Index::kind), 0, defect);
}

/// Reads the description of the index in a file. O(1). \param path of the file \returns the description \throws
/// format_error and std::system_error as load_index
inline index_file_info read_index_info(const std::filesystem::path& path) {
  const detail::mapped_tensors file(path);
  return detail::checked_info(file, file.header());
}

/// Compares the bytes of every tensor of an index with their checksums. O(bytes). \param path of the file \throws
/// format_error where they differ, and as load_index; std::system_error as load_index
inline void verify_index_file(const std::filesystem::path& path) {
  detail::mapped_tensors file(path);
  static_cast<void>(detail::checked_info(file, file.header()));
  for (const auto& [name, tensor] : file.header().tensors())
    detail::check_tensor(file, name, tensor, file.bytes().data() + tensor.begin);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
