#pragma once

/// \file
/// Errors on all ranks: where one rank throws, every rank throws, so that none waits for one that has left.
/// annulus.hpp leaves this header out.

#include <annulus/mpi/communicator.hpp>

#include <optional>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace mpi {

/// Calls f on each rank. Costs one MPI_Allreduce of an int. Collective. \param comm the ranks \param f called without
/// arguments; does not communicate \returns what f returns on this rank \throws any exception of f on every rank: that
/// of the lowest rank where f throws, with "rank 2: " before its message, of the same kind on all of them, also on that
/// rank (std::invalid_argument, std::bad_alloc, format_error, cancelled, mpi::error, std::system_error, else
/// std::runtime_error)
template <class F>
auto together(const communicator& comm, F&& f) {
  using result_type = std::invoke_result_t<F&>;
  if constexpr (std::is_void_v<result_type>) {
    detail::throw_together(comm, detail::failure_of(f));
  } else {
    std::optional<result_type> result;
    detail::throw_together(comm, detail::failure_of([&] { result.emplace(f()); }));
    return result_type(std::move(*result));
  }
}

/// Checks that all ranks give the same. Collective. \param comm the ranks \param name what messages call it \param
/// value a number \throws std::invalid_argument on all ranks where one differs
template <class T>
void check_same(const communicator& comm, std::string_view name, T value) {
  const T first = comm.broadcast_value(value, 0);
  together(comm, [&] {
    if (std::memcmp(&value, &first, sizeof(T)) != 0)
      detail::invalid(name, value, "must be the same on all ranks; rank 0 has ", first);
  });
}

}  // namespace mpi

namespace detail {

/// Throws std::invalid_argument unless root is one of the ranks. Not collective.
inline void check_is_rank(const mpi::communicator& comm, int root) {
  if (root < 0 || root >= comm.size()) invalid("root", root, "must be a rank, from 0 to ", comm.size() - 1);
}

/// What the root gives; what other ranks give is not looked at. Throws std::invalid_argument on all ranks unless they
/// name the same root, one of them: where a collective operation of MPI has several it may never end. One
/// MPI_Allreduce. Collective.
inline std::array<std::size_t, 3> numbers_of_root(const mpi::communicator& comm, int root,
                                                  const std::array<std::size_t, 3>& numbers) {
  std::array<std::int64_t, 5> least{root, -std::int64_t{root}};
  for (std::size_t i = 0; i < numbers.size() && comm.rank() == root; ++i)
    least[i + 2] = -static_cast<std::int64_t>(numbers[i]);
  least = comm.all_reduce(least, MPI_MIN);
  if (least[0] != -least[1]) invalid("root", -least[1], "must be the same on all ranks; another one has ", least[0]);
  check_is_rank(comm, root);
  std::array<std::size_t, 3> of_root;
  for (std::size_t i = 0; i < of_root.size(); ++i) of_root[i] = static_cast<std::size_t>(-least[i + 2]);
  return of_root;
}

/// Rank 0's text on every rank. Collective.
inline std::string broadcast_text(const mpi::communicator& comm, const std::string& text) {
  const std::uint64_t bytes = comm.broadcast_value(std::uint64_t{text.size()}, 0);
  std::string first = mpi::together(comm, [&] { return comm.rank() == 0 ? text : std::string(bytes, ' '); });
  comm.broadcast(std::span(first.data(), first.size()), 0);
  return first;
}

}  // namespace detail

namespace mpi {

/// Checks that all ranks name the same root, one of them. Collective. \param comm the ranks \param root as this rank
/// has it \throws std::invalid_argument on all ranks where it is not so
inline void check_root(const communicator& comm, int root) { detail::numbers_of_root(comm, root, {}); }

}  // namespace mpi
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
