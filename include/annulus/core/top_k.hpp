#pragma once

/// \file
/// The bounded structure behind every search: it keeps the k smallest of the (rank, id) pairs pushed into it.

#include <annulus/core/candidate.hpp>

namespace annulus::inline ANNULUS_ARCH {

/// Candidates in no order, cut back now and then to the k smallest and those within a margin of the k-th. Appending
/// costs next to nothing and a cut is linear, so that n pushes cost O(n) whatever k is.
template <class Rank, class Id = id_type>
class reservoir {
 public:
  using candidate_type = candidate<Rank, Id>;

  /// Makes room for `capacity` candidates and drops what was there.
  void reset(std::size_t capacity) {
    m_items.clear();
    m_items.reserve(capacity);
  }
  void append(Rank rank, Id id) { m_items.push_back({rank, id}); }
  std::size_t size() const noexcept { return m_items.size(); }
  std::vector<candidate_type>& items() noexcept { return m_items; }

  /// Drops all but the k smallest and those whose rank is at most the k-th's + margin; returns the k-th. Needs k <=
  /// size().
  candidate_type cut(std::size_t k, Rank margin = 0) {
    const auto kth = m_items.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(m_items.begin(), kth, m_items.end());
    const candidate_type bound = *kth;
    auto end = kth + 1;
    if (margin > 0)
      end = std::partition(end, m_items.end(), [&](const auto& c) { return c.rank <= bound.rank + margin; });
    m_items.erase(end, m_items.end());
    return bound;
  }

 private:
  std::vector<candidate_type> m_items;
};

/// The k smallest candidates of all pushed, ties by smaller id, whatever the order of the pushes. Ranks that are NaN or
/// +infinity never enter. A heap for small k, a reservoir that is cut back at 2k for large k. Nothing is allocated
/// after the construction or reset.
template <class Rank, class Id = id_type>
class top_k {
 public:
  using candidate_type = candidate<Rank, Id>;

  /// \throws std::invalid_argument for k = 0.
  explicit top_k(std::size_t k) { reset(k); }

  /// Empties it, for k candidates from now on.
  /// \throws std::invalid_argument for k = 0.
  void reset(std::size_t k) {
    if (k == 0) detail::invalid("k", k, "must be at least 1");
    m_k = k;
    m_is_heap = k <= largest_heap;
    m_reservoir.reset(m_is_heap ? k : 2 * k);
    if (!m_is_heap) m_scratch.reserve(2 * k);
    m_threshold = nothing_yet();
  }

  std::size_t k() const noexcept { return m_k; }

  /// A rank above this cannot enter: of a heap the k-th smallest, of a reservoir an upper bound of it; before k
  /// candidates have come, the largest value there is.
  Rank threshold() const noexcept { return m_threshold.rank; }

  /// Returns whether the candidate was taken in (it may be pushed out later). O(log k) for a heap, amortised O(1) else.
  bool push(Rank rank, Id id) {
    const candidate_type c{rank, id};
    if (!(c < m_threshold)) return false;
    auto& items = m_reservoir.items();
    if (!m_is_heap) {
      items.push_back(c);
      if (items.size() == 2 * m_k) m_threshold = m_reservoir.cut(m_k);
      return true;
    }
    if (items.size() == m_k) {
      std::pop_heap(items.begin(), items.end());
      items.back() = c;
    } else {
      items.push_back(c);
    }
    std::push_heap(items.begin(), items.end());
    if (items.size() == m_k) m_threshold = items.front();
    return true;
  }

  /// Pushes (ranks[i], first + i) for i < n; blocks in which no rank passes the threshold are passed over by SIMD.
  void push_block(const Rank* ranks, std::size_t n, Id first) {
    std::size_t i = 0;
    if constexpr (std::is_floating_point_v<Rank>) {
      constexpr std::size_t width = simd::lanes<Rank>;
      for (; i + 4 * width <= n; i += 4 * width) {
        const simd::batch<Rank> limit(threshold());
        const auto least = xsimd::min(xsimd::min(simd::load(ranks + i), simd::load(ranks + i + width)),
                                      xsimd::min(simd::load(ranks + i + 2 * width), simd::load(ranks + i + 3 * width)));
        if (!xsimd::any(!(limit < least))) continue;  // "not below" also catches a NaN that hides its neighbours
        for (std::size_t j = i; j < i + 4 * width; ++j) push(ranks[j], first + static_cast<Id>(j));
      }
    }
    for (; i < n; ++i) push(ranks[i], first + static_cast<Id>(i));
  }

  /// What was kept, nearest first: at most k. To be followed by reset before more is pushed.
  std::span<const candidate_type> sorted() {
    auto& items = m_reservoir.items();
    if (items.size() > m_k) m_reservoir.cut(m_k);
    sort_candidates(items, m_scratch);
    return items;
  }

 private:
  static constexpr std::size_t largest_heap = 32;

  static constexpr candidate_type nothing_yet() noexcept {
    using limits = std::numeric_limits<Rank>;
    return {limits::has_infinity ? limits::infinity() : limits::max(), Id{0}};
  }

  std::size_t m_k = 0;
  bool m_is_heap = true;
  candidate_type m_threshold{};
  reservoir<Rank, Id> m_reservoir;
  std::vector<candidate_type> m_scratch;
};

}  // namespace annulus::inline ANNULUS_ARCH
