#pragma once

/// \file
/// The reservoir by which top_k, approximate top-k and the shortlists of exact search cut candidates back.

#include <annulus/core/base/allocator.hpp>
#include <annulus/core/base/assert.hpp>
#include <annulus/core/select/rank_bound.hpp>
#include <annulus/core/select/sort_candidates.hpp>
#include <annulus/core/simd/masks.hpp>

#include <span>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Candidates in no order, cut back now and then to the k smallest. Appending costs next to nothing and a cut is
/// linear, so that n appends cost O(n) whatever k is. Ranks and ids are in arrays of their own, so that vectors of them
/// are appended and cut.
template <class Rank, class Id = id_type>
class reservoir {
 public:
  using candidate_type = candidate<Rank, Id>;

  /// Drops all candidates, and makes room for `capacity`.
  void reset(std::size_t capacity) {
    m_size = 0;
    if (capacity <= m_capacity) return;
    const std::size_t room = capacity + 2 * width;  // whole vectors are written, and read in a cut
    m_ranks.resize(room);
    m_ids.resize(room);
    m_ordered.resize(room);
    m_ties.reserve(capacity);
    m_capacity = capacity;
  }

  void clear() noexcept { m_size = 0; }
  std::size_t size() const noexcept { return m_size; }
  std::size_t capacity() const noexcept { return m_capacity; }
  candidate_type operator[](std::size_t i) const noexcept { return {m_ranks[i], m_ids[i]}; }

  std::span<const Id> ids() const noexcept { return {m_ids.data(), m_size}; }

  /// Needs size() < capacity().
  void append(Rank rank, Id id) noexcept {
    ANNULUS_ASSERT(m_size < m_capacity);
    m_ranks[m_size] = rank;
    m_ids[m_size++] = id;
  }

  /// Appends vectors of candidates; whoever writes at length keeps its place in registers.
  class writer {
   public:
    explicit writer(reservoir& to) noexcept
        : m_to(to), m_ranks(to.m_ranks.data()), m_ids(to.m_ids.data()), m_size(to.m_size) {}
    writer(const writer&) = delete;
    writer& operator=(const writer&) = delete;
    ~writer() {
      ANNULUS_ASSERT(m_size <= m_to.m_capacity);
      m_to.m_size = m_size;
    }

    std::size_t size() const noexcept { return m_size; }
    /// The chosen lanes, with the ids first, first + 1, ... of all lanes. Needs room for them.
    [[gnu::always_inline]] void append(const simd::batch<Rank>& ranks, std::uint64_t chosen, Id first) noexcept {
      m_size += simd::append_lanes(ranks, chosen, first, m_ranks + m_size, m_ids + m_size);
    }
    /// One candidate. Needs room for it.
    void append(Rank rank, Id id) noexcept {
      m_ranks[m_size] = rank;
      m_ids[m_size++] = id;
    }

    /// Drops the last ones that it has appended, whose ids are `end` and more.
    void drop_from(Id end) noexcept {
      while (m_size > m_to.m_size && m_ids[m_size - 1] >= end) --m_size;
    }

   private:
    reservoir& m_to;
    Rank* m_ranks;
    Id* m_ids;
    std::size_t m_size;
  };

  /// Drops all but the k smallest; returns the k-th. The order of what is left is that of the appends. Needs
  /// 1 <= k <= size().
  candidate_type cut(std::size_t k) {
    ANNULUS_ASSERT(1 <= k && k <= m_size);
    const std::size_t padded = order();
    const integer bound = rank_bound<Rank>(m_ordered.data(), padded, k, k);
    Id last_tied = std::numeric_limits<Id>::max();
    if (count_at_most(m_ordered.data(), padded, bound) > k) last_tied = last_of_tied(bound, k);

    keep([&](std::size_t i) {
      const auto ordered = simd::load(m_ordered.data() + i);
      std::uint64_t chosen = simd::mask(ordered <= simd::batch<integer>(bound));
      if (last_tied != std::numeric_limits<Id>::max())
        for_each_bit(simd::mask(ordered == simd::batch<integer>(bound)) & present(i), [&](std::size_t lane) {
          if (m_ids[i + lane] > last_tied) chosen ^= std::uint64_t{1} << lane;
        });
      return chosen;
    });
    return greatest();
  }

