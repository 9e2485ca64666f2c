#pragma once

/// \file
/// Errors on all ranks: where one rank throws, every rank throws, so that none waits for one that has left.
/// annulus.hpp leaves this header out.

#include <annulus/mpi/communicator.hpp>

#include <optional>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace mpi {

/// Calls f(), which does not communicate, on each rank, and returns what it returns. Where it throws on a rank, every
/// rank throws: the exception of the lowest such rank, with "rank 2: " before its message, of the same kind on all of
/// them, also on that rank (std::invalid_argument, std::bad_alloc, format_error, cancelled, mpi::error,
/// std::system_error, else std::runtime_error). Costs one MPI_Allreduce of an int. Collective.
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

/// Throws std::invalid_argument on all ranks unless they all give the same value, a number. Collective.
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
  if (root < 0 || root >= comm.size()) invalid("root", root, "must be a rank, of 0 to ", comm.size() - 1);
  std::array<std::size_t, 3> of_root;
  for (std::size_t i = 0; i < of_root.size(); ++i) of_root[i] = static_cast<std::size_t>(-least[i + 2]);
  return of_root;
}

}  // namespace detail

namespace mpi {

/// Throws std::invalid_argument on all ranks unless all name the same root, one of them. Collective.
inline void check_root(const communicator& comm, int root) { detail::numbers_of_root(comm, root, {}); }

}  // namespace mpi
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
