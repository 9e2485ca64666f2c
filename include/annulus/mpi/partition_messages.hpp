#pragma once

/// \file
/// What ranks tell each other of the lists of their partitions: names of rows, and neighbours found elsewhere.

#include <annulus/mpi/row_distribution.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// This rank's partitions, and how it writes to those that have others. All that is referred to must outlive it.
template <class T>
class partition_messages {
 public:
  partition_messages(const mpi::communicator& comm, message_exchange& messages, const row_layout& layout,
                     std::span<graph_partition<T>> own) noexcept
      : m_comm(&comm), m_messages(&messages), m_layout(&layout), m_own(own) {}

  const mpi::communicator& comm() const noexcept { return *m_comm; }
  message_exchange& messages() const noexcept { return *m_messages; }
  const row_layout& layout() const noexcept { return *m_layout; }
  std::span<graph_partition<T>> own() const noexcept { return m_own; }
  /// This rank's partition of that number.
  graph_partition<T>& own(std::uint32_t number) const noexcept {
    return m_own[number - m_layout->first_partition(m_layout->rank())];
  }
  bool has(std::uint32_t partition) const noexcept { return m_layout->rank_of(partition) == m_layout->rank(); }

  void put_partition(message_writer& out, std::uint32_t partition) const {
    out.put_number(partition, m_layout->partition_width());
  }
  std::uint32_t get_partition(message_reader& in) const {
    return static_cast<std::uint32_t>(in.get_number(m_layout->partition_width()));
  }
  void put_id(message_writer& out, std::uint64_t id) const { out.put_number(id, m_layout->id_width()); }
  std::uint64_t get_id(message_reader& in) const { return in.get_number(m_layout->id_width()); }
  void put_name(message_writer& out, row_name name) const {
    put_partition(out, name.partition());
    put_id(out, name.id());
  }
  row_name get_name(message_reader& in) const {
    const std::uint32_t partition = get_partition(in);
    return {partition, get_id(in)};
  }

  /// Whether as much is written as one exchange is to carry.
  bool is_block_full() const noexcept { return m_messages->pending_bytes() >= message_block_bytes; }

  /// The next of all rows whose first home is here, from the first one on.
  struct place {
    std::size_t partition = 0, row = 0;
  };
  /// Calls write(partition, row) for rows from `at` on until a block is full; returns whether there are more.
  template <class Write>
  bool write_rows(place& at, Write write) const {
    for (; at.partition < m_own.size(); ++at.partition, at.row = 0)
      for (const graph_partition<T>& p = m_own[at.partition]; at.row < p.n_first; ++at.row) {
        if (is_block_full()) return true;
        write(p, at.row);
      }
    return false;
  }

  /// Calls read(in, rank) until all that the ranks wrote to this one is read.
  template <class Read>
  void read_all(Read read) const {
    for (std::size_t rank = 0; rank < m_layout->n_ranks(); ++rank)
      for (message_reader in = m_messages->from(rank); !in.is_at_end();) read(in, rank);
  }

  /// To the rank that has the list of row `to`: neighbours for it.
  void put_found(row_name to, std::span<const named_neighbor> found) const {
    if (found.empty()) return;
    message_writer& out = m_messages->to(m_layout->rank_of(to.partition()));
    put_name(out, to);
    out.put_count(found.size());
    for (const named_neighbor& f : found) {
      put_name(out, f.name);
      out.put(f.distance);
    }
  }
  /// Reads all that ranks wrote by put_found.
  void take_found() const {
    read_all([&](message_reader& in, std::size_t) {
      const row_name to = get_name(in);
      graph_partition<T>& p = own(to.partition());
      const std::size_t i = p.first_index(to.id());
      for (std::size_t count = in.get_count(); count > 0; --count) {
        const row_name name = get_name(in);
        p.lists.insert(i, {in.get<float>(), name});
      }
    });
  }

 private:
  const mpi::communicator* m_comm;
  message_exchange* m_messages;
  const row_layout* m_layout;
  std::span<graph_partition<T>> m_own;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
