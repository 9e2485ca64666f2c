#pragma once

/// \file
/// A search over shards whose lists are being merged while its ranks do something else. annulus.hpp leaves this header
/// out.

#include <annulus/mpi/merge_operation.hpp>
#include <annulus/mpi/together.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace detail {

/// Merges the lists of all ranks at a root, up a tree of messages (MPI_Ireduce), and finds the lowest rank that failed
/// to make its own.
class pending_merge {
 public:
  /// Starts. A rank that failed gives lists of padding, for as many queries as the others. Collective.
  pending_merge(const mpi::communicator& comm, int root, std::size_t k, std::vector<global_candidate> lists,
                const rank_failure& failure)
      : m_comm(&comm),
        m_root(root),
        m_k(k),
        m_operation(merge_operation<global_candidate>(k)),
        m_lists(std::move(lists)),
        m_failure(failure) {
    m_failed = failure.kind == failure_kind::none ? comm.size() : comm.rank();
    check_mpi(MPI_Iallreduce(&m_failed, &m_first_failed, 1, MPI_INT, MPI_MIN, comm.get(), &add_request()),
              "MPI_Iallreduce");
    if (comm.rank() == root) m_merged.resize(m_lists.size());
    const std::size_t n = m_lists.size() / k, at_once = mpi::communicator::piece_bytes / (k * sizeof(global_candidate));
    for (std::size_t begin = 0; begin < n; begin += at_once) {
      const auto count = static_cast<int>(std::min(at_once, n - begin));
      global_candidate* const to = m_merged.empty() ? nullptr : m_merged.data() + begin * k;
      check_mpi(MPI_Ireduce(m_lists.data() + begin * k, to, count, m_operation.type(), m_operation.get(), root,
                            comm.get(), &add_request()),
                "MPI_Ireduce");
    }
  }
  pending_merge(const pending_merge&) = delete;
  pending_merge& operator=(const pending_merge&) = delete;
  /// Waits, as MPI reads and writes the lists.
  ~pending_merge() { MPI_Waitall(static_cast<int>(m_requests.size()), m_requests.data(), MPI_STATUSES_IGNORE); }

  /// MPI may work on what is pending only in calls.
  void progress() {
    int is_done = 0;
    check_mpi(MPI_Testall(static_cast<int>(m_requests.size()), m_requests.data(), &is_done, MPI_STATUSES_IGNORE),
              "MPI_Testall");
  }

  /// The merged lists, at the root; the exception of the lowest rank that failed, on all. Collective.
  mpi::global_neighbors finish() {
    check_mpi(MPI_Waitall(static_cast<int>(m_requests.size()), m_requests.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
    if (m_first_failed < m_comm->size())
      throw_failure(m_comm->broadcast_value(m_failure, m_first_failed), m_first_failed);
    return m_comm->rank() == m_root ? to_neighbors(m_merged, m_k) : mpi::global_neighbors(0, m_k);
  }

 private:
  MPI_Request& add_request() { return m_requests.emplace_back(MPI_REQUEST_NULL); }

  const mpi::communicator* m_comm;
  int m_root;
  std::size_t m_k;
  mpi_operation m_operation;
  std::vector<global_candidate> m_lists, m_merged;
  rank_failure m_failure;
  int m_failed = 0, m_first_failed = 0;
  std::vector<MPI_Request> m_requests;
};

}  // namespace detail

namespace mpi {

/// The answer to come of sharded_index::search_async, whose index must stay where it is until then. Moves.
class pending_search {
 public:
  /// \param merge what search_async has started
  explicit pending_search(std::shared_ptr<detail::pending_merge> merge) noexcept : m_merge(std::move(merge)) {}

  /// Waits for the answer. Once. Collective: pending searches are ended in the same order on all ranks. \returns at the
  /// root the answer to its queries, on other ranks one of no rows \throws any exception of the search on one rank, on
  /// all of them (together); std::logic_error where it was called before, or the search has moved elsewhere
  global_neighbors get() {
    if (m_merge == nullptr) throw std::logic_error("annulus: the answer of this pending search was got before");
    return std::exchange(m_merge, nullptr)->finish();
  }

 private:
  std::shared_ptr<detail::pending_merge> m_merge;
};

}  // namespace mpi
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
