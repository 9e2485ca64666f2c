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

inline void remove_files(const std::filesystem::path& folder, const std::vector<std::string>& names) noexcept {
  std::error_code ignored;
  for (const std::string& name : names) std::filesystem::remove(folder / path_of_name(name), ignored);
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
  const auto folder = path.parent_path();
  const std::string tag = detail::file_tag(
      comm.broadcast_value(std::uint64_t{std::random_device()()} << 32 | std::uint64_t{std::random_device()()}, 0));
  const detail::shard_names names(detail::name_of_path(path.filename()) + "." + tag, comm.rank());
  std::string manifest, older;
  try {
    const auto record = together(comm, [&] {
      detail::save_shard(index.shard(), folder / detail::path_of_name(names.index));
      annulus::save(detail::shard_parts::ids(index), folder / detail::path_of_name(names.ids));
      return detail::shard_record{index.shard().size(), detail::file_record(folder / detail::path_of_name(names.index)),
                                  detail::file_record(folder / detail::path_of_name(names.ids))};
    });
    const auto records = comm.all_gather(record);
    together(comm, [&] {
      if (comm.rank() != 0) return;
      older = detail::text_of_file(path);
      manifest = detail::shard_manifest(tag, detail::kind_of_shard(index.shard()), index.n_ids(), records).text();
      detail::output_file file(path);
      file.write(manifest.data(), manifest.size());
      file.commit();
    });
  } catch (...) {
    detail::remove_files(folder, {names.index, names.ids});
    throw;
  }
  older = detail::broadcast_text(comm, older);
  detail::remove_files(folder, detail::files_of_manifest(older, detail::name_of_path(path.filename())));
}

/// Opens what save has written, with as many ranks, and checks all of it. O(bytes). Collective. \tparam Index of each
/// shard \param of the ranks; is duplicated \param path of the manifest \param args those of load_index, as a metric
/// that files cannot hold \returns the index \throws format_error on all ranks for a file that is damaged or another
/// than the manifest names; likewise std::system_error for one that is missing, and std::invalid_argument for another
/// number of ranks
template <class Index, class... Args>
sharded_index<Index> open_shards(MPI_Comm of, const std::filesystem::path& path, const Args&... args) {
  communicator comm(of);
  const auto folder = path.parent_path();
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
