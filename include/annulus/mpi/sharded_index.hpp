#pragma once

/// \file
/// mpi::sharded_index: an index whose rows are spread over the processes of an MPI program. annulus.hpp leaves this
/// header out.
///
///     annulus::mpi::sharded_index index(MPI_COMM_WORLD, [&] {
///       return annulus::nndescent_index(my_rows, annulus::cosine{}, {.n_neighbors = 20});
///     });
///     auto found = index.search(queries, 10);   // rank 0's queries, and at rank 0 the answer

#include <annulus/mpi/deadline_search.hpp>
#include <annulus/mpi/gather_lists.hpp>
#include <annulus/mpi/pending_search.hpp>
#include <annulus/mpi/shard_changes.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace detail {
struct shard_parts;
}
namespace mpi {

/// Where the queries of a search come from, what it may find, and how long it may take. The same on all ranks.
struct shard_search_options {
  int root = 0;               ///< the rank that gives the queries and gets the answer
  double deadline = 0;        ///< seconds until the answer is due; 0: as long as it takes
  bool is_whole = false;      ///< with a deadline: throws `incomplete` where a shard has not answered
  global_filter filter = {};  ///< rows that may be returned
};

/// Each rank holds an Index of its rows, a shard: nndescent_index, flat_index, lsh_index, fast_scan_index,
/// rabitq_index, dynamic_index. Rows have 64-bit global ids: from 0 those that rank 0 began with, then those of rank 1
/// and so on; then inserted ones, in the order of the insertions. A shard may have no rows.
///
/// Of exact indexes (flat_index; dynamic_index of that kind) the answer is that of one index of all rows, with the same
/// bits for every number of ranks, ties by global id. Of others each shard is searched by the same parameters, and the
/// answer has the nearest of what the shards find, ties by global id.
///
/// Every member but the const accessors is collective: all ranks call it, in the same order. Where one rank throws, all
/// do (together.hpp), and nothing has changed. One thread a rank calls members, and MPI. Index, communicator and
/// pending messages move with it.
template <shard_index Index>
class sharded_index {
 public:
  using view_type = typename Index::view_type;                       ///< what rows and queries come as
  using search_params = typename detail::shard_params<Index>::type;  ///< how a shard is searched

  /// \param comm the ranks; is duplicated \param make returns the rank's shard, from which no row was erased, and does
  /// not communicate \throws any exception of make on one rank, on all; std::invalid_argument for different dimensions
  /// and, of a dynamic_index, different kinds, metrics or types of rows
  template <class Make>
    requires(std::convertible_to<std::invoke_result_t<Make&>, Index>)
  sharded_index(MPI_Comm comm, Make&& make) : m_comm(comm), m_shard(together(m_comm, make)) {
    check_same(m_comm, "dimension", m_shard.dim());
    allocate_sizes();
    if constexpr (detail::is_dynamic_index<Index>) check_same_kind();
    const auto n = static_cast<std::int64_t>(m_shard.size());
    m_ids.append(0, m_shard.size(), m_comm.exclusive_sum(n));
    m_end = m_comm.all_reduce(n, MPI_SUM);
    count_rows();
  }

  /// The k nearest rows of each of the root's queries. Queries go down a tree of messages, and lists of k come up
  /// another, in which they are merged: 12 k bytes a query and message. O(log ranks) messages a rank.
  ///
  /// With a deadline the answer comes when it is due, from the shards that have answered by then (`coverage`), though
  /// the root's own shard is searched to the end. The root sends and receives every message then. A rank that throws
  /// does so itself and at the root; one that has not heard of the queries in time has coverage 0. \param queries m x
  /// dim() at the root; not looked at on other ranks \param k at least 1 \param params of this rank; its filter, if
  /// any, is about the ids of the rank's own index \param options root, deadline and filter by global ids \returns at
  /// the root m x k global ids and distances, on other ranks an answer of no rows \throws std::invalid_argument where
  /// root or k is not the same on all ranks, k is 0 or greater than 2^26, and what the search of a shard throws;
  /// incomplete where options ask for it
  global_neighbors search(const view_type& queries, std::size_t k, const search_params& params = {},
                          const shard_search_options& options = {}) {
    return search_by(queries, k, params, options);
  }
  /// Indexes of codes that search with rows and without them: with rows. \param queries,k,options as above \param
  /// params ranked_by_rows \returns as above \throws std::invalid_argument and incomplete as above
  template <detail::extra_params_of<Index> Params>
  global_neighbors search(const view_type& queries, std::size_t k, const Params& params,
                          const shard_search_options& options = {}) {
    return search_by(queries, k, params, options);
  }

  /// The same, but returns when this rank has searched its shard; lists are merged while it searches for the next
  /// batch. \param queries,k,params,options as of search \returns the answer to come; what a rank throws, its get()
  /// throws on all \throws std::invalid_argument for a deadline,
  /// and for a root or k that is not the same on all ranks
  pending_search search_async(const view_type& queries, std::size_t k, const search_params& params = {},
                              const shard_search_options& options = {}) {
    return start(queries, k, params, options);
  }

