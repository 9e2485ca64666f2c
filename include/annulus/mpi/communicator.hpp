#pragma once

/// \file
/// mpi::communicator: a group of processes ("ranks") that call the same functions in the same order, and the few
/// collective operations that the library needs, of values of any trivially copyable type and of any number of them.
/// annulus.hpp leaves this header out.

#include <annulus/mpi/rank_failure.hpp>

#include <array>
#include <cstring>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace mpi {
class communicator;
}
namespace detail {
inline void throw_together(const mpi::communicator& comm, const rank_failure& failure);
}

namespace mpi {

/// Initialises MPI for the lifetime of this object, for programs that do not do so themselves. Threads of the library
/// never call MPI: MPI_THREAD_FUNNELED is enough.
class environment {
 public:
  /// \param argc,argv those of main \throws mpi::error
  environment(int& argc, char**& argv) {
    int provided = 0;
    detail::check_mpi(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;
  ~environment() { MPI_Finalize(); }
};

/// \returns the type as which MPI sums and compares T, which is a number
template <class T>
MPI_Datatype datatype_of() noexcept {
  static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>, "annulus: MPI computes with numbers");
  if constexpr (std::is_same_v<T, float>) return MPI_FLOAT;
  else if constexpr (std::is_same_v<T, double>) return MPI_DOUBLE;
  else if constexpr (std::is_signed_v<T>)
    return sizeof(T) == 1 ? MPI_INT8_T : sizeof(T) == 2 ? MPI_INT16_T : sizeof(T) == 4 ? MPI_INT32_T : MPI_INT64_T;
  else
    return sizeof(T) == 1 ? MPI_UINT8_T : sizeof(T) == 2 ? MPI_UINT16_T : sizeof(T) == 4 ? MPI_UINT32_T : MPI_UINT64_T;
}

/// Values in blocks, one for each rank, one behind the other.
template <class T>
struct rank_blocks {
  std::vector<T> values;            ///< of all ranks
  std::vector<std::size_t> counts;  ///< how many each rank has
};

/// Owns a duplicate of an MPI communicator, whose messages meet no others, and whose errors are exceptions: a function
/// that fails throws mpi::error. Moves; making and destroying one are collective, as are all members but the const
/// accessors: each rank calls them in the same order. Sizes may exceed 2^31: MPI is given pieces of at most 1 GiB.
class communicator {
 public:
  static constexpr std::size_t piece_bytes = std::size_t{1} << 30;  ///< the longest message

