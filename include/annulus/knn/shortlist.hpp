#pragma once

/// \file
/// The candidates of one query during a search by approximate ranks.

#include <annulus/core/select/reservoir.hpp>

#include <span>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Holds every pair whose approximate rank is within a margin of the k-th smallest seen so far, in the order of
/// arrival.
class shortlist {
 public:
  /// Empties it, with room for more than 2 k candidates between cuts, but never for more than n.
  void reset(std::size_t k, std::size_t n) {
    m_k = k;
    m_capacity = std::min(n, 2 * k + 256) + simd::lanes<float>;
    m_kept.reset(m_capacity);
    m_kth = std::numeric_limits<float>::max();
  }

  std::size_t size() const noexcept { return m_kept.size(); }
  /// Whether another append may not fit.
  bool full() const noexcept { return size() + simd::lanes<float> > m_capacity; }
  /// An upper bound of the k-th smallest rank; the largest float while there are fewer than k.
  float kth() const noexcept { return m_kth; }
  std::span<const id_type> ids() const noexcept { return m_kept.ids(); }

  /// Appends the chosen lanes, whose ids are first, first + 1, ...
  void append(const simd::batch<float>& ranks, std::uint64_t chosen, id_type first) noexcept {
    reservoir<float>::writer(m_kept).append(ranks, chosen, first);
  }

  /// Drops candidates that exceed the k-th rank by more than `margin`. Returns false where few or none do, so that the
  /// ranks cannot tell the candidates apart.
  bool cut(float margin) noexcept {
    m_kth = std::min(m_kth, m_kept.bound_of_kth(m_k, m_k + m_k / 16));
    m_kept.keep_up_to(m_kth + margin);
    return size() <= m_k + (m_capacity - m_k) / 2;
  }

  /// Replaces all by k candidates, whose greatest rank is given.
  void assign(std::span<const candidate<float>> candidates, float greatest) noexcept {
    m_kept.clear();
    for (const auto& c : candidates) m_kept.append(c.rank, c.id);
    m_kth = greatest;
  }

 private:
  std::size_t m_k = 0, m_capacity = 0;
  float m_kth = 0;
  reservoir<float> m_kept;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