  /// Each rank gives queries of its own and gets their answer. All shards search for all of them. \param queries of
  /// this rank, any number \param k the same on all \param params of this rank \param filter by global ids \returns the
  /// k nearest rows of this rank's queries \throws std::invalid_argument as search
  global_neighbors search_each(const view_type& queries, std::size_t k, const search_params& params = {},
                               const global_filter& filter = {}) {
    check_same(m_comm, "k", k);
    const detail::packed_rows own = together(m_comm, [&] { return detail::pack_rows(queries); });
    const auto gathered = m_comm.all_gather_blocks<std::byte>(own);
    std::vector<int> n_lists;
    std::vector<detail::global_candidate> merged;
    std::optional<detail::mpi_operation> merge;
    global_neighbors found;
    const auto lists = together(m_comm, [&] {
      std::vector<detail::packed_view> blocks;
      std::size_t begin = 0;
      for (const std::size_t bytes : gathered.counts) {
        blocks.push_back(detail::packed_view(gathered.values).subspan(begin, bytes));
        n_lists.push_back(static_cast<int>(detail::header_of(blocks.back()).n));
        begin += bytes;
      }
      merge = detail::merge_operation<detail::global_candidate>(k);
      found = global_neighbors(queries.size(), k);
      merged.resize(queries.size() * k);
      const detail::packed_rows all = detail::join_packed(blocks);
      return detail::shard_lists(m_shard, detail::unpack_rows<view_type>(all), k, params, m_ids, filter);
    });
    detail::check_mpi(
        MPI_Reduce_scatter(lists.data(), merged.data(), n_lists.data(), merge->type(), merge->get(), m_comm.get()),
        "MPI_Reduce_scatter");
    detail::write_neighbors(merged, found);
    return found;
  }

  /// All rows within a distance of each of the root's queries that the shards' searches find. \param queries m x dim()
  /// at the root \param radius that distance \param params of this rank \param root gives the queries \returns at the
  /// root m lists, on other ranks none \throws std::invalid_argument as the search of a shard, and for a
  /// radius that is not the same on all ranks
  global_lists radius_search(const view_type& queries, float radius, const search_params& params = {},
                             int root = 0) requires detail::searches_radius<Index> {
    const auto bits = std::bit_cast<std::uint32_t>(radius);
    const auto packed = detail::broadcast_rows(m_comm, root, queries, bits, [&](std::size_t, std::size_t root_bits) {
      if (bits != root_bits)
        detail::invalid("radius", radius, "must be the same on all ranks; the root has ",
                        std::bit_cast<float>(static_cast<std::uint32_t>(root_bits)));
    });
    const auto found = together(m_comm, [&] {
      return detail::with_global_ids(m_shard.radius_search(detail::unpack_rows<view_type>(packed), radius, params),
                                     m_ids);
    });
    return detail::gather_lists(m_comm, root, found);
  }

  /// Inserts the rows that each rank gives into its shard. \param rows of this rank, any number \param params threads
  /// \returns the global id of the first: those of rank 0 come first, then those of rank 1, and so on \throws
  /// std::invalid_argument as Index::insert, on all ranks; nothing has changed
  std::int64_t insert(const view_type& rows, const run_params& params = {}) requires detail::inserts_rows<Index> {
    const auto count = static_cast<std::int64_t>(rows.size());
    const std::int64_t first = m_end + m_comm.exclusive_sum(count), total = m_comm.all_reduce(count, MPI_SUM);
    const id_type local = detail::insert_together(m_comm, m_shard, rows, params, m_ids);
    m_ids.append(local, rows.size(), first);
    m_end += total;
    count_rows();
    return first;
  }

  /// Inserts the root's rows, divided so that the smaller shards grow to a common size. \param root the rank that gives
  /// rows \param rows those of the root count \param params threads \returns on all ranks the global id of the first;
  /// the others follow in order, however many ranks there are \throws std::invalid_argument as insert
  std::int64_t insert_from(int root, const view_type& rows,
                           const run_params& params = {}) requires detail::inserts_rows<Index> {
    const std::int64_t first = m_end;
    const auto own = detail::scatter_rows(m_comm, root, rows, m_sizes);
    insert(detail::unpack_rows<view_type>(own), params);
    return first;
  }

  /// Erases a row. \param id global, the same on all ranks \throws std::invalid_argument for one not in the index
  void erase(std::int64_t id) requires detail::erases_rows<Index> {
    change_row(id, [&](id_type local) { m_shard.erase(local); });
  }
  /// Gives a global id another row. \param id as of erase \param row one row, of the root \param root the rank that
  /// gives it \throws std::invalid_argument as erase, and as Index::update
  void update(std::int64_t id, const view_type& row, int root = 0) requires detail::erases_rows<Index> {
    const auto packed = detail::broadcast_rows(m_comm, root, row);
    change_row(id, [&](id_type local) { m_shard.update(local, detail::unpack_rows<view_type>(packed)); });
  }
  /// Frees what erased rows have left, on each rank. \throws any exception of Index::consolidate on one rank, on all
  void consolidate() {
    together(m_comm, [&] { detail::consolidate_rows(m_shard); });
  }

