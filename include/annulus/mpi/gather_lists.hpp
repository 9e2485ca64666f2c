#pragma once

/// \file
/// Lists of different lengths, a query each, from all shards to the root. annulus.hpp leaves this header out.

#include <annulus/core/result/neighbors.hpp>
#include <annulus/mpi/communicator.hpp>
#include <annulus/mpi/global_ids.hpp>
#include <annulus/mpi/global_neighbors.hpp>
#include <annulus/mpi/together.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// What is found in this shard, by global ids.
inline mpi::global_lists with_global_ids(const csr& found, const global_ids& ids) {
  mpi::global_lists lists{found.indptr, {}, found.distances};
  lists.ids.reserve(found.indices.size());
  for (const std::int32_t id : found.indices) lists.ids.push_back(ids.global_of(static_cast<id_type>(id)));
  return lists;
}

/// The lists of all ranks, for each query one of those for it, at the root; empty on other ranks. Collective.
inline mpi::global_lists gather_lists(const mpi::communicator& comm, int root, const mpi::global_lists& own) {
  const auto indptr = comm.gather_blocks<std::int64_t>(own.indptr, root);
  const auto ids = comm.gather_blocks<std::int64_t>(own.ids, root);
  const auto distances = comm.gather_blocks<float>(own.distances, root);
  return mpi::together(comm, [&] {
    mpi::global_lists all;
    if (comm.rank() != root) return all;
    all.indptr.assign(1, 0);
    std::vector<candidate<float, std::int64_t>> list;
    for (std::size_t i = 0; i + 1 < own.indptr.size(); ++i) {
      list.clear();
      std::size_t rank_begin = 0;
      for (std::size_t r = 0; r < ids.counts.size(); ++r) {
        const std::int64_t* const ends = indptr.values.data() + r * own.indptr.size() + i;
        for (std::size_t j = rank_begin + static_cast<std::size_t>(ends[0]);
             j < rank_begin + static_cast<std::size_t>(ends[1]); ++j)
          list.push_back({distances.values[j], ids.values[j]});
        rank_begin += ids.counts[r];
      }
      std::sort(list.begin(), list.end());
      for (const auto& c : list) {
        all.ids.push_back(c.id);
        all.distances.push_back(c.rank);
      }
      all.indptr.push_back(static_cast<std::int64_t>(all.ids.size()));
    }
    return all;
  });
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
