#pragma once

// Rows divided over ranks, and answers to compare with.

#include "random_data.hpp"

#include <annulus/mpi/communicator.hpp>
#include <annulus/mpi/global_neighbors.hpp>

// The rows of a rank: of few the first one has a few, the second of three or more none, the last most.
inline annulus::matrix_view<float> part_of(annulus::matrix_view<float> rows, const annulus::mpi::communicator& comm) {
  const auto begin_of = [&](int rank) -> std::size_t {
    if (rank == 0) return 0;
    if (rank == comm.size()) return rows.rows();
    return std::min(rows.rows(), rows.rows() / 10 + static_cast<std::size_t>(rank == 3 ? 7 : 0));
  };
  const std::size_t begin = begin_of(comm.rank());
  return rows.middle_rows(begin, begin_of(comm.rank() + 1) - begin);
}

struct found_row {
  float distance;
  std::int64_t id;
  friend auto operator<=>(const found_row&, const found_row&) = default;
};

// The k first of all, sorted.
inline void write_first(std::vector<found_row> all, std::size_t i, annulus::mpi::global_neighbors& result) {
  std::ranges::sort(all);
  for (std::size_t j = 0; j < std::min(all.size(), result.ids.cols()); ++j) {
    result.ids(i, j) = all[j].id;
    result.distances(i, j) = all[j].distance;
  }
}

// The k nearest of what each rank found, with ids by global_id(id), on all ranks.
template <class Found, class GlobalId>
annulus::mpi::global_neighbors merged_by_sorting(const annulus::mpi::communicator& comm, const Found& found,
                                                 GlobalId global_id) {
  std::vector<found_row> own;
  for (std::size_t i = 0; i < found.ids.rows(); ++i)
    for (std::size_t j = 0; j < found.ids.cols(); ++j)
      own.push_back({found.distances(i, j), found.ids(i, j) == annulus::no_id ? -1 : global_id(found.ids(i, j))});
  const auto all = comm.all_gather_blocks<found_row>(own);
  annulus::mpi::global_neighbors result(found.ids.rows(), found.ids.cols());
  for (std::size_t i = 0; i < found.ids.rows(); ++i) {
    std::vector<found_row> rows;
    for (std::size_t r = 0; r < all.counts.size(); ++r)
      for (std::size_t j = 0; j < found.ids.cols(); ++j)
        if (const found_row& row = all.values[r * own.size() + i * found.ids.cols() + j]; row.id >= 0)
          rows.push_back(row);
    write_first(std::move(rows), i, result);
  }
  return result;
}
