#pragma once

/// \file
/// Results of searches over shards: neighbours by 64-bit ids, and how their lists are merged. annulus.hpp leaves this
/// header out.

#include <annulus/core/base/errors.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/select/candidate.hpp>

#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace mpi {

/// The neighbours of each query: one row a query, nearest first, ties by id, padded with -1 and +infinity. Ids count
/// the rows of all shards: those of rank 0 first, then those of rank 1, and so on, then inserted ones.
struct global_neighbors {
  matrix<std::int64_t> ids;  ///< n_queries x k
  matrix<float> distances;   ///< n_queries x k
  double coverage = 1;       ///< the share of all rows whose shards have answered; below 1 only by a deadline

  global_neighbors() = default;
  /// All padding. \param n_queries rows \param k columns \throws std::bad_alloc
  global_neighbors(std::size_t n_queries, std::size_t k)
      : ids(n_queries, k, -1), distances(n_queries, k, std::numeric_limits<float>::infinity()) {}
  friend bool operator==(const global_neighbors&, const global_neighbors&) = default;
};

/// Lists of different lengths: query i has items indptr[i] to indptr[i + 1], nearest first, ties by id.
struct global_lists {
  std::vector<std::int64_t> indptr;  ///< one more than queries
  std::vector<std::int64_t> ids;     ///< global ids
  std::vector<float> distances;      ///< as many
  friend bool operator==(const global_lists&, const global_lists&) = default;
};

}  // namespace mpi

namespace detail {

/// An id on its way, in halves: with 8 bytes, which are aligned to 8, a neighbour would take 16 bytes, not 12. Of none,
/// -1.
class split_id {
 public:
  split_id() = default;
  explicit split_id(std::int64_t id) noexcept
      : m_low(static_cast<std::uint32_t>(id)),
        m_high(static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) >> 32)) {}

  std::uint64_t bits() const noexcept { return std::uint64_t{m_high} << 32 | m_low; }

 private:
  std::uint32_t m_low = ~0u, m_high = ~0u;
};

/// A neighbour on its way.
struct global_candidate {
  float distance = std::numeric_limits<float>::infinity();
  split_id halves;

  global_candidate() = default;
  global_candidate(float at, std::int64_t id) noexcept : distance(at), halves(id) {}

  std::int64_t id() const noexcept { return static_cast<std::int64_t>(halves.bits()); }
  /// Smaller distances first, ties by id, padding last.
  friend bool operator<(const global_candidate& a, const global_candidate& b) noexcept {
    return a.ordered() < b.ordered();
  }

 private:
  candidate<float, std::uint64_t> ordered() const noexcept { return {distance, halves.bits()}; }
};
static_assert(sizeof(global_candidate) == 12);

inline constexpr std::size_t longest_list = std::size_t{1} << 26;  ///< of neighbours, as sizes of MPI's types are ints

/// \throws std::invalid_argument for a k that lists cannot have.
inline void check_list_length(std::size_t k) {
  if (k == 0) invalid("k", k, "must be at least 1");
  if (k > longest_list) invalid("k", k, "must be at most ", longest_list, " over shards");
}

/// The k first of two ascending lists of k, in the place of the second. Allocates nothing.
template <class Candidate>
void merge_lists(const Candidate* from, Candidate* into, std::size_t k) noexcept {
  std::size_t taken = 0, kept = 0;  // of `from` and of `into`
  while (taken + kept < k) into[kept] < from[taken] ? ++kept : ++taken;
  for (std::size_t to = k; taken > 0; --to)  // from the last on, so that none is overwritten before it has moved
    into[to - 1] = kept > 0 && from[taken - 1] < into[kept - 1] ? into[--kept] : from[--taken];
}

/// Lists of k, one a query, as a result of that size.
inline void write_neighbors(std::span<const global_candidate> lists, mpi::global_neighbors& found) noexcept {
  for (std::size_t i = 0; i < lists.size(); ++i) {
    found.ids.data()[i] = lists[i].id();
    found.distances.data()[i] = lists[i].distance;
  }
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