  /// \param comm is duplicated \throws std::invalid_argument where MPI is not initialised, or is finalised; mpi::error
  explicit communicator(MPI_Comm comm = MPI_COMM_WORLD) {
    if (!is_running()) throw std::invalid_argument("annulus: MPI is not running: call MPI_Init_thread before");
    detail::check_mpi(MPI_Comm_dup(comm, &m_comm), "MPI_Comm_dup");
    detail::check_mpi(MPI_Comm_set_errhandler(m_comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    detail::check_mpi(MPI_Comm_rank(m_comm, &m_rank), "MPI_Comm_rank");
    detail::check_mpi(MPI_Comm_size(m_comm, &m_size), "MPI_Comm_size");
  }
  communicator(communicator&& other) noexcept
      : m_comm(std::exchange(other.m_comm, MPI_COMM_NULL)), m_rank(other.m_rank), m_size(other.m_size) {}
  communicator& operator=(communicator&& other) noexcept {
    std::swap(m_comm, other.m_comm);
    std::swap(m_rank, other.m_rank);
    std::swap(m_size, other.m_size);
    return *this;
  }
  ~communicator() {
    if (m_comm != MPI_COMM_NULL && is_running()) MPI_Comm_free(&m_comm);
  }

  MPI_Comm get() const noexcept { return m_comm; }  ///< \returns the duplicate
  int rank() const noexcept { return m_rank; }      ///< \returns that of this process, from 0
  int size() const noexcept { return m_size; }      ///< \returns how many processes there are

  /// Returns when all ranks have called it. \throws mpi::error
  void barrier() const { detail::check_mpi(MPI_Barrier(m_comm), "MPI_Barrier"); }

  /// Gives every rank the root's values. \param values as many on all ranks \param root the rank that has them \throws
  /// mpi::error
  template <class T>
  void broadcast(std::span<T> values, int root) const {
    for_each_piece(as_bytes(values), piece_bytes, [&](std::byte* piece, int bytes) {
      detail::check_mpi(MPI_Bcast(piece, bytes, MPI_BYTE, root, m_comm), "MPI_Bcast");
    });
  }
  /// \param value that of the root counts \param root the rank that has it \returns the root's \throws mpi::error
  template <class T>
  T broadcast_value(T value, int root) const {
    broadcast(std::span<T>(&value, 1), root);
    return value;
  }

  /// \param value of this rank \param all is filled with one of each rank, size() of them, in their order \throws
  /// mpi::error
  template <class T>
  void all_gather(const T& value, std::span<T> all) const {
    static_assert(std::is_trivially_copyable_v<T>);
    constexpr int bytes = sizeof(T);
    detail::check_mpi(MPI_Allgather(&value, bytes, MPI_BYTE, all.data(), bytes, MPI_BYTE, m_comm), "MPI_Allgather");
  }
  /// \param value of this rank \returns one of each rank, in their order \throws mpi::error
  template <class T>
  std::vector<T> all_gather(const T& value) const {
    std::vector<T> all;
    allocate([&] { all.resize(static_cast<std::size_t>(m_size)); });
    all_gather(value, std::span<T>(all));
    return all;
  }
  /// \param values of this rank, any number \returns those of all ranks \throws mpi::error
  template <class T>
  rank_blocks<T> all_gather_blocks(std::span<const T> values) const {
    return exchange_blocks<T>([&](std::size_t) { return values; });
  }
  /// \param values of this rank, any number \param root the rank that gets them \returns at the root those of all
  /// ranks, none on others \throws mpi::error
  template <class T>
  rank_blocks<T> gather_blocks(std::span<const T> values, int root) const {
    const auto to_root = static_cast<std::size_t>(root);
    return exchange_blocks<T>([&](std::size_t r) { return r == to_root ? values : std::span<const T>(); });
  }

  /// \param value of this rank \param operation of MPI, as MPI_SUM \returns the values of all ranks reduced by it, on
  /// each of them \throws mpi::error
  template <class T>
  T all_reduce(T value, MPI_Op operation) const {
    T result{};
    detail::check_mpi(MPI_Allreduce(&value, &result, 1, datatype_of<T>(), operation, m_comm), "MPI_Allreduce");
    return result;
  }
  /// \param values of this rank, each reduced by itself \param operation of MPI \returns as above \throws mpi::error
  template <class T, std::size_t N>
  std::array<T, N> all_reduce(const std::array<T, N>& values, MPI_Op operation) const {
    std::array<T, N> results{};
    detail::check_mpi(MPI_Allreduce(values.data(), results.data(), N, datatype_of<T>(), operation, m_comm),
                      "MPI_Allreduce");
    return results;
  }
  /// \param value of this rank \returns the sum of those of the ranks before this one \throws mpi::error
  template <class T>
  T exclusive_sum(T value) const {
    T result{};
    detail::check_mpi(MPI_Exscan(&value, &result, 1, datatype_of<T>(), MPI_SUM, m_comm), "MPI_Exscan");
    return m_rank == 0 ? T{} : result;  // MPI leaves that of rank 0 undefined
  }

  /// An MPI_Alltoallv of any size: MPI's own counts to 2^31 only. Each value crosses the network once. \param values
  /// those for rank 0 first \param counts how many go to each rank \param most_bytes of a message \returns what the
  /// ranks send to this one, in their order \throws std::invalid_argument on all ranks where one has not a count a
  /// rank, or not as many values; mpi::error
  template <class T>
  rank_blocks<T> exchange(std::span<const T> values, std::span<const std::size_t> counts,
                          std::size_t most_bytes = piece_bytes) const {
    std::vector<std::size_t> begins;
    allocate([&] {
      if (counts.size() != static_cast<std::size_t>(m_size))
        detail::invalid("counts", counts.size(), "must be one a rank: ", m_size);
      begins.assign(counts.size() + 1, 0);
      std::partial_sum(counts.begin(), counts.end(), begins.begin() + 1);
      if (begins.back() != values.size())
        detail::invalid("values", values.size(), "must be as many as the counts' sum ", begins.back());
    });
    return exchange_blocks<T>([&](std::size_t to) { return values.subspan(begins[to], counts[to]); }, most_bytes);
  }
  /// The same of blocks that lie anywhere. \param block_for called with a rank, returns the span of T that goes to it
  /// \param most_bytes of a message \returns what the ranks send to this one, in their order \throws mpi::error
  template <class T, class BlockFor>
  rank_blocks<T> exchange_blocks(BlockFor block_for, std::size_t most_bytes = piece_bytes) const {
    const auto ranks = static_cast<std::size_t>(m_size), self = static_cast<std::size_t>(m_rank);
    std::vector<std::uint64_t> sent, received;
    std::vector<MPI_Request> requests;
    rank_blocks<T> result;
    allocate([&] {
      for (std::size_t r = 0; r < ranks; ++r) sent.push_back(block_for(r).size());
      received.resize(ranks);
      result.counts.resize(ranks);
    });
    detail::check_mpi(MPI_Alltoall(sent.data(), 1, MPI_UINT64_T, received.data(), 1, MPI_UINT64_T, m_comm),
                      "MPI_Alltoall");
    allocate([&] {
      std::ranges::copy(received, result.counts.begin());
      result.values.resize(std::accumulate(received.begin(), received.end(), std::size_t{0}));
      std::size_t n_pieces = 0;
      for (std::size_t r = 0; r < ranks; ++r)
        for (const std::size_t n : {sent[r], received[r]}) n_pieces += (n * sizeof(T) + most_bytes - 1) / most_bytes;
      requests.reserve(n_pieces);
    });

    std::span<T> place = result.values;
    for (std::size_t r = 0; r < ranks; ++r) {
      const std::span<T> block = place.first(result.counts[r]);
      place = place.subspan(block.size());
      if (r == self) std::ranges::copy(block_for(r), block.begin());
      else
        for_each_piece(as_bytes(block), most_bytes, [&](std::byte* piece, int bytes) {
          detail::check_mpi(MPI_Irecv(piece, bytes, MPI_BYTE, static_cast<int>(r), 0, m_comm, &requests.emplace_back()),
                            "MPI_Irecv");
        });
    }
    for (std::size_t step = 1; step < ranks; ++step) {  // so that not all ranks send to the same one at once
      const std::size_t r = (self + step) % ranks;
      for_each_piece(as_bytes(std::span<const T>(block_for(r))), most_bytes, [&](const std::byte* piece, int bytes) {
        detail::check_mpi(MPI_Isend(piece, bytes, MPI_BYTE, static_cast<int>(r), 0, m_comm, &requests.emplace_back()),
                          "MPI_Isend");
      });
    }
    detail::check_mpi(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE),
                      "MPI_Waitall");
    return result;
  }

 private:
  static bool is_running() noexcept {
    int is_initialised = 0, is_finalised = 0;
    MPI_Initialized(&is_initialised);
    MPI_Finalized(&is_finalised);
    return is_initialised != 0 && is_finalised == 0;
  }

  template <class T>
  static auto as_bytes(std::span<T> values) noexcept {
    static_assert(std::is_trivially_copyable_v<T>, "annulus: only trivially copyable values are sent");
    using byte = std::conditional_t<std::is_const_v<T>, const std::byte, std::byte>;
    return std::span<byte>(reinterpret_cast<byte*>(values.data()), values.size_bytes());
  }
  template <class Bytes, class F>
  static void for_each_piece(Bytes bytes, std::size_t most, F f) {
    for (std::size_t begin = 0; begin < bytes.size(); begin += most)
      f(bytes.data() + begin, static_cast<int>(std::min(most, bytes.size() - begin)));
  }

  /// Calls f, which allocates what the messages to come need: a rank that left alone would leave the others waiting.
  template <class F>
  void allocate(F f) const {
    detail::throw_together(*this, detail::failure_of(f));
  }

  MPI_Comm m_comm = MPI_COMM_NULL;
  int m_rank = 0, m_size = 1;
};

}  // namespace mpi

namespace detail {

/// Throws on all ranks what was thrown on the lowest rank that failed, if any did. Collective.
inline void throw_together(const mpi::communicator& comm, const rank_failure& failure) {
  const bool is_failed = failure.kind != failure_kind::none;
  const int first = comm.all_reduce(is_failed ? comm.rank() : comm.size(), MPI_MIN);
  if (first < comm.size()) throw_failure(comm.broadcast_value(failure, first), first);
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