  /// A rank that at least k candidates are at most, and no more than `enough` unless the k-th is tied. Needs
  /// 1 <= k <= size().
  Rank bound_of_kth(std::size_t k, std::size_t enough) noexcept {
    const std::size_t padded = order();
    return from_ordered_int<Rank>(rank_bound<Rank>(m_ordered.data(), padded, k, enough));
  }

  /// Drops candidates of a rank above the limit.
  void keep_up_to(Rank limit) noexcept {
    keep([&](std::size_t i) { return simd::mask(simd::load(m_ranks.data() + i) <= simd::batch<Rank>(limit)); });
  }

  /// Writes the candidates as pack() makes integers of them, and up to a vector more. Ranks and ids have 32 bits.
  void pack_to(std::int64_t* out) const noexcept {
    for (std::size_t i = 0; i < m_size; i += width)
      simd::store_pairs(out + i, simd::ordered_lanes(simd::load(m_ranks.data() + i)), simd::load(m_ids.data() + i));
  }

  /// Writes the candidates, in the order of the appends, to `out`.
  void copy_to(std::vector<candidate_type>& out) const {
    out.resize(m_size);
    for (std::size_t i = 0; i < m_size; ++i) out[i] = (*this)[i];
  }

 private:
  using integer = simd::ordered_int<Rank>;
  static constexpr std::size_t width = simd::lanes<Rank>;

  template <class F>
  static void for_each_bit(std::uint64_t bits, F f) {
    for (; bits != 0; bits &= bits - 1) f(static_cast<std::size_t>(std::countr_zero(bits)));
  }

  /// The lanes from candidate i on that hold one.
  std::uint64_t present(std::size_t i) const noexcept {
    const std::size_t n = m_size - i;
    return n >= width ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
  }

  /// Writes the ranks as ordered integers, with the largest one behind them up to a whole vector; returns how many.
  std::size_t order() noexcept {
    for (std::size_t i = 0; i < m_size; i += width)
      simd::ordered_lanes(simd::load(m_ranks.data() + i)).store_unaligned(m_ordered.data() + i);
    const std::size_t padded = (m_size + width - 1) / width * width;
    std::fill(m_ordered.data() + m_size, m_ordered.data() + padded, std::numeric_limits<integer>::max());
    return padded;
  }

  /// The largest id that is among the k smallest candidates at the k-th rank, `bound`.
  Id last_of_tied(integer bound, std::size_t k) {
    m_ties.clear();
    for (std::size_t i = 0; i < m_size; ++i) {
      if (m_ordered[i] < bound) --k;
      else if (m_ordered[i] == bound) m_ties.push_back(m_ids[i]);
    }
    const auto last = m_ties.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(m_ties.begin(), last, m_ties.end());
    return *last;
  }

  /// Keeps the candidates whose bit of chosen(i), for those from i on, is set.
  template <class Chosen>
  void keep(Chosen chosen) noexcept {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < m_size; i += width) {
      const std::uint64_t bits = chosen(i) & present(i);
      const auto ordered = simd::load(m_ordered.data() + i);
      const auto ranks = simd::load(m_ranks.data() + i);
      if constexpr (sizeof(Id) == sizeof(Rank)) {
        const auto ids = simd::load(m_ids.data() + i);
        simd::store_chosen(m_ids.data() + kept, ids, bits);
      } else {
        for_each_bit(bits, [&, at = kept](std::size_t lane) mutable { m_ids[at++] = m_ids[i + lane]; });
      }
      simd::store_chosen(m_ranks.data() + kept, ranks, bits);
      simd::store_chosen(m_ordered.data() + kept, ordered, bits);
      kept += static_cast<std::size_t>(std::popcount(bits));
    }
    m_size = kept;
  }

  /// The last in order of the candidates, whose ordered integers are there.
  candidate_type greatest() const noexcept {
    candidate_type last = (*this)[0];
    integer most = m_ordered[0];
    for (std::size_t i = 1; i < m_size; ++i)
      if (m_ordered[i] > most || (m_ordered[i] == most && m_ids[i] > last.id)) {
        most = m_ordered[i];
        last = (*this)[i];
      }
    return last;
  }

  aligned_vector<Rank> m_ranks;
  aligned_vector<Id> m_ids;
  aligned_vector<integer> m_ordered;
  std::vector<Id> m_ties;
  std::size_t m_size = 0, m_capacity = 0;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
