#pragma once

/// \file
/// Messages between ranks that may be late, or lost: no call waits for another rank. annulus.hpp leaves this header
/// out.

#include <annulus/mpi/communicator.hpp>

#include <memory>
#include <optional>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Sends and receives bytes. Messages from one rank to another with one tag arrive in the order they were sent.
class timed_mail {
 public:
  using letter = std::shared_ptr<const std::vector<std::byte>>;
  static constexpr std::size_t most_bytes = std::size_t{1} << 30;

  timed_mail() = default;
  timed_mail(timed_mail&&) = default;
  timed_mail& operator=(timed_mail&& other) noexcept {
    std::swap(m_sent, other.m_sent);
    return *this;
  }
  /// MPI may yet read what no one has taken: that memory is given up.
  ~timed_mail() {
    int is_finalised = 0;
    MPI_Finalized(&is_finalised);
    if (is_finalised == 0) drop_taken();
    for (outgoing& o : m_sent) static_cast<void>(new letter(std::move(o.bytes)));
  }

  /// Begins to send; the bytes are kept until they are taken. \throws std::invalid_argument beyond 1 GiB.
  void send(const mpi::communicator& comm, int to, int tag, letter bytes) {
    if (bytes->size() > most_bytes) invalid("bytes", bytes->size(), "a message with a deadline has at most 1 GiB");
    drop_taken();
    outgoing& o = m_sent.emplace_back(outgoing{to, std::move(bytes), MPI_REQUEST_NULL});
    check_mpi(MPI_Isend(o.bytes->data(), static_cast<int>(o.bytes->size()), MPI_BYTE, to, tag, comm.get(), &o.request),
              "MPI_Isend");
  }
  /// How many messages to a rank were not taken yet.
  std::size_t waiting_for(int rank) {
    drop_taken();
    return static_cast<std::size_t>(std::ranges::count(m_sent, rank, &outgoing::to));
  }

  struct incoming {
    int from;
    std::vector<std::byte> bytes;
  };
  /// A message that is there; `from` may be MPI_ANY_SOURCE.
  static std::optional<incoming> receive(const mpi::communicator& comm, int from, int tag) {
    int is_there = 0, bytes = 0;
    MPI_Status status;
    check_mpi(MPI_Iprobe(from, tag, comm.get(), &is_there, &status), "MPI_Iprobe");
    if (is_there == 0) return std::nullopt;
    check_mpi(MPI_Get_count(&status, MPI_BYTE, &bytes), "MPI_Get_count");
    incoming message{status.MPI_SOURCE, std::vector<std::byte>(static_cast<std::size_t>(bytes))};
    check_mpi(MPI_Recv(message.bytes.data(), bytes, MPI_BYTE, message.from, tag, comm.get(), MPI_STATUS_IGNORE),
              "MPI_Recv");
    return message;
  }

 private:
  struct outgoing {
    int to;
    letter bytes;
    MPI_Request request;
  };
  void drop_taken() {
    std::erase_if(m_sent, [](outgoing& o) {
      int is_taken = 0;
      return MPI_Test(&o.request, &is_taken, MPI_STATUS_IGNORE) != MPI_SUCCESS || is_taken != 0;
    });
  }

  std::vector<outgoing> m_sent;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