  /// \returns bytes of all shards \throws mpi::error
  std::size_t memory_bytes() const { return m_comm.all_reduce(std::uint64_t{m_shard.memory_bytes()}, MPI_SUM); }

  const Index& shard() const noexcept { return m_shard; }       ///< \returns that of this rank
  const communicator& comm() const noexcept { return m_comm; }  ///< \returns the ranks
  std::size_t dim() const noexcept { return m_shard.dim(); }    ///< \returns coordinates of a row
  /// \returns rows of all ranks
  std::size_t size() const noexcept { return std::accumulate(m_sizes.begin(), m_sizes.end(), std::size_t{0}); }
  std::span<const std::size_t> sizes() const noexcept { return m_sizes; }  ///< \returns rows of each rank
  std::int64_t n_ids() const noexcept { return m_end; }                    ///< \returns global ids given out so far
  /// \param id of a row of this rank's shard \returns its global id \throws std::logic_error where there is none
  std::int64_t global_id(id_type id) const { return m_ids.global_of(id); }

 private:
  /// Distances of other metrics, and of rows of another type, would be merged as if they were the same.
  void check_same_kind() const {
    const std::string own = together(m_comm, [&] { return detail::shard_description(m_shard); });
    const std::string first = detail::broadcast_text(m_comm, own);
    together(m_comm, [&] {
      if (own != first) detail::invalid("index", own, "must be the same on all ranks; rank 0 has ", first);
    });
  }

  friend struct detail::shard_parts;
  sharded_index(communicator comm, Index shard, detail::global_ids ids, std::int64_t end)
      : m_comm(std::move(comm)), m_shard(std::move(shard)), m_ids(std::move(ids)), m_end(end) {
    allocate_sizes();
    count_rows();
  }

  void allocate_sizes() {
    together(m_comm, [&] {
      m_ids.make_room();
      m_sizes.resize(static_cast<std::size_t>(m_comm.size()));
    });
  }
  void count_rows() { m_comm.all_gather(m_shard.size(), std::span<std::size_t>(m_sizes)); }

  template <class Params>
  global_neighbors search_by(const view_type& queries, std::size_t k, const Params& params,
                             const shard_search_options& options) {
    const bool is_right = detail::is_number(options.deadline) && options.deadline >= 0;
    if (is_right && options.deadline == 0) return start(queries, k, params, options).get();
    try {
      if (!is_right) detail::invalid("deadline", options.deadline, "must be at least 0 seconds");
      detail::check_is_rank(m_comm, options.root);
    } catch (...) {
      m_deadlines.skip();
      throw;
    }
    const auto found =
        m_deadlines.run(m_comm, options.root, queries, k, options.deadline, m_sizes, [&](detail::packed_view packed) {
          return detail::shard_lists(m_shard, detail::unpack_rows<view_type>(packed), k, params, m_ids, options.filter);
        });
    if (options.is_whole && found.coverage < 1) throw incomplete(found.coverage);
    return found;
  }

  template <class Params>
  pending_search start(const view_type& queries, std::size_t k, const Params& params,
                       const shard_search_options& options) {
    std::shared_ptr<detail::pending_merge> merge;
    std::function<void()> between;
    const auto packed =
        detail::broadcast_rows(m_comm, options.root, queries, k, [&](std::size_t n, std::size_t root_k) {
          if (options.deadline != 0) detail::invalid("deadline", options.deadline, "must be 0 for search_async");
          detail::check_list_length(k);
          if (k != root_k) detail::invalid("k", k, "must be the same on all ranks; the root has ", root_k);
          std::erase_if(m_pending, [](const auto& other) { return other.expired(); });
          if (!m_pending.empty())
            between = [this] {
              for (const auto& pending : m_pending)
                if (const auto other = pending.lock()) other->progress();
            };
          merge = std::make_shared<detail::pending_merge>(m_comm, options.root, k, n);
          m_pending.push_back(merge);
        });
    merge->start(detail::failure_of([&] {
      const auto asked = detail::unpack_rows<view_type>(packed);
      detail::write_shard_lists(m_shard, asked, k, params, m_ids, options.filter, merge->lists(), between);
    }));
    return pending_search(std::move(merge));
  }

  /// Calls change(local id) on the rank that has the row.
  template <class Change>
  void change_row(std::int64_t id, Change change) {
    check_same(m_comm, "id", id);
    const auto local = m_ids.local_of(id);
    if (m_comm.all_reduce(local ? 1 : 0, MPI_SUM) == 0) detail::invalid("id", id, "is not in the index");
    together(m_comm, [&] {
      if (local) detail::with_id_in_message(*local, id, change);
    });
    count_rows();
  }

  communicator m_comm;
  Index m_shard;
  detail::global_ids m_ids;
  std::int64_t m_end = 0;            ///< the next global id
  std::vector<std::size_t> m_sizes;  ///< of all shards
  detail::deadline_search m_deadlines;
  std::vector<std::weak_ptr<detail::pending_merge>> m_pending;
};

template <class Make>
sharded_index(MPI_Comm, Make&&) -> sharded_index<std::remove_cvref_t<std::invoke_result_t<Make&>>>;

}  // namespace mpi
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
