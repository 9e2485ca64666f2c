#pragma once

/// \file
/// How the rows of one shard are changed: members of an index that have other names, or that it does not have.
/// annulus.hpp leaves this header out.

#include <annulus/core/base/parallel.hpp>
#include <annulus/mpi/shard_search.hpp>
#include <annulus/mpi/together.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

template <class Index>
concept inserts_rows = requires(Index& index, const typename Index::view_type& rows) {
  { index.insert(rows) } -> std::same_as<id_type>;
};
template <class Index>
concept erases_rows = requires(Index& index, id_type id, const typename Index::view_type& row) {
  index.erase(id);
  index.update(id, row);
};

template <inserts_rows Index>
id_type insert_rows(Index& index, const typename Index::view_type& rows, const run_params& params) {
  if constexpr (is_dynamic_index<Index>) return index.insert(rows, params.threads);
  else if constexpr (requires { index.insert(rows, params); }) return index.insert(rows, params);
  else return index.insert(rows);
}

/// Whether rows of this index can be erased, which of a dynamic_index its kind tells.
template <class Index>
bool can_erase(const Index& index) {
  if constexpr (is_dynamic_index<Index>) return index.info("kind") == "nndescent" || index.info("kind") == "lsh";
  else return erases_rows<Index>;
}

template <class Index>
void consolidate_rows(Index& index) {
  if constexpr (requires { index.consolidate(); }) index.consolidate();
  else if constexpr (requires { index.compact(); }) index.compact();
}

/// Inserts rows on each rank, and returns the id of the first by the rank's index: on all ranks or on none. Where
/// another rank throws, those of this one are erased, or were inserted into a copy where its index erases none.
template <class Index>
id_type insert_together(const mpi::communicator& comm, Index& index, const typename Index::view_type& rows,
                        const run_params& params, global_ids& ids) {
  id_type first = no_id;
  if (!can_erase(index)) {
    std::optional<Index> changed;
    mpi::together(comm, [&] {
      ids.make_room();
      if (rows.size() == 0) return;
      changed.emplace(index);
      first = insert_rows(*changed, rows, params);
    });
    if (changed) index = std::move(*changed);
  } else if constexpr (erases_rows<Index>) {
    const rank_failure failure = failure_of([&] {
      ids.make_room();
      if (rows.size() > 0) first = insert_rows(index, rows, params);
    });
    try {
      throw_together(comm, failure);
    } catch (...) {
      for (std::size_t i = 0; first != no_id && i < rows.size(); ++i) index.erase(first + static_cast<id_type>(i));
      throw;
    }
  }
  return first;
}

/// Calls change(local id); where that says that the index does not have the id, the message has the global one.
template <class Change>
void with_id_in_message(id_type local, std::int64_t global, Change change) {
  try {
    change(local);
  } catch (const std::invalid_argument& e) {
    const std::string of_local = "annulus: id = " + std::to_string(local) + ": ";
    if (!std::string_view(e.what()).starts_with(of_local)) throw;
    invalid("id", global, std::string_view(e.what()).substr(of_local.size()));
  }
}

/// How many of `count` rows each shard gets, so that the smaller ones grow to a common size.
inline std::vector<std::size_t> level_shares(std::span<const std::size_t> sizes, std::size_t count) {
  std::vector<std::size_t> order(sizes.size()), shares(sizes.size(), 0);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t r) { return sizes[r]; });
  std::size_t n = 1, sum = sizes[order[0]];  // the n smallest shards get rows
  while (n < order.size() && sizes[order[n]] * n < sum + count) sum += sizes[order[n++]];
  const std::size_t level = (sum + count) / n, above = (sum + count) % n;
  for (std::size_t i = 0; i < n; ++i) shares[order[i]] = level + (i < above) - sizes[order[i]];
  return shares;
}

/// Gives each rank its share of the root's rows, contiguous and in the order of the ranks; `sizes` of the shards.
template <class View>
packed_rows scatter_rows(const mpi::communicator& comm, int root, const View& rows,
                         std::span<const std::size_t> sizes) {
  mpi::check_root(comm, root);
  const auto blocks = mpi::together(comm, [&] {
    std::vector<packed_rows> packed(sizes.size());
    if (comm.rank() != root) return packed;
    std::size_t r = 0, first = 0;
    for (const std::size_t share : level_shares(sizes, rows.size())) {
      packed[r++] = pack_rows(rows, row_range{first, share});
      first += share;
    }
    return packed;
  });
  return comm.exchange_blocks<std::byte>([&](std::size_t r) { return packed_view(blocks[r]); }).values;
}

/// The root's rows on every rank. `prepare(n, number)` is called before they are sent, with how many there are and the
/// root's `number`: it allocates what the caller will need, or throws, which all ranks do then. Collective.
template <class View, class Prepare>
packed_rows broadcast_rows(const mpi::communicator& comm, int root, const View& rows, std::size_t number,
                           Prepare prepare) {
  packed_rows packed;
  rank_failure failure = failure_of([&] {
    if (comm.rank() == root) packed = pack_rows(rows);
  });
  const std::array<std::size_t, 3> of_root = numbers_of_root(comm, root, {packed.size(), rows.size(), number});
  if (failure.kind == failure_kind::none)
    failure = failure_of([&] {
      packed.resize(of_root[0]);
      prepare(of_root[1], of_root[2]);
    });
  throw_together(comm, failure);
  comm.broadcast(std::span(packed), root);
  return packed;
}
template <class View>
packed_rows broadcast_rows(const mpi::communicator& comm, int root, const View& rows) {
  return broadcast_rows(comm, root, rows, 0, [](std::size_t, std::size_t) {});
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
