#pragma once

/// \file
/// Where the rows of a distributed data set are: which rank gave which, and which has which partition. And the exchange
/// that brings each row to its homes.

#include <annulus/core/base/parallel.hpp>
#include <annulus/mpi/graph_partition.hpp>
#include <annulus/mpi/message_exchange.hpp>
#include <annulus/mpi/partition_tree.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

class row_layout {
 public:
  /// Of `n` rows of this rank. Collective.
  row_layout(const mpi::communicator& comm, std::size_t n) : m_rank(static_cast<std::size_t>(comm.rank())) {
    const auto counts = comm.all_gather(std::uint64_t{n});
    mpi::together(comm, [&] {
      m_first_ids.assign(1, 0);
      for (const std::uint64_t count : counts) m_first_ids.push_back(m_first_ids.back() + count);
    });
    m_id_width = bytes_below(size());
  }

  void divide(std::size_t n_partitions) noexcept {
    m_n_partitions = n_partitions;
    m_partition_width = bytes_below(n_partitions);
  }

  std::size_t n_ranks() const noexcept { return m_first_ids.size() - 1; }
  std::size_t rank() const noexcept { return m_rank; }
  std::uint64_t size() const noexcept { return m_first_ids.back(); }  ///< rows of all ranks
  std::uint64_t first_id(std::size_t rank) const noexcept { return m_first_ids[rank]; }
  std::size_t giver_of(std::uint64_t id) const noexcept {  ///< the rank that gave the row
    return static_cast<std::size_t>(std::ranges::upper_bound(m_first_ids, id) - m_first_ids.begin()) - 1;
  }

  std::size_t n_partitions() const noexcept { return m_n_partitions; }
  /// Partitions lie on ranks in their order, so that near ones are together.
  std::size_t rank_of(std::size_t partition) const noexcept { return partition * n_ranks() / m_n_partitions; }
  std::size_t first_partition(std::size_t rank) const noexcept {
    return (rank * m_n_partitions + n_ranks() - 1) / n_ranks();
  }

  std::size_t id_width() const noexcept { return m_id_width; }                ///< bytes of an id in messages
  std::size_t partition_width() const noexcept { return m_partition_width; }  ///< bytes of the number of a partition

 private:
  std::size_t m_rank;
  std::vector<std::uint64_t> m_first_ids;  ///< of each rank, and the number of all rows
  std::size_t m_n_partitions = 1, m_id_width = 1, m_partition_width = 1;
};

/// Brings rows to their homes: returns this rank's partitions. Each row is sent at most once to each rank. Collective.
template <class T>
std::vector<graph_partition<T>> distribute_rows(const mpi::communicator& comm, message_exchange& messages,
                                                const row_layout& layout, matrix_view<T> rows, std::size_t dim,
                                                std::span<const row_homes> homes) {
  const std::size_t first = layout.first_partition(layout.rank());
  const std::size_t n_own = layout.first_partition(layout.rank() + 1) - first, n_ranks = layout.n_ranks();
  std::vector<graph_partition<T>> own;
  // Where the next row of each rank goes, for each partition: as first home, and as second.
  std::vector<std::array<std::size_t, 2>> next;
  std::vector<std::size_t> previous;    // the last row that was sent to each rank
  std::vector<std::uint64_t> last_ids;  // that came from each rank
  std::vector<T> row;

  mpi::together(comm, [&] {
    own.resize(n_own);
    next.resize(n_ranks * n_own);
    previous.assign(n_ranks, 0);
    for (std::size_t r = 0; r < n_ranks; ++r) last_ids.push_back(layout.first_id(r));
    row.resize(dim);
    std::vector<std::array<std::size_t, 2>> counts(layout.n_partitions());
    for (const row_homes& h : homes) {
      ++counts[h.first][0];
      if (h.second != h.first) ++counts[h.second][1];
    }
    for (std::size_t p = 0; p < counts.size(); ++p)
      for (const std::size_t count : counts[p]) messages.to(layout.rank_of(p)).put_count(count);
  });
  messages.exchange();
  mpi::together(comm, [&] {
    std::vector<std::array<std::size_t, 2>> totals(n_own);
    for (std::size_t r = 0; r < n_ranks; ++r) {
      message_reader reader = messages.from(r);
      for (std::size_t p = 0; p < n_own; ++p)
        for (std::size_t home = 0; home < 2; ++home) {
          next[r * n_own + p][home] = totals[p][home];
          totals[p][home] += reader.get_count();
        }
    }
    for (std::size_t p = 0; p < n_own; ++p) {
      const std::size_t n = totals[p][0] + totals[p][1];
      own[p].number = static_cast<std::uint32_t>(first + p);
      own[p].n_first = totals[p][0];
      own[p].rows = matrix<T>(n, dim);
      own[p].names.resize(n);
      own[p].other_homes.resize(n);
      for (std::size_t r = 0; r < n_ranks; ++r) next[r * n_own + p][1] += totals[p][0];
    }
  });

  std::size_t at = 0;
  const auto fill = [&] {
    for (; at < rows.rows() && messages.pending_bytes() < message_block_bytes; ++at) {
      const row_homes h = homes[at];
      const auto send_to = [&](std::size_t rank) {
        message_writer& out = messages.to(rank);
        out.put_count(at - previous[rank]);
        out.put_number(h.first, layout.partition_width());
        out.put_number(h.second, layout.partition_width());
        out.put_all(rows.row(at));
        previous[rank] = at;
      };
      send_to(layout.rank_of(h.first));
      if (layout.rank_of(h.second) != layout.rank_of(h.first)) send_to(layout.rank_of(h.second));
    }
    return at < rows.rows();
  };
  const auto take = [&] {
    for (std::size_t r = 0; r < n_ranks; ++r)
      for (message_reader reader = messages.from(r); !reader.is_at_end();) {
        const std::uint64_t id = last_ids[r] += reader.get_count();
        const auto in = static_cast<std::uint32_t>(reader.get_number(layout.partition_width()));
        const auto beyond = static_cast<std::uint32_t>(reader.get_number(layout.partition_width()));
        reader.get_all(std::span<T>(row));
        const auto place = [&](std::uint32_t partition, std::uint32_t other, std::size_t home) {
          if (layout.rank_of(partition) != layout.rank()) return;
          graph_partition<T>& p = own[partition - first];
          const std::size_t i = next[r * n_own + partition - first][home]++;
          std::ranges::copy(row, p.rows.row(i).begin());
          p.names[i] = {in, id};
          p.other_homes[i] = other;
        };
        place(in, beyond, 0);
        if (beyond != in) place(beyond, in, 1);
      }
  };
  exchange_in_blocks(comm, messages, fill, take);
  return own;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
