#pragma once

/// \file
/// top_k, which keeps the k smallest of the (rank, id) pairs pushed into it, and the reservoir by which it and
/// approximate top-k cut candidates back.

#include <annulus/core/base/assert.hpp>
#include <annulus/core/base/errors.hpp>
#include <annulus/core/select/candidate.hpp>
#include <annulus/core/simd/batch.hpp>
#include <annulus/core/simd/masks.hpp>

#include <span>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// Candidates in no order, cut back now and then to the k smallest. Appending costs next to nothing and a cut is
/// linear, so that n pushes cost O(n) whatever k is.
template <class Rank, class Id = id_type>
class reservoir {
 public:
  using candidate_type = candidate<Rank, Id>;

  /// Drops all candidates, and makes room for `capacity`.
  void reset(std::size_t capacity) {
    m_items.clear();
    m_items.reserve(capacity);
    m_ties.reserve(capacity);
    m_bits.reserve(capacity);
  }
  void append(Rank rank, Id id) { m_items.push_back({rank, id}); }
  std::size_t size() const noexcept { return m_items.size(); }
  std::vector<candidate_type>& items() noexcept { return m_items; }

  /// Drops all but the k smallest; returns the k-th. The order of what is left is that of the appends. Needs
  /// 1 <= k <= size().
  candidate_type cut(std::size_t k) {
    ANNULUS_ASSERT(1 <= k && k <= m_items.size());
    using bits = decltype(ordered_bits(Rank{}));
    const bits kth = radix_select<bits>(
        m_items.size(), k, [&](std::size_t i) { return ordered_bits(m_items[i].rank); }, m_bits);
    // Of those tied with the k-th the smallest ids stay.
    m_ties.clear();
    std::size_t below = 0;
    candidate_type bound{};
    for (const candidate_type& c : m_items) {
      const bits b = ordered_bits(c.rank);
      below += b < kth;
      if (b == kth) m_ties.push_back(bound = c);
    }
    const auto last = m_ties.begin() + static_cast<std::ptrdiff_t>(k - below - 1);
    std::nth_element(m_ties.begin(), last, m_ties.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    bound = *last;
    std::size_t kept = 0;
    for (const candidate_type c : m_items) {
      m_items[kept] = c;
      kept += !(bound < c);
    }
    m_items.resize(kept);
    return bound;
  }

 private:
  std::vector<candidate_type> m_items, m_ties;
  std::vector<decltype(ordered_bits(Rank{}))> m_bits;
};

}  // namespace detail

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
  void reset(std::size_t k) { reset(k, nothing_yet()); }

  /// The same for candidates that come before `bound` only.
  void reset(std::size_t k, candidate_type bound) {
    if (k == 0) detail::invalid("k", k, "must be at least 1");
    m_k = k;
    m_is_heap = k <= largest_heap;
    m_reservoir.reset(m_is_heap ? k : 2 * k);
    if (!m_is_heap) m_scratch.reserve(2 * k);
    m_threshold = bound;
  }

  std::size_t k() const noexcept { return m_k; }

  /// A rank above this cannot enter: of a heap the k-th smallest, of a reservoir an upper bound of it; until k
  /// candidates were pushed, the largest value of the type.
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
    if constexpr (std::is_floating_point_v<Rank> || sizeof(Rank) == 4) {
      using batch = simd::batch<Rank>;
      constexpr std::size_t width = simd::lanes<Rank>;
      for (; i + 4 * width <= n; i += 4 * width) {
        batch least(greatest);  // of those that are not NaN
        simd::unroll<4>([&](auto v) { least = simd::min_skip_nan(simd::load(ranks + i + v * width), least); });
        if (!xsimd::any(least <= batch(threshold()))) continue;
        for (std::size_t j = i; j < i + 4 * width; j += width)
          for (auto near = simd::mask(simd::load(ranks + j) <= batch(threshold())); near != 0; near &= near - 1) {
            const auto at = j + static_cast<std::size_t>(std::countr_zero(near));
            push(ranks[at], first + static_cast<Id>(at));
          }
      }
    }
    for (; i < n; ++i) push(ranks[i], first + static_cast<Id>(i));
  }

  /// The candidates kept, at most k, nearest first. Call reset before pushing more.
  std::span<const candidate_type> sorted() {
    auto& items = m_reservoir.items();
    if (items.size() > m_k) m_reservoir.cut(m_k);
    sort_candidates(items, m_scratch);
    return items;
  }

 private:
  static constexpr std::size_t largest_heap = 32;

  using limits = std::numeric_limits<Rank>;
  static constexpr Rank greatest = limits::has_infinity ? limits::infinity() : limits::max();
  static constexpr candidate_type nothing_yet() noexcept { return {greatest, Id{0}}; }

  std::size_t m_k = 0;
  bool m_is_heap = true;
  candidate_type m_threshold{};
  detail::reservoir<Rank, Id> m_reservoir;
  std::vector<candidate_type> m_scratch;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
