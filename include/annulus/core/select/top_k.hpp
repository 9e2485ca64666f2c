#pragma once

/// \file
/// top_k, which keeps the k smallest of the (rank, id) pairs pushed into it.

#include <annulus/core/base/errors.hpp>
#include <annulus/core/select/reservoir.hpp>
#include <annulus/core/select/sort_candidates.hpp>
#include <annulus/core/simd/batch.hpp>
#include <annulus/core/simd/masks.hpp>

#include <span>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The k smallest candidates of all pushed, ties by smaller id, whatever the order of the pushes. Ranks that are NaN or
/// +infinity never enter. A heap for small k, a reservoir that is cut back at 2k for large k. Nothing is allocated
/// after the construction or reset.
template <class Rank, class Id = id_type>
class top_k {
 public:
  /// What is kept.
  using candidate_type = candidate<Rank, Id>;

  /// \param k how many \throws std::invalid_argument for k = 0.
  explicit top_k(std::size_t k) { reset(k); }

  /// Empties it. \param k how many candidates from now on \throws std::invalid_argument for k = 0.
  void reset(std::size_t k) { reset(k, nothing_yet()); }

  /// The same for candidates that come before one. \param k how many \param bound the first that is not taken in
  void reset(std::size_t k, candidate_type bound) {
    if (k == 0) detail::invalid("k", k, "must be at least 1");
    m_k = k;
    m_is_heap = k <= largest_heap;
    m_items.clear();
    m_items.reserve(k);
    m_scratch.reserve(k);
    if (!m_is_heap) m_reservoir.reset(2 * k + simd::lanes<Rank>);
    m_threshold = bound;
  }

  std::size_t k() const noexcept { return m_k; }  ///< \returns how many are kept at most

  /// A rank above this cannot enter. \returns of a heap the k-th smallest, of a reservoir an upper bound of it; until k
  /// candidates were pushed, the largest value of the type
  Rank threshold() const noexcept { return m_threshold.rank; }

  /// Takes a candidate in that is among the k smallest so far. O(log k) for a heap, amortised O(1) else. \param rank,id
  /// the candidate \returns whether it was taken in (it may be pushed out later) \throws std::bad_alloc in a copy
  /// alone, whose memory is that of what it was copied with
  bool push(Rank rank, Id id) {
    const candidate_type c{rank, id};
    if (!(c < m_threshold)) return false;
    if (!m_is_heap) {
      m_reservoir.append(rank, id);
      cut_where_full();
      return true;
    }
    if (m_items.size() == m_k) {
      std::pop_heap(m_items.begin(), m_items.end());
      m_items.back() = c;
    } else {
      m_items.push_back(c);
    }
    std::push_heap(m_items.begin(), m_items.end());
    if (m_items.size() == m_k) m_threshold = m_items.front();
    return true;
  }

  /// Pushes (ranks[i], first + i) for i < n; blocks in which no rank passes the threshold are passed over by SIMD.
  /// \param ranks,n the ranks \param first the id of the first \throws std::bad_alloc as push
  void push_block(const Rank* ranks, std::size_t n, Id first) {
    std::size_t i = 0;
    if constexpr (std::is_floating_point_v<Rank> || sizeof(Rank) == 4) {
      using batch = simd::batch<Rank>;
      constexpr std::size_t width = simd::lanes<Rank>;
      for (; i + 4 * width <= n; i += 4 * width) {
        batch least(greatest);  // of those that are not NaN
        simd::unroll<4>([&](auto v) { least = simd::min_skip_nan(simd::load(ranks + i + v * width), least); });
        if (!xsimd::any(least <= batch(threshold()))) continue;
        for (std::size_t j = i; j < i + 4 * width; j += width)
          push_lanes(simd::load(ranks + j), first + static_cast<Id>(j));
      }
    }
    for (; i < n; ++i) push(ranks[i], first + static_cast<Id>(i));
  }

  /// Call reset before pushing more. \returns the candidates kept, at most k, nearest first \throws std::bad_alloc as
  /// push
  std::span<const candidate_type> sorted() {
    if (!m_is_heap && m_reservoir.size() > 0) {
      if (m_reservoir.size() > m_k) m_reservoir.cut(m_k);
      m_reservoir.copy_to(m_items);
    }
    sort_candidates(m_items, m_scratch);
    return m_items;
  }

 private:
  static constexpr std::size_t largest_heap = 32;

  using limits = std::numeric_limits<Rank>;
  static constexpr Rank greatest = limits::has_infinity ? limits::infinity() : limits::max();
  static constexpr candidate_type nothing_yet() noexcept { return {greatest, Id{0}}; }

  void cut_where_full() {
    if (m_reservoir.size() >= 2 * m_k) m_threshold = m_reservoir.cut(m_k);
  }

  /// Pushes the lanes of a vector, with the ids first, first + 1, ...
  void push_lanes(const simd::batch<Rank>& ranks, Id first) {
    const simd::batch<Rank> threshold(m_threshold.rank);
    std::uint64_t near = simd::mask(ranks <= threshold);
    if (m_is_heap) {
      alignas(64) Rank rank[simd::lanes<Rank>];
      ranks.store_aligned(rank);
      for (; near != 0; near &= near - 1) {
        const auto lane = static_cast<std::size_t>(std::countr_zero(near));
        push(rank[lane], first + static_cast<Id>(lane));
      }
    } else if (near != 0) {
      const std::size_t before = m_threshold.id > first ? static_cast<std::size_t>(m_threshold.id - first) : 0;
      if (before < simd::lanes<Rank>)  // ties with ids from the threshold's on do not enter
        near &= ~(simd::mask(ranks == threshold) >> before << before);
      typename detail::reservoir<Rank, Id>::writer(m_reservoir).append(ranks, near, first);
      cut_where_full();
    }
  }

  std::size_t m_k = 0;
  bool m_is_heap = true;
  candidate_type m_threshold{};
  detail::reservoir<Rank, Id> m_reservoir;  // where it is no heap
  std::vector<candidate_type> m_items;      // the heap, or what sorted() returns
  sort_scratch<Rank, Id> m_scratch;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
