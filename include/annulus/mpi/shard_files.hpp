#pragma once

/// \file
/// Files of a sharded index: one of each rank's shard, one of its ids, and a manifest that names them, with their sizes
/// and checksums. annulus.hpp leaves this header out. Needs nlohmann/json and xxHash (io/index/index_file.hpp).
///
///     annulus::mpi::save(index, "words.shards");
///     auto same = annulus::mpi::open_shards<index_type>(MPI_COMM_WORLD, "words.shards");

#include <annulus/io/index/index_file.hpp>
#include <annulus/mpi/shard_manifest.hpp>
#include <annulus/mpi/sharded_index.hpp>

#include <random>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace detail {

/// The parts of a sharded_index that its files hold.
struct shard_parts {
  template <class Index>
  static const global_ids& ids(const mpi::sharded_index<Index>& index) noexcept {
    return index.m_ids;
  }
  template <class Index>
  static mpi::sharded_index<Index> make(mpi::communicator comm, Index shard, global_ids ids, std::int64_t end) {
    return {std::move(comm), std::move(shard), std::move(ids), end};
  }
};

template <class Index>
void save_shard(const Index& index, const std::filesystem::path& path) {
  if constexpr (is_dynamic_index<Index>) index.save(path);
  else annulus::save(index, path);
}
template <class Index, class... Args>
Index load_shard(const std::filesystem::path& path, const Args&... args) {
  if constexpr (is_dynamic_index<Index>) return Index::open(path, args...);
  else return load_index<Index>(path, args...);
}
template <class Index>
std::string kind_of_shard(const Index& index) {
  if constexpr (is_dynamic_index<Index>) return "dynamic " + std::string(index.info("kind"));
  else return std::string(Index::kind);
}

inline void remove_files(std::span<const std::filesystem::path> files) noexcept {
  std::error_code ignored;
  for (const std::filesystem::path& file : files) std::filesystem::remove(file, ignored);
}

}  // namespace detail

namespace mpi {

/// Writes an index to a manifest, at `path`, by rank 0, and to two files for each rank beside it: words.shards,
/// words.shards.0123456789abcdef.2.index and .ids, by a number of the save and the rank. The manifest is written last,
/// whole or not at all, and the names of the files are new ones: what an older manifest names stays as it was until the
/// new one is there, and is removed then. Ranks write to `path` of their own machine: a folder that all of them share,
/// or one of each. O(bytes), each file written and read once. Collective. \param index what is saved \param path of the
/// manifest \throws std::system_error on all ranks where a file of one cannot be written; an older index at `path` is
/// unchanged then
template <class Index>
void save(const sharded_index<Index>& index, const std::filesystem::path& path) {
  const communicator& comm = index.comm();
  const auto number = together(comm, [&] {
    std::random_device random;
    return comm.rank() == 0 ? std::uint64_t{random()} << 32 | std::uint64_t{random()} : 0;
  });
  const std::uint64_t tag = comm.broadcast_value(number, 0);
  std::string name;
  std::vector<std::filesystem::path> files, older;  // this rank's; all of the index that was saved before
  try {
    const auto record = together(comm, [&] {
      name = detail::name_of_path(path.filename());
      const detail::shard_names names(name + "." + detail::file_tag(tag), comm.rank());
      for (const std::string& file : {names.index, names.ids})
        files.push_back(path.parent_path() / detail::path_of_name(file));
      detail::save_shard(index.shard(), files[0]);
      annulus::save(detail::shard_parts::ids(index), files[1]);
      return detail::shard_record{index.shard().size(), detail::file_record(files[0]), detail::file_record(files[1])};
    });
    const auto records = comm.all_gather(record);
    const std::string manifest = detail::broadcast_text(
        comm, together(comm, [&] { return comm.rank() == 0 ? detail::text_of_file(path) : std::string(); }));
    together(comm, [&] {
      for (const std::string& file : detail::files_of_manifest(manifest, name))
        older.push_back(path.parent_path() / detail::path_of_name(file));
    });
    together(comm, [&] {
      if (comm.rank() != 0) return;
      const auto text =
          detail::shard_manifest(detail::file_tag(tag), detail::kind_of_shard(index.shard()), index.n_ids(), records)
              .text();
      detail::output_file file(path);
      file.write(text.data(), text.size());
      file.commit();
    });
  } catch (...) {
    detail::remove_files(files);
    throw;
  }
  detail::remove_files(older);
}

/// Opens what save has written, with as many ranks, and checks all of it. O(bytes). Collective. \tparam Index of each
/// shard \param of the ranks; is duplicated \param path of the manifest \param args those of load_index, as a metric
/// that files cannot hold \returns the index \throws format_error on all ranks for a file that is damaged or another
/// than the manifest names; likewise std::system_error for one that is missing, and std::invalid_argument for another
/// number of ranks
template <class Index, class... Args>
sharded_index<Index> open_shards(MPI_Comm of, const std::filesystem::path& path, const Args&... args) {
  communicator comm(of);
  const std::string text = detail::broadcast_text(
      comm, together(comm, [&] { return comm.rank() == 0 ? detail::text_of_file(path, true) : std::string(); }));
  std::optional<Index> shard;
  detail::global_ids ids;
  std::int64_t end = 0;
  together(comm, [&] {
    const detail::shard_manifest manifest(text, detail::name_of_path(path));
    const std::size_t ranks = manifest.shards().size();
    if (ranks != static_cast<std::size_t>(comm.size()))
      detail::invalid("ranks", comm.size(), detail::name_of_path(path), " has the shards of ", ranks,
                      ": open it with as many ranks");
    const detail::shard_names names(detail::name_of_path(path.filename()) + "." + manifest.tag(), comm.rank());
    const auto& record = manifest.shards()[static_cast<std::size_t>(comm.rank())];
    const auto folder = path.parent_path();
    const auto index_path = folder / detail::path_of_name(names.index),
               ids_path = folder / detail::path_of_name(names.ids);
    detail::check_file(index_path, record.index);
    detail::check_file(ids_path, record.ids);
    shard.emplace(detail::load_shard<Index>(index_path, args...));
    ids = load_index<detail::global_ids>(ids_path);
    end = manifest.n_ids();
    if (shard->size() != record.rows || ids.end() > end || detail::kind_of_shard(*shard) != manifest.kind())
      throw format_error(detail::name_of_path(index_path), 0, "this is not the shard that the manifest tells of");
  });
  return detail::shard_parts::make(std::move(comm), std::move(*shard), std::move(ids), end);
}

}  // namespace mpi
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
