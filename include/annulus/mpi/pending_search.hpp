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
  /// Allocates all that the merge of the lists of n queries takes, so that no rank can fail once it has begun.
  pending_merge(const mpi::communicator& comm, int root, std::size_t k, std::size_t n)
      : m_comm(&comm),
        m_root(root),
        m_k(k),
        m_operation(merge_operation<global_candidate>(k)),
        m_lists(checked_product(n, k, "queries * k")),
        m_merged(comm.rank() == root ? m_lists.size() : 0),
        m_found(comm.rank() == root ? n : 0, k) {
    m_requests.reserve(1 + (n + lists_at_once() - 1) / lists_at_once());
  }
  pending_merge(const pending_merge&) = delete;
  pending_merge& operator=(const pending_merge&) = delete;
  /// Waits, as MPI reads and writes the lists.
  ~pending_merge() { MPI_Waitall(static_cast<int>(m_requests.size()), m_requests.data(), MPI_STATUSES_IGNORE); }

  /// This rank's lists of k, one a query: all padding to begin with.
  std::span<global_candidate> lists() noexcept { return m_lists; }

  /// Starts. The lists of a rank that failed do not matter. Collective.
  void start(const rank_failure& failure) {
    m_failure = failure;
    m_failed = failure.kind == failure_kind::none ? m_comm->size() : m_comm->rank();
    check_mpi(MPI_Iallreduce(&m_failed, &m_first_failed, 1, MPI_INT, MPI_MIN, m_comm->get(), &add_request()),
              "MPI_Iallreduce");
    for (std::size_t begin = 0, n = m_lists.size() / m_k; begin < n; begin += lists_at_once()) {
      const auto count = static_cast<int>(std::min(lists_at_once(), n - begin));
      global_candidate* const to = m_merged.empty() ? nullptr : m_merged.data() + begin * m_k;
      check_mpi(MPI_Ireduce(m_lists.data() + begin * m_k, to, count, m_operation.type(), m_operation.get(), m_root,
                            m_comm->get(), &add_request()),
                "MPI_Ireduce");
    }
  }

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
    write_neighbors(m_merged, m_found);
    return std::move(m_found);
  }

 private:
  std::size_t lists_at_once() const noexcept {
    return mpi::communicator::piece_bytes / (m_k * sizeof(global_candidate));
  }
  MPI_Request& add_request() { return m_requests.emplace_back(MPI_REQUEST_NULL); }

  const mpi::communicator* m_comm;
  int m_root;
  std::size_t m_k;
  mpi_operation m_operation;
  std::vector<global_candidate> m_lists, m_merged;
  mpi::global_neighbors m_found;
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
