#pragma once

/// \file
/// A search over shards that ends by a deadline, whatever the other ranks do: the root takes the answers that have come
/// until then. annulus.hpp leaves this header out.

#include <annulus/mpi/shard_search.hpp>
#include <annulus/mpi/timed_mail.hpp>
#include <annulus/mpi/together.hpp>

#include <chrono>
#include <map>
#include <thread>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace mpi {

/// Thrown where all shards were to answer by the deadline and some did not.
class incomplete : public std::runtime_error {
 public:
  /// \param coverage the share of all rows whose shards have answered \throws std::bad_alloc
  explicit incomplete(double coverage)
      : std::runtime_error("annulus: by the deadline shards with " + std::to_string(100 * coverage) +
                           " % of the rows have answered"),
        m_coverage(coverage) {}
  double coverage() const noexcept { return m_coverage; }  ///< \returns the share of rows whose shards have answered

 private:
  double m_coverage;
};

}  // namespace mpi

namespace detail {

/// The searches with a deadline of one sharded index, by messages between the root and each other rank alone. Searches
/// are numbered, so that a message of one that is over is known as such. A rank that is late answers one search after
/// the other, and catches up, as its own deadline begins when it comes to a search.
class deadline_search {
 public:
  using clock = std::chrono::steady_clock;

  /// lists_of(packed queries): the lists of k of this shard. `sizes`: the rows of each shard.
  template <class View, class ListsOf>
  mpi::global_neighbors run(const mpi::communicator& comm, int root, const View& queries, std::size_t k, double seconds,
                            std::span<const std::size_t> sizes, ListsOf lists_of) {
    ++m_number;
    const clock::time_point end = after(seconds);
    if (comm.rank() == root) return at_root(comm, pack_rows(queries), k, end, sizes, lists_of);
    const auto packed = next_queries(comm, root, end);
    mpi::global_neighbors none(0, k);
    if (!packed) {
      none.coverage = 0;
      return none;
    }
    answer answered{m_number};
    std::vector<global_candidate> lists;
    answered.failure = failure_of([&] { lists = lists_of(packed_view(*packed).subspan(sizeof(m_number))); });
    m_mail.send(comm, root, answers, letter_of(answered, lists));
    if (answered.failure.kind != failure_kind::none) throw_failure(answered.failure, comm.rank());
    return none;
  }

  /// A search that this rank refuses, and others may not: the next ones keep their numbers.
  void skip() noexcept { ++m_number; }

 private:
  /// The clock ends after 292 years: no deadline is later.
  static clock::time_point after(double seconds) {
    const clock::time_point now = clock::now();
    const std::chrono::duration<double> asked(seconds), left = clock::time_point::max() - now;
    return asked < left / 2 ? now + std::chrono::duration_cast<clock::duration>(asked) : clock::time_point::max();
  }

  static constexpr int queries_of = 1, answers = 2;  // tags
  static constexpr std::size_t most_waiting = 64;    ///< searches that a rank may be behind, and be sent another

  struct answer {
    std::uint64_t number;
    rank_failure failure = {};
  };

  template <class Head, class Item>
  static timed_mail::letter letter_of(const Head& head, std::span<const Item> items) {
    auto bytes = std::make_shared<std::vector<std::byte>>(sizeof(head) + items.size_bytes());
    std::memcpy(bytes->data(), &head, sizeof(head));
    if (!items.empty()) std::memcpy(bytes->data() + sizeof(head), items.data(), items.size_bytes());
    return bytes;
  }
  template <class Head, class Item>
  static timed_mail::letter letter_of(const Head& head, const std::vector<Item>& items) {
    return letter_of(head, std::span<const Item>(items));
  }

  template <class ListsOf>
  mpi::global_neighbors at_root(const mpi::communicator& comm, const packed_rows& packed, std::size_t k,
                                clock::time_point end, std::span<const std::size_t> sizes, ListsOf lists_of) {
    const auto letter = letter_of(m_number, packed);
    for (int r = 0; r < comm.size(); ++r)
      if (r != comm.rank() && m_mail.waiting_for(r) < most_waiting) m_mail.send(comm, r, queries_of, letter);
    std::vector<global_candidate> lists = lists_of(packed_view(packed));
    std::size_t answered = sizes[static_cast<std::size_t>(comm.rank())], all = 0;
    for (const std::size_t size : sizes) all += size;
    for (int left = comm.size() - 1; left > 0;) {
      const auto message = timed_mail::receive(comm, MPI_ANY_SOURCE, answers);
      if (!message) {
        if (clock::now() >= end) break;
        std::this_thread::sleep_for(std::chrono::microseconds(50));
        continue;
      }
      answer head;
      std::memcpy(&head, message->bytes.data(), sizeof(head));
      if (head.number != m_number) continue;  // of a search that is over
      --left;
      if (head.failure.kind != failure_kind::none) throw_failure(head.failure, message->from);
      std::vector<global_candidate> more(lists.size());
      if (message->bytes.size() != sizeof(head) + more.size() * sizeof(global_candidate))
        throw std::invalid_argument("annulus: k must be the same on all ranks; rank " + std::to_string(message->from) +
                                    " has another than the root's " + std::to_string(k));
      std::memcpy(static_cast<void*>(more.data()), message->bytes.data() + sizeof(head),
                  more.size() * sizeof(global_candidate));
      for (std::size_t i = 0; i < lists.size(); i += k) merge_lists(more.data() + i, lists.data() + i, k);
      answered += sizes[static_cast<std::size_t>(message->from)];
    }
    mpi::global_neighbors found(lists.size() / k, k);
    write_neighbors(lists, found);
    found.coverage = all == 0 ? 1.0 : static_cast<double>(answered) / static_cast<double>(all);
    return found;
  }

  /// What the root sent for the search of this number; nothing where it does not come in time.
  std::optional<packed_rows> next_queries(const mpi::communicator& comm, int root, clock::time_point end) {
    for (;;) {
      packed_rows& next = m_next[root];
      if (next.empty()) {
        if (auto message = timed_mail::receive(comm, root, queries_of)) next = std::move(message->bytes);
        else if (clock::now() >= end) return std::nullopt;
        else std::this_thread::sleep_for(std::chrono::microseconds(50));
        continue;
      }
      std::uint64_t number = 0;
      std::memcpy(&number, next.data(), sizeof(number));
      if (number > m_number) return std::nullopt;  // this rank was too far behind to be sent the one before
      packed_rows packed = std::exchange(next, {});
      if (number == m_number) return packed;
    }
  }

  std::uint64_t m_number = 0;
  timed_mail m_mail;
  std::map<int, packed_rows> m_next;  ///< queries of this search or a later one, by their root
};

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
