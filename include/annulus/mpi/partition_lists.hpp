#pragma once

/// \file
/// What is done with the lists of partitions before and after rows visit others: copies are merged, lists that stayed
/// short are filled, and each list goes to the rank that gave its row.

#include <annulus/core/metric/row_query.hpp>
#include <annulus/mpi/partition_messages.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Brings what a row's second home found to its first one, where its list is: rows that are nearer than those in the
/// list, but for rows with the same two homes, which it met in both. Distances there are computed again, which takes
/// less than the memory to keep them is worth. Collective.
template <class T, class Metric>
void merge_second_homes(const partition_messages<T>& partitions, const Metric& metric) {
  typename partition_messages<T>::place at;
  std::vector<named_neighbor> found;
  exchange_in_blocks(
      partitions.comm(), partitions.messages(),
      [&] {
        return partitions.write_rows(at, [&](const graph_partition<T>& p, std::size_t i) {
          const std::uint32_t second = p.other_homes[i];
          if (second == p.number) return;
          message_writer& out = partitions.messages().to(partitions.layout().rank_of(second));
          partitions.put_partition(out, second);
          partitions.put_name(out, p.names[i]);
          out.put(p.lists.threshold(i));
        });
      },
      [&] {
        partitions.read_all([&](message_reader& in, std::size_t) {
          const graph_partition<T>& p = partitions.own(partitions.get_partition(in));
          const row_name name = partitions.get_name(in);
          const auto threshold = in.get<float>();
          const std::size_t i = p.second_index(name.id());
          const row_query rank(metric, p.rows.row(i));
          found.clear();
          for (const id_type j : p.graph.row(i)) {
            if (j == no_id) break;
            if (p.other_homes[j] == name.partition()) continue;
            const float distance = distance_of(metric, rank(p.rows.row(j)));
            if (!is_at_most(distance, threshold)) break;
            found.push_back({distance, p.names[j]});
          }
          partitions.put_found(name, found);
        });
      },
      [&] { partitions.take_found(); });
}

/// Offers the first k + 1 of all rows to lists of fewer than k neighbours, where there are more than k rows: padding
/// means that there are no more. Small partitions and rows without finite distances leave lists short. Collective.
template <class T, class Metric>
void fill_short_lists(const partition_messages<T>& partitions, std::size_t k, const Metric& metric, std::size_t dim) {
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(k, std::max<std::uint64_t>(partitions.layout().size(), 1) - 1));
  int n_short = 0;
  for (const graph_partition<T>& p : partitions.own())
    for (std::size_t i = 0; i < p.n_first; ++i) n_short |= p.lists.count(i) < wanted;
  if (partitions.comm().all_reduce(n_short, MPI_MAX) == 0) return;
  mpi::together(partitions.comm(), [&] {
    for (const graph_partition<T>& p : partitions.own())
      for (std::size_t i = 0; i < p.n_first && p.names[i].id() <= k; ++i)
        for (std::size_t rank = 0; rank < partitions.layout().n_ranks(); ++rank) {
          partitions.put_name(partitions.messages().to(rank), p.names[i]);
          partitions.messages().to(rank).put_all(p.rows.row(i));
        }
  });
  partitions.messages().exchange();
  mpi::together(partitions.comm(), [&] {
    aligned_vector<T> row(dim);
    partitions.read_all([&](message_reader& in, std::size_t) {
      const row_name name = partitions.get_name(in);
      in.get_all(std::span<T>(row));
      for (graph_partition<T>& p : partitions.own())
        for (std::size_t i = 0; i < p.n_first; ++i) {
          if (p.lists.count(i) >= wanted || p.names[i] == name) continue;
          const row_query rank(metric, std::as_const(p.rows).row(i));
          p.lists.insert(i, {distance_of(metric, rank(std::span<const T>(row))), name});
        }
    });
  });
}

/// Sends the first k of each list to the rank that gave the row, which calls put(row, j, id, distance) for them. The
/// distances of a list ascend: their differences, as bits, are sent. Collective.
template <class T, class Put>
void send_lists(const partition_messages<T>& partitions, std::size_t k, Put put) {
  const row_layout& layout = partitions.layout();
  typename partition_messages<T>::place at;
  exchange_in_blocks(
      partitions.comm(), partitions.messages(),
      [&] {
        return partitions.write_rows(at, [&](const graph_partition<T>& p, std::size_t i) {
          message_writer& out = partitions.messages().to(layout.giver_of(p.names[i].id()));
          const std::size_t count = std::min(k, p.lists.count(i));
          partitions.put_id(out, p.names[i].id());
          out.put_count(count);
          std::uint32_t last = 0;
          for (std::size_t j = 0; j < count; ++j) {
            const named_neighbor neighbor = p.lists(i, j);
            const std::uint32_t bits = ordered_bits(neighbor.distance);
            partitions.put_id(out, neighbor.name.id());
            out.put_count(bits - std::exchange(last, bits));
          }
        });
      },
      [&] {
        partitions.read_all([&](message_reader& in, std::size_t) {
          const auto row = static_cast<std::size_t>(partitions.get_id(in) - layout.first_id(layout.rank()));
          const std::size_t count = in.get_count();
          std::uint32_t bits = 0;
          for (std::size_t j = 0; j < count; ++j) {
            const std::uint64_t id = partitions.get_id(in);
            bits += static_cast<std::uint32_t>(in.get_count());
            put(row, j, id, from_ordered_bits<float>(bits));
          }
        });
      });
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
